"""What oracles share: instruments by their feeds, and their prices as quotes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from schema.symbols import InstrumentId, parse_instrument
from schema.words.chains import OraclePrice
from schema.words.quotes import PriceType, Quote

Feeds = Mapping[InstrumentId, str]


def feeds(named: Mapping[str, str]) -> Feeds:
    """By the instrument that an id names."""
    return {parse_instrument(text): feed for text, feed in named.items()}


def fed(instrument: InstrumentId, provider: str, known: Feeds) -> bool:
    """What has a feed; an oracle stands for no venue but itself."""
    return instrument.venue in ("", provider) and instrument.at("") in known


def quoted(prices: Iterable[OraclePrice]) -> list[Quote]:
    """The prices alone."""
    return [
        Quote(instrument=each.instrument, price=each.price, price_type=PriceType.INDEX, as_of=each.as_of)
        for each in prices
    ]
