"""The operator's hand on the cache: what is dropped is gone from the memory of every process, and from Redis.

What is dropped while Redis is away is gone here, remembered, and told to the others as soon as Redis hears it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from gateway.core.bus import Bus, Message
from gateway.core.clock import Clock
from gateway.core.pipeline import Pipeline

if TYPE_CHECKING:
    from gateway.core.guards.shared import SharedCache

DROPPED = "cache.dropped"
MOST_UNHEARD = 1_000
"""Drops that are remembered one by one while Redis is away; of more than that the whole providers are dropped."""
REPEAT_S = 2.0
"""How soon Redis is told again what it did not hear."""

Dropped = tuple[str, str | None, str | None]
"""Provider, capability, symbol."""

log = structlog.get_logger(__name__)


class CacheDrops:
    """Serves the port `CacheDesk`; what is dropped in one process is heard by the others over the bus."""

    def __init__(self, pipeline: Pipeline, bus: Bus, shared: SharedCache | None) -> None:
        self._pipeline, self._bus, self._shared = pipeline, bus, shared
        self._clock: Clock = pipeline.clock
        bus.subscribe(DROPPED, self._on_dropped)
        bus.on_gap(self._on_gap)
        self._looking: asyncio.Task[None] | None = None
        self._looked = False
        self._marks: dict[tuple[str, str | None], bytes] = {}
        self._unheard: dict[Dropped, None] = {}
        self.on_dropped: list[Callable[[], None]] = []
        """Called in each process after something was dropped there: what was made of it must go as well."""
        self._repeating: asyncio.Task[None] | None = None

    async def drop(self, provider: str, capability: str | None, symbol: str | None) -> None:
        """See `CacheDesk`."""
        dropped = (provider, capability, symbol)
        if await self._tell(dropped):
            return
        self._remember(dropped)
        if self._repeating is None or self._repeating.done():
            self._repeating = asyncio.get_running_loop().create_task(self._repeat(), name="cache.repeat")

    async def _tell(self, dropped: Dropped) -> bool:
        """Drop here and everywhere; whether it reached everywhere. Redis first: who drops from memory asks there next.

        A frame's place does not tell its symbol: all frames of the capability end, which costs one key.
        """
        provider, capability, symbol = dropped
        written = self._shared is None or await self._shared.drop(provider, capability)
        lost = self._bus.lost
        await self._bus.publish(DROPPED, {"provider": provider, "capability": capability, "symbol": symbol})
        return written and self._bus.lost == lost

    def _remember(self, dropped: Dropped) -> None:
        self._unheard[dropped] = None
        if len(self._unheard) > MOST_UNHEARD:
            self._unheard = {(provider, None, None): None for provider, _, _ in self._unheard}

    async def _repeat(self) -> None:
        """Until everything was heard, or the process ends."""
        while self._unheard:
            await self._clock.sleep(REPEAT_S)
            await self.repeat()

    async def repeat(self) -> None:
        """Tell once more what was not heard; the first that is not heard again ends the attempt."""
        for dropped in tuple(self._unheard):
            if not await self._tell(dropped):
                return
            self._unheard.pop(dropped, None)
            log.info("cache_drop_repeated", provider=dropped[0], capability=dropped[1], symbol=dropped[2])

    def _on_dropped(self, message: Message) -> None:
        provider, capability, symbol = message["provider"], message.get("capability"), message.get("symbol")
        entries = self._pipeline.drop(provider, capability, symbol)
        for call in self.on_dropped:
            call()
        log.warning("cache_dropped", provider=provider, capability=capability, symbol=symbol, entries=entries)

    def _on_gap(self) -> None:
        """The bus was away, or has just come: look for what was dropped meanwhile. What is in memory goes on."""
        if self._shared is not None and (self._looking is None or self._looking.done()):
            self._looking = asyncio.get_running_loop().create_task(self.look(), name="cache.look")

    async def look(self) -> None:
        """Drop what the marks in Redis say was dropped since the last look; a Redis that lost them drops nothing.

        Where Redis does not answer the next gap looks again: marks that changed are different then, too.
        """
        if self._shared is None:
            return
        marks = await self._shared.marks(self._pipeline.registry.pairs())
        if marks is None:
            return
        for (provider, capability), mark in marks.items():
            if mark is None or mark == self._marks.get((provider, capability)):
                continue
            if self._looked:
                self._on_dropped({"provider": provider, "capability": capability})
            self._marks[provider, capability] = mark
        self._looked = True
