"""SQL of portfolios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, and_, delete, func, select, update
from sqlalchemy.sql.elements import ColumnElement

from gateway.core.store import Tx
from plugins.portfolio.tables import imports, portfolios, transactions, universes
from schema.pages import Place, Position


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioRow:
    """`portfolio_portfolios`."""

    tenant_id: str
    id: str
    made_by: str
    name: str
    currency: str
    benchmark: str | None
    method: str
    tracks_cash: bool
    weights: list[list[str]] | None
    notional: Decimal | None
    version: int
    idempotency_key: str | None
    request_digest: str | None
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionRow:
    """`portfolio_transactions`."""

    tenant_id: str
    id: str
    portfolio_id: str
    sequence: int
    at: datetime
    kind: str
    instrument: str | None
    quantity: Decimal | None
    price: Decimal | None
    amount: Decimal | None
    fee: Decimal
    ratio: Decimal | None
    currency: str
    note: str | None
    made_by: str
    idempotency_key: str | None
    request_digest: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """`portfolio_imports`."""

    tenant_id: str
    id: str
    portfolio_id: str
    idempotency_key: str
    request_digest: str
    rows: int
    error_count: int
    errors: list[list[Any]]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UniverseRow:
    """`portfolio_universes`."""

    tenant_id: str
    id: str
    made_by: str
    name: str
    symbols: list[str]
    created_at: datetime
    changed_at: datetime


AT_ONCE = 50
"""Transactions that are read or written before others have a turn: a millisecond or two."""
_FIELDS = tuple(TransactionRow.__dataclass_fields__)
_CHANGING = (
    "name", "currency", "benchmark", "method", "tracks_cash", "weights", "notional", "version", "changed_at",
)  # fmt: skip


class PortfolioStore:
    """An organisation's portfolios."""

    async def hold(self, tx: Tx, tenant: str) -> None:
        """Wait for others who add to the organisation's portfolios, until the end of the transaction."""
        if tx.dialect == "postgresql":
            await tx.run(select(func.pg_advisory_xact_lock(func.hashtextextended(f"portfolio {tenant}", 0))))

    async def add(self, tx: Tx, tenant: str, row: PortfolioRow) -> None:
        """Put it in."""
        await tx.run(portfolios.insert().values(**asdict(row) | {"tenant_id": tenant}))

    async def find(self, tx: Tx, tenant: str, portfolio_id: str) -> PortfolioRow | None:
        """One of them."""
        return await tx.first(select(portfolios).where(_one(tenant, portfolio_id)), PortfolioRow)

    async def lock(self, tx: Tx, tenant: str, portfolio_id: str) -> PortfolioRow | None:
        """One of them, which nobody else changes until the end of the transaction."""
        return await tx.first(select(portfolios).where(_one(tenant, portfolio_id)).with_for_update(), PortfolioRow)

    async def with_key(self, tx: Tx, tenant: str, idempotency_key: str) -> PortfolioRow | None:
        """What was made under a client's key."""
        mine = and_(portfolios.c.tenant_id == tenant, portfolios.c.idempotency_key == idempotency_key)
        return await tx.first(select(portfolios).where(mine), PortfolioRow)

    async def count(self, tx: Tx, tenant: str) -> int:
        """How many there are."""
        mine = select(func.count()).select_from(portfolios).where(portfolios.c.tenant_id == tenant)
        return int(await tx.value(mine))

    async def page(self, tx: Tx, tenant: str, limit: int, *, behind: Position | None) -> list[PortfolioRow]:
        """Some of them, the oldest first, behind a position."""
        mine = select(portfolios).where(portfolios.c.tenant_id == tenant)
        if behind is not None:
            at, id = behind
            made = portfolios.c.created_at
            mine = mine.where((made > at) | and_(made == at, portfolios.c.id > id))
        return await tx.all(mine.order_by(portfolios.c.created_at, portfolios.c.id).limit(limit), PortfolioRow)

    async def change(self, tx: Tx, tenant: str, portfolio_id: str, row: PortfolioRow) -> None:
        """Set what a person may change."""
        values = {name: getattr(row, name) for name in _CHANGING}
        await tx.run(update(portfolios).where(_one(tenant, portfolio_id)).values(**values))

    async def remove(self, tx: Tx, tenant: str, portfolio_id: str) -> bool:
        """Whether there was one; its transactions go with it."""
        for table in (transactions, imports):
            await tx.run(delete(table).where(table.c.tenant_id == tenant, table.c.portfolio_id == portfolio_id))
        return await tx.run(delete(portfolios).where(_one(tenant, portfolio_id))) > 0

    async def whole(self, tx: Tx, tenant: str) -> list[PortfolioRow]:
        """All, for the organisation's export."""
        mine = select(portfolios).where(portfolios.c.tenant_id == tenant)
        return await tx.all(mine.order_by(portfolios.c.id), PortfolioRow)

    async def erase(self, tx: Tx, tenant: str) -> None:
        """All of the organisation, universes too."""
        for table in (transactions, imports, portfolios, universes):
            await tx.run(delete(table).where(table.c.tenant_id == tenant))


class TransactionStore:
    """What happened in portfolios."""

    async def add(self, tx: Tx, tenant: str, rows: Sequence[TransactionRow]) -> None:
        """Put them in; others have their turns while there are many."""
        for n in range(0, len(rows), AT_ONCE):
            told = [_told(row) | {"tenant_id": tenant} for row in rows[n : n + AT_ONCE]]
            await tx.run(transactions.insert(), told)

    async def all(self, tx: Tx, tenant: str, portfolio_id: str, until: datetime | None = None) -> list[TransactionRow]:
        """Of a portfolio in the order in which they count, up to an instant."""
        mine = select(transactions).where(_of(tenant, portfolio_id))
        if until is not None:
            mine = mine.where(transactions.c.at <= until)
        return await self._streamed(tx, mine.order_by(transactions.c.at, transactions.c.sequence))

    async def splits(self, tx: Tx, tenant: str, portfolio_id: str) -> list[TransactionRow]:
        """Of all instruments."""
        return await tx.all(
            select(transactions).where(_of(tenant, portfolio_id), transactions.c.kind == "SPLIT"), TransactionRow
        )

    async def page(
        self, tx: Tx, tenant: str, portfolio_id: str, limit: int, *, behind: Place | None
    ) -> list[TransactionRow]:
        """Some of them, the latest first, behind a place."""
        mine = select(transactions).where(_of(tenant, portfolio_id))
        if behind is not None:
            at, sequence = behind
            earlier = and_(transactions.c.at == at, transactions.c.sequence < sequence)
            mine = mine.where((transactions.c.at < at) | earlier)
        order = (transactions.c.at.desc(), transactions.c.sequence.desc())
        return await tx.all(mine.order_by(*order).limit(limit), TransactionRow)

    async def with_key(self, tx: Tx, tenant: str, portfolio_id: str, idempotency_key: str) -> TransactionRow | None:
        """What was recorded under a client's key."""
        mine = and_(_of(tenant, portfolio_id), transactions.c.idempotency_key == idempotency_key)
        return await tx.first(select(transactions).where(mine), TransactionRow)

    async def count(self, tx: Tx, tenant: str, portfolio_id: str) -> int:
        """How many a portfolio has."""
        return int(await tx.value(select(func.count()).select_from(transactions).where(_of(tenant, portfolio_id))))

    async def last_sequence(self, tx: Tx, tenant: str, portfolio_id: str) -> int:
        """The number of the one recorded last; 0 without any."""
        return int(await tx.value(select(func.max(transactions.c.sequence)).where(_of(tenant, portfolio_id))) or 0)

    async def currencies(self, tx: Tx, tenant: str, portfolio_id: str) -> list[tuple[str, str]]:
        """Each instrument with the currency that it was recorded in."""
        mine = select(transactions.c.instrument, transactions.c.currency).where(_of(tenant, portfolio_id)).distinct()
        rows = await tx.connection.execute(mine.where(transactions.c.instrument.is_not(None)))
        return [(row.instrument, row.currency) for row in rows]

    async def remove(self, tx: Tx, tenant: str, portfolio_id: str, transaction_id: str) -> TransactionRow | None:
        """What is gone; None where there was no such one."""
        mine = and_(_of(tenant, portfolio_id), transactions.c.id == transaction_id)
        held = await tx.first(select(transactions).where(mine), TransactionRow)
        await tx.run(delete(transactions).where(mine))
        return held

    async def whole(self, tx: Tx, tenant: str) -> list[TransactionRow]:
        """All of the organisation, for its export."""
        mine = select(transactions).where(transactions.c.tenant_id == tenant)
        order = (transactions.c.portfolio_id, transactions.c.at, transactions.c.sequence)
        return await self._streamed(tx, mine.order_by(*order))

    async def imported(self, tx: Tx, tenant: str, portfolio_id: str, idempotency_key: str) -> ImportRow | None:
        """The import that came under a client's key."""
        mine = and_(imports.c.tenant_id == tenant, imports.c.portfolio_id == portfolio_id)
        return await tx.first(select(imports).where(mine, imports.c.idempotency_key == idempotency_key), ImportRow)

    async def note_import(self, tx: Tx, tenant: str, row: ImportRow) -> None:
        """Remember a key."""
        await tx.run(imports.insert().values(**asdict(row) | {"tenant_id": tenant}))

    @staticmethod
    async def _streamed(tx: Tx, statement: Select[Any]) -> list[TransactionRow]:
        """Of one statement's view; others have their turns while there are many."""
        found: list[TransactionRow] = []
        async with tx.connection.stream(statement.execution_options(yield_per=AT_ONCE)) as result:
            while rows := await result.fetchmany(AT_ONCE):
                found += [TransactionRow(**row._mapping) for row in rows]
        return found


class UniverseStore:
    """Lists of instruments that an organisation looks at together."""

    async def add(self, tx: Tx, tenant: str, row: UniverseRow) -> None:
        """Put it in."""
        await tx.run(universes.insert().values(**asdict(row) | {"tenant_id": tenant}))

    async def find(self, tx: Tx, tenant: str, universe_id: str) -> UniverseRow | None:
        """One of them."""
        return await tx.first(select(universes).where(_universe(tenant, universe_id)), UniverseRow)

    async def count(self, tx: Tx, tenant: str) -> int:
        """How many there are."""
        mine = select(func.count()).select_from(universes).where(universes.c.tenant_id == tenant)
        return int(await tx.value(mine))

    async def page(self, tx: Tx, tenant: str, limit: int, *, behind: Position | None) -> list[UniverseRow]:
        """Some of them, the oldest first, behind a position."""
        mine = select(universes).where(universes.c.tenant_id == tenant)
        if behind is not None:
            at, id = behind
            made = universes.c.created_at
            mine = mine.where((made > at) | and_(made == at, universes.c.id > id))
        return await tx.all(mine.order_by(universes.c.created_at, universes.c.id).limit(limit), UniverseRow)

    async def change(self, tx: Tx, tenant: str, universe_id: str, **values: Any) -> bool:
        """Set columns; whether there was one."""
        return await tx.run(update(universes).where(_universe(tenant, universe_id)).values(**values)) > 0

    async def remove(self, tx: Tx, tenant: str, universe_id: str) -> bool:
        """Whether there was one."""
        return await tx.run(delete(universes).where(_universe(tenant, universe_id))) > 0

    async def whole(self, tx: Tx, tenant: str) -> list[UniverseRow]:
        """All, for the organisation's export."""
        mine = select(universes).where(universes.c.tenant_id == tenant)
        return await tx.all(mine.order_by(universes.c.id), UniverseRow)


def _told(row: TransactionRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _FIELDS}


def _one(tenant: str, portfolio_id: str) -> ColumnElement[bool]:
    return and_(portfolios.c.tenant_id == tenant, portfolios.c.id == portfolio_id)


def _of(tenant: str, portfolio_id: str) -> ColumnElement[bool]:
    return and_(transactions.c.tenant_id == tenant, transactions.c.portfolio_id == portfolio_id)


def _universe(tenant: str, universe_id: str) -> ColumnElement[bool]:
    return and_(universes.c.tenant_id == tenant, universes.c.id == universe_id)
