"""SQL of the hourly rollups and of quota notices."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Table, delete, func, select

from gateway.core.ports import Archive
from gateway.core.store import Tx
from plugins.billing.tables import flushes, notices, usage_fields, usage_providers
from plugins.billing.usage.counts import WHOLE, Batch, Count, Key

SUMS = ("operations", "points", "calls", "hits", "errors")


@dataclass(frozen=True, slots=True, kw_only=True)
class SumRow:
    """Sums under one key of a grouping."""

    name: Any
    operations: int
    points: int
    calls: int
    hits: int
    errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RollupRow:
    """One hour of one key and one field."""

    tenant_id: str
    hour: datetime
    key_id: str
    field: str
    operations: int
    points: int
    calls: int
    hits: int
    errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRollupRow:
    """One hour of one key and one provider."""

    tenant_id: str
    hour: datetime
    key_id: str
    provider: str
    operations: int
    points: int
    calls: int
    hits: int
    errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """A threshold of a quota that was reached."""

    tenant_id: str
    month: str
    threshold: str
    points: int
    quota: int
    at: datetime


class FlushDirectory:
    """Batches hold counts of many tenants at once; each row is added under the tenant that it was counted for."""

    async def claim(self, tx: Tx, flush_id: str, now: datetime, forget_before: datetime) -> bool:
        """Whether the batch is not written yet; from this transaction on it is."""
        made = tx.insert(flushes).values(id=flush_id, at=now).on_conflict_do_nothing()
        if not await tx.run(made):
            return False
        await tx.run(delete(flushes).where(flushes.c.at < forget_before))
        return True

    async def add(self, tx: Tx, batch: Batch) -> None:
        """Add the counts to what is there. In order of the keys: two processes never wait for each other in a ring."""
        await self._add(tx, usage_fields, usage_fields.c.field, batch.fields)
        await self._add(tx, usage_providers, usage_providers.c.provider, batch.providers)

    async def _add(self, tx: Tx, table: Table, detail: Column[Any], counts: dict[Key, Count]) -> None:
        if not counts:
            return
        rows = [
            {"tenant_id": tenant, "hour": hour, "key_id": key, detail.name: name, **asdict(count)}
            for (tenant, hour, key, name), count in sorted(counts.items(), key=lambda each: each[0])
        ]
        made = tx.insert(table)
        keys = [table.c.tenant_id, table.c.hour, table.c.key_id, detail]
        sums = {name: table.c[name] + made.excluded[name] for name in SUMS}
        await tx.run(made.on_conflict_do_update(index_elements=keys, set_=sums), rows)


class UsageDirectory:
    """All tenants' rollups."""

    async def forget(self, tx: Tx, archive: Archive, table: Table, before: datetime, most: int) -> int:
        """Remove the oldest hours of one kind of rollup; how many rows went. An hour goes as a whole."""
        hours = select(table.c.hour).where(table.c.hour < before).order_by(table.c.hour).limit(most)
        oldest = await tx.values(hours)
        if not oldest:
            return 0
        return await archive.remove(tx, delete(table).where(table.c.hour <= oldest[-1]), table.c.hour)


class UsageRows:
    """A tenant's rollups."""

    async def points(self, tx: Tx, tenant: str, start: datetime, end: datetime) -> int:
        """Points of [start, end)."""
        t = usage_fields
        found = select(func.sum(t.c.points)).where(
            t.c.tenant_id == tenant, t.c.field == WHOLE, t.c.hour >= start, t.c.hour < end
        )
        return int(await tx.value(found) or 0)

    async def by_hour(self, tx: Tx, tenant: str, start: datetime, end: datetime) -> list[SumRow]:
        """Whole operations of [start, end), ascending by hour."""
        t = usage_fields
        return await self._sums(tx, tenant, t.c.hour, (t.c.field == WHOLE,), start, end)

    async def by_key(self, tx: Tx, tenant: str, start: datetime, end: datetime) -> list[SumRow]:
        """Whole operations by API key."""
        t = usage_fields
        return await self._sums(tx, tenant, t.c.key_id, (t.c.field == WHOLE,), start, end)

    async def by_field(self, tx: Tx, tenant: str, start: datetime, end: datetime) -> list[SumRow]:
        """By root field."""
        t = usage_fields
        return await self._sums(tx, tenant, t.c.field, (t.c.field != WHOLE,), start, end)

    async def by_provider(self, tx: Tx, tenant: str, start: datetime, end: datetime) -> list[SumRow]:
        """By provider."""
        return await self._sums(tx, tenant, usage_providers.c.provider, (), start, end)

    async def _sums(
        self, tx: Tx, tenant: str, by: Column[Any], only: tuple[Any, ...], start: datetime, end: datetime
    ) -> list[SumRow]:
        t = by.table
        found = (
            select(by.label("name"), *(func.sum(t.c[name]).label(name) for name in SUMS))
            .where(t.c.tenant_id == tenant, *only, t.c.hour >= start, t.c.hour < end)
            .group_by(by).order_by(by)
        )  # fmt: skip
        rows = await tx.all(found, SumRow)
        return [SumRow(name=row.name, **{name: int(getattr(row, name)) for name in SUMS}) for row in rows]

    async def rows(self, tx: Tx, tenant: str, start: datetime, end: datetime, most: int) -> list[RollupRow]:
        """Hours, keys and fields as they are stored, whole operations among them."""
        t = usage_fields
        found = (
            select(t).where(t.c.tenant_id == tenant, t.c.hour >= start, t.c.hour < end)
            .order_by(t.c.hour, t.c.key_id, t.c.field).limit(most)
        )  # fmt: skip
        return await tx.all(found, RollupRow)

    async def provider_rows(self, tx: Tx, tenant: str) -> list[ProviderRollupRow]:
        """All hours, keys and providers."""
        t = usage_providers
        found = select(t).where(t.c.tenant_id == tenant).order_by(t.c.hour, t.c.key_id, t.c.provider)
        return await tx.all(found, ProviderRollupRow)

    async def erase(self, tx: Tx, tenant: str) -> None:
        """All of a tenant's rollups and notices."""
        for table in (usage_fields, usage_providers, notices):
            await tx.run(delete(table).where(table.c.tenant_id == tenant))


class NoticeRows:
    """Thresholds of quotas that a tenant reached."""

    async def add(self, tx: Tx, tenant: str, month: str, threshold: str, points: int, quota: int, at: datetime) -> bool:
        """Whether it is the first time in this month."""
        made = tx.insert(notices).values(
            tenant_id=tenant, month=month, threshold=threshold, points=points, quota=quota, at=at
        )
        return bool(await tx.run(made.on_conflict_do_nothing()))

    async def all(self, tx: Tx, tenant: str) -> list[NoticeRow]:
        """The newest first."""
        t = notices
        found = select(t).where(t.c.tenant_id == tenant).order_by(t.c.month.desc(), t.c.at.desc(), t.c.threshold)
        return await tx.all(found, NoticeRow)
