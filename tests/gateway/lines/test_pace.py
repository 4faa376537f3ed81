"""Silence that is allowed: by a channel's own pace, never more than its venue declares."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.lines.pace import ENOUGH, SHORTEST_S, Pace, allowed


@pytest.mark.parametrize(
    ("count", "span", "longest", "seconds"),
    [
        (600, 60.0, 0.5, 10.0),
        (100, 60.0, 1.0, 12.0),
        (600, 60.0, 8.0, 40.0),
        (600, 60.0, 30.0, 120.0),
        (99, 60.0, 0.7, 120.0),
        (0, 0.0, 0.0, 120.0),
    ],
)
def test_it_is_twenty_means_or_five_longest_distances_of_many_messages(
    count: int, span: float, longest: float, seconds: float
):
    assert allowed(120.0, count, span, longest) == seconds


@given(st.floats(1, 600), st.integers(0, 10_000), st.floats(0, 600), st.floats(0, 600))
def test_it_is_never_more_than_the_flat_number_nor_less_than_ten_seconds(
    flat: float, count: int, span: float, longest: float
):
    assert min(flat, SHORTEST_S) <= allowed(flat, count, span, longest) <= flat


def test_a_channel_has_a_pace_after_a_whole_window():
    pace = Pace()
    for tenth in range(600):
        pace.beat(tenth / 10)

    assert pace.allowed(120.0) == 120.0
    pace.beat(60.0)
    assert pace.allowed(120.0) == 10.0


def test_a_burst_and_a_pause_is_a_slow_pace_and_is_remembered_for_a_window():
    pace = Pace()
    for beat in [*range(50), *range(3_000, 3_050), *range(6_000, 6_050)]:
        pace.beat(beat / 50)

    assert pace.allowed(120.0) == 120.0


def test_a_pause_in_the_window_that_runs_counts_at_once():
    pace = Pace()
    for tenth in range(601):
        pace.beat(tenth / 10)

    pace.beat(68.0)

    assert pace.allowed(120.0) == 40.0


def test_a_window_of_few_messages_leaves_the_flat_number():
    pace = Pace()
    for beat in range(ENOUGH):
        pace.beat(float(beat))

    assert pace.allowed(120.0) == 120.0
