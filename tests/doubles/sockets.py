"""A real WebSocket server on loopback: what it says is scripted, and how it fails is dialled in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.doubles.clocks import settle

Script = Callable[["Talk"], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Faults:
    """Every so many frames that the venue sends: one is left out, sent twice, replaced by garbage, or the last."""

    skip_every: int = 0
    repeat_every: int = 0
    garbage_every: int = 0
    drop_every: int = 0


@dataclass(eq=False)
class Talk:
    """One connection, from the venue's side."""

    path: str
    headers: dict[str, str]
    socket: web.WebSocketResponse
    faults: Faults
    received: list[Any] = field(default_factory=list)
    pongs: int = 0
    mute: bool = False
    """It does not answer pings."""
    sent: int = 0
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, *frames: Any) -> None:
        """Texts and bytes as they are, everything else as JSON; the faults are applied here."""
        for frame in frames:
            self.sent += 1
            if self._is(self.faults.drop_every):
                await self.abort()
                return
            if self._is(self.faults.skip_every):
                continue
            if self._is(self.faults.garbage_every):
                frame = "}garbage{"
            for _ in range(2 if self._is(self.faults.repeat_every) else 1):
                await self._send(frame)

    async def send_surely(self, frame: Any) -> None:
        """One frame, whatever the faults."""
        await self._send(frame)

    def _is(self, every: int) -> bool:
        return every > 0 and self.sent % every == 0

    async def _send(self, frame: Any) -> None:
        if isinstance(frame, bytes):
            await self.socket.send_bytes(frame)
        else:
            await self.socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))

    async def wait(self, count: int) -> list[Any]:
        """Everything that was received, as soon as it is that many."""
        async with asyncio.timeout(10):
            while len(self.received) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return self.received

    async def ping(self) -> None:
        await self.socket.ping(b"are you there")

    async def close(self, code: int = 1000) -> None:
        await self.socket.close(code=code)

    async def abort(self) -> None:
        """Gone without a word."""
        transport = self.socket._req.transport if self.socket._req else None
        if transport is not None:
            transport.abort()

    async def listen(self) -> None:
        async for message in self.socket:
            if message.type is WSMsgType.PONG:
                self.pongs += 1
            elif message.type is WSMsgType.PING and not self.mute:
                await self.socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self.received.append(_value(message.data))
            elif message.type is WSMsgType.BINARY:
                self.received.append(message.data)
            self._arrived.set()


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


class SocketVenue:
    """Serves every connection with one script; `refusals` are statuses for the next handshakes.

    Other requests are answered by `answer`, where there is one.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self.answer: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
        self.faults = Faults()
        self.refusals: list[tuple[int, dict[str, str]]] = []
        self.talks: list[Talk] = []
        self.url = ""
        self._arrived = asyncio.Event()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if self.refusals:
            status, headers = self.refusals.pop(0)
            return web.Response(status=status, headers=headers)
        if self.answer is not None and "upgrade" not in request.headers:
            return await self.answer(request)
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        talk = Talk(str(request.rel_url), dict(request.headers), socket, self.faults)
        self.talks.append(talk)
        self._arrived.set()
        script = asyncio.create_task(self._run(talk))
        try:
            await talk.listen()
        finally:
            talk.over.set()
            script.cancel()
            await asyncio.gather(script, return_exceptions=True)
        return socket

    async def _run(self, talk: Talk) -> None:
        with suppress(ConnectionError):
            await self._script(talk)

    async def talk(self, number: int) -> Talk:
        """The connection of that number (from 0), as soon as it is there."""
        async with asyncio.timeout(10):
            while len(self.talks) <= number:
                self._arrived.clear()
                await self._arrived.wait()
        return self.talks[number]

    @property
    def alive(self) -> int:
        return sum(not talk.over.is_set() for talk in self.talks)


@asynccontextmanager
async def socket_venue(script: Script) -> AsyncIterator[SocketVenue]:
    """The server on a free port of loopback; at the end nobody may be connected any more."""
    venue = SocketVenue(script)
    app = web.Application()
    app.router.add_get("/{path:.*}", venue.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server = site._server
    assert server is not None
    venue.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"  # type: ignore[attr-defined]
    try:
        yield venue
        await settle()
    finally:
        await runner.cleanup()
