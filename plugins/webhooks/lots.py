"""What is read for all deliveries of a page at once: their events, their attempts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from gateway.core.contract import Context
from gateway.core.ports import Outbox
from plugins.webhooks.rows import AttemptRow, DeliveryRow
from plugins.webhooks.store import DeliveryStore
from schema.events import Event


class Lot:
    """Of one read of some deliveries; each thing is read when it is first asked for, once."""

    def __init__(self, context: Context, rows: Sequence[DeliveryRow]) -> None:
        self._context, self._rows = context, rows
        self._reading = asyncio.Lock()
        self._events: Mapping[str, Event] | None = None
        self._attempts: Mapping[str, list[AttemptRow]] | None = None

    async def event(self, event_id: str) -> Event | None:
        """None where it is gone."""
        async with self._reading:
            if self._events is None:
                async with self._context.host.store.read() as tx:
                    ids = {row.event_id for row in self._rows}
                    self._events = await self._context.service(Outbox).events(tx, ids)
        return self._events.get(event_id)

    async def attempts(self, delivery_id: str) -> list[AttemptRow]:
        """In order."""
        async with self._reading:
            if self._attempts is None:
                async with self._context.host.store.read() as tx:
                    ids = [row.id for row in self._rows]
                    found = await DeliveryStore().attempts_of(tx, self._context.tenant, ids)
                self._attempts = {id: [row for row in found if row.delivery_id == id] for id in ids}
        return self._attempts.get(delivery_id, [])
