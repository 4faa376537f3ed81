"""Days on which a portfolio is valued, by hand and as properties."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.portfolio.prices.panels import Series
from plugins.portfolio.valuation.axis import Stretch, axis_of, idle_of, periods_of, stretches_of
from plugins.portfolio.valuation.daily import CASH
from tests.plugins.portfolio.test_ledger import BTC, FIRST, D, row, series

SHARE, GILT = "equity:AAPL", "equity:VOD@XLON"
DAY = timedelta(days=1)
CLOSE = Decimal(100)


def on(*numbers: int) -> list[date]:
    return [FIRST + n * DAY for n in numbers]


def traded(name: str, *numbers: int) -> Series:
    return series(name, dict.fromkeys(on(*numbers), CLOSE))


def test_stretches_include_the_days_on_which_something_comes_and_goes():
    rows = [
        row(0, "DEPOSIT", amount=D(10)), row(1, "BUY", instrument=BTC, quantity=D(1), price=D(10)),
        row(3, "SELL", instrument=BTC, quantity=D(1), price=D(12)), row(5, "WITHDRAWAL", amount=D(12)),
        row(7, "TRANSFER_IN", instrument=BTC, quantity=D(1), price=D(10)),
    ]  # fmt: skip
    last = FIRST + 9 * DAY

    found = stretches_of(rows, last, tracks_cash=True)

    assert found == {BTC: [tuple(on(1, 3)), tuple(on(7, 9))], CASH: [tuple(on(0, 1)), tuple(on(3, 5))]}
    assert idle_of(found, FIRST - DAY, last) == [tuple(on(-1, -1)), tuple(on(6, 6))]
    assert idle_of({}, FIRST, last) == [tuple(on(0, 9))]


def test_only_sessions_of_what_is_held_count():
    held = {SHARE: [(FIRST + 2 * DAY, FIRST + 5 * DAY)], BTC: [(FIRST, FIRST + 9 * DAY)]}
    known = [traded(SHARE, 0, 1, 3, 5, 6), traded(GILT, 2, 4, 6), traded(BTC, *range(-1, 10))]

    axis = axis_of(known, held, FIRST, FIRST + 10 * DAY)

    assert list(axis.days) == on(-1, 0, 1, 3, 5, 6, 7, 8, 9)
    assert sorted(axis.everyday) == on(-1, 0, 1, 6, 7, 8, 9)


def test_a_fortnight_without_closes_ends_a_run():
    held = {SHARE: [(FIRST, FIRST + 60 * DAY)], BTC: [(FIRST, FIRST + 60 * DAY)]}
    known = [traded(SHARE, 0, 14, 29), traded(BTC, *range(-1, 44))]

    axis = axis_of(known, held, FIRST, FIRST + 44 * DAY)

    assert list(axis.days) == on(-1, 0, 14, *range(15, 29), 29, *range(30, 44))


def test_cash_alone_counts_every_day_that_is_over():
    axis = axis_of([traded(SHARE, 0, 1)], {CASH: [(FIRST, FIRST + 40 * DAY)]}, FIRST, FIRST + 21 * DAY)

    assert list(axis.days) == on(-1, 0, 1, *range(2, 20))
    assert sorted(axis.everyday) == on(*range(2, 20))


@pytest.mark.parametrize(
    ("sessions", "others", "periods"), [(0, 0, 365), (5, 0, 252), (0, 5, 365), (252, 365, 308), (252, 1, 252)]
)
def test_periods_of_both_kinds_make_each_day_as_long_as_its_kind(sessions: int, others: int, periods: int):
    assert periods_of(sessions, others) == periods


numbers = st.sets(st.integers(0, 59))


@given(numbers, numbers, st.lists(st.tuples(st.integers(0, 59), st.integers(0, 59)).map(sorted), max_size=4))
def test_no_day_with_a_close_is_left_out_unless_a_session_rules_it(
    shares: set[int], coins: set[int], told: list[list[int]]
):
    held: dict[str, list[Stretch]] = {SHARE: [(FIRST + a * DAY, FIRST + b * DAY) for a, b in told]}
    known = [traded(SHARE, *shares), traded(BTC, *coins)]

    axis = axis_of(known, held, FIRST, FIRST + 60 * DAY)

    days = set(axis.days[1:])
    assert list(axis.days) == sorted(set(axis.days))
    assert set(on(*shares)) <= days
    assert axis.everyday <= set(on(*coins))
    for day in set(on(*coins)) - days:
        assert any(first <= day <= last for first, last in held[SHARE])
