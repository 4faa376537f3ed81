"""Memory of a real process while ten thousand different keys at a time are in flight, again and again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from itertools import count

import uvloop

from gateway.core.settings import load_settings
from tests.bench.load import request_bytes
from tests.bench.outage import exchange
from tests.bench.servers import environment, gateway, memory_mb, module
from tests.furnished import furnish

KEYS, PER_QUERY, ROUNDS = 10_000, 200, 6
CACHE_MB, DELAY_MS = 16, 500
QUERY = (
    'query ($symbols: [String!]!) { quotes(symbols: $symbols, route: {providers: ["binance"]}) { nodes { price } } }'
)


async def in_flight(port: int, key: str, numbers: count[int]) -> int:
    """Ask for so many keys at once that nobody asked for before; how many were answered."""

    async def ask(first: int) -> int:
        symbols = [f"crypto:K{first + n}X/USDT" for n in range(PER_QUERY)]
        body = json.dumps({"query": QUERY, "variables": {"symbols": symbols}}).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        answer = json.loads(await exchange(reader, writer, request_bytes("/graphql", body, key)))
        writer.close()
        return len((answer.get("data") or {}).get("quotes", {}).get("nodes", ()))

    starts = [next(numbers) * PER_QUERY for _ in range(KEYS // PER_QUERY)]
    return sum(await asyncio.gather(*map(ask, starts)))


def report() -> Sequence[str]:
    """Resident memory after each round: once the caches are full it must stay."""
    with module("tests.bench.upstream", str(DELAY_MS)) as (upstream, _):
        env = environment(upstream, cache_mb=str(CACHE_MB), response_cache_mb=str(CACHE_MB), shed_lag_ms="0")
        key, numbers = furnish(load_settings(env, None).settings), count()
        with gateway(env, "tests.bench.unthrottled") as (port, pid):
            lines = [
                f"{KEYS:,} different keys in flight (bounds: {CACHE_MB} MiB of values and {CACHE_MB} MB of answers)",
                f"  at the start   {memory_mb(pid):6.1f} MB",
            ]
            for number in range(1, ROUNDS + 1):
                answered = uvloop.run(in_flight(port, key, numbers))
                lines.append(f"  after round {number:2} {memory_mb(pid):6.1f} MB, {answered:,} of {KEYS:,} answered")
            return lines


if __name__ == "__main__":
    print("\n".join(report()))
