"""Packs whole answers of text; Brotli at quality 3 is smaller and quicker than gzip on JSON."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from functools import lru_cache

import brotli
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.edge.replies import FINAL

MINIMUM_BYTES = 1024
# From this size on packing takes milliseconds: other requests must not wait for it.
THREAD_BYTES = 128 * 1024
PACKED_TYPES = (b"application/json", b"application/graphql-response+json", b"text/")
STREAMED = b"text/event-stream"

Pack = Callable[[bytes], bytes]


class Compression:
    """Holds the head of an answer back until its body is there; answers in several parts pass as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        coding = accepted(scope) if scope["type"] == "http" else None
        if coding is None:
            await self._app(scope, receive, send)
            return
        name, pack = coding
        start: Message | None = None

        async def send_packed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if start is not None:
                head, start = start, None
                body = message.get("body", b"")
                whole = message["type"] == "http.response.body" and not message.get("more_body", False)
                if whole and is_packable(head, body):
                    body = await packed_by(pack, body)
                    head, message = packed_head(head, name, len(body)), {**message, "body": body}
                await send(head)
            await send(message)

        await self._app(scope, receive, send_packed)


def accepted(scope: Scope) -> tuple[bytes, Pack] | None:
    """The best coding that the caller takes, None for none."""
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            codings = _codings(value.lower())
            if b"br" in codings:
                return b"br", _brotli
            return (b"gzip", _gzip) if b"gzip" in codings else None
    return None


@lru_cache(maxsize=256)
def takes_gzip(accepted: str | None) -> bool:
    """Whether the caller takes gzip, which kept answers are packed in."""
    return accepted is not None and b"gzip" in _codings(accepted.lower().encode("latin-1"))


def _codings(value: bytes) -> set[bytes]:
    found: set[bytes] = set()
    for part in value.split(b","):
        coding, _, parameter = part.partition(b";")
        if parameter.strip().replace(b" ", b"").rstrip(b"0.") != b"q=":  # a weight of zero forbids
            found.add(coding.strip())
    return found


async def packed_by(pack: Pack, body: bytes) -> bytes:
    """The body, packed beside the loop where that takes long."""
    return await asyncio.to_thread(pack, body) if len(body) >= THREAD_BYTES else pack(body)


def is_packable(head: Message, body: bytes) -> bool:
    """Whether packing is worth it, and allowed."""
    if len(body) < MINIMUM_BYTES or head.get(FINAL):
        return False
    headers = dict(head["headers"])
    media: bytes = headers.get(b"content-type", b"")
    return b"content-encoding" not in headers and media.startswith(PACKED_TYPES) and not media.startswith(STREAMED)


def packed_head(head: Message, coding: bytes, length: int) -> Message:
    """The head of the packed answer."""
    kept = [(name, value) for name, value in head["headers"] if name != b"content-length"]
    added = [(b"content-encoding", coding), (b"content-length", b"%d" % length), (b"vary", b"Accept-Encoding")]
    return {**head, "headers": [*kept, *added]}


def _brotli(body: bytes) -> bytes:
    packed: bytes = brotli.compress(body, quality=3)
    return packed


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, 4, mtime=0)
