"""Answers on the wire: one small value, sent in two ASGI messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import orjson
from starlette.types import Send


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A complete HTTP answer that nobody may store: data and its errors belong to one caller."""

    status: int
    media: str | None = None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Sequence[str] = ()
    """Values of `Set-Cookie`, one header each."""


async def send_reply(send: Send, reply: Reply) -> None:
    """Write the answer; `Vary` because the media type follows the Accept header."""
    headers = [(b"cache-control", b"no-store"), (b"vary", b"Accept")]
    if reply.media is not None:
        headers.append((b"content-type", f"{reply.media}; charset=utf-8".encode()))
    if reply.status != 204:
        headers.append((b"content-length", str(len(reply.body)).encode()))
    headers.extend((name.lower().encode(), value.encode("latin-1")) for name, value in reply.headers.items())
    headers.extend((b"set-cookie", cookie.encode("latin-1")) for cookie in reply.cookies)
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


def encode(value: object) -> bytes:
    """JSON as bytes; a Decimal that is left in `extensions` keeps its digits as a string."""
    return orjson.dumps(value, default=_exact)


def _exact(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
