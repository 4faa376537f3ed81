"""Whole answers in one write: head and body as two messages cost uvicorn two system calls and a look at every header.

The one module that knows the inside of uvicorn's HTTP protocol; under any other server answers go as two messages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from logging import INFO
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

EXTENSION = "marketgate.whole"
COPIED = 8_192
"""Bytes of a part up to which one buffer is cheaper than several."""

Header = tuple[bytes, bytes]
Whole = Callable[[int, bytes, Sequence[Header], Sequence[bytes]], bool]
"""Takes status, header lines that are written already, further headers and the body's parts; False where it cannot."""


class WholeProtocol(HttpToolsProtocol):
    """Offers the way in each request's scope, among the extensions."""

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
