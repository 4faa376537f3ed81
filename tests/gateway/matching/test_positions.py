"""Positions fill by fill, against `gateway.core.quant.lots` where no money is rounded."""

from decimal import Decimal as D
from decimal import localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.matching.positions import (
    Trip,
    apply,
    average_price,
    funded,
    market_value,
    unrealised,
    unrealised_percent,
)
from gateway.core.matching.rounding import EXACT, total_of
from gateway.core.quant.lots import LotMethod, Trade, book
from tests.gateway.matching.tapes import BUY, SELL, at

FIFO, AVERAGE = LotMethod.FIFO, LotMethod.AVERAGE_COST
CENT = D("0.01")


def fill(position, side, quantity, price, seconds=0, method=FIFO, size=1, **more):
    return apply(position, side, D(quantity), D(price), at(seconds), method, D(size), **more)


def test_a_purchase_opens_and_a_sale_realises_against_the_oldest_lot():
    held = fill(None, BUY, "2", "100").position
    held = fill(held, BUY, "1", "130", 1).position

    sold = fill(held, SELL, "2.5", "120", 2)

    assert (sold.proceeds, sold.cost_out, sold.realised, sold.cash) == (300, 265, 35, 300)
    assert [(each.quantity, each.cost, each.opened) for each in sold.closed] == [(2, 200, at(0)), (D("0.5"), 65, at(1))]
    assert (sold.position.quantity, sold.position.cost, sold.position.realised) == (D("0.5"), 65, 35)
    assert sold.trip is None


def test_average_cost_realises_against_the_average():
    held = fill(None, BUY, "2", "100", method=AVERAGE).position
    held = fill(held, BUY, "2", "130", 1, AVERAGE).position

    sold = fill(held, SELL, "1", "120", 2, AVERAGE)

    assert (sold.cost_out, sold.realised, sold.position.cost) == (115, 5, 345)
    assert average_price(sold.position) == 115


def test_a_short_position_earns_when_the_price_falls():
    short = fill(None, SELL, "3", "50")

    assert (short.cash, short.cost_in, short.position.quantity) == (150, -150, -3)
    assert unrealised(short.position, D(40)) == 30
    assert unrealised_percent(short.position, D(40)) == 20
    assert market_value(short.position.quantity, D(40)) == -120
    covered = fill(short.position, BUY, "3", "40", 1)
    assert (covered.cash, covered.realised, covered.position) == (-120, 30, None)


def test_one_fill_goes_from_long_to_short():
    held = fill(None, BUY, "2", "100", fee=D("0.2")).position

    over = fill(held, SELL, "5", "110", 9, fee=D("0.50"), quantum=CENT)

    assert (over.realised, over.closed_quantity, over.opened_quantity, over.cash) == (20, 2, -3, 550)
    assert over.trip == Trip(
        side=BUY, quantity=D(2), entry_price=D(100), exit_price=D(110), realised=D(20), fees=D("0.4"), funding=D(0),
        opened_at=at(0), closed_at=at(9),
    )  # fmt: skip
    assert (over.position.quantity, over.position.cost, over.position.opened_at) == (-3, -330, at(9))
    assert (over.position.fees, over.position.realised) == (D("0.3"), 0)


def test_a_trip_has_the_average_prices_of_all_that_opened_and_closed_it():
    held = fill(None, SELL, "1", "10", fee=D(1)).position
    held = fill(held, SELL, "3", "14", 1, fee=D(1)).position
    held = funded(fill(held, BUY, "2", "9", 2, fee=D(1)).position, D("-0.5"))

    ended = fill(held, BUY, "2", "12", 3, fee=D(1))

    assert ended.position is None
    assert ended.trip == Trip(
        side=SELL, quantity=D(4), entry_price=D(13), exit_price=D("10.5"), realised=D(10), fees=D(4),
        funding=D("-0.5"), opened_at=at(0), closed_at=at(3),
    )  # fmt: skip


def test_contracts_count_with_their_size():
    held = fill(None, BUY, "3", "100", size="0.1").position

    assert [held.cost, unrealised(held, D(110), D("0.1")), average_price(held, D("0.1"))] == [30, 3, 100]
    ended = fill(held, SELL, "3", "90", 1, size="0.1")
    assert (ended.realised, ended.trip.entry_price, ended.trip.exit_price) == (-3, 100, 90)


def test_what_rounding_leaves_stays_in_the_cost():
    held = fill(None, BUY, "3", "0.335", quantum=CENT)
    assert (held.cash, held.position.cost) == (-1, 1)

    third = fill(held.position, SELL, "1", "0.335", 1, quantum=CENT)
    assert (third.proceeds, third.cost_out, third.realised, third.position.cost) == (
        D("0.34"), D("0.33"), D("0.01"), D("0.67"),
    )  # fmt: skip
    rest = fill(third.position, SELL, "2", "0.335", 2, quantum=CENT)
    assert (rest.cost_out, rest.position) == (D("0.67"), None)


def test_parts_of_a_fill_are_rounded_to_its_rounded_value():
    held = None
    for second in range(3):
        held = fill(held, BUY, "1", "1", second, quantum=CENT).position

    ended = fill(held, SELL, "3", "0.335", 9, quantum=CENT)

    assert [each.proceeds for each in ended.closed] == [D("0.34"), D("0.33"), D("0.33")]
    assert ended.proceeds == 1


def test_a_fill_of_nothing_is_none():
    with pytest.raises(ValueError, match="a fill of 0: it must be above 0"):
        fill(None, BUY, "0", "1")


FILLS = st.lists(
    st.tuples(
        st.sampled_from([BUY, SELL]),
        st.decimals("0.001", "50", places=3),
        st.decimals("0.01", "9999", places=2),
        st.decimals("0", "5", places=2),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(FILLS, st.sampled_from(list(LotMethod)))
def test_positions_are_what_lots_make_of_the_same_trades(fills, method):
    position, realised, trades = None, list[D](), list[Trade]()
    for second, (side, quantity, price, fee) in enumerate(fills):
        made = apply(position, side, quantity, price, at(second), method, fee=fee)
        position, realised = made.position, [*realised, made.realised]
        signed = quantity if side is BUY else -quantity
        trades.append(Trade(at=at(second), quantity=signed, price=price))

    whole = book(trades, method)

    assert (position.lots if position else ()) == whole.lots
    assert total_of(realised) == whole.realised


@settings(max_examples=80, deadline=None, derandomize=True)
@given(FILLS, st.sampled_from(list(LotMethod)), st.sampled_from([None, CENT, D(1)]), st.sampled_from(["1", "0.01"]))
def test_cash_cost_and_profit_are_conserved_by_every_fill(fills, method, quantum, size):
    with localcontext(EXACT):
        position, cash, realised, fees, trips = None, D(0), D(0), D(0), []
        for second, (side, quantity, price, fee) in enumerate(fills):
            before = position.cost if position else D(0)
            made = apply(position, side, quantity, price, at(second), method, D(size), quantum=quantum, fee=fee)
            after = made.position.cost if made.position else D(0)
            value = quantity * price * D(size)
            assert abs(made.cash) == (value if quantum is None else value.quantize(quantum))
            assert after - before == made.cost_in - made.cost_out
            position, cash, realised, fees = made.position, cash + made.cash, realised + made.realised, fees + fee
            trips += [made.trip] if made.trip else []

        cost = position.cost if position else D(0)
        assert cash + cost == realised
        assert realised == sum((each.realised for each in trips), position.realised if position else D(0))
        assert fees == sum((each.fees for each in trips), position.fees if position else D(0))
        assert quantum is None or not cost % quantum
