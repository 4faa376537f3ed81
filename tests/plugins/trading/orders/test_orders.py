"""Orders through a whole gateway: once a client's id, of each type and time in force, long, short, of derivatives."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from gateway.core.matching.model import ExecutionModel
from plugins.trading.orders import ground, knowing
from plugins.trading.orders.ground import Ground
from plugins.trading.tables import entries, fills, orders
from schema.words.quotes import PriceType
from tests.plugins.speakers import NOON
from tests.plugins.trading.orders.pit import BTC, GROUP, PERP, PLACE, PROTECT, REPLACE, D, Pit, wish

FILLS = """query($s: String, $first: Int, $after: Cursor) { fills(accountId: "tacc_1", symbol: $s, first: $first,
  after: $after) { nodes { number symbol quantity price realisedPnl } pageInfo { hasNextPage endCursor } } }"""
ORDERS = """query($open: Boolean, $status: [OrderStatus!], $tag: String, $s: String, $first: Int, $after: Cursor) {
  orders(accountId: "tacc_1", open: $open, status: $status, strategy: $tag, symbol: $s, first: $first, after: $after) {
  nodes { number } pageInfo { hasNextPage endCursor } } }"""


async def test_the_same_client_id_a_hundred_times_at_once_is_one_order(pit_on_both: Pit):
    pit = pit_on_both
    wanted = wish("BUY", "MARKET", clientOrderId="once", stopLoss={"stopPrice": "90"})

    answers = await asyncio.gather(*(pit.do(PLACE, **wanted) for _ in range(100)))
    other = await pit.refused(PLACE, **wanted | {"quantity": "2"})
    elsewhere = await pit.do(PLACE, **wanted | {"accountId": "tacc_2"})

    assert {each["order"]["id"] for each in answers} == {answers[0]["order"]["id"]}
    assert {len(each["children"]) for each in answers} == {len(each["fills"]) for each in answers} == {1}
    told = "This clientOrderId came with another order: repeat that one, or give another id."
    assert other == ("IDEMPOTENCY_MISMATCH", "input.clientOrderId", told)
    assert elsewhere["order"]["id"] != answers[0]["order"]["id"]
    async with pit.house.store.read() as tx:
        counts = [
            await tx.value(select(func.count()).select_from(table).where(table.c.account_id == "tacc_1"))
            for table in (orders, fills, entries)
        ]
    # A deposit, the trade and its fee.
    assert counts == [2, 1, 3]


async def test_orders_of_one_account_at_once_are_placed_one_after_the_other(pit_on_both: Pit):
    """Fourteen of 970 dollars each do not fit into ten thousand."""
    pit = pit_on_both

    answers = await asyncio.gather(*(pit.see(PLACE, i=wish("BUY", "LIMIT", "9.9", limitPrice="98")) for _ in range(14)))

    placed = [each["order"]["number"] for each in answers if each["order"]]
    assert sorted(placed) == list(range(1, 11))
    assert {each["userErrors"][0]["code"] for each in answers if not each["order"]} == {"INSUFFICIENT_FUNDS"}
    assert await pit.held() == ("10000.00", "9703.90")


async def test_times_in_force_with_less_offered_than_wanted(pit: Pit):
    async def placed(*how: str, **given: Any) -> Any:
        """By a message of its own."""
        pit.price("99", "101", size="2")
        return await pit.place(*how, **given)

    found = [
        await placed("BUY", "MARKET", "3", timeInForce="IOC"),
        await placed("BUY", "LIMIT", "3", limitPrice="101", timeInForce="IOC"),
        await placed("BUY", "LIMIT", "3", limitPrice="100", timeInForce="IOC"),
        await placed("BUY", "LIMIT", "2", limitPrice="101", timeInForce="FOK"),
        await placed("BUY", "LIMIT", "3", limitPrice="101", timeInForce="GTC"),
        await placed("BUY", "LIMIT", "1", limitPrice="90", timeInForce="DAY"),
        await placed(
            "BUY", "LIMIT", "1", limitPrice="90", timeInForce="GTD", expiresAt="2026-11-20T14:00:00+01:30"
        ),
        await placed("BUY", "LIMIT", "1", limitPrice="100.99", postOnly=True),
    ]  # fmt: skip

    rows = [each["order"] for each in found]
    assert [(each["status"], each["filledQuantity"], each["reserved"]) for each in rows] == [
        ("CANCELED", "2", "0"), ("CANCELED", "2", "0"), ("CANCELED", "0", "0"), ("FILLED", "2", "0"),
        ("PARTIALLY_FILLED", "2", "101.02"), ("ACCEPTED", "0", "90.02"), ("ACCEPTED", "0", "90.02"),
        ("ACCEPTED", "0", "101.01"),
    ]  # fmt: skip
    assert found[2]["order"]["reason"] == "IOC_UNFILLED: what could not be filled at once was cancelled"
    assert [each["order"]["expiresAt"] for each in found[5:7]] == ["2026-11-21T00:00:00Z", "2026-11-20T12:30:00Z"]


async def test_orders_that_wait_are_triggered_by_the_side_that_they_trade(pit: Pit):
    await pit.place("BUY", "MARKET", "5")
    placed = [
        await pit.place("BUY", "STOP_MARKET", stopPrice="105"),
        await pit.place("BUY", "STOP_LIMIT", stopPrice="105", limitPrice="105.5"),
        await pit.place("BUY", "MARKET_IF_TOUCHED", stopPrice="95"),
        await pit.place("SELL", "STOP_MARKET", stopPrice="90"),
        await pit.place("SELL", "TRAILING_STOP", trailAmount="4"),
        await pit.place("SELL", "TRAILING_STOP", trailPercent="20"),
    ]  # fmt: skip
    ids = [each["order"]["id"] for each in placed]

    async def after(bid: str, ask: str) -> list[str]:
        pit.price(bid, ask)
        await pit.tick()
        return [(await pit.order(each))["status"] for each in ids]

    first = [each["order"]["status"] for each in placed]
    gapped = await after("105", "106")
    back = await after("101", "102")
    touched = await after("94", "95")
    low = await after("85", "86")

    assert first == ["ACCEPTED"] * 6
    assert gapped == ["FILLED", "TRIGGERED", *["ACCEPTED"] * 4]
    assert back == ["FILLED", "FILLED", "ACCEPTED", "ACCEPTED", "FILLED", "ACCEPTED"]
    assert touched == ["FILLED", "FILLED", "FILLED", "ACCEPTED", "FILLED", "ACCEPTED"]
    assert low == ["FILLED"] * 4 + ["FILLED", "ACCEPTED"]
    prices = [(await pit.order(each))["averagePrice"] for each in ids[:5]]
    assert prices == ["106", "102", "95", "85", "101"]


async def test_a_margin_account_turns_from_long_to_short_and_back_and_its_ledger_says_the_same(pit: Pit):
    both = {"accountId": "tacc_2"}
    await pit.place("BUY", "MARKET", "2", **both)
    pit.price("119", "121")
    turned = await pit.place("SELL", "MARKET", "5", **both)
    pit.price("109", "110")
    reduced = await pit.place("BUY", "MARKET", "1", reduceOnly=True, **both)
    closed = await pit.place("BUY", "LIMIT", "2", limitPrice="110", reduceOnly=True, **both)

    assert turned["fills"] == [{
        "number": 1, "quantity": "5", "price": "119", "fee": "0.12", "liquidity": "TAKER", "realisedPnl": "36",
        "currency": "USD", "provider": "alpha", "mode": "LIVE",
    }]  # fmt: skip
    assert [each["fills"][0]["realisedPnl"] for each in (reduced, closed)] == ["9", "18"]
    assert await pit.positions("tacc_2") == {}
    # 10000 + 36 + 9 + 18 - 0.04 - 0.12 - 0.02 - 0.04
    assert await pit.held("tacc_2") == ("10062.78", "0")
    assert [each for each in await pit.kinds() if each.startswith("position")] == [
        "position.opened", "position.closed", "position.opened", "position.closed",
    ]  # fmt: skip
    assert await pit.findings() == []


async def test_a_perpetual_moves_no_notional_and_whole_contracts_only(pit: Pit):
    both = {"accountId": "tacc_2", "symbol": PERP}
    opened = await pit.place("SELL", "MARKET", "100", **both)
    cash = await pit.held("tacc_2")
    pit.price("89", "90", PERP)
    closed = await pit.place("BUY", "MARKET", "100", reduceOnly=True, **both)

    assert (opened["order"]["status"], opened["fills"][0]["fee"], cash[0]) == ("FILLED", "1.98", "9998.02")
    assert closed["fills"][0]["realisedPnl"] == "900"
    assert await pit.held("tacc_2") == ("10896.22", "0")
    assert await pit.findings() == []


async def test_other_terms_that_pass_as_they_free_what_another_order_holds_are_filled(pit: Pit):
    account = await pit.open("tacc_sparse", "1000", margin="MARGIN", leverage=D(1))
    sold = await pit.place("SELL", "LIMIT", "5", limitPrice="110", accountId=account)
    bought = await pit.place("BUY", "LIMIT", "1", limitPrice="95", accountId=account)

    changed = await pit.do(REPLACE, orderId=bought["order"]["id"], quantity="8", limitPrice="101")

    assert (sold["order"]["reserved"], changed["order"]["status"]) == ("550.11", "FILLED")
    assert await pit.positions(account) == {BTC: "8"}


async def test_an_order_with_other_terms_keeps_what_is_filled_and_reserves_anew(pit: Pit):
    pit.price("99", "101", size="2")
    order = (await pit.place("BUY", "LIMIT", "5", limitPrice="101"))["order"]

    lower = (await pit.do(REPLACE, orderId=order["id"], limitPrice="90"))["order"]
    less = (await pit.do(REPLACE, orderId=order["id"], quantity="3"))["order"]
    refused = [
        await pit.refused(REPLACE, orderId=order["id"], quantity="2"),
        await pit.refused(REPLACE, orderId=order["id"], limitPrice="90.001"),
        await pit.refused(REPLACE, orderId=order["id"], quantity="110"),
        await pit.refused(REPLACE, orderId=order["id"], quantity="100", limitPrice="100"),
        await pit.refused(REPLACE, orderId=order["id"], stopPrice="95"),
        await pit.refused(REPLACE, orderId=order["id"], expiresAt="2026-11-21T00:00:00Z"),
    ]  # fmt: skip
    pit.price("99", "101", size="2")
    taken = (await pit.do(REPLACE, orderId=order["id"], limitPrice="101"))["order"]

    assert (lower["status"], lower["filledQuantity"], lower["reserved"]) == ("PARTIALLY_FILLED", "2", "270.05")
    assert (less["quantity"], less["reserved"], less["version"]) == ("3", "90.02", 6)
    assert [each[0] for each in refused] == [
        "ORDER_INVALID", "PRICE_OFF_TICK", "SIZE_ABOVE_MAXIMUM", "INSUFFICIENT_FUNDS", "ORDER_INVALID",
        "ORDER_INVALID",
    ]  # fmt: skip
    assert refused[0][2] == "2 is filled already: a quantity above that, or `orderCancel` for the rest."
    assert (taken["status"], taken["filledQuantity"], taken["averagePrice"]) == ("FILLED", "3", "101")


async def test_latency_slippage_and_participation_of_the_account_hold(pit: Pit):
    model = ExecutionModel().plain() | {
        "latency_ms": 500, "participation": "0.5", "slippage": {"kind": "BASIS_POINTS", "bps": "10"},
    }  # fmt: skip
    await pit.open("tacc_slow", model=model)
    pit.price("99", "100", size="4")

    placed = (await pit.place("BUY", "MARKET", "3", accountId="tacc_slow"))["order"]
    pit.price("99", "100", size="4")
    await pit.tick("tacc_slow")
    after = await pit.order(placed["id"])

    assert (placed["status"], placed["filledQuantity"]) == ("ACCEPTED", "0")
    assert (after["status"], after["filledQuantity"], after["averagePrice"]) == ("PARTIALLY_FILLED", "2", "100.1")


async def test_orders_and_fills_come_in_pages_by_what_is_asked(pit: Pit):
    await pit.place("BUY", "MARKET", "1", strategy="dip")
    await pit.place("BUY", "MARKET", "1", symbol="crypto:ETH/USD")
    await pit.place("BUY", "LIMIT", "1", limitPrice="90", strategy="dip")
    await pit.place("SELL", "MARKET", "1")

    async def numbers(**given: Any) -> list[int]:
        return [each["number"] for each in (await pit.see(ORDERS, **given))["nodes"]]

    first = await pit.see(ORDERS, first=3)
    rest = await pit.see(ORDERS, first=3, after=first["pageInfo"]["endCursor"])
    some = await pit.see(FILLS, first=2)
    more = await pit.see(FILLS, first=2, after=some["pageInfo"]["endCursor"])

    assert [each["number"] for each in first["nodes"] + rest["nodes"]] == [4, 3, 2, 1]
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    assert await numbers(open=True) == await numbers(status=["ACCEPTED"]) == [3]
    assert await numbers(open=False, s="BTC-USD") == [4, 1]
    assert await numbers(tag="dip") == [3, 1]
    assert len(some["nodes"]) + len(more["nodes"]) == 3
    assert [each["symbol"] for each in (await pit.see(FILLS, s=BTC))["nodes"]] == [BTC, BTC]


async def test_events_tell_every_step_once(pit: Pit):
    pit.price("99", "101", size="1")
    bracket = await pit.place("BUY", "LIMIT", "2", limitPrice="101", stopLoss={"stopPrice": "90"})
    pit.price("95", "96", size="5")
    await pit.tick()

    assert (await pit.order(bracket["order"]["id"]))["status"] == "FILLED"
    assert await pit.kinds() == [
        "order.accepted", "order.filled", "position.opened", "order.accepted", "order.filled",
    ]  # fmt: skip
    pit.price("87", "88", size="5")
    await pit.tick()
    assert (await pit.kinds())[5:] == ["order.filled", "position.closed"]


async def test_an_old_or_a_closed_market_lets_limits_rest_and_nothing_fills(pit: Pit):
    pit.told[BTC] |= {"as_of": NOON}
    pit.house.clock.turn(120)

    resting = (await pit.place("BUY", "LIMIT", limitPrice="101"))["order"]
    pit.told[BTC] |= {"price_type": PriceType.LAST}
    await pit.tick()
    still = await pit.order(resting["id"])
    pit.price("99", "101")
    await pit.tick()

    assert (resting["status"], still["status"]) == ("ACCEPTED", "ACCEPTED")
    assert (await pit.order(resting["id"]))["status"] == "FILLED"


async def test_fractions_that_no_currency_has_are_rounded_once_and_the_ledger_stays_exact(pit: Pit):
    for side, bid, ask in (("BUY", "0.333", "0.337"), ("BUY", "0.331", "0.339"), ("SELL", "0.341", "0.349")):
        pit.price(bid, ask)
        await pit.place(side, "MARKET", "33.333")
    pit.price("0.335", "0.337")
    await pit.place("SELL", "MARKET", "33.333")

    assert await pit.positions() == {}
    assert await pit.held() == ("9999.97", "0")
    assert await pit.findings() == []


async def test_an_account_that_got_something_else_while_prices_were_asked_is_priced_anew(
    pit: Pit, monkeypatch: pytest.MonkeyPatch
):
    """Another client converts money meanwhile: here once prices were asked, and before the account is locked."""
    pit.price("1.1", "1.1", "fx:EUR/USD")
    asked: list[Any] = []

    async def ground_of(*given: Any, **more: Any) -> Ground:
        found = await ground.ground_of(*given, **more)
        if not asked:
            await pit.pay_in("tacc_2", "EUR", "10")
        asked.append(more["currencies"])
        return found

    monkeypatch.setattr(knowing, "ground_of", ground_of)
    placed = await pit.place("BUY", "MARKET", "1", accountId="tacc_2")

    assert placed["order"]["status"] == "FILLED"
    assert asked == [{"USD"}, {"USD", "EUR"}]


async def test_whatever_changes_orders_is_priced_anew_where_the_account_holds_something_new(
    pit: Pit, monkeypatch: pytest.MonkeyPatch
):
    """Replacing, protecting and groups, as placing."""
    pit.price("1.1", "1.1", "fx:EUR/USD")
    mine = {"accountId": "tacc_2"}
    await pit.place("BUY", "MARKET", "1", **mine)
    resting = (await pit.place("BUY", "LIMIT", "1", limitPrice="90", **mine))["order"]["id"]
    part = wish("BUY", "LIMIT", "1", limitPrice="91")
    del part["accountId"]
    deeds: list[tuple[str, dict[str, Any]]] = [
        (REPLACE, {"orderId": resting, "limitPrice": "92"}),
        (PROTECT, {"symbol": BTC, "stopLoss": {"stopPrice": "80"}} | mine),
        (GROUP, {"rule": "OCO", "orders": [part, part]} | mine),
    ]  # fmt: skip
    asked: list[Any] = []
    money = iter(("EUR", "CHF", "GBP"))

    async def ground_of(*given: Any, **more: Any) -> Ground:
        found = await ground.ground_of(*given, **more)
        if not asked:
            await pit.pay_in("tacc_2", next(money), "10")
        asked.append(len(more["currencies"]))
        return found

    monkeypatch.setattr(knowing, "ground_of", ground_of)
    found = []
    for document, given in deeds:
        asked.clear()
        # Nobody prices francs and pounds: known to be so, where they were asked for.
        payload = await pit.see(document, i=given)
        found.append((list(asked), [each["code"] for each in payload["userErrors"]]))

    assert found == [([1, 2], []), ([2, 3], []), ([3, 3, 4, 4], ["NO_PRICE"])]
