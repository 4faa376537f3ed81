"""Cursors: where each stream of a subscription stood, opaque to clients, readable by every process."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

import msgspec

from gateway.core.live.messages import Position, StreamKey

VERSION = 1
MOST = 4_096
"""Streams of one cursor; no subscription has as many."""
LONGEST = 64 * 1024

Mark = tuple[bytes, Position]
"""A stream's short name, and where it stood."""

_DECODER = msgspec.msgpack.Decoder(tuple[int, list[tuple[bytes, int, int]]])


class BadCursor(ValueError):
    """Not a cursor that a stream has given."""


def short(key: StreamKey) -> bytes:
    """Four bytes for a stream among those of one subscription."""
    return key.digest[:4]


def write(marks: Sequence[Mark]) -> str:
    """The cursor of a message."""
    rows = [(name, position.epoch, position.sequence) for name, position in marks]
    return urlsafe_b64encode(msgspec.msgpack.encode((VERSION, rows))).rstrip(b"=").decode()


def read(cursor: str) -> dict[bytes, Position]:
    """Positions by short name; BadCursor for what nobody here has written."""
    if len(cursor) > LONGEST:
        raise BadCursor("is too long for a cursor")
    try:
        version, rows = _DECODER.decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError) as error:
        raise BadCursor("is no cursor: give back the `cursor` of the last message as it came") from error
    if version != VERSION or len(rows) > MOST:
        raise BadCursor("is a cursor of another version: begin without one")
    return {name: Position(epoch, sequence) for name, epoch, sequence in rows}
