"""Prices of the past that are no candles: one quote at an instant, or a line of prices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from schema.capability import Capability
from schema.checks import ascending, in_range, not_negative, positive
from schema.model import described, model
from schema.provenance import UNSTAMPED, Provenance
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import Adjustment
from schema.words.intervals import Interval
from schema.words.quotes import Quote


@model("A price at an instant.")
class PricePoint:
    """Amounts are in `currency`. An adapter of securities says what its upstream adjusts for; nothing else is."""

    time: datetime = described("When.")
    price: Decimal = described("The price.")
    currency: str = described("ISO 4217 code or asset code.")
    market_cap: Decimal | None = described("Price times circulating supply.", default=None)
    adjustment: Adjustment = described("Corporate actions that the price is adjusted for.", default=Adjustment.NONE)
    volume24h: Decimal | None = described("Traded value of the 24 hours before.", default=None, name="volume24h")
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoricalQuoteAsk:
    """The last price known at an instant; `as_of` says of when it is: never later."""

    instrument: InstrumentId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceHistoryAsk:
    """Prices at times in `[start, end)`, ascending, about one an interval."""

    instrument: InstrumentId
    interval: Interval
    start: datetime
    end: datetime


def check_quote(ask: HistoricalQuoteAsk, quote: Quote) -> Iterator[str]:
    """Of the instant, or before."""
    yield from positive("", price=quote.price)
    if quote.as_of is None or quote.as_of > ask.at:
        yield f"as_of is {quote.as_of}, asked was {ask.at.isoformat()}"


def check_points(ask: PriceHistoryAsk, points: Sequence[PricePoint]) -> Iterator[str]:
    """Ascending, inside of the range."""
    yield from ascending("time", [point.time for point in points], unique=True)
    yield from in_range("time", [point.time for point in points], ask.start, ask.end)
    if len({point.adjustment for point in points}) > 1:
        yield "adjustments are mixed in one series"
    if ask.instrument.asset_class is not AssetClass.EQUITY:
        yield from (f"{p.time.isoformat()}: {p.adjustment}" for p in points if p.adjustment is not Adjustment.NONE)
    for point in points:
        path = f"{point.time.isoformat()}: "
        yield from positive(path, price=point.price)
        yield from not_negative(path, market_cap=point.market_cap, volume24h=point.volume24h)


def freshness(ask: PriceHistoryAsk, now: datetime) -> timedelta:
    """The past keeps an hour, a range that reaches to the present a minute."""
    return timedelta(hours=1) if ask.end + ask.interval.delta < now else timedelta(minutes=1)


HISTORICAL_QUOTE: Capability[HistoricalQuoteAsk, Quote] = Capability(
    name="historicalQuote",
    ask=HistoricalQuoteAsk,
    answer=Quote,
    description="The last price known at an instant of the past.",
    fresh_for=timedelta(hours=6),
    revalidate_for=timedelta(hours=18),
    keep_for=timedelta(days=7),
    check=check_quote,
)
PRICE_HISTORY: Capability[PriceHistoryAsk, tuple[PricePoint, ...]] = Capability(
    name="priceHistory",
    ask=PriceHistoryAsk,
    answer=tuple[PricePoint, ...],
    description="A line of prices, where a provider has no candles.",
    fresh_for=timedelta(minutes=1),
    freshness=freshness,
    revalidate_for=timedelta(minutes=4),
    keep_for=timedelta(hours=6),
    as_of=lambda points: max((point.time for point in points), default=None),
    check=check_points,
)
