"""An outage over real HTTP: three upstream calls in ten fail, one exchange in three never answers, and who asks."""

from __future__ import annotations

import asyncio
import json
import random
import time
from itertools import count

from gateway.core.settings import load_settings
from tests.bench import load
from tests.bench.servers import environment, gateway
from tests.e2e.market.upstream import Answer, Asked, Fault, Script, Upstream, plain, text
from tests.e2e.market.world import WORLD
from tests.furnished import furnish

QUERIES, CONNECTIONS, DEADLINE_S = 3_000, 16, 5.0
FAILING_SHARE, GOAL = 0.3, 0.999
HOLES = ("kraken", "coinbaseexchange")
FLAKY = ("binance", "bitstamp", "bybit", "okx")
QUOTE = """query ($symbol: String!) { quote(symbol: $symbol,
  route: {providers: ["kraken", "binance", "coinbaseexchange", "bitstamp", "bybit", "okx"]}) {
  price provenance { provider mode fallbackFrom { provider } } } }"""
FAULTS = (
    Answer(fault=Fault.CLOSED), Answer(body=b'{"last": "1"}' * 20, fault=Fault.TRUNCATED), plain({}, 500),
    plain({}, 503), text("<html>busy</html>"),
)  # fmt: skip


def flaky(script: Script, dice: random.Random) -> Script:
    """Fails in one of five ways."""

    def answer(asked: Asked) -> Answer:
        return dice.choice(FAULTS) if dice.random() < FAILING_SHARE else script(asked)

    return answer


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    """One request and the body of its answer."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    return await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]))


async def ask(port: int, key: str) -> tuple[int, int, float]:
    """How many quotes came, how many of them were right in every word, and the slowest in seconds."""
    numbers, came, right, slowest = count(), 0, 0, 0.0

    async def client() -> None:
        nonlocal came, right, slowest
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (number := next(numbers)) < QUERIES:
            variables = {"symbol": f"crypto:C{number}/USDT"}
            body = json.dumps({"query": QUOTE, "variables": variables}).encode()
            begun = time.perf_counter()
            answer = json.loads(await exchange(reader, writer, load.request_bytes("/graphql", body, key)))
            slowest = max(slowest, time.perf_counter() - begun)
            quote = (answer.get("data") or {}).get("quote")
            came += quote is not None
            if quote is not None:
                made = quote["provenance"]
                before = [failure["provider"] for failure in made["fallbackFrom"]]
                live = made["provider"] in FLAKY and made["mode"] == "LIVE"
                right += live and before[0] == "kraken"
        writer.close()

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return came, right, slowest


def report() -> list[str]:
    """No two queries ask for the same pair."""
    random.seed(1)
    dice = random.Random(1)
    with Upstream(WORLD).running() as upstream:
        for name in FLAKY:
            upstream.on(name, flaky(WORLD[name], dice))
        for name in HOLES:
            upstream.on(name, Answer(fault=Fault.BLACK_HOLE))
        env = environment(0, upstream_base=upstream.url)
        key = furnish(load_settings(env, None).settings)
        with gateway(env, "tests.bench.unthrottled") as (port, _):
            came, right, slowest = asyncio.run(ask(port, key))
        calls = len(upstream.log)
    return [
        f"outage: {came} of {QUERIES} quotes came ({came / QUERIES:.2%}, goal {GOAL:.1%}), {right} of them right",
        f"        {calls} upstream calls; the slowest took {slowest:.2f} s of {DEADLINE_S:g}",
    ]
