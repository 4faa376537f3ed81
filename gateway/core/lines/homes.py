"""Which process of a fleet has the connections of a feed that takes only so many with one key.

The others ask over HTTP, within their share of the provider's limits: a connection too many ends all of them at some
venues.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from gateway.core.clock import Clock

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from gateway.core.link import RedisLink

LEASE_MS = 9_000
RENEWED_S = 3.0
TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
GIVE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class Homes(Protocol):
    """One a process."""

    async def take(self, name: str, in_use: Callable[[], bool], lost: Callable[[], None]) -> bool:
        """Whether the feed's connections are this process's, as long as they are *in_use*; *lost* when they are not
        any more."""

    async def close(self) -> None:
        """Give everything back."""


class FleetHomes:
    """Leases in Redis. While it does not answer, who has a home keeps it, and nobody gets one."""

    def __init__(self, link: RedisLink, clock: Clock) -> None:
        self._link, self._clock = link, clock
        self._me = uuid4().hex
        self._held: dict[str, asyncio.Task[None]] = {}

    async def take(self, name: str, in_use: Callable[[], bool], lost: Callable[[], None]) -> bool:
        """See `Homes`."""
        if name in self._held:
            return True
        if await self._asked(name) != 1:
            return False
        if name not in self._held:
            self._held[name] = asyncio.create_task(self._keep(name, in_use, lost), name="live.home")
        return True

    async def _asked(self, name: str) -> int | None:
        async def question(redis: Redis) -> int:
            return int(await redis.eval(TAKE, 1, _key(name), self._me, LEASE_MS))

        return await self._link.ask(question, otherwise=None)

    async def _keep(self, name: str, in_use: Callable[[], bool], lost: Callable[[], None]) -> None:
        while True:
            await self._clock.sleep(RENEWED_S)
            if not in_use():
                del self._held[name]
                await self._give(name)
                return
            if await self._asked(name) == 0:
                del self._held[name]
                lost()
                return

    async def _give(self, name: str) -> None:
        async def question(redis: Redis) -> int:
            return int(await redis.eval(GIVE, 1, _key(name), self._me))

        await self._link.ask(question, otherwise=0)

    async def close(self) -> None:
        """See `Homes`."""
        held, self._held = self._held, {}
        for task in held.values():
            task.cancel()
        await asyncio.gather(*held.values(), return_exceptions=True)
        for name in held:
            await self._give(name)


def _key(name: str) -> str:
    return f"marketgate:{{{name}}}:home"
