"""An order that asks for much, or gets no answer, keeps no other of its account from being looked at."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from plugins.trading.brokers.settling import Settler
from plugins.trading.rows import OrderRow
from tests.plugins.trading.brokers.room import CANCEL_ALL, Room
from tests.plugins.trading.brokers.test_unclear import unasked
from tests.plugins.trading.rowsof import D

BOTH = ("tacc_a", "tacc_b")
FEES = [("0.0004", "BTC", D("0.3996")), ("0.04", "USDT", D("0.4")), ("0.0001", "BNB", D("0.4"))]


def noted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Orders whose accounts are locked for them, from now on."""
    found: list[str] = []
    settle = Settler.settle

    async def settled(self: Settler, row: OrderRow, *given: Any, **how: Any) -> OrderRow:
        found.append(row.id)
        return await settle(self, row, *given, **how)

    monkeypatch.setattr(Settler, "settle", settled)
    return found


@pytest.mark.parametrize(("fee", "asset", "got"), FEES)
async def test_an_order_that_is_filled_in_part_is_not_asked_for_again_whatever_its_fee_was_taken_in(
    room: Room, monkeypatch: pytest.MonkeyPatch, fee: str, asset: str, got: Any
) -> None:
    venue = room.venue("tacc_b")
    id = (await room.place("tacc_b"))["order"]["id"]
    venue.fee = (fee, asset)
    venue.fill(venue.by_client_id(id), "0.4", "100")
    await room.look()
    before, settled = venue.count("GET", "/myTrades"), noted(monkeypatch)

    for _ in range(10):
        await room.look()
    after = venue.count("GET", "/myTrades")
    venue.fill(venue.by_client_id(id), "0.6", "100")
    await room.look()

    assert (before, after, settled) == (1, 1, [id])
    row = await room.order(id)
    assert (row.status, row.filled, row.fills) == ("FILLED", got + D("0.6") - (D("0.4") - got), 2)


async def test_after_a_restart_an_order_that_is_filled_in_part_is_asked_for_once_more(room: Room) -> None:
    venue = room.venue("tacc_b")
    id = (await room.place("tacc_b"))["order"]["id"]
    venue.fee = ("0.0004", "BTC")
    venue.fill(venue.by_client_id(id), "0.4", "100")
    await room.look()
    room.restart()

    for _ in range(5):
        await room.look()

    assert (venue.count("GET", "/myTrades"), (await room.order(id)).fills) == (2, 1)


async def test_where_limits_cut_a_look_short_the_next_begins_with_the_orders_that_were_left_out(room: Room) -> None:
    venue = room.venue("tacc_a")
    await room.look()
    await room.look()
    going = [(await room.place("tacc_a"))["order"]["id"] for _ in range(12)]
    for each in going:
        venue.fill(venue.by_client_id(each), "0.4", "100")
    await room.look()
    venue.holds_cancels = True
    await room.do(CANCEL_ALL, accountId="tacc_a")
    last = (await room.place("tacc_a"))["order"]["id"]
    await room.look()
    # Its limits allow for a few questions with each look, and each order that is being cancelled needs some.
    venue.left = "42"
    venue.fill(venue.by_client_id(last), "1", "100")

    for _ in range(12):
        await room.look()

    assert {(await room.order(each)).status for each in going} == {"PENDING_CANCEL"}
    assert (await room.order(last)).status == "FILLED"


@pytest.mark.parametrize("account", BOTH)
@pytest.mark.parametrize("mute", [0, 1])
async def test_an_order_of_which_no_answer_comes_keeps_no_other_from_being_booked(
    room: Room, account: str, mute: int
) -> None:
    venue = room.venue(account)
    ids = [(await room.place(account))["order"]["id"] for _ in range(3)]
    await room.look()
    unasked(room, account, ids[mute], lambda: web.json_response({"message": "internal"}, status=500))
    for each in ids:
        venue.fill(venue.by_client_id(each), "1", "100")

    for _ in range(3):
        await room.look()

    rows = [await room.order(each) for each in ids]
    assert [row.status for row in rows] == ["ACCEPTED" if n == mute else "FILLED" for n in range(3)]
