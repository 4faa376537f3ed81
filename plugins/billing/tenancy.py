"""What billing holds of a tenant: to export, and to erase. Invoices are kept: the law wants books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from gateway.core.contract import Host
from gateway.core.store import Tx
from plugins.billing.calendar import Month
from plugins.billing.invoices.desk import InvoiceDesk
from plugins.billing.invoices.store import InvoiceRows, SubscriptionRows
from plugins.billing.payments.store import CustomerRows
from plugins.billing.usage.store import NoticeRows, UsageRows
from schema.scalars import datetime_text, decimal_text

EVER = Month(2000, 1).start, Month(9000, 1).start
MOST = 2**31 - 1


async def export(host: Host, tx: Tx, tenant: str) -> Mapping[str, Any]:
    """Everything, as plain values."""
    usage, invoices = UsageRows(), InvoiceRows()
    found = await invoices.page(tx, tenant, None, MOST)
    return {
        "usageByField": _plain(await usage.rows(tx, tenant, *EVER, MOST)),
        "usageByProvider": _plain(await usage.provider_rows(tx, tenant)),
        "quotaNotices": _plain(await NoticeRows().all(tx, tenant)),
        "planPeriods": _plain(await SubscriptionRows().all(tx, tenant)),
        "invoices": _plain(found),
        "invoiceLines": _plain(await invoices.lines(tx, tenant, [row.id for row in found])),
        "customer": _plain([row] if (row := await CustomerRows().find(tx, tenant)) else []),
    }


async def erase(host: Host, tx: Tx, tenant: str) -> None:
    """Bill what is not billed yet, then forget all but the invoices, which hold no more of the tenant than its id."""
    await host.service(InvoiceDesk).finish(tx, tenant)
    await UsageRows().erase(tx, tenant)
    await CustomerRows().erase(tx, tenant)


def _plain(rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [{name: _value(value) for name, value in asdict(row).items()} for row in rows]


def _value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, datetime):
        return datetime_text(value)
    return value.isoformat() if isinstance(value, date) else value
