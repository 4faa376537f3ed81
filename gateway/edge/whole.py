"""Known requests answered as they arrive, whole answers in one write, heads that are whole in time.

uvicorn makes a task for every request, and two system calls and a look at every header for every answer; for a
request's head it waits as long as anything drips in.

The one module that knows the inside of uvicorn's HTTP protocol; under any other server answers go as two messages.
"""

from __future__ import annotations

import socket
from asyncio import TimerHandle
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from logging import INFO
from math import inf
from typing import Any, ClassVar, NamedTuple, Protocol

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from gateway.core.metrics import counter

EXTENSION = "marketgate.whole"
NARROW = "marketgate.narrow"
"""In the scope of a request: call it where the answer has no end, so that a client that does not read shows soon."""
SEND_BUFFER = 64 * 1024
"""Bytes that the machine then holds for it (it takes twice as much)."""
COPIED = 8_192
"""Bytes of a part up to which one buffer is cheaper than several."""

Header = tuple[bytes, bytes]
Whole = Callable[[int, bytes, Sequence[Header], Sequence[bytes]], bool]
"""Takes status, header lines that are written already, further headers and the body's parts; False where it cannot."""


class Answer(NamedTuple):
    """What `Whole` takes, and by what the request is known if the very same bytes come again."""

    status: int
    lines: bytes
    headers: Sequence[Header]
    body: Sequence[bytes]
    known: Any


class AtOnce(Protocol):
    """Answers what it knows while it is called; None for everything that must be waited for. Never raises."""

    def answered(self, scope: Any, body: bytes) -> Answer | None:
        """A request that is here as a whole."""

    def again(self, sent: Hashable) -> Answer | None:
        """The bytes of a connection's peer that were a request before."""

    def learn(self, sent: Hashable, size: int, known: Any) -> None:
        """These were a request and nothing else."""


SLICE = 16_384
"""Bytes that are read at once, so that a head is measured before it is whole."""
CRUMB = 64
"""Bytes that a piece of a head counts for at least: each costs a turn of the loop, however small it is."""
SLOW, LARGE = (408, "The head of the request was not whole in time."), (431, "The head of the request is too large.")
TURNED_AWAY = counter("marketgate_http_heads_refused", "Connections ended before a request had its head.", "reason")


class WholeProtocol(HttpToolsProtocol):
    """Offers the way in each request's scope, among the extensions; closes on whoever does not come to the point."""

    head_s: ClassVar[float] = 10.0
    """Seconds from the connection, or from the first byte of a further request, until its head must be whole."""
    most_head: ClassVar[int] = 65_536
    write_s: ClassVar[float] = 60.0
    """Seconds in which a client must take something of what waits for it."""

    _deadline: TimerHandle | None = None
    _head_bytes = 0
    _feeding = False
    _messages = 0
    """Begun in the piece that is being read."""
    _held: tuple[RequestResponseCycle, Any] | None = None
    """A request whose task is not made yet: it may do without."""
    _known: Any = None
    _unread: TimerHandle | None = None
    _last = -inf
    """When something was answered while the timer ran."""

    def connection_made(self, transport: Any) -> None:
        """Nobody holds a connection by saying nothing."""
        super().connection_made(transport)
        logged = self.access_log and self.access_logger.isEnabledFor(INFO)
        self._at_once: AtOnce | None = None if logged else getattr(self.app, "at_once", None)
        self._peer = (self.client[0] if self.client else None, self.scheme)
        self._deadline = self.loop.call_later(self.head_s, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._came()
        self._taken()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client takes nothing: it holds a connection, and what waits for it, no longer than it may."""
        super().pause_writing()
        self._taken()
        self._unread = self.loop.call_later(self.write_s, self._give_up)

    def resume_writing(self) -> None:
        """It goes on."""
        self._taken()
        super().resume_writing()

    def _narrow(self) -> None:
        found = self.transport.get_extra_info("socket")
        if found is not None:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

    def _taken(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _give_up(self) -> None:
        self._unread = None
        TURNED_AWAY.labels("unread").inc()
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Large pieces in slices; a request under way is bounded by the limits of its body."""
        if len(data) > SLICE:
            for start in range(0, len(data), SLICE):
                if not self._is_over:
                    self.data_received(data[start : start + SLICE])
            return
        self._messages = 0
        if self._at_once is None:
            super().data_received(data)
        elif not self._feed(data, self._at_once):
            return
        cycle = self.cycle
        if cycle is None or cycle.scope is not self.scope:
            self._waits(len(data))
        elif cycle.response_complete and not self._messages:
            # The rest of a body that was answered already, or empty lines: neither goes on for ever.
            self._waits(0)
        elif self._deadline is not None:
            self._came()

    def _feed(self, data: bytes, at_once: AtOnce) -> bool:
        """Read a piece; False where it was a known request, and is answered.

        Between two requests the parser is as new: the same bytes are the same request.
        """
        sent = None
        if not self._head_bytes and (self.cycle is None or (self.cycle.response_complete and not self.cycle.more_body)):
            sent = (self._peer, data)
            answer = None if self.flow.write_paused or self.transport.is_closing() else at_once.again(sent)
            if answer is not None:
                self._came()
                self._write(answer)
                self._go_on()
                return False
        self._known, self._feeding = None, True
        try:
            super().data_received(data)
        finally:
            self._feeding = False
            held, self._held = self._held, None
            if held is not None:
                # Its body is not here yet: a task waits for it, but not for ever.
                super()._start_asgi_task(*held)
        if sent is not None and self._messages == 1 and self._known is not None:
            at_once.learn(sent, len(data), self._known)
        return True

    def on_message_begin(self) -> None:
        """Counted."""
        self._messages += 1
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Heads that others may read otherwise are no requests.

        What follows the body is no header: a proxy has not looked at it, and it may say who somebody is.
        """
        hosts = 0
        for name, value in self.headers:
            if name == b"host":
                hosts += 1
            elif name == b"transfer-encoding" and value.lower() != b"chunked":
                raise ValueError("a coding that nobody undoes")
        if hosts > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            raise ValueError("no host, or more than one")
        super().on_headers_complete()
        if not self.parser.should_upgrade():
            self.headers = []

    def on_message_complete(self) -> None:
        """A request that is here as a whole may be answered now."""
        super().on_message_complete()
        held = self._held
        if held is None or held[0].more_body:
            return
        self._held = None
        cycle, app = held
        answer = self._at_once.answered(cycle.scope, bytes(cycle.body)) if self._at_once is not None else None
        if answer is not None and write_whole(cycle, *answer[:4]):
            self._known = answer.known if cycle.keep_alive else None
        else:
            super()._start_asgi_task(cycle, app)

    def _go_on(self) -> None:
        """`on_response_complete` where nothing else is under way: the timer stays, and looks when it is due."""
        self.server_state.total_requests += 1
        self._last = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def timeout_keep_alive_handler(self) -> None:
        """Closes what was silent for so long; what was answered meanwhile goes on."""
        left = self._last + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def _write(self, answer: Answer) -> None:
        lines = lines_of(self.server_state.default_headers)
        head = [STATUS_LINE[answer.status], lines, answer.lines, lines_of(answer.headers), b"\r\n"]
        send(self.transport, head, answer.body)

    @property
    def _is_over(self) -> bool:
        return self.transport.is_closing() or self.transport.get_protocol() is not self

    def _came(self) -> None:
        self._head_bytes = 0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _waits(self, size: int) -> None:
        if self._is_over:
            self._came()
            return
        self._head_bytes += max(size, CRUMB) if size else 0
        if self._head_bytes > self.most_head:
            self._turn_away(*LARGE)
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.head_s, self._too_slow)

    def _too_slow(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            # The next request drips in behind one that is still being answered.
            self._deadline = self.loop.call_later(self.head_s, self._too_slow)
        elif self._head_bytes:
            self._turn_away(*SLOW)
        else:
            self.transport.close()

    def _turn_away(self, status: int, told: str) -> None:
        TURNED_AWAY.labels("slow" if status == SLOW[0] else "large").inc()
        self._came()
        if self.cycle is None or self.cycle.response_complete:
            head = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
            self.transport.write(STATUS_LINE[status] + head % len(told) + told.encode())
        self.transport.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        scope: dict[str, Any] = cycle.scope  # type: ignore[assignment]
        scope["extensions"] = {EXTENSION: partial(write_whole, cycle), NARROW: self._narrow}
        if self._feeding and app is self.app and cycle is self.cycle and cycle.more_body and self._at_once is not None:
            self._held = (cycle, app)
        else:
            super()._start_asgi_task(cycle, app)


def write_whole(
    cycle: RequestResponseCycle, status: int, lines: bytes, headers: Sequence[Header], body: Sequence[bytes]
) -> bool:  # fmt: skip
    """What `RequestResponseCycle.send` does with the two messages of a complete answer."""
    if cycle.disconnected or cycle.transport.is_closing():
        return True
    logged = cycle.access_log and cycle.access_logger.isEnabledFor(INFO)
    if cycle.flow.write_paused or cycle.response_started or logged:
        return False
    content = [STATUS_LINE[status], lines_of(cycle.default_headers), lines, lines_of(headers)]
    if not cycle.keep_alive:
        content.append(b"connection: close\r\n")
    content.append(b"\r\n")
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    send(cycle.transport, content, body)
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
    return True


def send(transport: Any, head: Sequence[bytes], body: Sequence[bytes]) -> None:
    """All of an answer at once."""
    if len(body) and len(body[0]) > COPIED:
        transport.writelines((b"".join(head), *body))
    else:
        transport.write(b"".join((*head, *body)))


def lines_of(headers: Sequence[Header]) -> bytes:
    """Headers as they are written; nothing in them is checked."""
    return b"".join([part for name, value in headers for part in (name, b": ", value, b"\r\n")])
