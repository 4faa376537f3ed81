"""How long the delivery log is kept: attempts, and deliveries from when they were settled."""

from __future__ import annotations

from datetime import timedelta

from gateway.core.contract import Host
from gateway.core.ports import Archive
from plugins.webhooks.delivery.store import DeliveryDirectory

AT_ONCE = 2_000


class Clearing:
    """Removes what is older than the setting keeps, a little at a time."""

    def __init__(self, host: Host) -> None:
        self._host, self._directory = host, DeliveryDirectory()

    async def run(self) -> None:
        """Everything that is too old by now."""
        archive = self._host.service(Archive)
        before = self._host.clock.now() - timedelta(days=self._host.settings.delivery_days)
        for forget in (self._directory.forget_attempts, self._directory.forget_deliveries):
            gone = AT_ONCE
            while gone >= AT_ONCE:
                async with self._host.store.write() as tx:
                    gone = await forget(tx, archive, before, AT_ONCE)
