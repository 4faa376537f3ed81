"""Orders that were given up here and come to their broker all the same, as their account or organisation goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from gateway.core.contract import Context
from gateway.core.identity import Role
from gateway.core.ports import ProviderKeys
from plugins.trading.accounts.desk import AccountDesk
from plugins.trading.plugin import erase
from plugins.trading.tables import accounts
from tests.doubles.brokers import DOWN, LOST, Placed
from tests.plugins.trading.brokers import room as rooms
from tests.plugins.trading.brokers.room import ADJUST, BROKERS, CANCEL, MONEY, REPLACE, Room, mutation, use_up
from tests.plugins.trading.ledger.books import TENANT
from tests.plugins.trading.rowsof import D

BOTH = ("tacc_a", "tacc_b")
DELETE = mutation("tradingAccountDelete", "TradingAccountDeleteInput", "accountId")


async def given_up(room: Room, account: str) -> tuple[str, Placed]:
    """An order that has come to its broker once it was given up here, and works there."""
    venue, room.role = room.venue(account), Role.OWNER
    venue.faults.append(("POST", "/orders" if account == "tacc_a" else "/order", DOWN))
    id = (await room.place(account))["order"]["id"]
    await room.look(61)
    assert (await room.order(id)).status == "REJECTED"
    symbol = "BTC/USD" if account == "tacc_a" else "BTCUSDT"
    return id, venue.add(
        client_id=id, symbol=symbol, side="BUY", type="LIMIT", tif="GTC", quantity=D(1), price="100"
    )  # fmt: skip


async def refused(room: Room, account: str) -> tuple[str, str]:
    (error,) = (await room.see(DELETE, id=account))["userErrors"]
    return error["code"], error["message"]


async def erased(room: Room) -> list[tuple[str, str | None, str]]:
    """What is told of orders that may go on."""
    with capture_logs() as logs:
        async with room.house.store.write() as tx:
            await erase(room.house.host, tx, TENANT)
    found = [each for each in logs if each["event"] == "broker_order_left"]
    return [(each["order"], each["at_broker"], each["reason"]) for each in found]


@pytest.mark.parametrize("account", BOTH)
async def test_an_order_that_was_given_up_and_works_is_cancelled_before_its_account_is_deleted(
    room: Room, account: str
) -> None:
    id, late = await given_up(room, account)

    deleted = (await room.do(DELETE, id=account))["accountId"]

    assert (deleted, late.status, (await room.order(id)).filled) == (account, "canceled", D(0))


@pytest.mark.parametrize("account", BOTH)
async def test_an_account_is_not_deleted_where_an_order_that_was_given_up_was_filled(room: Room, account: str) -> None:
    id, late = await given_up(room, account)
    venue = room.venue(account)
    venue.fill(late, "0.25", "100")
    venue.hides_fills = True

    untold = await refused(room, account)
    venue.hides_fills = False
    held = await refused(room, account)

    told = f"The account has the order {id}, which had ended here and which {BROKERS[account]} has still"
    assert untold == ("ACCOUNT_NOT_EMPTY", f"{told}: try again in a few minutes.")
    assert held[0] == "ACCOUNT_NOT_EMPTY"
    assert held[1].startswith(f"The account has positions {rooms.SYMBOLS[account]}")
    assert (late.status, (await room.order(id)).filled) == ("canceled", D("0.25"))
    assert (await room.holds(account))[0] == {MONEY[account]: "-25.00" if account == "tacc_a" else "-25.00000000"}


async def test_an_account_is_not_deleted_where_an_order_that_was_given_up_is_not_cancelled_yet(room: Room) -> None:
    id, _ = await given_up(room, "tacc_a")
    room.venue("tacc_a").holds_cancels = True

    told = f"The account has the order {id}, which had ended here and which alpaca_paper has still"
    assert await refused(room, "tacc_a") == ("ACCOUNT_NOT_EMPTY", f"{told}: try again in a few minutes.")


@pytest.mark.parametrize("account", BOTH)
async def test_an_account_is_not_deleted_while_its_broker_does_not_say_whether_such_an_order_works(
    room: Room, account: str
) -> None:
    id, late = await given_up(room, account)
    venue = room.venue(account)
    venue.faults.append(("GET", "client_order_id" if account == "tacc_a" else "/order", DOWN))

    code, message = await refused(room, account)

    assert code == "ACCOUNT_NOT_EMPTY"
    assert message.startswith(f"Whether the order {id}, which had ended here, works is not known: {BROKERS[account]}")
    assert (venue.faults, late.status) == ([], "new")


async def test_an_account_whose_orders_were_given_up_a_day_ago_is_deleted_without_asking(room: Room) -> None:
    await given_up(room, "tacc_a")
    room.house.clock.turn(86_401)
    venue = room.venue("tacc_a")
    venue.asked.clear()

    await room.do(DELETE, id="tacc_a")

    assert venue.asked == []


@pytest.mark.parametrize("account", BOTH)
async def test_who_may_not_delete_an_account_has_nothing_asked_or_cancelled(room: Room, account: str) -> None:
    _, late = await given_up(room, account)
    async with room.house.store.write() as tx:
        await tx.run(accounts.update().values(owner="usr_bob"))
    room.role = None
    venue: Any = room.venue(account)
    venue.asked.clear()

    assert (await refused(room, account))[0] == "NOT_ALLOWED"
    assert (venue.asked, late.status) == ([], "new")


@pytest.mark.parametrize("account", BOTH)
async def test_an_order_that_was_given_up_and_works_is_cancelled_before_its_organisation_is_erased(
    room: Room, account: str
) -> None:
    _, late = await given_up(room, account)

    assert (await erased(room), late.status) == ([], "canceled")


@pytest.mark.parametrize("account", BOTH)
async def test_an_order_that_was_given_up_and_of_which_nothing_is_told_is_told_as_it_is_erased(
    room: Room, account: str
) -> None:
    id, _ = await given_up(room, account)
    room.venue(account).faults.append(("GET", "client_order_id" if account == "tacc_a" else "/order", DOWN))

    ((order, at_broker, reason),) = await erased(room)

    assert (order, at_broker) == (id, None)
    assert reason.startswith(BROKERS[account])


@pytest.mark.parametrize("account", BOTH)
async def test_an_order_that_was_given_up_and_never_came_is_not_told(room: Room, account: str) -> None:
    _, late = await given_up(room, account)
    del room.venue(account).orders[late.id]

    assert await erased(room) == []


async def many_given_up(room: Room, many: int) -> tuple[str, Any]:
    """The first of so many that never came, and its account's venue."""
    venue, room.role = room.venue("tacc_a"), Role.OWNER
    ids = []
    for _ in range(many):
        venue.faults.append(("POST", "/orders", DOWN))
        ids.append((await room.place("tacc_a"))["order"]["id"])
    await room.look(61)
    assert {(await room.order(each)).status for each in ids} == {"REJECTED"}
    return ids[0], venue


@pytest.mark.parametrize("way", ["delete", "erase", "look"])
async def test_of_many_orders_that_were_given_up_the_first_one_is_asked_for_too(room: Room, way: str) -> None:
    id, venue = await many_given_up(room, 22)
    late = venue.add(client_id=id, symbol="BTC/USD", side="BUY", type="LIMIT", tif="GTC", quantity=D(1), price="100")
    if way == "delete":
        await room.do(DELETE, id="tacc_a")
        assert late.status == "canceled"
    elif way == "erase":
        assert (await erased(room), late.status) == ([], "canceled")
    else:
        venue.fill(late, "1", "100")
        for _ in range(2):
            await room.look(301)
        assert (await room.order(id)).filled == D(1)


async def given_up_as_it_was_replaced(room: Room) -> tuple[str, Placed]:
    """An order that its broker did not know for a while, and what has taken its place there."""
    venue, room.role = room.venue("tacc_b"), Role.OWNER
    id = (await room.place("tacc_b"))["order"]["id"]
    venue.faults.append(("POST", "cancelReplace", LOST))
    await room.do(REPLACE, orderId=id, limitPrice="99")
    hidden, venue.orders = venue.orders, {}
    for _ in range(13):
        await room.look(10)
    assert (await room.order(id)).reason == "BROKER_LOST: the broker does not know it any more"
    venue.orders = hidden
    return id, list(venue.orders.values())[-1]


@pytest.mark.parametrize("way", ["delete", "erase"])
async def test_what_took_the_place_of_an_order_that_was_given_up_is_cancelled_as_it_goes(room: Room, way: str) -> None:
    _, new = await given_up_as_it_was_replaced(room)
    if way == "delete":
        await room.do(DELETE, id="tacc_b")
    else:
        assert await erased(room) == []
    assert new.status == "canceled"


async def test_what_took_the_place_of_an_order_that_was_given_up_is_booked(room: Room) -> None:
    id, new = await given_up_as_it_was_replaced(room)
    venue = room.venue("tacc_b")
    venue.fill(new, "1", "99")
    venue.cash, venue.units = {"USDT": "-99"}, {"BTC": "1"}
    for _ in range(3):
        await room.look(301)

    assert (await room.order(id)).filled == D(1)
    assert (await room.holds("tacc_b"))[1] == {rooms.SYMBOLS["tacc_b"]: "1"}


async def test_what_took_the_place_of_an_order_that_was_given_up_is_not_counted_twice_by_an_adjustment(
    room: Room,
) -> None:
    id, new = await given_up_as_it_was_replaced(room)
    venue = room.venue("tacc_b")
    venue.fill(new, "1", "99")
    venue.cash, venue.units = {"USDT": "-99"}, {"BTC": "1"}

    await room.see(ADJUST, accountId="tacc_b", symbol=rooms.SYMBOLS["tacc_b"], reason="it differs")

    assert (await room.order(id)).filled == D(1)
    assert (await room.holds("tacc_b"))[1] == {rooms.SYMBOLS["tacc_b"]: "1"}


@pytest.mark.parametrize("others", [0, 1])
async def test_an_order_that_was_given_up_is_looked_after_while_open_orders_are_not_listed(
    room: Room, others: int
) -> None:
    id, late = await given_up(room, "tacc_a")
    venue = room.venue("tacc_a")
    for _ in range(others):
        await room.place("tacc_a")
    venue.fill(late, "0.5", "100")
    for _ in range(2):
        venue.faults.append(("GET", "/orders", DOWN))
        await room.look(301)

    assert ((await room.order(id)).filled, late.status) == (D("0.5"), "canceled")


async def test_an_account_whose_order_is_given_up_while_it_is_deleted_is_not_deleted(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue, room.role = room.venue("tacc_a"), Role.OWNER
    venue.faults.append(("POST", "/orders", DOWN))
    id = (await room.place("tacc_a"))["order"]["id"]
    desk = room.house.host.service(AccountDesk)
    check = desk._check_parting

    async def checked(context: Context, account_id: str) -> int | None:
        found = await check(context, account_id)
        await room.look(61)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(desk, "_check_parting", checked)
        told = "Orders of the account have ended just now, and its broker was not asked for them: try again."
        assert await refused(room, "tacc_a") == ("ACCOUNT_NOT_EMPTY", told)

    assert (await room.order(id)).status == "REJECTED"
    await room.do(DELETE, id="tacc_a")


async def test_orders_that_were_given_up_are_told_as_left_where_the_key_is_of_another_account(room: Room) -> None:
    id, _ = await given_up(room, "tacc_a")
    room.switch("tacc_a", "another-key", "another-owner")

    told = "alpaca_paper does not say that the key is of its account 904837e3"
    assert await erased(room) == [(id, None, told)]


async def test_without_a_key_it_is_told_from_when_on_an_account_is_deleted(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await given_up(room, "tacc_a")
    keys: Any = room.house.host.services[ProviderKeys]
    monkeypatch.setattr(keys, "held", lambda tenant: {})

    code, message = await refused(room, "tacc_a")

    until = room.house.clock.now() + timedelta(days=1)
    assert (code, message.endswith(f" Without that it is deleted from {until:%Y-%m-%d %H:%M} UTC on.")) == (
        "ACCOUNT_NOT_EMPTY",
        True,
    )


async def test_a_trouble_that_differs_by_its_seconds_alone_is_told_once(room: Room) -> None:
    venue = room.venue("tacc_a")
    await room.place("tacc_a")
    await room.look()
    await use_up(room, "tacc_a")
    venue.left = "0"
    with capture_logs() as logs:
        for _ in range(3):
            await use_up(room, "tacc_a")
            await room.look(0.05)

    assert len([each for each in logs if each["event"] == "broker_not_reconciled"]) == 1


@pytest.mark.parametrize("others", [0, 1, 5])
@pytest.mark.parametrize(("account", "path"), [("tacc_a", "/orders"), ("tacc_b", "/openOrders")])
async def test_an_order_that_was_given_up_is_looked_after_while_a_firewall_bars_the_list(
    room: Room, account: str, path: str, others: int
) -> None:
    id, late = await given_up(room, account)
    for _ in range(others):
        await room.place(account)
    _bar(room, account, path, [True])
    room.venue(account).fill(late, "0.5", "100")

    for _ in range(40):
        await room.look(30)

    assert ((await room.order(id)).filled, late.status) == (D("0.5"), "canceled")


@pytest.mark.parametrize(("account", "path"), [("tacc_a", "/orders"), ("tacc_b", "/openOrders")])
async def test_money_is_compared_once_a_firewall_bars_no_list_any_more_though_no_order_is_open(
    room: Room, account: str, path: str
) -> None:
    id = (await room.place(account))["order"]["id"]
    bars = [True]
    _bar(room, account, path, bars)
    await room.look(10)
    await room.do(CANCEL, orderId=id)
    await room.look(70)
    bars.clear()
    before = len(await room.entries(account))
    room.venue(account).cash[MONEY[account]] = "777"

    for _ in range(10):
        await room.look(120)

    assert len(await room.entries(account)) > before


def _bar(room: Room, account: str, path: str, bars: list[bool]) -> None:
    """What a firewall answers of a path, for as long as it *bars*."""
    venue, real = room.venue(account), room.venue(account).answer

    async def barred(request: web.Request) -> web.StreamResponse:
        if bars and request.method == "GET" and request.path.endswith(path):
            return web.Response(text="<html>Forbidden", status=403, content_type="text/html")
        return cast(web.StreamResponse, await real(request))

    venue.answer = barred
