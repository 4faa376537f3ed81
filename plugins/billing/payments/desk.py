"""Sends invoices to the payment provider, and takes its word for what was paid."""

from __future__ import annotations

from datetime import timedelta

import structlog

from gateway.core.contract import Host
from gateway.core.payments import Bill, BillLine, PaymentFailed, PaymentNews, PaymentPort
from gateway.core.ports import Audit
from plugins.billing.invoices.desk import system_act
from plugins.billing.invoices.store import InvoiceDirectory, InvoiceRows
from plugins.billing.payments.store import DueRow, SendingDirectory

SEND_S = 60.0
MOST_AT_ONCE = 50
FIRST_PAUSE = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(days=1)
ACTOR = "payment provider"

log = structlog.get_logger(__name__)


class PaymentDesk:
    """Only where a payment provider is configured, and for tenants that set it up."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._sending, self._invoices, self._rows = SendingDirectory(), InvoiceDirectory(), InvoiceRows()

    @property
    def port(self) -> PaymentPort | None:
        """The payment provider; None where there is none."""
        found: PaymentPort | None = self._host.services.get(PaymentPort)
        return found

    async def send_due(self) -> None:
        """Send what is open and not there yet."""
        port = self.port
        if port is None:
            return
        async with self._host.store.read() as tx:
            due = await self._sending.due(tx, self._host.clock.now(), MOST_AT_ONCE)
        for row in due:
            await self._send(port, row)

    async def _send(self, port: PaymentPort, row: DueRow) -> None:
        pause = min(FIRST_PAUSE * 2 ** min(row.send_attempts, 10), LONGEST_PAUSE)
        async with self._host.store.write() as tx:
            if not await self._sending.claim(tx, row.id, row.send_attempts, self._host.clock.now() + pause):
                return
            lines = await self._rows.lines(tx, row.tenant_id, [row.id])
        bill = Bill(
            id=row.id, number=row.number, customer=row.customer_id, currency=row.currency,
            lines=[BillLine(id=line.id, description=line.description, amount=line.amount) for line in lines],
            attempt=row.send_attempts + 1,
        )  # fmt: skip
        try:
            external = await port.send(bill)
        except PaymentFailed as failed:
            log.warning("invoice_not_sent", invoice=row.id, attempt=bill.attempt, reason=str(failed))
            async with self._host.store.write() as tx:
                await self._sending.failed(tx, row.id, str(failed))
            return
        async with self._host.store.write() as tx:
            found = await self._invoices.lock(tx, row.id)
            if found is not None and await self._sending.sent(tx, row.id, external):
                await self._host.service(Audit).record(tx, system_act(found, "invoice.sent", {"external": external}))

    async def learn(self, news: PaymentNews) -> bool:
        """Whether the news changed an invoice: it may come twice, late, or about what is not ours."""
        async with self._host.store.write() as tx:
            row = await self._invoices.lock(tx, news.invoice)
            if row is None or row.external_id not in (None, news.external):
                log.warning("payment_news_without_invoice", invoice=news.invoice, external=news.external)
                return False
            await self._sending.sent(tx, row.id, news.external)
            if not await self._invoices.settle(tx, row.id, news.status, self._host.clock.now()):
                return False
            act = system_act(row, "invoice.settled", {"status": news.status, "external": news.external}, ACTOR)
            await self._host.service(Audit).record(tx, act)
        return True
