"""A broker that answers some questions and others not: what it answers is booked."""

from __future__ import annotations

import pytest
from aiohttp import web
from sqlalchemy import func, select
from structlog.testing import capture_logs

from plugins.trading.tables import orders
from tests.doubles.brokers import DOWN
from tests.plugins.trading.brokers.room import BROKERS, CANCEL, Room
from tests.plugins.trading.brokers.test_reach import _others, _work

BOTH = ("tacc_a", "tacc_b")
LISTS = {"tacc_a": "/v2/orders", "tacc_b": "/v3/openOrders"}
REFUSALS = {"tacc_a": 403, "tacc_b": 400}


def failing(room: Room, account: str, end: str, status: int = 500) -> list[bool]:
    """Whoever reads that is told of a fault, as long as something stands in the list."""
    venue, fails = room.venue(account), [True]
    respond = venue.respond

    async def responds(request: web.Request) -> web.StreamResponse:
        if fails and request.method == "GET" and request.path.endswith(end):
            return web.json_response({"code": -1, "msg": "no list", "message": "no list"}, status=status)
        answered: web.StreamResponse = await respond(request)
        return answered

    venue.respond = responds
    return fails


@pytest.mark.parametrize("account", BOTH)
@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize("more", [0, 3])
async def test_where_the_list_of_orders_fails_each_is_asked_for_and_what_they_hold_once_it_is_back(
    room: Room, account: str, refused: bool, more: int
) -> None:
    venue = room.venue(account)
    await room.look()
    await room.look()
    first, second, *_ = [(await room.place(account))["order"]["id"] for _ in range(2 + more)]
    fails = failing(room, account, LISTS[account], REFUSALS[account] if refused else 500)
    whole = venue.count("GET", "/account")
    venue.fill(venue.by_client_id(first), "1", "100")
    venue.faults.append(("DELETE", "", DOWN))
    await room.see(CANCEL, orderId=second)

    with capture_logs() as logs:
        for _ in range(3):
            await room.look(301)
    rows, unlooked = [await room.order(each) for each in (first, second)], venue.count("GET", "/account")
    fails.clear()
    await room.look()

    assert [row.status for row in rows] == ["FILLED", "CANCELED"]
    assert venue.by_client_id(second).status == "canceled"
    told = [each["reason"] for each in logs if each["event"] == "broker_not_reconciled"]
    assert told == [_told(account, refused)]
    assert (unlooked, venue.count("GET", "/account")) == (whole, whole + 1)


def _told(account: str, refused: bool) -> str:
    if account == "tacc_a":
        return "no list" if refused else f"{BROKERS[account]} answered with status 500"
    return "no list (-1)" if refused else f"{BROKERS[account]}: no list"


@pytest.mark.parametrize("end", ["/positions", "/account"])
async def test_where_a_broker_does_not_tell_what_it_holds_all_accounts_orders_are_booked(room: Room, end: str) -> None:
    await room.look()
    await room.look()
    await _others(room)
    await _work(room)
    await room.look()
    failing(room, "tacc_a", end)
    await room.look(301)
    venue = room.venue("tacc_a")
    for each in venue.orders.values():
        venue.fill(each, "1", "100")

    left = []
    for _ in range(3):
        await room.look(30)
        async with room.house.store.read() as tx:
            left.append(await tx.value(select(func.count()).select_from(orders).where(orders.c.open.is_(True))))

    assert left[-1] == 0, left
