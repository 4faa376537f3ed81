"""Where candles begin and end, and which of them are done."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from schema.words.candles import Bars, Candle, rows_of
from schema.words.intervals import Interval

_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


def opening(interval: Interval, at: datetime) -> datetime:
    """Open time of the candle that runs at that time, in UTC; weeks begin on Monday, months on the 1st."""
    if interval is Interval.MO1:
        return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return at - (at - _MONDAY) % interval.delta


def ending(interval: Interval, begin: datetime) -> datetime:
    """Open time of the candle after the one that opened at *begin*."""
    return opening(interval, begin + timedelta(days=32)) if interval is Interval.MO1 else begin + interval.delta


def candles_at(bars: Bars, interval: Interval, now: datetime) -> tuple[Candle, ...]:
    """The rows; where the provider does not say which are done, those are whose interval is over."""
    rows = rows_of(bars)
    if bars.closed is not None:
        return tuple(rows)
    return tuple([replace(row, closed=ending(interval, row.open_time) <= now) for row in rows])
