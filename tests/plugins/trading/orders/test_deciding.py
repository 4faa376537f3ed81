"""Orders that come at once, each decided by prices of all that its account holds by then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.core.matching.model import ExecutionModel
from plugins.trading.markets.heard import FeedKey, Heard
from plugins.trading.markets.prices import Prices
from plugins.trading.orders import desk, knowing
from plugins.trading.orders.deciding import Decider
from plugins.trading.orders.ground import Ground
from schema.symbols import parse_instrument
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


def _counted(pit: Pit, monkeypatch: pytest.MonkeyPatch, waits: float = 0) -> tuple[list[str], list[str]]:
    """What is asked for, and accounts that were locked, each for so long."""
    asked, locked, real, floor = list[str](), list[str](), pit.quotes, Decider.floor

    def count(pit: Pit, ask: QuotesAsk) -> list[Quote]:
        asked.extend(map(str, ask.instruments))
        return real(ask)

    @asynccontextmanager
    async def opened(self: Decider, context: Any, account: str, *how: Any) -> AsyncIterator[Any]:
        locked.append(account)
        async with floor(self, context, account, *how) as found:
            pit.house.clock.turn(waits)
            yield found

    monkeypatch.setattr(Pit, "quotes", count)
    monkeypatch.setattr(Decider, "floor", opened)
    return asked, locked


async def _heard(pit: Pit, **made: Any) -> None:
    """A stream tells now what is answered, too."""
    context, now = pit.house.context(pit.principal), pit.house.clock.now()
    first = await Prices.of(context).priced(parse_instrument(BTC), ExecutionModel())
    own = replace(first.provenance, **{"as_of": now, "fetched_at": now, "latency_ms": None} | made)
    tick = replace(first.tick, at=now, as_of=now, provider=own.provider)
    key = FeedKey(tenant=context.tenant, provider=None, source=FillSource.QUOTES, instrument=tick.instrument)
    told = replace(first, provenance=own, tick=tick, pushed=True)
    pit.house.host.service(Heard).begin(key, lambda _: told)


@pytest.mark.parametrize(("quiet", "most"), [(0, 0), (1.5, 0), (4.9, 1), (6, 2), (30, 2)])
@pytest.mark.parametrize("behind", [0, 0.3])
async def test_an_order_beside_a_stream_that_is_quiet_is_decided_at_once(
    pit: Pit, monkeypatch: pytest.MonkeyPatch, quiet: float, most: int, behind: float
):
    pit.told[BTC]["as_of"] = pit.house.clock.now() - timedelta(seconds=behind)
    await _heard(pit)
    pit.house.clock.turn(quiet)
    asked, locked = _counted(pit, monkeypatch)

    placed = await pit.place("BUY", "MARKET", "1")

    assert [fill["price"] for fill in placed["fills"]] == ["101"]
    assert locked == ["tacc_1"]
    assert len(asked) <= most


async def test_an_order_by_a_stream_is_decided_at_once_while_nobody_answers_or_another_one_far_behind(
    pit: Pit, monkeypatch: pytest.MonkeyPatch
):
    pit.told[BTC]["as_of"] = pit.house.clock.now() - timedelta(seconds=6)
    await _heard(pit, provider="beta")
    pit.house.clock.turn(8)
    asked, locked = _counted(pit, monkeypatch)

    first = await pit.place("BUY", "MARKET", "1")
    del pit.told[BTC]
    pit.house.clock.turn(8)
    second = await pit.place("BUY", "MARKET", "1")

    assert [len(each["fills"]) for each in (first, second)] == [1, 1]
    assert locked == ["tacc_1"] * 2
    assert len(asked) <= 4


async def test_an_order_whose_account_is_waited_for_for_long_goes_round_three_times_at_most(
    pit: Pit, monkeypatch: pytest.MonkeyPatch
):
    asked, locked = _counted(pit, monkeypatch, waits=1.2)

    placed = await pit.place("BUY", "MARKET", "1")

    assert [fill["price"] for fill in placed["fills"]] == ["101"]
    assert (locked, asked) == (["tacc_1"] * 3, [BTC] * 3)
