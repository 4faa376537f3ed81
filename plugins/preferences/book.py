"""The port `Preferences`: what every tenant prefers, held in memory for seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.contract import Host
from gateway.core.ports import Preference
from gateway.core.store import Tx
from gateway.core.timed import Timed
from plugins.preferences.store import PreferenceStore

TOPIC = "preferences.changed"
HELD_S = 9.0
"""Without a message from elsewhere a change holds after this; ten seconds are promised."""
MOST = 10_000


class PreferenceBook:
    """One a process."""

    def __init__(self, host: Host) -> None:
        self._host, self._store = host, PreferenceStore()
        self._held: Timed[str, Preference] = Timed(MOST, HELD_S, host.clock.monotonic)
        self._news = 0
        host.bus.subscribe(TOPIC, self._heard)
        host.bus.on_gap(self._missed)

    def held(self, tenant: str) -> Preference | None:
        """See `Preferences`."""
        return self._held.get(tenant)

    async def of(self, tenant: str) -> Preference:
        """See `Preferences`."""
        found = self._held.get(tenant)
        if found is None:
            before = self._news
            async with self._host.store.read() as tx:
                row = await self._store.find(tx, tenant)
            found = Preference() if row is None else row.preference
            # What was read while a change was told may be from before it.
            if before == self._news:
                self._held[tenant] = found
        return found

    def tell(self, tx: Tx, tenant: str) -> None:
        """Once the transaction is committed, every process drops what it holds of a tenant."""
        tx.then(lambda: self._host.bus.publish(TOPIC, {"tenant": tenant}))

    def _heard(self, message: Mapping[str, Any]) -> None:
        self._news += 1
        tenant = str(message.get("tenant"))
        self._held.pop(tenant)
        self._host.data.reroute(tenant)

    def _missed(self) -> None:
        """Messages may have been lost: nothing that is held may be believed."""
        self._news += 1
        for tenant in list(self._held):
            self._host.data.reroute(tenant)
        self._held.clear()
