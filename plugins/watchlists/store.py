"""SQL of watchlists."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.sql.elements import ColumnElement

from gateway.core.store import Tx
from plugins.watchlists.tables import lists


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchlistRow:
    """`watchlists_lists`."""

    tenant_id: str
    id: str
    owner: str
    name: str
    symbols: list[str]
    created_at: datetime
    changed_at: datetime


class WatchlistStore:
    """Lists belong to a person or a key within an organisation; nobody else there sees them."""

    async def hold(self, tx: Tx, tenant: str, owner: str) -> None:
        """Wait for others who change this owner's lists, until the end of the transaction. SQLite has one writer."""
        if tx.dialect == "postgresql":
            await tx.run(select(func.pg_advisory_xact_lock(func.hashtextextended(f"watchlists {tenant} {owner}", 0))))

    async def add(self, tx: Tx, tenant: str, row: WatchlistRow) -> None:
        """Put it in."""
        await tx.run(lists.insert().values(**asdict(row) | {"tenant_id": tenant}))

    async def find(self, tx: Tx, tenant: str, owner: str, list_id: str) -> WatchlistRow | None:
        """One list."""
        return await tx.first(select(lists).where(_one(tenant, owner, list_id)), WatchlistRow)

    async def all(self, tx: Tx, tenant: str, owner: str) -> list[WatchlistRow]:
        """An owner's lists, the oldest first."""
        mine = and_(lists.c.tenant_id == tenant, lists.c.owner == owner)
        return await tx.all(select(lists).where(mine).order_by(lists.c.created_at, lists.c.id), WatchlistRow)

    async def change(self, tx: Tx, tenant: str, owner: str, list_id: str, **values: Any) -> None:
        """Set columns."""
        await tx.run(update(lists).where(_one(tenant, owner, list_id)).values(**values))

    async def remove(self, tx: Tx, tenant: str, owner: str, list_id: str) -> bool:
        """Whether there was one."""
        return await tx.run(delete(lists).where(_one(tenant, owner, list_id))) > 0

    async def whole(self, tx: Tx, tenant: str) -> list[WatchlistRow]:
        """Everybody's lists in the organisation, for its export."""
        query = select(lists).where(lists.c.tenant_id == tenant)
        return await tx.all(query.order_by(lists.c.created_at, lists.c.id), WatchlistRow)

    async def erase(self, tx: Tx, tenant: str) -> None:
        """Everybody's."""
        await tx.run(delete(lists).where(lists.c.tenant_id == tenant))


def _one(tenant: str, owner: str, list_id: str) -> ColumnElement[bool]:
    return and_(lists.c.tenant_id == tenant, lists.c.owner == owner, lists.c.id == list_id)
