"""Request bodies: bounded in size and time, and JSON that says exactly what it means."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping

import orjson
from starlette.types import Receive

from gateway.edge.errors import Refused

# What a refused upload may still send before its connection is closed: clients read the answer only after sending.
DRAINED_BODIES = 16

_LONG_INTEGER = re.compile(rb"[0-9]{19}")
_MAX_INTEGER_DIGITS = 19


class ClientGone(Exception):
    """The client left before its request was complete: nobody is there to answer."""


async def read_body(receive: Receive, headers: Mapping[str, str], *, most: int, timeout_s: float) -> bytes:
    """Read a body of at most `most` bytes; Content-Length is a hint, the bytes are counted."""
    try:
        async with asyncio.timeout(timeout_s):
            return await _read(receive, headers, most)
    except TimeoutError:
        message = f"The request body did not arrive within {timeout_s:g} s."
        raise Refused("REQUEST_TIMEOUT", message, status=408, headers={"Connection": "close"}) from None


async def _read(receive: Receive, headers: Mapping[str, str], most: int) -> bytes:
    declared = headers.get("content-length", "")
    too_large = declared.isdigit() and (len(declared) > 18 or int(declared) > most)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        too_large = too_large or size > most
        if too_large:
            chunks.clear()
        else:
            chunks.append(chunk)
        if size > most * DRAINED_BODIES or not message.get("more_body", False):
            break
    if too_large:
        close = {"Connection": "close"} if message.get("more_body", False) else {}
        raise Refused("PAYLOAD_TOO_LARGE", f"The request body is larger than {most} bytes.", status=413, headers=close)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def parse_json(text: bytes | str, what: str) -> object:
    """Strict JSON: UTF-8, no NaN, no lone surrogates, at most 1,024 levels, no integer that would lose digits."""
    if not text:
        raise Refused("BAD_REQUEST", f"The {what} is empty.")
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Refused("BAD_REQUEST", f"The {what} is not valid JSON: {error.msg}.") from None
    raw = text if isinstance(text, bytes) else text.encode()
    if _LONG_INTEGER.search(raw):
        _refuse_long_integers(raw, what)
    return value


def _refuse_long_integers(raw: bytes, what: str) -> None:
    """orjson turns integers beyond 64 bits into floats: a silent loss of digits."""

    def measured(digits: str) -> int:
        if len(digits.lstrip("-")) > _MAX_INTEGER_DIGITS:
            message = f"The {what} holds an integer of more than {_MAX_INTEGER_DIGITS} digits: send it as a string."
            raise Refused("BAD_REQUEST", message)
        return 0

    try:
        json.loads(raw, parse_int=measured)
    except RecursionError:
        raise Refused("BAD_REQUEST", f"The {what} is nested too deeply.") from None
