"""How long the delivery log is kept."""

from __future__ import annotations

from datetime import timedelta

from gateway.core.contract import Host
from plugins.webhooks.delivery.store import DeliveryDirectory

KEPT = timedelta(days=30)
"""Attempts, and deliveries from when they were settled."""
AT_ONCE = 2_000


class Clearing:
    """Removes what is older, a little at a time."""

    def __init__(self, host: Host) -> None:
        self._host, self._directory = host, DeliveryDirectory()

    async def run(self) -> None:
        """Everything that is too old by now."""
        before = self._host.clock.now() - KEPT
        for forget in (self._directory.forget_attempts, self._directory.forget_deliveries):
            gone = AT_ONCE
            while gone >= AT_ONCE:
                async with self._host.store.write() as tx:
                    gone = await forget(tx, before, AT_ONCE)
