"""Margin, reserves and the order of a liquidation, with exact figures."""

from dataclasses import replace
from decimal import Decimal as D

import pytest

from gateway.core.matching.margin import (
    Margin,
    Stake,
    buying_power,
    initial,
    liquidations,
    maintenance,
    margin,
    opening,
    reserve,
    worst_price,
)
from gateway.core.matching.model import ExecutionModel, Fees
from tests.gateway.matching.tapes import BUY, QUOTES, SELL, SPEC, order

PAYING = ExecutionModel(fees=Fees(maker=D("0.001"), taker=D("0.002")))


def test_initial_margin_is_the_notional_by_the_leverage_and_maintenance_half_of_it():
    assert (initial(D("-1000"), D(5)), maintenance(D("-1000"), D(5))) == (D(200), D(100))
    assert initial(D("1000"), D(1)) == 1000
    assert initial(D(1), D(3)) == D("0.333333333333333333333333")


def test_the_figures_of_a_margin_account():
    assert margin(D(1_000), [D(4_000), D(-1_000)], D(10), D(50)) == Margin(
        equity=D(1_000), used=D(550), available=D(450), buying_power=D(4_500), maintenance=D(250)
    )
    assert margin(D(100), [D(4_000)], D(10)).available == -300
    assert margin(D(100), [D(4_000)], D(10)).buying_power == 0


@pytest.mark.parametrize(
    ("equity", "call", "liquidation"),
    [("250", False, False), ("249.99", True, False), ("200", True, False), ("199.99", True, True), ("-1", True, True)],
)
def test_margin_is_called_below_five_quarters_of_maintenance_and_liquidated_below_it(equity, call, liquidation):
    found = margin(D(equity), [D(4_000)], D(10))

    assert (found.call, found.liquidation) == (call, liquidation)


def test_an_account_without_positions_is_neither_called_nor_liquidated():
    assert (margin(D(0), [], D(10)).call, margin(D(0), [], D(10)).liquidation) == (False, False)


def test_a_cash_account_buys_for_what_is_neither_held_nor_reserved():
    assert buying_power(D(100), D(30), D(25)) == 45
    assert buying_power(D(100), D(90), D(25)) == 0


@pytest.mark.parametrize(
    ("side", "quantity", "held", "ahead", "opens"),
    [
        (BUY, 3, 0, 0, 3),
        (BUY, 3, 5, 0, 3),
        (BUY, 3, -2, 0, 1),
        (BUY, 3, -2, 1, 2),
        (BUY, 3, -2, 9, 3),
        (SELL, 3, 5, 0, 0),
        (SELL, 3, -5, 0, 3),
        (SELL, 3, 5, 4, 2),
    ],
)
def test_the_part_of_an_order_that_opens(side, quantity, held, ahead, opens):
    assert opening(side, D(quantity), D(held), D(ahead)) == opens


@pytest.mark.parametrize(
    ("wanted", "worst"),
    [
        (order(BUY, "LIMIT", limit=90), 90),
        (order(SELL, "LIMIT", limit=90), 100),
        (order(SELL, "LIMIT", limit=120), 120),
        (order(BUY, "MARKET"), 105),
        (order(SELL, "MARKET"), 105),
        (order(BUY, "STOP_MARKET", stop=120), 126),
        (order(SELL, "STOP_MARKET", stop=80), 105),
        (order(BUY, "STOP_LIMIT", stop=120, limit=121), 121),
        (order(BUY, "MARKET_IF_TOUCHED", stop=80), 105),
        (order(BUY, "TRAILING_STOP", trail_amount=9), 105),
    ],
)
def test_an_order_is_reserved_for_at_the_worst_price_that_is_expected(wanted, worst):
    assert worst_price(wanted, D(100), 1_000) == worst


def test_half_the_collar_is_the_buffer_and_five_percent_where_there_is_none():
    assert worst_price(order(BUY, "MARKET"), D(100), 200) == 101
    assert worst_price(order(BUY, "MARKET"), D(100), None) == 105


def test_an_open_order_reserves_margin_and_the_dearer_fee():
    wanted = order(BUY, "LIMIT", "3", limit=90)

    assert reserve(wanted, D(100), SPEC, PAYING, D(1), D(3)) == D("270.54")
    assert reserve(wanted, D(100), SPEC, PAYING, D(10), D(3)) == D("27.54")
    assert reserve(wanted, D(100), SPEC, PAYING, D(7), D(1)) == D("13.04")  # 12.857…, up to the cent
    assert reserve(wanted, D(100), SPEC, QUOTES, D(1), D(0)) == 0
    assert reserve(replace(wanted, reduce_only=True), D(100), SPEC, PAYING, D(1), D(3)) == 0
    assert reserve(wanted, D(100), replace(SPEC, contract_size=D("0.1")), PAYING, D(1), D(3)) == D("27.05")


LOSERS = [
    Stake(name="b", unrealised=D(-50), maintenance=D(40)),
    Stake(name="a", unrealised=D(-50), maintenance=D(10)),
    Stake(name="c", unrealised=D(20), maintenance=D(50)),
]


@pytest.mark.parametrize(
    ("equity", "closed"), [("100", ""), ("99", "ab"), ("63", "ab"), ("62", "abc"), ("0", "abc"), ("-5", "abc")]
)
def test_a_liquidation_closes_the_largest_loss_first_until_there_is_room_again(equity, closed):
    assert "".join(stake.name for stake in liquidations(D(equity), LOSERS)) == closed
