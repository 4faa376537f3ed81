"""Which plan a tenant was on, and when: compared with the organisations once a minute, so that no change is missed.

A change counts from the minute in which it is seen. Invoices go by days: only one that is made in the last minute of a
day can count a day late.
"""

from __future__ import annotations

from gateway.core.contract import Host
from gateway.core.ports import Organisation, Organisations
from gateway.core.store import Tx, new_id
from plugins.billing.invoices.arithmetic import Period, Terms
from plugins.billing.invoices.store import SubscriptionDirectory, SubscriptionRow, SubscriptionRows
from plugins.billing.plans.catalog import FREE, PlanRow
from plugins.billing.plans.desk import PlanDesk

LOOK_S = 60.0


class PeriodKeeper:
    """Writes plan periods."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._rows, self._directory = SubscriptionRows(), SubscriptionDirectory()

    async def look(self) -> None:
        """Begin and end periods where the organisations say so; each tenant in a transaction of its own."""
        async with self._host.store.read() as tx:
            found = {each.id: each for each in await self._host.service(Organisations).all(tx)}
            open_ = {row.tenant_id: row for row in await self._directory.open(tx)}
            plans = {plan.name: plan for plan in await self._host.service(PlanDesk).all(tx)}
        for tenant in sorted(found.keys() | open_.keys()):
            organisation = found.get(tenant)
            wanted = _wanted(organisation, plans.get(organisation.plan) if organisation else None)
            if wanted != _held(open_.get(tenant)):
                await self._change(tenant)

    async def _change(self, tenant: str) -> None:
        """Looked at anew: another process may have been here."""
        async with self._host.store.write() as tx:
            organisation = await self._host.service(Organisations).find(tx, tenant)
            plan = await self._host.service(PlanDesk).find(tx, organisation.plan) if organisation else None
            wanted, row = _wanted(organisation, plan), await self._rows.open(tx, tenant)
            if wanted == _held(row):
                return
            now = self._host.clock.now()
            if row is not None and not await self._rows.end(tx, tenant, row.id, now):
                return
            if wanted is not None and organisation is not None:
                first = row is None and not await self._rows.all(tx, tenant)
                start = min(organisation.created_at, now) if first else now
                made = SubscriptionRow(
                    tenant_id=tenant, id=new_id("sub"), plan=wanted.plan, monthly_price=wanted.monthly_price,
                    currency=wanted.currency, point_price=wanted.point_price,
                    included_points=wanted.included_points, started_at=start, ended_at=None,
                )  # fmt: skip
                await self._rows.begin(tx, tenant, made)

    async def end(self, tx: Tx, tenant: str) -> None:
        """The tenant goes: nothing is billed from now on."""
        row = await self._rows.open(tx, tenant)
        if row is not None:
            await self._rows.end(tx, tenant, row.id, self._host.clock.now())


def _wanted(organisation: Organisation | None, plan: PlanRow | None) -> Terms | None:
    """What should be in force. Who is being deleted is no longer billed; who is suspended is."""
    if organisation is None or organisation.status == "deleting":
        return None
    plan = plan or FREE
    return Terms(
        plan=organisation.plan, monthly_price=plan.monthly_price, currency=plan.currency,
        point_price=plan.point_price, included_points=plan.included_points,
    )  # fmt: skip


def _held(row: SubscriptionRow | None) -> Terms | None:
    return None if row is None else terms_of(row)


def terms_of(row: SubscriptionRow) -> Terms:
    """What a period was agreed at."""
    return Terms(
        plan=row.plan, monthly_price=row.monthly_price, currency=row.currency, point_price=row.point_price,
        included_points=row.included_points,
    )  # fmt: skip


def period_of(row: SubscriptionRow) -> Period:
    """A row as the arithmetic reads it."""
    return Period(terms=terms_of(row), start=row.started_at, end=row.ended_at)
