"""A receiver of webhooks on loopback: as little HTTP as it takes, and any behaviour by path."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

HANG = b""
"""An answer that never comes."""


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """A whole one."""
    lines = [f"HTTP/1.1 {status} told", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


OK = answer(204)


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float
    """The loop's time."""

    @property
    def id(self) -> str:
        """The event's."""
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """Answers by path; a path that has no answers takes everything."""

    answers: dict[str, list[bytes]] = field(default_factory=dict)
    """In turn; the last one stays."""
    got: list[Got] = field(default_factory=list)
    on_got: Callable[[Got], None] | None = None
    port: int = 0
    keeps: bool = True
    most_waiting: dict[str, int] = field(default_factory=dict)
    now_waiting: dict[str, int] = field(default_factory=dict)

    def url(self, path: str = "/") -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}{path}"

    def ids(self, path: str) -> list[str]:
        """Of the events that came to a path."""
        return [each.id for each in self.got if each.path == path]

    def next_answer(self, path: str) -> bytes:
        """To one request."""
        planned = self.answers.get(path)
        if not planned:
            return OK
        return planned.pop(0) if len(planned) > 1 else planned[0]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._one(head, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _one(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = head.decode().split("\r\n")[:-2]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        path = first.split(" ")[1]
        got = Got(path=path, headers=headers, body=body, at=asyncio.get_running_loop().time())
        if self.keeps:
            self.got.append(got)
        if self.on_got is not None:
            self.on_got(got)
        self.now_waiting[path] = self.now_waiting.get(path, 0) + 1
        self.most_waiting[path] = max(self.most_waiting.get(path, 0), self.now_waiting[path])
        try:
            reply = self.next_answer(path)
            if reply is HANG:
                await reader.read()
            writer.write(reply)
            await writer.drain()
        finally:
            self.now_waiting[path] -= 1


@asynccontextmanager
async def listening(receiver: Receiver | None = None, port: int = 0) -> AsyncIterator[Receiver]:
    """For as long as the block."""
    receiver = receiver or Receiver()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        with suppress(asyncio.CancelledError):
            await receiver.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=2_048)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
