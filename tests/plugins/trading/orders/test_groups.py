"""Orders that belong together: brackets, OCO, OTO, all or none; and what protects a position."""

from __future__ import annotations

from typing import Any

from tests.plugins.trading.orders.pit import (
    BTC,
    CANCEL,
    CANCEL_ALL,
    CLOSE,
    GROUP,
    PERP,
    PLACE,
    PROTECT,
    REPLACE,
    Pit,
    wish,
)


def part(side: str, type: str, quantity: str = "1", **given: Any) -> dict[str, Any]:
    made = wish(side, type, quantity, **given)
    del made["accountId"]
    return made


async def group(pit: Pit, rule: str, *parts: dict[str, Any], account: str = "tacc_1") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await pit.do(GROUP, accountId=account, rule=rule, orders=list(parts)))["orders"]
    return found


async def stand(pit: Pit, *ids: str) -> list[tuple[str, str, str]]:
    """Status, quantity and what is filled, of each."""
    rows = [await pit.order(each) for each in ids]
    return [(each["status"], each["quantity"], each["filledQuantity"]) for each in rows]


async def test_a_bracket_protects_what_its_entry_has_filled_and_one_exit_ends_the_other(pit: Pit):
    pit.price("99", "101", size="3")
    placed = await pit.place(
        "BUY", "LIMIT", "5", limitPrice="101", takeProfit={"limitPrice": "110"}, stopLoss={"stopPrice": "95"}
    )
    entry, profit, loss = (each["id"] for each in (placed["order"], *placed["children"]))
    after_part = await stand(pit, entry, profit, loss)
    pit.price("99", "100.5", size="3")
    await pit.tick()
    after_all = await stand(pit, entry, profit, loss)
    pit.price("110", "111", size="2")
    await pit.tick()
    profit_part = await stand(pit, entry, profit, loss)
    pit.price("94", "95", size="10")
    await pit.tick()

    assert [(each["leg"], each["status"], each["reduceOnly"]) for each in (placed["order"], *placed["children"])] == [
        ("ENTRY", "PARTIALLY_FILLED", False), ("TAKE_PROFIT", "ACCEPTED", True), ("STOP_LOSS", "ACCEPTED", True),
    ]  # fmt: skip
    assert after_part == [("PARTIALLY_FILLED", "5", "3"), ("ACCEPTED", "3", "0"), ("ACCEPTED", "3", "0")]
    assert after_all == [("FILLED", "5", "5"), ("ACCEPTED", "5", "0"), ("ACCEPTED", "5", "0")]
    assert profit_part == [("FILLED", "5", "5"), ("PARTIALLY_FILLED", "5", "2"), ("ACCEPTED", "3", "0")]
    assert await stand(pit, profit, loss) == [("CANCELED", "5", "2"), ("FILLED", "3", "3")]
    assert await pit.positions() == {}
    # 10000 - 3 x 101 - 2 x 100.5 + 2 x 110 + 3 x 94, and 0.2 of fees
    assert await pit.held() == ("9997.80", "0")


async def test_a_bracket_whose_entry_is_cancelled_unfilled_ends_whole_and_half_filled_keeps_its_exits(pit: Pit):
    pit.price("99", "101", size="2")
    unfilled = await pit.place("BUY", "LIMIT", "5", limitPrice="90", stopLoss={"stopPrice": "80"})
    half = await pit.place("BUY", "LIMIT", "5", limitPrice="101", stopLoss={"trailPercent": "5"})

    gone = await pit.do(CANCEL, orderId=unfilled["order"]["id"])
    kept = await pit.do(CANCEL, orderId=half["order"]["id"])

    assert [(each["id"], each["reason"]) for each in gone["canceled"]] == [
        (unfilled["children"][0]["id"], "PARENT_ENDED: the order that it waited for ended otherwise")
    ]
    assert kept["canceled"] == []
    assert await stand(pit, half["order"]["id"], half["children"][0]["id"]) == [
        ("CANCELED", "5", "2"), ("ACCEPTED", "2", "0"),
    ]  # fmt: skip


async def test_of_an_oco_the_first_fill_cancels_the_others_and_none_is_filled_at_once(pit: Pit):
    await pit.place("BUY", "MARKET", "2")
    high, low = await group(
        pit, "OCO", part("SELL", "LIMIT", "2", limitPrice="110"), part("SELL", "STOP_MARKET", "2", stopPrice="90")
    )
    pit.price("110", "112", size="1")
    await pit.tick()
    both = await stand(pit, high["id"], low["id"])
    at_once = await pit.refused(
        GROUP, accountId="tacc_1", rule="OCO",
        orders=[part("BUY", "LIMIT", limitPrice="112"), part("BUY", "LIMIT", limitPrice="90")],
    )  # fmt: skip
    market = await pit.refused(
        GROUP, accountId="tacc_1", rule="OCO", orders=[part("BUY", "MARKET"), part("BUY", "LIMIT", limitPrice="90")]
    )

    assert (high["groupId"], high["leg"], low["leg"]) == (low["groupId"], "OCO", "OCO")
    assert both == [("PARTIALLY_FILLED", "2", "1"), ("CANCELED", "2", "0")]
    told = "One of an OCO that is filled at once leaves no other: "
    rest = "LIMIT, STOP_MARKET, STOP_LIMIT, MARKET_IF_TOUCHED and TRAILING_STOP rest, as GTC, DAY or GTD."
    assert at_once == ("ORDER_INVALID", "input.orders.0.limitPrice", f"{told}a limit below 112 rests now.")
    assert market == ("ORDER_INVALID", "input.orders.0.type", f"{told}{rest}")
    passes = [part("BUY", "LIMIT", limitPrice="111.99"), part("BUY", "LIMIT", limitPrice="90")]
    assert len(await group(pit, "OCO", *passes)) == 2


async def test_an_oto_waits_for_the_first_whether_that_is_filled_at_once_later_or_never(pit: Pit):
    first, second = await group(pit, "OTO", part("BUY", "MARKET"), part("SELL", "LIMIT", limitPrice="120"))
    resting, waiting, bought = await group(
        pit, "OTO", part("BUY", "LIMIT", limitPrice="95"), part("SELL", "LIMIT", limitPrice="115"),
        part("BUY", "LIMIT", limitPrice="80"),
    )  # fmt: skip
    never, orphan = await group(pit, "OTO", part("BUY", "LIMIT", limitPrice="91"), part("BUY", "MARKET"))
    at_first = [each["status"] for each in (first, second, resting, waiting, bought, never, orphan)]
    pit.price("94", "95")
    await pit.tick()
    gone = await pit.do(CANCEL, orderId=never["id"])

    assert at_first == ["FILLED", "ACCEPTED", "ACCEPTED", "NEW", "NEW", "ACCEPTED", "NEW"]
    assert await stand(pit, resting["id"], waiting["id"], bought["id"], orphan["id"]) == [
        ("FILLED", "1", "1"), ("ACCEPTED", "1", "0"), ("ACCEPTED", "1", "0"), ("CANCELED", "1", "0"),
    ]  # fmt: skip
    assert [each["id"] for each in gone["canceled"]] == [orphan["id"]]
    assert waiting["parentId"] == resting["id"]


async def test_what_waits_for_another_order_holds_its_margin_from_the_beginning(pit: Pit):
    """Else a small first order would let any size through behind it."""
    refused = await pit.refused(
        GROUP, accountId="tacc_2", rule="OTO", orders=[part("BUY", "MARKET"), part("BUY", "LIMIT", "100",
        limitPrice="100"), *(part("BUY", "LIMIT", "100", limitPrice="100") for _ in range(5))],
    )  # fmt: skip
    first, second = await group(
        pit, "OTO", part("BUY", "LIMIT", limitPrice="90"), part("BUY", "LIMIT", "100", limitPrice="100"),
        account="tacc_2",
    )  # fmt: skip
    cash = await pit.refused(
        GROUP, accountId="tacc_1", rule="OTO",
        orders=[part("BUY", "LIMIT", limitPrice="90"), part("BUY", "LIMIT", "100", limitPrice="100")],
    )  # fmt: skip

    assert refused[:2] == ("INSUFFICIENT_MARGIN", "input.orders.5.quantity")
    assert (second["status"], second["reserved"]) == ("NEW", "2002.00")
    assert cash[:2] == ("INSUFFICIENT_FUNDS", "input.orders.1.quantity")
    assert first["status"] == "ACCEPTED"


async def test_all_or_none_leaves_nothing_where_one_does_not_pass(pit: Pit):
    lacking = await pit.refused(
        GROUP, accountId="tacc_1", rule="ALL",
        orders=[part("BUY", "MARKET", "50"), part("BUY", "LIMIT", "60", limitPrice="95")],
    )  # fmt: skip
    form = [
        await pit.refused(GROUP, accountId="tacc_1", rule="ALL", orders=[part("BUY", "MARKET")]),
        await pit.refused(GROUP, accountId="tacc_1", rule="ALL", orders=[part("BUY", "MARKET")] * 11),
        await pit.refused(GROUP, accountId="tacc_1", rule="ALL",
                          orders=[part("BUY", "MARKET"), part("BUY", "MARKET", clientOrderId="a")]),
        await pit.refused(GROUP, accountId="tacc_1", rule="ALL",
                          orders=[part("BUY", "MARKET", stopLoss={"stopPrice": "90"}), part("BUY", "MARKET")]),
    ]  # fmt: skip
    made = await group(pit, "ALL", part("BUY", "MARKET"), part("BUY", "LIMIT", limitPrice="95"))

    assert lacking[:2] == ("INSUFFICIENT_FUNDS", "input.orders.1.quantity")
    assert [(code, field) for code, field, _ in form] == [
        ("ORDER_INVALID", "input.orders"), ("ORDER_INVALID", "input.orders"),
        ("ORDER_INVALID", "input.orders.1.clientOrderId"), ("ORDER_INVALID", "input.orders.0"),
    ]  # fmt: skip
    assert [(each["number"], each["status"], each["groupId"]) for each in made] == [
        (1, "FILLED", None), (2, "ACCEPTED", None),
    ]  # fmt: skip


async def test_a_cash_account_never_sells_more_than_it_has_whatever_is_open(pit: Pit):
    """Orders of a group count once, not never; a replaced one counts with its new quantity."""
    await pit.place("BUY", "MARKET", "2")
    one, two = await group(
        pit, "OCO", part("SELL", "LIMIT", "2", limitPrice="110"), part("SELL", "LIMIT", "2", limitPrice="120")
    )
    beside = await pit.refused(PLACE, **wish("SELL", "LIMIT", "1", limitPrice="105"))
    more = await pit.refused(REPLACE, orderId=one["id"], quantity="3")
    less = await pit.do(REPLACE, orderId=one["id"], quantity="1.5")
    await pit.do(CANCEL, orderId=two["id"])
    rest = await pit.place("SELL", "LIMIT", "0.5", limitPrice="105")
    first, child = await group(
        pit, "OTO", part("BUY", "LIMIT", limitPrice="95"), part("SELL", "LIMIT", "9", limitPrice="99.5")
    )
    pit.price("94", "95")
    await pit.tick()
    pit.price("130", "131")
    await pit.tick()

    told = (
        f"A cash account sells only what it has: of {BTC} 0 is free, not 1: open sales hold 2, cancel one or make it "
    )
    told += "smaller."
    assert beside == ("SHORT_NOT_ALLOWED", "input.quantity", told)
    assert more[0] == "SHORT_NOT_ALLOWED"
    assert (less["order"]["quantity"], rest["order"]["status"]) == ("1.5", "ACCEPTED")
    assert (await pit.order(first["id"]))["status"] == "FILLED"
    found = await pit.order(child["id"])
    assert (found["status"], found["filledQuantity"]) in [("CANCELED", "1"), ("CANCELED", "3"), ("CANCELED", "2.5")]
    assert await pit.positions() == {}


async def test_exits_of_a_bracket_that_turns_a_position_are_as_large_as_what_it_has_opened(pit: Pit):
    two = {"accountId": "tacc_2"}
    await pit.place("SELL", "MARKET", "2", **two)
    exits: dict[str, Any] = {"takeProfit": {"limitPrice": "120"}, "stopLoss": {"stopPrice": "90"}}
    pit.price("99", "101", size="1")
    turned = await pit.place("BUY", "MARKET", "6", **two, **exits)
    entry, *children = (each["id"] for each in (turned["order"], *turned["children"]))

    at_first = await stand(pit, entry, *children)
    pit.price("99", "101", size="3")
    await pit.tick("tacc_2")
    halfway = await stand(pit, entry, *children)
    pit.price("99", "101")
    await pit.tick("tacc_2")
    moved = await pit.do(REPLACE, orderId=children[1], stopPrice="95")

    assert at_first == [("PARTIALLY_FILLED", "6", "1"), ("NEW", "6", "0"), ("NEW", "6", "0")]
    assert halfway == [("PARTIALLY_FILLED", "6", "4"), ("ACCEPTED", "2", "0"), ("ACCEPTED", "2", "0")]
    assert await stand(pit, entry, *children) == [("FILLED", "6", "6"), ("ACCEPTED", "4", "0"), ("ACCEPTED", "4", "0")]
    assert (moved["order"]["quantity"], moved["order"]["stopPrice"]) == ("4", "95")
    assert await pit.positions("tacc_2") == {BTC: "4"}


async def test_another_price_of_what_only_reduces_says_nothing_of_its_size(pit: Pit):
    await pit.place("BUY", "MARKET", "2")
    resting = await pit.place("SELL", "LIMIT", "2", limitPrice="105", reduceOnly=True)
    await pit.place("SELL", "MARKET", "1", reduceOnly=True)

    moved = await pit.do(REPLACE, orderId=resting["order"]["id"], limitPrice="104")
    told = await pit.refused(REPLACE, orderId=resting["order"]["id"], quantity="1.5")

    assert (moved["order"]["limitPrice"], moved["order"]["quantity"]) == ("104", "2")
    assert told[:2] == ("REDUCE_ONLY_WOULD_INCREASE", "input.quantity")


async def test_a_position_is_protected_anew_in_place_of_what_protected_it(pit: Pit):
    await pit.place("BUY", "MARKET", "2")
    first = await pit.do(
        PROTECT, accountId="tacc_1", symbol=BTC, takeProfit={"limitPrice": "120"}, stopLoss={"stopPrice": "90"}
    )
    second = await pit.do(PROTECT, accountId="tacc_1", symbol=BTC, stopLoss={"trailAmount": "5"})
    none = await pit.do(PROTECT, accountId="tacc_1", symbol=BTC)
    nothing = await pit.refused(PROTECT, accountId="tacc_1", symbol=PERP)
    crossed = await pit.refused(
        PROTECT, accountId="tacc_1", symbol=BTC, takeProfit={"limitPrice": "80"}, stopLoss={"stopPrice": "90"}
    )

    assert [(each["leg"], each["type"], each["quantity"]) for each in first["orders"]] == [
        ("TAKE_PROFIT", "LIMIT", "2"), ("STOP_LOSS", "STOP_MARKET", "2"),
    ]  # fmt: skip
    assert [each["id"] for each in second["canceled"]] == [each["id"] for each in first["orders"]]
    assert [each["reason"] for each in second["canceled"]] == ["REPLACED: other orders took its place"] * 2
    assert [each["id"] for each in none["canceled"]] == [each["id"] for each in second["orders"]]
    assert none["orders"] == []
    assert nothing == ("REDUCE_ONLY_WOULD_INCREASE", "input.symbol", f"The account holds nothing of {PERP}.")
    assert crossed[:2] == ("ORDER_INVALID", "input.stopLoss")


async def test_exits_of_a_protected_position_stay_as_large_as_what_is_left_of_it(pit: Pit):
    await pit.place("BUY", "MARKET", "2")
    profit, loss = (
        await pit.do(
            PROTECT, accountId="tacc_1", symbol=BTC, takeProfit={"limitPrice": "120"}, stopLoss={"stopPrice": "90"}
        )
    )["orders"]
    pit.price("120", "121", size="0.5")
    await pit.tick()
    partly = await stand(pit, profit["id"], loss["id"])
    pit.price("89", "90")
    await pit.tick()

    assert partly == [("PARTIALLY_FILLED", "2", "0.5"), ("ACCEPTED", "1.5", "0")]
    assert await stand(pit, profit["id"], loss["id"]) == [("CANCELED", "2", "0.5"), ("FILLED", "1.5", "1.5")]
    assert await pit.positions() == {}


async def test_closing_takes_away_what_protected_and_needs_no_least_value(pit: Pit):
    await pit.place("BUY", "MARKET", "2", stopLoss={"stopPrice": "90"})
    half = await pit.do(CLOSE, accountId="tacc_1", symbol=BTC, quantity="1.95", clientOrderId="c1")
    again = await pit.do(CLOSE, accountId="tacc_1", symbol=BTC, quantity="1.95", clientOrderId="c1")
    other = await pit.refused(CLOSE, accountId="tacc_1", symbol=BTC, quantity="1", clientOrderId="c1")
    more = await pit.refused(CLOSE, accountId="tacc_1", symbol=BTC, quantity="1")
    still = await pit.see('{ orders(accountId: "tacc_1", open: true) { nodes { quantity } } }')
    # 0.05 bitcoin is worth 5 dollars, and no order of less than 10 is taken but one that closes.
    rest = await pit.do(CLOSE, accountId="tacc_1", symbol=BTC)
    nothing = await pit.refused(CLOSE, accountId="tacc_1", symbol=BTC)

    assert (half["order"]["status"], half["order"]["cause"], half["order"]["id"]) == (
        "FILLED", "CLOSE", again["order"]["id"],
    )  # fmt: skip
    assert half["fills"] == again["fills"] != []
    assert (other[0], more[0], nothing[0]) == (
        "IDEMPOTENCY_MISMATCH", "REDUCE_ONLY_WOULD_INCREASE", "REDUCE_ONLY_WOULD_INCREASE",
    )  # fmt: skip
    assert len(still["nodes"]) == 1
    assert (rest["order"]["filledQuantity"], await pit.positions()) == ("0.05", {})
    assert (await pit.see('{ orders(accountId: "tacc_1", open: true) { nodes { id } } }'))["nodes"] == []


async def test_all_open_orders_are_cancelled_or_those_of_one_instrument(pit: Pit):
    bracket = await pit.place("BUY", "LIMIT", limitPrice="90", stopLoss={"stopPrice": "80"})
    ether = await pit.place("BUY", "LIMIT", symbol="crypto:ETH/USD", limitPrice="45")

    of_bitcoin = await pit.do(CANCEL_ALL, accountId="tacc_1", symbol="BTC-USD")
    rest = await pit.do(CANCEL_ALL, accountId="tacc_1")
    none = await pit.do(CANCEL_ALL, accountId="tacc_1")

    assert {each["id"] for each in of_bitcoin["canceled"]} == {bracket["order"]["id"], bracket["children"][0]["id"]}
    assert [each["id"] for each in rest["canceled"]] == [ether["order"]["id"]]
    assert none["canceled"] == []
    assert await pit.held() == ("10000.00", "0")
