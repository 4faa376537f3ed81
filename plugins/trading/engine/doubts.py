"""A transaction whose answer was lost: nobody knows whether it was committed until the account is locked again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from gateway.core.matching.model import Step
from gateway.core.matching.venue import give_back
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.store import FillStore, OrderStore
from plugins.trading.rows import OrderRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What it was to leave behind."""

    version: int
    """The account's before it."""
    fill: str | None
    """One of those that it made."""
    orders: Mapping[str, OrderRow]
    """Those that it changed, as it left them."""
    taken: tuple[Step, ...] = ()
    """What it took of what messages offer."""

    @classmethod
    def of(cls, floor: Floor, taken: Iterable[Step] = ()) -> Self:
        """Once all of it is in the floor, and before the account has its next version."""
        fill = floor.fills[0].id if floor.fills else None
        return cls(version=floor.w.account.version, fill=fill, orders=floor.changed, taken=tuple(taken))

    async def stands(self, floor: Floor) -> bool:
        """Whether it was committed, as the account is locked now; whoever has changed it since."""
        w = floor.w
        if w.account.version == self.version:
            return False
        if self.fill is not None:
            return await FillStore().has(w.tx, w.tenant, self.fill)
        rows = [floor.orders[id] for id in self.orders if id in floor.orders]
        if ended := sorted(self.orders.keys() - floor.orders.keys()):
            rows += await OrderStore().named(w.tx, w.tenant, w.account.id, ended)
        return 0 < len(rows) == len(self.orders) and all(_has_come_to(row, self.orders[row.id]) for row in rows)

    def give_back(self) -> None:
        """It was not: what it took is there for others."""
        for made in self.taken:
            give_back(made)


def _has_come_to(row: OrderRow, left: OrderRow) -> bool:
    """Whether an order stands as it was left, or has gone on since. When it was triggered and when it has ended never
    change: where others have done that, it was another instant."""
    then = (left.triggered_at or row.triggered_at, left.ended_at or row.ended_at)
    if then != (row.triggered_at, row.ended_at):
        return False
    if row.version != left.version:
        return row.version > left.version and row.fills >= left.fills
    return (row.status, row.quantity, row.changed_at) == (left.status, left.quantity, left.changed_at)
