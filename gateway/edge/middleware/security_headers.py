"""Headers that tell browsers what the pages may do, and caches what they may keep; on every answer."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "worker-src 'self' blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
NO_STORE = (b"cache-control", b"no-store")
"""Of answers that say nothing of it. A cache that kept an old process's 404 would hide a new process's file."""
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


def secured(extra: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """The headers of every answer, on the wire."""
    return [(name.lower().encode(), value.encode()) for name, value in {**HEADERS, **extra}.items()]


class SecurityHeaders:
    """Adds the headers, and those that the composition root wants everywhere."""

    def __init__(self, app: ASGIApp, extra: Mapping[str, str] | None = None) -> None:
        self._app = app
        self._headers = secured(extra or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added = [*self._headers, STRICT_TRANSPORT] if scope.get("scheme") == "https" else self._headers

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message.get("headers", ())
                kept = () if any(name == NO_STORE[0] for name, _ in own) else (NO_STORE,)
                message["headers"] = [*own, *kept, *added]
            await send(message)

        await self._app(scope, receive, send_secured)
