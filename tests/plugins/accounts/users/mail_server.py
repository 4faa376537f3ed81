"""A mail server that speaks SMTP on a socket, keeps what it is given, and says no where it is told to."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class MailServer:
    """`says` maps a command to the answer that it gets in place of the usual one."""

    says: Mapping[str, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    port: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def messages(self) -> list[EmailMessage]:
        """What arrived, as a reader's program reads it."""
        read = [message_from_bytes(each, policy=policy.default) for each in self.raw]
        return [message for message in read if isinstance(message, EmailMessage)]

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        self.idle.clear()
        try:
            await self._converse(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            self.idle.set()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.says.get("hello", "220 mail.example.com ESMTP").encode() + b"\r\n")
        while line := await reader.readline():
            command, _, rest = line.decode().strip().partition(" ")
            self.commands.append(command)
            answer = self.says.get(command) or await self._answer(command, rest, reader, writer)
            writer.write(answer.encode() + b"\r\n")
            if command == "QUIT":
                return

    async def _answer(self, command: str, rest: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        if command == "EHLO":
            return "250-mail.example.com\r\n250-AUTH PLAIN\r\n250-SMTPUTF8\r\n250 8BITMIME"
        if command == "AUTH":
            self.credentials.append(base64.b64decode(rest.removeprefix("PLAIN ")).decode())
            return "235 2.7.0 welcome"
        if command == "MAIL":
            self.senders.append(rest)
        elif command == "RCPT":
            self.recipients.append(rest)
        elif command == "DATA":
            writer.write(b"354 go on\r\n")
            body = await reader.readuntil(b"\r\n.\r\n")
            self.raw.append(body.removesuffix(b".\r\n"))
            return self.says.get("end", "250 2.0.0 queued")
        return "221 bye" if command == "QUIT" else "250 2.0.0 ok"


@asynccontextmanager
async def mail_server(
    says: Mapping[str, str] | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[MailServer]:
    """Listens on a free port of this machine."""
    double = MailServer(says=says or {})
    double.idle.set()
    server = await asyncio.start_server(double.talk, "127.0.0.1", 0, ssl=tls)
    double.port = server.sockets[0].getsockname()[1]
    try:
        yield double
    finally:
        server.close()
        await double.idle.wait()
        await server.wait_closed()
