"""A clock that stands still until a test turns it: who sleeps is woken in order, and the loop goes on in real time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class HeldClock:
    """gateway.core.clock.Clock."""

    def __init__(self, now: datetime = NOON) -> None:
        self._start, self._passed = now, 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return 1000.0 + self._passed

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        done = asyncio.get_running_loop().create_future()
        heappush(self._sleepers, (self._passed + seconds, next(self._numbers), done))
        await done

    @property
    def sleepers(self) -> int:
        """How many sleep now."""
        return sum(not done.done() for _, _, done in self._sleepers)

    async def turn(self, seconds: float) -> None:
        """Let so much time pass, and what is woken by it run as far as it gets without the network."""
        end = self._passed + seconds
        while True:
            await settle()
            while self._sleepers and self._sleepers[0][2].done():
                heappop(self._sleepers)
            if not self._sleepers or self._sleepers[0][0] > end:
                break
            self._passed = max(self._passed, self._sleepers[0][0])
            _, _, done = heappop(self._sleepers)
            done.set_result(None)
        self._passed = end
        await settle()


async def settle() -> None:
    """A few turns of the loop, in which loopback delivers what was sent."""
    for _ in range(20):
        await asyncio.sleep(0)


async def until(holds: Callable[[], object]) -> None:
    """As soon as that is true."""
    async with asyncio.timeout(10):
        while not holds():
            await settle()
