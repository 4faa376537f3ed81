"""An order book that changes at random, as two venues tell it, and every state that it has had."""

from __future__ import annotations

import asyncio
import json
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.doubles.sockets import Talk

MIDDLE, LEVELS, SHOWN, CHECKED = 50_000, 40, 5, 10
STEP_S = 0.02

Level = tuple[Decimal, Decimal]
State = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass
class Truth:
    """Forty levels a side, of which those near the middle come, change and go."""

    chance: random.Random
    number: int = 1_000
    bids: dict[Decimal, Decimal] = field(default_factory=dict)
    asks: dict[Decimal, Decimal] = field(default_factory=dict)
    states: set[State] = field(default_factory=set)

    def __post_init__(self) -> None:
        for away in range(1, LEVELS + 1):
            self.bids[Decimal(MIDDLE - away)] = self._size()
            self.asks[Decimal(MIDDLE + away)] = self._size()
        self.states.add(self.shown(SHOWN))

    def step(self) -> tuple[Sequence[Level], Sequence[Level]]:
        """One change or a few, each price once; a size of zero takes a level away."""
        changed: dict[bool, dict[Decimal, Decimal]] = {True: {}, False: {}}
        for _ in range(self.chance.randint(1, 3)):
            bid = self.chance.random() < 0.5
            side, away = (self.bids if bid else self.asks), self.chance.randint(1, 8)
            price = Decimal(MIDDLE - away if bid else MIDDLE + away)
            gone = price in side and self.chance.random() < 0.4
            size = changed[bid][price] = Decimal(0) if gone else self._size()
            if gone:
                del side[price]
            else:
                side[price] = size
        self.number += 1
        self.states.add(self.shown(SHOWN))
        return list(changed[True].items()), list(changed[False].items())

    def best(self, count: int) -> tuple[Sequence[Level], Sequence[Level]]:
        """The best bids and asks."""
        return sorted(self.bids.items(), reverse=True)[:count], sorted(self.asks.items())[:count]

    def shown(self, count: int) -> State:
        """The best levels, as texts that compare."""
        bids, asks = self.best(count)
        return written(bids), written(asks)

    def _size(self) -> Decimal:
        return Decimal(self.chance.randint(1, 99)) / 10


def written(levels: Sequence[tuple[Any, Any]]) -> tuple[str, ...]:
    """Each level as its price and its size, however they are written."""
    return tuple([f"{Decimal(price).normalize():f} {Decimal(size).normalize():f}" for price, size in levels])


class KrakenBook:
    """Kraken's words: a checksum of the best ten of both sides in every frame; every so many a wrong one."""

    def __init__(self, truth: Truth, wrong_every: int) -> None:
        self.truth, self._wrong_every = truth, wrong_every
        self.wrong = 0

    async def script(self, talk: Talk) -> None:
        """See `socket_venue`. Who subscribes anew gets a snapshot."""
        heard, subscribed = 0, False
        while True:
            while heard < len(talk.received):
                asked, heard = talk.received[heard], heard + 1
                if asked.get("method") == "subscribe":
                    subscribed = True
                    await self._begin(talk, asked)
            if subscribed:
                bids, asks = self.truth.step()
                await talk.send(self._frame("update", bids, asks, talk.sent + 1))
            await asyncio.sleep(STEP_S)

    async def _begin(self, talk: Talk, asked: dict[str, Any]) -> None:
        result = {"channel": "book", "symbol": "BTC/USD", "depth": asked["params"]["depth"], "snapshot": True}
        answer = {"method": "subscribe", "req_id": asked["req_id"], "result": result, "success": True}
        await talk.send_surely(answer)
        await talk.send_surely(self._frame("snapshot", *self.truth.best(LEVELS)))

    def _frame(self, kind: str, bids: Sequence[Level], asks: Sequence[Level], number: int = 0) -> str:
        """By hand, for numbers keep their digits."""
        check = zlib.crc32(
            "".join(map(_checked, [*self.truth.best(CHECKED)[1], *self.truth.best(CHECKED)[0]])).encode()
        )
        if number and number % self._wrong_every == 0:
            self.wrong, check = self.wrong + 1, check ^ 1
        rows = [",".join(f'{{"price":{price},"qty":{size}}}' for price, size in side) for side in (bids, asks)]
        row = f'"symbol":"BTC/USD","bids":[{rows[0]}],"asks":[{rows[1]}],"checksum":{check}'
        return f'{{"channel":"book","type":"{kind}","data":[{{{row},"timestamp":"2026-11-20T12:00:00.000000Z"}}]}}'


def _checked(level: Level) -> str:
    return "".join(f"{number:f}".replace(".", "").lstrip("0") for number in level)


class BinanceBook:
    """Binance's words: changes are numbered, and the snapshot that they follow is asked for over HTTP."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth

    async def script(self, talk: Talk) -> None:
        """See `socket_venue`."""
        heard, stream = 0, None
        while True:
            while heard < len(talk.received):
                asked, heard = talk.received[heard], heard + 1
                (stream,) = asked["params"] if asked["method"] == "SUBSCRIBE" else (None,)
                await talk.send_surely({"result": None, "id": asked["id"]})
            if stream is not None:
                bids, asks = self.truth.step()
                number = self.truth.number
                data = {"e": "depthUpdate", "E": 1_795_176_000_000, "s": "BTCUSDT", "U": number, "u": number}
                await talk.send({"stream": stream, "data": {**data, "b": _rows(bids), "a": _rows(asks)}})
            await asyncio.sleep(STEP_S)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """`/api/v3/depth`."""
        bids, asks = self.truth.best(LEVELS)
        body = {"lastUpdateId": self.truth.number, "bids": _rows(bids), "asks": _rows(asks)}
        return web.Response(text=json.dumps(body), content_type="application/json")


def _rows(levels: Sequence[Level]) -> list[list[str]]:
    return [[str(price), str(size)] for price, size in levels]
