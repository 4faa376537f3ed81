"""SQL of the engine: whose accounts it works, what has changed of them, and which process works which part."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Column, and_, bindparam, exists, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from gateway.core.store import Tx
from plugins.trading.accounts.rules import SIMULATOR
from plugins.trading.rows import AccountRow, BalanceRow, OrderRow, PositionRow
from plugins.trading.tables import (
    accounts,
    balances,
    orders,
    permits,
    positions,
    schedules,
    switches,
)
from schema.words.trades import Side


class Extreme(NamedTuple):
    """How far a trailing stop has followed, for one version of its order."""

    order: str
    version: int
    price: Decimal


class EngineDirectory:
    """Working orders is for all tenants at once: each row carries its own tenant along. Brokers work theirs."""

    async def any(self, tx: Tx) -> bool:
        """Whether there is anything to work; accounts at brokers have a day, whatever they hold."""
        for wanted in (
            select(orders.c.id).where(orders.c.open.is_(True)), select(positions.c.account_id),
            select(schedules.c.id).where(schedules.c.active.is_(True)),
            select(accounts.c.id).where(accounts.c.broker != SIMULATOR, accounts.c.deleted_at.is_(None)),
            select(accounts.c.id).where(or_(accounts.c.funded_at.is_not(None), accounts.c.charged_at.is_not(None))),
        ):  # fmt: skip
            if await tx.value(wanted.limit(1)) is not None:
                return True
        return False

    async def busy(self, tx: Tx, shards: Collection[int]) -> list[AccountRow]:
        """Accounts of some parts that have open orders, or hold something."""
        wanted = select(accounts).where(accounts.c.shard.in_(sorted(shards)), _is_worked(), _has_work())
        return await tx.all(wanted, AccountRow)

    async def changed(self, tx: Tx, shards: Collection[int], since: datetime) -> list[tuple[str, int]]:
        """Ids and versions of accounts that have changed since."""
        wanted = select(accounts.c.id, accounts.c.version).where(
            accounts.c.shard.in_(sorted(shards)), accounts.c.changed_at >= since
        )
        return [(row.id, row.version) for row in await tx.connection.execute(wanted)]

    async def some(self, tx: Tx, ids: Collection[str]) -> list[AccountRow]:
        """Accounts by their ids, as far as they are worked."""
        return await tx.all(select(accounts).where(accounts.c.id.in_(sorted(ids)), _is_worked()), AccountRow)

    async def unfunded(self, tx: Tx, shards: Collection[int], until: datetime) -> list[AccountRow]:
        """Accounts of some parts whose funding is not booked until an instant, the longest due first."""
        return await self._behind(tx, shards, accounts.c.funded_at, until)

    async def uncharged(self, tx: Tx, shards: Collection[int], until: datetime) -> list[AccountRow]:
        """The same of interest."""
        return await self._behind(tx, shards, accounts.c.charged_at, until)

    async def _behind(self, tx: Tx, shards: Collection[int], column: Column[Any], until: datetime) -> list[AccountRow]:
        wanted = select(accounts).where(accounts.c.shard.in_(sorted(shards)), _is_worked(), column < until)
        return await tx.all(wanted.order_by(column, accounts.c.id), AccountRow)

    async def orders(self, tx: Tx, ids: Collection[str]) -> list[OrderRow]:
        """Open orders of some accounts, in the order of placing."""
        wanted = select(orders).where(orders.c.account_id.in_(sorted(ids)), orders.c.open.is_(True))
        return await tx.all(wanted.order_by(orders.c.account_id, orders.c.number), OrderRow)

    async def versions(self, tx: Tx, ids: Collection[str]) -> list[tuple[str, str, int]]:
        """Account, id and version of their open orders, each account's in the order of placing."""
        wanted = select(orders.c.account_id, orders.c.id, orders.c.version).where(
            orders.c.account_id.in_(sorted(ids)), orders.c.open.is_(True)
        )
        rows = await tx.connection.execute(wanted.order_by(orders.c.account_id, orders.c.number))
        return [(row.account_id, row.id, row.version) for row in rows]

    async def named(self, tx: Tx, ids: Collection[str]) -> list[OrderRow]:
        """Orders by their ids."""
        return await tx.all(select(orders).where(orders.c.id.in_(sorted(ids))), OrderRow)

    async def statuses(self, tx: Tx, accounts: Collection[str], ids: Collection[str]) -> Mapping[tuple[str, str], str]:
        """How some orders of some accounts stand, by account and order."""
        if not ids:
            return {}
        wanted = select(orders.c.account_id, orders.c.id, orders.c.status).where(orders.c.id.in_(sorted(ids)))
        rows = await tx.connection.execute(wanted.where(orders.c.account_id.in_(sorted(accounts))))
        return {(row.account_id, row.id): row.status for row in rows}

    async def positions(self, tx: Tx, ids: Collection[str]) -> list[PositionRow]:
        """What some accounts hold."""
        return await tx.all(select(positions).where(positions.c.account_id.in_(sorted(ids))), PositionRow)

    async def cash(self, tx: Tx, ids: Collection[str]) -> list[BalanceRow]:
        """The money of some accounts, by currency."""
        wanted = select(balances).where(balances.c.account_id.in_(sorted(ids)), balances.c.ledger == "cash")
        return await tx.all(wanted.order_by(balances.c.asset), BalanceRow)

    async def halted(self, tx: Tx) -> tuple[bool, frozenset[str]]:
        """Whether the operator has halted all trading, and which organisations have halted theirs."""
        fleet = await tx.value(select(switches.c.name).where(switches.c.halted.is_(True)).limit(1))
        tenants = await tx.values(select(permits.c.tenant_id).where(permits.c.halted.is_(True)))
        return fleet is not None, frozenset(tenants)

    async def lock(self, tx: Tx, ids: Collection[str]) -> Mapping[str, int]:
        """Versions of some accounts, which nobody changes until the end of the transaction."""
        wanted = select(accounts.c.id, accounts.c.version).where(accounts.c.id.in_(sorted(ids)))
        rows = await tx.connection.execute(wanted.order_by(accounts.c.id).with_for_update())
        return {row.id: row.version for row in rows}

    async def keep_extremes(self, tx: Tx, told: Sequence[Extreme]) -> None:
        """Write how far trailing stops have followed, each of the version that it was reckoned for, and never back:
        whoever goes on may have written more."""
        known, price = orders.c.trail_extreme, bindparam("price", type_=orders.c.trail_extreme.type)
        sale = orders.c.side == Side.SELL
        further = or_(known.is_(None), and_(sale, known < price), and_(~sale, known > price))
        where = (orders.c.id == bindparam("which"), orders.c.version == bindparam("of"), orders.c.open.is_(True))
        statement = update(orders).where(*where, further).values(trail_extreme=price)
        values = [{"which": each.order, "of": each.version, "price": each.price} for each in told]
        # By way of the connection: many rows, one statement.
        await tx.connection.execute(statement, values)


def _is_worked() -> ColumnElement[bool]:
    return accounts.c.deleted_at.is_(None) & (accounts.c.broker == SIMULATOR)


def _has_work() -> ColumnElement[bool]:
    ordered = exists().where(orders.c.account_id == accounts.c.id, orders.c.open.is_(True))
    return or_(ordered, exists().where(positions.c.account_id == accounts.c.id))
