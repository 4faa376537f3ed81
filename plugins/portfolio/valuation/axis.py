"""On which days a portfolio is valued. Pure.

Rule: while something that keeps sessions is held and has closes, the days are its sessions; otherwise every day on
which anything has a close counts, and where nothing has one for a fortnight every day on which there is cash.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.core.quant.steps import Steps, whole
from plugins.portfolio.ledger import Held
from plugins.portfolio.prices.panels import SESSIONED, Series
from plugins.portfolio.store import TransactionRow
from plugins.portfolio.valuation.daily import CARRIED, CASH

A_DAY = timedelta(days=1)
SESSIONS, ALL_DAYS = 252, 365
Stretch = tuple[date, date]
"""Both inclusive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Days that count, ascending; the first is the one from which returns do."""

    days: tuple[date, ...]
    everyday: frozenset[date]
    """Those that are no sessions: 365 a year."""


def periods_of(sessions: int, others: int) -> int:
    """A year, of returns of both kinds: `N / (sessions/252 + others/365)`, so that N last as long as they did."""
    if not sessions + others:
        return ALL_DAYS
    return round((sessions + others) / (sessions / SESSIONS + others / ALL_DAYS))


def stretches_of(rows: Iterable[TransactionRow], last: date, *, tracks_cash: bool) -> dict[str, list[Stretch]]:
    """When each instrument was held, the days on which it came and went included; cash's are under `CASH`."""
    return whole(stretches_in_steps(rows, last, tracks_cash=tracks_cash))


def stretches_in_steps(
    rows: Iterable[TransactionRow], last: date, *, tracks_cash: bool
) -> Steps[dict[str, list[Stretch]]]:
    """The same, a row a step."""
    held, since = Held(), dict[str, date]()
    found: dict[str, list[Stretch]] = defaultdict(list)
    for row in rows:
        held.take(row, tracks_cash=tracks_cash)
        day = row.at.date()
        there = {CASH: any(held.cash.values())}
        if row.instrument is not None:
            there[row.instrument] = row.instrument in held.units
        for name, is_there in there.items():
            if is_there:
                since.setdefault(name, day)
            elif name in since:
                found[name].append((since.pop(name), day))
        yield
    for name, day in since.items():
        found[name].append((day, last))
    return dict(found)


def idle_of(held: Mapping[str, Sequence[Stretch]], first: date, last: date) -> list[Stretch]:
    """When nothing at all was held, not even cash."""
    found: list[Stretch] = []
    free = first
    for begin, end in sorted(stretch for each in held.values() for stretch in each):
        if begin > last:
            break
        if begin > free:
            found.append((free, begin - A_DAY))
        free = max(free, min(end, last) + A_DAY)
    return [*found, (free, last)] if free <= last else found


def axis_of(series: Sequence[Series], held: Mapping[str, Sequence[Stretch]], first: date, behind: date) -> Axis:
    """The days of `[first, behind)` that count, and before them the last one that would."""
    return whole(axis_in_steps(series, held, first, behind))


def axis_in_steps(
    series: Sequence[Series], held: Mapping[str, Sequence[Stretch]], first: date, behind: date
) -> Steps[Axis]:
    """The same, a series a step."""
    begin = first - CARRIED
    ruled, known = _Marks(begin, behind), _Marks(begin, behind)
    sessions, resting, everyday = set[date](), set[date](), set[date]()
    for each in series:
        yield
        days = sorted(day for day in each.closes if begin <= day < behind)
        runs = _runs(days, behind)
        known.put(runs)
        if each.instrument.asset_class not in SESSIONED:
            everyday.update(days)
            continue
        mine, ruling = _Marks(begin, behind), _common(runs, held.get(str(each.instrument), ()))
        mine.put(ruling)
        ruled.put(ruling)
        sessions.update(day for day in days if day in mine)
        resting.update(days)
    idle = held.get(CASH, ()) if series else [(first, behind)]
    everyday.update(day for day in _each_day(idle, first, behind - A_DAY) if day not in known)
    everyday = {day for day in everyday if day not in ruled}
    counted = sorted(sessions | everyday | {day for day in resting if day not in ruled})
    before = [day for day in counted if day < first]
    days = [before[-1] if before else first - A_DAY, *(day for day in counted if day >= first)]
    return Axis(days=tuple(days), everyday=frozenset(everyday))


class _Marks:
    """Days of a range, marked or not."""

    def __init__(self, begin: date, behind: date) -> None:
        self._begin = begin.toordinal()
        self._marked = bytearray(max(0, (behind - begin).days))

    def put(self, stretches: Iterable[Stretch]) -> None:
        for first, last in stretches:
            low, high = max(0, self._place(first)), min(len(self._marked), self._place(last) + 1)
            if low < high:
                self._marked[low:high] = b"\x01" * (high - low)

    def __contains__(self, day: date) -> bool:
        return self._marked[self._place(day)] == 1

    def _place(self, day: date) -> int:
        return day.toordinal() - self._begin


def _runs(days: Sequence[date], behind: date) -> list[Stretch]:
    """Stretches with closes; the last one goes on where more are still to come."""
    found: list[Stretch] = []
    for day in (*days, behind):
        if found and day - found[-1][1] <= CARRIED:
            found[-1] = (found[-1][0], day)
        elif day < behind:
            found.append((day, day))
    return found


def _common(some: Iterable[Stretch], others: Sequence[Stretch]) -> list[Stretch]:
    both = ((max(a, c), min(b, d)) for a, b in some for c, d in others)
    return [(first, last) for first, last in both if first <= last]


def _each_day(stretches: Iterable[Stretch], first: date, behind: date) -> Iterator[date]:
    for begin, last in stretches:
        day = max(begin, first)
        while day <= last and day < behind:
            yield day
            day += A_DAY
