"""Regular times."""

from __future__ import annotations

from datetime import UTC, datetime

from plugins.trading.schedules.times import OrderScheduleEvery, last_time, next_time


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_regular_times_are_counted_from_the_start() -> None:
    cases = [
        ("2026-01-31T10:00", "HOUR", "2026-01-31T09:00", "2026-01-31T10:00"),
        ("2026-01-31T10:00", "HOUR", "2026-01-31T10:00", "2026-01-31T11:00"),
        ("2026-01-31T10:30", "HOUR", "2026-02-03T17:31", "2026-02-03T18:30"),
        ("2026-01-31T10:00", "DAY", "2026-02-28T10:00", "2026-03-01T10:00"),
        ("2026-01-31T10:00", "WEEK", "2026-02-10T00:00", "2026-02-14T10:00"),
        ("2026-01-31T10:00", "MONTH", "2026-01-31T10:00", "2026-02-28T10:00"),
        ("2026-01-31T10:00", "MONTH", "2026-02-28T10:00", "2026-03-31T10:00"),
        ("2026-01-31T10:00", "MONTH", "2026-12-31T09:59", "2026-12-31T10:00"),
        ("2026-01-31T10:00", "MONTH", "2027-12-31T10:00", "2028-01-31T10:00"),
        ("2026-01-31T10:00", "MONTH", "2028-02-01T00:00", "2028-02-29T10:00"),
    ]

    for start, every, after, wanted in cases:
        assert next_time(_at(start), OrderScheduleEvery(every), _at(after)) == _at(wanted), (start, every, after)


def test_the_time_before_the_next_one_is_the_last() -> None:
    cases = [
        ("2026-01-31T10:00", "HOUR", "2026-01-31T10:00", "2026-01-31T10:00"),
        ("2026-01-31T10:30", "HOUR", "2026-02-03T17:31", "2026-02-03T17:30"),
        ("2026-01-31T10:00", "DAY", "2026-02-28T09:59", "2026-02-27T10:00"),
        ("2026-01-31T10:00", "WEEK", "2026-02-10T00:00", "2026-02-07T10:00"),
        ("2026-01-31T10:00", "MONTH", "2026-02-28T10:00", "2026-02-28T10:00"),
        ("2026-01-31T10:00", "MONTH", "2026-02-28T09:59", "2026-01-31T10:00"),
        ("2026-01-31T10:00", "MONTH", "2027-01-01T00:00", "2026-12-31T10:00"),
    ]

    for start, every, at, wanted in cases:
        assert last_time(_at(start), OrderScheduleEvery(every), _at(at)) == _at(wanted), (start, every, at)
