"""Cold answers: every request asks for a symbol that nobody asked for before, from upstreams that take their time."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from statistics import median

from tests.bench import load

DELAYS_MS, CONNECTIONS = (0, 20), (1, 32)
P50_GOAL_MS = 25.0
CONSENSUS = """query ($symbol: String!) { consensus(symbol: $symbol, providers: ["binance", "kraken", "bitstamp"]) {
  median low high used sources { provider deviationBps quote { price bid ask } } } }"""
QUOTE = """query ($symbol: String!) { quote(symbol: $symbol, route: {providers: ["binance", "kraken"]}) {
  price bid ask high low volume instrument { symbol } provenance { provider } } }"""
KINDS = {"Q1 quote": QUOTE, "Q3 three providers": CONSENSUS}

_numbers = count(secrets.randbelow(1 << 20) << 20)


def fresh_symbol() -> str:
    """A pair that nobody has asked for: letters only, for a digit may end a venue's symbol."""
    number, letters = next(_numbers), ""
    while number:
        number, letter = divmod(number, 16)
        letters += "ABCDEFGHIJKLMNOP"[letter]
    return f"crypto:Q{letters}/USDT"


def requests(query: str, key: str) -> Iterator[bytes]:
    """One operation after the other, no two of the same symbol."""
    while True:
        body = json.dumps({"query": query, "variables": {"symbol": fresh_symbol()}}).encode()
        yield load.request_bytes("/graphql", body, key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cold:
    """Milliseconds, and the server's CPU for each request in microseconds."""

    per_second: float
    cpu_us: float
    p50: float
    p99: float


async def run(port: int, pid: int, query: str, key: str, *, seconds: float, connections: int) -> Cold:
    """A closed loop for some seconds; an answer with errors stops the run."""
    latencies: list[float] = []
    source = requests(query, key)
    stop = time.perf_counter() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
        while (begun := time.perf_counter()) < stop:
            body = await load.exchange(reader, writer, next(source))
            latencies.append((time.perf_counter() - begun) * 1000)
            if b'"errors"' in body:
                raise RuntimeError(body[:400])
        writer.close()

    used, begun = load.cpu_seconds(pid), time.perf_counter()
    await asyncio.gather(*(client() for _ in range(connections)))
    spent, used = time.perf_counter() - begun, load.cpu_seconds(pid) - used
    latencies.sort()
    return Cold(
        per_second=len(latencies) / spent, cpu_us=used / len(latencies) * 1e6, p50=latencies[len(latencies) // 2],
        p99=latencies[int(len(latencies) * 0.99)],
    )  # fmt: skip


async def compare(port: int, pid: int, key: str, delay: int, *, rounds: int = 3, seconds: float = 2.0) -> list[str]:
    """Medians of rounds, for each kind of operation and number of connections."""
    lines = []
    for name, query in KINDS.items():
        for connections in CONNECTIONS:
            seen = [await run(port, pid, query, key, seconds=seconds, connections=connections) for _ in range(rounds)]
            per_second, cpu, p50, p99 = (
                median(getattr(each, field) for each in seen) for field in ("per_second", "cpu_us", "p50", "p99")
            )
            lines.append(f"{name:20} {delay:9} {connections:12} {per_second:8.0f} {cpu:8.0f} {p50:8.2f} {p99:8.2f}")
    return lines


def report(env: dict[str, str], key: str) -> list[str]:
    """A gateway and an upstream for each delay; *env* has everything but the port and the upstream."""
    from tests.bench.__main__ import free_port, server

    lines = [f"{'cold':20} {'delay ms':>9} {'connections':>12} {'req/s':>8} {'CPU us':>8} {'p50 ms':>8} {'p99 ms':>8}"]
    for delay in DELAYS_MS:
        upstream, gateway = free_port(), free_port()
        own = {"MARKETGATE_PORT": str(gateway), "MARKETGATE_UPSTREAM_BASE": f"http://127.0.0.1:{upstream}"}
        with (
            server([sys.executable, "-m", "tests.bench.upstream", str(upstream), str(delay)], upstream),
            server([sys.executable, "-m", "tests.bench.unthrottled"], gateway, {**env, **own}) as pid,
        ):
            lines += asyncio.run(compare(gateway, pid, key, delay))
    return [*lines, f"goal: p50 of three providers at 20 ms and 32 connections <= {P50_GOAL_MS} ms"]


if __name__ == "__main__":
    from tests.bench.__main__ import live_env

    print("\n".join(report(*live_env())))
