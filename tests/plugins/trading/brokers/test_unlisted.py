"""Fills that a broker counts and does not list."""

from __future__ import annotations

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from tests.doubles.brokers import DOWN
from tests.plugins.trading.brokers.room import BROKERS, MONEY, Room
from tests.plugins.trading.rowsof import D

BOTH = ("tacc_a", "tacc_b")
MINUTES = "counts more as filled than it lists, for more than 5 minutes"


@pytest.mark.parametrize("ahead", [timedelta(seconds=90), timedelta(hours=23), -timedelta(hours=23)])
async def test_fills_are_booked_by_however_much_our_clock_is_ahead_of_alpacas(room: Room, ahead: timedelta) -> None:
    venue = room.venue("tacc_a")
    venue.skew, venue.fills_at = -ahead, "100"
    id = (await room.place("tacc_a"))["order"]["id"]

    await room.look()

    row = await room.order(id)
    assert (row.status, row.filled) == ("FILLED", D(1))


@pytest.mark.parametrize("account", BOTH)
async def test_an_order_whose_fills_are_not_listed_for_five_minutes_is_told_once(room: Room, account: str) -> None:
    venue = room.venue(account)
    id = (await room.place(account))["order"]["id"]
    await room.look()
    venue.fill(venue.by_client_id(id), "1", "100")
    venue.cash, venue.hides_fills = {MONEY[account]: "-100"}, True

    with capture_logs() as early:
        for _ in range(5):
            await room.look(60)
    with capture_logs() as late:
        for _ in range(20):
            await room.look(61)
    before = await room.order(id)
    venue.hides_fills = False
    await room.look()

    assert [each for each in early if each["log_level"] == "warning"] == []
    told = [(each["event"], each["order"], each["reason"]) for each in late if each["log_level"] == "warning"]
    assert told == [("broker_order_not_reconciled", id, f"{BROKERS[account]} {MINUTES}")]
    assert (before.status, (await room.order(id)).status) == ("ACCEPTED", "FILLED")
    assert [each.kind for each in await room.entries(account)] == ["TRADE_PNL"]


async def test_an_order_that_was_given_up_and_whose_fills_are_not_listed_is_told(room: Room) -> None:
    venue = room.venue("tacc_a")
    venue.faults.append(("POST", "/orders", DOWN))
    id = (await room.place("tacc_a"))["order"]["id"]
    await room.look(61)
    late = venue.add(client_id=id, symbol="BTC/USD", side="BUY", type="LIMIT", tif="GTC", quantity=D(1), price="100")
    venue.fill(late, "1", "100")
    venue.cash, venue.units, venue.hides_fills = {"USD": "-100"}, {"BTCUSD": "1"}, True

    with capture_logs() as logs:
        for _ in range(3):
            await room.look(301)
    venue.hides_fills = False
    await room.look(301)

    told = [(each["order"], each["reason"]) for each in logs if each["event"] == "broker_order_not_reconciled"]
    assert told == [(id, f"alpaca_paper {MINUTES}")]
    assert (await room.order(id)).filled == D(1)
    assert [each.kind for each in await room.entries("tacc_a")] == ["TRADE_PNL"]
