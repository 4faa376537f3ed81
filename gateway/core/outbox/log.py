"""The one outbox of a process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import strawberry

from gateway.core.clock import Clock
from gateway.core.contract import Worker
from gateway.core.outbox import reading
from gateway.core.outbox.port import Entry, EventPrinter, Marked
from gateway.core.outbox.tail import Tail
from gateway.core.outbox.waking import EVERYBODY, Waking
from gateway.core.outbox.writing import MARKETS, Emission
from gateway.core.store import Store, Tx, new_id
from schema.events import EPOCH, Event

KEPT = timedelta(days=30)
"""How long events can be read."""
AT_ONCE = 100
"""Entries of one reading."""
CLEARED_S = 3600.0
FORGOTTEN_AT_ONCE = 5_000


class EventLog:
    """Serves `Outbox`."""

    def __init__(
        self, store: Store, clock: Clock, printer: Callable[[], EventPrinter], catalog: Mapping[str, type[Event]]
    ) -> None:
        self._store, self._clock, self._printer = store, clock, printer
        self.catalog = catalog
        self.waking = Waking(store)
        self._tails: dict[str, Tail] = {}
        self._ending: set[asyncio.Task[Any]] = set()
        self._unhear: Callable[[], None] | None = None

    def emit(self, tx: Tx, event: Event, *, tenant: str) -> strawberry.ID:
        """See `Outbox`."""
        if event.market:
            raise TypeError(f"{event.name} is of the markets: nobody's own")
        if not tenant:
            raise ValueError(f"{event.name} needs a tenant")
        return self._add(tx, event, tenant, ())

    def emit_to(self, tx: Tx, event: Event, tenants: Collection[str]) -> strawberry.ID:
        """See `Outbox`."""
        if not event.market:
            raise TypeError(f"{event.name} is a tenant's own")
        return self._add(tx, event, MARKETS, tenants)

    def emit_aside(self, tx: Tx, event: Event) -> strawberry.ID:
        """See `Outbox`."""
        return self._add(tx, event, MARKETS, ())

    def _add(self, tx: Tx, event: Event, home: str, readers: Collection[str]) -> strawberry.ID:
        if self.catalog.get(event.name) is not type(event):
            raise TypeError(f"{type(event).__name__} is in no plugin's `events`")
        made = replace(
            event,
            id=event.id or strawberry.ID(new_id("evt")),
            occurred_at=self._clock.now() if event.occurred_at == EPOCH else event.occurred_at,
        )
        emission = tx.kept.get(self)
        if emission is None:
            emission = tx.kept[self] = Emission(tx=tx, printer=self._printer())
            tx.at_last(self, lambda: self._write(emission))
        emission.add(made, home, readers)
        return made.id

    async def _write(self, emission: Emission) -> None:
        await emission.write()
        self.waking.announce(emission.tx, emission.tenants)

    async def entries(
        self, tenant: str, *, after: int, types: Collection[str] | None = None, limit: int = AT_ONCE
    ) -> list[Entry]:
        """See `Outbox`."""
        async with self._store.read() as tx:
            return await reading.entries_of(tx, tenant, self.catalog, after=after, types=types, limit=limit)

    async def bounds(self, tenant: str) -> tuple[int, int]:
        """See `Outbox`."""
        async with self._store.read() as tx:
            return await reading.bounds_of(tx, tenant)

    async def follow(
        self, tenant: str, *, after: int, types: Collection[str] | None = None
    ) -> AsyncGenerator[Sequence[Entry], None]:
        """See `Outbox`. A reader takes the next ones when it is done with these: nothing heaps up for it."""
        kinds = None if types is None else tuple(sorted(types))
        if self._unhear is None:
            self._unhear = self.waking.on_news(self._heard)
        tail = self._tails.get(tenant)
        if tail is None:
            tail = self._tails[tenant] = Tail(self._clock, partial(self._newest, tenant))
        tail.followers += 1
        seen = -1
        try:
            while True:
                await tail.beyond(seen)
                head = tail.head
                if head > after:
                    read = partial(self.entries, tenant, after=after, types=kinds)
                    found = await tail.read((after, kinds), read)
                    if found:
                        after = found[-1].position
                        yield found
                    if len(found) >= AT_ONCE:
                        continue
                seen = head
        finally:
            tail.followers -= 1
            if not tail.followers:
                self._end(self._tails.pop(tenant))

    def _end(self, tail: Tail) -> None:
        for task in tail.end():
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _newest(self, tenant: str) -> int:
        return (await self.bounds(tenant))[1]

    def _heard(self, whose: str) -> None:
        for tenant, tail in self._tails.items():
            if whose in (tenant, EVERYBODY):
                tail.look()

    async def take(self, tx: Tx, limit: int) -> list[Marked]:
        """See `Outbox`."""
        return await reading.take(tx, limit)

    async def printed(self, tx: Tx, event_ids: Collection[str]) -> Mapping[str, tuple[str, str, datetime]]:
        """See `Outbox`."""
        return await reading.printed(tx, event_ids)

    async def events(self, tx: Tx, event_ids: Collection[str]) -> Mapping[str, Event]:
        """See `Outbox`."""
        return await reading.events_by_id(tx, event_ids, self.catalog)

    async def between(
        self, tx: Tx, tenant: str, *, since: datetime, until: datetime, after: int, limit: int
    ) -> list[Marked]:
        """See `Outbox`."""
        return await reading.between(tx, tenant, since=since, until=until, after=after, limit=limit)

    def on_news(self, handler: Callable[[str], None]) -> Callable[[], None]:
        """See `Outbox`."""
        return self.waking.on_news(handler)

    async def forget(self) -> None:
        """Remove what is older than it is kept for."""
        before = self._clock.now() - KEPT
        while True:
            async with self._store.write() as tx:
                gone = await reading.forget(tx, before, FORGOTTEN_AT_ONCE)
            if gone < FORGOTTEN_AT_ONCE:
                return

    def worker(self) -> Worker:
        """Clears away what is too old."""
        return Worker(name="outbox", every=CLEARED_S, run=self.forget)

    async def erase(self, tx: Tx, tenant: str) -> None:
        """Everything of a tenant."""
        await reading.erase(tx, tenant)

    async def erase_aside(self, tx: Tx, event_ids: Collection[str]) -> None:
        """Of these events, those that stand in no log."""
        await reading.erase_aside(tx, event_ids)

    async def export(self, tx: Tx, tenant: str) -> list[str]:
        """Everything that a tenant was told, as it was printed: JSON."""
        return await reading.export(tx, tenant)

    async def close(self) -> None:
        """Let go of the connection that listens, and of who still follows."""
        for tail in self._tails.values():
            self._end(tail)
        await asyncio.gather(*self._ending, return_exceptions=True)
        await self.waking.close()
