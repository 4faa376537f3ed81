"""A real process over a venue's socket that drops, repeats and garbles: prices that the venue has said, and notices."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

from tests.doubles.sockets import Faults, Talk, socket_venue
from tests.e2e.live.test_two_processes import update
from tests.e2e.market.process import Gateway, running
from tests.gateway.edge.sockets import dialled

QUOTES = """
subscription { quotes(symbols: ["BTC/USD"], route: {providers: ["kraken"]}) {
  snapshot quotes { price bid ask provenance { provider mode delay } } notices { code provider }
} }
"""


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
        venue.faults = Faults(drop_every=23, repeat_every=5, garbage_every=17)
        loop = asyncio.get_running_loop()
        held = running(tmp_path, UPSTREAMS="live", UPSTREAM_BASE=venue.url)
        gateway = await loop.run_in_executor(None, held.__enter__)
        try:
            heard = await watched(gateway, 60)
        finally:
            await loop.run_in_executor(None, held.__exit__, None, None, None)

    quotes = [quote for each in heard for quote in each["quotes"]]
    prices = [int(quote["price"]) for quote in quotes]
    assert prices == sorted(set(prices))
    assert set(prices) <= set(kraken.said)
    assert [(int(quote["bid"]), int(quote["ask"])) for quote in quotes] == [(p - 1, p + 1) for p in prices]
    assert "RECONNECTING" in [notice["code"] for each in heard for notice in each["notices"]]
    assert {quote["provenance"]["mode"] for quote in quotes} == {"LIVE"}
    assert len(venue.talks) > 1
