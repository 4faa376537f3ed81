"""The way to a mail server, and the only module that imports the SMTP client."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from gateway.core.clock import Clock
from gateway.core.ports import Mail, MailFailed

SECONDS = 20.0
"""For any one step of the exchange."""
_SHOWN = 200
_LONG = re.compile(r"[\w+/=-]{20,}")
_PERMANENT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mails are handed over, and how the way there is kept private."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    """TLS from the first byte."""
    start_tls: bool | None = None
    """Switch to TLS: always, never, or (None) where the server offers it."""


def mail_server(url: str) -> MailServer:
    """Read `smtps://user:password@host:465` or `smtp://host:587`; a password never leaves this machine in clear."""
    parts = urlsplit(url)
    host, tls = parts.hostname or "localhost", parts.scheme == "smtps"
    port = parts.port or (465 if tls else 587)
    needs_tls = port == 587 or parts.password is not None
    return MailServer(
        host=host,
        port=port,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        tls=tls,
        start_tls=False if tls or _is_loopback(host) else (True if needs_tls else None),
    )


class Smtp:
    """Serves `MailTransport`: one connection a mail, nothing kept open."""

    def __init__(self, url: str, sender: str, clock: Clock) -> None:
        self.server, self._sender, self._clock = mail_server(url), sender, clock

    async def deliver(self, mail: Mail, mail_id: str) -> None:
        """See `MailTransport`."""
        from aiosmtplib import SMTP as Client
        from aiosmtplib import SMTPException, SMTPRecipientRefused, SMTPRecipientsRefused

        server = self.server
        client = Client(
            hostname=server.host, port=server.port, username=server.user, password=server.password,
            use_tls=server.tls, start_tls=server.start_tls, timeout=SECONDS,
            # The default would ask a name server for this machine's name.
            local_hostname=self._domain,
        )  # fmt: skip
        try:
            message = self._message(mail, mail_id)
            async with client:
                await client.send_message(message)
        except SMTPRecipientsRefused as refused:
            codes = [each.code for each in refused.recipients if isinstance(each, SMTPRecipientRefused)]
            raise MailFailed(_told(refused), for_good=bool(codes) and min(codes) >= _PERMANENT) from None
        except (SMTPException, OSError, ValueError) as error:
            raise MailFailed(_told(error)) from None

    @property
    def _domain(self) -> str:
        return parseaddr(self._sender)[1].partition("@")[2] or "localhost"

    def _message(self, mail: Mail, mail_id: str) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = self._sender
        try:
            message["To"], message["Subject"] = _ascii_domain(mail.to), mail.subject
        except ValueError as error:
            raise MailFailed(f"the head of the message is not valid ({error})", for_good=True) from None
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{mail_id}@{self._domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        return message


def _ascii_domain(address: str) -> str:
    """A domain with letters of other alphabets as mail servers know it."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode()}"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _told(error: Exception) -> str:
    """What the server said, without what it may have quoted of the mail: links that sign in are long."""
    return _LONG.sub("***", f"{type(error).__name__}: {error}")[:_SHOWN]
