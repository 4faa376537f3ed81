"""SQL of positions, of trips, and of what both are valued by."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BindParameter, and_, bindparam, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from gateway.core.store import Tx, exact_sum
from gateway.core.writes import Insertion, Removal, Upsert
from plugins.trading.rows import BalanceRow, PositionRow, TripRow, values_of
from plugins.trading.tables import balances, orders, positions, trips
from schema.pages import Position as Place

_HELD = Upsert(positions, "account_id", "instrument")
_CLOSED = Removal(positions, "tenant_id", "account_id", "instrument")
_ENDED = Insertion(trips)


class PositionStore:
    """What accounts hold."""

    async def of(
        self, tx: Tx, tenant: str, account_id: str, instruments: Collection[str] | None = None
    ) -> list[PositionRow]:  # fmt: skip
        """All of an account, or some, by instrument."""
        if instruments is None:
            return await tx.all(_ALL, PositionRow, tenant=tenant, account=account_id)
        return await tx.all(_SOME, PositionRow, tenant=tenant, account=account_id, instruments=sorted(instruments))

    async def find(self, tx: Tx, tenant: str, account_id: str, instrument: str) -> PositionRow | None:
        """One of an account."""
        mine = and_(_of(positions, tenant, account_id), positions.c.instrument == instrument)
        return await tx.first(select(positions).where(mine), PositionRow)

    async def put(self, tx: Tx, tenant: str, row: PositionRow) -> None:
        """As it is from now on; the caller holds the account's lock."""
        tx.later(_HELD, [values_of(row) | {"tenant_id": tenant}])

    async def remove(self, tx: Tx, tenant: str, account_id: str, instrument: str) -> None:
        """It is closed."""
        tx.later(_CLOSED, [{"tenant_id": tenant, "account_id": account_id, "instrument": instrument}])

    async def cash(self, tx: Tx, tenant: str, account_id: str) -> list[BalanceRow]:
        """An account's money, by currency."""
        mine = and_(_of(balances, tenant, account_id), balances.c.ledger == "cash")
        return await tx.all(select(balances).where(mine).order_by(balances.c.asset), BalanceRow)

    async def reserved(self, tx: Tx, tenant: str, account_id: str) -> dict[str, Decimal]:
        """What open orders hold of buying power, by currency."""
        mine = and_(_of(orders, tenant, account_id), orders.c.open.is_(True))
        wanted = select(orders.c.currency, exact_sum(orders.c.reserved).label("amount")).where(mine)
        rows = await tx.connection.execute(wanted.group_by(orders.c.currency))
        return {row.currency: Decimal(row.amount) for row in rows if row.amount is not None and Decimal(row.amount)}


class TripStore:
    """Positions that were closed."""

    async def add(self, tx: Tx, tenant: str, rows: Sequence[TripRow]) -> None:
        """Put them in."""
        tx.later(_ENDED, [values_of(row) | {"tenant_id": tenant} for row in rows])

    async def closed_since(self, tx: Tx, tenant: str, account_id: str, since: datetime) -> list[TripRow]:
        """Those that an account closed after an instant, the oldest first."""
        mine = and_(_of(trips, tenant, account_id), trips.c.closed_at > since)
        return await tx.all(select(trips).where(mine).order_by(trips.c.closed_at, trips.c.id), TripRow)

    async def fund(self, tx: Tx, tenant: str, trip_id: str, funding: Decimal) -> None:
        """Its funding as it is from now on: a venue tells a rate after the position was closed."""
        await tx.run(update(trips).where(trips.c.tenant_id == tenant, trips.c.id == trip_id).values(funding=funding))

    async def page(
        self, tx: Tx, tenant: str, account_id: str, limit: int, *, strategy: str | None, instrument: str | None,
        behind: Place | None,
    ) -> list[TripRow]:  # fmt: skip
        """Some of an account, those that were closed last first."""
        mine = select(trips).where(_of(trips, tenant, account_id))
        if strategy is not None:
            mine = mine.where(trips.c.strategy == strategy)
        if instrument is not None:
            mine = mine.where(trips.c.instrument == instrument)
        if behind is not None:
            at, id = behind
            mine = mine.where(or_(trips.c.closed_at < at, and_(trips.c.closed_at == at, trips.c.id < id)))
        return await tx.all(mine.order_by(trips.c.closed_at.desc(), trips.c.id.desc()).limit(limit), TripRow)


def _of(table: object, tenant: Any, account_id: Any) -> ColumnElement[bool]:
    columns = table.c  # type: ignore[attr-defined]
    return and_(columns.tenant_id == tenant, columns.account_id == account_id)


# Every order asks these.
_TENANT: BindParameter[str] = bindparam("tenant")
_ACCOUNT: BindParameter[str] = bindparam("account")
_INSTRUMENTS: BindParameter[list[str]] = bindparam("instruments", expanding=True)
_ALL = select(positions).where(_of(positions, _TENANT, _ACCOUNT)).order_by(positions.c.instrument)
_SOME = _ALL.where(positions.c.instrument.in_(_INSTRUMENTS))
