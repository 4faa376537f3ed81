"""Requests that are held up at a double, so that what happens beside them comes in a known order."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from aiohttp import web

T = TypeVar("T")


class Gate:
    """Holds the next request of its kind: before the venue sees it, or once that has answered."""

    def __init__(self, venue: Any, method: str, end: str, *, answered: bool = False) -> None:
        self._method, self._end, self._answered = method, end, answered
        self._came, self._go, self._respond = asyncio.Event(), asyncio.Event(), venue.respond
        venue.respond = self._held

    async def holding(self, doing: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """What is begun, as far as the request that is held."""
        task = asyncio.create_task(doing)
        await self.came()
        return task

    async def came(self) -> None:
        """The request is held."""
        async with asyncio.timeout(5):
            await self._came.wait()

    def open(self) -> None:
        """The request goes on."""
        self._go.set()

    async def _held(self, request: web.Request) -> web.Response:
        mine = not self._came.is_set() and request.method == self._method and request.path.endswith(self._end)
        if mine and not self._answered:
            await self._hold()
        found: web.Response = await self._respond(request)
        if mine and self._answered:
            await self._hold()
        return found

    async def _hold(self) -> None:
        self._came.set()
        await self._go.wait()
