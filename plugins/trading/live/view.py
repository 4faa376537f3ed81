"""What stands in the rows of an account that somebody watches, and what is new of it since it was shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cachetools import LRUCache

from plugins.trading.positions.standings import Held
from plugins.trading.rows import AccountRow, FillRow, OrderRow

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
