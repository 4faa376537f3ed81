"""How Alpha Vantage writes instruments: `IBM`, `BRK-B`, `SHOP.TRT`; both ways."""

from __future__ import annotations

import re

from providers.equities._listed import TRADED_IN
from providers.row import Row
from schema.symbols import AssetClass, InstrumentId, equity

# https://www.alphavantage.co/documentation/#daily and the regions of SYMBOL_SEARCH.
SUFFIXES = {
    "XLON": "LON", "XTSE": "TRT", "XTSX": "TRV", "XETR": "DEX", "XFRA": "FRK", "XPAR": "PAR", "XAMS": "AMS",
    "XBOM": "BSE", "XSHG": "SHH", "XSHE": "SHZ", "XHKG": "HKG", "BVMF": "SAO",
}  # fmt: skip
MICS = {suffix: mic for mic, suffix in SUFFIXES.items()}

# Coins of the digital currency list whose code means one asset only.
COINS = frozenset({"BTC", "ETH", "XRP", "LTC", "BCH", "ADA", "DOGE", "SOL", "DOT", "XLM", "ETC", "LINK", "XMR", "BNB"})
MINOR_UNITS = {"GBX": "GBP", "GBp": "GBP", "ZAc": "ZAR", "ILA": "ILS"}

_TICKER = re.compile(r"[A-Z0-9]+(\.[A-Z0-9]+)*")
_CURRENCY = re.compile(r"[A-Z]{3}")


def symbol_of(instrument: InstrumentId) -> str | None:
    """The symbol of a security, or None for anything else."""
    if instrument.asset_class is not AssetClass.EQUITY or not instrument.is_spot:
        return None
    if not _TICKER.fullmatch(instrument.base):
        return None
    symbol = instrument.base.replace(".", "-")
    if not instrument.venue:
        return symbol
    return f"{symbol}.{SUFFIXES[instrument.venue]}" if instrument.venue in SUFFIXES else None


def instrument_of(symbol: str) -> InstrumentId | None:
    """What a symbol means; None for exchanges that have no code here."""
    ticker, dot, suffix = symbol.partition(".")
    ticker = ticker.replace("-", ".")
    if not _TICKER.fullmatch(ticker) or (dot and suffix not in MICS):
        return None
    return equity(ticker, MICS[suffix] if dot else "")


def same_name(row: Row, key: str, name: str) -> None:
    """An answer that says what it is about must be about what was asked; `BRK.B` and `BRK-B` are one."""
    told = row.get(key)
    if told is not None and told.value != "" and _plain(told.text()) != _plain(name):
        told.broken(f"is not {name!r}")


def _plain(name: str) -> str:
    return name.upper().replace(".", "-")


def is_priced_security(instrument: InstrumentId) -> bool:
    """A security whose price has a known currency."""
    return symbol_of(instrument) is not None and instrument.venue in TRADED_IN


def is_exchanged(instrument: InstrumentId) -> bool:
    """A spot pair of currencies, or a coin in one."""
    if instrument.venue not in ("", "alphavantage") or not _CURRENCY.fullmatch(instrument.quote):
        return False
    # USDT and its like have four letters; a coin in another coin is not offered.
    if not instrument.is_spot or instrument.quote in COINS:
        return False
    if instrument.asset_class is AssetClass.FX:
        return _CURRENCY.fullmatch(instrument.base) is not None and instrument.base not in COINS
    return instrument.asset_class is AssetClass.CRYPTO and instrument.base in COINS
