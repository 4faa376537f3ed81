"""The lists of instruments that providers give: loaded at the first need, shared by all who wait, renewed by a job."""

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
REFRESH_EVERY = 60.0
MANY = 500
"""Listings that are sorted in a thread: thousands take so long that nobody else would be answered meanwhile."""


@dataclass(slots=True, kw_only=True, eq=False)
class Shelf:
    """One provider's list. `started` and `due` are readings of the monotonic clock."""

    listings: tuple[Listing, ...] = ()
    by_key: Mapping[InstrumentId, Listing] = field(default_factory=dict)
    index: Index = field(default_factory=lambda: Index(()))
    started: float = 0.0
    due: float | None = None
    task: asyncio.Task[None] | None = None

    async def fill(self, listings: tuple[Listing, ...]) -> None:
        """Put another list in; the same one again costs nothing."""
        if listings is not self.listings:
            many = len(listings) >= MANY
            by_key, index = await asyncio.to_thread(sorted_in, listings) if many else sorted_in(listings)
            self.listings, self.by_key, self.index = listings, by_key, index


def sorted_in(listings: tuple[Listing, ...]) -> tuple[Mapping[InstrumentId, Listing], Index]:
    """The listings by instrument, and by names and symbols."""
    rows = (
        row_of(each, FACTS.get(each.instrument), pair_name(each.instrument.base, each.instrument.quote))
        for each in listings
    )
    return {listing.instrument: listing for listing in listings}, Index(rows)


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
            self._begin(provider, shelf)
            if shelf.task is not None and shelf.due is None:
                first.append(shelf.task)
                left = max(left, shelf.started + self._patience - now)
        if first and left > 0:
            await asyncio.wait(first, timeout=left)

    async def refresh(self) -> None:
        """Load what somebody needed once and is too old now, one list after the other: a job, so that nobody waits."""
        for provider, shelf in tuple(self._shelves.items()):
            task = self._begin(provider, shelf)
            if task is not None:
                await asyncio.wait([task])

    def _begin(self, provider: str, shelf: Shelf) -> asyncio.Task[None] | None:
        """What loads the list, where it is not there or too old."""
        now = self._host.clock.monotonic()
        if shelf.task is None and (shelf.due is None or now >= shelf.due):
            shelf.started = now
            shelf.task = asyncio.create_task(self._load(provider, shelf))
        return shelf.task

    async def _load(self, provider: str, shelf: Shelf) -> None:
        lasts = RETRY_AFTER
        try:
            terms = Terms(providers=(provider,), timeout=LOAD_TIMEOUT)
            answer = await self._host.data.fetch(INSTRUMENTS, InstrumentsAsk(), terms)
            await shelf.fill(cast("tuple[Listing, ...]", tuple(answer.value)))
            lasts = INSTRUMENTS.fresh_for.total_seconds()
        except MarketgateError:
            # What was held before stays; the provider's health says why it did not come.
            pass
        finally:
            shelf.due = self._host.clock.monotonic() + lasts
            shelf.task = None
            self.generation += 1
