"""Alpaca, by one key: US equities and spot crypto. Docs: https://docs.alpaca.markets/docs/working-with-orders"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from gateway.core.matching.lifecycle import TERMINAL
from gateway.core.matching.rounding import total_of
from plugins.trading.brokers import alpaca_wire as wire
from plugins.trading.brokers.link import BARRED, LIMITED, Answer, Link
from plugins.trading.brokers.pacing import READING, Urgency
from plugins.trading.brokers.port import (
    ZERO,
    AnswerUnreadable,
    BrokerBusy,
    BrokerRefused,
    Deal,
    KeyRefused,
    OutcomeUnknown,
    PastUnknown,
    Reference,
    Report,
    Stock,
    Ticket,
    Toll,
    gross,
)
from plugins.trading.brokers.wire import Fields, Sending, decode, objects, readable, words
from schema.symbols import InstrumentId
from schema.words.orders import OrderStatus

A_MINUTE = 200
"""https://docs.alpaca.markets/docs/usage-limits: requests of one account."""
PAUSE_S = 60.0
"""After a 429 without Retry-After."""
CHAIN = 50
"""So often an order was replaced at most; what is longer is a fault."""
PAGES = 50
MOST_PAST = 10_000
UNTAKEN = frozenset({OrderStatus.REJECTED, OrderStatus.CANCELED, OrderStatus.EXPIRED})
"""How an order ends that was to replace another one and did not."""
TAKEN = "client_order_id must be unique"
GONE, LATE = 404, 408
REVOKED = frozenset({"forbidden", "forbidden."})
"""With status 403, which also answers orders that are not allowed: then it says why."""


class Alpaca:
    """Serves `Broker`."""

    def __init__(self, link: Link, key: str, secret: str) -> None:
        self.id, self._link = link.broker, link
        self._secrets = wire.headers(key, secret)
        owner = sha256(key.encode()).hexdigest()
        self._bucket, self._share = f"requests {owner}", f"reading {owner}"
        link.pace.limit(self._bucket, A_MINUTE, 60.0, reading=READING)
        link.pace.limit(self._share, A_MINUTE, 60.0, reading=1.0)

    def __repr__(self) -> str:
        return f"<{self.id}>"

    async def owner(self, urgency: Urgency) -> str | None:
        """See `Broker`."""
        owners = self._link.owners
        if self._bucket not in owners:
            told = self._taken(await self._ask(wire.account(self._secrets), urgency))
            if (found := wire.parse_owner(_object(told))) is None:
                return None
            owners[self._bucket] = found
        return owners[self._bucket]

    def check(self, ticket: Ticket) -> str | None:
        """See `Broker`."""
        return wire.unfit(ticket)

    def asset_of(self, instrument: InstrumentId) -> str:
        """See `Broker`."""
        return wire.asset_of(instrument)

    def busy(self, orders: int = 1) -> float:
        """See `Broker`."""
        return self._link.pace.wait({self._bucket: orders}, Urgency.ORDER)

    async def place(self, ticket: Ticket) -> Report:
        """See `Broker`."""
        answer = await self._ask(wire.place(ticket, self._secrets), Urgency.ORDER)
        return wire.parse_order(_object(self._taken(answer)))

    async def replace(self, order: Reference, ticket: Ticket) -> Report:
        """See `Broker`."""
        sending = wire.replace(await self._broker_id(order, Urgency.ORDER), ticket, self._secrets)
        report = wire.parse_order(_object(self._taken(await self._ask(sending, Urgency.ORDER))))
        if report.status is OrderStatus.REJECTED:
            raise BrokerRefused(report.reason or "rejected")
        try:
            return await self._whole(report)
        except (BrokerBusy, BrokerRefused) as error:
            # It was replaced: only what was filled before is not known yet.
            raise OutcomeUnknown(str(error)) from None

    async def cancel(self, order: Reference) -> Report | None:
        """See `Broker`."""
        sending = wire.cancel(await self._broker_id(order, Urgency.CANCEL), self._secrets)
        self._taken(await self._ask(sending, Urgency.CANCEL))
        return None

    async def cancel_all(self, orders: Sequence[Reference]) -> None:
        """One by one: the one exchange for all would take others' orders along."""
        for each in orders:
            try:
                await self.cancel(each)
            except KeyRefused:
                raise
            except BrokerRefused:
                continue

    async def find(self, order: Reference, urgency: Urgency = Urgency.READ) -> Report | None:
        """See `Broker`; what took its place counts for it, or what it was to take the place of and did not."""
        if order.broker_id is None:
            found = await self._order(wire.by_client_id(order.client_id, self._secrets), urgency)
        else:
            found = await self._known(order.broker_id, urgency)
        for _ in range(CHAIN):
            if found is None:
                return None
            other = await self._instead(found, urgency)
            if other is None:
                return await self._whole(found, urgency)
            found = await self._known(other, urgency)
        raise OutcomeUnknown(f"{self.id}: order {order.client_id} was replaced more than {CHAIN} times")

    async def open_orders(self) -> list[Report]:
        """See `Broker`."""
        found: dict[str, Report] = {}
        until: str | None = None
        for _ in range(PAGES):
            answer = self._taken(await self._ask(wire.open_orders(self._secrets, until), Urgency.READ))
            rows = list(objects(answer.json(), answer.where))
            found |= {each.broker_id: each for each in readable(rows, wire.parse_order)}
            if len(rows) < wire.OPEN_ORDERS:
                break
            until = rows[-1].text("submitted_at")
        whole: list[Report] = []
        for each in found.values():
            # As with `readable`: whoever asks for it alone is told.
            with suppress(AnswerUnreadable):
                whole.append(await self._whole(each))
        return whole

    async def deals(self, order: Reference, since: datetime) -> list[Deal]:
        """See `Broker`; those of what it has replaced as well. Pages of fills, newest first, until none lacks."""
        ids, filled = await self._chain(order)
        found: list[Deal] = []
        for id in sorted(ids):
            token: str | None = None
            while gross(found) < filled:
                answer = self._taken(await self._ask(wire.activities(id, since, self._secrets, token), Urgency.READ))
                page = wire.parse_deals(answer.json(), answer.where)
                found += [each for each in page if each.broker_order_id in ids]
                if len(page) < wire.PAGE or page[-1].id == token:
                    break
                token = page[-1].id
        return sorted(found, key=lambda each: (each.at, each.id))

    async def stock(self) -> Stock:
        """See `Broker`."""
        told = self._taken(await self._ask(wire.account(self._secrets), Urgency.READ))
        held = self._taken(await self._ask(wire.positions(self._secrets), Urgency.READ))
        return wire.parse_stock(_object(told), objects(held.json(), held.where))

    async def tolls(self, since: datetime) -> list[Toll]:
        """See `Broker`; page by page."""
        found: list[Toll] = []
        token: str | None = None
        for _ in range(PAGES):
            answer = self._taken(await self._ask(wire.coin_fees(since, self._secrets, token), Urgency.READ))
            rows = list(objects(answer.json(), answer.where))
            found += wire.parse_tolls(rows)
            if len(rows) < wire.PAGE or rows[-1].text("id") == token:
                break
            token = rows[-1].text("id")
        return found

    async def _whole(self, report: Report, urgency: Urgency = Urgency.READ) -> Report:
        """With the orders that it takes the place of: to us all of them are one order. PastUnknown where Alpaca refuses
        to tell of one.

        A replacement is filled by its whole `qty`, whatever was filled of the one before it
        (https://github.com/alpacahq/Alpaca-API/issues/165).
        """
        before, untold = await self._before(report.replaces, urgency)
        if untold is not None:
            raise PastUnknown(untold, _together(report, before))
        works = [each.quantity or ZERO for each in before if each.replaced_by is None and each.status not in TERMINAL]
        return replace(_together(report, before), old_quantity=max(works, default=None))

    async def _instead(self, report: Report, urgency: Urgency) -> str | None:
        """Which order counts in its place. That it is to replace another one ends nothing: where that one is filled
        before, or its venue does not take the new one, the old one is the order again."""
        if report.replaced_by is not None:
            return report.replaced_by
        if report.reason == wire.REASONS[wire.REPLACED]:
            told = f"{self.id} says that order {report.broker_id} was replaced, and not by which"
            raise PastUnknown(told, await self._whole(report, urgency))
        if report.replaces is None or report.status not in UNTAKEN or report.filled:
            return None
        before = await self._known(report.replaces, urgency)
        return None if before is None or before.replaced_by == report.broker_id else before.broker_id

    async def _chain(self, order: Reference) -> tuple[set[str], Decimal]:
        """Broker's ids of an order and of all that it takes the place of, as far as Alpaca tells of them, and what is
        filled of them together."""
        if order.broker_id is None:
            return set(), ZERO
        found = await self._known(order.broker_id)
        before, _ = await self._before(found.replaces if found else None)
        filled = total_of([found.filled if found else ZERO, *(each.filled for each in before)])
        return {order.broker_id, *(each.broker_id for each in before)}, filled

    async def _before(self, id: str | None, urgency: Urgency = Urgency.READ) -> tuple[list[Report], str | None]:
        """An order that is replaced, or is about to be, and those before it; and why Alpaca tells of no more of them,
        where it refuses to."""
        found: list[Report] = []
        while id is not None and len(found) < CHAIN:
            try:
                report = await self._known(id, urgency)
            except KeyRefused:
                raise
            except BrokerRefused as error:
                # Of the one that took its place it does tell: that one is not lost.
                return found, f"{self.id} tells nothing of order {id}, which was replaced: {error}"
            if report is None:
                break
            found.append(report)
            id = report.replaces
        return found, None

    async def _known(self, id: str, urgency: Urgency = Urgency.READ) -> Report | None:
        """By Alpaca's id; of one that was replaced nothing changes any more."""
        past = self._link.past
        if id in past:
            return past[id]
        found = await self._order(wire.by_id(id, self._secrets), urgency)
        if found is not None and found.replaced_by is not None:
            if len(past) >= MOST_PAST:
                past.clear()
            past[id] = found
        return found

    async def _broker_id(self, order: Reference, urgency: Urgency) -> str:
        if order.broker_id is not None:
            return order.broker_id
        found = await self._fields(wire.by_client_id(order.client_id, self._secrets), urgency)
        if found is None:
            raise BrokerRefused(f"{self.id} knows no order {order.client_id}")
        # Whatever its status is, it can be cancelled.
        return found.text("id")

    async def _order(self, sending: Sending, urgency: Urgency) -> Report | None:
        found = await self._fields(sending, urgency)
        return None if found is None else wire.parse_order(found)

    async def _fields(self, sending: Sending, urgency: Urgency) -> Fields | None:
        """An order as it is told; None where there is none."""
        answer = await self._ask(sending, urgency)
        gone = answer.status == GONE and _said(answer) is not None
        return None if gone else _object(self._taken(answer))

    async def _ask(self, sending: Sending, urgency: Urgency) -> Answer:
        share = {self._share: 1} if urgency is Urgency.READ else {}
        answer = await self._link.ask(sending, {self._bucket: 1} | share, urgency)
        left = answer.headers.get("x-ratelimit-remaining", "")
        if left.isascii() and left.isdigit() and len(left) < 9:
            self._link.pace.left(self._bucket, float(left))
        if answer.status in LIMITED:
            # It counts each key for itself; what stands between us and it counts us all.
            raise self._link.rest(answer, None if _said(answer) is None else self._bucket)
        if answer.status == BARRED and _said(answer) is None:
            self._link.rest(answer, self._share)
        return answer

    def _taken(self, answer: Answer) -> Answer:
        """The answer where it is a yes."""
        if answer.status in (200, 201, 204, 207):
            return answer
        said = _said(answer)
        if said is None or answer.status == LATE or not 400 <= answer.status < 500:
            raise OutcomeUnknown(f"{self.id} answered with status {answer.status}")
        if answer.status == 401 or (answer.status == 403 and said in REVOKED):
            raise KeyRefused(f"{self.id} does not take the key: {said}")
        if TAKEN in said:
            raise OutcomeUnknown(f"{self.id}: {said}")
        raise BrokerRefused(said)


def _together(report: Report, before: Sequence[Report]) -> Report:
    """An order's report that counts what was filled of those before it, in what it is filled by and in its size."""
    filled = total_of([each.filled for each in before])
    size = None if report.quantity is None else total_of([report.quantity, filled])
    return replace(report, quantity=size, filled=total_of([report.filled, filled]))


def _object(answer: Answer) -> Fields:
    return Fields(answer.json(), answer.where)


def _said(answer: Answer) -> str | None:
    """The broker's words; None where it is not the broker that speaks, but something between."""
    try:
        body: Any = decode(answer.content, answer.where)
    except OutcomeUnknown:
        body = None
    message = body.get("message") if isinstance(body, dict) else None
    return words(message) if isinstance(message, str) and message else None
