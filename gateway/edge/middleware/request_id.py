"""A name for every request, in its log lines, its answer and its errors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.edge.middleware.proxies import Network
from gateway.edge.requesttraces import TRACE, request_span, tell_status

HEADER = b"x-request-id"
# What a proxy or client may choose: enough for UUIDs and trace ids, nothing that could forge a log line.
_SANE = re.compile(rb"[A-Za-z0-9._~:/+=-]{1,128}")

# It names a request and guards nothing: the system's own dice cost as much as a look into the cache.
_DICE = Random()


def new_id() -> str:
    """A name that nobody has."""
    return f"{_DICE.getrandbits(128):032x}"


class RequestId:
    """Takes a sane incoming X-Request-Id, else makes one."""

    def __init__(self, app: ASGIApp, networks: Sequence[Network] = ()) -> None:
        self._app, self._networks = app, networks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = _incoming(scope) or new_id()
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"] = [*message.get("headers", ()), (HEADER, request_id.encode())]
                tell_status(traced, message["status"])
                if traced is not None and traced.traceparent:
                    headers.append((TRACE, traced.traceparent.encode()))
            await send(message)

        tokens = structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            with request_span(scope, self._networks) as traced:
                await self._app(scope, receive, send_named)
        finally:
            structlog.contextvars.reset_contextvars(**tokens)


def sane(given: bytes) -> str | None:
    """A name that a client may choose; None for any other."""
    return given.decode() if _SANE.fullmatch(given) else None


def _incoming(scope: Scope) -> str | None:
    return next((sane(value) for name, value in scope["headers"] if name == HEADER), None)
