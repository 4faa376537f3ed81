"""Single flight over all processes: look into the shared cache, lock what is missing, wait for what others fetch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.core.access import Lane
from gateway.core.clock import Clock
from gateway.core.guards.cache import MemoryCache, Stored
from gateway.core.guards.flight import Flight, Found
from gateway.core.guards.keys import cache_key
from gateway.core.guards.shared import Lease, Patience, SharedCache
from gateway.core.metrics import counter
from schema.capability import Capability
from schema.errors import Timeout, UpstreamError
from schema.provenance import CacheStatus

PAUSE = (0.004, 1.6, 0.1)
"""Between looks at what another process fetches: the first, how it grows, the longest."""

WAITS = counter("marketgate_cache_lock_waits", "Items that another process was fetching, by how the wait ended.", "end")

Call = Callable[[Sequence[Any]], Awaitable[Found]]
Usable = Callable[[Stored], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One flight's items on their way through the shared cache."""

    lane: Lane
    capability: Capability[Any, Any]
    flight: Flight
    usable: Usable
    call: Call


class Fleet:
    """The processes that share one Redis, as one of them sees the others. Without an answer from Redis it is alone."""

    def __init__(self, shared: SharedCache, cache: MemoryCache, clock: Clock) -> None:
        self.shared, self.cache, self.clock = shared, cache, clock

    async def find(
        self, lane: Lane, capability: Capability[Any, Any], chunk: Sequence[Any], flight: Flight, usable: Usable,
        call: Call,
    ) -> Found:  # fmt: skip
        """From the shared cache, from another process's call, or from a call of our own."""
        search = Search(lane=lane, capability=capability, flight=flight, usable=usable, call=call)
        addresses: dict[Any, str] = {}
        for item in chunk:
            address = self.shared.address(lane, capability, item)
            if address is None:
                return await search.call(chunk)
            addresses[item] = address
        patience = self.shared.patience()
        look = await self.shared.look(capability, lane.id, addresses, patience)
        if look is None:
            return await search.call(chunk)
        found: dict[Any, Stored | UpstreamError] = {}
        for item, stored in look.found.items():
            self.take_in(search, item, stored)
            if not search.flight.anew and search.usable(stored):
                found[item] = stored.error or stored
                search.flight.shared[item] = CacheStatus.HIT
        left = {item: address for item, address in addresses.items() if item not in found}
        if left:
            found.update(await _Hunt(self, search, look.era, dict(look.raw)).go(left, patience))
        return found

    def take_in(self, search: Search, item: Any, stored: Stored) -> None:
        key = cache_key(search.lane, search.capability, item)
        held = self.cache.get(key)
        if held is None or held.fetched < stored.fetched:
            self.cache.put(key, stored)


class _Hunt:
    """For what the shared cache did not have."""

    def __init__(self, fleet: Fleet, search: Search, era: str, seen: dict[Any, bytes | None]) -> None:
        self._fleet, self._search, self._era, self._seen = fleet, search, era, seen
        self._shared = fleet.shared

    async def go(self, addresses: dict[Any, str], patience: Patience) -> Found:
        """Ask for what nobody asks for; wait for the rest."""
        claims = await self._shared.claim(list(addresses.values()), patience)
        ours: dict[Any, str] = {}
        found: dict[Any, Stored | UpstreamError] = {}
        for (item, address), (token, frame) in zip(addresses.items(), claims, strict=True):
            if token is None:
                continue
            if await self._came(item, address, frame, found):  # between our look and our lock
                self._shared.release(address, token)
            else:
                ours[item] = token
        theirs = {item: address for item, address in addresses.items() if item not in ours and item not in found}
        parts = []
        if ours:
            parts.append(self._call(addresses, ours))
        if theirs:
            parts.append(self._wait(theirs, patience))
        for part in await asyncio.gather(*parts):
            found.update(part)
        return found

    async def _call(self, addresses: dict[Any, str], tokens: dict[Any, str]) -> Found:
        search, began = self._search, self._fleet.clock.monotonic()
        lease = Lease(self._shared, {addresses[item]: token for item, token in tokens.items()})
        locked = dict(tokens)
        try:
            found = await search.call(list(tokens))
            for item, token in tokens.items():
                held = self._fleet.cache.get(cache_key(search.lane, search.capability, item))
                if held is None or held.fetched < began or search.flight.dropped:
                    continue
                if await self._shared.keep(search.capability, addresses[item], held, self._era, token):
                    del locked[item]
            return found
        finally:
            lease.end()
            for item, token in locked.items():
                self._shared.release(addresses[item], token)

    async def _wait(self, addresses: dict[Any, str], patience: Patience) -> Found:
        pause, growth, longest = PAUSE
        search, left = self._search, dict(addresses)
        found: dict[Any, Stored | UpstreamError] = {}
        while left:
            if search.flight.left <= 0:
                WAITS.labels("out of time").inc(len(left))
                late = Timeout(search.lane.id, "another process was asking, and had no answer in time")
                return {**found, **dict.fromkeys(left, late)}
            await asyncio.sleep(min(pause, max(search.flight.left, 0.0)))
            pause = min(pause * growth, longest)
            before, sought = patience.left, len(left)
            seen = await self._shared.peek(list(left.values()), patience)
            if seen is None:
                WAITS.labels("alone").inc(len(left))
                return {**found, **await search.call(list(left))}
            freed = await self._sort(dict(zip(list(left), seen, strict=True)), left, found)
            if freed:
                WAITS.labels("taken over").inc(len(freed))
                return {**found, **await self.go(left, patience)}
            if len(left) == sought:
                # This look was no delay: what is waited for is the other process.
                patience.left = before
        return found

    async def _sort(
        self, seen: dict[Any, tuple[bool, bytes | None]], left: dict[Any, str],
        found: dict[Any, Stored | UpstreamError],
    ) -> list[Any]:  # fmt: skip
        """Move what has come from *left* to *found*; which of the others nobody asks for any more."""
        freed = []
        for item, (locked, frame) in seen.items():
            if await self._came(item, left[item], frame, found):
                WAITS.labels("answered").inc()
                del left[item]
            elif not locked:
                freed.append(item)
        return freed

    async def _came(
        self, item: Any, address: str, frame: bytes | None, found: dict[Any, Stored | UpstreamError]
    ) -> bool:
        """Whether another process has written an answer since we looked."""
        if frame is None or frame == self._seen.get(item):
            return False
        self._seen[item] = frame
        stored = await self._shared.read(self._search.capability, address, frame, self._era)
        if stored is None:
            return False
        self._fleet.take_in(self._search, item, stored)
        found[item] = stored.error or stored
        self._search.flight.shared[item] = CacheStatus.COALESCED
        return True
