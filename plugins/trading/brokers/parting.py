"""Orders that were given up here are asked for once more, before their account is deleted and nobody asks any more."""

from __future__ import annotations

from dataclasses import replace

import structlog

from gateway.core.contract import Host
from gateway.core.matching.lifecycle import TERMINAL
from plugins.trading.brokers.catalog import Brokers
from plugins.trading.brokers.course import references
from plugins.trading.brokers.pacing import Urgency
from plugins.trading.brokers.port import Broker, BrokerRefused, BrokerTrouble, KeyRefused, Reference
from plugins.trading.brokers.reconciling import GIVEN_UP, GIVEN_UP_FOR
from plugins.trading.brokers.settling import Settler
from plugins.trading.brokers.store import LiveDirectory
from plugins.trading.rows import AccountRow, OrderRow
from schema.words.problems import Refused

LOG = structlog.get_logger(__name__)


class Parting:
    """One a process."""

    def __init__(self, host: Host) -> None:
        self._host, self._settler = host, Settler(host)

    async def check(self, account: AccountRow) -> None:
        """What has come to the account's broker since is cancelled there, and booked as far as it is filled; Refused
        ACCOUNT_NOT_EMPTY where the broker has it still, or does not say."""
        since = self._host.clock.now() - GIVEN_UP_FOR
        async with self._host.store.read() as tx:
            rows = await LiveDirectory().ended(tx, account, GIVEN_UP, since)
        for row in rows:
            try:
                broker = await self._host.service(Brokers).of(account, Urgency.CANCEL)
                gone = [await self._gone(broker, row, each) for each in references(row)]
            except BrokerTrouble as error:
                told = f"Whether the order {row.id}, which had ended here, works is not known: {error}"
                again = "Try again in a few minutes."
                if isinstance(error, KeyRefused) and row.ended_at is not None:
                    again = f"Without that it is deleted from {row.ended_at + GIVEN_UP_FOR:%Y-%m-%d %H:%M} UTC on."
                raise Refused("ACCOUNT_NOT_EMPTY", f"{told}. {again}", "id") from None
            if not all(gone):
                told = f"The account has the order {row.id}, which had ended here and which {broker.id} has still"
                raise Refused("ACCOUNT_NOT_EMPTY", f"{told}: try again in a few minutes.", "id")

    async def _gone(self, broker: Broker, row: OrderRow, which: Reference) -> bool:
        """Whether its broker has none, or has ended it and told all that is filled of it."""
        report = await broker.find(which, Urgency.CANCEL)
        if report is not None and report.status not in TERMINAL:
            try:
                await broker.cancel(replace(which, broker_id=report.broker_id))
            except KeyRefused:
                raise
            except BrokerRefused as error:
                # It is too late: how it stands decides.
                LOG.info("broker_cancel_refused", broker=broker.id, order=row.id, reason=str(error))
            report = await broker.find(which, Urgency.CANCEL)
        if report is None:
            return True
        if report.filled:
            await self._settler.learn(broker, row, report)
        return report.status in TERMINAL and row.id not in self._settler.waiting
