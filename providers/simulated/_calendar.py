"""When simulated markets trade, in Unix seconds: always, the week of the currencies, or sessions without holidays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from schema.words.intervals import Interval

DAY = 86_400
WEEK = 7 * DAY
TRADING_WEEK = 5 * DAY
SUNDAY, MONDAY = 3 * DAY, 4 * DAY  # 1970-01-04 and the day after


class Window(NamedTuple):
    """One candle's time: its open time, the stretches of trading inside (first and last second), its date."""

    open_time: int
    parts: tuple[tuple[int, int], ...]
    session_date: date | None = None


class Calendar(Protocol):
    """When a market trades."""

    def latest(self, second: int) -> int:
        """The newest trading second that is not after *second*."""

    def windows(self, interval: Interval, start: int, end: int) -> Iterator[Window]:
        """The candles with open times in `[start, end)` in which there is any trading."""


def grid(interval: Interval, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Intervals of UTC that begin in `[start, end)`: weeks on Monday, months on the 1st."""
    if interval is Interval.MO1:
        yield from _months(start, end)
        return
    step, offset = interval.seconds, MONDAY if interval is Interval.W1 else 0
    for opening in range(start + (offset - start) % step, end, step):
        yield opening, opening + step


def _months(start: int, end: int) -> Iterator[tuple[int, int]]:
    first = datetime.fromtimestamp(start, UTC)
    month = first.year * 12 + first.month - 1
    opening = _month(month)
    while opening < end:
        month += 1
        following = _month(month)
        if opening >= start:
            yield opening, following
        opening = following


def _month(count: int) -> int:
    return int(datetime(count // 12, count % 12 + 1, 1, tzinfo=UTC).timestamp())


class Always:
    """Never closes."""

    def latest(self, second: int) -> int:
        return second

    def windows(self, interval: Interval, start: int, end: int) -> Iterator[Window]:
        for opening, closing in grid(interval, start, end):
            yield Window(opening, ((opening, closing - 1),))


class CurrencyWeek:
    """From Sunday 17:00 to Friday 17:00 in New York without a break; the clocks change while it rests.

    Candles within a day are counted from 17:00 in New York. Daily ones are UTC days from Monday to Friday, and the
    hours of Sunday belong to Monday.
    """

    def latest(self, second: int) -> int:
        week = week_of(second)
        opening = week_opening(week if second >= week_opening(week) else week - 1)
        return min(second, opening + TRADING_WEEK - 1)

    def around(self, second: int) -> tuple[int, int]:
        """The first second of the trading day that holds a trading second, and the last one of the day before."""
        opening = week_opening(week_of(second))
        first = second - (second - opening) % DAY
        return first, self.latest(first - 1)

    def windows(self, interval: Interval, start: int, end: int) -> Iterator[Window]:
        if interval.intraday:
            yield from self._intraday(interval.seconds, start, end)
            return
        for opening, closing in grid(interval, start, end):
            if days := tuple(self._days(opening, closing)):
                yield Window(opening, days)

    def _intraday(self, step: int, start: int, end: int) -> Iterator[Window]:
        for week in range(week_of(start) - 1, week_of(end) + 1):
            begin = week_opening(week)
            first = max(begin, start + (begin - start) % step)
            for opening in range(first, min(end, begin + TRADING_WEEK), step):
                yield Window(opening, ((opening, opening + step - 1),))

    def _days(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        for midnight in range(start, end, DAY):
            weekday = (midnight - MONDAY) // DAY % 7
            if weekday < 5:
                first = midnight if weekday else week_opening(week_of(midnight))
                yield first, self.latest(midnight + DAY - 1)


def week_of(second: int) -> int:
    """The number of the calendar week, from Sunday on, that holds a second."""
    return (second - SUNDAY) // WEEK


@lru_cache(maxsize=4096)
def week_opening(week: int) -> int:
    """When currencies begin to trade in a calendar week."""
    sunday = date(1970, 1, 4) + timedelta(weeks=week)
    return int(datetime.combine(sunday, time(17), ZoneInfo("America/New_York")).timestamp())


class Sessions:
    """The regular hours of a venue, Monday to Friday in its own zone. Holidays and short days are not simulated."""

    def __init__(self, zone: str, opens: time, closes: time) -> None:
        self.zone, self.opens, self.closes = zone, opens, closes

    def session(self, day: date) -> tuple[int, int] | None:
        """The first and the last second of a day's session."""
        return _session(self.zone, self.opens, self.closes, day)

    def latest(self, second: int) -> int:
        day = datetime.fromtimestamp(second, UTC).date()
        while not (found := self.session(day)) or found[0] > second:
            day -= timedelta(days=1)
        return min(second, found[1])

    def around(self, second: int) -> tuple[int, int]:
        """The first second of the session that holds a trading second, and the last one of the session before."""
        found = self.session(datetime.fromtimestamp(second, UTC).date())
        first = found[0] if found else second
        return first, self.latest(first - 1)

    def windows(self, interval: Interval, start: int, end: int) -> Iterator[Window]:
        if interval.intraday:
            yield from self._intraday(interval.seconds, start, end)
            return
        for opening, closing in grid(interval, start, end):
            if sessions := tuple(self._sessions(opening, closing)):
                # The date of the window's first day, which midnight in UTC is not in New York.
                yield Window(opening, sessions, datetime.fromtimestamp(opening, UTC).date())

    def _intraday(self, step: int, start: int, end: int) -> Iterator[Window]:
        """Counted from the opening; the last candle of a session may be shorter."""
        for first, last in self._sessions(start - start % DAY, end):
            for opening in range(first, last + 1, step):
                if start <= opening < end:
                    yield Window(opening, ((opening, min(opening + step - 1, last)),))

    def _sessions(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Sessions whose date's midnight UTC is in `[start, end)`."""
        for midnight in range(start, end, DAY):
            if found := self.session(datetime.fromtimestamp(midnight, UTC).date()):
                yield found


@lru_cache(maxsize=8192)
def _session(zone: str, opens: time, closes: time, day: date) -> tuple[int, int] | None:
    if day.weekday() > 4:
        return None
    local = ZoneInfo(zone)
    first, end = (int(datetime.combine(day, at, local).timestamp()) for at in (opens, closes))
    return first, end - 1
