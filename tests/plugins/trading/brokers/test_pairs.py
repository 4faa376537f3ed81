"""Alpaca tells money in dollars: pairs that are paid in something else are not traded there."""

from __future__ import annotations

import pytest

from gateway.core.identity import Role
from plugins.trading.brokers.alpaca import Alpaca
from tests.plugins.trading.brokers.room import ADJUST, CANCEL, CLOSE, GROUP, PLACE, REPLACE, Room
from tests.plugins.trading.rowsof import D

PAIR = "crypto:BTC/USDT"
TOLD = "Alpaca tells money in US dollars only, and crypto:BTC/USDT is paid in USDT: trade crypto:BTC/USD instead."


async def refusal(room: Room, document: str, **given: object) -> tuple[str, list[str], str]:
    (error,) = (await room.see(document, **given))["userErrors"]
    return error["code"], error["field"][1:], error["message"]


async def test_a_pair_that_is_not_paid_in_dollars_is_refused_before_anything_is_sent(room: Room) -> None:
    wanted = {"symbol": PAIR, "side": "BUY", "type": "MARKET", "quantity": "1"}

    alone = await refusal(room, PLACE, accountId="tacc_a", **wanted)
    legs = [wanted | {"symbol": "crypto:BTC/USD"}, wanted]
    together = await refusal(room, GROUP, accountId="tacc_a", rule="ALL", orders=legs)

    assert alone == ("ORDER_INVALID", ["symbol"], TOLD)
    assert together == ("ORDER_INVALID", ["orders", "1", "symbol"], TOLD)
    assert (room.venue("tacc_a").asked, await room.orders("tacc_a")) == ([], [])


async def test_what_was_ordered_before_in_such_a_pair_is_booked_cancelled_and_taken_off(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.role, venue = Role.OWNER, room.venue("tacc_a")
    with monkeypatch.context() as before:
        before.setattr(Alpaca, "check", lambda *_: None)
        filled, resting = [(await room.place("tacc_a", symbol=PAIR))["order"]["id"] for _ in range(2)]
    venue.fill(venue.by_client_id(filled), "1", "100")

    await room.look()
    assert ((await room.order(filled)).status, (await room.holds("tacc_a"))[1]) == ("FILLED", {PAIR: "1"})
    assert await refusal(room, REPLACE, orderId=resting, limitPrice="105") == ("ORDER_INVALID", ["orderId"], TOLD)
    assert await refusal(room, CLOSE, accountId="tacc_a", symbol=PAIR) == ("ORDER_INVALID", ["symbol"], TOLD)
    assert (await room.do(CANCEL, orderId=resting))["order"]["status"] == "CANCELED"
    venue.units = {"BTCUSD": "1"}
    for symbol in (PAIR, "crypto:BTC/USD"):
        await room.do(ADJUST, accountId="tacc_a", symbol=symbol, reason="it is held in dollars")

    assert (await room.holds("tacc_a"))[1] == {"crypto:BTC/USD": "1"}
    assert ([each.quantity for each in venue.orders.values()], await room.findings()) == ([D(1)] * 2, [])
