"""Orders that come at once, each decided by prices of all that its account holds by then."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from plugins.trading.orders import desk, knowing
from plugins.trading.orders.ground import Ground
from tests.plugins.trading.orders.pit import BTC, ETH, PLACE, Pit, wish

OTHERS = [f"crypto:{base}/USD" for base in ("SOL", "XRP", "ADA", "LTC", "DOT", "UNI")]


async def test_orders_of_many_instruments_at_once_are_all_priced(pit: Pit):
    symbols = [BTC, ETH, *OTHERS]
    for symbol in OTHERS:
        pit.price("99", "101", symbol)

    asked = [wish("BUY", "MARKET", "0.5", accountId="tacc_2", symbol=symbol) for symbol in symbols * 2]
    told = await asyncio.gather(*(pit.see(PLACE, i=each) for each in asked))

    assert [payload["userErrors"] for payload in told] == [[]] * 16
    assert await pit.positions("tacc_2") == dict.fromkeys(symbols, "1")


async def test_the_same_client_order_id_at_once_is_one_order_of_a_margin_account(
    pit: Pit, monkeypatch: pytest.MonkeyPatch
):
    real, gate, full, waiting = knowing.ask_one, asyncio.Event(), asyncio.Event(), list[int]()

    async def held_back(context: Any, known: Any, instrument: Any, *how: Any) -> Ground:
        found = await real(context, known, instrument, *how)
        if len(waiting) < 20:
            waiting.append(1)
            if len(waiting) == 20:
                full.set()
            await gate.wait()
        return found

    monkeypatch.setattr(desk, "ask_one", held_back)
    asked = wish("BUY", "MARKET", "1", accountId="tacc_2", clientOrderId="c1")
    same = [asyncio.create_task(pit.see(PLACE, i=asked)) for _ in range(20)]
    await full.wait()
    # What none of them has a price of is bought before they come to the lock, and the order itself is placed.
    await pit.place("BUY", "MARKET", "1", accountId="tacc_2", symbol=ETH)
    first = await pit.do(PLACE, **asked)
    gate.set()

    assert [await each for each in same] == [first] * 20
    assert await pit.positions("tacc_2") == {BTC: "1", ETH: "1"}
