"""What operators read and keep: tenants from outside, switches of providers, operators' keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, delete, func, or_, select, update

from gateway.core.identity import Role
from gateway.core.ports import BreakerOrder
from gateway.core.store import Tx
from plugins.accounts.keys.rows import OperatorKeyRow
from plugins.accounts.tables import breaker_orders, memberships, operator_keys, organisations, provider_switches, users
from schema.pages import Position

LOCK = 0x6D6172_6F706572
"""Key of the advisory lock that lets one at a time give tenants the operator's own names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRow:
    """An organisation as the operator sees it."""

    id: str
    name: str
    external_id: str | None
    plan: str
    status: str
    status_reason: str | None
    created_at: datetime
    suspended_at: datetime | None
    erase_at: datetime | None
    members: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchRow:
    """A provider that is not as usual; `state` is `paused` or `disabled`."""

    provider: str
    state: str
    reason: str | None
    by: str
    at: datetime


class TenantDirectory:
    """All organisations: operators stand outside every tenant."""

    async def page(
        self, tx: Tx, count: int, after: Position | None = None, status: str | None = None, search: str | None = None
    ) -> list[TenantRow]:
        """The oldest first, behind a position; *search* is a part of the name, the id or the external id."""
        query = _tenants()
        if after is not None:
            at, id = after
            later = and_(organisations.c.created_at == at, organisations.c.id > id)
            query = query.where(or_(organisations.c.created_at > at, later))
        if status is not None:
            query = query.where(organisations.c.status == status)
        if search is not None:
            columns = (organisations.c.name, organisations.c.id, organisations.c.external_id)
            part = search.lower()
            query = query.where(or_(*(func.lower(each).contains(part, autoescape=True) for each in columns)))
        order = (organisations.c.created_at, organisations.c.id)
        return await tx.all(query.order_by(*order).limit(count), TenantRow)

    async def find(self, tx: Tx, tenant: str) -> TenantRow | None:
        """One of them."""
        return await tx.first(_tenants().where(organisations.c.id == tenant), TenantRow)

    async def by_external_ids(self, tx: Tx, external_ids: Sequence[str]) -> dict[str, TenantRow]:
        """Those with these names of the operator's own."""
        found = await tx.all(_tenants().where(organisations.c.external_id.in_(external_ids)), TenantRow)
        return {str(row.external_id): row for row in found}

    async def hold(self, tx: Tx, external_ids: Sequence[str]) -> None:
        """Wait for others who name tenants so, and hold these, until the end of the transaction. SQLite has one
        writer."""
        if tx.dialect == "postgresql":
            await tx.run(select(func.pg_advisory_xact_lock(LOCK)))
        named = organisations.c.external_id.in_(external_ids)
        await tx.values(select(organisations.c.id).where(named).order_by(organisations.c.id).with_for_update())

    async def owners(self, tx: Tx, tenants: Sequence[str]) -> dict[str, list[str]]:
        """The addresses of their owners."""
        query = select(memberships.c.tenant_id, users.c.email).join(users, users.c.id == memberships.c.user_id)
        query = query.where(memberships.c.tenant_id.in_(tenants), memberships.c.role == Role.OWNER.value)
        found: dict[str, list[str]] = {}
        for tenant, email in await tx.connection.execute(query):
            found.setdefault(tenant, []).append(email)
        return found

    async def count(self, tx: Tx) -> int:
        """How many there are."""
        return int(await tx.value(select(func.count()).select_from(organisations)))


def _tenants() -> Select[Any]:
    members = select(func.count()).where(memberships.c.tenant_id == organisations.c.id).scalar_subquery()
    return select(organisations, members.label("members"))


class SwitchDirectory:
    """Switches of providers, which hold for all tenants."""

    async def all(self, tx: Tx) -> list[SwitchRow]:
        """Every provider that is paused or disabled."""
        return await tx.all(select(provider_switches).order_by(provider_switches.c.provider), SwitchRow)

    async def find(self, tx: Tx, provider: str) -> SwitchRow | None:
        """One provider's; None for one that is as usual."""
        return await tx.first(select(provider_switches).where(provider_switches.c.provider == provider), SwitchRow)

    async def put(self, tx: Tx, row: SwitchRow) -> None:
        """Pause or disable."""
        values = {name: getattr(row, name) for name in SwitchRow.__slots__}
        insert = tx.insert(provider_switches).values(values)
        await tx.run(insert.on_conflict_do_update(index_elements=["provider"], set_=values))

    async def remove(self, tx: Tx, provider: str) -> None:
        """As usual again."""
        await tx.run(delete(provider_switches).where(provider_switches.c.provider == provider))


class BreakerOrderDirectory:
    """What operators did to breakers lately, which holds for all tenants."""

    async def all(self, tx: Tx) -> list[BreakerOrder]:
        """The oldest first."""
        query = select(*(breaker_orders.c[name] for name in BreakerOrder.__slots__))
        return await tx.all(query.order_by(breaker_orders.c.at, breaker_orders.c.id), BreakerOrder)

    async def add(self, tx: Tx, order: BreakerOrder, at: datetime) -> None:
        """For the processes that do not hear of it."""
        values = {name: getattr(order, name) for name in BreakerOrder.__slots__}
        await tx.run(breaker_orders.insert().values({**values, "at": at}))

    async def forget(self, tx: Tx, before: datetime) -> None:
        """What every process has read by now."""
        await tx.run(delete(breaker_orders).where(breaker_orders.c.at < before))


class OperatorKeyDirectory:
    """Operators' keys, which belong to no tenant."""

    async def page(self, tx: Tx, count: int, after: Position | None = None) -> list[OperatorKeyRow]:
        """The oldest first, behind a position."""
        query = select(operator_keys)
        if after is not None:
            at, id = after
            later = and_(operator_keys.c.created_at == at, operator_keys.c.id > id)
            query = query.where(or_(operator_keys.c.created_at > at, later))
        return await tx.all(query.order_by(operator_keys.c.created_at, operator_keys.c.id).limit(count), OperatorKeyRow)

    async def find(self, tx: Tx, key_id: str) -> OperatorKeyRow | None:
        """One of them."""
        return await tx.first(select(operator_keys).where(operator_keys.c.id == key_id), OperatorKeyRow)

    async def revoke(self, tx: Tx, key_id: str, at: datetime) -> bool:
        """Whether it was alive until now."""
        alive = (operator_keys.c.id == key_id, operator_keys.c.revoked_at.is_(None))
        return await tx.run(update(operator_keys).where(*alive).values(revoked_at=at)) == 1
