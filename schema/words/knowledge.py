"""Point in time: what was known at an instant, so that no backtest looks ahead."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

T = TypeVar("T")


def end_of(day: date) -> datetime:
    """When something published on a day, at an hour that nobody tells, was surely known: the end of the day (UTC)."""
    return datetime.combine(day, time(), UTC) + timedelta(days=1)


def known_at(
    rows: Iterable[T], moment: datetime, *, published: Callable[[T], datetime | None], of: Callable[[T], Hashable]
) -> tuple[T, ...]:
    """For each thing that the rows are *of* the newest one published by the *moment*, in the order of the rows.

    What has no time of publication was not surely known, and is left out.
    """
    newest: dict[Hashable, T] = {}
    for row in rows:
        told = published(row)
        if told is None or told > moment:
            continue
        held = newest.get(of(row))
        before = None if held is None else published(held)
        if before is None or before <= told:
            newest[of(row)] = row
    return tuple(newest.values())
