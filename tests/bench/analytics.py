"""A hundred heavy analyses of one organisation at once, and what another one notices: one process, over HTTP.

The market is the offline one: what is measured is arithmetic and its turns, not a provider.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

import uvloop

from gateway.core.settings import load_settings
from tests.bench.hostile import share
from tests.bench.load import request_bytes
from tests.bench.outage import exchange
from tests.bench.servers import environment, gateway
from tests.furnished import furnish

AT_ONCE, ALONE = 100, 30
COINS = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC", "DOT", "LINK", "AVAX")
LARGEST = 2**26
NOBODY = 9
"""The port of an upstream that is never asked."""


def risk(coins: Sequence[str], start: str) -> bytes:
    """A universe's table of risk: series read and aligned in turns, figures made in a process beside."""
    symbols = [f"crypto:{coin}/USD" for coin in coins]
    query = """query($s: [String!]!, $start: Date!) { universe(input: {symbols: $s}) {
      risk(start: $start, end: "2026-11-01") { assets { symbol volatility { value } maxDrawdown { value } } } } }"""
    return json.dumps({"query": query, "variables": {"s": symbols, "start": start}}).encode()


HEAVY, SMALL = risk(COINS, "2018-01-01"), risk(COINS[:2], "2026-01-01")


@dataclass(slots=True)
class Seen:
    """Latencies in ms, and what was answered."""

    latencies: list[float] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)

    def line(self, name: str) -> str:
        """Its line of the table."""
        found = ", ".join(f"{count} {answer}" for answer, count in self.answers.items())
        parts = "".join(f" {share(self.latencies, part):9.0f}" for part in (0.5, 0.95))
        return f"{name:34}{parts} {max(self.latencies):9.0f}  {found}"


async def ask(port: int, key: str, body: bytes, seen: Seen) -> None:
    """One question on a connection of its own."""
    begun = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LARGEST)
    answer = json.loads(await exchange(reader, writer, request_bytes("/graphql", body, key)))
    writer.close()
    seen.latencies.append((time.perf_counter() - begun) * 1_000)
    errors = answer.get("errors")
    seen.answers[str(errors[0]["extensions"]["code"]) if errors else "answered"] += 1


async def compare(port: int, many: str, few: str) -> list[str]:
    """The one with few alone, beside the other, and beside its own hundred."""
    alone, heavy, single, beside = Seen(), Seen(), Seen(), Seen()
    for body in (SMALL, HEAVY):
        await ask(port, few, body, Seen())
    for _ in range(ALONE):
        await ask(port, few, SMALL, alone)
    await ask(port, many, HEAVY, single)
    crowd = asyncio.gather(*(ask(port, many, HEAVY, heavy) for _ in range(AT_ONCE)))
    while not crowd.done():
        await ask(port, few, SMALL, beside)
    await crowd
    ratio = median(beside.latencies) / median(alone.latencies)
    return [
        f"{'analyses over HTTP':34} {'p50 ms':>9} {'p95 ms':>9} {'most ms':>9}",
        alone.line("small, alone"),
        single.line("heavy, alone"),
        heavy.line(f"heavy, {AT_ONCE} at once"),
        beside.line("small, of another organisation"),
        f"small beside to alone, medians: {ratio:.1f}; without turns it would wait for all that came before it",
    ]


def report() -> list[str]:
    """One process of the gateway, two organisations."""
    env = environment(NOBODY, upstreams="recorded", shed_lag_ms="0", response_cache_mb="0")
    settings = load_settings(env, None).settings
    many, few = furnish(settings), furnish(settings)
    with gateway(env) as (port, _):
        return uvloop.run(compare(port, many, few))


if __name__ == "__main__":
    print("\n".join(report()))
