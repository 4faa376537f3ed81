"""Webhooks: deliveries a second of one worker on PostgreSQL, where its time goes, and healthy receivers beside hanging
ones."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import signal
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType
from typing import Any

import uvloop
from sqlalchemy import func, select

from gateway.app import Gateway, build_gateway
from gateway.core.migrations.runner import upgrade
from gateway.core.ports import Outbox
from gateway.core.settings import Settings
from gateway.core.store import new_id
from gateway.domains import histories
from plugins.webhooks.delivery.dispatcher import Dispatcher
from plugins.webhooks.delivery.fanout import FanOut
from plugins.webhooks.tables import deliveries, endpoints
from schema.events import ProviderDegraded
from tests.bench.servers import module
from tests.servers import postgresql

GOAL = 500
EVENTS, ENDPOINTS = 300, 20
MANY, HANGING, ROUNDS, PAUSE_S = 1_000, 100, 5, 3.0
TENANT = "ten_bench"
PARTS = {
    "signing": ("webhooks/delivery/signing",),
    "HTTP": ("aiohttp/", "core/egress/", "yarl/", "multidict/"),
    "SQL": ("sqlalchemy/", "asyncpg/", "core/store", "webhooks/delivery/store", "core/outbox/"),
}
"""Where a sample of the CPU's time belongs: the first whose files stand in the stack."""


@asynccontextmanager
async def engine(url: str) -> AsyncIterator[Gateway]:
    """A gateway whose two workers run, and nothing else."""
    settings = Settings.model_validate({
        "env": "development", "database_url": url, "secret_key": secrets.token_urlsafe(48), "log_level": "error",
        "data_dir": tempfile.mkdtemp(prefix="marketgate"),
    })  # fmt: skip
    gateway = build_gateway(settings)
    await upgrade(gateway.host.store, histories(gateway.host.plugins))
    yield gateway
    await gateway.host.service(Dispatcher).finish()
    await gateway.close()


@asynccontextmanager
async def working(gateway: Gateway) -> AsyncIterator[None]:
    """The engine at work."""
    runs = (gateway.host.service(FanOut).run, gateway.host.service(Dispatcher).run)
    tasks = [asyncio.create_task(run()) for run in runs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def subscribe(gateway: Gateway, urls: list[str]) -> None:
    """An endpoint for each."""
    host, now = gateway.host, gateway.host.clock.now()
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    rows: list[dict[str, Any]] = [
        {
            "tenant_id": TENANT, "id": new_id("hook"), "url": url, "owner": "bench", "event_types": ["*"],
            "channels": [], "header_names": [], "headers": host.vault.encrypt("{}"), "status": "ENABLED",
            "secret": host.vault.encrypt(secret), "signing": "hmac", "pins": {}, "created_at": now, "changed_at": now,
        }
        for url in urls
    ]  # fmt: skip
    async with host.store.write() as tx:
        await tx.run(endpoints.insert(), rows)


async def happen(gateway: Gateway, count: int) -> dict[str, float]:
    """So many events in a transaction; when it was committed, by event."""
    host = gateway.host
    outbox = host.service(Outbox)
    async with host.store.write() as tx:
        ids = [
            str(outbox.emit_to(tx, ProviderDegraded(
                provider="kraken", capability="quotes", state="OPEN", reason="bench", since=host.clock.now()
            ), (TENANT,)))
            for _ in range(count)
        ]  # fmt: skip
    return dict.fromkeys(ids, time.time())


async def until_settled(gateway: Gateway, wanted: int) -> None:
    """Until so many deliveries succeeded."""
    query, found = select(func.count()).select_from(deliveries).where(deliveries.c.status == "SUCCEEDED"), 0
    while found < wanted:
        await asyncio.sleep(0.2)
        async with gateway.host.store.read() as tx:
            found = await tx.value(query)


def fetched(port: int) -> list[tuple[str, str, float]]:
    """What a receiver got since it was asked before."""
    answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/got").read()
    return [(path, event, at) for path, event, at in json.loads(answer)]


@contextmanager
def sampled() -> Iterator[Counter[str]]:
    """Every millisecond of CPU time of this process: what it was spent on."""
    found: Counter[str] = Counter()

    def look(_: int, frame: FrameType | None) -> None:
        files = []
        while frame is not None:
            files.append(frame.f_code.co_filename)
            frame = frame.f_back
        for part, names in PARTS.items():
            if any(name in file for file in files for name in names):
                found[part] += 1
                return
        found["rest"] += 1

    before = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    try:
        yield found
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


async def throughput(url: str, port: int) -> list[str]:
    """A backlog of many events for a few endpoints, to its end."""
    wanted = EVENTS * ENDPOINTS
    async with engine(url) as gateway:
        await subscribe(gateway, [f"http://127.0.0.1:{port}/{number}" for number in range(ENDPOINTS)])
        for _ in range(EVENTS // 100):
            await happen(gateway, 100)
        begun, used = time.perf_counter(), time.process_time()
        with sampled() as samples:
            async with working(gateway):
                await until_settled(gateway, wanted)
        took, cpu = time.perf_counter() - begun, time.process_time() - used
    total = sum(samples.values()) or 1
    shares = ", ".join(f"{part} {100 * count / total:.0f} %" for part, count in samples.most_common())
    return [
        f"Webhooks, one worker, PostgreSQL: {wanted / took:.0f} deliveries/s (goal {GOAL}), {1e6 * cpu / wanted:.0f} µs"
        f" of CPU each; {EVENTS} events to {ENDPOINTS} endpoints",
        f"  its CPU time: {shares}",
    ]


async def beside(url: str, healthy: int, hanging: int) -> list[str]:
    """Many endpoints of which some never answer: how long the others wait, from the commit on."""
    paths = [f"http://127.0.0.1:{healthy}/{number}" for number in range(MANY - HANGING)]
    paths += [f"http://127.0.0.1:{hanging}/hang/{number}" for number in range(HANGING)]
    committed: dict[str, float] = {}
    lines = []
    async with engine(url) as gateway:
        await subscribe(gateway, paths)
        async with working(gateway):
            await asyncio.sleep(0.5)
            for number in range(ROUNDS):
                now = await happen(gateway, 1)
                committed |= now
                await asyncio.sleep(PAUSE_S)
                waits = sorted(at - now[event] for _, event, at in fetched(healthy) if event in now)
                lines.append(
                    f"  event {number + 1}: {len(waits)} of {MANY - HANGING} in time, p50 {spread(waits, 0.5)} ms, p99"
                    f" {spread(waits, 0.99)} ms"
                )
    return [f"Webhooks, {MANY} endpoints of which {HANGING} hang (goal: p99 < 1000 ms)", *lines]


def spread(sorted_s: list[float], part: float) -> str:
    """A quantile in ms."""
    return f"{1_000 * sorted_s[min(int(part * len(sorted_s)), len(sorted_s) - 1)]:.0f}" if sorted_s else "-"


def report() -> list[str]:
    """Both."""
    lines = []
    with postgresql() as url, module("tests.bench.receiver") as (port, _):
        lines += uvloop.run(throughput(url, port))
    receiver = "tests.bench.receiver"
    with postgresql() as url, module(receiver) as (port, _), module(receiver) as (hanging, _):
        lines += uvloop.run(beside(url, port, hanging))
    return lines


if __name__ == "__main__":
    print("\n".join(report()))
