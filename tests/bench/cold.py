"""Cold answers: every request asks for a symbol that nobody asked for before, from upstreams that take their time."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from itertools import count
from statistics import median

import uvloop

from gateway.core.settings import load_settings
from tests.bench import load
from tests.bench.servers import environment, gateway, module
from tests.furnished import furnish

DELAYS_MS, CONNECTIONS = (0, 20), (1, 32)
ROUNDS, SECONDS = 3, 2.0
P50_GOAL_MS = 25.0
CONSENSUS = """query ($symbol: String!) { consensus(symbol: $symbol, providers: ["binance", "kraken", "bitstamp"]) {
  median low high used sources { provider deviationBps quote { price bid ask } } } }"""
QUOTE = """query ($symbol: String!) { quote(symbol: $symbol, route: {providers: ["binance", "kraken"]}) {
  price bid ask high low volume instrument { symbol } provenance { provider } } }"""
KINDS = {"Q1 one quote": QUOTE, "Q3 three providers": CONSENSUS}

_numbers = count(secrets.randbelow(1 << 20) << 20)


def fresh_symbol() -> str:
    """A pair that nobody has asked for: letters only, for a digit may end a venue's symbol."""
    number, letters = next(_numbers), ""
    while number:
        number, letter = divmod(number, 16)
        letters += "ABCDEFGHIJKLMNOP"[letter]
    return f"crypto:Q{letters}/USDT"


def asking(query: str, key: str) -> Callable[[], bytes]:
    """One operation after the other, no two of the same symbol."""

    def following() -> bytes:
        body = json.dumps({"query": query, "variables": {"symbol": fresh_symbol()}}).encode()
        return load.request_bytes("/graphql", body, key)

    return following


def report() -> list[str]:
    """Medians of rounds, for each delay, kind of operation and number of connections."""
    lines = [f"{'cold':20} {'delay ms':>9} {'connections':>12} {'req/s':>8} {'CPU us':>8} {'p50 ms':>8} {'p99 ms':>8}"]
    for delay in DELAYS_MS:
        with module("tests.bench.upstream", str(delay)) as (upstream, _):
            env = environment(upstream)
            key = furnish(load_settings(env, None).settings)
            with gateway(env, "tests.bench.unthrottled") as (port, pid):
                for name, query in KINDS.items():
                    for connections in CONNECTIONS:
                        lines.append(_line(name, delay, connections, load.Target(port, pid, asking(query, key))))
    return [*lines, f"goal: p50 of three providers at 20 ms and 32 connections <= {P50_GOAL_MS} ms"]


def _line(name: str, delay: int, connections: int, target: load.Target) -> str:
    seen = [
        uvloop.run(load.run([target], seconds=SECONDS, connections=connections, refuse=b'"errors"'))
        for _ in range(ROUNDS)
    ]
    per_second, per_cpu, p50, p99 = (
        median(getattr(each, field) for each in seen) for field in ("per_second", "per_cpu", "p50", "p99")
    )
    return f"{name:20} {delay:9} {connections:12} {per_second:8.0f} {1e6 / per_cpu:8.0f} {p50:8.2f} {p99:8.2f}"
