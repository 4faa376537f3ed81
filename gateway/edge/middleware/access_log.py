"""One log line per request, without its query string: URLs of GET queries carry variables and keys."""

from __future__ import annotations

from time import perf_counter

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG = structlog.get_logger("marketgate.access")
PROBES = frozenset({"/livez", "/readyz"})


class AccessLog:
    """Logs method, path, status, size and time; probes only at debug level."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        # 499: the client left before there was an answer.
        status, size = 499, 0

        async def send_counted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, send_counted)
        finally:
            note(scope, status, size, started)


def note(scope: Scope, status: int, size: int, started: float, **more: object) -> None:
    """One line."""
    client = scope.get("client")
    log = LOG.debug if scope["path"] in PROBES else LOG.info
    log(
        "request",
        method=scope["method"],
        path=scope["path"],
        status=status,
        bytes=size,
        ms=round((perf_counter() - started) * 1000, 3),
        client=client[0] if client else None,
        **more,
    )
