"""From the tenants' logs to deliveries: one for each entry and each endpoint that wants it, whatever dies meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from gateway.core.contract import Host
from gateway.core.ports import Marked, Outbox
from gateway.core.store import Tx, new_id
from gateway.core.timed import Timed
from plugins.webhooks.delivery.counts import FANNED
from plugins.webhooks.delivery.dispatcher import Dispatcher
from plugins.webhooks.delivery.store import DeliveryDirectory
from plugins.webhooks.filters import matching
from plugins.webhooks.rows import PENDING, EndpointRow

ROWS_AT_ONCE = 1_000
"""Deliveries that one transaction is to write, about."""
MOST_ENTRIES = 200
MOST_KNOWN = 500
"""Tenants whose endpoints are kept in memory."""
KNOWN_S = 5.0
"""Of two changes that are committed in another order than they were made, a mark shows one only."""
LOOK_S = 5.0
"""After how long it looks by itself: news are hints."""


class FanOut:
    """Takes entries of the logs; its worker runs in any number of processes, and no two take the same entry."""

    def __init__(self, host: Host, dispatcher: Dispatcher) -> None:
        self._host, self._dispatcher = host, dispatcher
        self._directory = DeliveryDirectory()
        self._news = asyncio.Event()
        self._entries = MOST_ENTRIES
        self._known: Timed[str, tuple[object, list[EndpointRow]]] = Timed(MOST_KNOWN, KNOWN_S, host.clock.monotonic)

    async def run(self) -> None:
        """Without end."""
        forget = self._listen()
        try:
            while True:
                self._news.clear()
                if not await self.take():
                    with suppress(TimeoutError):
                        # Not `wait_for`: before Python 3.12 it loses a cancellation that comes with the news.
                        async with asyncio.timeout(LOOK_S):
                            await self._news.wait()
        finally:
            forget()

    def _listen(self) -> Callable[[], None]:
        return self._host.service(Outbox).on_news(lambda _: self._news.set())

    async def take(self) -> bool:
        """Write the deliveries of some entries; whether there may be more of them."""
        outbox, limit = self._host.service(Outbox), self._entries
        async with self._host.store.write() as tx:
            entries = await outbox.take(tx, limit)
            if not entries:
                return False
            rows = self._deliveries(entries, await self._listeners(tx, {each.tenant_id for each in entries}))
            if rows:
                await self._directory.add(tx, rows)
        FANNED.inc(len(rows))
        # Many endpoints make many rows of each entry: transactions stay short.
        self._entries = max(1, min(MOST_ENTRIES, ROWS_AT_ONCE * len(entries) // max(len(rows), 1)))
        self._dispatcher.due({row["endpoint_id"] for row in rows})
        return len(entries) == limit

    async def _listeners(self, tx: Tx, tenants: set[str]) -> dict[str, list[EndpointRow]]:
        """Enabled endpoints by tenant; read again where any of them has changed."""
        marks = await self._directory.marks(tx, tenants)
        known = {tenant: self._known.get(tenant) for tenant in marks}
        theirs = {tenant: held[1] for tenant, held in known.items() if held is not None and held[0] == marks[tenant]}
        if changed := marks.keys() - theirs.keys():
            theirs |= {tenant: [] for tenant in changed}
            for row in await self._directory.listeners(tx, changed):
                theirs[row.tenant_id].append(row)
            for tenant in changed:
                self._known[tenant] = marks[tenant], theirs[tenant]
        return theirs

    def _deliveries(
        self, entries: Sequence[Marked], theirs: Mapping[str, Sequence[EndpointRow]]
    ) -> list[dict[str, Any]]:
        now, catalog = self._host.clock.now(), self._host.service(Outbox).catalog
        return [
            delivery_of(entry, endpoint.id, now)
            for entry in entries
            for endpoint in matching(theirs.get(entry.tenant_id, ()), entry, catalog)
        ]


def delivery_of(entry: Marked, endpoint_id: str, now: datetime) -> dict[str, Any]:
    """A new one, due at once."""
    return {
        "tenant_id": entry.tenant_id, "id": new_id("dlv"), "endpoint_id": endpoint_id, "event_id": entry.event_id,
        "event_type": entry.type, "status": PENDING, "attempts": 0, "earlier_attempts": 0, "due_at": now,
        "created_at": now,
    }  # fmt: skip
