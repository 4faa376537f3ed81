"""Our books and the brokers': what differs is found, booked where it can be, told where it cannot."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from plugins.trading.brokers import alpaca_wire, binance_wire
from plugins.trading.brokers.settling import Settler
from plugins.trading.rows import AccountRow, OrderRow
from plugins.trading.tables import accounts
from tests.doubles.brokers import DOWN, KEY
from tests.plugins.trading.brokers.gates import Gate
from tests.plugins.trading.brokers.room import CANCEL, PLACE, SYMBOLS, Room
from tests.plugins.trading.rowsof import D

BOTH = ("tacc_a", "tacc_b")


async def test_money_that_differs_twice_in_a_row_is_booked_with_its_reason(room: Room) -> None:
    room.venue("tacc_a").cash = {"USD": "250.75"}
    room.venue("tacc_b").cash = {"USDT": "40.5", "DOGE": "7"}

    await room.look()
    assert await room.entries("tacc_a") == []
    with capture_logs() as logs:
        await room.look()
    await room.look()

    for account, memo in (
        ("tacc_a", "alpaca_paper holds 250.75 USD, the books had 0"),
        ("tacc_b", "binance_testnet holds 40.5 USDT, the books had 0"),
    ):
        found = [(row.kind, row.memo, row.made_by) for row in await room.entries(account)]
        assert found == [("ADJUSTMENT", memo, "broker")]
    assert [each["reason"] for each in logs if each["event"] == "broker_units_differ"] == [
        "binance_testnet holds 7 DOGE, the books had 0"
    ]
    assert (await room.holds("tacc_a"))[0] == {"USD": "250.75"}
    async with room.house.store.read() as tx:
        rows = await tx.all(accounts.select().order_by(accounts.c.id), AccountRow)
    # Money that came is no profit of the day.
    assert [row.day_equity for row in rows] == [D("250.75"), D("40.5")]

    room.venue("tacc_a").cash = {"USD": "200"}
    await room.look()
    assert len(await room.entries("tacc_a")) == 1
    await room.look(300)
    await room.look()
    assert (await room.holds("tacc_a"))[0] == {"USD": "200.00"}
    assert await room.findings() == []


async def test_a_fill_between_two_questions_is_no_difference(room: Room) -> None:
    venue = room.venue("tacc_b")
    venue.cash = {"USDT": "500"}
    await room.look()
    await room.look()
    placed = (await room.place("tacc_b"))["order"]

    venue.cash, venue.units = {"USDT": "400"}, {"BTC": "1"}
    await room.look(300)
    venue.fill(venue.by_client_id(placed["id"]), "1", "100")
    await room.look()
    await room.look()

    assert [row.kind for row in await room.entries("tacc_b")] == ["ADJUSTMENT", "TRADE_PNL"]
    assert await room.holds("tacc_b") == ({"USDT": "400.00000000"}, {SYMBOLS["tacc_b"]: "1"})


async def test_an_order_ends_once_its_fills_are_told_and_until_then_no_money_differs(room: Room) -> None:
    for account, money in (("tacc_a", "USD"), ("tacc_b", "USDT")):
        venue = room.venue(account)
        placed = (await room.place(account))["order"]
        venue.fill(venue.by_client_id(placed["id"]), "1", "100")
        venue.cash, venue.hides_fills = {money: "-100"}, True

        for _ in range(3):
            await room.look()
        assert (await room.order(placed["id"])).status == "ACCEPTED"
        assert await room.entries(account) == []
        venue.hides_fills = False
        await room.look()
        await room.look()

        assert (await room.order(placed["id"])).status == "FILLED"
        assert [row.kind for row in await room.entries(account)] == ["TRADE_PNL"]


async def test_an_order_of_ours_that_works_though_it_has_ended_here_is_cancelled_and_its_fills_are_booked(
    room: Room,
) -> None:
    for account in BOTH:
        venue = room.venue(account)
        end = "/orders" if account == "tacc_a" else "/order"
        venue.faults.append(("POST", end, DOWN))
        placed = (await room.place(account))["order"]
        await room.look(61)
        assert (await room.order(placed["id"])).status == "REJECTED"

        late = venue.add(
            client_id=placed["id"], symbol="BTC/USD" if account == "tacc_a" else "BTCUSDT", side="BUY", type="LIMIT",
            tif="GTC", quantity=D(1), price="100",
        )  # fmt: skip
        venue.fill(late, "0.5", "100")
        await room.look(300)

        row = await room.order(placed["id"])
        assert (late.status, row.status, row.filled, len(await room.fills(row.id))) == (
            "canceled", "REJECTED", D("0.5"), 1
        )  # fmt: skip
    assert await room.findings() == []


async def test_an_order_that_the_broker_has_lost_ends_after_a_minute_of_looking(room: Room) -> None:
    placed = (await room.place("tacc_b"))["order"]
    await room.look(3600)
    room.venue("tacc_b").orders.clear()

    for _ in range(11):
        await room.look()
    assert (await room.order(placed["id"])).status == "ACCEPTED"
    await room.look()

    row = await room.order(placed["id"])
    assert (row.status, row.reason) == ("CANCELED", "BROKER_LOST: the broker does not know it any more")


async def test_a_broker_out_of_reach_keeps_no_other_waiting_and_is_looked_at_as_a_whole_afterwards(room: Room) -> None:
    a, b = room.venue("tacc_a"), room.venue("tacc_b")
    one, other = [(await room.place(account))["order"] for account in BOTH]
    await room.look()
    whole = a.count("GET", "/account")
    for account, placed in zip(BOTH, (one, other), strict=True):
        venue = room.venue(account)
        venue.fill(venue.by_client_id(placed["id"]), "1", "100")
    a.faults.append(("GET", f"/orders/{a.by_client_id(one['id']).id}", DOWN))

    await room.look()
    assert [(await room.order(each["id"])).status for each in (one, other)] == ["ACCEPTED", "FILLED"]
    await room.look()

    assert (await room.order(one["id"])).status == "FILLED"
    assert a.count("GET", "/account") == whole + 1
    assert b.count("POST", "/order") == 1


async def test_two_processes_that_look_at_once_book_once(room: Room) -> None:
    for account in BOTH:
        venue = room.venue(account)
        placed = (await room.place(account))["order"]
        venue.fill(venue.by_client_id(placed["id"]), "0.4", "100")
        venue.fill(venue.by_client_id(placed["id"]), "0.6", "100")

        await asyncio.gather(*(room.look() for _ in range(4)))

        assert [each.number for each in await room.fills(placed["id"])] == [1, 2]
        assert (await room.order(placed["id"])).status == "FILLED"
    assert await room.findings() == []


async def test_many_open_orders_are_asked_for_with_one_question_and_none_where_nothing_is_open(room: Room) -> None:
    for account, listing in (("tacc_a", "/orders"), ("tacc_b", "/openOrders")):
        venue = room.venue(account)
        await room.look()
        await room.look()
        asked = len(venue.asked)
        await room.look()
        assert len(venue.asked) == asked

        placed = [(await room.place(account))["order"]["id"] for _ in range(4)]
        venue.asked.clear()
        await room.look()
        assert [each for each in venue.asked if not each[1].endswith("/time")] == [
            ("GET", f"/{'alpaca_paper/v2' if account == 'tacc_a' else 'binance_testnet/api/v3'}{listing}")
        ]
        assert {(await room.order(each)).version for each in placed} == {2}


async def test_a_halted_account_takes_no_orders_and_lets_them_be_cancelled(room: Room) -> None:
    placed = (await room.place("tacc_a"))["order"]
    async with room.house.store.write() as tx:
        await tx.run(accounts.update().values(halted=True, halt_reason="lunch"))
    asked = list(room.venue("tacc_a").asked)
    wanted = {"accountId": "tacc_a", "symbol": SYMBOLS["tacc_a"], "side": "BUY", "type": "MARKET", "quantity": "1"}

    assert await room.code(PLACE, **wanted) == "KILL_SWITCH"
    assert room.venue("tacc_a").asked == asked
    assert (await room.do(CANCEL, orderId=placed["id"]))["order"]["status"] == "CANCELED"


async def test_a_key_that_is_not_taken_is_told_once_and_not_tried_all_the_time(room: Room) -> None:
    await room.place("tacc_b")
    await room.look()
    await room.look()
    venue, asked = room.venue("tacc_b"), room.venue("tacc_b").count("GET", "/order")
    venue.key = "another"

    with capture_logs() as logs:
        for _ in range(14):
            await room.look()

    told = "binance_testnet does not take the key: Invalid API-key, IP, or permissions for action. (-2015)"
    assert [each["reason"] for each in logs if each["event"] == "broker_not_reconciled"] == [told]
    assert (venue.count("GET", "/order"), venue.count("GET", "/openOrders")) == (asked + 1, 2)
    venue.key = KEY
    await room.look(60)
    assert (await room.orders("tacc_b"))[0].status == "ACCEPTED"


@pytest.mark.parametrize("account", BOTH)
@pytest.mark.parametrize("canceled", [False, True])
async def test_an_order_that_was_given_up_and_is_filled_there_all_the_same_is_booked(
    room: Room, account: str, canceled: bool
) -> None:
    venue = room.venue(account)
    venue.faults.append(("POST", "/orders" if account == "tacc_a" else "/order", DOWN))
    id = (await room.place(account))["order"]["id"]
    if canceled:
        await room.do(CANCEL, orderId=id)
    await room.look(61)
    given_up = await room.order(id)
    late = venue.add(
        client_id=id, symbol="BTC/USD" if account == "tacc_a" else "BTCUSDT", side="BUY", type="LIMIT", tif="GTC",
        quantity=D(1), price="100",
    )  # fmt: skip
    venue.cash = {"USD" if account == "tacc_a" else "USDT": "-100"}
    venue.units = {"BTCUSD" if account == "tacc_a" else "BTC": "1"}
    venue.fill(late, "1", "100")
    venue.hides_fills = True

    await room.look(300)
    await room.look()
    assert (await room.order(id)).filled == 0
    venue.hides_fills = False
    await room.look()
    asked = venue.count("GET", "/FILL") + venue.count("GET", "/myTrades")
    await room.look(300)
    await room.look(300)

    row = await room.order(id)
    assert (row.status, row.reason, row.filled, row.paid) == (given_up.status, given_up.reason, D(1), D(100))
    # Its money is its own, and no adjustment; and what is booked is not asked for again.
    assert [each.kind for each in await room.entries(account)] == ["TRADE_PNL"]
    assert venue.count("GET", "/FILL") + venue.count("GET", "/myTrades") == asked
    assert await room.findings() == []


async def test_an_order_that_the_broker_had_lost_and_has_filled_is_booked(room: Room) -> None:
    venue = room.venue("tacc_b")
    placed = (await room.place("tacc_b"))["order"]
    await room.look(3600)
    lost = dict(venue.orders)
    venue.orders.clear()
    for _ in range(12):
        await room.look()
    assert (await room.order(placed["id"])).status == "CANCELED"

    venue.orders |= lost
    venue.fill(venue.orders["1"], "0.25", "100")
    venue.orders["1"].status = "canceled"
    await room.look(300)

    row = await room.order(placed["id"])
    assert (row.status, row.filled, row.fills) == ("CANCELED", D("0.25"), 1)


async def test_orders_that_were_given_up_are_asked_for_a_day_and_no_more_than_some_of_them(room: Room) -> None:
    venue = room.venue("tacc_a")
    for _ in range(25):
        venue.faults.append(("POST", "/orders", DOWN))
        await room.place("tacc_a")
    await room.look(61)
    assert [row.status for row in await room.orders("tacc_a")] == ["REJECTED"] * 25
    await room.look(300)
    venue.asked.clear()

    await room.look(300)
    assert venue.count("GET", "client_order_id") == 20
    venue.asked.clear()
    await room.look(86_400)
    assert venue.count("GET", "client_order_id") == 0


async def test_a_stray_that_is_filled_before_it_is_cancelled_is_booked(room: Room) -> None:
    venue = room.venue("tacc_b")
    venue.faults.append(("POST", "/order", DOWN))
    id = (await room.place("tacc_b"))["order"]["id"]
    await room.look(61)
    late = venue.add(
        client_id=id, symbol="BTCUSDT", side="BUY", type="LIMIT", tif="GTC", quantity=D(1), price="100"
    )  # fmt: skip
    gate = Gate(venue, "DELETE", "/order")
    looking = await gate.holding(room.look(300))
    venue.fill(late, "1", "100")

    gate.open()
    await looking

    row = await room.order(id)
    assert (row.status, row.filled, late.status) == ("REJECTED", D(1), "filled")


async def test_an_order_of_more_fills_than_stand_on_many_pages_is_booked(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alpaca_wire, "PAGE", 1)
    monkeypatch.setattr(binance_wire, "TRADES_PAGE", 1)
    for account in BOTH:
        venue = room.venue(account)
        placed = (await room.place(account, quantity="0.51"))["order"]
        for _ in range(51):
            venue.fill(venue.by_client_id(placed["id"]), "0.01", "100")

        await room.look()

        row = await room.order(placed["id"])
        assert (row.status, row.filled, row.fills) == ("FILLED", D("0.51"), 51)


async def test_a_trade_with_oneself_has_one_id_at_the_broker_and_is_booked_of_both_orders(room: Room) -> None:
    """Numbers come again too where a test network was wiped, and counts its trades anew."""
    for account in BOTH:
        venue = room.venue(account)
        await room.limit(account, None, margin="MARGIN")
        bought = (await room.place(account))["order"]["id"]
        sold = (await room.place(account, "SELL", limitPrice="101"))["order"]["id"]
        venue.fill(venue.by_client_id(bought), "1", "100", id="777")
        venue.fill(venue.by_client_id(sold), "1", "101", id="777")

        await room.look()
        await room.look()

        rows = [await room.order(bought), await room.order(sold)]
        booked = [each for row in rows for each in await room.fills(row.id)]
        assert [(row.status, row.filled) for row in rows] == [("FILLED", D(1))] * 2
        assert [each.price for each in booked] == [D(100), D(101)]
        assert booked[0].broker_fill_id == booked[1].broker_fill_id
        assert (await room.holds(account))[1] == {}
    assert await room.findings() == []


async def test_orders_that_have_not_changed_are_not_locked_again(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    for account in BOTH:
        placed = [(await room.place(account))["order"]["id"] for _ in range(4)]
        room.venue(account).fill(room.venue(account).by_client_id(placed[0]), "0.4", "100")
    await room.look()
    await room.look()
    settled: list[str] = []
    settle = Settler.settle

    async def noted(self: Settler, row: OrderRow, *given: Any, **how: Any) -> OrderRow:
        settled.append(row.id)
        return await settle(self, row, *given, **how)

    monkeypatch.setattr(Settler, "settle", noted)
    await room.look()
    assert settled == []

    venue = room.venue("tacc_b")
    second = (await room.orders("tacc_b"))[1].id
    venue.fill(venue.by_client_id(second), "1", "100")
    await room.look()

    assert (settled, (await room.order(second)).status) == ([second], "FILLED")
