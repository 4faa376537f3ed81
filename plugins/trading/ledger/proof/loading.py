"""All that is kept of an account, as it is read for its proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Table, select

from gateway.core.store import Tx
from plugins.trading import rows, tables
from plugins.trading.accounts.store import AccountStore
from schema.words.orders import AccountKind

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An account and everything that belongs to it, each in its order."""

    account: rows.AccountRow
    entries: Sequence[rows.EntryRow] = ()
    lines: Sequence[rows.LineRow] = ()
    balances: Sequence[rows.BalanceRow] = ()
    orders: Sequence[rows.OrderRow] = ()
    fills: Sequence[rows.FillRow] = ()
    positions: Sequence[rows.PositionRow] = ()
    trips: Sequence[rows.TripRow] = ()
    first: rows.AccountRow | None = None
    """Of a live account: the oldest one that is open at the same broker; it may be this one."""


class ProofDirectory:
    """Over all tenants: whoever proves ledgers is the operator."""

    async def accounts(self, tx: Tx, tenant: str | None, account_id: str | None) -> list[rows.AccountRow]:
        """Those that are to be proved, deleted ones as well."""
        query = select(tables.accounts)
        if tenant is not None:
            query = query.where(tables.accounts.c.tenant_id == tenant)
        if account_id is not None:
            query = query.where(tables.accounts.c.id == account_id)
        return await tx.all(query.order_by(tables.accounts.c.tenant_id, tables.accounts.c.id), rows.AccountRow)


class ProofStore:
    """One account at a time."""

    async def kept(self, tx: Tx, tenant: str, account_id: str) -> Kept | None:
        """All that is kept of it. Whoever changes an account locks its row: nothing changes while this reads."""
        mine = (tables.accounts.c.tenant_id == tenant, tables.accounts.c.id == account_id)
        account = await tx.first(select(tables.accounts).where(*mine).with_for_update(read=True), rows.AccountRow)
        if account is None:
            return None

        lives = account.kind == AccountKind.LIVE and account.deleted_at is None

        async def of(table: Table, kind: type[R], *order: Any) -> list[R]:
            mine = (table.c.tenant_id == tenant, table.c.account_id == account_id)
            return await tx.all(select(table).where(*mine).order_by(*order), kind)

        return Kept(
            account=account,
            entries=await of(tables.entries, rows.EntryRow, tables.entries.c.number),
            lines=await of(tables.lines, rows.LineRow, tables.lines.c.entry_id, tables.lines.c.number),
            balances=await of(tables.balances, rows.BalanceRow, tables.balances.c.ledger, tables.balances.c.asset),
            orders=await of(tables.orders, rows.OrderRow, tables.orders.c.number),
            fills=await of(tables.fills, rows.FillRow, tables.fills.c.order_id, tables.fills.c.number),
            positions=await of(tables.positions, rows.PositionRow, tables.positions.c.instrument),
            trips=await of(tables.trips, rows.TripRow, tables.trips.c.instrument, tables.trips.c.closed_at),
            first=await AccountStore().at_broker(tx, tenant, account.broker) if lives else None,
        )
