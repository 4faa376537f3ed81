"""Orders that work at brokers for an organisation that is erased: cancelled before nobody knows of them any more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

import structlog

from gateway.core.clock import Clock
from gateway.core.contract import Host
from gateway.core.matching.lifecycle import TERMINAL
from gateway.core.store import Tx
from plugins.trading.brokers.catalog import Brokers
from plugins.trading.brokers.course import next_client_id, reference, references
from plugins.trading.brokers.pacing import Urgency
from plugins.trading.brokers.port import (
    AnswerUnreadable,
    Broker,
    BrokerBusy,
    BrokerRefused,
    BrokerTrouble,
    KeyRefused,
    Reference,
    Report,
)
from plugins.trading.brokers.reconciling import GIVEN_UP, GIVEN_UP_FOR
from plugins.trading.brokers.store import LiveDirectory
from plugins.trading.rows import AccountRow, OrderRow
from schema.words.orders import OrderStatus

WITHIN_S = 5.0
"""For so long the transaction that erases waits for brokers, and no longer: on SQLite nobody else writes meanwhile."""
AT_ONCE = 8
"""Orders of one account that are cancelled together."""
A_MOMENT_S = 0.05
"""For so long more than a broker's limits call for it is waited: clocks are not exact."""
UNANSWERED = "no answer came in time"

LOG = structlog.get_logger(__name__)


T = TypeVar("T")


class _Patient:
    """A broker whose limits are waited for, where that is in time; BrokerBusy where it is not."""

    def __init__(self, broker: Broker, clock: Clock, until: float) -> None:
        self._broker, self._clock, self._until = broker, clock, until

    async def cancel(self, order: Reference) -> None:
        await self._soon(lambda: self._broker.cancel(order))

    async def find(self, order: Reference) -> Report | None:
        return await self._soon(lambda: self._broker.find(order, Urgency.CANCEL))

    async def check_owner(self, account: AccountRow) -> None:
        """BrokerTrouble where it does not say that the key is of this account: what is not found may be in it."""
        came = await self._soon(lambda: self._broker.owner(Urgency.CANCEL))
        if account.broker_account not in (None, came):
            raise BrokerRefused(
                f"{self._broker.id} does not say that the key is of its account {account.broker_account}"
            )

    async def _soon(self, ask: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await ask()
            except BrokerBusy as error:
                pause = error.after + A_MOMENT_S
                if self._clock.monotonic() + pause >= self._until:
                    raise
            await self._clock.sleep(pause)


async def cancel_open(host: Host, tx: Tx, tenant: str) -> None:
    """All open orders of an organisation, and those that were given up and have come to its brokers since, as far as
    these take that in time; what may go on there is told in the log."""
    accounts = await LiveDirectory().of(tx, tenant)
    rows = [*await LiveDirectory().open(tx, tenant), *await _given_up(host, tx, accounts)]
    by_account = dict[str, list[OrderRow]]()
    for row in rows:
        by_account.setdefault(row.account_id, []).append(row)
    some = [account for account in accounts if account.id in by_account]
    brokers = {account.id: account.broker for account in some}
    left, until = {row.id: UNANSWERED for row in rows}, host.clock.monotonic() + WITHIN_S
    with suppress(TimeoutError):
        async with asyncio.timeout(WITHIN_S):
            await asyncio.gather(*(_cancel(host, each, by_account[each.id], left, until) for each in some))
    for row in rows:
        if row.id in left:
            LOG.error(
                "broker_order_left", tenant=tenant, broker=brokers.get(row.account_id), order=row.id,
                at_broker=row.broker_order_id, reason=left[row.id],
            )  # fmt: skip


async def _given_up(host: Host, tx: Tx, accounts: Sequence[AccountRow]) -> list[OrderRow]:
    since = host.clock.now() - GIVEN_UP_FOR
    found = [await LiveDirectory().ended(tx, each, GIVEN_UP, since) for each in accounts]
    return [row for rows in found for row in rows]


async def _cancel(
    host: Host, account: AccountRow, rows: Sequence[OrderRow], left: dict[str, str], until: float
) -> None:  # fmt: skip
    """Of one account, some together; what its broker takes note of is *left* no more. After a trouble that is not of
    one order no other is begun."""
    waiting = iter(rows)
    try:
        found = await host.service(Brokers).by_key(account.tenant_id, account.broker)
    except BrokerTrouble as error:
        left.update({row.id: str(error) for row in waiting})
        return
    broker = _Patient(found, host.clock, until)

    async def some() -> None:
        for row in waiting:
            try:
                await _cancel_one(broker, row)
                if not row.open:
                    await broker.check_owner(account)
                del left[row.id]
            except BrokerTrouble as error:
                left[row.id] = str(error)
                if isinstance(error, KeyRefused) or not isinstance(error, (BrokerRefused, AnswerUnreadable)):
                    left.update({each.id: str(error) for each in waiting})

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


async def _cancel_one(broker: _Patient, row: OrderRow) -> None:
    """An order; of one that may have been replaced, either; one that was given up where it has come."""
    if row.status != OrderStatus.PENDING_REPLACE:
        for which in [reference(row)] if row.open else references(row):
            if not row.open and await _is_gone(broker, which):
                continue
            refused = await _refusal(broker, which)
            if refused is not None and not await _is_over(broker, which):
                raise refused
        return
    other = replace(reference(row), client_id=next_client_id(row), broker_id=None)
    refused = await _refusal(broker, reference(row))
    untaken = await _refusal(broker, other)
    if refused is None:
        return
    if untaken is not None:
        raise refused
    found = await broker.find(other)
    if found is not None and found.broker_id == row.broker_order_id and found.status not in TERMINAL:
        # What was to replace it did not, and it works on.
        raise refused


async def _is_gone(broker: _Patient, order: Reference) -> bool:
    """Whether the broker knows no such order, or says that it has ended."""
    found = await broker.find(order)
    return found is None or found.status in TERMINAL


async def _is_over(broker: _Patient, order: Reference) -> bool:
    """Whether the broker says that it has ended."""
    try:
        found = await broker.find(order)
    except KeyRefused:
        raise
    except (BrokerRefused, AnswerUnreadable):
        return False
    return found is not None and found.status in TERMINAL


async def _refusal(broker: _Patient, order: Reference) -> BrokerRefused | None:
    """Why it is not cancelled; None where it is."""
    try:
        await broker.cancel(order)
    except KeyRefused:
        raise
    except BrokerRefused as error:
        return error
    return None
