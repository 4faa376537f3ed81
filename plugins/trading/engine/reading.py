"""Accounts as they stand in the database, many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from gateway.core.store import Tx
from plugins.trading.engine.directory import EngineDirectory
from plugins.trading.engine.seat import Stood
from plugins.trading.rows import BalanceRow, OrderRow, PositionRow
from schema.words.orders import OrderStatus

NOBODY = OrderStatus.CANCELED.value
"""An order that the account does not have will never be filled."""

Row = TypeVar("Row", OrderRow, PositionRow, BalanceRow)


async def read_accounts(tx: Tx, ids: Collection[str]) -> Mapping[str, Stood]:
    """By their ids; those that are gone, or that a broker works, are not there."""
    rows = EngineDirectory()
    accounts = await rows.some(tx, ids)
    named = {row.id for row in accounts}
    if not named:
        return {}
    orders = _by_account(await rows.orders(tx, named))
    positions, cash = _by_account(await rows.positions(tx, named)), _by_account(await rows.cash(tx, named))
    referred = {id: _referred(orders[id]) for id in named}
    known = await rows.statuses(tx, named, {each for some in referred.values() for each in some})
    return {
        row.id: Stood(
            account=row, orders=orders[row.id], positions=positions[row.id], cash=cash[row.id],
            statuses={each: known.get((row.id, each), NOBODY) for each in referred[row.id]},
        )
        for row in accounts
    }  # fmt: skip


def _by_account(rows: Iterable[Row]) -> Mapping[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.account_id].append(row)
    return found


def _referred(rows: Iterable[OrderRow]) -> set[str]:
    """Parents, and orders that conditions name."""
    wanted = set[str]()
    for row in rows:
        if row.parent_id:
            wanted.add(row.parent_id)
        if isinstance(row.condition, Mapping) and row.condition.get("order_id"):
            wanted.add(str(row.condition["order_id"]))
    return wanted
