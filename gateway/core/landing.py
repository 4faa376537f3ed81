"""Who waits for which flights, and what each of them brings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.core.access import Lane
from gateway.core.guards.cache import Stored
from gateway.core.guards.flight import Flight
from schema.errors import Timeout, UpstreamError
from schema.provenance import CacheStatus

Outcome = tuple[Stored, CacheStatus] | UpstreamError


@dataclass(slots=True, kw_only=True)
class Party:
    """What one caller asks of one lane: outcomes that are there, and by item the flights that bring the others."""

    lane: Lane
    outcomes: dict[Any, Outcome] = field(default_factory=dict)
    waiting: dict[Any, tuple[Flight, CacheStatus]] = field(default_factory=dict)

    def settle(self, budget: float) -> None:
        """Take what the flights have brought; one that is still under way brings nothing any more."""
        for item, (flight, status) in self.waiting.items():
            if not flight.task.done():
                self.outcomes[item] = Timeout(self.lane.id, f"no answer within {round(budget * 1000)} ms")
                continue
            found = flight.task.result()[item]
            if isinstance(found, UpstreamError):
                self.outcomes[item] = found
            else:
                shown = flight.shared.get(item, status) if status is CacheStatus.MISS else status
                self.outcomes[item] = (found, shown)


async def land(parties: Sequence[Party], budget: float) -> None:
    """Wait for the flights of all parties at once, *budget* seconds at most, and settle each."""
    tasks = {flight.task for party in parties for flight, _ in party.waiting.values()}
    if tasks:
        await asyncio.wait(tasks, timeout=max(budget, 0.0))
    for party in parties:
        party.settle(budget)
