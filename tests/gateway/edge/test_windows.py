"""Sliding windows: what fits into a minute, on this process's clock."""

from __future__ import annotations

from copy import deepcopy
from math import inf
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.windows import Left, MemoryWindows
from tests.gateway.doubles import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    made = ManualClock()
    made.turn(20)  # 1020 s: a span begins
    return made


async def test_a_window_gives_what_fits_and_nothing_of_what_does_not(clock):
    windows = MemoryWindows(clock)

    found = [await windows.take("k", 10, amount) for amount in (6, 5, 4, 1)]

    assert [(left.taken, left.remaining) for left in found] == [(True, 4), (False, 4), (True, 0), (False, 0)]


async def test_a_look_takes_nothing(clock):
    windows = MemoryWindows(clock)
    await windows.take("k", 10, 6)

    looks = [await windows.look("k", 10, amount) for amount in (4, 5, 0)]

    assert [(left.taken, left.remaining) for left in looks] == [(True, 4), (False, 4), (True, 4)]


async def test_keys_are_counted_apart(clock):
    windows = MemoryWindows(clock)
    await windows.take("a", 10, 10)

    assert (await windows.take("b", 10, 10)).taken


async def test_what_was_taken_in_the_span_before_counts_by_the_share_that_is_left_of_it(clock):
    windows = MemoryWindows(clock)
    await windows.take("k", 100, 60)

    clock.turn(60)
    begin = await windows.look("k", 100)
    clock.turn(30)
    middle = await windows.look("k", 100)
    clock.turn(30)
    end = await windows.look("k", 100)

    assert [left.remaining for left in (begin, middle, end)] == [40, 70, 100]


async def test_a_key_that_was_quiet_for_long_is_whole_again(clock):
    windows = MemoryWindows(clock)
    await windows.take("k", 10, 10)

    clock.turn(500)

    assert (await windows.look("k", 10)) == Left(taken=True, remaining=10, resets_in=0.0, retry_in=0.0)


async def test_what_is_more_than_the_window_never_fits(clock):
    left = await MemoryWindows(clock).take("k", 10, 11)

    assert (left.taken, left.retry_in) == (False, inf)


async def test_the_keys_used_longest_ago_are_forgotten_beyond_the_bound(clock):
    windows = MemoryWindows(clock, most_keys=3)

    for key in ("a", "b", "c", "a", "d"):
        await windows.take(key, 1, 1)

    assert len(windows) == 3
    assert [(await windows.look(key, 1, 1)).taken for key in ("a", "b")] == [False, True]


@given(
    most=st.integers(1, 50),
    steps=st.lists(st.tuples(st.floats(0, 90), st.integers(1, 60)), min_size=1, max_size=20),
)
async def test_never_more_than_the_limit_in_a_span_and_every_promise_is_kept(most, steps):
    clock = ManualClock()
    windows = MemoryWindows(clock)
    taken: list[tuple[float, int]] = []
    for wait, amount in steps:
        clock.turn(wait)
        left = await windows.take("k", most, amount)
        if left.taken:
            taken.append((clock.monotonic(), amount))
        assert 0 <= left.remaining <= most
        if not left.taken and left.retry_in != inf:
            later = deepcopy(windows)
            cast(ManualClock, later._clock).turn(left.retry_in)
            assert (await later.look("k", most, amount)).taken
    by_span: dict[int, int] = {}
    for at, amount in taken:
        by_span[int(at // 60)] = by_span.get(int(at // 60), 0) + amount
    assert all(total <= most for total in by_span.values())


@given(most=st.integers(1, 50), steps=st.lists(st.tuples(st.floats(0, 90), st.integers(1, 60)), max_size=20))
async def test_to_take_at_once_is_to_take(most, steps):
    clock = ManualClock()
    waiting, at_once = MemoryWindows(clock), MemoryWindows(clock)
    for wait, amount in steps:
        clock.turn(wait)
        left, taken = await waiting.take("k", most, amount), at_once.take_now("k", most, amount)

        assert left.taken is (taken is not None)
        if taken is not None:
            assert (taken.remaining, round(taken.resets_in, 6)) == (left.remaining, left.resets_in)
