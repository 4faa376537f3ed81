"""Whole answers in one write: head and body as two messages cost uvicorn two system calls and a look at every header.

The one module that knows the inside of uvicorn's HTTP protocol; under any other server answers go as two messages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from starlette.types import Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

EXTENSION = "marketgate.whole"

Header = tuple[bytes, bytes]
Whole = Callable[[int, bytes, Sequence[Header], bytes], bool]
"""Takes status, header lines that are written already, further headers and the body; False where it cannot now."""


class WholeProtocol(HttpToolsProtocol):
    """Offers the way in each request's scope, among the extensions."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        scope: dict[str, Any] = cycle.scope  # type: ignore[assignment]
        scope["extensions"] = {EXTENSION: partial(write_whole, cycle)}
        super()._start_asgi_task(cycle, app)


def write_whole(
    cycle: RequestResponseCycle, status: int, lines: bytes, headers: Sequence[Header], body: bytes
) -> bool:  # fmt: skip
    """What `RequestResponseCycle.send` does with the two messages of a complete answer."""
    if cycle.disconnected:
        return True
    if cycle.flow.write_paused or cycle.response_started or cycle.access_log:
        return False
    content = [STATUS_LINE[status], lines_of(cycle.default_headers), lines, lines_of(headers)]
    if not cycle.keep_alive:
        content.append(b"connection: close\r\n")
    content += (b"\r\n", body)
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.transport.write(b"".join(content))
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
    return True


def lines_of(headers: Sequence[Header]) -> bytes:
    """Headers as they are written; nothing in them is checked."""
    return b"".join([part for name, value in headers for part in (name, b": ", value, b"\r\n")])


async def send_whole(
    scope: Scope, send: Send, status: int, fixed: Sequence[Header], lines: bytes, headers: Sequence[Header], body: bytes
) -> None:
    """Send an answer at once where the server can; *lines* are the *fixed* headers, written."""
    extensions = scope.get("extensions")
    whole: Whole | None = extensions.get(EXTENSION) if extensions else None
    if whole is not None and whole(status, lines, headers, body):
        return
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *fixed]})
    await send({"type": "http.response.body", "body": body})
