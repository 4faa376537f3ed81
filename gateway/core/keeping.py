"""What becomes of an upstream's answer: stamped, cut, kept for its window; and who may still be shown it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from gateway.core.access import Lane
from gateway.core.aside import aside
from gateway.core.callfacts import CallFacts
from gateway.core.clock import Clock
from gateway.core.guards.cache import MemoryCache, Stored
from gateway.core.guards.flight import Found
from gateway.core.guards.keys import cache_key
from gateway.core.stamping import Newest, Stamper, age_of, not_known
from schema.capability import Capability, Terms
from schema.errors import UnknownInstrument, UpstreamError
from schema.provenance import Provenance

NEGATIVE_FOR = 30.0
SPREAD = 0.1
"""Windows end up to this part early, so that what was fetched together is not asked for together; never late."""


class Keeper:
    """Fills the memory cache, and judges what it holds."""

    def __init__(self, cache: MemoryCache, clock: Clock, chance: random.Random) -> None:
        self.cache, self.clock = cache, clock
        self._stamper, self._chance = Stamper(clock), chance
        self.newest: Newest = not_known
        """What session a price may be of while nothing trades; a serving process asks its calendars."""

    async def sort_out(
        self,
        lane: Lane,
        capability: Capability[Any, Any],
        asked: Any,
        chunk: Sequence[Any],
        value: Any,
        facts: CallFacts,
    ) -> Found:
        """Stamp, store and sort out the answer: an item that is not in it is unknown to this provider."""
        if capability.items is None:
            stamp = partial(self._stamp, lane, capability, asked, value, facts)
            stamped = await aside(stamp) if facts.large else stamp()
            return {chunk[0]: self._keep(lane, capability, chunk[0], asked, stamped, facts)}
        by_item = {capability.items.key(answer): answer for answer in value}
        found: dict[Any, Stored | UpstreamError] = {}
        for item in chunk:
            if item in by_item:
                stamped = self._stamp(lane, capability, asked, by_item[item], facts)
                found[item] = self._keep(lane, capability, item, asked, stamped, facts)
            else:
                error = UnknownInstrument(lane.id, f"does not list {item}")
                self.remember_absence(lane, capability, [item], error)
                found[item] = error
        return found

    def remember_absence(
        self, lane: Lane, capability: Capability[Any, Any], items: Sequence[Any], error: UpstreamError
    ) -> None:
        """A negative entry each."""
        if capability.private:
            return
        now = self.clock.monotonic()
        for item in items:
            provenance, until = self._stamper.blank(lane), now + self._spread(NEGATIVE_FOR)
            entry = Stored(value=None, provenance=provenance, fetched=now, fresh_until=until, error=error)
            self.cache.put(cache_key(lane, capability, item), entry)

    def fits(self, stored: Stored, terms: Terms) -> bool:
        """Whether it is fresh, and young enough for this caller."""
        return self.clock.monotonic() < stored.fresh_until and self._accepted(stored, terms)

    def served_late(self, stored: Stored, capability: Capability[Any, Any], terms: Terms) -> bool:
        """Whether it may be answered while it is fetched anew. A caller's `max_age` always wins."""
        if stored.error is not None or not capability.revalidate_for:
            return False
        late = self.clock.monotonic() - stored.fresh_until
        return late < capability.revalidate_for.total_seconds() and self._accepted(stored, terms)

    def age(self, stored: Stored) -> timedelta:
        """As callers count it."""
        return age_of(stored.value, stored.provenance, self.clock.now(), self.newest)

    def _accepted(self, stored: Stored, terms: Terms) -> bool:
        return terms.max_age is None or stored.error is not None or self.age(stored) <= terms.max_age

    def _stamp(
        self, lane: Lane, capability: Capability[Any, Any], asked: Any, value: Any, facts: CallFacts
    ) -> tuple[Any, Provenance]:
        if capability.ranges is not None and capability.ranges.cut is not None:
            value = capability.ranges.cut(asked, value)
        return self._stamper.stamp(lane, capability, value, facts)

    def _keep(
        self, lane: Lane, capability: Capability[Any, Any], item: Any, asked: Any, stamped: tuple[Any, Provenance],
        facts: CallFacts,
    ) -> Stored:  # fmt: skip
        now = self.clock.monotonic()
        window = (lane.answer.fresh_for or capability.window(asked, self.clock.now())).total_seconds()
        value, provenance = stamped
        until = now + self._spread(window)
        stored = Stored(value=value, provenance=provenance, fetched=now, fresh_until=until)
        if lane.rights.keep and facts.keep:
            self.cache.put(cache_key(lane, capability, item), stored)
        return stored

    def _spread(self, window: float) -> float:
        return window * (1.0 - SPREAD * self._chance.random())
