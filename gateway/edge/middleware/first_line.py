"""A limit in front of plain routes, counted by this process alone: what is fleet-wide is counted behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.core.clock import SystemClock
from gateway.edge.addresses import network_of
from gateway.edge.errors import error_of, stamp
from gateway.edge.replies import Reply, encode, send_reply

if TYPE_CHECKING:
    from slowapi import Limiter

JSON = "application/json"


class Turnstile:
    """slowapi's limiter. It loads sixty modules, so it is made when the first request comes, beside the loop."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._limiter: Limiter | None = None

    async def wait_for(self, path: str, client_ip: str | None) -> int:
        """0 if the request may pass, else in how many seconds one will."""
        if self._limiter is None:
            made = await asyncio.to_thread(_limiter)
            self._limiter = self._limiter or made
        from limits import RateLimitItemPerMinute

        item, key = RateLimitItemPerMinute(self.most), (path, network_of(client_ip))
        if self._limiter.limiter.hit(item, *key):
            return 0
        reset = self._limiter.limiter.get_window_stats(item, *key).reset_time
        return max(1, ceil(reset - SystemClock().now().timestamp()))


class FirstLine:
    """One route's limit for each address. slowapi's own middleware finds neither ASGI endpoints nor our error shape."""

    def __init__(self, app: ASGIApp, turnstile: Turnstile, path: str) -> None:
        self._app, self._turnstile, self._path = app, turnstile, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            client = scope.get("client")
            wait = await self._turnstile.wait_for(self._path, client[0] if client else None)
            if wait:
                await send_reply(send, self._refusal(scope, wait))
                return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, wait: int) -> Reply:
        told = f"{self._path} may be asked {self._turnstile.most} times a minute: try again in {wait} s."
        error = error_of("RATE_LIMITED", told, {"limit": self._path, "retryAfterMs": wait * 1000})
        request_id = str(scope.get("state", {}).get("request_id", ""))
        body = encode({"errors": stamp([error], request_id), "extensions": {"requestId": request_id}})
        return Reply(status=429, media=JSON, body=body, headers={"Retry-After": str(wait)})


def limited(routes: Sequence[BaseRoute], most: int) -> list[BaseRoute]:
    """The same routes, each with a limit of its own; what is no plain HTTP route stays as it is."""
    turnstile = Turnstile(most)
    for route in routes:
        if isinstance(route, Route):
            route.app = FirstLine(route.app, turnstile, route.path)
    return list(routes)


def _limiter() -> Limiter:
    from slowapi import Limiter
    from slowapi.util import get_remote_address

    return Limiter(key_func=get_remote_address, storage_uri="memory://")
