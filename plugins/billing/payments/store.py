"""SQL of customers at the payment provider, and of invoices on their way there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import delete, select, update

from gateway.core.store import Tx
from plugins.billing.tables import customers, invoices

SHOWN = ("tenant_id", "id", "number", "currency", "total", "send_attempts")


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRow:
    """A tenant at the payment provider."""

    tenant_id: str
    customer_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRow:
    """An open invoice whose tenant is known at the payment provider, and that is not there."""

    tenant_id: str
    id: str
    number: str
    currency: str
    total: Decimal
    send_attempts: int
    customer_id: str


class CustomerRows:
    """A tenant's customer."""

    async def find(self, tx: Tx, tenant: str) -> CustomerRow | None:
        """None before `paymentSetup`."""
        return await tx.first(select(customers).where(customers.c.tenant_id == tenant), CustomerRow)

    async def put(self, tx: Tx, tenant: str, customer_id: str, at: datetime) -> None:
        """The first one stays: two that set it up at once end with the same."""
        made = tx.insert(customers).values(tenant_id=tenant, customer_id=customer_id, created_at=at)
        await tx.run(made.on_conflict_do_nothing())

    async def erase(self, tx: Tx, tenant: str) -> None:
        """Forget it."""
        await tx.run(delete(customers).where(customers.c.tenant_id == tenant))


class SendingDirectory:
    """The worker that sends invoices serves all tenants; no caller reaches this."""

    async def due(self, tx: Tx, now: datetime, most: int) -> list[DueRow]:
        """The oldest first."""
        i = invoices
        found = (
            select(*(i.c[name] for name in SHOWN), customers.c.customer_id)
            .join(customers, customers.c.tenant_id == i.c.tenant_id)
            .where(i.c.status == "OPEN", i.c.external_id.is_(None), i.c.send_due_at <= now)
            .order_by(i.c.sequence).limit(most)
        )  # fmt: skip
        return await tx.all(found, DueRow)

    async def claim(self, tx: Tx, invoice_id: str, attempts: int, again_at: datetime) -> bool:
        """Whether this process may send it; nobody else does before *again_at*."""
        i = invoices
        wanted = (i.c.id == invoice_id, i.c.status == "OPEN", i.c.external_id.is_(None), i.c.send_attempts == attempts)
        values = {"send_attempts": attempts + 1, "send_due_at": again_at}
        return bool(await tx.run(update(i).where(*wanted).values(values)))

    async def sent(self, tx: Tx, invoice_id: str, external_id: str) -> bool:
        """It is there; false where that was known."""
        i = invoices
        wanted = (i.c.id == invoice_id, i.c.external_id.is_(None))
        return bool(await tx.run(update(i).where(*wanted).values(external_id=external_id, send_error=None)))

    async def failed(self, tx: Tx, invoice_id: str, why: str) -> None:
        """It could not be sent; it is tried again."""
        await tx.run(update(invoices).where(invoices.c.id == invoice_id).values(send_error=why))
