"""Orders that work at brokers for an organisation that is erased: cancelled before nobody knows of them any more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby

import structlog

from gateway.core.contract import Host
from gateway.core.store import Tx
from plugins.trading.accounts.store import AccountStore
from plugins.trading.brokers.catalog import Brokers
from plugins.trading.brokers.course import reference
from plugins.trading.brokers.port import BrokerRefused, BrokerTrouble, KeyRefused
from plugins.trading.brokers.store import LiveDirectory
from plugins.trading.rows import OrderRow

WITHIN_S = 10.0
"""For so long the transaction that erases waits for brokers, and no longer."""
UNANSWERED = "no answer came in time"

LOG = structlog.get_logger(__name__)


async def cancel_open(host: Host, tx: Tx, tenant: str) -> None:
    """All open orders of an organisation, as far as its brokers take that in time; what may go on there is told in the
    log."""
    rows = await LiveDirectory().open(tx, tenant)
    by_account = {id: list(each) for id, each in groupby(rows, key=lambda row: row.account_id)}
    held = [await AccountStore().find(tx, tenant, id) for id in by_account]
    brokers = {row.id: row.broker for row in held if row is not None}
    left = {row.id: UNANSWERED for row in rows}
    with suppress(TimeoutError):
        async with asyncio.timeout(WITHIN_S):
            await asyncio.gather(*(_cancel(host, brokers[id], by_account[id], left) for id in brokers))
    for row in rows:
        if row.id in left:
            LOG.error(
                "broker_order_left", tenant=tenant, broker=brokers.get(row.account_id), order=row.id,
                at_broker=row.broker_order_id, reason=left[row.id],
            )  # fmt: skip


async def _cancel(host: Host, broker_id: str, rows: Sequence[OrderRow], left: dict[str, str]) -> None:
    """Of one account; what its broker takes note of is *left* no more. A trouble that is not of one order ends it."""
    try:
        broker = await host.service(Brokers).by_key(rows[0].tenant_id, broker_id)
        for row in rows:
            try:
                await broker.cancel(reference(row))
                del left[row.id]
            except KeyRefused:
                raise
            except BrokerRefused as error:
                left[row.id] = str(error)
    except BrokerTrouble as error:
        left.update({row.id: str(error) for row in rows if left.get(row.id) == UNANSWERED})
