"""What perpetuals of the venues have in common: which may be asked, when they pay, what was paid, what was closed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from providers.crypto._spot import SIDES
from providers.row import Key, Row
from schema.symbols import AssetClass, InstrumentId, crypto
from schema.words.derivatives import FundingHistoryAsk, FundingRate
from schema.words.trades import Side

HOUR = timedelta(hours=1)
HOUR_MS = 3_600_000
_CODE = re.compile(r"[A-Za-z0-9$][A-Za-z0-9.$]{0,31}\Z")


def is_linear_of(venue: str, instrument: InstrumentId, settles: tuple[str, ...] = ("USDT",)) -> bool:
    """A perpetual that may be asked of *venue* and settles in its quote asset: crypto:BTC/USDT:USDT."""
    return (
        instrument.asset_class is AssetClass.CRYPTO
        and instrument.venue in ("", venue)
        and not instrument.expiry
        and instrument.settle == instrument.quote
        and instrument.settle in settles
        and "_" not in instrument.base
    )


def is_inverse_of(venue: str, instrument: InstrumentId) -> bool:
    """A perpetual that may be asked of *venue*, is quoted in dollars and settles in its base: crypto:BTC/USD:BTC."""
    return (
        instrument.asset_class is AssetClass.CRYPTO
        and instrument.venue in ("", venue)
        and not instrument.expiry
        and instrument.quote == "USD"
        and instrument.settle == instrument.base
    )


def perpetual_of(base: str, quote: str) -> InstrumentId | None:
    """A perpetual that settles in its quote asset; None where the name of its asset can be no part of an id."""
    return replace(crypto(base, quote), settle=quote) if _CODE.match(base) else None


def next_hour(now: datetime) -> datetime:
    """When a venue that pays on every full hour, and does not say when, pays next."""
    return now.replace(minute=0, second=0, microsecond=0) + HOUR


def span_of(ask: FundingHistoryAsk, now: datetime, most: int, every: timedelta = HOUR) -> tuple[datetime, datetime]:
    """First and last moment to ask a venue for that needs both, and answers at most so many payments."""
    end = now if ask.end is None else ask.end
    first = end - min(ask.limit, most) * every
    return (first if ask.start is None else max(first, ask.start)), end


def settled(
    ask: FundingHistoryAsk,
    rows: Iterable[Row],
    *,
    rate: Key,
    time: Key,
    unit: str = "ms",
    interval_ms: int | None = None,
    mark: Key | None = None,
    index: Key | None = None,
) -> tuple[FundingRate, ...]:
    """What was paid and when, inside of the range that was asked: ascending, the newest `limit`, each time once.

    Times are Unix times in *unit*, or with the unit `iso` texts. *mark* and *index* are the prices at that time, where
    a venue tells them.
    """
    kept: dict[datetime, FundingRate] = {}
    for row in rows:
        when = row.instant(time) if unit == "iso" else row.epoch(time, unit)
        if (ask.start is None or when >= ask.start) and (ask.end is None or when < ask.end):
            kept[when] = FundingRate(
                instrument=ask.instrument, rate=row.decimal(rate), time=when, settled=True, interval_ms=interval_ms,
                mark_price=None if mark is None else row.positive(mark),
                index_price=None if index is None else row.positive(index),
            )  # fmt: skip
    return tuple([kept[when] for when in sorted(kept)][-ask.limit :])


def closing_side(side: Row) -> Side:
    """`buy` or `sell`, of an order that closed a position by force: there is none without a side."""
    found = SIDES.get(side.text())
    return side.broken("is neither buy nor sell") if found is None else found
