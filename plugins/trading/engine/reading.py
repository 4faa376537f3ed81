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

MOST_NAMED = 500
"""Orders that are asked for by their ids; more are read with all of their accounts."""
NOBODY = OrderStatus.CANCELED.value
"""An order that the account does not have will never be filled."""

Row = TypeVar("Row", OrderRow, PositionRow, BalanceRow)


async def read_accounts(
    tx: Tx, ids: Collection[str], known: Mapping[str, Mapping[str, OrderRow]] | None = None
) -> Mapping[str, Stood]:
    """By their ids; those that are gone, or that a broker works, are not there.

    *known* are open orders by account and id as they were read before: the same version is not read again.
    """
    rows = EngineDirectory()
    accounts = await rows.some(tx, ids)
    named = {row.id for row in accounts}
    if not named:
        return {}
    orders = _by_account(await _open(tx, named, known or {}))
    positions, cash = _by_account(await rows.positions(tx, named)), _by_account(await rows.cash(tx, named))
    referred = {id: _referred(orders[id]) for id in named}
    ended = await rows.statuses(tx, named, {each for some in referred.values() for each in some})
    return {
        row.id: Stood(
            account=row, orders=orders[row.id], positions=positions[row.id], cash=cash[row.id],
            statuses={each: ended.get((row.id, each), NOBODY) for each in referred[row.id]},
        )
        for row in accounts
    }  # fmt: skip


async def _open(tx: Tx, ids: set[str], known: Mapping[str, Mapping[str, OrderRow]]) -> list[OrderRow]:
    rows, before = EngineDirectory(), ids & known.keys()
    found = await rows.orders(tx, ids - before) if ids - before else []
    if not before:
        return found
    stand = await rows.versions(tx, before)
    same = dict[str, OrderRow]()
    for account, id, version in stand:
        row = known[account].get(id)
        if row is not None and row.version == version:
            same[id] = row
    if len(stand) - len(same) > MOST_NAMED:
        return found + await rows.orders(tx, before)
    changed = [id for _, id, _ in stand if id not in same]
    read = same | {row.id: row for row in (await rows.named(tx, changed) if changed else ())}
    # What has ended between both looks is told of by its account's next version.
    return found + [read[id] for _, id, _ in stand if id in read]


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
