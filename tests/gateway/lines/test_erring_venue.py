"""Real sockets that err: Binance repeats old frames and leaves out trades, and one answers pings and says nothing."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from gateway.core.upstream import Request
from providers.crypto.binance import Binance
from schema.symbols import parse_instrument
from tests.doubles.clocks import NOON, until
from tests.gateway.doubles import reply
from tests.gateway.lines.test_lines import live

USDT = parse_instrument("crypto:BTC/USDT")
NOON_MS = int(NOON.timestamp() * 1000)


def ticker(milliseconds: int, price: str) -> dict[str, Any]:
    numbers = dict.fromkeys("pPwxohlbavqQABn", "1")
    return {"stream": "btcusdt@ticker", "data": {**numbers, "e": "24hrTicker", "E": NOON_MS + milliseconds, "c": price}}


def best(price: str) -> dict[str, Any]:
    return {
        "stream": "btcusdt@bookTicker",
        "data": {"u": 1, "s": "BTCUSDT", "b": price, "B": "1", "a": price, "A": "1"},
    }


def traded(number: int) -> dict[str, Any]:
    return {"a": number, "p": "5", "q": "1", "f": number, "l": number, "T": NOON_MS + number, "m": False, "M": True}


async def test_an_old_ticker_that_comes_once_more_is_not_told_nor_are_best_prices_put_beside_it():
    async with live(Binance) as (found, sockets):
        line = found.listen("q", USDT, "binance")
        talk = await sockets.talk(0)
        await talk.send(ticker(-4_400, "1"), ticker(0, "2"))
        await until(lambda: "2" in line.short)

        await talk.send(ticker(-4_400, "1"), best("7"))
        await until(lambda: line.events[-1].values[0].bid == 7)  # type: ignore[union-attr]
        await talk.send(ticker(-4_300, "1"), {"stream": "ethusdt@ticker", "data": {}})
        for _ in range(20):
            await found.clock.turn(0.01)
            await asyncio.sleep(0.001)

        last = line.events[-1].values[0]  # type: ignore[union-attr]
        assert (last.price, last.bid, last.as_of) == (2, 7, NOON)


async def test_the_trades_that_the_numbers_leave_out_are_looked_up():
    async with live(Binance) as (found, sockets):
        found.serve(lambda _: reply([traded(number) for number in (101, 102, 103, 104)]), "binance")
        line = found.listen("t", USDT, "binance")
        talk = await sockets.talk(0)
        for number in (101, 104, 105):
            await talk.send({"stream": "btcusdt@aggTrade", "data": {"e": "aggTrade", **traded(number)}})

        assert await line.wait(4) == ["101", "GAP", "102+103+104", "105"]
        assert line.events[1].message == "binance: trade 104 follows 101; what is missing is looked up."  # type: ignore[union-attr]


async def test_a_line_that_comes_back_to_a_wedged_venue_dials_anew_and_is_not_fresh_for_being_accepted():
    async with live() as (found, sockets):
        clock = found.clock

        def newest(_: Request) -> Any:
            return reply([{"id": n, "at": int(clock.now().timestamp()) - 5 + n, "p": 1} for n in (1, 2)])

        found.serve(newest)
        first = found.listen("t")
        for _ in range(400):
            for talk in sockets.talks:
                with suppress(ConnectionError):
                    await talk.send({"ok": "t:BTC/USD"})
            await clock.turn(1)
            await asyncio.sleep(0.001)
            if first.over:
                break
        assert first.short[:2] == ["STALE", "RECONNECTING"]
        assert first.short[-1].startswith("Stale: tape: nothing came for ")
        assert "FRESH_AGAIN" not in first.short
        dialled = len(sockets.talks)

        again = found.listen("t", since=())
        while len(sockets.talks) == dialled or len(sockets.talks[-1].received) < 2:
            await clock.turn(0.5)
            await asyncio.sleep(0.001)
        talk = sockets.talks[-1]
        await talk.send({"ok": "t:BTC/USD"})
        await clock.turn(5)
        assert again.short == []
        await talk.send({"t": "BTC/USD", "id": 9, "at": int(clock.now().timestamp()), "p": 1})

        assert (await again.wait(2))[0] == "FRESH_AGAIN"
        assert dialled == 2
