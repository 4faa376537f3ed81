"""The end of one tenant's log as this process sees it: looked at once for all who follow it, and read once for those
who stand at the same place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextlib import suppress
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError

from gateway.core.clock import Clock
from gateway.core.outbox.port import Entry

RETRY_S = 1.0
LOOK_S = 5.0
"""After how long a tail looks by itself: news are hints."""

LOG = structlog.get_logger(__name__)


class Tail:
    """Runs as long as somebody follows."""

    def __init__(self, clock: Clock, newest: Callable[[], Awaitable[int]]) -> None:
        self._clock, self._newest = clock, newest
        self.head = -1
        """The newest position that is known."""
        self.followers = 0
        self._news, self._grown = asyncio.Event(), asyncio.Event()
        self._reads: dict[Hashable, asyncio.Task[Sequence[Entry]]] = {}
        self._task = asyncio.create_task(self._run(), name="outbox.tail")

    def look(self) -> None:
        """There may be something new."""
        self._news.set()

    async def beyond(self, position: int) -> None:
        """Until the log is known to reach further."""
        while self.head <= position:
            await self._grown.wait()

    async def read(self, key: Hashable, entries: Callable[[], Awaitable[Sequence[Entry]]]) -> Sequence[Entry]:
        """What `entries` answers; asked once for all who ask under a key at a time."""
        task = self._reads.get(key)
        if task is None:
            task = self._reads[key] = asyncio.ensure_future(self._patiently(entries))
            task.add_done_callback(lambda _: self._reads.pop(key, None))
        return await asyncio.shield(task)

    async def _patiently(self, entries: Callable[[], Awaitable[Sequence[Entry]]]) -> Sequence[Entry]:
        """Nothing is lost while the database is away: readers stay where they are."""
        while True:
            try:
                return await entries()
            except (DBAPIError, OSError) as error:
                _warn(error)
                await self._clock.sleep(RETRY_S)

    async def _run(self) -> None:
        while True:
            self._news.clear()
            try:
                newest = await self._newest()
            except Exception as error:  # noqa: BLE001 - whatever it is: who follows would wait for ever
                _warn(error)
                await self._clock.sleep(RETRY_S)
                continue
            if newest > self.head:
                self.head = newest
                grown, self._grown = self._grown, asyncio.Event()
                grown.set()
            with suppress(TimeoutError):
                # Not `wait_for`: before Python 3.12 it loses a cancellation that comes with the news.
                async with asyncio.timeout(LOOK_S):
                    await self._news.wait()

    def end(self) -> Sequence[asyncio.Task[Any]]:
        """Nobody follows any more; what still ends is answered."""
        ending = [self._task, *self._reads.values()]
        for task in ending:
            task.cancel()
        return ending


def _warn(error: Exception) -> None:
    LOG.warning("outbox_reading_failed", reason=f"{type(error).__name__}: {error}"[:200])
