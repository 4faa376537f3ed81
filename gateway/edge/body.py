"""Request bodies: bounded in size and time, and JSON that says exactly what it means."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Generator, Mapping
from typing import Any

import orjson
from starlette.types import Message, Receive

from gateway.edge.errors import Refused

# What a refused upload may still send before its connection is closed: clients read the answer only after sending.
DRAINED_BODIES = 16

MOST_CRUMBS = 1_000
"""Pieces of a body beyond those of a usual size: each costs a turn of the loop, however small it is."""
SMALLEST_PIECE = 500
"""Bytes; less than any network carries at once."""

_MAX_INTEGER_DIGITS = 19
_MANY_DIGITS = re.compile(rb"[0-9]{20}")
_LONG_INTEGER = re.compile(rb"(?<![0-9.eE+-])-?[0-9]{20,}(?![0-9.eE])")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
MOST_CONTAINERS = 20_000
"""Objects and lists in one text: each costs as much as a hundred characters of a string."""


class ClientGone(Exception):
    """The client left before its request was complete: nobody is there to answer."""


class _Rest:
    """What is left of an awaitable that was begun and had to wait."""

    def __init__(self, begun: Generator[Any, Any, Message], waiting: Any) -> None:
        self._begun, self._waiting = begun, waiting

    def __await__(self) -> Generator[Any, Any, Message]:
        try:
            while True:
                try:
                    sent = yield self._waiting
                except BaseException as error:  # noqa: BLE001 - it is for the one that waits
                    self._waiting = self._begun.throw(error)
                else:
                    self._waiting = self._begun.send(sent)
        except StopIteration as done:
            message: Message = done.value
            return message


async def read_body(receive: Receive, headers: Mapping[str, str], *, most: int, timeout_s: float) -> bytes:
    """Read a body of at most `most` bytes; Content-Length is a hint, the bytes are counted.

    A small body is there with its head: it is taken without a timer, which costs more than the reading.
    """
    first: Awaitable[Message]
    begun = receive().__await__()
    try:
        first = _Rest(begun, next(begun))
    except StopIteration as done:
        message: Message = done.value
        whole = message.get("body", b"")
        if message["type"] == "http.request" and not message.get("more_body", False) and len(whole) <= most:
            return bytes(whole)
        first = _told(message)
    try:
        async with asyncio.timeout(timeout_s):
            return await _read(first, receive, headers, most)
    except TimeoutError:
        told = f"The request body did not arrive within {timeout_s:g} s."
        raise Refused("REQUEST_TIMEOUT", told, status=408, headers={"Connection": "close"}) from None


async def _told(message: Message) -> Message:
    return message


async def _read(first: Awaitable[Message], receive: Receive, headers: Mapping[str, str], most: int) -> bytes:
    declared = headers.get("content-length", "")
    too_large = declared.isdigit() and (len(declared) > 18 or int(declared) > most)
    chunks: list[bytes] = []
    size = pieces = 0
    message = await first
    while True:
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        pieces += 1
        if pieces > MOST_CRUMBS + size // SMALLEST_PIECE:
            told = "The request body came in too many small pieces."
            raise Refused("BAD_REQUEST", told, headers={"Connection": "close"})
        too_large = too_large or size > most
        if too_large:
            chunks.clear()
        else:
            chunks.append(chunk)
        if size > most * DRAINED_BODIES or not message.get("more_body", False):
            break
        message = await receive()
    if too_large:
        close = {"Connection": "close"} if message.get("more_body", False) else {}
        raise Refused("PAYLOAD_TOO_LARGE", f"The request body is larger than {most} bytes.", status=413, headers=close)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def parse_json(text: bytes | str, what: str) -> object:
    """Strict JSON: UTF-8, no NaN, no lone surrogates, at most 1,024 levels, no integer that would lose digits."""
    if not text:
        raise Refused("BAD_REQUEST", f"The {what} is empty.")
    raw = text if isinstance(text, bytes) else text.encode(errors="replace")
    # What may stand in a string is looked for there too at first: most texts hold few brackets and digits anywhere.
    if _containers(raw) > MOST_CONTAINERS and _containers(_STRING.sub(b"", raw)) > MOST_CONTAINERS:
        raise Refused("BAD_REQUEST", f"The {what} holds more than {MOST_CONTAINERS} objects and lists.")
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Refused("BAD_REQUEST", f"The {what} is not valid JSON: {error.msg}.") from None
    # orjson turns integers beyond 64 bits into floats: a silent loss of digits.
    if _MANY_DIGITS.search(raw) and _LONG_INTEGER.search(_STRING.sub(b'""', raw)):
        message = f"The {what} holds an integer of more than {_MAX_INTEGER_DIGITS} digits: send it as a string."
        raise Refused("BAD_REQUEST", message)
    return value


def _containers(raw: bytes) -> int:
    return raw.count(b"[") + raw.count(b"{")
