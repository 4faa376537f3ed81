"""An upstream never counts more than its limit, wherever its windows begin and however late a call reaches it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.guards.quota import Ticket, Windows, usable
from providers.contract import Limit, per_minute, per_second
from providers.crypto.binance import Binance
from schema.symbols import parse_instrument
from schema.words.books import ORDER_BOOK, OrderBookAsk

CALLS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 4), st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=40
)
"""Tenths of a second since the call before, weight, time until the upstream is reached, time from there to the end."""


@given(calls=CALLS, most=st.integers(4, 9))
def test_no_window_of_the_upstream_holds_more_than_its_limit(calls: list[tuple[int, int, int, int]], most: int) -> None:
    windows = Windows([Limit(count=most, per=timedelta(seconds=50), unit="weight")], margin=0)
    arrived: list[tuple[int, int]] = []
    open_calls: list[tuple[int, Ticket]] = []
    now = 0

    for since, weight, outward, homeward in calls:
        now += since
        for end, ticket in sorted(open_calls, key=lambda each: each[0]):
            if end <= now:
                windows.ended(ticket, end)
        open_calls = [each for each in open_calls if each[0] > now]
        found = windows.reserve(weight, now)
        if isinstance(found, Ticket):
            arrived.append((now + outward, weight))
            open_calls.append((now + outward + homeward, found))

    # Any window, sliding or fixed, holds no more than the one that begins with its first call.
    for start, _ in arrived:
        assert sum(weight for at, weight in arrived if start <= at < start + 50) <= most


def test_a_refused_call_is_reserved_in_no_window() -> None:
    windows = Windows([per_second(1), per_minute(10, "weight")], margin=0)
    first = windows.reserve(4, 0.0)
    assert isinstance(first, Ticket)
    windows.ended(first, 0.25)

    assert windows.reserve(6, 0.5) == 0.75
    assert isinstance(windows.reserve(6, 1.25), Ticket)


def test_room_that_only_calls_under_way_can_make_comes_a_window_after_their_end_at_the_soonest() -> None:
    windows = Windows([per_second(1)])

    assert isinstance(windows.reserve(1, 0.0), Ticket)
    assert windows.reserve(1, 100.0) == 1.0


@pytest.mark.parametrize(("count", "left"), [(1, 1), (2, 1), (20, 19), (6000, 5700)])
def test_a_margin_leaves_a_limit_of_one_as_it_is(count: int, left: int) -> None:
    assert usable(count, 0.05) == left


@pytest.mark.parametrize(
    ("depth", "weight"), [(1, 5), (100, 5), (101, 25), (500, 25), (501, 50), (1000, 50), (1001, 250)]
)
def test_a_deep_book_of_binance_costs_more_of_its_weight(depth: int, weight: int) -> None:
    ask = OrderBookAsk(instrument=parse_instrument("crypto:BTC/USDT"), depth=depth)

    assert Binance.offers[ORDER_BOOK.name].units(ask) == weight
