"""What is done one after the other in a process, by keys: who waits for another holds nothing that others need."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary


class Turns:
    """Locks that are there while somebody uses them; first come, first served."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, keys: Iterable[str]) -> AsyncIterator[None]:
        """All of these, in the order of their names, so that two never wait for each other."""
        locks = [self._locks.setdefault(key, asyncio.Lock()) for key in sorted({*keys})]
        async with AsyncExitStack() as held:
            for lock in locks:
                await held.enter_async_context(lock)
            yield
