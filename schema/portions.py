"""JSON of many columns, written and read a portion at a time: others have their turns in between."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import orjson

PORTION = 32 * 1024
"""Bytes that are written or read at once: some tenths of a millisecond."""
DEEPEST = 4
"""So far down objects are taken apart."""
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


async def written(value: Any) -> str:
    """Compact JSON, what one call would give; TypeError for what is none."""
    parts: list[bytes] = []
    due = 0
    for piece in _pieces(value, DEEPEST):
        parts.append(piece)
        due += len(piece)
        if due >= PORTION:
            due = 0
            await asyncio.sleep(0)
    return b"".join(parts).decode()


async def read(text: str) -> Any:
    """The value; what orjson or msgspec raise for what is no JSON."""
    return await _read(text.encode(), DEEPEST)


async def _read(body: bytes | msgspec.Raw, deepest: int) -> Any:
    if len(body) <= PORTION or not deepest or bytes(body[:1]) != b"{":
        return orjson.loads(body)
    found: dict[str, Any] = {}
    due = PORTION
    for name, member in _MEMBERS.decode(body).items():
        due += len(member)
        if due >= PORTION:
            due = 0
            await asyncio.sleep(0)
        found[name] = await _read(bytes(member), deepest - 1)
    return found


def _pieces(value: Any, deepest: int) -> Iterator[bytes]:
    """Objects member by member, all else at once."""
    if not isinstance(value, Mapping) or not deepest or not all(isinstance(name, str) for name in value):
        yield orjson.dumps(value)
        return
    mark = b"{"
    for name, member in value.items():
        yield mark + orjson.dumps(name) + b":"
        yield from _pieces(member, deepest - 1)
        mark = b","
    yield b"}" if value else b"{}"
