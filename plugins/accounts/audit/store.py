"""The audit trail in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, func, or_, select, text, update

from gateway.core.ports import Archive
from gateway.core.store import Tx
from gateway.core.writes import Insertion
from plugins.accounts.audit.chain import Link
from plugins.accounts.audit.rows import AuditRow, SegmentRow
from plugins.accounts.tables import audit, audit_segments

LOCK = 0x6D6172_61756474
"""Key of the advisory lock that lets one process seal at a time."""

_LINE = Insertion(audit)

Place = tuple[str, int]
"""A segment's: the tenant, and the number of its first line."""


class AuditStore:
    """One tenant's trail."""

    async def add(self, tx: Tx, tenant: str, row: AuditRow) -> None:
        """Write a line, not sealed yet."""
        values = {name: getattr(row, name) for name in AuditRow.__slots__}
        tx.later(_LINE, [{**values, "tenant_id": tenant}])

    async def newest(
        self,
        tx: Tx,
        tenant: str,
        count: int,
        before: tuple[datetime, str] | None = None,
        action: str | None = None,
        actor: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[AuditRow]:
        """Lines from the newest on, behind a position (time and id)."""
        query = select(audit).where(audit.c.tenant_id == tenant)
        if before is not None:
            at, id = before
            query = query.where(or_(audit.c.at < at, and_(audit.c.at == at, audit.c.id < id)))
        if action is not None:
            query = query.where(audit.c.action == action)
        if actor is not None:
            query = query.where(audit.c.actor == actor)
        if since is not None:
            query = query.where(audit.c.at >= since)
        if until is not None:
            query = query.where(audit.c.at < until)
        return await tx.all(query.order_by(audit.c.at.desc(), audit.c.id.desc()).limit(count), AuditRow)

    async def oldest(
        self,
        tx: Tx,
        tenant: str,
        count: int,
        after: tuple[datetime, str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[AuditRow]:
        """Lines from the oldest on, behind a position (time and id)."""
        query = select(audit).where(audit.c.tenant_id == tenant)
        if after is not None:
            at, id = after
            query = query.where(or_(audit.c.at > at, and_(audit.c.at == at, audit.c.id > id)))
        if since is not None:
            query = query.where(audit.c.at >= since)
        if until is not None:
            query = query.where(audit.c.at < until)
        return await tx.all(query.order_by(audit.c.at, audit.c.id).limit(count), AuditRow)

    async def sealed_after(self, tx: Tx, tenant: str, sequence: int | None, count: int) -> list[AuditRow]:
        """Sealed lines in order of their numbers; the first ones where *sequence* is None."""
        query = select(audit).where(audit.c.tenant_id == tenant, audit.c.sequence.is_not(None))
        if sequence is not None:
            query = query.where(audit.c.sequence > sequence)
        return await tx.all(query.order_by(audit.c.sequence).limit(count), AuditRow)

    async def unsealed(self, tx: Tx, tenant: str) -> tuple[int, datetime | None]:
        """How many lines wait for the sealer, and the time of the oldest."""
        waiting = (audit.c.tenant_id == tenant, audit.c.sequence.is_(None))
        count = await tx.value(select(func.count()).select_from(audit).where(*waiting))
        oldest = await tx.value(select(audit.c.at).where(*waiting).order_by(audit.c.at).limit(1))
        return count, oldest

    async def seal(self, tx: Tx, tenant: str, links: Sequence[Link]) -> None:
        """Give lines their numbers and hashes."""
        change = (
            update(audit)
            .where(audit.c.tenant_id == tenant, audit.c.id == bindparam("row"), audit.c.sequence.is_(None))
            .values(sequence=bindparam("number"), hash=bindparam("digest"))
        )
        values = [{"row": link.id, "number": link.sequence, "digest": link.hash} for link in links]
        if values:
            await tx.run(change, values)

    async def segments(self, tx: Tx, tenant: str) -> list[SegmentRow]:
        """All of them, in order."""
        query = select(audit_segments).where(audit_segments.c.tenant_id == tenant)
        return await tx.all(query.order_by(audit_segments.c.first_sequence), SegmentRow)

    async def last_segment(self, tx: Tx, tenant: str) -> SegmentRow | None:
        """Where the chain ends."""
        query = select(audit_segments).where(audit_segments.c.tenant_id == tenant)
        return await tx.first(query.order_by(audit_segments.c.first_sequence.desc()).limit(1), SegmentRow)

    async def highest(self, tx: Tx, tenant: str) -> int:
        """The highest number of a line."""
        return int(await tx.value(select(func.max(audit.c.sequence)).where(audit.c.tenant_id == tenant)) or 0)

    async def put_segment(self, tx: Tx, tenant: str, segment: SegmentRow) -> None:
        """Write a segment, or what has become of it."""
        values = {name: getattr(segment, name) for name in SegmentRow.__slots__}
        values["tenant_id"] = tenant
        insert = tx.insert(audit_segments).values(values)
        changed = {
            name: values[name] for name in ("last_sequence", "last_hash", "newest_at", "removed_at", "signature")
        }
        await tx.run(insert.on_conflict_do_update(index_elements=["tenant_id", "first_sequence"], set_=changed))

    async def erase(self, tx: Tx, tenant: str) -> None:
        """Remove the tenant's whole trail; waits for a sealer that is at it."""
        if tx.dialect == "postgresql":
            await tx.run(text("SELECT pg_advisory_xact_lock(:key)").bindparams(key=LOCK))
        for table in (audit, audit_segments):
            await tx.run(delete(table).where(table.c.tenant_id == tenant))


def _behind(position: Place | None) -> Select[Any]:
    query = select(audit_segments)
    if position is not None:
        tenant, number = position
        same = and_(audit_segments.c.tenant_id == tenant, audit_segments.c.first_sequence > number)
        query = query.where(or_(audit_segments.c.tenant_id > tenant, same))
    return query.order_by(audit_segments.c.tenant_id, audit_segments.c.first_sequence)


class AuditDirectory:
    """All tenants' trails: the sealer, retention and verification work on whichever have something to do."""

    async def lock(self, tx: Tx) -> bool:
        """Whether this transaction is the only one that seals; on SQLite a writer is alone anyway."""
        if tx.dialect != "postgresql":
            return True
        return bool(await tx.value(text("SELECT pg_try_advisory_xact_lock(:key)").bindparams(key=LOCK)))

    async def waiting(self, tx: Tx, count: int) -> list[AuditRow]:
        """Committed lines that are not sealed, oldest first, of whatever tenant."""
        query = select(audit).where(audit.c.sequence.is_(None)).order_by(audit.c.at, audit.c.id)
        return await tx.all(query.limit(count), AuditRow)

    async def expired(self, tx: Tx, before: datetime, position: Place | None, count: int) -> list[SegmentRow]:
        """Segments whose lines are all older than this, by tenant and number, behind a position."""
        old = and_(audit_segments.c.removed_at.is_(None), audit_segments.c.newest_at < before)
        return await tx.all(_behind(position).where(old).limit(count), SegmentRow)

    async def remove_lines(self, tx: Tx, archive: Archive, segments: Sequence[SegmentRow]) -> int:
        """Remove the lines of segments."""
        if not segments:
            return 0
        theirs = [
            and_(audit.c.tenant_id == each.tenant_id, audit.c.sequence.between(each.first_sequence, each.last_sequence))
            for each in segments
        ]
        return await archive.remove(tx, delete(audit).where(or_(*theirs)), audit.c.at)

    async def segments_after(self, tx: Tx, position: Place | None, count: int) -> list[SegmentRow]:
        """All tenants' segments by tenant and number, behind a position."""
        return await tx.all(_behind(position).limit(count), SegmentRow)

    async def tenants(self, tx: Tx) -> list[str]:
        """Whoever has a trail; empty text for acts outside every tenant."""
        named = select(audit.c.tenant_id).union(select(audit_segments.c.tenant_id))
        return sorted(await tx.values(named))

    async def snapshot(self, tx: Tx) -> None:
        """From here on the transaction sees the database as it is now; the first statement of a transaction."""
        if tx.dialect == "postgresql":
            await tx.run(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
