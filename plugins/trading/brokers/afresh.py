"""An order that our books hold too little for, judged once more: what it takes may be filled at its broker already."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from decimal import Decimal
from typing import TypeVar

from gateway.core.contract import Host
from plugins.trading.brokers.course import ASKED, reference
from plugins.trading.brokers.port import (
    AnswerUnreadable,
    Broker,
    BrokerRefused,
    BrokerTrouble,
    KeyRefused,
)  # fmt: skip
from plugins.trading.brokers.settling import Settler
from plugins.trading.orders.selling import pot_of
from plugins.trading.orders.store import OrderStore
from plugins.trading.rows import AccountRow, OrderRow
from schema.words.orders import OrderStatus
from schema.words.problems import Refused
from schema.words.trades import Side

T = TypeVar("T")
Taken = tuple[str, Side]
"""An instrument, and the side of the order that takes of what is held of it, or owed."""
UNHELD = frozenset({"SHORT_NOT_ALLOWED", "REDUCE_ONLY_WOULD_INCREASE", "DAILY_LOSS_REACHED"})
"""What is refused for want of units."""
MOST = 5
"""So many orders are asked for, those that have changed last; of others the reconciliation tells within seconds."""


class Afresh:
    """One for each desk."""

    def __init__(self, host: Host, settler: Settler) -> None:
        self._host, self._settler, self._orders = host, settler, OrderStore()

    async def judged(
        self, broker: Broker, account: AccountRow, taken: Collection[Taken],
        attempt: Callable[[Mapping[str, Decimal]], Awaitable[T]],
    ) -> T:  # fmt: skip
        """The outcome of an attempt to sell some instruments, or to buy back what is short of them, which does nothing
        where it is refused; it is given what the broker counts as filled of purchases whose fills it does not list yet,
        by order."""
        try:
            return await attempt({})
        except Refused as refused:
            rows = await self.telling(account, taken) if refused.code in UNHELD else ()
            if not rows:
                raise
        return await attempt(await self.learned(broker, rows))

    async def telling(self, account: AccountRow, taken: Collection[Taken]) -> list[OrderRow]:
        """Open orders that may have brought what is to be taken, or freed some of it, by now."""
        pots = {(pot_of(instrument), side) for instrument, side in taken}
        if not pots:
            return []
        async with self._host.store.read() as tx:
            rows = await self._orders.open(tx, account.tenant_id, account.id)
        found = [row for row in rows if _tells(row, pots)]
        return sorted(found, key=lambda row: (row.changed_at, row.number), reverse=True)[:MOST]

    async def learned(self, broker: Broker, rows: Collection[OrderRow]) -> Mapping[str, Decimal]:
        """What is filled of these orders is booked as far as the broker lists it; what of purchases it counts and does
        not list yet, by order."""
        coming: dict[str, Decimal] = {}
        for row in rows:
            try:
                if row.status == OrderStatus.PENDING_REPLACE:
                    await self._settler.resolve(broker, row)
                    continue
                report = await broker.find(reference(row))
                if report is None:
                    continue
                await self._settler.learn(broker, row, report)
            except KeyRefused:
                break
            except (BrokerRefused, AnswerUnreadable):
                # It tells nothing of this one; of the others it may.
                continue
            except BrokerTrouble:
                break
            if row.id in self._settler.waiting and row.side == Side.BUY:
                coming[row.id] = report.filled
        return coming


def _tells(row: OrderRow, pots: Collection[Taken]) -> bool:
    if row.side == Side.SELL and (row.currency, Side.SELL) in pots:
        return True
    name, side = pot_of(row.instrument), Side(row.side)
    brings = (name, Side.BUY if side is Side.SELL else Side.SELL) in pots
    return brings or ((name, side) in pots and OrderStatus(row.status) in ASKED)
