"""Whole answers in one write, and heads that are whole in time or are not waited for.

Head and body as two messages cost uvicorn two system calls and a look at every header; for a request's head it waits
as long as anything drips in.

The one module that knows the inside of uvicorn's HTTP protocol; under any other server answers go as two messages.
"""

from __future__ import annotations

from asyncio import TimerHandle
from collections.abc import Callable, Sequence
from functools import partial
from logging import INFO
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from gateway.core.metrics import counter

EXTENSION = "marketgate.whole"
COPIED = 8_192
"""Bytes of a part up to which one buffer is cheaper than several."""

Header = tuple[bytes, bytes]
Whole = Callable[[int, bytes, Sequence[Header], Sequence[bytes]], bool]
"""Takes status, header lines that are written already, further headers and the body's parts; False where it cannot."""


SLICE = 16_384
"""Bytes that are read at once, so that a head is measured before it is whole."""
SLOW, LARGE = (408, "The head of the request was not whole in time."), (431, "The head of the request is too large.")
TURNED_AWAY = counter("marketgate_http_heads_refused", "Connections ended before a request had its head.", "reason")


class WholeProtocol(HttpToolsProtocol):
    """Offers the way in each request's scope, among the extensions; closes on whoever does not come to the point."""

    head_s: ClassVar[float] = 10.0
    """Seconds from the connection, or from the first byte of a further request, until its head must be whole."""
    most_head: ClassVar[int] = 65_536

    _deadline: TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Nobody holds a connection by saying nothing."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(self.head_s, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Large pieces in slices; a request under way is bounded by the limits of its body."""
        if len(data) > SLICE:
            for start in range(0, len(data), SLICE):
                if not self._is_over:
                    self.data_received(data[start : start + SLICE])
            return
        super().data_received(data)
        cycle = self.cycle
        if cycle is None or cycle.scope is not self.scope:
            self._waits(len(data))
        elif cycle.response_complete:
            # The rest of a body that was answered already, or empty lines: neither goes on for ever.
            self._waits(0)
        elif self._deadline is not None:
            self._came()

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
        self._head_bytes += size
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
        scope["extensions"] = {EXTENSION: partial(write_whole, cycle)}
        super()._start_asgi_task(cycle, app)


def write_whole(
    cycle: RequestResponseCycle, status: int, lines: bytes, headers: Sequence[Header], body: Sequence[bytes]
) -> bool:  # fmt: skip
    """What `RequestResponseCycle.send` does with the two messages of a complete answer."""
    if cycle.disconnected:
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
    if len(body) and len(body[0]) > COPIED:
        cycle.transport.writelines((b"".join(content), *body))
    else:
        cycle.transport.write(b"".join((*content, *body)))
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
    return True


def lines_of(headers: Sequence[Header]) -> bytes:
    """Headers as they are written; nothing in them is checked."""
    return b"".join([part for name, value in headers for part in (name, b": ", value, b"\r\n")])
