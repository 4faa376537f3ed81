"""Tenants that are suspended or wait to be erased: nothing is produced for them, and their deliveries are held."""

from __future__ import annotations

from gateway.core.contract import Host
from gateway.core.ports import Organisations
from gateway.core.store import Tx
from gateway.core.timed import Timed
from plugins.webhooks.news import hear_closed

HELD_S = 10.0
"""Without a message from elsewhere a change is seen after this."""
_ALL = ""


async def closed_tenants(host: Host, tx: Tx) -> frozenset[str]:
    """As the database has them; none where there are no organisations."""
    if Organisations not in host.services:
        return frozenset()
    return await host.service(Organisations).closed(tx)


class ClosedTenants:
    """Of one process: asked before every claim, so they are held in memory."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._held: Timed[str, frozenset[str]] = Timed(1, HELD_S, host.clock.monotonic)
        self._news = 0
        hear_closed(host, self._heard)

    async def now(self) -> frozenset[str]:
        """All of them."""
        found = self._held.get(_ALL)
        if found is None:
            before = self._news
            async with self._host.store.read() as tx:
                found = await closed_tenants(self._host, tx)
            # What was read while a change was told may be from before it.
            if before == self._news:
                self._held[_ALL] = found
        return found

    def _heard(self) -> None:
        self._news += 1
        self._held.clear()
