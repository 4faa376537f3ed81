"""The operator's hand on the cache: what is dropped is gone from the memory of every process, and from Redis."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from gateway.core.bus import Bus, Message
from gateway.core.pipeline import Pipeline

if TYPE_CHECKING:
    from gateway.core.guards.shared import SharedCache

DROPPED = "cache.dropped"

log = structlog.get_logger(__name__)


class CacheDrops:
    """Serves the port `CacheDesk`; what is dropped in one process is heard by the others over the bus."""

    def __init__(self, pipeline: Pipeline, bus: Bus, shared: SharedCache | None) -> None:
        self._pipeline, self._bus, self._shared = pipeline, bus, shared
        bus.subscribe(DROPPED, self._on_dropped)
        bus.on_gap(self._on_gap)
        self._looking: asyncio.Task[None] | None = None
        self._looked = False
        self._marks: dict[tuple[str, str | None], bytes] = {}

    async def drop(self, provider: str, capability: str | None, symbol: str | None) -> None:
        """See `CacheDesk`. Redis first: who drops from memory asks there next."""
        if self._shared is not None:
            # A frame's place does not tell its symbol: all frames of the capability end, which costs one key.
            self._shared.drop(provider, capability)
            await self._shared.settle()
        await self._bus.publish(DROPPED, {"provider": provider, "capability": capability, "symbol": symbol})

    def _on_dropped(self, message: Message) -> None:
        provider, capability, symbol = message["provider"], message.get("capability"), message.get("symbol")
        entries = self._pipeline.drop(provider, capability, symbol)
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
