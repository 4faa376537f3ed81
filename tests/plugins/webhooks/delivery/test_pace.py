"""How much a rate allows, whoever sends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from plugins.webhooks.delivery.pace import Pace

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def pace(rate: int, allowed_at: datetime | None) -> Pace:
    return Pace(id="hook_a", rate_per_second=rate, allowed_at=allowed_at)


def test_a_low_rate_allows_one_at_a_time():
    fresh = pace(4, None)
    then = fresh.after(NOW, 1)

    assert (fresh.free(NOW), then) == (1, NOW + timedelta(seconds=0.25))
    assert [pace(4, then).free(NOW + timedelta(seconds=each)) for each in (0.0, 0.24, 0.25, 60.0)] == [0, 0, 1, 1]


def test_a_high_rate_allows_a_few_at_once_and_no_more_in_a_second():
    now, kept, total = NOW, pace(200, None), 0
    while now < NOW + timedelta(seconds=1):
        begun = kept.free(now)
        total += begun
        kept = pace(200, kept.after(now, begun)) if begun else kept
        now += timedelta(milliseconds=3)

    assert 190 <= total <= 210


def test_time_in_which_nothing_was_sent_is_not_saved():
    assert pace(200, NOW - timedelta(days=1)).after(NOW, 10) == NOW + timedelta(seconds=1 / 200)
