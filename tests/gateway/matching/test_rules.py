"""Refusals name the field and the nearest values that would pass; lifecycle, session and rounding beside them."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from gateway.core.matching import conditions
from gateway.core.matching.lifecycle import TERMINAL, TRANSITIONS, IllegalTransition, advance, is_terminal, may
from gateway.core.matching.model import ExecutionModel, Fees, Slippage
from gateway.core.matching.rounding import ceil_to, floor_to, plain, quotient
from gateway.core.matching.rules import (
    Rule,
    check,
    check_notional,
    check_quantity,
    check_sum,
    notional_for,
    quantity_for,
)
from gateway.core.matching.session import day_end, expiry
from gateway.core.matching.trailing import follow, level
from schema.errors import BadInput
from schema.words.orders import FillSource, OrderStatus, SlippageKind, TimeInForce
from tests.gateway.matching.tapes import BUY, SELL, SPEC, at, order

FULL = replace(SPEC, min_size=D("0.01"), max_size=D("100"), min_notional=D("10"))


def broken(wanted, spec=FULL, *, price="100", collar=1_000):
    price = None if price is None else D(price)
    return [
        f"{each.rule} {each.field} {each.message}"
        for each in check(wanted, spec, now=at(0), price=price, collar_bps=collar)
    ]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (order(BUY, "LIMIT", limit="100"), []),
        (
            order(BUY, "LIMIT", limit="100.015"),
            ["PRICE_OFF_TICK limit_price must be a multiple of 0.01: 100.01 or 100.02"],
        ),
        (order(BUY, "STOP_MARKET", stop="0.004"), [
            "PRICE_OFF_TICK stop_price must be a multiple of 0.01: 0.01",
            "NOTIONAL_BELOW_MINIMUM quantity cannot be worth 10 USD at 0.004: the greatest size, 100, is worth 0.4; "
            "from a price of 0.1 on it can",
        ]),
        (order(BUY, "MARKET", "1.0005"), ["SIZE_OFF_STEP quantity must be a multiple of 0.001: 1 or 1.001"]),
        (order(BUY, "MARKET", "0.0095"), [
            "SIZE_BELOW_MINIMUM quantity must be at least 0.01",
            "NOTIONAL_BELOW_MINIMUM quantity is worth 0.95 USD, and must be worth 10: 0.1 is",
        ]),
        (order(BUY, "MARKET", "100.001"), ["SIZE_ABOVE_MAXIMUM quantity must be at most 100"]),
        (
            order(BUY, "LIMIT", "0.09", limit="100"),
            ["NOTIONAL_BELOW_MINIMUM quantity is worth 9 USD, and must be worth 10: 0.1 is"],
        ),
        (
            order(BUY, "LIMIT", limit="110.01"),
            ["PRICE_COLLAR limit_price must be at most 110: within 1000 basis points of 100"],
        ),
        (
            order(SELL, "LIMIT", limit="89.99"),
            ["PRICE_COLLAR limit_price must be at least 90: within 1000 basis points of 100"],
        ),
        (order(BUY, "LIMIT", limit="10"), []),
        (order(BUY, "STOP_LIMIT", stop="150", limit="160"), []),
        (
            order(BUY, "STOP_LIMIT", stop="150", limit="170"),
            ["PRICE_COLLAR limit_price must be at most 165: within 1000 basis points of 150"],
        ),
    ],
)  # fmt: skip
def test_a_rule_that_is_broken_is_told_with_what_would_pass(wanted, told):
    assert broken(wanted) == told


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (order(BUY, "LIMIT"), "limit_price is needed with LIMIT"),
        (order(BUY, "MARKET", limit="9"), "limit_price does not go with MARKET"),
        (order(BUY, "STOP_LIMIT", limit="9"), "stop_price is needed with STOP_LIMIT"),
        (order(BUY, "LIMIT", limit="9", stop="9"), "stop_price does not go with LIMIT"),
        (
            order(BUY, "TRAILING_STOP"),
            "trail_amount is needed with TRAILING_STOP, or trail_percent: one of them",
        ),
        (
            order(BUY, "TRAILING_STOP", trail_amount=1, trail_percent=1),
            "trail_amount is needed with TRAILING_STOP, or trail_percent: one of them",
        ),
        (order(BUY, "MARKET", trail_percent=1), "trail_percent does not go with MARKET: only with TRAILING_STOP"),
        (order(BUY, "TRAILING_STOP", trail_percent=100), "trail_percent must be above 0 and below 100"),
        (order(BUY, "MARKET", "0"), "quantity must be above 0"),
        (order(BUY, "MARKET", "NaN"), "quantity must be above 0"),
        (order(BUY, "MARKET", "-1"), "quantity must be above 0"),
        (order(BUY, "MARKET", "1E-25"), "quantity has at most 24 digits behind the point"),
        (order(BUY, "LIMIT", limit="0"), "limit_price must be above 0"),
        (order(BUY, "MARKET", tif="GTD"), "expires_at is needed with GTD"),
        (order(BUY, "MARKET", tif="IOC", expires_at=at(9)), "expires_at does not go with IOC: only with GTD"),
        (order(BUY, "MARKET", post_only=True), "post_only does not go with MARKET: only with LIMIT"),
        (
            order(BUY, "LIMIT", limit="9", post_only=True, tif="FOK"),
            "post_only does not go with FOK: the order has to rest",
        ),
    ],
)
def test_a_form_that_does_not_hold_together_is_invalid(wanted, told):
    assert broken(wanted) == [f"ORDER_INVALID {told}"]


def test_a_size_greater_than_all_is_told_the_greatest_that_passes():
    loose = replace(SPEC, step=None)

    assert broken(order(BUY, "MARKET", "1E+30")) == ["SIZE_ABOVE_MAXIMUM quantity must be at most 100"]
    assert broken(order(BUY, "MARKET", "1E+30"), loose) == [
        "ORDER_INVALID quantity must be at most 1000000000000000000"
    ]
    assert broken(order(BUY, "MARKET", "1E+18"), loose) == []


def test_the_bound_of_a_collar_lies_on_the_tick_and_inside_it():
    assert broken(order(BUY, "LIMIT", limit="101"), price="100.037", collar=50) == [
        "PRICE_COLLAR limit_price must be at most 100.53: within 50 basis points of 100.037"
    ]
    assert broken(order(SELL, "LIMIT", limit="99"), price="100.037", collar=50) == [
        "PRICE_COLLAR limit_price must be at least 99.54: within 50 basis points of 100.037"
    ]


def test_a_time_in_the_past_is_refused():
    assert broken(order(BUY, "MARKET", tif="GTD", expires_at=at(0))) == [
        "EXPIRES_IN_PAST expires_at must be after 2026-11-02T12:00:00Z, not 2026-11-02T12:00:00Z"
    ]


def test_rules_that_nobody_tells_and_prices_that_nobody_knows_refuse_nothing():
    loose = replace(SPEC, tick=None, step=None)

    assert broken(order(BUY, "LIMIT", "0.000100001", limit="100.000001"), loose) == []
    assert broken(order(BUY, "MARKET", "0.01"), price=None) == []
    assert broken(order(BUY, "LIMIT", limit="900"), collar=None) == []


@pytest.mark.parametrize(
    ("notional", "price", "spec", "told"),
    [
        ("9", "51", FULL, ("NOTIONAL_BELOW_MINIMUM", "must be at least 10.047 USD: 0.197 at 51", "10.047")),
        ("10", "51", FULL, ("NOTIONAL_BELOW_MINIMUM", "must be at least 10.047 USD: 0.197 at 51", "10.047")),
        ("10", "51", replace(FULL, step=None),
         ("NOTIONAL_BELOW_MINIMUM", "must be at least 10.01 USD: 0.19607844 at 51", "10.01")),
        ("10.001", "51", replace(FULL, step=None), None),
        ("10", "51", replace(FULL, min_size=D(1)),
         ("NOTIONAL_BELOW_MINIMUM", "must be at least 51 USD: 1 at 51", "51")),
        ("50", "51", replace(FULL, min_size=D(1)), ("SIZE_BELOW_MINIMUM", "must be at least 51 USD: 1 at 51", "51")),
        ("0.05", "51", replace(FULL, min_notional=None, min_size=None),
         ("SIZE_BELOW_MINIMUM", "must be at least 0.051 USD: 0.001 at 51", "0.051")),
        ("5100.051", "51", FULL, ("SIZE_ABOVE_MAXIMUM", "must be at most 5100 USD: 100 at 51", "5100")),
        ("5100.05", "51", FULL, None),
        ("9", None, FULL, ("NOTIONAL_BELOW_MINIMUM", "must be at least 10 USD", "10")),
        ("10", None, FULL, None),
        ("9", "51", replace(FULL, contract_size=D("0.01"), step=D("0.01"), min_size=None, max_size=None),
         ("NOTIONAL_BELOW_MINIMUM", "must be at least 10.2 USD: 20 at 51", "10.2")),
    ],
)  # fmt: skip
def test_a_sum_is_judged_by_what_it_comes_to_and_the_one_that_is_told_passes(notional, price, spec, told):
    price = None if price is None else D(price)

    found = check_sum(D(notional), price, spec)

    if found is None or told is None:
        assert found is told
        return
    assert (found.rule, found.message, *found.nearest) == (told[0], told[1], D(told[2]))
    assert check_sum(found.nearest[0], price, spec) is None
    if price is not None:
        size = quantity_for(found.nearest[0], price, spec)
        assert check_quantity(size, spec) is check_notional(size, price, spec) is None


def test_where_no_size_is_worth_enough_the_price_at_which_one_is_is_told():
    told = "cannot be worth 10 USD at 0.05: the greatest size, 100, is worth 5; from a price of 0.1 on it can"
    low, tiny = D("0.05"), replace(FULL, max_size=D("0.0001"))
    found = [check_notional(D(50), low, FULL), check_notional(D(200), low, FULL), check_sum(D(5), low, FULL)]

    assert [(each and each.message, each and each.nearest) for each in found] == [(told, ())] * 3
    assert check_notional(D(100), D("0.1"), FULL) is None
    # A greatest size below the step leaves none at all: no price is worked out for it.
    assert check_quantity(D(1), tiny) is not None
    assert check_notional(D(1), low, tiny) is not None


def test_sizes_of_contracts_are_counted_in_contracts():
    contracts = replace(FULL, contract_size=D("0.01"), step=D("0.01"), min_size=D("0.02"), max_size=D(1))

    assert check_quantity(D(2), contracts) is None
    assert [nearest_sizes(q, contracts) for q in ("1", "2.5", "101")] == [(2,), (2, 3), (100,)]


def nearest_sizes(quantity, spec):
    found = check_quantity(D(quantity), spec)
    return found and found.nearest


DUST = replace(SPEC, currency="JPY", step=D("0.00000001"), tick=D(1))


@pytest.mark.parametrize(
    ("wanted", "price", "told"),
    [
        (order(BUY, "MARKET", "0.00000003"), "16000000", "is worth 0.48 JPY, and must be worth 1: 0.00000007 is"),
        (order(SELL, "MARKET", "0.00000006"), "16000000", "is worth 0.96 JPY, and must be worth 1: 0.00000007 is"),
        # Far above the market it costs what the market asks.
        (order(BUY, "LIMIT", "0.00000006", limit=17000000), "16000000",
         "is worth 0.96 JPY, and must be worth 1: 0.00000007 is"),
        (order(SELL, "LIMIT", "0.00000006", limit=17000000), "16000000", None),
        (order(BUY, "STOP_MARKET", "0.00000006", stop=16500000), "16000000",
         "is worth 0.99 JPY, and must be worth 1: 0.00000007 is"),
        (order(BUY, "MARKET", "0.00000007"), "16000000", None),
        (order(BUY, "MARKET", "0.00000001"), None, None),
    ],
)  # fmt: skip
def test_no_order_is_worth_less_than_the_smallest_amount_of_its_currency(wanted, price, told):
    found = check(wanted, DUST, now=at(0), price=price and D(price), collar_bps=None)

    expected = [] if told is None else [("SIZE_BELOW_MINIMUM", "quantity", told, (D("0.00000007"),))]
    assert [(each.rule, each.field, each.message, each.nearest) for each in found] == expected


def test_a_sum_buys_no_size_that_costs_less_than_the_smallest_amount_where_the_market_is():
    """A notional of 1.2 is 0.00000003 at the limit, which is worth 1.2 there and 0.48 at the market."""
    limit, market = D(40000000), D(16000000)

    found = check_sum(D("1.2"), limit, DUST, market=market)

    assert found is not None
    assert (found.rule, found.message) == ("SIZE_BELOW_MINIMUM", "must be at least 2.8 JPY: 0.00000007 at 40000000")
    assert check_sum(found.nearest[0], limit, DUST, market=market) is None
    assert check_sum(D("1.2"), limit, DUST, market=D(50000000)) is None
    assert check_notional(quantity_for(found.nearest[0], limit, DUST), market, DUST) is None


def test_of_two_least_sizes_the_greater_is_told():
    low = order(BUY, "LIMIT", "0.00000001", limit=40000000)

    (found,) = check(low, DUST, now=at(0), price=D(16000000), collar_bps=None)

    assert (found.rule, found.nearest) == ("SIZE_BELOW_MINIMUM", (D("0.00000007"),))
    assert found.message == "is worth 0.16 JPY, and must be worth 1: 0.00000007 is"


def test_a_sum_below_the_smallest_amount_of_its_currency_is_told_the_least_that_comes_to_it():
    sums = [check_sum(D("0.5"), price, DUST) for price in (D(16000000), None)]
    passing = check_sum(D("1.12"), D(16000000), DUST)

    assert [(each.rule, each.message) for each in sums if each] == [
        ("SIZE_BELOW_MINIMUM", "must be at least 1.12 JPY: 0.00000007 at 16000000"),
        ("SIZE_BELOW_MINIMUM", "must be at least 1 JPY"),
    ]
    assert passing is None


def test_what_would_pass_passes():
    odd = replace(FULL, step=D("0.3"), min_size=D(1), max_size=D(2))

    assert [nearest_sizes(q, odd) for q in ("0.9", "1.3", "1.9", "2.5")] == [
        (D("1.2"),), (D("1.2"), D("1.5")), (D("1.8"),), (D("1.8"),),
    ]  # fmt: skip


def test_a_notional_becomes_a_quantity_rounded_down_to_the_step():
    assert quantity_for(D(1_000), D("30000"), SPEC) == D("0.033")
    assert quantity_for(D(1_000), D("30000"), replace(SPEC, step=None)) == D("0.03333333")
    assert quantity_for(D(1_000), D("30000"), replace(SPEC, step=D("0.01"), contract_size=D("0.01"))) == 3
    assert quantity_for(D("0.01"), D("30000"), SPEC) == 0
    assert quantity_for(D(1), D(0), SPEC) == 0


def test_a_size_is_asked_for_by_a_sum_that_is_rounded_only_where_sizes_have_no_step():
    part = replace(SPEC, step=None)

    assert notional_for(D("0.033"), D("30000.005"), SPEC) == D("990.000165")
    assert notional_for(D(3), D(30_000), replace(SPEC, step=D("0.01"), contract_size=D("0.01"))) == 900
    assert notional_for(D("0.00000333"), D(30_000), part) == D("0.09")
    assert notional_for(D("0.00000333"), D(30_000), part, ceil_to) == D("0.1")


def test_violations_carry_the_nearest_values():
    (found,) = check(order(BUY, "LIMIT", limit="100.015"), FULL, now=at(0), price=None, collar_bps=None)

    assert (found.rule, found.nearest) == (Rule.PRICE_OFF_TICK, (D("100.01"), D("100.02")))


def test_no_state_follows_a_terminal_one():
    assert {status for status in OrderStatus if not TRANSITIONS[status]} == TERMINAL
    for status in TERMINAL:
        assert is_terminal(status)
        for to in OrderStatus:
            with pytest.raises(IllegalTransition, match=f"{to} cannot follow {status}; what may: nothing: it is for"):
                advance(status, to)


def test_the_states_that_may_follow():
    ways = {str(status): " ".join(sorted(TRANSITIONS[status])) for status in OrderStatus if status not in TERMINAL}

    assert ways == {
        "NEW": "ACCEPTED CANCELED EXPIRED PENDING_CANCEL REJECTED",
        "ACCEPTED": (
            "CANCELED EXPIRED FILLED PARTIALLY_FILLED PENDING_CANCEL PENDING_REPLACE REJECTED TRIGGERED"
        ),
        "TRIGGERED": "CANCELED EXPIRED FILLED PARTIALLY_FILLED PENDING_CANCEL PENDING_REPLACE REJECTED",
        "PARTIALLY_FILLED": "CANCELED EXPIRED FILLED PARTIALLY_FILLED PENDING_CANCEL PENDING_REPLACE",
        "PENDING_CANCEL": "ACCEPTED CANCELED EXPIRED FILLED PARTIALLY_FILLED REJECTED TRIGGERED",
        "PENDING_REPLACE": "ACCEPTED CANCELED EXPIRED FILLED PARTIALLY_FILLED PENDING_CANCEL REJECTED TRIGGERED",
    }  # fmt: skip
    assert advance(OrderStatus.NEW, OrderStatus.ACCEPTED) is OrderStatus.ACCEPTED
    assert not may(OrderStatus.PARTIALLY_FILLED, OrderStatus.REJECTED)


def test_an_execution_model_is_stored_and_read_again():
    model = ExecutionModel(
        provider="kraken", source=FillSource.BARS, participation=D("0.25"),
        slippage=Slippage(kind=SlippageKind.SIZE, bps=D("1.5")), fees=Fees(taker=D("0.001")),
        latency_ms=20, seed=7, max_age_ms=5_000, collar_bps=None, extended_hours=True,
    )  # fmt: skip

    assert ExecutionModel.read(model.plain()) == model
    assert model.plain()["fees"]["taker"] == "0.001"
    assert ExecutionModel.read({}) == ExecutionModel()
    assert ExecutionModel.read({"slippage": None, "later": 1}) == ExecutionModel()


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ({"participation": "0"}, "participation", "must be a number above 0 to 1, not '0'"),
        ({"participation": 0.5}, "participation", "must be a number above 0 to 1, not 0.5"),
        ({"participation": "NaN"}, "participation", "must be a number above 0 to 1, not 'NaN'"),
        ({"fees": {"taker": "0.2"}}, "fees.taker", "must be a number from 0 to 0.1, not '0.2'"),
        ({"fees": {"least": "x"}}, "fees.least", "must be a number from 0 to 1000, not 'x'"),
        ({"slippage": {"bps": "-1"}}, "slippage.bps", "must be a number from 0 to 1000, not '-1'"),
        (
            {"slippage": {"jitter": "0.0000000000001"}},
            "slippage.jitter",
            "has at most 12 digits behind the point, not as '0.0000000000001'",
        ),
        ({"slippage": []}, "slippage", "must be an object, not []"),
        ({"source": "TEA"}, "source", "must be one of QUOTES, BOOK, BARS, not 'TEA'"),
        ({"latency_ms": True}, "latency_ms", "must be a whole number from 0 to 60000, not True"),
        ({"collar_bps": 0}, "collar_bps", "must be a whole number from 1 to 10000, not 0"),
        ({"extended_hours": 1}, "extended_hours", "must be true or false, not 1"),
        ({"provider": ""}, "provider", "must be a text of 1 to 64 characters, not ''"),
    ],
)
def test_an_execution_model_out_of_bounds_names_the_field(given, field, message):
    with pytest.raises(BadInput) as refused:
        ExecutionModel.read(given)

    assert (refused.value.field, str(refused.value)) == (f"model.{field}", f"model.{field}: {message}")


def test_what_is_told_of_a_wrong_value_is_short():
    long = "x" * 1_000_000

    for read, given in (
        (ExecutionModel.read, {"provider": long}),
        (ExecutionModel.read, {"fees": {"taker": long}}),
        (ExecutionModel.read, {"slippage": {"kind": long}}),
        (conditions.read, {"kind": long}),
        (conditions.read, {"kind": "PRICE", "symbol": long}),
        (conditions.read, {"kind": "PRICE", "symbol": "x", "direction": "ABOVE", "level": long}),
        (conditions.read, {"kind": "TIME", "at": long}),
    ):
        with pytest.raises(BadInput) as refused:
            read(given)
        assert "'xxx" in str(refused.value)
        assert len(str(refused.value)) < 200


def test_a_day_order_ends_with_its_session_or_the_utc_day():
    noon, close = datetime(2026, 11, 2, 12, tzinfo=UTC), datetime(2026, 11, 2, 21, tzinfo=UTC)

    assert day_end(noon) == datetime(2026, 11, 3, tzinfo=UTC)
    assert day_end(day_end(noon)) == datetime(2026, 11, 4, tzinfo=UTC)
    assert expiry(TimeInForce.DAY, noon, closes_at=close) == close
    assert expiry(TimeInForce.DAY, noon) == datetime(2026, 11, 3, tzinfo=UTC)
    assert expiry(TimeInForce.GTD, noon, expires_at=close) == close
    assert [expiry(each, noon) for each in (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)] == [None] * 3


def test_a_trailing_stop_lies_on_the_tick_away_from_the_market():
    assert level(SELL, D("100.05"), None, D("1.5"), D("0.1")) == D("98.5")
    assert level(BUY, D("100.05"), None, D("1.5"), D("0.1")) == D("101.6")
    assert level(BUY, D("100"), D("0.25"), None) == D("100.25")
    assert [follow(SELL, None, D(5)), follow(SELL, D(5), D(4)), follow(BUY, D(5), D(4))] == [5, 5, 4]


def test_rounding_is_exact_far_beyond_28_digits():
    long = D("123456789012345678901234567890.123456789012345678901234")

    assert floor_to(long, D("0.001")) == D("123456789012345678901234567890.123")
    assert ceil_to(long, D("0.001")) == D("123456789012345678901234567890.124")
    assert floor_to(long, None) == long
    assert quotient(D(1), D(3), 4) == D("0.3333")
    assert [str(plain(D(text))) for text in ("1E+2", "1.500", "0.0", "-0")] == ["100", "1.5", "0", "0"]
