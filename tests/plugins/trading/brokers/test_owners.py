"""Whose a key is: one of another account at the same broker touches neither that account nor our books."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from gateway.core.identity import Role
from plugins.trading.brokers import catalog
from plugins.trading.tables import accounts
from tests.doubles.brokers import DOWN, HANG, KEY, LIMITED
from tests.plugins.trading.brokers.room import (
    ADJUST,
    BROKERS,
    CANCEL,
    CANCEL_ALL,
    CLOSE,
    PLACE,
    REPLACE,
    SYMBOLS,
    Room,
    hold,
    mutation,
)
from tests.plugins.trading.rowsof import D

BOTH = ("tacc_a", "tacc_b")
OURS, OTHER = "904837e3", "c0ffee00"
UPDATE = mutation("tradingAccountUpdate", "TradingAccountUpdateInput", "account { id }")


def told(account: str) -> str:
    """Why a key of the other account is refused."""
    return (
        f"The key for {BROKERS[account]} is of the account {OTHER} there, and {account} is {OURS}: "
        f"set a key of {OURS}, or, where that one is no more, let the books follow the key with "
        f'`tradingAccountUpdate(input: {{id: "{account}", withoutBrokerAccount: true}})`'
    )


async def protected(room: Room, account: str) -> str:
    """One of bitcoin is held, and an order to sell it rests."""
    await hold(room, account, "1", loss=None)
    await room.look(301)
    given = {"limitPrice": "120", "reduceOnly": True}
    id: str = (await room.place(account, "SELL", "LIMIT", **given))["order"]["id"]
    return id


def unasked(room: Room, account: str) -> None:
    """The process has begun anew, and its broker does not say whose the key is."""
    venue = room.venue(account)
    respond = venue.respond

    async def responds(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/account"):
            return web.json_response({"message": "internal", "msg": "internal"}, status=500)
        answered: web.StreamResponse = await respond(request)
        return answered

    room.restart()
    venue.respond = responds


@pytest.mark.parametrize("account", BOTH)
async def test_a_key_of_another_account_ends_no_order_moves_no_money_and_leaves_what_works_where_it_is(
    room: Room, account: str
) -> None:
    id, venue = await protected(room, account), room.venue(account)
    there = dict(venue.orders), dict(venue.cash), dict(venue.units)
    before = await room.entries(account), await room.holds(account)

    room.switch(account, "key-of-bob", OTHER)
    with capture_logs() as logs:
        for _ in range(40):
            await room.look(10)
    meanwhile = (await room.order(id)).status, await room.entries(account), await room.holds(account)
    room.switch(account, KEY, OURS)
    venue.orders, venue.cash, venue.units = there
    for _ in range(40):
        await room.look(10)

    assert [each["reason"] for each in logs if each["event"] == "broker_not_reconciled"].count(told(account)) == 1
    assert meanwhile == ("ACCEPTED", *before)
    assert (await room.order(id)).status == "ACCEPTED"
    assert [each.status for each in venue.orders.values() if each.client_id == id] == ["new"]
    assert venue.count("DELETE", "") == 0
    assert (await room.entries(account), await room.holds(account)) == before


@pytest.mark.parametrize("account", BOTH)
@pytest.mark.parametrize("restarts", [False, True])
async def test_nothing_is_placed_or_asked_for_by_a_key_of_another_account(
    room: Room, account: str, restarts: bool
) -> None:
    id, venue = await protected(room, account), room.venue(account)
    room.switch(account, "key-of-bob", OTHER)
    room.role = Role.OWNER
    if restarts:
        room.restart()
    venue.asked.clear()
    wanted = {"accountId": account, "symbol": SYMBOLS[account]}
    order = {**wanted, "side": "BUY", "type": "MARKET", "quantity": "1"}

    payloads = [
        await room.see(PLACE, **order), await room.see(REPLACE, orderId=id, limitPrice="130"),
        await room.see(CANCEL, orderId=id), await room.see(CANCEL_ALL, accountId=account),
        await room.see(CLOSE, **wanted), await room.see(ADJUST, **wanted, reason="lost"),
    ]  # fmt: skip

    errors = [(each["userErrors"][0]["code"], each["userErrors"][0]["message"]) for each in payloads]
    assert errors == [("BROKER_UNAVAILABLE", f"{told(account)}.")] * 6
    assert [method for method, path in venue.asked if not path.endswith("/time")] == ["GET"]
    assert [(row.id, row.status) for row in await room.orders(account) if row.open] == [(id, "ACCEPTED")]


@pytest.mark.parametrize("account", BOTH)
async def test_the_books_follow_the_key_once_their_account_at_the_broker_is_given_up(room: Room, account: str) -> None:
    id = await protected(room, account)
    room.switch(account, "key-of-bob", OTHER)
    room.role = Role.OWNER

    await room.do(UPDATE, id=account, withoutBrokerAccount=True)
    for _ in range(14):
        await room.look()
    await room.look(300)
    await room.look()

    assert (await room.account(account)).broker_account == OTHER
    assert (await room.order(id)).reason == "BROKER_LOST: the broker does not know it any more"
    cash, units = await room.holds(account)
    assert {each.partition(".")[0] for each in cash.values()} == {"7777"}
    assert units == {SYMBOLS[account]: "1"}
    await room.do(ADJUST, accountId=account, symbol=SYMBOLS[account], reason="the paper account was reset")
    assert (await room.holds(account))[1] == {}


@pytest.mark.parametrize("account", BOTH)
async def test_whose_a_key_is_is_asked_once_and_kept_for_other_processes(room: Room, account: str) -> None:
    venue = room.venue(account)
    for _ in range(3):
        await room.place(account)
    asked = venue.count("GET", "/account")
    room.restart()
    venue.owner = OTHER

    code = await room.code(
        PLACE, accountId=account, symbol=SYMBOLS[account], side="BUY", type="MARKET", quantity="1"
    )  # fmt: skip

    assert (asked, (await room.account(account)).broker_account, code) == (1, OURS, "BROKER_UNAVAILABLE")
    assert venue.count("POST", "") == 3


@pytest.mark.parametrize("account", BOTH)
async def test_where_a_broker_has_never_told_whose_a_key_is_orders_are_placed_and_filled(
    room: Room, account: str
) -> None:
    venue = room.venue(account)
    venue.owner = None

    placed = (await room.place(account))["order"]
    venue.fill(venue.by_client_id(placed["id"]), "1", "100")
    await room.look()

    assert (await room.order(placed["id"])).status == "FILLED"
    assert (await room.account(account)).broker_account is None


@pytest.mark.parametrize("account", BOTH)
async def test_an_answer_that_tells_no_id_where_one_was_told_before_is_none_and_is_asked_for_anew(
    room: Room, account: str
) -> None:
    id, venue = await protected(room, account), room.venue(account)
    before = await room.entries(account)
    room.switch(account, "key-of-bob", OTHER)
    venue.owner = None
    posts = venue.count("POST", "")
    wanted = {"accountId": account, "symbol": SYMBOLS[account], "side": "BUY", "type": "MARKET", "quantity": "1"}

    untold = (await room.see(PLACE, **wanted))["userErrors"][0]
    await room.look(301)
    venue.owner = OTHER
    refused = (await room.see(PLACE, **wanted))["userErrors"][0]
    for _ in range(3):
        await room.look(301)

    assert untold["message"] == f"{BROKERS[account]} does not say whose the key is."
    assert (untold["code"], refused["code"]) == ("BROKER_UNAVAILABLE",) * 2
    assert refused["message"] == f"{told(account)}."
    assert (venue.count("POST", ""), await room.entries(account)) == (posts, before)
    assert (await room.order(id)).status == "ACCEPTED"


@pytest.mark.parametrize("account", BOTH)
async def test_while_nobody_says_whose_the_key_is_orders_are_refused_and_cancellations_sent(
    room: Room, account: str
) -> None:
    placed = (await room.place(account))["order"]
    venue, restarted = room.venue(account), room.restart
    wanted: dict[str, Any] = {"accountId": account, "symbol": SYMBOLS[account], "side": "BUY", "type": "MARKET"}

    restarted()
    venue.faults.append(("GET", "/account", DOWN))
    code = await room.code(PLACE, **wanted, quantity="1")
    venue.faults.append(("GET", "/account", DOWN))
    status = (await room.do(CANCEL, orderId=placed["id"]))["order"]["status"]

    assert (code, status) == ("BROKER_UNAVAILABLE", "CANCELED")
    assert [(row.id, row.status) for row in await room.orders(account)] == [(placed["id"], "CANCELED")]


async def test_an_account_from_before_takes_the_account_of_the_key_that_its_broker_is_asked_with_next(
    room: Room,
) -> None:
    await room.look()
    async with room.house.store.write() as tx:
        await tx.run(accounts.update().values(broker_account=None))
    version = (await room.account("tacc_a")).version

    await room.look(300)

    assert [(await room.account(each)).broker_account for each in BOTH] == [OURS, OURS]
    assert (await room.account("tacc_a")).version == version


@pytest.mark.parametrize("account", BOTH)
async def test_while_nobody_says_whose_the_key_is_fills_are_booked_and_what_opens_is_cancelled_after_a_loss(
    room: Room, account: str
) -> None:
    await hold(room, account)
    ids = [(await room.place(account, limitPrice="80", quantity="3"))["order"]["id"] for _ in range(2)]
    sell = (await room.place(account, "SELL", limitPrice="120", quantity="5"))["order"]["id"]
    venue = room.venue(account)
    unasked(room, account)
    venue.cash = {"USD": "5", "USDT": "5"}
    venue.fill(venue.by_client_id(sell), "2", "120")

    with capture_logs() as logs:
        await room.look()
        await room.guard("60")
        await room.guard("59")
        after = [venue.by_client_id(each).status for each in ids]
        await room.look(301)
        await room.look()

    assert after == ["canceled"] * 2
    assert [(row.status, row.filled) for row in [await room.order(each) for each in (*ids, sell)]] == [
        ("CANCELED", D(0)), ("CANCELED", D(0)), ("PARTIALLY_FILLED", D(2)),
    ]  # fmt: skip
    assert [each["event"] for each in logs].count("broker_not_reconciled") == 1
    assert "ADJUSTMENT" not in [each.kind for each in await room.entries(account)]


@pytest.mark.parametrize("account", BOTH)
async def test_what_is_not_found_by_a_key_of_which_nobody_says_whose_it_is_has_not_ended(
    room: Room, account: str
) -> None:
    venue = room.venue(account)
    ids = [(await room.place(account))["order"]["id"] for _ in range(2)]
    there = dict(venue.orders)
    room.switch(account, "key-of-bob", OTHER)
    respond = venue.respond
    unasked(room, account)
    await room.do(CANCEL, orderId=ids[1])
    for _ in range(20):
        await room.look(301)
    before = [(await room.order(each)).status for each in ids]

    room.switch(account, KEY, OURS)
    venue.orders, venue.respond = there, respond
    await room.look(301)
    await room.look()

    assert before == ["ACCEPTED", "PENDING_CANCEL"]
    assert [(await room.order(each)).status for each in ids] == ["ACCEPTED", "CANCELED"]


@pytest.mark.parametrize("account", BOTH)
async def test_a_cancellation_does_not_wait_for_long_until_the_broker_says_whose_the_key_is(
    room: Room, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = (await room.place(account))["order"]["id"]
    room.restart()
    room.venue(account).faults.append(("GET", "/account", HANG))
    monkeypatch.setattr(catalog, "PATIENCE_S", 0.05)
    began = perf_counter()

    canceled = (await room.do(CANCEL, orderId=id))["order"]["status"]

    assert perf_counter() - began < 0.8
    assert (canceled, room.venue(account).hangs.is_set()) == ("CANCELED", True)
    assert (await room.account(account)).broker_account == OURS


@pytest.mark.parametrize("account", BOTH)
async def test_a_broker_that_was_asked_too_often_for_whose_a_key_is_is_asked_nothing_more(
    room: Room, account: str
) -> None:
    await room.place(account)
    venue = room.venue(account)
    room.restart()
    venue.faults.append(("GET", "/account", LIMITED))

    with capture_logs() as logs:
        await room.look(400)

    told = f"{BROKERS[account]} says that it was asked too often: again in 7 s"
    assert [each["reason"] for each in logs if each["event"] == "broker_not_reconciled"] == [told]
