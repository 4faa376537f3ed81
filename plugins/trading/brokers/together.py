"""Orders of an account at a broker that were placed together: sent one after the other, which no broker does at once.

Where one is refused, those behind it are not sent, and what is open of the others is cancelled; what is filled stays.
Whoever has sent them sees to that; where its process has ended before, the reconciliation does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.core.contract import Host
from plugins.trading.brokers import course
from plugins.trading.brokers.floor import LiveFloor
from plugins.trading.brokers.port import Broker
from plugins.trading.brokers.settling import SOON, standing
from plugins.trading.orders.checks import check_switches
from plugins.trading.orders.store import OrderStore
from plugins.trading.orders.wishes import Wish
from plugins.trading.rows import AccountRow, OrderRow
from plugins.trading.writing import writing
from schema.words.orders import OrderCause, OrderStatus
from schema.words.problems import Refused
from schema.words.trades import Side

if TYPE_CHECKING:
    from plugins.trading.brokers.desk import LiveDesk

GROUP_FAILED = "GROUP_FAILED: an order that was placed together with it was refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is placed together: each wish names the group that all of them are of."""

    wishes: Sequence[Wish]
    path: str
    """Where they stand in the input."""
    digest: str | None = None
    before: Callable[[LiveFloor], Awaitable[Sequence[OrderRow] | None]]
    """What was placed in their stead before, looked for behind the lock; None for nothing."""
    note: Callable[[LiveFloor, Sequence[OrderRow]], Awaitable[None]] | None = None
    """What is kept beside them."""


class Together:
    """One for each desk."""

    def __init__(self, host: Host, desk: LiveDesk) -> None:
        self._host, self._desk, self._orders = host, desk, OrderStore()

    async def send(self, broker: Broker, account: AccountRow, rows: Sequence[OrderRow]) -> list[OrderRow]:
        """Orders that are kept, in their order; as they stand then."""
        for n, row in enumerate(rows):
            await self._send(broker, account, row, [each.id for each in rows[:n]])
        await self.take_back(broker, account, rows)
        async with self._host.store.read() as tx:
            return await self._orders.named(tx, account.tenant_id, account.id, [row.id for row in rows])

    async def _send(self, broker: Broker, account: AccountRow, row: OrderRow, before: Collection[str]) -> None:
        """One of them, as soon as its broker's limits let it."""
        now, until = await self.waiting(row, before) if before else row, row.created_at + SOON
        while now.status == OrderStatus.NEW and (wait := broker.busy()) > 0:
            if self._host.clock.now() + timedelta(seconds=wait) > until:
                break
            await self._host.clock.sleep(wait)
            now = await self.waiting(row, before)
        if now.status == OrderStatus.NEW:
            await self._desk.send(broker, account, now)

    async def take_back(self, broker: Broker, account: AccountRow, rows: Sequence[OrderRow]) -> None:
        """What is open of groups of which one is refused is cancelled. One that may be another by now is left alone,
        until the broker says which."""
        groups = {row.group_id for row in rows if row.group_id and row.cause != OrderCause.CLOSE}
        if not groups or not (failed := await self._failed(account, groups)):
            return
        async with writing(self._host, account.tenant_id, account.id) as w:
            floor = await LiveFloor.opened(self._host, w)
            asked = [
                replace(course.asked(row, OrderStatus.PENDING_CANCEL, floor.now), reason=GROUP_FAILED)
                for row in floor.open
                if row.group_id in failed and row.cause != OrderCause.CLOSE and row.status not in course.ASKED
            ]
            for row in asked:
                floor.ask(row)
            await floor.write()
        for row in asked:
            await self._desk.send_cancel(broker, row)

    async def _failed(self, account: AccountRow, groups: Collection[str]) -> set[str]:
        async with self._host.store.read() as tx:
            return await self._orders.failed_groups(tx, account.tenant_id, account.id, groups, GROUP_FAILED)

    async def waiting(self, row: OrderRow, before: Collection[str]) -> OrderRow:
        """An order, before it is sent: ended where it was cancelled, or may not be placed any more, or where one of
        those before it was rejected."""
        async with writing(self._host, row.tenant_id, row.account_id) as w:
            floor = await LiveFloor.opened(self._host, w, [row.instrument])
            now = await standing(floor, row)
            others = await self._orders.named(w.tx, row.tenant_id, row.account_id, before)
            if now.open and any(each.status == OrderStatus.REJECTED for each in others):
                floor.end(now, OrderStatus.CANCELED, GROUP_FAILED)
            elif now.status == OrderStatus.PENDING_CANCEL:
                floor.end(now, OrderStatus.CANCELED, now.reason or "CANCELED")
            elif now.status == OrderStatus.NEW:
                try:
                    await self._desk.check_permit(floor)
                    check_switches(floor, floor.halted, Side(now.side), reduce_only=now.reduce_only)
                except Refused as refused:
                    floor.fail(now, refused.code, refused.message)
            await floor.write()
        return floor.orders.get(row.id, now)
