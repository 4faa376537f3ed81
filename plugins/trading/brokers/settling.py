"""From a broker's answer to our books: one transaction for each, decided under the account's lock, booked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from gateway.core.contract import Host
from plugins.trading.brokers.course import (
    ASKED,
    ZERO,
    following,
    frees_later,
    next_client_id,
    outdated,
    outgrows,
    reference,
    unended,
    with_terms,
)
from plugins.trading.brokers.floor import LiveFloor
from plugins.trading.brokers.pacing import Urgency
from plugins.trading.brokers.port import (
    AnswerUnreadable,
    Broker,
    BrokerBusy,
    Deal,
    OutcomeUnknown,
    PastUnknown,
    Reference,
    Report,
    gross,
)
from plugins.trading.orders.store import FillStore, OrderStore
from plugins.trading.rows import OrderRow
from plugins.trading.writing import writing
from schema.symbols import parse_instrument
from schema.words.orders import OrderStatus

LOST = "BROKER_LOST: the broker does not know it any more"
UNSENT = "CANCELED: it had not reached the broker"
UNREACHED = "BROKER_UNAVAILABLE: it has not reached the broker"
"""Why an order ends of which the broker says nothing."""
GRACE = timedelta(seconds=60)
"""After so long a request that was sent is not on its way any more: Binance's is good for 5 s, and we wait 8 s."""
SOON = timedelta(seconds=20)
"""Where a process has stood still for longer between keeping an order and sending it, it is not sent: somebody else
may be about to give it up."""
BEFORE = timedelta(days=1)
"""Fills are asked from so long before an order was kept: clocks differ."""
UNLISTED_S = 300.0
"""After so long it is told that a broker does not list fills that it counts."""
MOST_BOOKED = 10_000


class Settler:
    """Anybody may settle the same order at the same time, with the same report or an older one."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.waiting: dict[str, float] = {}
        """Orders of which the broker counts more as filled than it has told fills of, and since when."""
        self._booked: dict[str, Decimal] = {}
        """How much the broker counted of open orders when all of it was booked, where that is not what they have: a fee
        was taken out of what was bought. What is forgotten is asked for once more."""

    async def settle(
        self, row: OrderRow, report: Report, deals: Sequence[Deal], *, settled: bool = False
    ) -> OrderRow:  # fmt: skip
        """The order after a report, with *deals*: all of its fills that are known by now.

        *row* is the order as it stood when the broker was asked; *settled*, where it is not replaced for certain.
        """
        async with writing(self._host, row.tenant_id, row.account_id) as w:
            grows = outgrows(row, report)
            floor = await LiveFloor.opened(self._host, w, None if grows else [row.instrument])
            now = await standing(floor, row)
            waits = frees_later(now, report)
            if waits or now.broker_order_id not in (row.broker_order_id, report.broker_id):
                report = outdated(report, now)
            replaced = now.status == OrderStatus.PENDING_REPLACE and report.broker_id != now.broker_order_id
            settled = replaced or (settled and not waits and now.version == row.version)
            booked = {fill.broker_fill_id for fill in await FillStore().of_order(w.tx, row.tenant_id, row.id)}
            new = list({deal.id: deal for deal in deals if deal.id not in booked}.values())
            complete = gross(deals) >= report.filled
            after = floor.settle(now, report, new, complete=complete, settled=settled)
            if grows:
                after = floor.hold_back(after)
            await floor.write()
        if complete:
            self.waiting.pop(row.id, None)
            self._note(after, report.filled)
        else:
            self.waiting.setdefault(row.id, self._host.clock.monotonic())
        return after

    def _note(self, row: OrderRow, filled: Decimal) -> None:
        """All that the broker counts is booked."""
        self._booked.pop(row.id, None)
        if row.open and row.filled != filled:
            if len(self._booked) >= MOST_BOOKED:
                self._booked.clear()
            self._booked[row.id] = filled

    async def sync(self, broker: Broker, row: OrderRow, *, settled: bool = False) -> OrderRow | None:
        """The order as it stands at the broker; None where the broker knows none, and nothing was changed then."""
        return await self._found(broker, row, reference(row), settled=settled)

    async def _found(
        self, broker: Broker, row: OrderRow, which: Reference, *, settled: bool, urgency: Urgency = Urgency.READ
    ) -> OrderRow | None:  # fmt: skip
        """The same, of the order that is asked for; what is certain is booked before PastUnknown is told."""
        try:
            report = await broker.find(which, urgency)
        except PastUnknown as error:
            await self.learn(broker, row, unended(error.report), settled=settled)
            raise
        if report is None:
            return None
        try:
            return await self.learn(broker, row, report, settled=settled)
        except BrokerBusy:
            if urgency is Urgency.READ:
                raise
            # More hangs on it than on its fills, which come with the reconciliation.
            return await self.settle(row, report, report.deals, settled=settled)

    async def booked(self, broker: Broker, row: OrderRow) -> str:
        """The broker's id of an order, once all that is filled of it by now is booked; BrokerTrouble where the broker
        does not tell that."""
        report = await broker.find(reference(row), Urgency.ORDER)
        if report is None:
            raise OutcomeUnknown(f"{broker.id} does not know it now")
        await self.learn(broker, row, report)
        if row.id in self.waiting:
            raise OutcomeUnknown(f"{broker.id} counts more than it lists")
        return report.broker_id

    def check_listed(self, broker: Broker, row: OrderRow) -> None:
        """AnswerUnreadable where the broker has not listed for long what it counts as filled of an order."""
        now = self._host.clock.monotonic()
        if now - self.waiting.get(row.id, now) > UNLISTED_S:
            raise AnswerUnreadable(f"{broker.id} counts more as filled than it lists, for more than 5 minutes")

    def is_settled(self, row: OrderRow, report: Report) -> bool:
        """Whether an open order is as the report has it, and nothing is waited for: it need not be locked then."""
        if row.id in self.waiting or OrderStatus(row.status) in ASKED or not row.open or row.accepted_at is None:
            return False
        if row.broker_order_id != report.broker_id or with_terms(row, report) != row:
            return False
        if report.filled not in (row.filled, self._booked.get(row.id)):
            return False
        return following(row, report, complete=True, settled=False) == row.status

    async def learn(self, broker: Broker, row: OrderRow, report: Report, *, settled: bool = False) -> OrderRow:
        """The order after a report, and after fills that the report counts and we have not booked."""
        if self.is_settled(row, report):
            return row
        deals: Sequence[Deal] = report.deals
        if report.filled > ZERO and gross(deals) < report.filled:
            known = replace(reference(row), broker_id=report.broker_id)
            deals = await broker.deals(known, row.created_at - BEFORE)
        return await self.settle(row, report, deals, settled=settled)

    async def resolve(
        self, broker: Broker, row: OrderRow, urgency: Urgency = Urgency.READ
    ) -> OrderRow | None:  # fmt: skip
        """An order that was to be replaced, as far as the broker tells whether it was; None where it knows neither.

        That there is no replacement says something only after a while: it may be on its way.
        """
        known = Reference(instrument=parse_instrument(row.instrument), client_id=next_client_id(row))
        if (after := await self._found(broker, row, known, settled=True, urgency=urgency)) is not None:
            return after
        late = self._host.clock.now() - row.changed_at > GRACE
        return await self._found(broker, row, reference(row), settled=late, urgency=urgency)

    async def end(self, row: OrderRow, status: OrderStatus, reason: str) -> OrderRow:
        """It ends without the broker: it was refused, or there is no such order. One that the broker knows and that has
        changed since stays."""
        async with writing(self._host, row.tenant_id, row.account_id) as w:
            floor = await LiveFloor.opened(self._host, w, [row.instrument])
            now = await standing(floor, row)
            if not now.open or (now.broker_order_id is not None and now.version != row.version):
                return now
            floor.end(now, OrderStatus.CANCELED if now.fills else status, reason)
            await floor.write()
        return floor.orders[row.id]

    async def restore(self, before: OrderRow, asked: OrderRow) -> OrderRow:
        """It was not replaced, for certain: the order has the terms of before, and what is filled by now. One that
        waits for that no more stays."""
        async with writing(self._host, asked.tenant_id, asked.account_id) as w:
            floor = await LiveFloor.opened(self._host, w)
            now = floor.orders.get(asked.id)
            waits = now is not None and now.status == OrderStatus.PENDING_REPLACE
            if now is None or not waits or now.broker_order_id != asked.broker_order_id:
                return now or asked
            after = replace(
                before, status=OrderStatus.PARTIALLY_FILLED.value if now.fills else before.status, filled=now.filled,
                paid=now.paid, fills=now.fills, version=now.version + 1, changed_at=floor.now,
                replacements=now.replacements,
            )  # fmt: skip
            floor.put(after)
            await floor.write()
        return after


async def standing(floor: LiveFloor, row: OrderRow) -> OrderRow:
    """The order under the account's lock, ended or not."""
    return floor.orders.get(row.id) or await OrderStore().find(floor.w.tx, row.tenant_id, row.id) or row
