"""The outbox of mails: put in with the change that wants them, sent after it, tried again until it works."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from gateway.core.contract import Host, Sealed
from gateway.core.ports import Mail, MailFailed, MailTransport
from gateway.core.store import Tx, new_id
from plugins.accounts.mail.store import MailRow, Mails

AT_ONCE = 10
LONGEST_SEND = 45.0
"""Seconds; shorter than the first wait, so that nobody else takes a mail up while it is on its way."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
GIVEN_UP = timedelta(days=5)
KEPT = timedelta(days=30)
"""How long it is kept that a mail was sent."""

log = structlog.get_logger(__name__)


class BadMail(ValueError):
    """A recipient or subject that would change the head of the message."""


def wait_after(attempts: int) -> timedelta:
    """From the beginning of an attempt to the next one."""
    return min(FIRST_WAIT * (1 << min(attempts - 1, 20)), LONGEST_WAIT)


class Outbox:
    """Serves `Mailer`; its worker runs in every process, and no two send the same attempt of a mail."""

    def __init__(self, host: Host) -> None:
        self._host, self._mails, self._warned = host, Mails(), False

    async def send(self, tx: Tx, mail: Mail) -> None:
        """See `Mailer`."""
        if any(not character.isprintable() for character in mail.to + mail.subject):
            raise BadMail("a mail's recipient and subject are one line each")
        now = self._host.clock.now()
        row = MailRow(
            id=new_id("mail"), recipient=mail.to, subject=mail.subject, sealed_text=self._host.vault.encrypt(mail.text),
            created_at=now, due_at=now, attempts=0, sent_at=None, failed_at=None, last_error=None,
        )  # fmt: skip
        await self._mails.add(tx, row)

    async def deliver(self) -> None:
        """Send what is due."""
        host, transport = self._host, self._host.services.get(MailTransport)
        while True:
            async with host.store.read() as tx:
                if not await self._mails.due(tx, host.clock.now()):
                    return
            if transport is None and not host.settings.development:
                self._warn()
                return
            claimed = await self._claim()
            await asyncio.gather(*(self._attempt(transport, row) for row in claimed))
            if len(claimed) < AT_ONCE:
                return

    async def tidy(self) -> None:
        """Forget mails of long ago."""
        async with self._host.store.write() as tx:
            await self._mails.tidy(tx, self._host.clock.now() - KEPT)

    def _warn(self) -> None:
        if not self._warned:
            self._warned = True
            log.warning("mails_wait", reason="MARKETGATE_SMTP_URL is not set: mails wait in the outbox until it is")

    async def _claim(self) -> list[MailRow]:
        async with self._host.store.write() as tx:
            now = self._host.clock.now()
            claimed = await self._mails.claim(tx, now, AT_ONCE)
            for row in claimed:
                await self._mails.attempted(tx, row.id, row.attempts + 1, now + wait_after(row.attempts + 1))
        return claimed

    async def _attempt(self, transport: MailTransport | None, row: MailRow) -> None:
        now, host = self._host.clock.now(), self._host
        late = now - row.created_at >= GIVEN_UP
        try:
            if late:
                raise MailFailed("it is older than five days", for_good=True)
            await self._hand_over(transport, row)
        except MailFailed as failure:
            log.warning("mail_not_sent", mail=row.id, attempt=row.attempts + 1, reason=str(failure))
            async with host.store.write() as tx:
                await self._mails.failed(tx, row.id, str(failure), now if failure.for_good else None)
        else:
            async with host.store.write() as tx:
                await self._mails.sent(tx, row.id, now)

    async def _hand_over(self, transport: MailTransport | None, row: MailRow) -> None:
        try:
            mail = Mail(to=row.recipient, subject=row.subject, text=self._host.vault.decrypt(row.sealed_text))
        except Sealed as error:
            raise MailFailed(str(error)) from None
        if transport is None:
            # The developer's console stands in for the mail server: links are followed from here.
            log.info("mail", to=mail.to, subject=mail.subject, text=mail.text)
            return
        try:
            async with asyncio.timeout(LONGEST_SEND):
                await transport.deliver(mail, row.id)
        except TimeoutError:
            raise MailFailed(f"the mail server took longer than {LONGEST_SEND:g} s") from None
