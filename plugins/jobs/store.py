"""SQL of jobs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, delete, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from gateway.core.store import Tx
from plugins.jobs.rows import Claimed, JobRow
from plugins.jobs.tables import jobs
from schema.pages import Position
from schema.words.jobs import JobState

_OPEN = (JobState.QUEUED.value, JobState.RUNNING.value)
_COLUMNS = [jobs.c[name] for name in Claimed.__slots__]
_FREED = {"lease": None, "leased_until": None}


class JobStore:
    """Jobs of an organisation."""

    async def hold(self, tx: Tx, tenant: str) -> None:
        """Wait for others who begin jobs of this tenant, until the transaction ends. SQLite has one writer."""
        if tx.dialect == "postgresql":
            await tx.run(select(func.pg_advisory_xact_lock(func.hashtextextended(f"jobs {tenant}", 0))))

    async def add(self, tx: Tx, tenant: str, row: JobRow) -> None:
        """Put it in."""
        await tx.run(jobs.insert().values(**asdict(row) | {"tenant_id": tenant}))

    async def find(self, tx: Tx, tenant: str, job_id: str) -> JobRow | None:
        """One of them."""
        return await tx.first(select(jobs).where(_one(tenant, job_id)), JobRow)

    async def by_key(self, tx: Tx, tenant: str, idempotency_key: str) -> JobRow | None:
        """The one that a client's key has begun."""
        mine = and_(jobs.c.tenant_id == tenant, jobs.c.idempotency_key == idempotency_key)
        return await tx.first(select(jobs).where(mine), JobRow)

    async def waiting(self, tx: Tx, tenant: str) -> int:
        """How many have no end yet."""
        mine = and_(jobs.c.tenant_id == tenant, jobs.c.state.in_(_OPEN))
        return int(await tx.value(select(func.count()).select_from(jobs).where(mine)))

    async def page(
        self, tx: Tx, tenant: str, limit: int, *, kind: str | None, state: str | None, behind: Position | None
    ) -> list[JobRow]:
        """Some of them, the newest first."""
        wanted = select(jobs).where(jobs.c.tenant_id == tenant)
        if kind is not None:
            wanted = wanted.where(jobs.c.kind == kind)
        if state is not None:
            wanted = wanted.where(jobs.c.state == state)
        if behind is not None:
            at, id = behind
            made = jobs.c.created_at
            wanted = wanted.where(or_(made < at, and_(made == at, jobs.c.id < id)))
        return await tx.all(wanted.order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(limit), JobRow)

    async def cancel(self, tx: Tx, tenant: str, job_id: str, *, at: datetime, expires: datetime) -> bool:
        """Whether it had no end yet."""
        mine = and_(_one(tenant, job_id), jobs.c.state.in_(_OPEN))
        ended = {"state": JobState.CANCELED.value, "ended_at": at, "expires_at": expires, **_FREED}
        return await tx.run(update(jobs).where(mine).values(**ended)) > 0

    async def whole(self, tx: Tx, tenant: str) -> list[JobRow]:
        """All of them, for the export, the oldest first."""
        mine = select(jobs).where(jobs.c.tenant_id == tenant)
        return await tx.all(mine.order_by(jobs.c.created_at, jobs.c.id), JobRow)

    async def erase(self, tx: Tx, tenant: str) -> None:
        """All of them."""
        await tx.run(delete(jobs).where(jobs.c.tenant_id == tenant))


class JobDirectory:
    """Across tenants: who works takes what waits, whosever it is; a lease says whose a job is while it runs."""

    async def anything(self, tx: Tx, now: datetime) -> bool:
        """Whether a job waits, or its process has died."""
        return bool(await tx.values(select(jobs.c.id).where(_free(now)).limit(1)))

    async def give_up(self, tx: Tx, most: int, now: datetime, end: Mapping[str, Any]) -> list[str]:
        """End those whose processes have died *most* times; their ids."""
        lost = and_(_lapsed(now), jobs.c.tries >= most)
        return await tx.values(update(jobs).where(lost).values(**end, **_FREED).returning(jobs.c.id))

    async def claim(
        self, tx: Tx, limit: int, *, kinds: Collection[str], without: Collection[str] | Select[tuple[str]], lease: str,
        now: datetime, until: datetime,
    ) -> list[Claimed]:  # fmt: skip
        """What waits, or whose process has died: first of the tenants that have the fewest running, then the oldest."""
        free = _free(now)
        wanted = and_(free, jobs.c.kind.in_(sorted(kinds)), jobs.c.tenant_id.not_in(without))
        others = jobs.alias()
        running = (
            select(func.count())
            .where(others.c.tenant_id == jobs.c.tenant_id, others.c.state == JobState.RUNNING.value)
            .where(others.c.leased_until > now)
            .scalar_subquery()
        )
        place = func.row_number().over(partition_by=jobs.c.tenant_id, order_by=(jobs.c.created_at, jobs.c.id))
        turns = select(jobs.c.id).where(wanted).order_by(running + place, jobs.c.created_at, jobs.c.id).limit(limit)
        ids = await tx.values(turns)
        locked = select(jobs.c.id).where(jobs.c.id.in_(ids), free).with_for_update(skip_locked=True)
        taken = {
            "state": JobState.RUNNING.value, "lease": lease, "leased_until": until, "tries": jobs.c.tries + 1,
            "started_at": func.coalesce(jobs.c.started_at, now, type_=jobs.c.started_at.type),
        }  # fmt: skip
        return await tx.all(
            update(jobs).where(jobs.c.id.in_(locked.scalar_subquery())).values(**taken).returning(*_COLUMNS), Claimed
        )

    async def keep(self, tx: Tx, job_id: str, lease: str, values: Mapping[str, Any]) -> bool:
        """Write while it runs; false where it is nobody's any more, or another's."""
        return await tx.run(update(jobs).where(_held(job_id, lease)).values(**values)) > 0

    async def end(self, tx: Tx, job_id: str, lease: str, values: Mapping[str, Any]) -> bool:
        """The same, for the last time."""
        return await self.keep(tx, job_id, lease, {**values, **_FREED})

    async def forget(self, tx: Tx, now: datetime, limit: int) -> int:
        """Delete some of those that are kept no longer; how many they were."""
        old = select(jobs.c.id).where(jobs.c.expires_at <= now).limit(limit)
        return await tx.run(delete(jobs).where(jobs.c.id.in_(old.scalar_subquery())))


def _one(tenant: str, job_id: str) -> ColumnElement[bool]:
    return and_(jobs.c.tenant_id == tenant, jobs.c.id == job_id)


def _held(job_id: str, lease: str) -> ColumnElement[bool]:
    return and_(jobs.c.id == job_id, jobs.c.lease == lease, jobs.c.state == JobState.RUNNING.value)


def _free(now: datetime) -> ColumnElement[bool]:
    return or_(jobs.c.state == JobState.QUEUED.value, _lapsed(now))


def _lapsed(now: datetime) -> ColumnElement[bool]:
    return and_(jobs.c.state == JobState.RUNNING.value, jobs.c.leased_until <= now)
