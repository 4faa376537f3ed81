"""Anything in any order, with answers that get lost: in the end our books are the broker's, nothing was sent twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from schema.words.orders import OrderStatus
from tests.doubles.brokers import DOWN, DOWN_AFTER, LIMITED, LOST, Placed
from tests.plugins.trading.brokers.room import CANCEL, PLACE, REPLACE, SYMBOLS, Room
from tests.plugins.trading.rowsof import D

FAULTS = (LOST, DOWN, DOWN_AFTER, LIMITED)
METHODS = ("POST", "POST", "GET", "DELETE", "PATCH")
STORMS = [("tacc_a", 24, 1), ("tacc_a", 4, 2), ("tacc_b", 2, 1), ("tacc_b", 10, 2)]


@pytest.mark.parametrize(("account", "seed", "at_once"), STORMS)
async def test_after_a_storm_the_books_are_the_brokers(room: Room, account: str, seed: int, at_once: int) -> None:
    venue, random = room.venue(account), Random(seed)
    venue.holds_replacements = True
    await room.limit(account, None, margin="MARGIN")
    for _ in range(60):
        if random.random() < 0.3:
            venue.faults.append((random.choice(METHODS), "", random.choice(FAULTS)))
        looking = [room.look(1)] if at_once > 1 else []
        await asyncio.gather(*looking, *(step(room, account, random) for _ in range(at_once)))

    venue.faults.clear()
    for new in undecided(venue):
        venue.decide(new, taken=venue.orders[new.replaces].open)
    for order in [each for each in venue.orders.values() if each.open]:
        venue.fill(order, str(order.quantity - order.filled), "100")
    for _ in range(20):
        await room.look(20)

    rows = {row.id: row for row in await room.orders(account)}
    assert len(rows) > 10
    assert not [row for row in rows.values() if row.open]
    filled = Counter({id: D(0) for id in rows})
    for each in venue.orders.values():
        filled[each.client_id.partition("-")[0]] += each.filled
    assert {id: row.filled for id, row in rows.items()} == dict(filled)
    assert {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.REJECTED} <= {row.status for row in rows.values()}
    # Each attempt has an id of its own, and none came twice.
    sent = [str(body.get("client_order_id") or body.get("newClientOrderId")) for body in venue.bodies]
    made = Counter(each for each in sent if "-" not in each and each.startswith("ord_"))
    assert set(made.values()) == {1}
    held = sum((row.filled if row.side == "BUY" else -row.filled for row in rows.values()), D(0))
    assert sum(map(Decimal, (await room.holds(account))[1].values()), D(0)) == held
    assert await room.findings() == []


async def step(room: Room, account: str, random: Random) -> None:
    """Somebody does something, or the market does."""
    venue = room.venue(account)
    working = [row for row in await room.orders(account) if row.open]
    waiting = undecided(venue)
    match random.randrange(7):
        case 0 | 1:
            wanted = {"accountId": account, "symbol": SYMBOLS[account], "side": random.choice(("BUY", "SELL"))}
            await room.see(PLACE, **wanted, type="LIMIT", quantity="1", limitPrice="100")
        case 2 if working:
            await room.see(CANCEL, orderId=random.choice(working).id)
        case 3 if working:
            await room.see(REPLACE, orderId=random.choice(working).id, limitPrice=str(random.randint(95, 105)))
        case 4:
            fill(venue, random)
        case 5 if waiting:
            new = random.choice(waiting)
            venue.decide(new, taken=venue.orders[new.replaces].open and random.random() < 0.5)
        case _:
            await room.look(random.choice((1, 5, 8)))


def undecided(venue: Any) -> list[Placed]:
    """Orders that are to replace others and have not reached their venue yet."""
    orders: dict[str, Placed] = venue.orders
    waits = ("pending_replace", "filled")
    return [each for each in orders.values() if each.open and each.replaces and orders[each.replaces].status in waits]


def fill(venue: Any, random: Random) -> None:
    """A part of an order, or what is left of it."""
    waiting = undecided(venue)
    open_ = [each for each in venue.orders.values() if each.open and each not in waiting]
    if open_:
        order = random.choice(open_)
        left = order.quantity - order.filled
        part = left if random.random() < 0.5 else (left / 2).quantize(D("0.001"))
        venue.fill(order, str(part), str(random.randint(98, 102)))
