"""SQL of schedules."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Select, and_, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from gateway.core.store import Tx
from plugins.trading.rows import ScheduleRow
from plugins.trading.tables import schedules
from schema.pages import Position

_CHANGING = ("next_at", "placed", "active", "problem", "last_order_id", "changed_at")


class ScheduleStore:
    """An organisation's schedules. What changes them holds their account's lock."""

    async def add(self, tx: Tx, tenant: str, row: ScheduleRow) -> None:
        """Put it in."""
        await tx.run(schedules.insert().values(**asdict(row) | {"tenant_id": tenant}))

    async def find(self, tx: Tx, tenant: str, schedule_id: str) -> ScheduleRow | None:
        """One of them."""
        return await tx.first(select(schedules).where(_one(tenant, schedule_id)), ScheduleRow)

    async def with_key(self, tx: Tx, tenant: str, key: str) -> ScheduleRow | None:
        """What was made under a client's key."""
        mine = and_(schedules.c.tenant_id == tenant, schedules.c.idempotency_key == key)
        return await tx.first(select(schedules).where(mine), ScheduleRow)

    async def count(self, tx: Tx, tenant: str, account_id: str) -> int:
        """How many an account has that go on."""
        mine = and_(schedules.c.tenant_id == tenant, schedules.c.account_id == account_id, schedules.c.active.is_(True))
        return int(await tx.value(select(func.count()).select_from(schedules).where(mine)))

    async def page(
        self, tx: Tx, tenant: str, account_id: str, limit: int, *, active: bool | None, behind: Position | None
    ) -> list[ScheduleRow]:
        """Some of an account's, the newest first."""
        mine = select(schedules).where(schedules.c.tenant_id == tenant, schedules.c.account_id == account_id)
        if active is not None:
            mine = mine.where(schedules.c.active.is_(active))
        if behind is not None:
            at, id = behind
            mine = mine.where(or_(schedules.c.created_at < at, and_(schedules.c.created_at == at, schedules.c.id < id)))
        return await tx.all(
            mine.order_by(schedules.c.created_at.desc(), schedules.c.id.desc()).limit(limit), ScheduleRow
        )

    async def change(self, tx: Tx, tenant: str, row: ScheduleRow) -> None:
        """As it is from now on."""
        values = {name: getattr(row, name) for name in _CHANGING}
        await tx.run(update(schedules).where(_one(tenant, row.id)).values(**values))


class ScheduleDirectory:
    """Placing what is due is for all tenants at once: each row carries its own tenant along."""

    async def due(
        self, tx: Tx, shards: Collection[int], now: datetime, limit: int, *, each: int, closed: Select[tuple[str]],
        full: Collection[str], beside: Collection[str],
    ) -> list[ScheduleRow]:  # fmt: skip
        """Schedules of some parts whose time has come: each tenant's longest due first, then each one's second, and at
        most so many of *each*; none of *closed* and *full* tenants, and none beside those that are being placed."""
        wanted = and_(
            schedules.c.active.is_(True), schedules.c.shard.in_(sorted(shards)), schedules.c.next_at <= now,
            schedules.c.tenant_id.not_in(closed), schedules.c.tenant_id.not_in(sorted(full)),
            schedules.c.id.not_in(sorted(beside)),
        )  # fmt: skip
        turn = func.row_number().over(
            partition_by=schedules.c.tenant_id, order_by=(schedules.c.next_at, schedules.c.id)
        )  # fmt: skip
        turns = select(schedules.c.id, turn.label("turn")).where(wanted).subquery()
        mine = select(schedules).join(turns, turns.c.id == schedules.c.id).where(turns.c.turn <= each)
        return await tx.all(mine.order_by(turns.c.turn, schedules.c.next_at, schedules.c.id).limit(limit), ScheduleRow)


def _one(tenant: str, schedule_id: str) -> ColumnElement[bool]:
    return and_(schedules.c.tenant_id == tenant, schedules.c.id == schedule_id)
