"""Wakes whoever waits for an instant, to the millisecond, where looks come every second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from gateway.core.clock import Clock


class Clockwork:
    """*instant* says when the next one is, *ring* is called once it has come, with the time before it."""

    def __init__(
        self, clock: Clock, instant: Callable[[], datetime | None], ring: Callable[[datetime], None]
    ) -> None:  # fmt: skip
        self._clock, self._instant, self._ring = clock, instant, ring
        self._alarm = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Run, if it does not yet."""
        if self._task is None:
            self._task = asyncio.create_task(self._turn(), name="trading.clockwork")

    def wake(self) -> None:
        """The next instant may be another one."""
        self._alarm.set()

    async def stop(self) -> None:
        """Ring no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _turn(self) -> None:
        while True:
            self._alarm.clear()
            now, instant = self._clock.now(), self._instant()
            if instant is None:
                await self._alarm.wait()
                continue
            waiting = {
                asyncio.ensure_future(self._clock.sleep(max((instant - now).total_seconds(), 0.0))),
                asyncio.ensure_future(self._alarm.wait()),
            }
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in waiting:
                    each.cancel()
                await asyncio.gather(*waiting, return_exceptions=True)
            self._ring(now)
