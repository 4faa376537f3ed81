"""How Yahoo writes instruments (`AAPL`, `BRK-B`, `VOD.L`, `^GSPC`, `EURUSD=X`, `BTC-USD`, both ways) and money."""

from __future__ import annotations

import re
from decimal import Context, Decimal

from providers.row import Row
from schema.symbols import AssetClass, InstrumentId, crypto, equity, fx

# https://help.yahoo.com/kb/SLN2310.html: the suffix of each exchange, here by its market identifier code.
SUFFIXES = {
    "XLON": "L", "XPAR": "PA", "XETR": "DE", "XFRA": "F", "XAMS": "AS", "XBRU": "BR", "XLIS": "LS", "XDUB": "IR",
    "XSWX": "SW", "XMIL": "MI", "XMAD": "MC", "XWBO": "VI", "XSTO": "ST", "XHEL": "HE", "XCSE": "CO", "XOSL": "OL",
    "XICE": "IC", "XWAR": "WA", "XPRA": "PR", "XBUD": "BD", "XATH": "AT", "XIST": "IS", "XTAE": "TA", "XJSE": "JO",
    "XSAU": "SR", "XKUW": "KW", "XTSE": "TO", "XTSX": "V", "NEOE": "NE", "XCNQ": "CN", "XMEX": "MX", "BVMF": "SA",
    "XBUE": "BA", "XSGO": "SN", "XTKS": "T", "XHKG": "HK", "XSHG": "SS", "XSHE": "SZ", "XTAI": "TW", "ROCO": "TWO",
    "XKRX": "KS", "XKOS": "KQ", "XSES": "SI", "XKLS": "KL", "XBKK": "BK", "XIDX": "JK", "XNSE": "NS", "XBOM": "BO",
    "XASX": "AX", "XNZE": "NZ",
}  # fmt: skip
MICS = {suffix: mic for mic, suffix in SUFFIXES.items()}

# US listings share one name space; an answer's `exchangeName` says on which of them the symbol is listed.
US_EXCHANGES = {
    "XNAS": frozenset({"NMS", "NGM", "NCM", "NAS"}),
    "XNYS": frozenset({"NYQ"}),
    "XASE": frozenset({"ASE"}),
    "ARCX": frozenset({"PCX"}),
    "BATS": frozenset({"BTS"}),
}

INDICES = {
    "SPX": "^GSPC", "NDX": "^NDX", "IXIC": "^IXIC", "DJI": "^DJI", "RUT": "^RUT", "VIX": "^VIX", "OEX": "^OEX",
    "UKX": "^FTSE", "DAX": "^GDAXI", "PX1": "^FCHI", "SX5E": "^STOXX50E", "SMI": "^SSMI", "AEX": "^AEX",
    "IBEX": "^IBEX", "BEL20": "^BFX", "OMXS30": "^OMX", "TSX": "^GSPTSE", "BVSP": "^BVSP", "NKY": "^N225",
    "HSI": "^HSI", "SHCOMP": "000001.SS", "KOSPI": "^KS11", "TWSE": "^TWII", "STI": "^STI", "NIFTY": "^NSEI",
    "SENSEX": "^BSESN", "XJO": "^AXJO", "NZ50": "^NZ50", "TA125": "^TA125.TA",
}  # fmt: skip
_INDEX_NAMES = {symbol: name for name, symbol in INDICES.items()}

# Coins by what Yahoo calls them. A ticker that several coins use carries a number there (the plain one is somebody
# else's coin), so only coins whose symbol is certain are asked for.
COINS = {
    **{
        coin: coin
        for coin in (
            "BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC", "BCH", "DOT", "LINK", "AVAX", "BNB", "XLM", "TRX", "ETC",
            "XMR", "ATOM", "FIL", "ALGO", "NEAR", "HBAR", "AAVE", "VET", "ICP", "SHIB", "EOS", "XTZ", "ZEC", "DASH",
            "USDT", "USDC", "DAI",
        )
    },
    "UNI": "UNI7083", "SUI": "SUI20947", "TON": "TON11419", "PEPE": "PEPE24478", "ARB": "ARB11841", "APT": "APT21794",
}  # fmt: skip
_ASSETS = {name: asset for asset, name in COINS.items()}
FIATS = frozenset({"USD", "EUR", "GBP", "JPY", "CAD", "AUD", "CHF", "INR", "KRW", "CNY", "BRL"})

# Codes of minor units that are no ISO 4217 codes, with the power of ten between them and the currency.
MINOR_UNITS = {
    "GBp": ("GBP", -2), "GBX": ("GBP", -2), "ZAc": ("ZAR", -2), "ZAC": ("ZAR", -2), "ILA": ("ILS", -2),
    "KWF": ("KWD", -3),
}  # fmt: skip
# Wide enough that moving the point never rounds.
_EXACT = Context(prec=200)

_TICKER = re.compile(r"[A-Z0-9&]+(\.[A-Z0-9]+)*")
_INDEX = re.compile(r"\^[A-Z0-9]+([.-][A-Z0-9]+)*")
_CURRENCY = re.compile(r"[A-Z]{3}")


def symbol_of(instrument: InstrumentId) -> str | None:
    """Yahoo's symbol, or None for what it does not list."""
    if not instrument.is_spot:
        return None
    if instrument.asset_class is AssetClass.EQUITY:
        return _security(instrument.base, instrument.venue)
    if instrument.venue not in ("", "yahoo"):
        return None
    base, quote = instrument.base, instrument.quote
    if instrument.asset_class is AssetClass.INDEX:
        return INDICES.get(base) or (base if _INDEX.fullmatch(base) else None)
    if instrument.asset_class is AssetClass.FX and _CURRENCY.fullmatch(base) and _CURRENCY.fullmatch(quote):
        return f"{base}{quote}=X"
    if instrument.asset_class is AssetClass.CRYPTO and base in COINS and quote in FIATS:
        return f"{COINS[base]}-{quote}"
    return None


def _security(ticker: str, venue: str) -> str | None:
    if not _TICKER.fullmatch(ticker):
        return None
    symbol = ticker.replace(".", "-")
    if not venue or venue in US_EXCHANGES:
        return symbol
    return f"{symbol}.{SUFFIXES[venue]}" if venue in SUFFIXES else None


def instrument_of(symbol: str) -> InstrumentId | None:
    """What a symbol of Yahoo's means; None for futures, options and exchanges that have no code here."""
    if symbol in _INDEX_NAMES or _INDEX.fullmatch(symbol):
        return InstrumentId(asset_class=AssetClass.INDEX, base=_INDEX_NAMES.get(symbol, symbol))
    if symbol.endswith("=X"):
        return _pair(symbol.removesuffix("=X"))
    head, hyphen, tail = symbol.rpartition("-")
    if hyphen and tail in FIATS:
        return crypto(_ASSETS[head], tail) if head in _ASSETS else None
    ticker, dot, suffix = symbol.partition(".")
    ticker = ticker.replace("-", ".")
    if not _TICKER.fullmatch(ticker) or (dot and suffix not in MICS):
        return None
    return equity(ticker, MICS[suffix] if dot else "")


def _pair(code: str) -> InstrumentId | None:
    # Yahoo's own lists leave the dollar out where it is the base: `JPY=X` is USD/JPY.
    base, quote = (code[:3], code[3:]) if len(code) == 6 else ("USD", code)
    return fx(base, quote) if _CURRENCY.fullmatch(base) and _CURRENCY.fullmatch(quote) else None


def same_symbol(instrument: InstrumentId, meta: Row) -> None:
    """A chart that says whose it is must be of what was asked; `USDJPY=X` is listed as `JPY=X`."""
    told, symbol = meta.maybe_text("symbol"), symbol_of(instrument) or ""
    listed = symbol.removeprefix("USD") if instrument.asset_class is AssetClass.FX else symbol
    if told is not None and told.upper() not in (symbol, listed):
        meta["symbol"].broken(f"is not {symbol!r}")


def currency_of(instrument: InstrumentId, meta: Row) -> tuple[str, int]:
    """The currency, and the power of ten that turns the wire's prices into it; XXX where none is told."""
    code = meta.maybe_text("currency") or instrument.quote or "XXX"
    currency, power = MINOR_UNITS.get(code, (code, 0))
    if instrument.quote and currency != instrument.quote:
        meta["currency"].broken(f"is not {instrument.quote}")
    return currency, power


def shifted(number: Decimal, power: int) -> Decimal:
    """A price in minor units as one in the currency, exactly."""
    return _EXACT.scaleb(number, power) if power else number
