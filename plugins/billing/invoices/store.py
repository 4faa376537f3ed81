"""SQL of plan periods, invoices and their lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import delete, func, or_, select, update

from gateway.core.store import Tx
from plugins.billing.tables import counters, invoice_lines, invoices, months, subscriptions

SERIES = "invoices"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRow:
    """A tenant's plan and its prices in [started_at, ended_at)."""

    tenant_id: str
    id: str
    plan: str
    monthly_price: Decimal
    currency: str
    point_price: Decimal | None
    included_points: int
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceRow:
    """An invoice without its lines."""

    tenant_id: str
    id: str
    sequence: int
    number: str
    month: str
    currency: str
    total: Decimal
    status: str
    issued_at: datetime
    paid_at: datetime | None
    voided_at: datetime | None
    external_id: str | None
    send_attempts: int
    send_due_at: datetime
    send_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """A line of an invoice."""

    tenant_id: str
    id: str
    invoice_id: str
    position: int
    kind: str
    description: str
    plan: str
    first_day: date
    end_day: date
    quantity: int
    per: int
    unit_price: Decimal
    amount: Decimal


class SubscriptionRows:
    """A tenant's plan periods; at most one is open."""

    async def open(self, tx: Tx, tenant: str) -> SubscriptionRow | None:
        """The one that goes on."""
        s = subscriptions
        return await tx.first(select(s).where(s.c.tenant_id == tenant, s.c.ended_at.is_(None)), SubscriptionRow)

    async def begin(self, tx: Tx, tenant: str, row: SubscriptionRow) -> bool:
        """Whether it could begin; not while another is open."""
        made = tx.insert(subscriptions).values(asdict(row) | {"tenant_id": tenant})
        return bool(await tx.run(made.on_conflict_do_nothing()))

    async def end(self, tx: Tx, tenant: str, subscription_id: str, at: datetime) -> bool:
        """Whether it was open till now."""
        s = subscriptions
        wanted = (s.c.tenant_id == tenant, s.c.id == subscription_id, s.c.ended_at.is_(None))
        return bool(await tx.run(update(s).where(*wanted).values(ended_at=at)))

    async def within(self, tx: Tx, tenant: str, start: datetime, end: datetime) -> list[SubscriptionRow]:
        """Those in force at some time of [start, end), ascending."""
        s = subscriptions
        found = (
            select(s).where(s.c.tenant_id == tenant, s.c.started_at < end)
            .where(or_(s.c.ended_at.is_(None), s.c.ended_at > start)).order_by(s.c.started_at, s.c.id)
        )  # fmt: skip
        return await tx.all(found, SubscriptionRow)

    async def all(self, tx: Tx, tenant: str) -> list[SubscriptionRow]:
        """Ascending."""
        s = subscriptions
        return await tx.all(select(s).where(s.c.tenant_id == tenant).order_by(s.c.started_at, s.c.id), SubscriptionRow)

    async def erase(self, tx: Tx, tenant: str) -> None:
        """All of them."""
        await tx.run(delete(subscriptions).where(subscriptions.c.tenant_id == tenant))


class SubscriptionDirectory:
    """The gateway itself keeps the periods of all tenants and closes their months: no caller reaches this."""

    async def open(self, tx: Tx) -> list[SubscriptionRow]:
        """Everybody's open period."""
        return await tx.all(select(subscriptions).where(subscriptions.c.ended_at.is_(None)), SubscriptionRow)

    async def tenants(self, tx: Tx, start: datetime, end: datetime) -> list[str]:
        """Tenants with a plan at some time of [start, end), by id."""
        s = subscriptions
        found = (
            select(s.c.tenant_id).distinct().where(s.c.started_at < end)
            .where(or_(s.c.ended_at.is_(None), s.c.ended_at > start)).order_by(s.c.tenant_id)
        )  # fmt: skip
        return [str(tenant) for tenant in await tx.values(found)]

    async def earliest(self, tx: Tx) -> datetime | None:
        """When the first period began."""
        s = subscriptions
        found: datetime | None = await tx.value(select(s.c.started_at).order_by(s.c.started_at).limit(1))
        return found

    async def closed_months(self, tx: Tx) -> set[str]:
        """Months that are invoiced for all."""
        return set(await tx.values(select(months.c.month)))

    async def close_month(self, tx: Tx, month: str, at: datetime) -> None:
        """Note that a month is invoiced for all."""
        await tx.run(tx.insert(months).values(month=month, closed_at=at).on_conflict_do_nothing())


class InvoiceRows:
    """A tenant's invoices."""

    async def add(self, tx: Tx, tenant: str, row: InvoiceRow, lines: Sequence[LineRow]) -> bool:
        """Whether it was added; not where the tenant has one for this month and currency."""
        made = tx.insert(invoices).values(asdict(row) | {"tenant_id": tenant})
        if not await tx.run(made.on_conflict_do_nothing(index_elements=["tenant_id", "month", "currency"])):
            return False
        await tx.run(update(counters).where(counters.c.name == SERIES).values(value=row.sequence))
        await tx.run(invoice_lines.insert(), [asdict(line) | {"tenant_id": tenant} for line in lines])
        return True

    async def find(self, tx: Tx, tenant: str, invoice_id: str) -> InvoiceRow | None:
        """One of them."""
        found = select(invoices).where(invoices.c.tenant_id == tenant, invoices.c.id == invoice_id)
        return await tx.first(found, InvoiceRow)

    async def page(self, tx: Tx, tenant: str, before: int | None, most: int) -> list[InvoiceRow]:
        """The newest first, with numbers below *before*."""
        found = select(invoices).where(invoices.c.tenant_id == tenant).order_by(invoices.c.sequence.desc())
        if before is not None:
            found = found.where(invoices.c.sequence < before)
        return await tx.all(found.limit(most), InvoiceRow)

    async def lines(self, tx: Tx, tenant: str, invoice_ids: Sequence[str]) -> list[LineRow]:
        """Of some invoices, in order."""
        t = invoice_lines
        found = select(t).where(t.c.tenant_id == tenant, t.c.invoice_id.in_(list(invoice_ids)))
        return await tx.all(found.order_by(t.c.invoice_id, t.c.position), LineRow)


class InvoiceDirectory:
    """The operator and the payment provider know an invoice by its id alone; both stand outside every tenant."""

    async def next_number(self, tx: Tx) -> int:
        """Of the gateway's one series, which is locked: a number that this transaction does not use is given again."""
        await tx.run(tx.insert(counters).values(name=SERIES, value=0).on_conflict_do_nothing())
        last = await tx.value(select(counters.c.value).where(counters.c.name == SERIES).with_for_update())
        return int(last) + 1

    async def lock(self, tx: Tx, invoice_id: str) -> InvoiceRow | None:
        """The invoice, unchanged by others until the transaction ends."""
        return await tx.first(select(invoices).where(invoices.c.id == invoice_id).with_for_update(), InvoiceRow)

    async def settle(self, tx: Tx, invoice_id: str, status: str, at: datetime) -> bool:
        """Whether it was open, and is PAID or VOID now."""
        t = invoices
        values = {"status": status, "paid_at" if status == "PAID" else "voided_at": at}
        return bool(await tx.run(update(t).where(t.c.id == invoice_id, t.c.status == "OPEN").values(values)))

    async def page(
        self, tx: Tx, organisation_id: str | None, month: str | None, before: int | None, most: int
    ) -> list[InvoiceRow]:
        """Of one tenant or of all, the newest first."""
        t = invoices
        found = select(t).order_by(t.c.sequence.desc()).limit(most)
        for column, value in ((t.c.tenant_id, organisation_id), (t.c.month, month)):
            if value is not None:
                found = found.where(column == value)
        return await tx.all(found if before is None else found.where(t.c.sequence < before), InvoiceRow)

    async def lines(self, tx: Tx, invoice_ids: Sequence[str]) -> list[LineRow]:
        """Of some invoices, in order."""
        t = invoice_lines
        found = select(t).where(t.c.invoice_id.in_(list(invoice_ids))).order_by(t.c.invoice_id, t.c.position)
        return await tx.all(found, LineRow)

    async def count(self, tx: Tx, month: str) -> int:
        """Invoices of a month."""
        return int(await tx.value(select(func.count()).select_from(invoices).where(invoices.c.month == month)))
