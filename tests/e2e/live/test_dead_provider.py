"""A real process over two venues' sockets: where one dies the other one's prices go on, and back again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count, groupby
from pathlib import Path
from typing import Any

from tests.doubles.sockets import Talk, socket_venue
from tests.e2e.live.test_two_processes import update
from tests.e2e.market.process import Gateway, running
from tests.gateway.edge.sockets import dialled

QUOTES = """
subscription { quotes(symbols: ["BTC/USD"], route: {providers: ["kraken", "coinbaseexchange"]}) {
  snapshot quotes { id price provenance { provider mode } } notices { code provider }
} }
"""


class Venues:
    """Each says a price more every time, from a thousand of its own on; the dead ones hang up."""

    def __init__(self) -> None:
        self.dead: set[str] = set()
        self.prices = {"kraken": count(50_000), "coinbaseexchange": count(60_000)}

    async def script(self, talk: Talk) -> None:
        """See `socket_venue`."""
        name = talk.path.split("/")[1]
        asked = await talk.wait(1)
        kind = "snapshot"
        while name not in self.dead:
            price = next(self.prices[name])
            if name == "kraken":
                await talk.send(*self.kraken(asked[0], price, kind))
            else:
                await talk.send(self.coinbase(price))
            kind = "update"
            await asyncio.sleep(0.02)
        await talk.abort()

    def kraken(self, asked: dict[str, Any], price: int, kind: str) -> list[dict[str, Any]]:
        result = {"channel": "ticker", "symbol": "BTC/USD", "snapshot": True, "event_trigger": "bbo"}
        accepted = {"method": "subscribe", "req_id": asked["req_id"], "result": result, "success": True}
        row = {
            "symbol": "BTC/USD", "bid": price - 1, "bid_qty": 1.5, "ask": price + 1, "ask_qty": 2, "last": price,
            "volume": 1000.5, "vwap": price, "low": 40000, "high": 90000, "change": 1, "change_pct": 0.5,
        }  # fmt: skip
        said = {"channel": "ticker", "type": kind, "data": [row]}
        return [accepted, said] if kind == "snapshot" else [said]

    def coinbase(self, price: int) -> dict[str, Any]:
        return {
            "type": "ticker", "product_id": "BTC-USD", "price": str(price), "best_bid": str(price - 1),
            "best_ask": str(price + 1), "time": datetime.now(UTC).isoformat(),
        }  # fmt: skip


@asynccontextmanager
async def live_on(folder: Path, base: str) -> AsyncIterator[Gateway]:
    loop = asyncio.get_running_loop()
    held = running(folder, UPSTREAMS="live", UPSTREAM_BASE=base)
    gateway = await loop.run_in_executor(None, held.__enter__)
    try:
        yield gateway
    finally:
        await loop.run_in_executor(None, held.__exit__, None, None, None)


def providers(heard: list[dict[str, Any]]) -> list[str]:
    return [quote["provenance"]["provider"] for each in heard for quote in each["quotes"]]


async def test_a_stream_goes_from_a_dead_provider_to_the_next_and_back_and_its_quote_keeps_its_id(tmp_path):
    venues = Venues()
    heard: list[dict[str, Any]] = []
    async with socket_venue(venues.script) as venue, live_on(tmp_path, venue.url) as gateway:
        url, headers = gateway.url.replace("http", "ws") + "/graphql", {"x-api-key": gateway.key}
        async with dialled(url, headers=headers) as peer, asyncio.timeout(60):
            await peer.initialise()
            await peer.ask(QUOTES)
            for serves, dies in (("kraken", "kraken"), ("coinbaseexchange", "coinbaseexchange"), ("kraken", None)):
                while serves not in [
                    quote["provenance"]["provider"] for each in heard[-1:] for quote in each["quotes"]
                ]:
                    heard.append(await update(peer))
                venues.dead = {dies} if dies else set()

    quotes = [quote for each in heard for quote in each["quotes"]]
    notices = [(notice["code"], notice["provider"]) for each in heard for notice in each["notices"]]
    assert {quote["id"] for quote in quotes} == {"quote:crypto:BTC/USD|kraken+coinbaseexchange"}
    assert [name for name, _ in groupby(providers(heard))] == ["kraken", "coinbaseexchange", "kraken"]
    assert notices[0] == ("RECONNECTING", "kraken")
    assert [provider for code, provider in notices if code == "PROVIDER_SWITCHED"] == ["coinbaseexchange", "kraken"]
    for quote in quotes:
        assert quote["provenance"]["mode"] == "LIVE"
        assert (float(quote["price"]) >= 60_000) == (quote["provenance"]["provider"] == "coinbaseexchange")
