"""How long hourly usage is kept."""

from __future__ import annotations

from datetime import timedelta

from gateway.core.contract import Host
from gateway.core.ports import Archive
from plugins.billing.invoices.desk import InvoiceDesk
from plugins.billing.tables import usage_fields, usage_providers
from plugins.billing.usage.store import UsageDirectory

CLEAR_EVERY_S = 3_600.0
AT_ONCE = 2_000


class Clearing:
    """Removes what is older than the setting keeps, a little at a time, and never what is not invoiced yet."""

    def __init__(self, host: Host) -> None:
        self._host, self._directory = host, UsageDirectory()

    async def run(self) -> None:
        """Everything that is too old by now; nothing where the setting keeps all."""
        days = self._host.settings.usage_days
        if days is None:
            return
        archive = self._host.service(Archive)
        before = min(self._host.clock.now() - timedelta(days=days), await self._host.service(InvoiceDesk).open_since())
        for table in (usage_fields, usage_providers):
            gone = AT_ONCE
            while gone >= AT_ONCE:
                async with self._host.store.write() as tx:
                    gone = await self._directory.forget(tx, archive, table, before, AT_ONCE)
