"""Processes of a fleet over one real Redis, each with a clock turned by hand; what Redis has written is made older."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import redis.asyncio

from gateway.core.fleet import SharedBreakers
from gateway.core.guards.breaker import Admission, Breaker
from gateway.core.link import RedisLink
from gateway.core.redis import RedisBus
from schema.errors import CircuitOpen, Overloaded
from tests.gateway.doubles import ManualClock, World, venue, world

RECORD = "marketgate:{alpha}:breaker:quotes"
FAULT = Overloaded("alpha", "HTTP 500")
EVENTS = ("provider.degraded", "provider.recovered")


class TickedClock(ManualClock):
    """Sleepers wake one at a tick."""

    def __init__(self) -> None:
        super().__init__()
        self.ticks = asyncio.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self.ticks.acquire()


@dataclass
class Process:
    """One of a fleet, with the provider `alpha`."""

    name: str
    clock: TickedClock
    bus: RedisBus
    link: RedisLink
    shared: SharedBreakers
    world: World
    heard: list[dict[str, Any]] = field(default_factory=list)

    @property
    def breaker(self) -> Breaker:
        found = self.world.breaker("alpha")
        assert isinstance(found, Breaker)
        return found

    @property
    def state(self) -> str:
        return self.breaker.state.value

    def fail(self, times: int = 10) -> None:
        for _ in range(times):
            self.breaker.failed(self.breaker.admit(), FAULT)

    async def enter(self) -> Admission | None:
        """The right to call; None for a refusal."""
        try:
            return await self.breaker.enter()
        except CircuitOpen:
            return None

    async def settled(self) -> None:
        """Everything that this process has to tell is told."""
        while (worker := self.shared._worker) is not None and not worker.done():
            await asyncio.wait({worker})


@asynccontextmanager
async def process(url: str, name: str = "p", wait_s: float = 5.0) -> AsyncIterator[Process]:
    """Started, and connected if Redis is there."""
    clock, bus = TickedClock(), RedisBus(url)
    link = RedisLink(url, clock, wait_s=wait_s)
    shared = SharedBreakers(link, bus, clock, by=name)
    made = Process(name, clock, bus, link, shared, world(venue("alpha"), clock=clock, oversight=shared))
    for event in EVENTS:
        bus.subscribe(event, lambda message: made.heard.append(dict(message)))
    await bus.start()
    await shared.look()
    try:
        yield made
    finally:
        await shared.close()
        await bus.close()
        await link.close()


@asynccontextmanager
async def two(url: str) -> AsyncIterator[tuple[Process, Process]]:
    """A fleet."""
    async with process(url, "one") as one, process(url, "two") as other:
        yield one, other


async def until(condition: Callable[[], bool], within: float = 10.0) -> None:
    """Another process decides when it holds."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - another process decides
            await asyncio.sleep(0.005)


async def rested(url: str, *processes: Process) -> None:
    """The rest after an opening is over, for Redis and for every clock."""
    client = redis.asyncio.Redis.from_url(url)
    record = json.loads(await client.get(RECORD) or "null")
    await client.set(RECORD, json.dumps({**record, "at": record["at"] - record["rest"]}), ex=3600)
    await client.aclose()
    for each in processes:
        each.clock.turn(15)


async def record(url: str) -> dict[str, Any]:
    """What Redis holds of alpha's quotes."""
    client = redis.asyncio.Redis.from_url(url)
    found: dict[str, Any] = json.loads(await client.get(RECORD) or "null")
    await client.aclose()
    return found
