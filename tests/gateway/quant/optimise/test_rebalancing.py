"""Trades to target weights: exact, in lots, paid for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.quant.optimise.rebalancing import Book, Costs, trades_to
from gateway.core.quant.tasks_optimise import rebalance
from schema.errors import BadInput


def asked(**more: Any) -> dict[str, Any]:
    """A thousand dollars, half in A, of which one costs 10 dollars; B costs 30."""
    return {
        "currency": "USD", "weights": {"A": 0.2, "B": "0.6"}, "positions": {"A": "50"}, "cash": "500.00",
        "prices": {"A": "10", "B": "30"}, **more,
    }  # fmt: skip


def test_what_is_too_much_is_sold_and_what_lacks_is_bought_in_whole_lots():
    assert rebalance(asked()) == {
        "currency": "USD",
        "trades": [
            {"asset": "A", "side": "SELL", "quantity": "30", "price": "10", "notional": "300.00", "cost": "0.00"},
            {"asset": "B", "side": "BUY", "quantity": "20", "price": "30", "notional": "600.00", "cost": "0.00"},
        ],
        "conversions": [],
        "value": "1000.00",
        "costs": "0.00",
        "cash": "200.00",
        "turnover": "0.90000000",
        "weights": {"A": "0.20000000", "B": "0.60000000"},
        "warnings": [],
    }


def test_costs_are_paid_before_weights_are_met():
    costs = {"basis_points": "10", "fixed": "0.5", "minimum": "1"}

    told = rebalance(asked(weights={"B": 1}, costs=costs))

    # 1.00 for the sale and 1.49 for the purchase leave 997.51, which buys 33 of B.
    assert [(trade["asset"], trade["quantity"], trade["cost"]) for trade in told["trades"]] == [
        ("A", "50", "1.00"),
        ("B", "33", "1.49"),
    ]
    assert (told["costs"], told["cash"]) == ("2.49", "7.51")


def test_a_purchase_is_cut_where_costs_exceed_the_cash():
    told = rebalance(asked(positions={}, cash="60", weights={"B": 1}, costs={"minimum": "1"}))

    assert told["trades"] == [
        {"asset": "B", "side": "BUY", "quantity": "1", "price": "30", "notional": "30.00", "cost": "1.00"}
    ]
    assert told["cash"] == "29.00"


def test_fractions_follow_the_lot():
    told = rebalance(asked(positions={}, weights={"B": 0.5}, lots={"B": "0.001"}))

    assert told["trades"][0]["quantity"] == "8.333"
    assert told["cash"] == "250.01"


def test_what_is_held_and_not_named_is_sold_with_its_odd_lot():
    told = rebalance(asked(positions={"A": "50.5", "B": "3.25"}, weights={"B": "0"}))

    assert [(trade["side"], trade["asset"], trade["quantity"]) for trade in told["trades"]] == [
        ("SELL", "A", "50.5"),
        ("SELL", "B", "3.25"),
    ]
    assert told["weights"] == {}


def test_rounding_sells_nothing_short():
    told = rebalance(asked(positions={"A": "10.6"}, cash="0", weights={"A": "0.002"}))

    assert told["trades"][0]["quantity"] == "10.6"


def test_short_positions_are_sold_and_bought_back():
    short = rebalance(asked(weights={"A": "-0.3", "B": "0.9"}))
    back = rebalance(asked(positions={"A": "-30.5"}, cash="1300", weights={}))

    assert [(trade["side"], trade["quantity"]) for trade in short["trades"]] == [("SELL", "80"), ("BUY", "30")]
    assert [(trade["side"], trade["quantity"]) for trade in back["trades"]] == [("BUY", "30.5")]


def test_weights_over_one_borrow_the_rest():
    told = rebalance(asked(weights={"A": "0.5", "B": "0.9"}))

    assert told["cash"] == "-400.00"
    assert told["warnings"] == []


def test_a_solver_s_dust_borrows_nothing():
    told = rebalance(asked(positions={}, cash="1000000", weights={"A": 0.6, "B": 0.4000000001}, lots={"A": "0.01"}))

    assert not told["cash"].startswith("-")


def test_small_trades_are_left_out():
    told = rebalance(asked(weights={"A": "0.48", "B": "0.3"}, smallest_trade="25"))

    assert [trade["asset"] for trade in told["trades"]] == ["B"]


def test_debts_that_no_sale_pays_are_told():
    told = rebalance(asked(positions={"A": "50"}, cash="-100", weights={"A": "1"}, smallest_trade="200"))

    assert told["trades"] == []
    assert told["warnings"] == ["Cash stays below 0 though nothing more is bought: pay some in, or sell by hand."]


def test_costs_that_eat_the_portfolio_are_refused():
    with pytest.raises(BadInput) as refused:
        rebalance(asked(costs={"fixed": "100000"}))

    assert (refused.value.field, refused.value.message) == (
        "costs",
        "costs: of these trades are 100000.00, and the portfolio is worth 1000.00: nothing would be left; give lower "
        "ones, or leave small trades out",
    )


def test_costs_above_what_a_sale_brings_are_told():
    told = rebalance(asked(positions={"A": "100"}, cash="0", weights={"A": "0.99"}, costs={"fixed": "994"}))

    assert told["warnings"] == [
        "The trades cost more than they bring: cash falls 4.00 below 0. Do not trade so, or give lower costs."
    ]


def test_a_currency_without_decimals_has_whole_costs():
    told = rebalance(asked(currency="JPY", decimals=0, costs={"basis_points": "3"}))

    assert [trade["cost"] for trade in told["trades"]] == ["0", "0"]
    assert told["cash"] == "200"


def test_the_largest_portfolio_has_a_plan_to_the_last_digit():
    many = str(10**18)
    told = rebalance(
        asked(positions={"A": many}, prices={"A": many, "B": "1e-18"}, cash="0.01", decimals=8, costs={"fixed": "1"})
    )

    assert told["value"] == f"{10**36}.01000000"


EUROS = {"positions": {}, "cash": {"USD": "400", "EUR": "600"}, "weights": {"A": "0.9"}}
CONVERTED: list[tuple[dict[str, Any], list[str], str, str]] = [
    # What is bought beyond the cash in the currency of the portfolio, and only that.
    (EUROS, ["EUR>USD 500 0.00"], "0.00", "100.00"),
    ({**EUROS, "weights": {"A": "0.4"}}, [], "0.00", "600.00"),
    ({**EUROS, "weights": {"A": "0.9"}, "currencies": {"A": "EUR"}}, ["USD>EUR 300 0.00"], "0.00", "100.00"),
    # The cost is paid in the currency of the portfolio: of the trade 1, of the conversion 1, both converted with it.
    ({**EUROS, "weights": {"A": "0.8"}, "costs": {"fixed": "1"}}, ["EUR>USD 392 1.00"], "2.00", "208.00"),
    # All of it bought: 98 of A for 980 and 9.80; the conversion brings its own cost in, 5.96 of 595.76.
    ({**EUROS, "weights": {"A": "1"}, "costs": {"basis_points": "100"}}, ["EUR>USD 595.76 5.96"], "15.76", "4.24"),
    # Sales pay first, in their own currency; a debt of before is nothing that trades need.
    ({"cash": {"USD": "-100", "EUR": "600"}, "weights": {"B": "0.6"}}, ["EUR>USD 100 0.00"], "0.00", "400.00"),
    ({"cash": {"USD": "700", "EUR": "-200"}, "weights": {"A": "0.5", "B": "0.3"}}, [], "0.00", "200.00"),
    # From two, the portfolio's own first.
    ({"positions": {}, "cash": {"USD": "100", "EUR": "200", "CHF": "300"}, "weights": {"B": "0.95"},
      "currencies": {"B": "GBP"}}, ["USD>GBP 100 0.00", "CHF>GBP 300 0.00", "EUR>GBP 170 0.00"], "0.00", "30.00"),
    # No cash at all: what is sold in one currency pays for what is bought in the other.
    ({"cash": "0", "weights": {"B": "0.6"}, "currencies": {"A": "EUR"}}, ["EUR>USD 300 0.00"], "0.00", "200.00"),
]  # fmt: skip


def test_trades_in_another_currency_than_the_cash_need_conversions_with_costs():
    answers = [rebalance(asked(**more)) for more, *_ in CONVERTED]

    told = [
        ([f"{one['from']}>{one['to']} {one['worth']} {one['cost']}" for one in each["conversions"]],
         each["costs"], each["cash"])
        for each in answers
    ]  # fmt: skip
    assert told == [(made, costs, cash) for _, made, costs, cash in CONVERTED]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"extra": 1}, "extra: is not known; there are currency, decimals,"),
        ({"currency": None}, "currency: is missing"),
        ({"decimals": -1}, "decimals: is not a whole number from 0 to 18 (got -1)"),
        ({"weights": None}, "weights: is not an object of numbers by asset"),
        ({"weights": {"A": float("nan")}}, "weights.A: is not a finite decimal (got nan)"),
        ({"weights": {"A": True}}, "weights.A: is not a finite decimal (got True)"),
        ({"positions": {"A": "ten"}}, "positions.A: is not a finite decimal (got 'ten')"),
        ({"weights": {"C": "0.1"}}, "prices.C: is missing: nothing can be traded without a price"),
        ({"prices": {"A": "0", "B": "30"}}, "prices.A: must be above 0 (got 0)"),
        ({"lots": {"A": "-1"}}, "lots.A: must be above 0 (got -1)"),
        ({"costs": {"fixed": "-1"}}, "costs.fixed: must be 0 at least (got -1)"),
        ({"costs": {"tax": "1"}}, "costs.tax: is not known; there are basis_points, fixed, minimum"),
        ({"costs": {"fixed": "9" * 40}}, "costs.fixed: must be 1000000000000000000 at most"),
        ({"costs": {"basis_points": "9" * 40}}, "costs.basis_points: must be 1000000000000000000 at most"),
        ({"smallest_trade": "9" * 40}, "smallest_trade: must be 1000000000000000000 at most"),
        ({"smallest_trade": "-1"}, "smallest_trade: must be 0 at least (got -1)"),
        ({"cash": {"EUR": "much"}}, "cash.EUR: is not a finite decimal (got 'much')"),
        ({"currencies": {"A": 1}}, "currencies: is not an object of currencies by asset"),
        ({"cash": "-600"}, "positions: are worth -100 with the cash: nothing can be divided"),
    ],
)
def test_bad_input_names_the_field(more: dict[str, Any], told: str):
    with pytest.raises(BadInput) as refused:
        rebalance(asked(**more))

    assert refused.value.message.startswith(told)


prices = st.decimals("0.01", "5000", places=2)
lots = st.sampled_from([Decimal(1), Decimal("0.1"), Decimal("0.001"), Decimal(100)])


@st.composite
def books(draw: st.DrawFn) -> tuple[dict[str, Decimal], Book]:
    """Long-only weights that sum to 1 at most, and a book with some cash."""
    names = "ABCDE"[: draw(st.integers(1, 5))]
    shares = draw(st.lists(st.integers(0, 100), min_size=len(names), max_size=len(names)))
    whole = max(sum(shares), 1)
    steps = {name: draw(lots) for name in names}
    book = Book(
        positions={name: draw(st.integers(0, 500)) * steps[name] for name in names},
        prices={name: draw(prices) for name in names}, lots=steps, cash=draw(st.decimals("1", "100000", places=2)),
        costs=Costs(basis_points=draw(st.decimals("0", "50", places=1)), fixed=draw(st.decimals("0", "2", places=2))),
    )  # fmt: skip
    return {name: Decimal(share) / whole for name, share in zip(names, shares, strict=True)}, book


@given(books())
def test_nothing_is_bought_that_cannot_be_paid(given_ones: tuple[dict[str, Decimal], Book]):
    weights, book = given_ones

    trades = trades_to(weights, book)

    cash = book.cash - sum(trade.outlay for trade in trades)
    bought = [trade for trade in trades if trade.quantity > 0]
    after = dict(book.positions)
    for trade in trades:
        after[trade.asset] += trade.quantity
        assert trade.quantity % book.lots[trade.asset] == 0
    assert cash >= 0 or not bought
    assert all(units >= 0 for units in after.values())
    value = cash + sum(units * book.prices[asset] for asset, units in after.items())
    assert value == book.value - sum(trade.cost for trade in trades)


@given(books())
def test_without_costs_every_weight_is_met_within_a_lot(given_ones: tuple[dict[str, Decimal], Book]):
    weights, book = given_ones
    free = Book(positions=book.positions, prices=book.prices, lots=book.lots, cash=book.cash)
    after = dict(free.positions)
    trades = trades_to(weights, free)
    for trade in trades:
        after[trade.asset] += trade.quantity

    for asset, weight in weights.items():
        missed = after[asset] - weight * free.value / free.prices[asset]
        # Purchases may have been cut by what sales were rounded by.
        assert missed <= free.lots[asset]
    cash = free.value - sum(units * free.prices[asset] for asset, units in after.items())
    again = trades_to(weights, Book(positions=after, prices=free.prices, lots=free.lots, cash=cash))
    assert not [trade for trade in again if trade.quantity < 0]
