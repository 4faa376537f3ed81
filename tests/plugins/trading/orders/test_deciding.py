"""Orders that come at once, each decided by prices of all that its account holds by then."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from plugins.trading.markets.heard import FeedKey, Heard
from plugins.trading.orders import desk, knowing
from plugins.trading.orders.ground import Ground
from schema.words.orders import FillSource
from schema.words.quotes import Quote, QuotesAsk
from tests.plugins.trading.orders.pit import BTC, ETH, GROUP, PLACE, Pit, wish

D = Decimal

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


async def test_an_order_is_filled_by_what_is_answered_to_it_and_not_by_a_copy(pit: Pit):
    pit.price("99", "101")
    await pit.see('query { quote(symbol: "crypto:BTC/USD") { ask } }')
    pit.told[BTC] |= {"bid": D(109), "ask": D(111), "price": D(110)}
    pit.house.clock.turn(1)

    placed = await pit.place("BUY", "MARKET", "1")

    assert [fill["price"] for fill in placed["fills"]] == ["111"]


async def test_what_a_stream_tells_while_the_account_is_waited_for_is_the_price(
    pit: Pit, monkeypatch: pytest.MonkeyPatch
):
    real = knowing.ask_one

    async def told_since(context: Any, *how: Any) -> Ground:
        found = await real(context, *how)
        assert found.priced is not None
        later = replace(found.priced.tick, bid=D(109), ask=D(111), at=pit.house.clock.now())
        priced = replace(found.priced, price=D(110), tick=later)
        key = FeedKey(
            tenant=context.tenant, provider=None, source=FillSource.QUOTES, instrument=found.spec.instrument
        )  # fmt: skip
        pit.house.host.service(Heard).begin(key, lambda _: priced)
        return found

    monkeypatch.setattr(desk, "ask_one", told_since)

    placed = await pit.place("BUY", "MARKET", "1")

    assert [fill["price"] for fill in placed["fills"]] == ["111"]


async def test_orders_of_a_group_ask_once_for_an_instrument(pit: Pit, monkeypatch: pytest.MonkeyPatch):
    asked, real = list[str](), pit.quotes

    def count(pit: Pit, ask: QuotesAsk) -> list[Quote]:
        asked.extend(map(str, ask.instruments))
        return real(ask)

    monkeypatch.setattr(Pit, "quotes", count)
    legs = [wish("BUY", "MARKET", "1", symbol=each) for each in (BTC, ETH, BTC)]
    for leg in legs:
        del leg["accountId"]
    pit.house.clock.turn(3)

    placed = await pit.do(GROUP, accountId="tacc_2", rule="ALL", orders=legs)

    assert [each["status"] for each in placed["orders"]] == ["FILLED"] * 3
    assert sorted(asked) == [BTC, ETH]
