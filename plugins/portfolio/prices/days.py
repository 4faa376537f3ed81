"""From a provider's bars to closes by date: only those that are over. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from schema.words.candles import Bars
from schema.words.intervals import Interval

A_DAY = timedelta(days=1)
LENGTHS = (Interval.D1, Interval.W1, Interval.MO1)
"""What a date can name."""

Sessions = Mapping[date, datetime]
"""When each session ends, by its date."""


def midnight(day: date) -> datetime:
    """Its beginning, UTC."""
    return datetime.combine(day, time(), UTC)


def floor(interval: Interval, day: date) -> date:
    """The day by which the interval around it is named: itself, its Monday, the first of its month."""
    if interval is Interval.W1:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if interval is Interval.MO1 else day


def following(interval: Interval, day: date) -> date:
    """The name of the next interval."""
    if interval is Interval.MO1:
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return floor(interval, day) + (timedelta(days=7) if interval is Interval.W1 else A_DAY)


def bounds(interval: Interval, start: datetime, end: datetime) -> tuple[date, date]:
    """Names of the first interval that opens in `[start, end)`, and of the first one behind it."""
    first, last = start.astimezone(UTC), end.astimezone(UTC)
    begin = first.date() if first.time() == time() else first.date() + A_DAY
    if floor(interval, begin) != begin:
        begin = following(interval, begin)
    behind = last.date() if last.time() == time() else last.date() + A_DAY
    return begin, behind if floor(interval, behind) == behind else following(interval, behind)


def closes_of(
    bars: Bars, interval: Interval, zone: str, sessions: Sessions | None, until: datetime
) -> dict[date, Decimal]:
    """Closes of bars that are over at an instant; of two of one date the later counts.

    A day on which the venue kept no session has none, as far as its calendar reaches.
    """
    local, dates, told = ZoneInfo(zone), bars.session_date, bars.closed
    kept = sessions if interval is Interval.D1 and sessions else {}
    first, last = (min(kept), max(kept)) if kept else (date.max, date.min)
    found: dict[date, Decimal] = {}
    for row, opened in enumerate(bars.open_time):
        named = dates[row] if dates is not None else None
        day = floor(interval, named or opened.astimezone(local).date())
        rested = first <= day <= last and day not in kept
        if not rested and (told is None or told[row] is not False) and over(interval, day, local, sessions, until):
            found[day] = bars.close[row]
    return found


def over(interval: Interval, day: date, zone: ZoneInfo, sessions: Sessions | None, until: datetime) -> bool:
    """Whether the interval has ended: a session when it closes, a day that has none at midnight of its zone."""
    if interval is Interval.D1 and sessions is not None and day in sessions:
        return sessions[day] <= until
    return following(interval, day) <= until.astimezone(zone).date()


def expected(
    interval: Interval, first: date, behind: date, zone: str, sessions: Sessions | None, until: datetime
) -> Iterator[date]:
    """Dates in `[first, behind)` for which there should be a close: sessions, or all days where there are none."""
    local, day = ZoneInfo(zone), first
    while day < behind:
        held = interval is not Interval.D1 or sessions is None or day in sessions
        if held and over(interval, day, local, sessions, until):
            yield day
        day = following(interval, day)
