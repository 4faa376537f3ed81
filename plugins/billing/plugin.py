"""The plugin's value."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.core.contract import Archived, Host, Plugin, Worker
from gateway.core.ports import Plans, Usage
from plugins.billing.invoices.desk import CLOSE_S, InvoiceDesk
from plugins.billing.invoices.events import InvoiceIssued
from plugins.billing.invoices.periods import LOOK_S, PeriodKeeper
from plugins.billing.payments.desk import SEND_S, PaymentDesk
from plugins.billing.payments.routes import routes
from plugins.billing.plans.desk import PlanDesk
from plugins.billing.root import BillingMutation, BillingQuery
from plugins.billing.tables import TABLES, usage_fields, usage_providers
from plugins.billing.tenancy import erase, export
from plugins.billing.usage.clearing import CLEAR_EVERY_S, Clearing
from plugins.billing.usage.events import QuotaThresholdReached
from plugins.billing.usage.meter import FLUSH_S, Meter
from plugins.billing.usage.quotas import QuotaWatch


def services(host: Host) -> dict[type, Any]:
    """One of each a process."""
    plans, meter, periods = PlanDesk(host), Meter(host), PeriodKeeper(host)
    return {
        PlanDesk: plans, Plans: plans, Meter: meter, Usage: meter, QuotaWatch: QuotaWatch(host, meter),
        PeriodKeeper: periods, InvoiceDesk: InvoiceDesk(host, periods), PaymentDesk: PaymentDesk(host),
    }  # fmt: skip


def workers(host: Host) -> Sequence[Worker]:
    """What is counted is written every few seconds, and once more when the process stops."""
    meter, watch = host.service(Meter), host.service(QuotaWatch)

    async def write() -> None:
        await watch.look(await meter.flush())

    async def write_the_last() -> None:
        await meter.flush()

    return (
        Worker(name="billing.usage", every=FLUSH_S, run=write, finish=write_the_last),
        Worker(name="billing.periods", every=LOOK_S, run=host.service(PeriodKeeper).look),
        Worker(name="billing.months", every=CLOSE_S, run=host.service(InvoiceDesk).close_due),
        Worker(name="billing.clear", every=CLEAR_EVERY_S, run=Clearing(host).run, anywhere=True),
        Worker(name="billing.payments", every=SEND_S, run=host.service(PaymentDesk).send_due),
    )


plugin = Plugin(
    name="billing", query=BillingQuery, mutation=BillingMutation, services=services, tables=TABLES,
    migrations=Path(__file__).parent / "migrations", workers=workers, routes=routes, export=export, erase=erase,
    events=(QuotaThresholdReached, InvoiceIssued),
    archived=(Archived(table=usage_fields, days="usage_days"), Archived(table=usage_providers, days="usage_days")),
)  # fmt: skip
