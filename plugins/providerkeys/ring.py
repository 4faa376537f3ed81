"""The port `ProviderKeys`: every tenant's own keys, opened and held in memory for seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from gateway.core.contract import Host, Sealed
from gateway.core.store import Tx
from gateway.core.timed import Timed
from plugins.providerkeys.seal import Seal
from plugins.providerkeys.store import KeyStore

TOPIC = "providerkeys.changed"
HELD_S = 9.0
"""Without a message from elsewhere a change holds after this; ten seconds are promised."""
MOST = 10_000

Keys = Mapping[str, Mapping[str, str]]

log = structlog.get_logger(__name__)


class KeyRing:
    """One a process."""

    def __init__(self, host: Host, seal: Seal) -> None:
        self._host, self._seal, self._store = host, seal, KeyStore()
        self._held: Timed[str, Keys] = Timed(MOST, HELD_S, host.clock.monotonic)
        self._news = 0
        host.bus.subscribe(TOPIC, self._heard)
        host.bus.on_gap(self._missed)

    def held(self, tenant: str) -> Keys | None:
        """See `ProviderKeys`."""
        return self._held.get(tenant)

    async def of(self, tenant: str) -> Keys:
        """See `ProviderKeys`."""
        found = self._held.get(tenant)
        if found is None:
            before = self._news
            async with self._host.store.read() as tx:
                found = await self._read(tx, tenant)
            # What was read while a change was told may be from before it.
            if before == self._news:
                self._held[tenant] = found
        return found

    def tell(self, tx: Tx, tenant: str) -> None:
        """Once the transaction is committed, every process drops what it holds of a tenant."""
        tx.then(lambda: self._host.bus.publish(TOPIC, {"tenant": tenant}))

    async def _read(self, tx: Tx, tenant: str) -> Keys:
        found: dict[str, Mapping[str, str]] = {}
        for row in await self._store.all(tx, tenant):
            try:
                found[row.provider] = self._seal.open(row)
            except Sealed as error:
                log.error("provider_key_sealed", tenant=tenant, provider=row.provider, reason=str(error))
        return found

    def _heard(self, message: Mapping[str, Any]) -> None:
        self._news += 1
        tenant = str(message.get("tenant"))
        self._held.pop(tenant)
        self._host.data.forget(tenant)

    def _missed(self) -> None:
        """Messages may have been lost: nothing that is held may be believed."""
        self._news += 1
        for tenant in list(self._held):
            self._host.data.forget(tenant)
        self._held.clear()
