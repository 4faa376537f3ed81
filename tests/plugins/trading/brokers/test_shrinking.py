"""Orders that are made smaller: what that frees is free once the larger one is gone at the broker, and not before."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doubles.brokers import DOWN
from tests.plugins.trading.brokers.room import CANCEL, CLOSE, REPLACE, SYMBOLS, Room, hold
from tests.plugins.trading.rowsof import D

BOTH = ("tacc_a", "tacc_b")


async def shrinking(room: Room, account: str, to: str = "1") -> str:
    """An order that closes five of five, of which nobody knows yet whether it closes one, or so many; its id."""
    await hold(room, account, loss=None)
    venue = room.venue(account)
    id: str = (await room.place(account, "SELL", quantity="5", limitPrice="101", reduceOnly=True))["order"]["id"]
    venue.holds_replacements = True
    if account == "tacc_b":
        venue.faults.append(("POST", "cancelReplace", DOWN))
    asked = (await room.do(REPLACE, orderId=id, quantity=to))["order"]
    assert (asked["status"], D(asked["quantity"])) == ("PENDING_REPLACE", D(5))
    return id


async def closed(room: Room, account: str) -> str:
    """The code with which closing four is refused."""
    return await room.code(CLOSE, accountId=account, symbol=SYMBOLS[account], quantity="4")


def parts(room: Room) -> tuple[Any, Any]:
    """At Alpaca the order that works, and the one that is to take its place."""
    placed = room.venue("tacc_a").orders.values()
    new = next(each for each in placed if each.replaces)
    return next(each for each in placed if each.id == new.replaces), new


@pytest.mark.parametrize("account", BOTH)
async def test_what_an_order_no_longer_closes_is_not_closed_before_the_larger_one_is_gone(
    room: Room, account: str
) -> None:
    id = await shrinking(room, account)

    first = await closed(room, account)
    await room.look()
    again = await closed(room, account)

    row = await room.order(id)
    assert [first, again] == ["REDUCE_ONLY_WOULD_INCREASE"] * 2
    assert (row.status, row.quantity) == ("PENDING_REPLACE", D(5))


async def test_what_an_order_no_longer_closes_is_free_once_its_venue_has_taken_the_smaller_one(room: Room) -> None:
    id = await shrinking(room, "tacc_a")
    old, new = parts(room)
    room.venue("tacc_a").decide(new, taken=True)

    await room.look()
    room.venue("tacc_a").fills_at = "99"
    await room.do(CLOSE, accountId="tacc_a", symbol=SYMBOLS["tacc_a"], quantity="4")

    row = await room.order(id)
    assert (row.status, row.quantity, row.broker_order_id, old.status) == ("ACCEPTED", D(1), new.id, "replaced")
    assert (await room.holds("tacc_a"))[1] == {SYMBOLS["tacc_a"]: "1"}
    assert await room.findings() == []


async def test_an_order_whose_smaller_one_is_rejected_closes_all_that_it_did(room: Room) -> None:
    id = await shrinking(room, "tacc_a")
    old, new = parts(room)
    room.venue("tacc_a").decide(new, taken=False)

    await room.look()
    code = await closed(room, "tacc_a")
    room.venue("tacc_a").fill(old, "5", "101")
    await room.look()

    row = await room.order(id)
    assert (code, row.status, row.filled, row.broker_order_id) == (
        "REDUCE_ONLY_WOULD_INCREASE", "FILLED", D(5), old.id
    )  # fmt: skip
    assert (await room.holds("tacc_a"))[1] == {}


async def test_what_is_filled_of_the_larger_one_before_the_smaller_one_is_taken_is_booked_and_no_more_is_closed(
    room: Room,
) -> None:
    id = await shrinking(room, "tacc_a")
    old, new = parts(room)
    room.venue("tacc_a").fill(old, "2", "101")

    await room.look()
    waiting, code = await room.order(id), await closed(room, "tacc_a")
    room.venue("tacc_a").fill(old, "3", "101")
    room.venue("tacc_a").decide(new, taken=False)
    await room.look()

    row = await room.order(id)
    assert (waiting.status, waiting.filled, waiting.quantity) == ("PENDING_REPLACE", D(2), D(5))
    assert (code, row.status, row.filled) == ("REDUCE_ONLY_WOULD_INCREASE", "FILLED", D(5))
    assert await room.findings() == []


async def test_what_was_filled_of_an_order_before_its_replacement_was_taken_makes_that_close_no_less(
    room: Room,
) -> None:
    id, venue = await shrinking(room, "tacc_a", to="3"), room.venue("tacc_a")
    old, new = parts(room)
    venue.fill(old, "2", "101")
    await room.look()
    waiting = await room.order(id)
    venue.decide(new, taken=True)

    await room.look()
    taken = await room.order(id)
    code = await room.code(CLOSE, accountId="tacc_a", symbol=SYMBOLS["tacc_a"], quantity="2")
    venue.fill(new, "3", "101")
    await room.look()

    row = await room.order(id)
    assert [(each.status, each.filled, each.quantity) for each in (waiting, taken, row)] == [
        ("PENDING_REPLACE", D(2), D(5)), ("PARTIALLY_FILLED", D(2), D(5)), ("FILLED", D(5), D(5))
    ]  # fmt: skip
    assert (code, (await room.holds("tacc_a"))[1]) == ("REDUCE_ONLY_WOULD_INCREASE", {})
    assert await room.findings() == []


async def test_what_works_of_two_replacements_at_once_of_which_the_first_is_rejected_is_not_closed_twice(
    room: Room,
) -> None:
    await hold(room, "tacc_a", loss=None)
    venue = room.venue("tacc_a")
    id = (await room.place("tacc_a", "SELL", quantity="5", limitPrice="101", reduceOnly=True))["order"]["id"]
    venue.holds_replacements = True
    await room.do(REPLACE, orderId=id, limitPrice="102")
    await room.do(REPLACE, orderId=id, quantity="1")
    venue.decide(next(each for each in venue.orders.values() if each.replaces), taken=False)

    await room.look()

    row = await room.order(id)
    assert (row.status, row.quantity, await closed(room, "tacc_a")) == (
        "PENDING_REPLACE", D(5), "REDUCE_ONLY_WOULD_INCREASE"
    )  # fmt: skip


async def test_an_order_that_is_being_made_smaller_is_cancelled_once_that_is_known(room: Room) -> None:
    id = await shrinking(room, "tacc_a")

    early = await room.code(CANCEL, orderId=id)
    room.venue("tacc_a").decide(parts(room)[1], taken=True)
    await room.do(CANCEL, orderId=id)

    row = await room.order(id)
    assert (early, row.status, row.quantity) == ("BROKER_UNAVAILABLE", "CANCELED", D(1))


async def test_an_order_that_is_being_made_smaller_has_other_terms_once_that_is_known(room: Room) -> None:
    id = await shrinking(room, "tacc_a")

    early = await room.code(REPLACE, orderId=id, quantity="2")
    room.venue("tacc_a").decide(parts(room)[1], taken=True)
    room.venue("tacc_a").holds_replacements = False
    await room.do(REPLACE, orderId=id, quantity="2")

    row = await room.order(id)
    assert (early, row.status, row.quantity) == ("BROKER_UNAVAILABLE", "ACCEPTED", D(2))


async def test_an_order_that_binance_has_not_made_smaller_has_its_size_a_minute_later(room: Room) -> None:
    id = await shrinking(room, "tacc_b")

    await room.look(61)

    row = await room.order(id)
    assert (row.status, row.quantity, await closed(room, "tacc_b")) == (
        "ACCEPTED", D(5), "REDUCE_ONLY_WOULD_INCREASE"
    )  # fmt: skip


async def test_the_same_terms_are_asked_for_again_once_they_were_rejected(room: Room) -> None:
    id = await shrinking(room, "tacc_a")
    venue = room.venue("tacc_a")
    venue.decide(parts(room)[1], taken=False)
    await room.look()

    venue.holds_replacements = False
    again = (await room.do(REPLACE, orderId=id, quantity="1"))["order"]

    made = [each.client_id for each in venue.orders.values() if each.replaces]
    assert (again["status"], D(again["quantity"]), len(set(made))) == ("ACCEPTED", D(1), 2)
