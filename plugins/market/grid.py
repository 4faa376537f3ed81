"""The grid that candles stand on: which intervals a range holds while the venue is open. Pure arithmetic.

Markets that never close align to UTC, weeks to Monday, months to the first. Markets with sessions count intraday
candles from each session's opening; a day is a session, a week begins on Monday, a month on its first day.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from schema.words.intervals import Interval
from schema.words.venues import TradingSession

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a bar belongs whose open time is in `[start, end)`; `day` for daily and longer bars of sessions."""

    start: datetime
    end: datetime
    day: date | None = None


def floor(interval: Interval, moment: datetime) -> datetime:
    """The start of the UTC interval that holds *moment*."""
    if interval is Interval.MO1:
        return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    origin = MONDAY if interval is Interval.W1 else EPOCH
    return moment - (moment - origin) % interval.delta


def following(interval: Interval, start: datetime) -> datetime:
    """The start of the next UTC interval; *start* is one itself."""
    if interval is Interval.MO1:
        return (start + timedelta(days=32)).replace(day=1)
    return start + interval.delta


def ceiling(interval: Interval, moment: datetime) -> datetime:
    """The first UTC interval start that is not before *moment*."""
    below = floor(interval, moment)
    return below if below == moment else following(interval, below)


def forward(interval: Interval, start: datetime, end: datetime, count: int) -> list[Slot]:
    """At most *count* slots of a market that never closes, with starts in `[start, end)`."""
    return list(islice(_utc(interval, ceiling(interval, start), end), count))


def backward(interval: Interval, start: datetime, end: datetime, count: int) -> list[Slot]:
    """The last *count* slots with starts in `[start, end)`, ascending."""
    if interval is Interval.MO1:
        return forward(interval, start, end, 100_000)[-count:]
    first = ceiling(interval, end) - interval.delta * count
    return forward(interval, max(start, first), end, count)


def _utc(interval: Interval, start: datetime, end: datetime) -> Iterator[Slot]:
    while start < end:
        after = following(interval, start)
        yield Slot(start, after)
        start = after


def in_sessions(interval: Interval, sessions: Sequence[TradingSession], zone: str) -> list[Slot]:
    """All slots of some sessions, ascending."""
    if interval.intraday:
        return [slot for session in sessions for slot in _within(interval, session)]
    if interval is Interval.D1:
        return [Slot(session.opens, session.closes, session.date) for session in sessions]
    return _periods(interval, sessions, ZoneInfo(zone))


def starts_within(interval: Interval, session: TradingSession, start: datetime, end: datetime) -> int:
    """How many of the session's slots begin in `[start, end)`."""
    before = max(0, -((session.opens - start) // interval.delta))
    until = -((session.opens - min(session.closes, end)) // interval.delta)
    return max(0, until - before)


def _within(interval: Interval, session: TradingSession) -> Iterator[Slot]:
    start = session.opens
    while start < session.closes:
        end = min(start + interval.delta, session.closes)
        yield Slot(start, end)
        start = end


def _periods(interval: Interval, sessions: Sequence[TradingSession], zone: ZoneInfo) -> list[Slot]:
    found: dict[date, Slot] = {}
    for session in sessions:
        first = _first_day(interval, session.date)
        after = following(interval, datetime(first.year, first.month, first.day, tzinfo=UTC)).date()
        start, end = (datetime(d.year, d.month, d.day, tzinfo=zone).astimezone(UTC) for d in (first, after))
        found.setdefault(first, Slot(start, end, first))
    return list(found.values())


def _first_day(interval: Interval, day: date) -> date:
    if interval is Interval.W1:
        return day - timedelta(days=day.weekday())
    if interval is Interval.MO1:
        return day.replace(day=1)
    return day - timedelta(days=(day - EPOCH.date()).days % 3)


def slots_a_session(interval: Interval, extended: bool) -> float:
    """How many slots a session holds, for planning how many sessions to look at."""
    hours = 16 if extended else 6.5
    return max(1.0, hours * 3600 / interval.seconds) if interval.intraday else 86_400 / interval.seconds


def slot_of(slots: Sequence[Slot], moment: datetime, starts: Sequence[datetime]) -> int | None:
    """Index of the slot that holds *moment*; `starts` are the slots' starts."""
    index = bisect_right(starts, moment) - 1
    return index if index >= 0 and moment < slots[index].end else None
