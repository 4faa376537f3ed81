"""A flag that one task waits for: what `asyncio.Event` is to many, at a tenth of its memory."""

from __future__ import annotations

import asyncio


class Wake:
    """Thousands of sockets have several of these each."""

    __slots__ = ("_is_set", "_waiter")

    def __init__(self) -> None:
        self._is_set = False
        self._waiter: asyncio.Future[None] | None = None

    def is_set(self) -> bool:
        """Whether it is."""
        return self._is_set

    def set(self) -> None:
        """Wake who waits."""
        self._is_set = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def clear(self) -> None:
        """The next one waits again."""
        self._is_set = False

    async def wait(self) -> None:
        """Until it is set; for one task at a time."""
        if self._is_set:
            return
        if self._waiter is not None:
            raise RuntimeError("somebody waits already")
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
