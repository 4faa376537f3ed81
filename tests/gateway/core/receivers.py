"""Receivers on loopback that answer as their owners please, and the guarded way to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from gateway.core.clock import SystemClock
from gateway.core.egress.guarded import GuardedEgress
from gateway.core.egress.port import Posted

PATIENCE = 20.0
"""A deadline that never comes."""
LOOPBACK = (ip_network("127.0.0.1/32"),)
JSON = {"content-type": "application/json"}
Answering = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Names:
    """A name server: answers of each name in turn, the last one for good."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self._answers = {name.replace("_", "."): list(found) for name, found in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        left = self._answers.get(name)
        if not left:
            raise OSError("no such name")
        return left.pop(0) if len(left) > 1 else left[0]


@asynccontextmanager
async def egress(names: Names | None = None, **facts: Any) -> AsyncIterator[GuardedEgress]:
    """127.0.0.1 may be reached and 127.0.0.2 may not, though there is a machine at both."""
    plain: dict[str, Any] = {"networks": LOOPBACK, "development": False, "clock": SystemClock()}
    made = GuardedEgress(**{**plain, "lookup": names or Names(), **facts})
    try:
        yield made
    finally:
        await made.close()
        await asyncio.sleep(0)


@asynccontextmanager
async def receiver(answering: Answering, host: str = "127.0.0.1", port: int = 0, **facts: Any) -> AsyncIterator[int]:
    """Reads one request of each connection, then does what it is told; its port."""
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with closing(writer), suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
            await reader.readexactly(length)
            await answering(writer)

    server = await asyncio.start_server(serve, host, port, **facts)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.01)


@dataclass(slots=True, kw_only=True)
class Heard:
    """What somebody who only listens has noticed."""

    port: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def listener() -> AsyncIterator[Heard]:
    """Takes everything and says nothing until the other side has hung up."""
    heard = Heard()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(ConnectionError):
            while await reader.read(65_536):
                heard.asked.set()
        heard.gone.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    heard.port = server.sockets[0].getsockname()[1]
    try:
        yield heard
    finally:
        server.close()
        await asyncio.sleep(0.01)


async def posted(way: GuardedEgress, url: str, **facts: Any) -> Posted:
    """One event."""
    plain: dict[str, Any] = {"body": b'{"a":1}', "headers": JSON, "deadline_s": PATIENCE}
    return await way.post(url, **{**plain, **facts})
