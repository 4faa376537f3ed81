"""Orders of which the broker says nothing, or nothing that can be read: all others are looked at all the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from gateway.core.identity import Role
from tests.doubles.brokers import DOWN, DOWN_AFTER
from tests.plugins.trading.brokers.room import ADJUST, CANCEL, MONEY, REPLACE, SYMBOLS, Room, hold
from tests.plugins.trading.rowsof import D

BOTH = ("tacc_a", "tacc_b")


def unasked(room: Room, account: str, id: str, answer: Callable[[], web.Response]) -> None:
    """Whoever asks for that order at its broker is answered so."""
    venue = room.venue(account)
    at_broker, respond = venue.by_client_id(id).id, venue.respond

    async def responds(request: web.Request) -> web.Response:
        mine = request.query.get("orderId") == at_broker or request.path.endswith(f"/orders/{at_broker}")
        return answer() if request.method == "GET" and mine else await respond(request)

    venue.respond = responds


@pytest.mark.parametrize(
    ("account", "body", "status", "told"),
    [
        ("tacc_a", {"message": "no such asset"}, 422, "no such asset"),
        ("tacc_b", {"code": -1121, "msg": "Invalid symbol."}, 400, "Invalid symbol. (-1121)"),
        ("tacc_b", {}, 200, "binance_testnet GET /api/v3/order: $.status is no text"),
    ],
)
async def test_an_order_that_the_broker_says_nothing_of_keeps_no_other_from_being_looked_at(
    room: Room, account: str, body: dict[str, Any], status: int, told: str
) -> None:
    venue = room.venue(account)
    await room.look()
    await room.look()
    first, second, later = [(await room.place(account))["order"]["id"] for _ in range(3)]
    unasked(room, account, first, lambda: web.json_response(body, status=status))
    for each in (first, second):
        venue.fill(venue.by_client_id(each), "1", "100")
    venue.cash = {"USD" if account == "tacc_a" else "USDT": "-200"}
    whole = venue.count("GET", "/account")

    with capture_logs() as logs:
        await room.look()
        await room.look(300)
        await room.look()
    rows = [await room.order(each) for each in (first, second, later)]

    assert [row.status for row in rows] == ["ACCEPTED", "FILLED", "ACCEPTED"]
    unclear = [each for each in logs if each["event"] == "broker_order_not_reconciled"]
    assert [(each["order"], each["reason"]) for each in unclear] == [(first, told)]
    # Money may have moved for that order: nothing is booked for it meanwhile.
    assert (venue.count("GET", "/account"), [each.kind for each in await room.entries(account)]) == (
        whole, ["TRADE_PNL"]
    )  # fmt: skip


async def test_an_order_that_binance_has_archived_unfilled_has_ended(room: Room) -> None:
    told = "Order was canceled or expired with no executed qty over 90 days ago and has been archived."
    id = (await room.place("tacc_b"))["order"]["id"]
    room.venue("tacc_b").by_client_id(id).status = "canceled"
    unasked(room, "tacc_b", id, lambda: web.json_response({"code": -2026, "msg": told}, status=400))

    await room.look()

    row = await room.order(id)
    assert (row.status, row.open, row.reason) == ("CANCELED", False, f"Binance says: {told}")


@pytest.mark.parametrize("account", BOTH)
async def test_an_order_of_others_that_cannot_be_read_keeps_none_from_being_looked_at(room: Room, account: str) -> None:
    venue = room.venue(account)
    placed = [(await room.place(account))["order"]["id"] for _ in range(4)]
    other = venue.add(client_id="web_1", symbol="BTCUSDT", side="BUY", type="LIMIT", tif="GTC", quantity=D(1))
    shown = venue._shown
    venue._shown = lambda order: shown(order) | ({"status": "pondering"} if order is other else {})
    venue.fill(venue.by_client_id(placed[0]), "1", "100")

    await room.look()

    assert [(await room.order(each)).status for each in placed] == ["FILLED", "ACCEPTED", "ACCEPTED", "ACCEPTED"]


@pytest.mark.parametrize("mine", [False, True])
@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({}, 200, "alpaca_paper GET /v2/orders/1: $.status is no text"),
        ({"message": "no such asset"}, 422, "alpaca_paper tells nothing of order 1, which was replaced: no such asset"),
    ],
)
async def test_an_order_that_replaced_one_of_which_nothing_is_told_keeps_none_from_being_looked_at(
    room: Room, mine: bool, body: dict[str, Any], status: int, told: str
) -> None:
    venue = room.venue("tacc_a")
    await room.look()
    await room.look()
    if mine:
        client_id = (await room.place("tacc_a"))["order"]["id"]
        await room.do(REPLACE, orderId=client_id, limitPrice="101")
    else:
        client_id, wanted = "web_1", {"symbol": "AAPL", "side": "buy", "type": "limit", "tif": "gtc", "quantity": D(1)}
        venue.add(client_id=client_id, status="replaced", replaced_by="2", **wanted)
        venue.add(client_id="web_2", replaces="1", **wanted)
    unasked(room, "tacc_a", client_id, lambda: web.json_response(body, status=status))
    room.restart()
    placed = [(await room.place("tacc_a"))["order"]["id"] for _ in range(4)]
    venue.fill(venue.by_client_id(placed[0]), "1", "100")

    with capture_logs() as logs:
        await room.look()
        for _ in range(13):
            await room.look(300)

    assert [(await room.order(each)).status for each in placed] == ["FILLED", "ACCEPTED", "ACCEPTED", "ACCEPTED"]
    told_of = [(each["order"], each["reason"]) for each in logs if each["event"] == "broker_order_not_reconciled"]
    assert told_of == ([(client_id, told)] if mine else [])
    assert [each["event"] for each in logs if each["event"] == "broker_not_reconciled"] == []
    assert [(row.status, row.quantity) for row in await room.orders("tacc_a") if row.id == client_id] == (
        [("ACCEPTED", D(1))] if mine else []
    )


async def replaced_untold(room: Room, quantity: str = "1") -> str:
    """An order at Alpaca that has replaced one of which it refuses to tell."""
    id: str = (await room.place("tacc_a", quantity=quantity))["order"]["id"]
    await room.do(REPLACE, orderId=id, limitPrice="99")
    unasked(room, "tacc_a", id, lambda: web.json_response({"message": "no such asset"}, status=422))
    room.restart()
    return id


async def test_what_is_filled_of_an_order_is_booked_though_nothing_is_told_of_the_one_that_it_replaced(
    room: Room,
) -> None:
    id, venue = await replaced_untold(room), room.venue("tacc_a")
    venue.fill(venue.orders["2"], "1", "99")
    venue.cash, venue.units = {"USD": "-99"}, {"BTCUSD": "1"}
    with capture_logs() as logs:
        await room.look()
        booked = await room.holds("tacc_a")
        for _ in range(11):
            await room.look(301)
        before = (await room.order(id)).status
        await room.look(301)
        await room.look(301)

    row = await room.order(id)
    assert booked == ({"USD": "-99.00"}, {SYMBOLS["tacc_a"]: "1"})
    assert (before, row.status, row.quantity, row.filled) == ("PARTIALLY_FILLED", "FILLED", D(1), D(1))
    told = "alpaca_paper tells nothing of order 1, which was replaced: no such asset"
    assert [(each["order"], each["reason"]) for each in logs if each["event"] == "broker_order_missing"] == [(id, told)]
    assert await room.holds("tacc_a") == booked
    assert await room.findings() == []


async def test_an_order_that_works_is_not_given_up_though_nothing_is_told_of_the_one_that_it_replaced(
    room: Room,
) -> None:
    id, venue = await replaced_untold(room, "3"), room.venue("tacc_a")
    venue.fill(venue.orders["2"], "1", "99")
    for _ in range(20):
        await room.look(301)
    works = await room.order(id)
    venue.faults.append(("DELETE", "/orders/2", DOWN))
    await room.do(CANCEL, orderId=id)
    await room.look()
    there = venue.orders["2"].status
    for _ in range(13):
        await room.look(301)

    row = await room.order(id)
    assert (works.status, works.quantity, works.filled) == ("PARTIALLY_FILLED", D(3), D(1))
    assert there == "canceled"
    assert (row.status, row.reason, row.filled) == ("CANCELED", "Alpaca says canceled", D(1))


async def test_an_order_whose_status_cannot_be_read_is_cancelled_all_the_same(room: Room) -> None:
    venue = room.venue("tacc_a")
    shown = venue._shown
    venue._shown = lambda order: shown(order) | ({"status": "pondering"} if order.open else {})
    placed = (await room.place("tacc_a"))["order"]

    asked = (await room.do(CANCEL, orderId=placed["id"]))["order"]

    row = await room.order(placed["id"])
    assert (placed["status"], asked["status"]) == ("NEW", "CANCELED")
    assert (venue.count("DELETE", "/orders/1"), venue.orders["1"].status) == (1, "canceled")
    assert (row.status, row.broker_order_id, row.filled) == ("CANCELED", "1", D(0))


async def test_a_given_up_order_that_the_broker_says_nothing_of_keeps_no_other_from_being_booked(room: Room) -> None:
    venue, ids = room.venue("tacc_a"), []
    for _ in range(2):
        venue.faults.append(("POST", "/orders", DOWN))
        ids.append((await room.place("tacc_a"))["order"]["id"])
    await room.look(61)
    late = venue.add(
        client_id=ids[0], symbol="BTC/USD", side="BUY", type="LIMIT", tif="GTC", quantity=D(1), price="100"
    )  # fmt: skip
    venue.fill(late, "1", "100")
    respond = venue.respond

    async def responds(request: web.Request) -> web.Response:
        if request.query.get("client_order_id") == ids[1]:
            return web.json_response({"message": "no such asset"}, status=422)
        answered: web.Response = await respond(request)
        return answered

    venue.respond = responds
    await room.look(300)

    assert [(await room.order(each)).filled for each in ids] == [D(1), D(0)]


def gone(room: Room, *, lists: bool = False) -> None:
    """Binance does not know the symbol any more; whether its orders stand among the open ones still."""
    venue = room.venue("tacc_b")
    respond = venue.respond

    async def responds(request: web.Request) -> web.Response:
        if request.query.get("symbol") == "BTCUSDT":
            return web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)
        if request.path.endswith("/openOrders") and not lists:
            return web.json_response([])
        answered: web.Response = await respond(request)
        return answered

    venue.respond = responds


@pytest.mark.parametrize("canceled", [False, True])
async def test_an_order_of_which_the_broker_tells_and_lists_nothing_for_an_hour_has_ended(
    room: Room, canceled: bool
) -> None:
    room.role = Role.OWNER
    await hold(room, "tacc_b", "1", loss=None)
    id = (await room.place("tacc_b", "SELL", limitPrice="105", reduceOnly=True))["order"]["id"]
    gone(room)
    room.venue("tacc_b").units = {"BTC": "0"}
    if canceled:
        await room.do(CANCEL, orderId=id)
    for _ in range(12):
        await room.look(301)
    before = (await room.order(id)).open

    await room.look(301)

    row = await room.order(id)
    assert (before, row.status, row.open) == (True, "CANCELED", False)
    assert row.reason == "BROKER_LOST: the broker does not know it any more"
    await room.do(ADJUST, accountId="tacc_b", symbol=SYMBOLS["tacc_b"], reason="taken off")
    assert await room.holds("tacc_b") == ({"USDT": "-100.00000000"}, {})
    assert await room.findings() == []


async def test_an_order_that_the_broker_tells_nothing_of_and_lists_goes_on(room: Room) -> None:
    id = (await room.place("tacc_b"))["order"]["id"]
    await room.do(REPLACE, orderId=id, limitPrice="99")
    room.venue("tacc_b").faults.append(("POST", "cancelReplace", DOWN_AFTER))
    await room.do(REPLACE, orderId=id, limitPrice="98")
    gone(room, lists=True)

    for _ in range(30):
        await room.look(301)

    assert (await room.order(id)).status == "PENDING_REPLACE"


async def test_an_order_that_the_broker_tells_of_again_within_the_hour_goes_on(room: Room) -> None:
    id = (await room.place("tacc_b"))["order"]["id"]
    venue, respond = room.venue("tacc_b"), room.venue("tacc_b").respond
    for _ in range(2):
        gone(room)
        for _ in range(8):
            await room.look(301)
        venue.respond = respond
        await room.look()

    row = await room.order(id)
    assert (row.status, row.open) == ("ACCEPTED", True)


@pytest.mark.parametrize(("account", "name"), [("tacc_a", "BTCUSD"), ("tacc_b", "BTC")])
async def test_money_is_not_compared_beside_an_order_that_nobody_has_answered(
    room: Room, account: str, name: str
) -> None:
    venue, currency = room.venue(account), MONEY[account]
    venue.cash = {currency: "1000"}
    await room.look(301)
    await room.look()
    venue.fills_at = "100"
    venue.faults.append(("POST", "/orders" if account == "tacc_a" else "/order", DOWN_AFTER))
    id = (await room.place(account, type="MARKET"))["order"]["id"]
    # It is filled, and the list of orders lags.
    lists, venue.orders = venue.orders, {}
    venue.cash, venue.units = {currency: "900"}, {name: "1"}
    room.restart()
    for _ in range(4):
        await room.look()
    venue.orders = lists
    for _ in range(4):
        await room.look()

    assert (await room.order(id)).status == "FILLED"
    cash, units = await room.holds(account)
    assert (D(cash[currency]), units) == (D(900), {SYMBOLS[account]: "1"})
    assert [each.kind for each in await room.entries(account)] == ["ADJUSTMENT", "TRADE_PNL"]


async def test_an_order_that_alpaca_has_replaced_without_saying_by_which_stays_open_for_an_hour(room: Room) -> None:
    venue = room.venue("tacc_a")
    await room.look()
    await room.look()
    id = (await room.place("tacc_a"))["order"]["id"]
    old = venue.by_client_id(id)
    venue.fill(old, "0.25", "100")
    old.status = "replaced"
    venue.cash = {"USD": "-25"}

    with capture_logs() as logs:
        await room.look()
        for _ in range(11):
            await room.look(301)
        before = await room.order(id)
        for _ in range(2):
            await room.look(301)
    after = await room.order(id)

    told = f"alpaca_paper says that order {old.id} was replaced, and not by which"
    assert [each["reason"] for each in logs if each["event"] == "broker_order_not_reconciled"] == [told]
    assert (before.status, before.filled) == ("PARTIALLY_FILLED", D("0.25"))
    assert (after.status, after.reason) == ("CANCELED", "Alpaca says replaced")
    assert [each["reason"] for each in logs if each["event"] == "broker_order_missing"] == [told]
