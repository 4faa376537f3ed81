"""Orders that were given up here and come to their broker all the same, as their account or organisation goes."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.core.identity import Role
from plugins.trading.plugin import erase
from plugins.trading.tables import accounts
from tests.doubles.brokers import DOWN, Placed
from tests.plugins.trading.brokers import room as rooms
from tests.plugins.trading.brokers.room import BROKERS, MONEY, Room, mutation
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
