"""`make bench`: the gateway, a bare Starlette route and Strawberry on the same data, in one run.

`ARGS="executed hot"` runs some parts only. Figures are for ratios within a run: machines differ and are noisy.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median

import uvloop

from gateway.core.settings import load_settings
from tests.bench import (
    alerts,
    analytics,
    cold,
    egress,
    hostile,
    imports,
    keys,
    live,
    load,
    normalising,
    outage,
    quant,
    redis_gone,
    stalls,
    trading,
    upstream_cpu,
    webhooks,
)
from tests.bench.questions import BARE, EXECUTED_TARGETS, GATEWAY, HOT_TARGET, PLAIN
from tests.bench.servers import ask, environment, gateway, memory_mb, module
from tests.furnished import furnish
from tests.servers import valkey

ROUNDS, SECONDS = 3, 1.5
PARTS = (
    "normalising", "imports", "start", "hot", "executed", "cold", "upstream", "stalls", "outage", "redis", "keys",
    "fleet", "hostile", "live", "egress", "alerts", "webhooks", "quant", "analytics", "trading",
)  # fmt: skip
REPORTS = {
    "normalising": normalising.report, "cold": cold.report, "upstream": upstream_cpu.report, "stalls": stalls.report,
    "outage": outage.report, "redis": redis_gone.report, "keys": keys.report, "hostile": hostile.report,
    "imports": imports.report, "live": live.report, "egress": egress.report, "alerts": alerts.report,
    "webhooks": webhooks.report, "quant": quant.report, "analytics": analytics.report,
    "trading": trading.report,
}  # fmt: skip
FIRST = "Q1 one quote"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a table: medians over the rounds."""

    question: str
    kind: str
    per_second: float
    per_cpu: float
    p50: float
    p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What is running, and the key that it is asked with."""

    key: str
    ours: Sequence[tuple[int, int]]
    plain: tuple[int, int]

    def targets(self, question: str, kind: str) -> list[load.Target]:
        """Whom a question is put to."""
        if kind.startswith("Marketgate"):
            request = post("/graphql", GATEWAY[question], self.key)
            return [load.Target(port, pid, request) for port, pid in self.ours]
        path = {"Strawberry": "/graphql", "Strawberry, tuned": "/tuned"}.get(kind)
        asked = post(path, PLAIN[question]) if path else load.request_bytes(BARE[question])
        return [load.Target(*self.plain, asked)]


def post(path: str, query: str, key: str | None = None) -> bytes:
    """A GraphQL request."""
    return load.request_bytes(path, json.dumps({"query": query}).encode(), key)


@contextmanager
def running(processes: int = 1, **changed: str) -> Iterator[Bench]:
    """Upstream, plain servers and so many processes of the gateway."""
    with ExitStack() as stack:
        upstream, _ = stack.enter_context(module("tests.bench.upstream"))
        plain = stack.enter_context(module("tests.bench.baseline"))
        env = environment(upstream, **changed)
        key = furnish(load_settings(env, None).settings)
        ours = [stack.enter_context(gateway(env)) for _ in range(processes)]
        for port, _ in ours:
            for query in GATEWAY.values():
                ask(port, query, key)
        yield Bench(key=key, ours=ours, plain=plain)


def compare(bench: Bench, kinds: Sequence[str], connections: int) -> list[Row]:
    """Rounds in turn, so that a busy moment hits all alike."""
    found = []
    for question in GATEWAY:
        seen: dict[str, list[load.Measured]] = {kind: [] for kind in kinds}
        for _ in range(ROUNDS):
            for kind in kinds:
                measured = load.run(bench.targets(question, kind), seconds=SECONDS, connections=connections)
                seen[kind].append(uvloop.run(measured))
        for kind, runs in seen.items():
            middle = {name: median(getattr(m, name) for m in runs) for name in ("per_second", "per_cpu", "p50", "p99")}
            found.append(Row(question=question, kind=kind, **middle))
    return found


def show(rows: Sequence[Row], reference: str, *, first_only: bool = False) -> None:
    """A table with the ratio of CPU to a reference: its own row of each question, or that of the first question."""
    print(f"{'question':15} {'what':22} {'req/s':>8} {'req/CPU-s':>10} {'p50 ms':>8} {'p99 ms':>8} {'ratio':>8}")
    by = {(row.question, row.kind): row.per_cpu for row in rows}
    for row in rows:
        ratio = row.per_cpu / by[FIRST if first_only else row.question, reference]
        print(
            f"{row.question:15} {row.kind:22} {row.per_second:8.0f} {row.per_cpu:10.0f} {row.p50:8.2f} {row.p99:8.2f}"
            f" {ratio:8.2f}"
        )
    print(f"ratio: to {reference}{' of Q1' if first_only else ''}\n")


def hot() -> None:
    """Answers that are there as bytes, authentication and limits included."""
    with running() as bench:
        for connections in (32, 1):
            print(f"Hot, {connections} connections (target: {HOT_TARGET} of the bare route of Q1)")
            show(compare(bench, ("bare route", "Marketgate, hot"), connections), "bare route", first_only=True)
        print(f"memory after the load: {memory_mb(bench.ours[0][1]):.0f} MB\n")


def executed() -> None:
    """Data in memory, response cache off."""
    targets = ", ".join(f"{question} {factor:g}x" for question, factor in EXECUTED_TARGETS.items())
    with running(response_cache_mb="0") as bench:
        print(f"Executed, 32 connections (targets: {targets})")
        kinds = ("bare route", "Strawberry", "Strawberry, tuned", "Marketgate, executed")
        show(compare(bench, kinds, 32), "Strawberry, tuned")
        print("Executed, 1 connection")
        show(compare(bench, ("Strawberry, tuned", "Marketgate, executed"), 1), "Strawberry, tuned")
        print(f"memory after the load: {memory_mb(bench.ours[0][1]):.0f} MB\n")


def fleet() -> None:
    """Two processes that share one Redis."""
    with valkey() as url, running(2, redis_url=url) as bench:
        print("Fleet of 2 processes with Redis, hot, 32 connections")
        show(compare(bench, ("bare route", "Marketgate, hot"), 32), "bare route", first_only=True)
    with valkey() as url, running(2, redis_url=url, response_cache_mb="0") as bench:
        print("Fleet of 2 processes with Redis, executed, 32 connections")
        show(compare(bench, ("Strawberry, tuned", "Marketgate, executed"), 32), "Strawberry, tuned")


def start() -> None:
    """From nothing to the first answer."""
    with module("tests.bench.upstream") as (upstream, _):
        env = environment(upstream)
        key = furnish(load_settings(env, None).settings)
        seen = []
        for _ in range(3):
            begun = time.perf_counter()
            with gateway(env) as (port, pid):
                ask(port, GATEWAY[FIRST], key)
                seen.append((time.perf_counter() - begun, memory_mb(pid)))
        seconds, memory = (median(column) for column in zip(*seen, strict=True))
    print(f"First answer of a cold process: {seconds:.2f} s (target < 2.4), {memory:.0f} MB (target < 110)\n")


def main(parts: Sequence[str]) -> None:
    """Run the parts; nothing here fails on a slow machine."""
    for part in parts or PARTS:
        if part not in PARTS:
            raise SystemExit(f"bench: {part!r} is not one of {', '.join(PARTS)}")
        if part in REPORTS:
            print("\n".join(REPORTS[part]()) + "\n")
        else:
            {"start": start, "hot": hot, "executed": executed, "fleet": fleet}[part]()
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
