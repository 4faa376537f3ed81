"""The lists of instruments that providers give: loaded at the first need, shared by all who wait, refreshed by age."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from gateway.core.contract import Host
from plugins.market.reference import FACTS, pair_name
from plugins.market.search import Index, row_of
from schema.capability import Terms
from schema.errors import MarketgateError
from schema.symbols import InstrumentId
from schema.words.instruments import INSTRUMENTS, InstrumentsAsk, Listing

LOAD_TIMEOUT = 20.0
RETRY_AFTER = 30.0


@dataclass(slots=True, kw_only=True, eq=False)
class Shelf:
    """One provider's list. `started` and `due` are readings of the monotonic clock."""

    listings: tuple[Listing, ...] = ()
    by_key: Mapping[InstrumentId, Listing] = field(default_factory=dict)
    index: Index = field(default_factory=lambda: Index(()))
    started: float = 0.0
    due: float | None = None
    task: asyncio.Task[None] | None = None

    def fill(self, listings: tuple[Listing, ...]) -> None:
        """Put another list in; the same one again costs nothing."""
        if listings is not self.listings:
            self.listings = listings
            self.by_key = {listing.instrument: listing for listing in listings}
            self.index = Index(
                row_of(each, FACTS.get(each.instrument), pair_name(each.instrument.base, each.instrument.quote))
                for each in listings
            )


class Shelves:
    """All lists of this process. A list that does not come is empty: it never fails a query."""

    def __init__(self, host: Host, patience: float) -> None:
        self._host, self._patience = host, patience
        self._shelves: dict[str, Shelf] = {}
        self.generation = 0

    def held(self, providers: Iterable[str]) -> list[tuple[str, Shelf]]:
        """What is there now, without waiting."""
        return [(each, self._shelves[each]) for each in providers if each in self._shelves]

    def settled_until(self, providers: Sequence[str]) -> float | None:
        """Until when these lists need no loading; None where one of them does now."""
        found = [self._shelves[each].due for each in providers if each in self._shelves]
        dues = [due for due in found if due is not None and due > self._host.clock.monotonic()]
        return min(dues, default=float("inf")) if len(dues) == len(providers) else None

    async def ready(self, providers: Sequence[str]) -> None:
        """Load what was never loaded, waiting no longer than the patience; refresh the rest behind the scenes."""
        now = self._host.clock.monotonic()
        first: list[asyncio.Task[None]] = []
        left = 0.0
        for provider in providers:
            shelf = self._shelves.setdefault(provider, Shelf())
            if shelf.task is None and (shelf.due is None or now >= shelf.due):
                shelf.started = now
                shelf.task = asyncio.create_task(self._load(provider, shelf))
            if shelf.task is not None and shelf.due is None:
                first.append(shelf.task)
                left = max(left, shelf.started + self._patience - now)
        if first and left > 0:
            await asyncio.wait(first, timeout=left)

    async def _load(self, provider: str, shelf: Shelf) -> None:
        lasts = RETRY_AFTER
        try:
            terms = Terms(providers=(provider,), timeout=LOAD_TIMEOUT)
            answer = await self._host.data.fetch(INSTRUMENTS, InstrumentsAsk(), terms)
            shelf.fill(cast("tuple[Listing, ...]", tuple(answer.value)))
            lasts = INSTRUMENTS.fresh_for.total_seconds()
        except MarketgateError:
            # What was held before stays; the provider's health says why it did not come.
            pass
        finally:
            shelf.due = self._host.clock.monotonic() + lasts
            shelf.task = None
            self.generation += 1
