"""Orders that are sent one after the other, beside what happens meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.trading.tables import permits
from tests.plugins.trading.brokers.gates import Gate
from tests.plugins.trading.brokers.room import CANCEL, CANCEL_ALL, GROUP, SYMBOLS, Room, mutation

BOTH = ("tacc_a", "tacc_b")
HALT = mutation("tradingAccountHalt", "TradingAccountHaltInput", "account { id }")


def ends(account: str) -> str:
    return "/orders" if account == "tacc_a" else "/order"


def group(account: str, *prices: str) -> dict[str, Any]:
    each = {"symbol": SYMBOLS[account], "side": "BUY", "type": "LIMIT", "quantity": "1"}
    return {"accountId": account, "rule": "ALL", "orders": [{**each, "limitPrice": price} for price in prices]}


async def stand(room: Room, account: str) -> list[tuple[str, str]]:
    """States of an account's orders, and the codes of their ends."""
    return [(row.status, (row.reason or "").partition(":")[0]) for row in await room.orders(account)]


@pytest.mark.parametrize("account", BOTH)
async def test_what_is_cancelled_before_it_is_sent_is_not_sent(room: Room, account: str) -> None:
    venue = room.venue(account)
    gate = Gate(venue, "POST", ends(account), answered=True)
    placing = await gate.holding(room.do(GROUP, **group(account, "100", "99", "98")))
    await room.do(CANCEL_ALL, accountId=account)

    gate.open()
    await placing

    assert [status for status, _ in await stand(room, account)] == ["CANCELED"] * 3
    (_, *unsent) = await room.orders(account)
    assert {row.reason for row in unsent} == {"CANCELED: by its owner"}
    assert [each.status for each in venue.orders.values()] == ["canceled"]
    assert venue.count("POST", ends(account)) == 1


@pytest.mark.parametrize("account", BOTH)
async def test_one_that_is_cancelled_before_it_is_sent_keeps_no_other_from_it(room: Room, account: str) -> None:
    venue = room.venue(account)
    gate = Gate(venue, "POST", ends(account), answered=True)
    placing = await gate.holding(room.do(GROUP, **group(account, "100", "99", "98")))
    await room.do(CANCEL, orderId=(await room.orders(account))[1].id)

    gate.open()
    await placing

    assert await stand(room, account) == [("ACCEPTED", ""), ("CANCELED", "CANCELED"), ("ACCEPTED", "")]
    assert [each.price for each in venue.orders.values()] == ["100", "98"]


@pytest.mark.parametrize("what", ["KILL_SWITCH", "NOT_ALLOWED", "DAILY_LOSS_REACHED"])
async def test_what_may_not_be_placed_any_more_is_not_sent_and_the_group_is_taken_back(room: Room, what: str) -> None:
    venue = room.venue("tacc_a")
    gate = Gate(venue, "POST", "/orders", answered=True)
    placing = await gate.holding(room.do(GROUP, **group("tacc_a", "100", "99", "98")))
    if what == "KILL_SWITCH":
        await room.do(HALT, id="tacc_a", reason="lunch")
    elif what == "NOT_ALLOWED":
        async with room.house.store.write() as tx:
            await tx.run(permits.update().values(live=False))
    else:
        await room.limit("tacc_a", loss_day="2026-11-20")

    gate.open()
    await placing

    told = await stand(room, "tacc_a")
    assert told == [("CANCELED", "GROUP_FAILED"), ("REJECTED", what), ("CANCELED", "GROUP_FAILED")]
    assert [each.status for each in venue.orders.values()] == ["canceled"]


@pytest.mark.parametrize("account", BOTH)
async def test_a_group_of_which_one_is_refused_is_taken_back_though_another_is_filled_meanwhile(
    room: Room, account: str
) -> None:
    venue = room.venue(account)
    venue.refuses_from = 3
    first = Gate(venue, "POST", ends(account), answered=True)
    placing = await first.holding(room.do(GROUP, **group(account, "100", "99", "98")))
    second = Gate(venue, "POST", ends(account))
    first.open()
    await second.came()
    venue.fill(venue.orders["1"], "1", "100")
    await room.look()

    second.open()
    answered = (await placing)["orders"]

    rows = await room.orders(account)
    assert [row.status for row in rows] == ["FILLED", "CANCELED", "REJECTED"]
    assert [each["id"] for each in answered] == [row.id for row in rows]
    assert [each.status for each in venue.orders.values()] == ["filled", "canceled"]
    assert await room.findings() == []
