"""The fill rules against bars: nothing is known of the way between four prices, and the worse is assumed."""

from dataclasses import replace
from decimal import Decimal as D

import pytest

from gateway.core.matching.venue import accept, match, step
from tests.gateway.matching.tapes import BARS, BUY, SELL, SPEC, at, bar, order, quote, resting, told


def stepped(wanted, tick, model=BARS, **more):
    return told(step(wanted, tick, SPEC, model, **more))


def arriving(*given, model=BARS, **more):
    """Accepted at second 10, without latency."""
    return accept(order(*given, seconds=10, **more), None, SPEC, model).order


def test_no_order_looks_into_the_bar_in_which_it_came():
    came = accept(order(BUY, "MARKET", seconds=10), bar(-60, 99, 100, 98, 99), SPEC, BARS)

    assert told(came) == ("ACCEPTED", "", None)
    assert stepped(came.order, bar(0, 90, 91, 89, 90)) == ("ACCEPTED", "", None)
    assert stepped(came.order, bar(60, 100, 105, 95, 101)) == ("FILLED", "1@100T", None)


def test_a_bar_that_starts_within_the_latency_is_passed_by():
    slow = replace(BARS, latency_ms=50_001)
    came = arriving(BUY, "MARKET", model=slow)

    assert stepped(came, bar(60, 100, 105, 95, 101), slow) == ("ACCEPTED", "", None)
    assert stepped(came, bar(120, 102, 105, 95, 101), slow) == ("FILLED", "1@102T", None)
    assert stepped(arriving(BUY, "MARKET", model=replace(BARS, latency_ms=50_000)), bar(60, 7, 7, 7, 7))[0] == "FILLED"


def test_a_quote_fills_nothing_of_an_account_that_matches_against_bars():
    assert stepped(resting(BUY, "MARKET"), quote(99, 100)) == ("ACCEPTED", "", None)


def test_a_limit_that_arrives_below_the_open_takes_the_open():
    assert stepped(arriving(BUY, "LIMIT", limit=101), bar(60, 100, 105, 95, 101)) == ("FILLED", "1@100T", None)
    assert stepped(arriving(SELL, "LIMIT", limit=99), bar(60, 100, 105, 95, 101)) == ("FILLED", "1@100T", None)


@pytest.mark.parametrize(
    ("side", "limit", "candle", "fill"),
    [
        (BUY, 95, (100, 105, "94.99", 101), "1@95M"),
        (BUY, 95, (100, 105, 95, 101), ""),  # a touch fills nothing
        (BUY, 95, (92, 105, 91, 101), "1@92M"),  # a favourable gap
        (BUY, 95, (95, 105, 95, 101), ""),  # an open at the limit is a touch
        (SELL, 105, (100, "105.01", 95, 101), "1@105M"),
        (SELL, 105, (100, 105, 95, 101), ""),
        (SELL, 105, (107, 110, 95, 101), "1@107M"),
    ],
)
def test_a_resting_limit_needs_a_bar_that_goes_through_it(side, limit, candle, fill):
    assert stepped(resting(side, "LIMIT", limit=limit), bar(60, *candle))[1] == fill


@pytest.mark.parametrize(
    ("side", "kind", "stop", "candle", "fill"),
    [
        (BUY, "STOP_MARKET", 110, (100, 111, 99, 105), "1@110T"),
        (BUY, "STOP_MARKET", 110, (100, 110, 99, 105), "1@110T"),
        (BUY, "STOP_MARKET", 110, (113, 120, 112, 115), "1@113T"),  # a gapped stop fills at the open
        (BUY, "STOP_MARKET", 110, (100, 109, 99, 105), ""),
        (SELL, "STOP_MARKET", 90, (100, 101, 89, 95), "1@90T"),
        (SELL, "STOP_MARKET", 90, (85, 88, 80, 86), "1@85T"),
        (BUY, "MARKET_IF_TOUCHED", 90, (100, 101, 90, 95), "1@90T"),
        (BUY, "MARKET_IF_TOUCHED", 90, (85, 88, 80, 86), "1@85T"),
        (SELL, "MARKET_IF_TOUCHED", 110, (100, 111, 99, 105), "1@110T"),
        (SELL, "MARKET_IF_TOUCHED", 110, (100, 109, 99, 105), ""),
    ],
)
def test_a_stop_fills_at_its_price_and_at_the_open_where_that_is_beyond_it(side, kind, stop, candle, fill):
    assert stepped(resting(side, kind, stop=stop), bar(60, *candle))[1] == fill


def test_a_stop_limit_is_filled_at_its_stop_where_the_limit_allows_and_rests_where_the_open_is_beyond_both():
    wanted = resting(BUY, "STOP_LIMIT", stop=110, limit=111)

    assert stepped(wanted, bar(60, 100, 115, 99, 105)) == ("FILLED", "1@110T", None)
    gapped = step(wanted, bar(60, 113, 120, 100, 105), SPEC, BARS)
    assert told(gapped) == ("TRIGGERED", "", None)
    assert stepped(gapped.order, bar(120, 112, 113, 110, 112)) == ("FILLED", "1@111M", None)


def test_a_trailing_stop_follows_the_open_and_the_bars_before_and_not_the_bars_own_high():
    wanted = arriving(SELL, "TRAILING_STOP", trail_amount=5)

    first = step(wanted, bar(60, 100, 112, 96, 110), SPEC, BARS)
    assert told(first) == ("ACCEPTED", "", None)  # 112 - 5 lies above the low, but who knows which came first
    assert first.order.trail_extreme == 112
    assert stepped(first.order, bar(120, 110, 111, 106, 108)) == ("FILLED", "1@107T", None)
    assert stepped(first.order, bar(120, 104, 105, 103, 104)) == ("FILLED", "1@104T", None)
    assert stepped(first.order, bar(120, 120, 121, 114, 118)) == ("FILLED", "1@115T", None)


def test_the_volume_of_a_bar_bounds_all_orders_together_and_participation_each():
    half = replace(BARS, participation=D("0.5"))
    waiting = [resting(BUY, "MARKET", "9", name=name) for name in ("a", "b", "c")]

    assert [told(each)[1] for each in match(waiting, bar(60, 100, 101, 99, 100, 3), SPEC, half)] == [
        "1.5@100T", "1.5@100T", "",
    ]  # fmt: skip
    assert stepped(resting(BUY, "MARKET", "9"), bar(60, 100, 101, 99, 100, 0)) == ("ACCEPTED", "", None)
    assert stepped(resting(BUY, "MARKET", "9"), bar(60, 100, 101, 99, 100)) == ("FILLED", "9@100T", None)


def test_the_rest_of_a_triggered_stop_is_filled_at_the_open_of_the_next_bar():
    first = step(resting(SELL, "STOP_MARKET", "3", stop=90), bar(60, 100, 101, 89, 95, 2), SPEC, BARS)

    assert told(first) == ("PARTIALLY_FILLED", "2@90T", None)
    assert stepped(first.order, bar(120, 96, 97, 95, 96, 2)) == ("FILLED", "1@96T", None)


@pytest.mark.parametrize("target", [{"kind": "LIMIT", "limit": 110}, {"kind": "MARKET_IF_TOUCHED", "stop": 110}])
def test_the_stop_comes_before_the_target_where_a_bar_has_both(target):
    waiting = [
        resting(SELL, name="target", group="g", seconds=-9, **target),
        resting(SELL, "STOP_MARKET", stop=90, name="stop", group="g"),
    ]

    steps = match(waiting, bar(60, 100, 115, 85, 100), SPEC, BARS)

    assert [(each.order.id, told(each)[1]) for each in steps] == [("stop", "1@90T"), ("target", "")]


def test_orders_that_are_to_be_filled_at_once_look_at_the_open_alone():
    assert stepped(arriving(BUY, "LIMIT", limit=95, tif="IOC"), bar(60, 100, 105, 90, 101)) == (
        "CANCELED", "", "IOC_UNFILLED",
    )  # fmt: skip
    assert stepped(arriving(BUY, "LIMIT", "3", limit=101, tif="FOK"), bar(60, 100, 105, 90, 101, 2)) == (
        "REJECTED", "", "FOK_NOT_FILLABLE",
    )  # fmt: skip


def test_post_only_is_decided_at_the_open():
    assert stepped(arriving(BUY, "LIMIT", limit=100, post_only=True), bar(60, 100, 105, 90, 101))[2] == (
        "POST_ONLY_WOULD_TAKE"
    )
    assert stepped(arriving(BUY, "LIMIT", limit=95, post_only=True), bar(60, 100, 105, 90, 101))[1] == "1@95M"


def test_the_last_bar_of_an_order_is_the_one_that_ends_with_it():
    wanted = resting(BUY, "LIMIT", limit=95, tif="DAY", expires_at=at(120))

    assert stepped(wanted, bar(60, 100, 105, 90, 101)) == ("FILLED", "1@95M", None)
    assert stepped(wanted, bar(120, 100, 105, 90, 101)) == ("EXPIRED", "", "EXPIRED")


def test_a_bar_that_is_late_by_more_than_the_greatest_age_fills_nothing():
    late = replace(bar(60, 100, 105, 90, 101), at=at(181))

    assert stepped(resting(BUY, "MARKET"), late) == ("ACCEPTED", "", None)
