"""The form of an order is checked whatever it waits for; what depends on a price when it arrives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from schema.words.problems import Refused
from tests.plugins.trading.engine.floorhouse import wish as wish_of
from tests.plugins.trading.orders.pit import ETH, GROUP, PLACE, REPLACE, Pit, wish
from tests.plugins.trading.orders.slate import D, slate

LONG_AGO, IN_AN_HOUR = "2020-01-01T00:00:00Z", "2026-11-20T13:00:00Z"
PREVIEW = "query($i: OrderPlaceInput!) { r: orderPreview(input: $i) { userErrors { field code message } } }"
WAITS = {"condition": {"time": LONG_AGO}, "quantity": None, "notional": "500"}
CASES: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "MARKET", "stopLoss": {"trailPercent": "500"}}, "ORDER_INVALID", "stopLoss.trailPercent"),
    ({"type": "MARKET", "takeProfit": {"limitPrice": "950.123456789"}}, "PRICE_OFF_TICK", "takeProfit.limitPrice"),
    ({"type": "MARKET", "takeProfit": {"limitPrice": "0.00000000001"}}, "PRICE_OFF_TICK", "takeProfit.limitPrice"),
    ({"type": "MARKET", "stopLoss": {"stopPrice": "90", "limitPrice": "50"}}, "PRICE_COLLAR", "stopLoss.limitPrice"),
    ({"type": "LIMIT"}, "ORDER_INVALID", "limitPrice"),
    ({"type": "LIMIT", "limitPrice": "100.00001"}, "PRICE_OFF_TICK", "limitPrice"),
    ({"type": "MARKET", "limitPrice": "100"}, "ORDER_INVALID", "limitPrice"),
    ({"type": "MARKET", "timeInForce": "GTD", "expiresAt": LONG_AGO}, "EXPIRES_IN_PAST", "expiresAt"),
    ({"type": "TRAILING_STOP", "trailAmount": "5", "trailPercent": "5"}, "ORDER_INVALID", "trailAmount"),
    ({"type": "TRAILING_STOP", "trailPercent": "900"}, "ORDER_INVALID", "trailPercent"),
    ({"type": "MARKET", "notional": "500." + "1" * 40}, "ORDER_INVALID", "notional"),
    ({"type": "MARKET", "notional": "9"}, "NOTIONAL_BELOW_MINIMUM", "notional"),
]  # fmt: skip


async def test_an_order_that_waits_with_a_notional_has_the_form_of_any_other(pit: Pit):
    found = [(await pit.refused(PLACE, **wish("BUY", "MARKET") | WAITS | given))[:2] for given, *_ in CASES]

    assert found == [(code, f"input.{field}") for _, code, field in CASES]


async def test_each_field_that_is_wrong_is_told_by_itself(pit: Pit):
    given = wish("BUY", "LIMIT", "1.0005", limitPrice="90.001")
    before = await pit.state()

    placed, previewed = await pit.see(PLACE, i=given), await pit.see(PREVIEW, i=given)
    wrong = {name: value for name, value in given.items() if name != "accountId"}
    orders = [wrong | {"quantity": "1", "limitPrice": "90"}, wrong]
    grouped = await pit.see(GROUP, i={"accountId": "tacc_1", "rule": "ALL", "orders": orders})

    told = [
        ("PRICE_OFF_TICK", ["input", "limitPrice"], "limitPrice must be a multiple of 0.01: 90 or 90.01."),
        ("SIZE_OFF_STEP", ["input", "quantity"], "quantity must be a multiple of 0.001: 1 or 1.001."),
    ]
    for each in (placed, previewed):
        assert [(error["code"], error["field"], error["message"]) for error in each["userErrors"]] == told
    assert [error["field"] for error in grouped["userErrors"]] == [
        ["input", "orders", "1", "limitPrice"], ["input", "orders", "1", "quantity"]
    ]  # fmt: skip
    assert await pit.state() == before


@pytest.mark.parametrize("given", [WAITS, {"quantity": "1", "condition": {"time": IN_AN_HOUR}}])
async def test_what_waits_is_replaced_by_terms_that_have_a_form_only(pit: Pit, given: dict[str, Any]):
    waiting = await pit.place("BUY", "LIMIT", limitPrice="100", **given | {"condition": {"time": IN_AN_HOUR}})
    terms: list[tuple[dict[str, Any], str]] = [
        ({"limitPrice": "-5"}, "ORDER_INVALID"), ({"limitPrice": "0"}, "ORDER_INVALID"),
        ({"limitPrice": "1" * 31}, "ORDER_INVALID"), ({"limitPrice": "100.001"}, "PRICE_OFF_TICK"),
        ({"stopPrice": "90"}, "ORDER_INVALID"), ({"trailPercent": "-1"}, "ORDER_INVALID"),
    ]  # fmt: skip

    found = [await pit.refused(REPLACE, orderId=waiting["order"]["id"], **each) for each, _ in terms]

    assert [code for code, *_ in found] == [code for _, code in terms]
    assert [field for _, field, _ in found] == [f"input.{next(iter(each))}" for each, _ in terms]


async def test_a_quantity_takes_the_place_of_the_notional_that_an_order_was_placed_by(pit: Pit):
    waits = {"condition": {"price": {"crossing": "ABOVE", "level": "120"}}}
    placed = await pit.place("BUY", "MARKET", None, notional="500", **waits)
    told = await pit.do(REPLACE, orderId=placed["order"]["id"], quantity="2")

    assert (placed["order"]["quantity"], placed["order"]["notional"]) == (None, "500")
    assert (told["order"]["quantity"], told["order"]["notional"]) == ("2", None)


async def test_what_waits_is_compared_with_the_market_that_it_meets(pit: Pit):
    """Bitcoin is bid 99, asked 101, and the collar is a tenth."""
    passing = [
        wish("BUY", "LIMIT", limitPrice="70", takeProfit={"limitPrice": "75"}, stopLoss={"stopPrice": "60"}),
        wish("SELL", "LIMIT", limitPrice="130", takeProfit={"limitPrice": "120"}, accountId="tacc_2"),
        wish("BUY", "LIMIT", limitPrice="120.1", condition={"price": {"crossing": "ABOVE", "level": "120"}}),
        wish("SELL", "LIMIT", limitPrice="69.9", condition={"price": {"crossing": "BELOW", "level": "70"}}),
    ]
    group = [wish("BUY", "LIMIT", limitPrice="70"), wish("SELL", "LIMIT", limitPrice="75")]

    placed = [(await pit.do(PLACE, **each))["order"]["status"] for each in passing]
    together = await pit.do(GROUP, accountId="tacc_1", rule="OTO", orders=[_bare(each) for each in group])

    assert placed == ["ACCEPTED", "ACCEPTED", "NEW", "NEW"]
    assert [each["status"] for each in together["orders"]] == ["ACCEPTED", "NEW"]


async def test_a_child_that_wakes_far_off_the_market_is_rejected_then(pit: Pit):
    """Of its own instrument by the fill of the first; of another one, whose market is not told then, at once."""
    far = wish("SELL", "LIMIT", limitPrice="75")
    other = wish("BUY", "LIMIT", limitPrice="75", symbol=ETH)
    first = wish("BUY", "LIMIT", limitPrice="98")
    oto: dict[str, Any] = {"accountId": "tacc_1", "rule": "OTO"}
    waiting = await pit.do(GROUP, **oto, orders=[_bare(first), _bare(far)])

    elsewhere = await pit.refused(GROUP, **oto, orders=[_bare(first), _bare(other)])
    at_once = await pit.refused(GROUP, **oto, orders=[_bare(wish("BUY", "MARKET")), _bare(far)])
    pit.price("97", "98")
    await pit.tick()
    child = await pit.order(waiting["orders"][1]["id"])

    assert [elsewhere[:2], at_once[:2]] == [
        ("PRICE_COLLAR", "input.orders.1.limitPrice"),
        ("PRICE_COLLAR", "input.orders.1"),
    ]
    assert (child["status"], child["reason"]) == (
        "REJECTED", "PRICE_COLLAR: limitPrice must be at least 87.3: within 1000 basis points of 97."
    )  # fmt: skip


async def test_an_exit_that_wakes_far_off_the_market_behind_a_trail_is_rejected_then(pit: Pit):
    """Nobody can say before where a trailing stop is filled."""
    exits: dict[str, Any] = {"takeProfit": {"limitPrice": "50"}, "stopLoss": {"stopPrice": "45"}}
    placed = await pit.place("BUY", "TRAILING_STOP", trailAmount="4", **exits)

    pit.price("106", "107")
    await pit.tick()
    found = [await pit.order(each["id"]) for each in (placed["order"], *placed["children"])]

    told = "PRICE_COLLAR: limitPrice must be at least 95.4: within 1000 basis points of 106."
    assert [(each["status"], each["reason"]) for each in found] == [
        ("FILLED", None), ("REJECTED", told), ("ACCEPTED", None)
    ]  # fmt: skip
    assert await pit.kinds() == [
        "order.accepted", "order.filled", "position.opened", "order.rejected", "order.accepted"
    ]  # fmt: skip


async def test_an_entry_is_not_replaced_beyond_its_exits(pit: Pit):
    exits: dict[str, Any] = {"takeProfit": {"limitPrice": "95"}, "stopLoss": {"stopPrice": "85"}}
    placed = await pit.place("BUY", "LIMIT", limitPrice="90", **exits)
    entry, profit, loss = (each["id"] for each in (placed["order"], *placed["children"]))

    found = [await pit.refused(REPLACE, orderId=entry, limitPrice=price) for price in ("96", "85")]
    moved = await pit.do(REPLACE, orderId=entry, limitPrice="94.99")

    assert found == [
        ("WRONG_SIDE_OF_MARKET", "input.limitPrice",
         f"Its TAKE_PROFIT {profit} has limitPrice 95, and is met at once unless the entry lies below it: a limitPrice "
         "of at most 94.99 passes, or move that exit first."),
        ("WRONG_SIDE_OF_MARKET", "input.limitPrice",
         f"Its STOP_LOSS {loss} has stopPrice 85, and is met at once unless the entry lies above it: a limitPrice of "
         "at least 85.01 passes, or move that exit first."),
    ]  # fmt: skip
    assert moved["order"]["limitPrice"] == "94.99"


async def test_a_stop_that_enters_is_not_replaced_beyond_its_exits(pit: Pit):
    exits: dict[str, Any] = {"takeProfit": {"limitPrice": "75"}, "stopLoss": {"stopPrice": "95"}}
    placed = await pit.place("SELL", "STOP_MARKET", stopPrice="90", accountId="tacc_2", **exits)
    entry, profit, loss = (each["id"] for each in (placed["order"], *placed["children"]))

    found = [await pit.refused(REPLACE, orderId=entry, stopPrice=price) for price in ("70", "97")]
    await pit.do(REPLACE, orderId=entry, stopPrice="75.01")
    moved = await pit.do(REPLACE, orderId=entry, stopPrice="94.99")

    assert found == [
        ("WRONG_SIDE_OF_MARKET", "input.stopPrice",
         f"Its TAKE_PROFIT {profit} has limitPrice 75, and is met at once unless the entry lies above it: a stopPrice "
         "of at least 75.01 passes, or move that exit first."),
        ("WRONG_SIDE_OF_MARKET", "input.stopPrice",
         f"Its STOP_LOSS {loss} has stopPrice 95, and is met at once unless the entry lies below it: a stopPrice of at "
         "most 94.99 passes, or move that exit first."),
    ]  # fmt: skip
    assert moved["order"]["stopPrice"] == "94.99"


async def test_of_two_prices_of_an_entry_the_one_that_an_exit_is_beyond_is_refused(pit: Pit):
    placed = await pit.place("BUY", "STOP_LIMIT", stopPrice="110", limitPrice="112", stopLoss={"stopPrice": "104"})
    entry, loss = placed["order"]["id"], placed["children"][0]["id"]

    found = await pit.refused(REPLACE, orderId=entry, limitPrice="113", stopPrice="103")

    assert found == (
        "WRONG_SIDE_OF_MARKET", "input.stopPrice",
        f"Its STOP_LOSS {loss} has stopPrice 104, and is met at once unless the entry lies above it: a stopPrice of at "
        "least 104.01 passes, or move that exit first.",
    )  # fmt: skip


async def test_an_exit_that_the_market_of_now_has_met_is_to_be_moved_first(pit: Pit):
    placed = await pit.place("BUY", "LIMIT", limitPrice="98", stopLoss={"stopPrice": "95"})
    entry, loss = placed["order"]["id"], placed["children"][0]["id"]
    pit.price("93", "94")

    found = [await pit.refused(REPLACE, orderId=entry, limitPrice=price) for price in ("97", "93")]

    # No price of the entry passes by itself.
    assert found == [(
        "WRONG_SIDE_OF_MARKET", "input.limitPrice",
        f"Its STOP_LOSS {loss}: stopPrice 95 of a SELL must lie below 93, else it is met at once: at most 92.99. Move "
        "that exit first.",
    )] * 2  # fmt: skip


async def test_an_entry_is_not_replaced_below_what_its_exit_trails_by(pit: Pit):
    placed = await pit.place("BUY", "LIMIT", limitPrice="98", stopLoss={"trailAmount": "60"})
    entry, loss = placed["order"]["id"], placed["children"][0]["id"]

    found = await pit.refused(REPLACE, orderId=entry, limitPrice="50")

    assert found == (
        "ORDER_INVALID", "input.limitPrice",
        f"Its STOP_LOSS {loss}: trailAmount must be below 50: a stop at zero or below is never met. Move that exit "
        "first.",
    )  # fmt: skip


async def test_a_trail_that_no_price_can_touch_is_refused(pit: Pit):
    found = [
        await pit.refused(PLACE, **wish("SELL", "TRAILING_STOP", trailAmount="99", accountId="tacc_2")),
        await pit.refused(PLACE, **wish("BUY", "LIMIT", limitPrice="90", stopLoss={"trailAmount": "90"})),
    ]
    placed = await pit.place("SELL", "TRAILING_STOP", trailAmount="98.99", accountId="tacc_2")

    told = "must be below {}: a stop at zero or below is never met."
    assert found == [
        ("ORDER_INVALID", "input.trailAmount", f"trailAmount {told.format(99)}"),
        ("ORDER_INVALID", "input.stopLoss.trailAmount", f"trailAmount {told.format(90)}"),
    ]
    assert placed["order"]["status"] == "ACCEPTED"


async def test_a_bracket_whose_entry_only_closes_is_refused(pit: Pit):
    sale = wish("SELL", "LIMIT", limitPrice="130", takeProfit={"limitPrice": "120"}, condition={"time": IN_AN_HOUR})
    bare = await pit.refused(PLACE, **sale)
    await pit.place("BUY", "MARKET")
    await pit.place("SELL", "MARKET", accountId="tacc_2")
    protected: dict[str, Any] = {"takeProfit": {"limitPrice": "120"}, "stopLoss": {"stopPrice": "90"}}

    found = [
        await pit.refused(PLACE, **wish("SELL", "LIMIT", limitPrice="130", takeProfit={"limitPrice": "120"})),
        await pit.refused(PLACE, **wish("BUY", "MARKET", accountId="tacc_2", **protected)),
    ]
    turned = await pit.place("BUY", "MARKET", "1.5", accountId="tacc_2", **protected)

    assert bare == (
        "ORDER_INVALID", "input.takeProfit",
        "A sale of a cash account opens no position, and leaves nothing for an exit to close.",
    )  # fmt: skip
    rest = "smaller, and leaves nothing for an exit to close: protect what is left with `positionProtect`."
    assert found == [
        ("ORDER_INVALID", "input.takeProfit", f"The order only makes the position of 1 {rest}"),
        ("ORDER_INVALID", "input.takeProfit", f"The order only makes the position of -1 {rest}"),
    ]
    assert [each["status"] for each in turned["children"]] == ["ACCEPTED", "ACCEPTED"]


async def test_what_is_wrong_is_told_once(pit: Pit):
    found = await pit.refused(PLACE, **wish("BUY", "TRAILING_STOP", trailPercent="0"))

    assert found == ("ORDER_INVALID", "input.trailPercent", "trailPercent must be above 0 and below 100.")


def _bare(given: dict[str, Any]) -> dict[str, Any]:
    """As one of a group."""
    return {name: value for name, value in given.items() if name != "accountId"}


def test_no_units_are_bought_for_nothing_and_all_that_is_left_of_a_position_can_be_sold():
    desk = slate("1000", model={})
    desk.spec = replace(desk.spec, step=D("0.00000001"))

    with pytest.raises(Refused) as refused:
        desk.place(wish_of("BUY", "MARKET", "0.00004"))
    desk.place(wish_of("BUY", "MARKET", "0.0001"))
    desk.price("40")
    (sold,) = desk.place(wish_of("SELL", "MARKET", "0.0001"))

    assert (refused.value.code, refused.value.field) == ("SIZE_BELOW_MINIMUM", ("quantity",))
    assert refused.value.message == "quantity is worth 0.004 USD, and must be worth 0.01: 0.0001 is."
    assert (sold.status, desk.held()) == ("FILLED", "0")
