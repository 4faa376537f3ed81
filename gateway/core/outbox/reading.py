"""What stands in a tenant's log."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import delete, func, select, tuple_, update

from gateway.core.outbox.forms import Unreadable, read
from gateway.core.outbox.port import Entry, Marked
from gateway.core.outbox.tables import events, heads, log
from gateway.core.store import Tx
from schema.events import Event

LOG = structlog.get_logger(__name__)

_HEAD = (log.c.tenant_id, log.c.position, log.c.event_id, log.c.type, log.c.version, log.c.subject, log.c.occurred_at)


@dataclass(frozen=True, slots=True)
class _Row:
    position: int
    type: str
    value: str
    data: str


async def entries_of(
    tx: Tx, tenant: str, catalog: Mapping[str, type[Event]], *, after: int, types: Collection[str] | None, limit: int
) -> list[Entry]:
    """Entries behind a position, ascending; an event whose type is gone with its plugin is left out."""
    columns = select(log.c.position, events.c.type, events.c.value, events.c.data)
    wanted = columns.join(events, events.c.id == log.c.event_id).where(log.c.tenant_id == tenant)
    if types is not None:
        wanted = wanted.where(log.c.type.in_(sorted(types)))
    found: list[Entry] = []
    while True:
        most = limit - len(found)
        rows = await tx.all(wanted.where(log.c.position > after).order_by(log.c.position).limit(most), _Row)
        found += [entry for row in rows if (entry := _entry(tenant, row, catalog)) is not None]
        if len(rows) < most or len(found) == limit:
            return found
        after = rows[-1].position


def _entry(tenant: str, row: _Row, catalog: Mapping[str, type[Event]]) -> Entry | None:
    event = _read(row.type, row.value, catalog, position=row.position)
    return None if event is None else Entry(tenant=tenant, position=row.position, event=event, data=row.data)


def _read(name: str, value: str, catalog: Mapping[str, type[Event]], **place: object) -> Event | None:
    try:
        kind = catalog.get(name)
        if kind is None:
            raise Unreadable(f"{name}: no plugin knows this type")
        return read(kind, value)
    except Unreadable as error:
        LOG.error("event_unreadable", reason=str(error), **place)
        return None


@dataclass(frozen=True, slots=True)
class _Written:
    id: str
    type: str
    value: str


async def events_by_id(tx: Tx, event_ids: Collection[str], catalog: Mapping[str, type[Event]]) -> dict[str, Event]:
    """Without those that are gone, or cannot be read any more."""
    columns = select(events.c.id, events.c.type, events.c.value)
    rows = await tx.all(columns.where(events.c.id.in_(sorted(event_ids))), _Written)
    found = {row.id: _read(row.type, row.value, catalog, event=row.id) for row in rows}
    return {id: event for id, event in found.items() if event is not None}


async def between(tx: Tx, tenant: str, *, since: datetime, until: datetime, after: int, limit: int) -> list[Marked]:
    """Heads of a tenant's entries, ascending."""
    mine = select(*_HEAD).where(log.c.tenant_id == tenant, log.c.position > after)
    inside = mine.where(log.c.occurred_at >= since, log.c.occurred_at < until)
    return await tx.all(inside.order_by(log.c.position).limit(limit), Marked)


async def bounds_of(tx: Tx, tenant: str) -> tuple[int, int]:
    """Before the oldest that is kept, and the newest."""
    newest = await tx.value(select(heads.c.position).where(heads.c.tenant_id == tenant)) or 0
    oldest = await tx.value(select(func.min(log.c.position)).where(log.c.tenant_id == tenant))
    return (newest if oldest is None else oldest - 1), newest


async def take(tx: Tx, limit: int) -> list[Marked]:
    """Entries that nobody has taken."""
    waiting = select(*_HEAD).where(log.c.taken.is_(False))
    # Of SQLite's writers there is one at a time anyway.
    found = await tx.all(
        waiting.order_by(log.c.occurred_at, log.c.position).limit(limit).with_for_update(skip_locked=True), Marked
    )
    if found:
        keys = [(each.tenant_id, each.position) for each in found]
        await tx.run(update(log).where(tuple_(log.c.tenant_id, log.c.position).in_(keys)).values(taken=True))
    return found


@dataclass(frozen=True, slots=True)
class _Printed:
    id: str
    type: str
    data: str
    occurred_at: datetime


async def printed(tx: Tx, event_ids: Collection[str]) -> Mapping[str, tuple[str, str, datetime]]:
    """Type, data and instant by id."""
    columns = select(events.c.id, events.c.type, events.c.data, events.c.occurred_at)
    rows = await tx.all(columns.where(events.c.id.in_(sorted(event_ids))), _Printed)
    return {row.id: (row.type, row.data, row.occurred_at) for row in rows}


async def forget(tx: Tx, before: datetime, limit: int) -> int:
    """Remove entries that are too old, and events that stand in no log any more; how many entries went."""
    old = await tx.connection.execute(
        select(log.c.tenant_id, log.c.position)
        .where(log.c.occurred_at < before)
        .order_by(log.c.occurred_at)
        .limit(limit)
    )
    keys = [tuple(row) for row in old]
    if keys:
        await tx.run(delete(log).where(tuple_(log.c.tenant_id, log.c.position).in_(keys)))
    alone = select(events.c.id).where(
        events.c.occurred_at < before, ~select(log.c.event_id).where(log.c.event_id == events.c.id).exists()
    )
    await tx.run(delete(events).where(events.c.id.in_(alone.limit(limit))))
    return len(keys)


async def erase(tx: Tx, tenant: str) -> None:
    """A tenant's log, and what stands in no other."""
    theirs = select(log.c.event_id).where(log.c.tenant_id == tenant)
    shared = select(log.c.event_id).where(log.c.tenant_id != tenant, log.c.event_id.in_(theirs))
    await tx.run(delete(events).where(events.c.id.in_(theirs), events.c.id.not_in(shared)))
    await tx.run(delete(log).where(log.c.tenant_id == tenant))
    await tx.run(delete(heads).where(heads.c.tenant_id == tenant))


async def erase_aside(tx: Tx, event_ids: Collection[str]) -> None:
    """Of these events, those that stand in no log."""
    ids = sorted(event_ids)
    logged = select(log.c.event_id).where(log.c.event_id.in_(ids))
    await tx.run(delete(events).where(events.c.id.in_(ids), events.c.id.not_in(logged)))


async def export(tx: Tx, tenant: str) -> list[str]:
    """Everything that the tenant was told, as it was printed."""
    rows = select(events.c.data).join(log, log.c.event_id == events.c.id).where(log.c.tenant_id == tenant)
    return await tx.values(rows.order_by(log.c.position))
