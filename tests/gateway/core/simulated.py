"""Processes that share quotas in simulated time: a real Redis runs the scripts and is told what time it is.

Redis is asked without waiting for sockets, so that the loop's time stands still meanwhile, however long that takes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import redis

from gateway.core.guards.members import EVERY_S, Members
from gateway.core.guards.quota import Claim
from gateway.core.guards.quotafleet import FleetCount
from gateway.core.guards.turnstile import Turnstile
from gateway.core.link import RedisLink
from providers.contract import MARGIN, Limit
from schema.errors import QuotaReached
from tests.gateway.doubles import LoopClock

PLACE, CLOCK = "marketgate:{alpha}:quota:", "test:clock"
TIME = "redis.call('TIME')"
EPOCH_S = 1_800_000_000
T = TypeVar("T")


class Clockwork:
    """What a script sees of Redis: all of it, and the loop's time."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client

    async def evalsha(self, sha: str, keys: int, *args: Any) -> Any:
        raise redis.exceptions.NoScriptError

    async def eval(self, script: str, keys: int, *args: Any) -> Any:
        now = round(asyncio.get_running_loop().time() * 1_000_000)
        self.client.delete(CLOCK)
        self.client.rpush(CLOCK, EPOCH_S + now // 1_000_000, now % 1_000_000)
        assert TIME in script
        return self.client.eval(script.replace(TIME, f"redis.call('LRANGE', '{CLOCK}', 0, 1)"), keys, *args)

    async def get(self, key: str) -> Any:
        return self.client.get(key)

    async def ping(self) -> bool:
        return True


@dataclass
class Link:
    """A process's way to Redis; *losing* carries questions out and loses the answers."""

    redis: Clockwork
    up: bool = True
    losing: bool = False

    @property
    def available(self) -> bool:
        return self.up

    async def ask(self, question: Callable[[Any], Awaitable[T]], *, otherwise: T, wait_s: float | None = None) -> T:
        if not self.up:
            return otherwise
        found = await question(self.redis)
        return otherwise if self.losing else found


@dataclass
class Process:
    """One of them."""

    clock: LoopClock
    link: Link
    members: Members
    count: FleetCount
    turnstile: Turnstile
    beating: asyncio.Task[None] | None = None
    frozen: asyncio.Event = field(default_factory=asyncio.Event)

    async def beat(self) -> None:
        """The worker."""
        while True:
            await self.frozen.wait()
            await self.members.report()
            await asyncio.sleep(EVERY_S)

    def die(self) -> None:
        """Without a word."""
        self.link.up = False
        if self.beating is not None:
            self.beating.cancel()


@dataclass
class Simulation:
    """A fleet and the upstream: when each of its units arrived, and from whom."""

    client: redis.Redis
    limits: tuple[Limit, ...]
    margin: float
    processes: list[Process] = field(default_factory=list)
    arrived: list[tuple[float, int, str]] = field(default_factory=list)

    def start(self) -> Process:
        """One more process."""
        clock, link = LoopClock(), Link(Clockwork(self.client))
        members = Members(cast(RedisLink, link), clock, f"process {len(self.processes)}")
        count = FleetCount(PLACE, self.limits, cast(RedisLink, link), clock, members, margin=self.margin)
        members.tell = count.tell
        made = Process(clock, link, members, count, Turnstile("alpha", count, clock))
        made.frozen.set()
        made.beating = asyncio.create_task(made.beat())
        self.processes.append(made)
        return made

    async def call(self, process: Process, tenant: str, share: float, weight: int, left: float, lasts: float) -> None:
        """Reaches the upstream at the end of its way there, which is half of how long it lasts."""
        ticket = await process.turnstile.pass_(Claim(tenant, share, weight), lambda: left)
        await asyncio.sleep(lasts / 2)
        await process.frozen.wait()
        self.arrived.append((asyncio.get_running_loop().time(), weight, tenant))
        await asyncio.sleep(lasts / 2)
        process.turnstile.end(ticket)

    async def flood(
        self, process: Process, seconds: float, tenant: str = "", share: float = 1, *,
        width: int = 4, weight: int = 1, lasts: float = 0.02,
    ) -> None:  # fmt: skip
        """As many as pass, so many at a time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds

        async def one() -> None:
            while loop.time() < until:
                await process.frozen.wait()
                try:
                    await self.call(process, tenant, share, weight, 0.5, lasts)
                except QuotaReached:
                    await asyncio.sleep(0.1)

        await asyncio.gather(*(one() for _ in range(width)))

    def most_in(self, seconds: float) -> int:
        """The most units that arrived within so long, wherever that began."""
        most = units = first = 0
        for at, weight, _ in self.arrived:
            units += weight
            while self.arrived[first][0] <= at - seconds:
                units -= self.arrived[first][1]
                first += 1
            most = max(most, units)
        return most

    def between(self, start: float, end: float) -> Counter[str]:
        """Each tenant's units that arrived in [start, end)."""
        found: Counter[str] = Counter()
        for at, weight, tenant in self.arrived:
            if start <= at < end:
                found[tenant] += weight
        return found


@contextmanager
def simulation(url: str, *limits: Limit, count: int = 2, margin: float = MARGIN) -> Iterator[Simulation]:
    """A fleet of so many."""
    with redis.Redis.from_url(url) as client:
        made = Simulation(client, limits, margin)
        for _ in range(count):
            made.start()
        try:
            yield made
        finally:
            for process in made.processes:
                process.die()
