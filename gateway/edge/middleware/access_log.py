"""One log line per request, without its query string: URLs of GET queries carry variables and keys."""

from __future__ import annotations

from logging import DEBUG, INFO
from time import perf_counter

import structlog
from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.core.metrics import histogram

LOG = structlog.get_logger("marketgate.access")
PROBES = frozenset({"/livez", "/readyz"})
LEFT = 499
"""The client left before there was an answer."""
REQUESTS = histogram(
    "marketgate_http_seconds", "Seconds from a request to the end of its answer; operations on sockets are not in it.",
    "route", "status",
)  # fmt: skip
_SERIES: dict[tuple[str, int], Histogram] = {}


class AccessLog:
    """Logs method, path, status, size and time; probes only at debug level."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        status, size = LEFT, 0

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
    """One line, and one observation."""
    seconds = perf_counter() - started
    series(scope["path"], status).observe(seconds)
    client = scope.get("client")
    level = DEBUG if scope["path"] in PROBES else INFO
    if not LOG.is_enabled_for(level):
        return
    LOG.log(
        level,
        "request",
        method=scope["method"],
        path=scope["path"],
        status=status,
        bytes=size,
        ms=round(seconds * 1000, 3),
        client=client[0] if client else None,
        **more,
    )


def series(path: str, status: int) -> Histogram:
    """Of a kind of route and a class of status: looked up once, for that costs more than the counting."""
    route = "graphql" if path == "/graphql" else "candles" if path.startswith("/candles.") else "other"
    key = (route, status if status == LEFT else status // 100)
    found = _SERIES.get(key)
    if found is None:
        found = _SERIES[key] = REQUESTS.labels(route, "left" if status == LEFT else f"{status // 100}xx")
    return found
