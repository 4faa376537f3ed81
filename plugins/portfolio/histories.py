"""Reads of long histories: a few at a time, tenants in turns, and none holds a connection while it waits.

Who asks for what is being read already is told the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Sequence
from functools import partial
from typing import Any

from gateway.core.ports import FairQueue
from plugins.portfolio.bench import Asker
from plugins.portfolio.store import TransactionRow

AT_ONCE = 2
"""Of all tenants: what they read is made into rows on the event loop, one after the other anyway."""
MOST_WAITING = 1_000
"""Of one tenant."""

Rows = Sequence[TransactionRow]
Read = Callable[[], Coroutine[Any, Any, Rows]]


class _Flight:
    """One read, and for how many it is."""

    def __init__(self, tenant: str, key: Hashable, read: Read) -> None:
        self.tenant, self.key, self.read, self.wanted = tenant, key, read, 0
        self.answer: asyncio.Future[Rows] = asyncio.get_running_loop().create_future()
        self.task: asyncio.Task[Rows] | None = None


class Histories:
    """One a process."""

    def __init__(self, at_once: int = AT_ONCE, most_waiting: int = MOST_WAITING) -> None:
        self._room = at_once
        self._queue: FairQueue[_Flight] = FairQueue(most_waiting)
        self._flights: dict[tuple[str, Hashable], _Flight] = {}

    async def read(self, asker: Asker, key: Hashable, read: Read) -> Rows:
        """What *read* finds, or what is being read under the same key, which names a version.

        RateLimited where too much of the tenant's waits. What nobody wants any more is not read to its end.
        """
        flight = self._flights.get((asker.tenant, key))
        if flight is None:
            flight = _Flight(asker.tenant, key, read)
            self._queue.add(asker.tenant, flight, asker.now.timestamp())
            self._flights[asker.tenant, key] = flight
            self._begin()
        flight.wanted += 1
        try:
            return await asyncio.shield(flight.answer)
        finally:
            flight.wanted -= 1
            if not flight.wanted and not flight.answer.done():
                self._drop(flight)

    def _drop(self, flight: _Flight) -> None:
        flight.answer.cancel()
        self._forget(flight)
        self._queue.remove(flight.tenant, flight)
        if flight.task is not None:
            flight.task.cancel()

    def _forget(self, flight: _Flight) -> None:
        if self._flights.get((flight.tenant, flight.key)) is flight:
            del self._flights[flight.tenant, flight.key]

    def _begin(self) -> None:
        """As many as there is room for."""
        while self._room and (found := self._queue.take()) is not None:
            _, flight = found
            self._room -= 1
            flight.task = asyncio.create_task(flight.read(), name="portfolio.history")
            flight.task.add_done_callback(partial(self._ended, flight))

    def _ended(self, flight: _Flight, made: asyncio.Future[Rows]) -> None:
        self._room += 1
        self._queue.done(flight.tenant)
        self._forget(flight)
        error = None if made.cancelled() else made.exception()
        if flight.answer.done():
            pass
        elif made.cancelled():
            flight.answer.cancel()
        elif error is not None:
            flight.answer.set_exception(error)
        else:
            flight.answer.set_result(made.result())
        self._begin()
