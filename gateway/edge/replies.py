"""Answers on the wire: one small value, sent in two ASGI messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

import orjson
from starlette.types import Message, Send

if TYPE_CHECKING:
    from gateway.edge.responses import Entry, Place

FINAL = "marketgate.final"
"""In the message that begins an answer: its body is as it is to be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A complete HTTP answer that nobody may store: data and its errors belong to one caller."""

    status: int
    media: str | None = None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Sequence[str] = ()
    """Values of `Set-Cookie`, one header each."""
    whole: Sequence[tuple[bytes, bytes]] | None = None
    """All headers, in place of those of an answer that nobody may store. Its body is packed, or is not to be."""
    kept: tuple[Place, Entry] | None = None
    """Where the answer is kept as bytes, if it is."""


async def send_reply(send: Send, reply: Reply) -> None:
    """Write the answer."""
    await send(head_of(reply))
    await send({"type": "http.response.body", "body": reply.body})


def head_of(reply: Reply) -> Message:
    """The message that begins it."""
    final = reply.whole is not None
    return {"type": "http.response.start", "status": reply.status, "headers": headers_of(reply), FINAL: final}


def headers_of(reply: Reply) -> list[tuple[bytes, bytes]]:
    """Its headers on the wire; `Vary` because the media type follows the Accept header."""
    if reply.whole is not None:
        return [*reply.whole]
    headers = [(b"cache-control", b"no-store"), (b"vary", b"Accept")]
    if reply.media is not None:
        headers.append((b"content-type", f"{reply.media}; charset=utf-8".encode()))
    if reply.status != 204:
        headers.append((b"content-length", b"%d" % len(reply.body)))
    for name, value in reply.headers.items():
        headers.append((name.lower().encode(), value.encode("latin-1")))
    for cookie in reply.cookies:
        headers.append((b"set-cookie", cookie.encode("latin-1")))
    return headers


def encode(value: object) -> bytes:
    """JSON as bytes; a Decimal that is left in `extensions` keeps its digits as a string."""
    return orjson.dumps(value, default=_exact)


def _exact(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
