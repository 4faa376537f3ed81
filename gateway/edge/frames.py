"""Text frames of WebSocket as they are written, made once for all sockets that get the same message.

RFC 6455, section 5: a server's frames are not masked, so the same bytes serve every client.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from struct import pack
from typing import Any, Protocol, cast

import orjson
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from gateway.edge.wake import Wake

EXTENSION = "marketgate.frames"
"""In the scope of a socket: its `FrameWriter`."""
_TEXT = 0x81
_SHORT, _MEDIUM = 126, 65_536
HIGH_WATER = 32 * 1024
"""Bytes that wait in a socket's own buffer before its readers are slow ones."""

CLOSE = (b"connection", b"close")
GOING_AWAY = 1001
AWAY = "This process is going away: connect again"
UNREAD_S = 2.0
"""How long a client may take to read what was written before it was told."""
SEND_BUFFER = 64 * 1024
"""Bytes that the machine holds for a client that does not read (it takes twice as much)."""


class FrameWriter(Protocol):
    """Writes frames at once, where the client reads."""

    @property
    def open(self) -> bool:
        """Whether the client may still get something."""

    @property
    def free(self) -> bool:
        """Whether the client has read most of what was written."""

    def write(self, frame: bytes) -> None:
        """Hand a frame to the socket."""

    def on_free(self, call: Callable[[], None]) -> Callable[[], None]:
        """Call back whenever the socket takes more again, and when it is gone; the answer ends it."""


class Inbox:
    """As much of `asyncio.Queue` as the protocol uses, at a tenth of its memory: one task takes what has come."""

    __slots__ = ("_events", "_wake")

    def __init__(self) -> None:
        self._events: list[Any] = []
        self._wake = Wake()

    def put_nowait(self, event: Any) -> None:
        """For whoever waits."""
        self._events.append(event)
        self._wake.set()

    def empty(self) -> bool:
        """Whether nothing is there."""
        return not self._events

    async def get(self) -> Any:
        """The next one, as soon as it is there."""
        while not self._events:
            self._wake.clear()
            await self._wake.wait()
        return self._events.pop(0)


class FramesProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol with a way for frames that are ready."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.queue = Inbox()  # type: ignore[assignment]
        # A process that drains closes plain connections; a socket is one that is upgraded.
        self.default_headers = [each for each in self.default_headers if each != CLOSE]
        self._calls: list[Callable[[], None]] = []
        self._pong = b""

    @property
    def open(self) -> bool:
        """See `FrameWriter`."""
        return self.handshake_complete and not (self.close_sent or self.disconnected or self.transport.is_closing())

    @property
    def free(self) -> bool:
        """See `FrameWriter`."""
        return self.writable.is_set()

    def write(self, frame: bytes) -> None:
        """See `FrameWriter`."""
        self.transport.write(frame)

    def on_free(self, call: Callable[[], None]) -> Callable[[], None]:
        """See `FrameWriter`."""
        self._calls.append(call)
        return lambda: self._calls.remove(call)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Slow readers show early, and hold little of the machine's memory: its own limit is megabytes a socket."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=HIGH_WATER)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

    def start_keepalive(self) -> None:
        """Once the handshake is done; what it took is of no more use, and the parser would hold it for ever."""
        super().start_keepalive()
        for message in (self.request, self.response):
            message.headers.clear()
        self.request = self.response = None  # type: ignore[assignment]

    def handle_ping(self) -> None:
        """Who pings and does not read gets the last pong once it reads: RFC 6455, 5.5.3, lets the others be."""
        pong = b"".join(self.conn.data_to_send())
        if self.free:
            self.transport.write(pong)
        else:
            self._pong = pong

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        if self._pong and self.open:
            self.transport.write(self._pong)
        self._pong = b""
        self._tell()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        super().connection_lost(exc)
        self._tell()

    def shutdown(self) -> None:
        """This process goes away: its clients are told so, and go on elsewhere; who does not read is not waited for.

        uvicorn says 1012, "restarting": come back to the same place.
        """
        if self.close_sent or not self.handshake_complete or self.disconnected:
            super().shutdown()
            return
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": GOING_AWAY})
        self.conn.send_close(GOING_AWAY, AWAY)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()
        self._abandon()

    def handle_close(self, event: Any) -> None:
        """The client closes."""
        super().handle_close(event)
        self._abandon()

    def handle_parser_exception(self) -> None:
        """The client breaks the protocol."""
        super().handle_parser_exception()
        self._abandon()

    async def run_asgi(self) -> None:
        """With the writer in the scope; after its end the client has a moment to read what it was told."""
        extensions: dict[str, Any] = cast(Any, self.scope).setdefault("extensions", {})
        extensions[EXTENSION] = self
        try:
            await super().run_asgi()
        finally:
            self._abandon()

    def _abandon(self) -> None:
        """A transport that is closed waits for a client that does not read, for ever."""
        if not self.disconnected:
            self.loop.call_later(UNREAD_S, self.transport.abort)

    def _tell(self) -> None:
        for call in tuple(self._calls):
            call()


def head_of(operation_id: str) -> bytes:
    """What stands before the payload in each `next` message of an operation."""
    return b"".join((b'{"id":', orjson.dumps(operation_id), b',"type":"next","payload":'))


def next_frame(head: bytes, payload: bytes) -> bytes:
    """The frame of a `next` message of graphql-transport-ws."""
    size = len(head) + len(payload) + 1
    if size < _SHORT:
        length = pack("!BB", _TEXT, size)
    elif size < _MEDIUM:
        length = pack("!BBH", _TEXT, _SHORT, size)
    else:
        length = pack("!BBQ", _TEXT, _SHORT + 1, size)
    return b"".join((length, head, payload, b"}"))


def next_text(head: bytes, payload: bytes) -> bytes:
    """The message itself."""
    return b"".join((head, payload, b"}"))
