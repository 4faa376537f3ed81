"""Which values of a number count."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from plugins.alerts.evaluation.course import Sieve, Window
from tests.gateway.doubles import NOON


def test_a_window_is_silent_until_it_is_full_and_holds_few_points():
    window = Window(timedelta(hours=1))

    values = [window.take(Decimal(100 + n % 7), NOON + timedelta(seconds=n)) for n in range(7_200)]

    assert values[:3_600] == [None] * 3_600
    assert None not in values[3_700:]
    assert len(window._points) < 520


def test_a_window_is_filled_from_the_first_price_on():
    window = Window(timedelta(seconds=60))

    changes = [window.take(Decimal(price), NOON + timedelta(seconds=at)) for price, at in ((100, 0), (110, 60))]

    assert changes == [None, Decimal(10)]


def test_a_first_price_counts_if_none_speaks_against_it_while_the_window_fills():
    window = Window(timedelta(seconds=60))

    changes = [
        window.take(Decimal(price), NOON + timedelta(seconds=at)) for price, at in ((100, 0), (200, 61), (202, 62))
    ]

    assert changes == [None, None, Decimal(102)]


@given(
    prices=st.lists(st.decimals(90, 110, places=2), min_size=3, max_size=30),
    lone=st.one_of(st.decimals(1000, 10**9, places=2), st.decimals("0.01", 1, places=2)),
    data=st.data(),
    grows=st.booleans(),
)
def test_one_far_value_anywhere_behind_the_first_changes_nothing_of_what_counts(
    prices: list[Decimal], lone: Decimal, data: st.DataObject, grows: bool
):
    at = data.draw(st.integers(1, len(prices) - 1))
    sieve = Sieve(grows=grows, last=prices[0])

    counted = [each for price in (*prices[:at], lone, *prices[at:]) for _, each in sieve.take(price, NOON)]

    assert counted == prices
