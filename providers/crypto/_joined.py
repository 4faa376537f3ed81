"""Venues whose wire symbol is base and quote without anything between them: `BTCUSDT`."""

from __future__ import annotations

from collections.abc import Collection

from providers.crypto._spot import trades_in
from schema.symbols import AssetClass, InstrumentId


def wire_symbol(instrument: InstrumentId) -> str:
    """`BTCUSDT` for BTC/USDT."""
    return instrument.base + instrument.quote


def is_pair_of(venue: str, instrument: InstrumentId, quotes: Collection[str]) -> bool:
    """A spot pair that may be asked of *venue* and cannot be taken for another one there.

    BTCU/SDT has the wire symbol of BTC/USDT and would get its price. A symbol that ends in one of the venue's quote
    assets is therefore read with the longest of them; a coin that is not among *quotes* may be asked for freely.
    """
    symbol = wire_symbol(instrument)
    endings = [quote for quote in quotes if symbol.endswith(quote) and quote != symbol]
    return (
        instrument.asset_class is AssetClass.CRYPTO
        and instrument.is_spot
        and instrument.venue in ("", venue)
        and trades_in(instrument, quotes)
        and max(endings, key=len, default=instrument.quote) == instrument.quote
    )
