"""Numbers of orders that begin anew, as where Binance wipes its test network: another order has the number by then."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from tests.plugins.trading.brokers.room import CANCEL, REPLACE, SYMBOLS, Room
from tests.plugins.trading.rowsof import D


async def wiped(room: Room, more: int = 0) -> tuple[str, Any]:
    """An order that works, and more of them, when all is gone there."""
    venue = room.venue("tacc_b")
    await room.look()
    await room.look()
    id = (await room.place("tacc_b"))["order"]["id"]
    for _ in range(more):
        await room.place("tacc_b")
    venue.orders.clear()
    venue.numbers = count(1)
    return id, venue


@pytest.mark.parametrize("more", [0, 3])
async def test_an_order_of_ours_that_has_the_number_of_one_that_was_wiped_is_filled_once(room: Room, more: int) -> None:
    old, venue = await wiped(room, more)
    venue.fills_at = "100"
    new = (await room.place("tacc_b"))["order"]["id"]
    for _ in range(13):
        await room.look(60)

    row = await room.order(old)
    assert (row.status, row.filled) == ("CANCELED", D(0))
    assert row.reason == "BROKER_LOST: the broker does not know it any more"
    assert (await room.order(new)).filled == D(1)
    assert (await room.holds("tacc_b"))[1] == {SYMBOLS["tacc_b"]: "1"}


@pytest.mark.parametrize("more", [0, 3])
async def test_an_order_of_ours_that_works_under_the_number_of_one_that_was_wiped_goes_on(
    room: Room, more: int
) -> None:
    old, venue = await wiped(room, more)
    new = (await room.place("tacc_b"))["order"]["id"]
    venue.fill(venue.by_client_id(new), "0.4", "100")
    for _ in range(13):
        await room.look(60)

    rows = [await room.order(each) for each in (old, new)]
    assert [(row.status, row.filled) for row in rows] == [("CANCELED", D(0)), ("PARTIALLY_FILLED", D("0.4"))]


@pytest.mark.parametrize("status", ["new", "filled"])
async def test_an_order_of_others_that_has_the_number_of_one_that_was_wiped_is_not_ours(
    room: Room, status: str
) -> None:
    old, venue = await wiped(room)
    room.house.clock.turn(61)
    other = venue.add(client_id="web_1", symbol="BTCUSDT", side="BUY", type="LIMIT", tif="GTC", quantity=D(2))
    venue.fill(other, "2" if status == "filled" else "1", "100")
    for _ in range(13):
        await room.look(60)

    row = await room.order(old)
    assert (row.status, row.filled, await room.fills(old)) == ("CANCELED", D(0), [])


async def test_an_order_that_bears_the_name_of_its_cancellation_is_ours(room: Room) -> None:
    venue = room.venue("tacc_b")
    id = (await room.place("tacc_b"))["order"]["id"]
    there = venue.by_client_id(id)
    venue.fill(there, "0.4", "100")
    there.status, there.client_id = "canceled", "web_2"

    await room.look()

    row = await room.order(id)
    assert (row.status, row.filled, row.reason) == ("CANCELED", D("0.4"), "Binance says CANCELED")


@pytest.mark.parametrize("more", [0, 3])
async def test_an_order_that_was_replaced_at_binance_is_known_by_its_number(room: Room, more: int) -> None:
    venue = room.venue("tacc_b")
    id = (await room.place("tacc_b"))["order"]["id"]
    for _ in range(more):
        await room.place("tacc_b")
    await room.do(REPLACE, orderId=id, limitPrice="99")
    venue.fill(venue.orders[str(more + 2)], "0.4", "99")

    await room.look()

    assert ((await room.order(id)).status, (await room.order(id)).filled) == ("PARTIALLY_FILLED", D("0.4"))


async def test_an_order_of_others_on_the_other_side_that_has_the_number_of_one_that_was_wiped_is_not_ours(
    room: Room,
) -> None:
    old, venue = await wiped(room)
    other = venue.add(client_id="web_1", symbol="BTCUSDT", side="SELL", type="LIMIT", tif="GTC", quantity=D(1))
    venue.fill(other, "1", "100")
    for _ in range(13):
        await room.look(60)

    assert ((await room.order(old)).status, await room.fills(old)) == ("CANCELED", [])


@pytest.mark.parametrize("more", [0, 4])
async def test_an_order_that_was_amended_in_place_goes_on_and_is_filled(room: Room, more: int) -> None:
    """https://developers.binance.com/docs/binance-spot-api-docs/faqs/order_amend_keep_priority"""
    venue = room.venue("tacc_b")
    id = (await room.place("tacc_b"))["order"]["id"]
    for _ in range(more):
        await room.place("tacc_b")
    there = venue.by_client_id(id)
    there.client_id, there.quantity = "xqWk29RandomByBinance", D("0.6")
    for _ in range(13):
        await room.look(60)
    works = await room.order(id)
    venue.fill(there, "0.6", "100")
    await room.look()

    row = await room.order(id)
    assert (works.status, works.quantity, row.status, row.filled) == ("ACCEPTED", D("0.6"), "FILLED", D("0.6"))


@pytest.mark.parametrize("replaced", [False, True])
async def test_an_order_that_was_amended_in_place_is_cancelled(room: Room, replaced: bool) -> None:
    venue = room.venue("tacc_b")
    id = (await room.place("tacc_b"))["order"]["id"]
    if replaced:
        room.house.clock.turn(600)
        await room.do(REPLACE, orderId=id, limitPrice="99")
    there = list(venue.orders.values())[-1]
    there.client_id = "xqWk29RandomByBinance"

    order = (await room.do(CANCEL, orderId=id))["order"]

    assert (order["status"], there.status) == ("CANCELED", "canceled")


@pytest.mark.parametrize("filled", [None, "0.4"])
async def test_to_cancel_an_order_whose_number_is_another_ones_cancels_nothing(room: Room, filled: str | None) -> None:
    old, venue = await wiped(room)
    new = (await room.place("tacc_b"))["order"]["id"]
    there = venue.by_client_id(new)
    if filled is not None:
        venue.fill(there, filled, "100")

    answer = await room.do(CANCEL, orderId=old)
    await room.look()

    rows = [await room.order(each) for each in (old, new)]
    assert (answer["order"]["status"], there.open) == ("PENDING_CANCEL", True)
    assert [row.filled for row in rows] == [D(0), D(filled or 0)]


@pytest.mark.parametrize("ahead", [0, 90])
async def test_an_order_that_bears_another_name_is_ours_however_far_our_clock_is_behind(room: Room, ahead: int) -> None:
    venue = room.venue("tacc_b")
    venue.skew = timedelta(seconds=ahead)
    id = (await room.place("tacc_b"))["order"]["id"]
    order = venue.by_client_id(id)
    venue.fill(order, "0.4", "100")
    order.status, order.client_id = "canceled", "web_1"

    for _ in range(4):
        await room.look(30)

    row = await room.order(id)
    assert (row.status, row.filled) == ("CANCELED", D("0.4"))
