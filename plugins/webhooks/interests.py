"""The ports `Interests` and `Endpoints`: what has to be produced for endpoints, and how many of them there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from gateway.core.contract import Host
from gateway.core.ports import Outbox
from gateway.core.timed import Timed
from plugins.webhooks.closed import closed_tenants
from plugins.webhooks.filters import ALL, asks, needs_channel
from plugins.webhooks.news import CHANGED, hear_closed
from plugins.webhooks.rows import EndpointRow
from plugins.webhooks.store import EndpointDirectory, EndpointStore

HELD_S = 10.0
"""Without a message from elsewhere a change is seen after this."""
MOST = 10_000
_WHOLE = ""


class EndpointInterests:
    """One a process."""

    def __init__(self, host: Host) -> None:
        self._host, self._directory, self._endpoints = host, EndpointDirectory(), EndpointStore()
        self._held: Timed[str, list[EndpointRow]] = Timed(1, HELD_S, host.clock.monotonic)
        self._counts: Timed[str, int] = Timed(MOST, HELD_S, host.clock.monotonic)
        self._news = 0
        host.bus.subscribe(CHANGED, self._heard)
        host.bus.on_gap(self._missed)
        hear_closed(host, self._reopened)

    async def wanted(self, types: Collection[str]) -> Mapping[str, Mapping[str, frozenset[str]]]:
        """See `Interests`."""
        catalog = self._host.service(Outbox).catalog
        rows = await self._enabled()
        found: dict[str, dict[str, set[str]]] = {}
        for name in types:
            kind = catalog[name]
            for row in rows:
                if row.pins.get(name, kind.version) != kind.version or not asks(row, name):
                    continue
                for channel in row.channels if needs_channel(kind) else (ALL,):
                    found.setdefault(name, {}).setdefault(channel, set()).add(row.tenant_id)
        return {
            name: {channel: frozenset(tenants) for channel, tenants in channels.items()}
            for name, channels in found.items()
        }

    async def count(self, tenant: str) -> int:
        """See `Endpoints`."""
        found = self._counts.get(tenant)
        if found is None:
            before = self._news
            async with self._host.store.read() as tx:
                found = await self._endpoints.count(tx, tenant)
            # What was read while a change was told may be from before it.
            if before == self._news:
                self._counts[tenant] = found
        return found

    async def _enabled(self) -> list[EndpointRow]:
        found = self._held.get(_WHOLE)
        if found is None:
            before = self._news
            async with self._host.store.read() as tx:
                closed = await closed_tenants(self._host, tx)
                found = [row for row in await self._directory.enabled(tx) if row.tenant_id not in closed]
            if before == self._news:
                self._held[_WHOLE] = found
        return found

    def _heard(self, message: Mapping[str, Any]) -> None:
        self._news += 1
        self._held.clear()
        self._counts.pop(str(message.get("tenant")))

    def _reopened(self) -> None:
        """A tenant was suspended, deleted, or let in again."""
        self._news += 1
        self._held.clear()

    def _missed(self) -> None:
        """Messages may have been lost: nothing that is held may be believed."""
        self._news += 1
        self._held.clear()
        self._counts.clear()
