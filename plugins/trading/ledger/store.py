"""SQL of the ledger. Nothing here changes an entry or a line: the databases refuse it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import Select

from gateway.core.store import Tx, exact_sum
from gateway.core.writes import Insertion, Upsert
from plugins.trading.rows import BalanceRow, EntryRow, LineRow
from plugins.trading.tables import balances, entries, lines
from schema.words.orders import EntryKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which entries of an account: of a kind, in [start, end)."""

    kind: EntryKind | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What lines sum to."""

    ledger: str
    asset: str
    amount: Decimal


_ENTRIES, _LINES = Insertion(entries), Insertion(lines)
_BALANCES = Upsert(balances, "account_id", "ledger", "asset")


class LedgerStore:
    """Entries belong to an account of an organisation; the caller has locked it where it writes."""

    async def add(self, tx: Tx, tenant: str, rows: Sequence[EntryRow], parts: Sequence[LineRow]) -> None:
        """Put them in."""
        tx.later(_ENTRIES, [_values(row, tenant) for row in rows])
        tx.later(_LINES, [_values(part, tenant) for part in parts])

    async def find(self, tx: Tx, tenant: str, account_id: str, entry_id: str) -> EntryRow | None:
        """One entry."""
        return await tx.first(_entries(tenant, account_id).where(entries.c.id == entry_id), EntryRow)

    async def keyed(self, tx: Tx, tenant: str, account_id: str, key: str) -> EntryRow | None:
        """The first entry that was booked with an idempotency key."""
        return await tx.first(_entries(tenant, account_id).where(entries.c.idempotency_key == key), EntryRow)

    async def corrected(
        self, tx: Tx, tenant: str, account_id: str, instrument: str, since: datetime
    ) -> EntryRow | None:  # fmt: skip
        """The newest entry since then by which somebody has corrected the units of an instrument."""
        mine = _entries(tenant, account_id).where(
            entries.c.kind == EntryKind.ADJUSTMENT.value, entries.c.instrument == instrument,
            entries.c.idempotency_key.is_(None), *_since(since),
        )  # fmt: skip
        return await tx.first(mine.order_by(entries.c.number.desc()).limit(1), EntryRow)

    async def numbered(self, tx: Tx, tenant: str, account_id: str, first: int, count: int) -> list[EntryRow]:
        """So many entries from a number on."""
        within = entries.c.number.between(first, first + count - 1)
        return await tx.all(_entries(tenant, account_id).where(within).order_by(entries.c.number), EntryRow)

    async def about(self, tx: Tx, tenant: str, account_id: str, entry_ids: Collection[str]) -> list[EntryRow]:
        """Entries that post, void or reverse these."""
        wanted = or_(entries.c.resolves.in_(entry_ids), entries.c.reverses.in_(entry_ids))
        return await tx.all(_entries(tenant, account_id).where(wanted), EntryRow) if entry_ids else []

    async def lines(self, tx: Tx, tenant: str, account_id: str, entry_ids: Collection[str]) -> list[LineRow]:
        """Of entries, in their order within each."""
        mine = and_(lines.c.tenant_id == tenant, lines.c.account_id == account_id, lines.c.entry_id.in_(entry_ids))
        query = select(lines).where(mine).order_by(lines.c.entry_id, lines.c.number)
        return await tx.all(query, LineRow) if entry_ids else []

    async def page(
        self, tx: Tx, tenant: str, account_id: str, wanted: Filter, before: int | None, most: int
    ) -> list[EntryRow]:
        """The newest first, below a number."""
        query = _entries(tenant, account_id).where(*_matching(wanted))
        if before is not None:
            query = query.where(entries.c.number < before)
        return await tx.all(query.order_by(entries.c.number.desc()).limit(most), EntryRow)

    async def after(
        self, tx: Tx, tenant: str, account_id: str, wanted: Filter, number: int, most: int
    ) -> list[EntryRow]:
        """The oldest first, above a number: for whoever reads all of them."""
        query = _entries(tenant, account_id).where(*_matching(wanted), entries.c.number > number)
        return await tx.all(query.order_by(entries.c.number).limit(most), EntryRow)

    async def sums(
        self, tx: Tx, tenant: str, account_id: str, at: datetime | None = None, *, since: datetime | None = None
    ) -> list[Sum]:
        """What posted lines sum to, by ledger and asset: until an instant, or since one."""
        # Lines are found by their entries alone: told their account as well, PostgreSQL may walk all of its lines for
        # each entry, which took 38 s for 20,000.
        query = (
            select(lines.c.ledger, lines.c.asset, exact_sum(lines.c.amount).label("amount"))
            .join(entries, entries.c.id == lines.c.entry_id)
            .where(*_own(tenant, account_id), entries.c.pending.is_(False), *_until(at), *_since(since))
            .group_by(lines.c.ledger, lines.c.asset)
        )
        return await tx.all(query, Sum)

    async def waiting(self, tx: Tx, tenant: str, account_id: str, at: datetime | None = None) -> list[EntryRow]:
        """Pending entries that were neither posted nor voided until an instant, the oldest first."""
        resolved = select(entries.c.resolves).where(
            *_own(tenant, account_id), entries.c.resolves.is_not(None), *_until(at)
        )
        query = _entries(tenant, account_id).where(
            entries.c.pending.is_(True), entries.c.id.not_in(resolved), *_until(at)
        )
        return await tx.all(query.order_by(entries.c.number), EntryRow)

    async def balances(
        self, tx: Tx, tenant: str, account_id: str, assets: Collection[str] | None = None
    ) -> list[BalanceRow]:
        """As they stand, of some assets or of all."""
        query = select(balances).where(balances.c.tenant_id == tenant, balances.c.account_id == account_id)
        if assets is not None:
            query = query.where(balances.c.asset.in_(assets))
        return await tx.all(query.order_by(balances.c.ledger, balances.c.asset), BalanceRow)

    async def set_balances(self, tx: Tx, tenant: str, rows: Sequence[BalanceRow]) -> None:
        """As they are from now on."""
        tx.later(_BALANCES, [_values(row, tenant) for row in rows])


def _values(row: EntryRow | LineRow | BalanceRow, tenant: str) -> dict[str, Any]:
    """Its columns; `asdict` would copy every value deeply."""
    return {name: getattr(row, name) for name in type(row).__slots__} | {"tenant_id": tenant}


def _entries(tenant: str, account_id: str) -> Select[tuple[object, ...]]:
    return select(entries).where(*_own(tenant, account_id))


def _own(tenant: str, account_id: str) -> tuple[ColumnElement[bool], ...]:
    return entries.c.tenant_id == tenant, entries.c.account_id == account_id


def _until(at: datetime | None) -> tuple[ColumnElement[bool], ...]:
    return () if at is None else (entries.c.at <= at,)


def _since(at: datetime | None) -> tuple[ColumnElement[bool], ...]:
    return () if at is None else (entries.c.at >= at,)


def _matching(wanted: Filter) -> tuple[ColumnElement[bool], ...]:
    found: list[ColumnElement[bool]] = []
    if wanted.kind is not None:
        found.append(entries.c.kind == wanted.kind.value)
    if wanted.start is not None:
        found.append(entries.c.at >= wanted.start)
    if wanted.end is not None:
        found.append(entries.c.at < wanted.end)
    return tuple(found)
