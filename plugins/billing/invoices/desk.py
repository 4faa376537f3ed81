"""Closes months: one invoice for each tenant, month and currency, however many processes try at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from gateway.core.contract import Host
from gateway.core.ports import Act, Audit, Outbox
from gateway.core.store import Tx, new_id
from plugins.billing.calendar import Month
from plugins.billing.invoices.arithmetic import Line, lines_of
from plugins.billing.invoices.events import InvoiceIssued
from plugins.billing.invoices.periods import PeriodKeeper, period_of
from plugins.billing.invoices.store import (
    InvoiceDirectory,
    InvoiceRow,
    InvoiceRows,
    LineRow,
    SubscriptionDirectory,
    SubscriptionRows,
)
from plugins.billing.invoices.types import Invoice, shown
from plugins.billing.money import total_of
from plugins.billing.usage.store import UsageRows

GRACE = timedelta(hours=1)
"""How long after its end a month is closed: by then every process has written what it counted."""
CLOSE_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What a run did: invoices that it made, and those of the month that were there."""

    issued: int
    standing: int


class InvoiceDesk:
    """Issues invoices."""

    def __init__(self, host: Host, periods: PeriodKeeper) -> None:
        self._host, self._periods = host, periods
        self._usage, self._subscriptions = UsageRows(), SubscriptionRows()
        self._directory = SubscriptionDirectory()
        self._rows, self._numbers = InvoiceRows(), InvoiceDirectory()

    def is_over(self, month: Month) -> bool:
        """Whether it may be closed."""
        return self._host.clock.now() >= month.end + GRACE

    async def close_due(self) -> None:
        """Close every month that is over and was not closed, from the first on."""
        async with self._host.store.read() as tx:
            earliest, closed = await self._directory.earliest(tx), await self._directory.closed_months(tx)
        if earliest is None:
            return
        for month in self._over_since(Month.of(earliest)):
            if str(month) not in closed:
                await self.close(month)

    async def open_since(self) -> datetime:
        """The first instant whose usage may still have to be invoiced; now where nobody has a plan."""
        async with self._host.store.read() as tx:
            earliest, closed = await self._directory.earliest(tx), await self._directory.closed_months(tx)
        if earliest is None:
            return self._host.clock.now()
        month = Month.of(earliest)
        while str(month) in closed:
            month = month.next
        return month.start

    def _over_since(self, month: Month) -> Iterator[Month]:
        while self.is_over(month):
            yield month
            month = month.next

    async def close(self, month: Month, act: Act | None = None) -> Closed:
        """Invoice all tenants, each in a transaction of its own, so that a killed run leaves whole invoices only.

        The month counts as closed when all are done. *act* is who asked for it.
        """
        # Who came just before every process was stopped has a period from then on.
        await self._periods.look()
        async with self._host.store.read() as tx:
            tenants = await self._directory.tenants(tx, month.start, month.end)
            standing = await self._numbers.count(tx, str(month))
        issued = 0
        for tenant in tenants:
            async with self._host.store.write() as tx:
                issued += await self.issue(tx, tenant, month)
        async with self._host.store.write() as tx:
            await self._directory.close_month(tx, str(month), self._host.clock.now())
            if act is not None:
                await self._host.service(Audit).record(tx, act)
        return Closed(issued=issued, standing=standing)

    async def issue(self, tx: Tx, tenant: str, month: Month, *, last: bool = False) -> int:
        """How many invoices were made for the tenant: none where nothing is to pay, or they are there already.

        Nobody is told of the *last* ones: the tenant, and its log of events, go in the same transaction.
        """
        periods = await self._subscriptions.within(tx, tenant, month.start, month.end)
        hours = await self._usage.by_hour(tx, tenant, month.start, month.end)
        points: dict[date, int] = {}
        for row in hours:
            day = row.name.date()
            points[day] = points.get(day, 0) + row.points
        lines = lines_of([period_of(row) for row in periods], points, month)
        issued = 0
        for currency, own in groupby(sorted(lines, key=_currency), key=_currency):
            made = await self._write(tx, tenant, month, currency, list(own))
            if made is not None and not last:
                self._host.service(Outbox).emit(tx, InvoiceIssued(invoice=made), tenant=tenant)
            issued += made is not None
        return issued

    async def _write(self, tx: Tx, tenant: str, month: Month, currency: str, lines: list[Line]) -> Invoice | None:
        sequence = await self._numbers.next_number(tx)
        now = self._host.clock.now()
        row = InvoiceRow(
            tenant_id=tenant, id=new_id("invoice"), sequence=sequence, number=f"MG-{month}-{sequence:06}",
            month=str(month), currency=currency, total=total_of([line.amount for line in lines], currency),
            status="OPEN", issued_at=now, paid_at=None, voided_at=None, external_id=None, send_attempts=0,
            send_due_at=now, send_error=None,
        )  # fmt: skip
        told = [_row(tenant, row.id, n, line) for n, line in enumerate(lines)]
        if not await self._rows.add(tx, tenant, row, told):
            return None
        await self._host.service(Audit).record(tx, system_act(row, "invoice.issued", _told(row)))
        return shown(row, told)

    async def finish(self, tx: Tx, tenant: str) -> None:
        """The tenant goes: what is not invoiced yet is invoiced now, this month up to today; the periods go."""
        await self._periods.end(tx, tenant)
        periods = await self._subscriptions.all(tx, tenant)
        if periods:
            closed = await self._directory.closed_months(tx)
            month, last = Month.of(periods[0].started_at), Month.of(self._host.clock.now())
            while month <= last:
                if str(month) not in closed:
                    await self.issue(tx, tenant, month, last=True)
                month = month.next
        await self._subscriptions.erase(tx, tenant)


def system_act(row: InvoiceRow, action: str, after: Mapping[str, str], actor: str = "system") -> Act:
    """An invoice's line of the audit trail that no caller asked for."""
    return Act(tenant=row.tenant_id, action=action, actor=actor, actor_kind="system", target=row.id, after=after)


def _told(row: InvoiceRow) -> dict[str, str]:
    return {"number": row.number, "total": f"{row.total:f}", "currency": row.currency}


def _currency(line: Line) -> str:
    return line.terms.currency


def _row(tenant: str, invoice_id: str, position: int, line: Line) -> LineRow:
    return LineRow(
        tenant_id=tenant, id=new_id("line"), invoice_id=invoice_id, position=position, kind=line.kind.value,
        description=line.description, plan=line.terms.plan, first_day=line.first, end_day=line.end,
        quantity=line.quantity, per=line.per, unit_price=line.unit_price, amount=line.amount,
    )  # fmt: skip
