"""How Alpha Vantage writes instruments: `IBM`, `BRK-B`, `SHOP.TRT`; both ways."""

from __future__ import annotations

import re

from providers.equities._listed import TRADED_IN, Spelling
from providers.row import Row
from schema.symbols import AssetClass, InstrumentId

# https://www.alphavantage.co/documentation/#daily and the regions of SYMBOL_SEARCH.
SUFFIXES = {
    "XLON": "LON", "XTSE": "TRT", "XTSX": "TRV", "XETR": "DEX", "XFRA": "FRK", "XPAR": "PAR", "XAMS": "AMS",
    "XBOM": "BSE", "XSHG": "SHH", "XSHE": "SHZ", "XHKG": "HKG", "BVMF": "SAO",
}  # fmt: skip
SPELLING = Spelling(mark="-", suffixes={"": "", **SUFFIXES})
symbol_of, instrument_of = SPELLING.symbol_of, SPELLING.instrument_of

# Coins of the digital currency list whose code means one asset only.
COINS = frozenset({"BTC", "ETH", "XRP", "LTC", "BCH", "ADA", "DOGE", "SOL", "DOT", "XLM", "ETC", "LINK", "XMR", "BNB"})

_CURRENCY = re.compile(r"[A-Z]{3}")


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
