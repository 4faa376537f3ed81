"""Messages as bytes between processes: exact, checked on the way in, nothing of another build is believed."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from gateway.core.guards.codec import STAMP, Stamps, fingerprint, plan
from gateway.core.live.folds import FOLDS
from gateway.core.live.messages import Message, Position
from schema.words.live import StreamNotice

VERSION = 1
"""Grows with the layout."""


class Strange(Exception):
    """Not a frame that this build may read."""


class Frames:
    """Writes and reads the frames of one kind of stream."""

    def __init__(self, capability: str) -> None:
        kind: Any = FOLDS[capability].kind
        self._values = plan(tuple[kind, ...])
        self._notices = plan(tuple[StreamNotice, ...])
        told = f"{capability} {VERSION} {self._values.told} {self._notices.told}"
        self._form = fingerprint(told)
        values: Any = self._values.wire
        notices: Any = self._notices.wire
        stamp: Any = STAMP.wire
        self._body = msgspec.defstruct(
            "Body",
            [
                ("epoch", int), ("sequence", int), ("snapshot", bool), ("stamps", list[stamp]), ("stamp", int | None),
                ("values", values), ("notices", notices), ("ended", str | None),
            ],
            array_like=True,
        )  # fmt: skip
        self._decoder = msgspec.msgpack.Decoder(self._body)

    def write(self, message: Message) -> bytes:
        """The bytes of a message."""
        stamps = Stamps()
        values = self._values.pack(message.values, stamps)
        stamp = None if message.provenance is None else stamps.write(message.provenance)
        notices = self._notices.pack(message.notices, stamps)
        at = message.position
        body = [at.epoch, at.sequence, message.snapshot, stamps.rows, stamp, values, notices, message.ended]
        return self._form + msgspec.msgpack.encode(body)

    def read(self, frame: bytes) -> Message:
        """The message; Strange for anything else."""
        if frame[: len(self._form)] != self._form:
            raise Strange("another build's frame")
        try:
            body: Any = self._decoder.decode(frame[len(self._form) :])
            stamps = Stamps()
            stamps.load(body.stamps)
            return Message(
                position=Position(body.epoch, body.sequence), snapshot=body.snapshot,
                values=self._values.unpack(body.values, stamps),
                provenance=None if body.stamp is None else stamps.read[body.stamp],
                notices=self._notices.unpack(body.notices, stamps), ended=body.ended,
            )  # fmt: skip
        except (ValueError, TypeError, IndexError, OverflowError) as error:
            raise Strange("malformed") from error


@cache
def frames_of(capability: str) -> Frames:
    """One per kind of stream."""
    return Frames(capability)
