"""Orders of an account at a broker that were placed together: sent one after the other, which no broker does at once.

Where one is refused, those behind it are not sent, and what is open of the others is cancelled; what is filled stays.
Whoever has sent them sees to that; where its process has ended before, the reconciliation does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.core.contract import Host
from plugins.trading.brokers import course
from plugins.trading.brokers.floor import LiveFloor
from plugins.trading.brokers.port import Broker
from plugins.trading.brokers.settling import Settler, standing
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
        self._host, self._desk, self._settler, self._orders = host, desk, Settler(host), OrderStore()

    async def send(self, broker: Broker, account: AccountRow, rows: Sequence[OrderRow]) -> list[OrderRow]:
        """Orders that are kept, in their order; as they stand then."""
        sent: list[OrderRow] = []
        for row in rows:
            if any(each.status == OrderStatus.REJECTED for each in sent):
                sent.append(await self._settler.end(row, OrderStatus.CANCELED, GROUP_FAILED))
                continue
            now = await self._waiting(row) if sent else row
            sent.append(await self._desk.send(broker, account, now) if now.status == OrderStatus.NEW else now)
        await self.take_back(broker, account, sent)
        async with self._host.store.read() as tx:
            return await self._orders.named(tx, account.tenant_id, account.id, [row.id for row in rows])

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
            return await self._orders.refused_groups(tx, account.tenant_id, account.id, groups)

    async def _waiting(self, row: OrderRow) -> OrderRow:
        """An order behind others, before it is sent: ended where it was cancelled, or may not be placed any more."""
        async with writing(self._host, row.tenant_id, row.account_id) as w:
            floor = await LiveFloor.opened(self._host, w, [row.instrument])
            now = await standing(floor, row)
            if now.status == OrderStatus.PENDING_CANCEL:
                floor.end(now, OrderStatus.CANCELED, now.reason or "CANCELED")
            elif now.status == OrderStatus.NEW:
                try:
                    await self._desk.check_permit(floor)
                    check_switches(floor, floor.halted, Side(now.side), reduce_only=now.reduce_only)
                except Refused as refused:
                    floor.fail(now, refused.code, refused.message)
            await floor.write()
        return floor.orders.get(row.id, now)
