"""Large answers become JSON a portion at a time: others have their turns in between (docs/adr/0016).

orjson lets nobody run until all of a value is written: ten milliseconds for 300,000 numbers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, cast

from gateway.edge.replies import encode

PORTION = 20_000
"""Leaves that are written in one go: half a millisecond of numbers."""


async def encoded(value: object) -> bytes:
    """The same bytes as `encode` makes; what is small is written at once."""
    if not _is_large(value):
        return encode(value)
    written = []
    for portion in portions(value):
        written.append(portion)
        if len(portion) >= PORTION:
            await asyncio.sleep(0)
    return b"".join(written)


def portions(value: object) -> Iterator[bytes]:
    """JSON of dicts, lists and leaves in pieces of at most so many leaves."""
    if not _is_large(value):
        yield encode(value)
    elif isinstance(value, dict):
        yield from _members(value)
    elif isinstance(value, list):
        yield from _items(value)
    else:
        yield encode(value)


def _members(value: dict[Any, Any]) -> Iterator[bytes]:
    mark = b"{"
    for key, member in value.items():
        # The key as orjson writes one, without the value that stands for it: `{"key":0}`.
        yield mark + encode({key: 0})[1:-2]
        yield from portions(member)
        mark = b","
    yield b"}"


def _items(value: list[Any]) -> Iterator[bytes]:
    mark = b"["
    for run in _runs(value):
        yield mark
        # One that is alone in its run may be larger than a portion.
        yield from portions(run[0]) if len(run) == 1 else (encode(run)[1:-1],)
        mark = b","
    yield b"]"


def _runs(value: list[Any]) -> Iterator[list[Any]]:
    """Items that are written together; one that is large stands alone."""
    if not _has_members(value):
        yield from (value[n : n + PORTION] for n in range(0, len(value), PORTION))
        return
    run, left = list[Any](), PORTION
    for item in value:
        less = _left(item, left)
        if run and less <= 0:
            yield run
            run, less = [], _left(item, PORTION)
        run.append(item)
        left = less
    yield run


def _is_large(value: object) -> bool:
    return _left(value, PORTION) <= 0


def _left(value: object, room: int) -> int:
    """The room less what the value has of leaves; 0 or less as soon as there is none. Every answer passes here."""
    if value.__class__ is dict:
        members: Any = cast("dict[str, Any]", value).values()
        room -= len(members)
    elif value.__class__ is list:
        members = value
        room -= len(members)
        if not _has_members(members):
            return room
    else:
        return room - 1
    for member in members:
        if room <= 0:
            break
        if member.__class__ is dict or member.__class__ is list:
            room = _left(member, room)
    return room


def _has_members(value: list[Any]) -> bool:
    """Whether it holds more than leaves; of objects that may be missing the first or the last may be None."""
    return bool(value) and (value[0] or value[-1]).__class__ in (dict, list)
