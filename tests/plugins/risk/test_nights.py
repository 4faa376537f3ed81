"""The ends of the days on which nobody evaluated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from plugins.risk.evaluation.nights import MOST, nights

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = datetime(2026, 11, 20, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (NOON, []),
        (NOON + DAY, []),
        (TODAY, []),
        (TODAY - timedelta(seconds=3), [TODAY]),
        (TODAY - DAY, [TODAY]),
        (NOON - 3 * DAY, [TODAY - 2 * DAY, TODAY - DAY, TODAY]),
    ],
)
def test_every_midnight_behind_the_last_look_is_looked_at(since: datetime, expected: list[datetime]):
    assert nights(since, NOON) == expected


def test_a_long_absence_is_looked_at_in_even_steps_up_to_the_last_night():
    found = nights(NOON - 100 * DAY, NOON)

    assert len(found) == 25 <= MOST
    assert found[-1] == TODAY
    assert {later - earlier for earlier, later in pairwise(found)} == {4 * DAY}
