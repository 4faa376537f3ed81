"""What stands in the rows of an account that somebody watches, and what is new of it since it was shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cachetools import LRUCache
from sqlalchemy import select

from gateway.core.contract import Context
from gateway.core.store import Tx
from plugins.trading.accounts.access import Gate
from plugins.trading.orders.store import OrderStore
from plugins.trading.positions.standings import Appraiser, Held
from plugins.trading.rows import AccountRow, FillRow, OrderRow
from plugins.trading.tables import fills, orders

REMEMBERED = 5_000
"""Orders that have ended and were shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One view of the database."""

    account: AccountRow
    held: Held
    open: Mapping[str, OrderRow]
    ended: Sequence[OrderRow] = ()
    """Of those that were asked for by their ids."""
    fills: Sequence[FillRow] = ()

    @property
    def instruments(self) -> list[str]:
        """What is held."""
        return [row.instrument for row in self.held.positions]

    @property
    def currencies(self) -> set[str]:
        """Of all its money, reserves and positions."""
        cash = {row.asset for row in self.held.cash if row.posted or row.held}
        return cash | {*self.held.reserved} | {row.currency for row in self.held.positions}


async def read_rows(
    context: Context, account_id: str, *, known: Collection[str] = (), fill_ids: Sequence[str] = ()
) -> Rows:
    """All in one view; of orders the open ones, and those that are *known* whatever became of them."""
    async with context.host.store.read() as tx:
        account = await Gate().seen(tx, context, account_id, "id")
        held = await context.service(Appraiser).read(tx, account)
        now = {row.id: row for row in await OrderStore().open(tx, context.tenant, account.id)}
        gone = sorted(set(known) - now.keys())
        ended = [row for part in _parts(gone) for row in await _orders(tx, account, part)]
        filled = {row.id: row for part in _parts(fill_ids) for row in await _fills(tx, account, part)}
    return Rows(
        account=account, held=held, open=now, ended=sorted(ended, key=lambda row: row.number),
        fills=[filled[each] for each in fill_ids if each in filled],
    )  # fmt: skip


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[at : at + 500] for at in range(0, len(ids), 500)]


async def _orders(tx: Tx, account: AccountRow, ids: Sequence[str]) -> list[OrderRow]:
    mine = (orders.c.tenant_id == account.tenant_id, orders.c.account_id == account.id, orders.c.id.in_(ids))
    return await tx.all(select(orders).where(*mine), OrderRow)


async def _fills(tx: Tx, account: AccountRow, ids: Sequence[str]) -> list[FillRow]:
    mine = (fills.c.tenant_id == account.tenant_id, fills.c.account_id == account.id, fills.c.id.in_(ids))
    return await tx.all(select(fills).where(*mine), FillRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What of some rows was not shown before."""

    orders: Sequence[OrderRow]
    positions: Collection[str]
    """Instruments whose rows are new or have changed."""
    closed: Sequence[str]
    money: bool
    """Whether cash or what is reserved is new."""
    account: bool
    """Whether anything of the account itself is new."""

    @property
    def any(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.orders or self.positions or self.closed or self.money or self.account)


@dataclass(slots=True)
class Shown:
    """What the reader knows."""

    rows: Rows
    ended: LRUCache[str, int] = field(default_factory=lambda: LRUCache(REMEMBERED))
    """Versions of orders that have ended."""

    def take(self, now: Rows) -> News:
        """What is new; from now on the reader knows it."""
        was, self.rows = self.rows, replace(now, fills=(), ended=())
        fresh = [row for row in now.open.values() if row.id not in was.open or was.open[row.id].version != row.version]
        over = [row for row in now.ended if self.ended.get(row.id) != row.version]
        for row in over:
            self.ended[row.id] = row.version
        before = {row.instrument: row for row in was.held.positions}
        after = {row.instrument: row for row in now.held.positions}
        return News(
            orders=sorted([*fresh, *over], key=lambda row: row.number),
            positions={name for name, row in after.items() if before.get(name) != row},
            closed=sorted(before.keys() - after.keys()),
            money=(was.held.cash, was.held.reserved) != (now.held.cash, now.held.reserved),
            account=was.account.version != now.account.version,
        )  # fmt: skip
