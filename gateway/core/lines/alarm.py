"""Waiting for whatever comes first: somebody who rings, or a time of the injected clock."""

from __future__ import annotations

import asyncio
from datetime import datetime

from gateway.core.clock import Clock


class Alarm:
    """One waiter's. However often it waits for the same time, one task sleeps until then."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rung = asyncio.Event()
        self._at: datetime | None = None
        self._task: asyncio.Task[None] | None = None

    def ring(self) -> None:
        """Wake the waiter, now or at its next `wait`."""
        self._rung.set()

    async def wait(self, by: datetime | None) -> None:
        """Until somebody rings, or that time has come; None: no time does."""
        if by is not None and by <= self._clock.now():
            return
        if by != self._at or (self._task is not None and self._task.done()):
            self._set(by)
        await self._rung.wait()
        self._rung.clear()

    def close(self) -> None:
        """Nobody sleeps any more."""
        self._set(None)

    def _set(self, at: datetime | None) -> None:
        if self._task is not None:
            self._task.cancel()
        self._at = at
        self._task = None if at is None else asyncio.create_task(self._sleep(at), name="alarm")

    async def _sleep(self, at: datetime) -> None:
        await self._clock.sleep(max((at - self._clock.now()).total_seconds(), 0.0))
        self._rung.set()
