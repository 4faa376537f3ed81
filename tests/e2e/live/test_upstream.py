"""A real process over venues' sockets that drop, skip, repeat and garble: only what venues have said, and notices."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

from tests.doubles.books import STEP_S, BinanceBook, KrakenBook, Truth, written
from tests.doubles.sockets import Faults, Talk, socket_venue
from tests.e2e.live.test_two_processes import update
from tests.e2e.market.process import Gateway, running
from tests.gateway.edge.sockets import dialled

QUOTES = """
subscription { quotes(symbols: ["BTC/USD"], route: {providers: ["kraken"]}) {
  snapshot quotes { price bid ask provenance { provider mode delay } } notices { code provider }
} }
"""


BOOKS = """
subscription {{ orderBook(symbol: "{}", depth: 5, route: {{providers: ["{}"]}}) {{
  orderBook {{ bids {{ price size }} asks {{ price size }} verified }} notices {{ code }}
}} }}
"""
SIDES = ("bids", "asks")


class Kraken:
    """Says a price more each time, over all connections."""

    def __init__(self) -> None:
        self.prices = count(50_000)
        self.said: list[int] = []

    async def script(self, talk: Talk) -> None:
        """See `socket_venue`."""
        (asked,) = [each for each in await talk.wait(1) if each.get("method") == "subscribe"]
        result = {"channel": "ticker", "symbol": "BTC/USD", "snapshot": True, "event_trigger": "bbo"}
        await talk.send({"method": "subscribe", "req_id": asked["req_id"], "result": result, "success": True})
        kind = "snapshot"
        while True:
            price = next(self.prices)
            self.said.append(price)
            row = {
                "symbol": "BTC/USD", "bid": price - 1, "bid_qty": 1.5, "ask": price + 1, "ask_qty": 2, "last": price,
                "volume": 1000.5, "vwap": price, "low": 40000, "high": 90000, "change": 1, "change_pct": 0.5,
            }  # fmt: skip
            await talk.send({"channel": "ticker", "type": kind, "data": [row]})
            kind = "update"
            await asyncio.sleep(0.02)


@asynccontextmanager
async def gateway_over(folder: Path, url: str) -> AsyncIterator[Gateway]:
    loop = asyncio.get_running_loop()
    held = running(folder, UPSTREAMS="live", UPSTREAM_BASE=url)
    gateway = await loop.run_in_executor(None, held.__enter__)
    try:
        yield gateway
    finally:
        await loop.run_in_executor(None, held.__exit__, None, None, None)


async def watched(gateway: Gateway, updates: int) -> list[dict[str, Any]]:
    async with dialled(gateway.url.replace("http", "ws") + "/graphql", headers={"x-api-key": gateway.key}) as peer:
        await peer.initialise()
        await peer.ask(QUOTES)
        heard: list[dict[str, Any]] = []
        while len([each for each in heard if each["quotes"]]) < updates:
            heard.append(await update(peer))
        return heard


async def test_subscribers_see_prices_of_the_venue_in_order_whatever_its_socket_does(tmp_path):
    kraken = Kraken()
    async with socket_venue(kraken.script) as venue:
        venue.faults = Faults(drop_every=41, repeat_every=5, garbage_every=17)
        async with gateway_over(tmp_path, venue.url) as gateway:
            heard = await watched(gateway, 60)

    quotes = [quote for each in heard for quote in each["quotes"]]
    prices = [int(quote["price"]) for quote in quotes]
    assert prices == sorted(prices)
    assert set(prices) <= set(kraken.said)
    assert [(int(quote["bid"]), int(quote["ask"])) for quote in quotes] == [(p - 1, p + 1) for p in prices]
    assert "RECONNECTING" in [notice["code"] for each in heard for notice in each["notices"]]
    assert {quote["provenance"]["mode"] for quote in quotes} == {"LIVE"}
    assert len(venue.talks) > 1


class Exchange:
    """Kraken and Binance behind one address."""

    def __init__(self) -> None:
        self.kraken = KrakenBook(Truth(random.Random(1)), wrong_every=37)
        self.binance = BinanceBook(Truth(random.Random(2)))
        self.talks = {"kraken": 0, "binance": 0}

    async def script(self, talk: Talk) -> None:
        """See `socket_venue`."""
        provider = talk.path.split("/")[1]
        self.talks[provider] += 1
        await (self.kraken if provider == "kraken" else self.binance).script(talk)


async def book_messages(gateway: Gateway, symbol: str, provider: str, venue: Exchange) -> list[dict[str, Any]]:
    """Until the venue has been dialled three times, and books come again."""
    heard: list[dict[str, Any]] = []
    async with dialled(gateway.url.replace("http", "ws") + "/graphql", headers={"x-api-key": gateway.key}) as peer:
        await peer.initialise()
        await peer.ask(BOOKS.format(symbol, provider))
        since = 0
        while venue.talks[provider] < 3 or since < 20:
            message = await peer.hear()
            assert message["type"] == "next", message
            heard.append(message["payload"]["data"]["orderBook"])
            since = since + 1 if venue.talks[provider] >= 3 and heard[-1]["orderBook"] else 0
    return heard


async def test_subscribers_see_only_books_that_the_venues_had_whatever_their_sockets_do(tmp_path):
    exchange = Exchange()
    async with socket_venue(exchange.script) as venue:
        venue.answer = exchange.binance.answer
        # Two seconds until a connection breaks.
        venue.faults = Faults(drop_every=round(2 / STEP_S), skip_every=23, repeat_every=7, garbage_every=41)
        async with gateway_over(tmp_path, venue.url) as gateway:
            kraken, binance = await asyncio.gather(
                book_messages(gateway, "BTC/USD", "kraken", exchange),
                book_messages(gateway, "BTC/USDT", "binance", exchange),
            )

    assert exchange.kraken.wrong > 0
    for heard, truth in ((kraken, exchange.kraken.truth), (binance, exchange.binance.truth)):
        books = [each["orderBook"] for each in heard if each["orderBook"]]
        shown = [tuple(written([(x["price"], x["size"]) for x in book[side]]) for side in SIDES) for book in books]
        assert [state for state in shown if state not in truth.states] == []
        assert len(set(shown)) > 30
        assert all(book["verified"] for book in books)
        assert {"GAP", "RECONNECTING", "FRESH_AGAIN"} <= {
            notice["code"] for each in heard for notice in each["notices"]
        }
