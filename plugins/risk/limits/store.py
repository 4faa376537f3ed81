"""SQL of limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from gateway.core.contract import WatchedRows
from gateway.core.store import Tx
from plugins.risk.rows import Breach, LimitRow
from plugins.risk.tables import breaches, limits
from schema.pages import Position

_CHANGING = (
    "threshold", "rule", "hysteresis_bps", "note", "active", "state", "arm", "generation", "value", "subject",
    "figure", "problem", "evaluated_at", "changed_at",
)  # fmt: skip
_STANDING = (
    "state", "arm", "value", "subject", "figure", "problem", "peak", "basis", "evaluated_at", "last_breached_at",
)  # fmt: skip


class LimitStore:
    """An organisation's limits."""

    async def hold(self, tx: Tx, tenant: str) -> None:
        """Wait for others who add to the organisation's limits, until the end of the transaction."""
        if tx.dialect == "postgresql":
            await tx.run(select(func.pg_advisory_xact_lock(func.hashtextextended(f"risk limits {tenant}", 0))))

    async def add(self, tx: Tx, tenant: str, row: LimitRow) -> None:
        """Put it in."""
        await tx.run(limits.insert().values(**asdict(row) | {"tenant_id": tenant}))

    async def find(self, tx: Tx, tenant: str, limit_id: str) -> LimitRow | None:
        """One of them."""
        return await tx.first(select(limits).where(_one(tenant, limit_id)), LimitRow)

    async def lock(self, tx: Tx, tenant: str, limit_id: str) -> LimitRow | None:
        """One of them, which nobody else changes until the end of the transaction."""
        return await tx.first(select(limits).where(_one(tenant, limit_id)).with_for_update(), LimitRow)

    async def with_key(self, tx: Tx, tenant: str, idempotency_key: str) -> LimitRow | None:
        """What was made under a client's key."""
        mine = and_(limits.c.tenant_id == tenant, limits.c.idempotency_key == idempotency_key)
        return await tx.first(select(limits).where(mine), LimitRow)

    async def count(self, tx: Tx, tenant: str) -> int:
        """How many there are."""
        return int(await tx.value(select(func.count()).select_from(limits).where(limits.c.tenant_id == tenant)))

    async def page(
        self, tx: Tx, tenant: str, limit: int, *, portfolio: str | None, behind: Position | None
    ) -> list[LimitRow]:
        """Some of them, or of one portfolio's, the oldest first."""
        mine = select(limits).where(limits.c.tenant_id == tenant)
        if portfolio is not None:
            mine = mine.where(limits.c.portfolio == portfolio)
        if behind is not None:
            at, id = behind
            mine = mine.where(or_(limits.c.created_at > at, and_(limits.c.created_at == at, limits.c.id > id)))
        return await tx.all(mine.order_by(limits.c.created_at, limits.c.id).limit(limit), LimitRow)

    async def change(self, tx: Tx, tenant: str, limit_id: str, row: LimitRow) -> None:
        """Set what a person may change, and where it stands then."""
        values = {name: getattr(row, name) for name in _CHANGING}
        await tx.run(update(limits).where(_one(tenant, limit_id)).values(**values))

    async def remove(self, tx: Tx, tenant: str, limit_id: str) -> bool:
        """With its breaches; whether there was one."""
        await tx.run(delete(breaches).where(breaches.c.tenant_id == tenant, breaches.c.limit_id == limit_id))
        return await tx.run(delete(limits).where(_one(tenant, limit_id))) > 0

    async def whole(self, tx: Tx, tenant: str) -> list[LimitRow]:
        """All, for the organisation's export."""
        return await tx.all(select(limits).where(limits.c.tenant_id == tenant).order_by(limits.c.id), LimitRow)

    async def breached(self, tx: Tx, tenant: str) -> list[Breach]:
        """When they were breached, as long as it is kept."""
        mine = select(breaches).where(breaches.c.tenant_id == tenant)
        return await tx.all(mine.order_by(breaches.c.limit_id, breaches.c.arm), Breach)

    async def erase(self, tx: Tx, tenant: str) -> None:
        """All."""
        await tx.run(delete(breaches).where(breaches.c.tenant_id == tenant))
        await tx.run(delete(limits).where(limits.c.tenant_id == tenant))


class LimitDirectory(WatchedRows[LimitRow]):
    """Evaluation is of all tenants at once: each row that it reads and writes carries its own tenant along."""

    def __init__(self) -> None:
        super().__init__(limits, LimitRow)

    async def breach(self, tx: Tx, told: Sequence[Breach]) -> set[tuple[str, int]]:
        """Write breaches; which of them are new."""
        made = tx.insert(breaches).values([asdict(each) for each in told]).on_conflict_do_nothing()
        rows = await tx.connection.execute(made.returning(breaches.c.limit_id, breaches.c.arm))
        return {(row.limit_id, row.arm) for row in rows}

    async def settle(self, tx: Tx, stood: Sequence[LimitRow]) -> None:
        """Write where limits stand, each of the generation that it was evaluated in."""
        where = and_(limits.c.id == bindparam("which"), limits.c.generation == bindparam("of"))
        statement = update(limits).where(where).values({name: bindparam(f"new_{name}") for name in _STANDING})
        values: list[dict[str, Any]] = [
            {"which": row.id, "of": row.generation, **{f"new_{name}": getattr(row, name) for name in _STANDING}}
            for row in stood
        ]
        # By way of the connection: many rows, one statement.
        await tx.connection.execute(statement, values)

    async def keep_peaks(self, tx: Tx, stood: Sequence[LimitRow]) -> None:
        """Write peaks that are given up, though somebody has changed their limits, unless newer ones stand there."""
        for row in stood:
            older = or_(limits.c.evaluated_at.is_(None), limits.c.evaluated_at <= row.evaluated_at)
            mine = and_(limits.c.tenant_id == row.tenant_id, limits.c.id == row.id, older)
            await tx.run(update(limits).where(mine).values(peak=row.peak, basis=row.basis))

    async def forget(self, tx: Tx, before: datetime) -> None:
        """Breaches that are long past: arm numbers only rise, so that none of them comes again."""
        await tx.run(delete(breaches).where(breaches.c.at < before))


def _one(tenant: str, limit_id: str) -> ColumnElement[bool]:
    return and_(limits.c.tenant_id == tenant, limits.c.id == limit_id)
