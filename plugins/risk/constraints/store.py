"""SQL of sets of constraints."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from gateway.core.store import Tx
from plugins.risk.rows import ConstraintRow
from plugins.risk.tables import constraint_sets
from schema.pages import Position


class ConstraintStore:
    """An organisation's sets of constraints."""

    async def hold(self, tx: Tx, tenant: str) -> None:
        """Wait for others who change the organisation's sets, until the end of the transaction."""
        if tx.dialect == "postgresql":
            await tx.run(select(func.pg_advisory_xact_lock(func.hashtextextended(f"risk constraints {tenant}", 0))))

    async def add(self, tx: Tx, tenant: str, row: ConstraintRow) -> None:
        """Put it in."""
        await tx.run(constraint_sets.insert().values(**asdict(row) | {"tenant_id": tenant}))

    async def find(self, tx: Tx, tenant: str, constraint_id: str) -> ConstraintRow | None:
        """One of them."""
        return await tx.first(select(constraint_sets).where(_one(tenant, constraint_id)), ConstraintRow)

    async def named(self, tx: Tx, tenant: str, name: str) -> ConstraintRow | None:
        """The one of that name."""
        mine = and_(constraint_sets.c.tenant_id == tenant, constraint_sets.c.name == name)
        return await tx.first(select(constraint_sets).where(mine), ConstraintRow)

    async def with_key(self, tx: Tx, tenant: str, idempotency_key: str) -> ConstraintRow | None:
        """What was made under a client's key."""
        mine = and_(constraint_sets.c.tenant_id == tenant, constraint_sets.c.idempotency_key == idempotency_key)
        return await tx.first(select(constraint_sets).where(mine), ConstraintRow)

    async def count(self, tx: Tx, tenant: str) -> int:
        """How many there are."""
        query = select(func.count()).select_from(constraint_sets).where(constraint_sets.c.tenant_id == tenant)
        return int(await tx.value(query))

    async def page(self, tx: Tx, tenant: str, limit: int, *, behind: Position | None) -> list[ConstraintRow]:
        """Some of them, the oldest first."""
        mine = select(constraint_sets).where(constraint_sets.c.tenant_id == tenant)
        if behind is not None:
            at, id = behind
            made = constraint_sets.c.created_at
            mine = mine.where(or_(made > at, and_(made == at, constraint_sets.c.id > id)))
        return await tx.all(
            mine.order_by(constraint_sets.c.created_at, constraint_sets.c.id).limit(limit), ConstraintRow
        )

    async def change(self, tx: Tx, tenant: str, constraint_id: str, row: ConstraintRow) -> None:
        """Set what a person may change."""
        values = {"name": row.name, "rules": row.rules, "changed_at": row.changed_at}
        await tx.run(update(constraint_sets).where(_one(tenant, constraint_id)).values(**values))

    async def remove(self, tx: Tx, tenant: str, constraint_id: str) -> bool:
        """Whether there was one."""
        return await tx.run(delete(constraint_sets).where(_one(tenant, constraint_id))) > 0

    async def whole(self, tx: Tx, tenant: str) -> list[ConstraintRow]:
        """All, for the organisation's export."""
        mine = select(constraint_sets).where(constraint_sets.c.tenant_id == tenant)
        return await tx.all(mine.order_by(constraint_sets.c.created_at, constraint_sets.c.id), ConstraintRow)

    async def erase(self, tx: Tx, tenant: str) -> None:
        """All."""
        await tx.run(delete(constraint_sets).where(constraint_sets.c.tenant_id == tenant))


def _one(tenant: str, constraint_id: str) -> ColumnElement[bool]:
    return and_(constraint_sets.c.tenant_id == tenant, constraint_sets.c.id == constraint_id)
