"""Cutting a range into pieces, and handing their answers on in order."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.outcome import Code, Stop
from gateway.cli.pages import Piece, cut, in_order
from schema.words.intervals import Interval

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@given(
    st.sampled_from([Interval.S1, Interval.M1, Interval.H4, Interval.D1, Interval.D3, Interval.W1]),
    st.integers(-500_000_000, 1_900_000_000),
    st.integers(1, 20_000),
    st.integers(1, 500),
)
def test_pieces_hold_the_range_without_gap_or_overlap_and_none_is_too_long(
    interval: Interval, start: int, count: int, rows: int
):
    begin = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=start)
    end = begin + interval.delta * count

    pieces = cut(interval, begin, end, rows)

    assert (pieces[0].start, pieces[-1].end) == (begin, end)
    assert all(a.end == b.start for a, b in pairwise(pieces))
    assert all(piece.start < piece.end <= piece.start + interval.delta * rows for piece in pieces)


def test_a_year_of_minutes_is_cut_where_every_other_range_is_cut():
    year = cut(Interval.M1, NOON - timedelta(days=365), NOON)
    month = cut(Interval.M1, NOON - timedelta(days=30, minutes=7), NOON)

    assert len(year) == 106
    assert set(month[1:]) <= set(year)


def test_weeks_are_cut_on_mondays():
    pieces = cut(Interval.W1, datetime(2020, 1, 1, tzinfo=UTC), NOON, rows=10)

    assert {piece.start.weekday() for piece in pieces[1:]} == {0}


def test_months_are_never_cut():
    start = datetime(1900, 1, 1, tzinfo=UTC)

    assert cut(Interval.MO1, start, NOON, rows=10) == [Piece(start, NOON)]


def test_a_hundred_years_of_minutes_are_refused_before_anything_is_asked():
    with pytest.raises(Stop) as stopped:
        cut(Interval.M1, datetime(1926, 11, 20, 12, tzinfo=UTC), NOON)

    assert stopped.value.code is Code.USAGE
    assert stopped.value.message == (
        "--start: the range holds about 52,596,001 M1 candles, at most 2,000,000 are fetched at once: choose a longer "
        "interval or a shorter range"
    )


async def test_answers_come_in_order_though_later_ones_are_ready_first():
    ready = [asyncio.Event() for _ in range(6)]

    async def fetch(number: int) -> int:
        # Each waits for its successor in its group of three.
        if number % 3 != 2:
            await ready[number + 1].wait()
        ready[number].set()
        return number

    assert [n async for n in in_order(range(6), fetch, together=3)] == [0, 1, 2, 3, 4, 5]


async def test_no_more_than_allowed_are_under_way():
    running, most = 0, 0

    async def fetch(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return number

    assert len([n async for n in in_order(range(50), fetch, together=4)]) == 50
    assert most == 4


async def test_a_failure_ends_what_is_under_way():
    ended: list[int] = []

    async def fetch(number: int) -> int:
        if number == 1:
            raise Stop("broken")
        if number < 1:
            return number
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)
        return number

    with pytest.raises(Stop, match="broken"):
        _ = [n async for n in in_order(range(50), fetch, together=4)]

    assert ended == [2, 3]
