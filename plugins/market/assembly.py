"""From a provider's bars to a series: placed on slots, marked closed or forming, gaps named, filled on request."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from zoneinfo import ZoneInfo

from plugins.market.grid import Slot, slot_of
from schema.words.candles import COLUMNS, Bars, Fill, Gap
from schema.words.intervals import Interval

LONGEST_DAY = timedelta(days=2)
"""A session is shorter, a week longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """The rows, and what is missing."""

    bars: Bars
    gaps: list[Gap]


def assemble(bars: Bars, slots: Sequence[Slot], interval: Interval, zone: str, now: datetime, fill: Fill) -> Assembled:
    """Place *bars* on *slots*; rows outside of them are cut, of two the later counts."""
    chosen: dict[datetime | int, tuple[int, int]] = {}
    for row, place in enumerate(_places(bars, slots, zone)):
        if place is not None:
            # Hours that a provider counts from another minute may share a slot; only the same moment comes twice.
            chosen[bars.open_time[row] if interval.intraday else place] = (row, place)
    kept = list(chosen.values())
    placed = _placed(bars, slots, kept, interval, now)
    taken = {place for _, place in kept}
    missing = [index for index, slot in enumerate(slots) if index not in taken and slot.end <= now]
    gaps = _gaps(slots, missing)
    return Assembled(bars=_filled(placed, slots, missing) if fill is Fill.PREVIOUS_CLOSE else placed, gaps=gaps)


def _places(bars: Bars, slots: Sequence[Slot], zone: str) -> list[int | None]:
    if slots[0].day is None:
        starts = [slot.start for slot in slots]
        return [slot_of(slots, moment, starts) for moment in bars.open_time]
    local = ZoneInfo(zone)
    days = bars.session_date or tuple(moment.astimezone(local).date() for moment in bars.open_time)
    firsts = [cast(date, slot.day) for slot in slots]
    lasts = [_last_day(slot, local) for slot in slots]
    return [_place(day, firsts, lasts) for day in days]


def _place(day: date, firsts: Sequence[date], lasts: Sequence[date]) -> int | None:
    """The day's own slot, or the week or month that it is in."""
    index = bisect_right(firsts, day) - 1
    return index if index >= 0 and day <= lasts[index] else None


def _last_day(slot: Slot, zone: ZoneInfo) -> date:
    """Weeks and months end at midnight; a day is its session's date alone, whenever that ends."""
    day = cast(date, slot.day)
    longer = slot.end - slot.start > LONGEST_DAY
    return max(day, slot.end.astimezone(zone).date() - timedelta(days=1)) if longer else day


def _placed(
    bars: Bars, slots: Sequence[Slot], kept: Sequence[tuple[int, int]], interval: Interval, now: datetime
) -> Bars:
    """The kept rows, each knowing whether it is closed; daily and longer ones take their slot's start and date."""
    rows = [row for row, _ in kept]
    # The stored columns themselves, where all of them are wanted: what is kept with them need not be made again.
    whole = rows == list(range(len(bars)))
    columns: dict[str, Any] = {
        name: column if whole else tuple(column[row] for row in rows)
        for name in COLUMNS
        if (column := getattr(bars, name)) is not None
    }
    if slots[0].day is not None:
        columns["open_time"] = tuple(slots[place].start for _, place in kept)
        columns["session_date"] = tuple(slots[place].day for _, place in kept)
    given = columns.get("closed")
    ends = [slots[place].end for _, place in kept]
    columns["closed"] = tuple(given[i] if given and given[i] is not None else end <= now for i, end in enumerate(ends))
    return replace(bars, **columns)


def _gaps(slots: Sequence[Slot], missing: Sequence[int]) -> list[Gap]:
    """Runs of missing slots."""
    found: list[Gap] = []
    run: list[int] = []
    for index in [*missing, -2]:
        if run and index != run[-1] + 1:
            after = slots[run[-1] + 1].start if run[-1] + 1 < len(slots) else slots[run[-1]].end
            found.append(Gap(start=slots[run[0]].start, end=after, missing=len(run)))
            run = []
        run.append(index)
    return found


def _filled(bars: Bars, slots: Sequence[Slot], missing: Sequence[int]) -> Bars:
    """Rows for missing slots at the close before; nothing stands before the first real row."""
    if not missing or not len(bars):
        return bars
    names = _present(bars)
    real = zip(*(getattr(bars, name) for name in names), strict=True)
    rows: list[dict[str, Any]] = [{**dict(zip(names, values, strict=True)), "filled": False} for values in real]
    begun = bars.open_time[0]
    empty = [slots[index] for index in missing if slots[index].start > begun]
    rows += [{"open_time": slot.start, "session_date": slot.day, "filled": True, "closed": True} for slot in empty]
    rows.sort(key=lambda row: row["open_time"])
    close = Decimal(0)
    for row in rows:
        if row["filled"]:
            row.update(dict.fromkeys(("open", "high", "low", "close"), close), volume=Decimal(0))
        close = row["close"]
    columns: dict[str, Any] = {name: tuple(row.get(name) for row in rows) for name in [*names, "filled"]}
    return replace(bars, **columns)


def _present(bars: Bars) -> list[str]:
    return [name for name in COLUMNS if name != "filled" and getattr(bars, name) is not None]
