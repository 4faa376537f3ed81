"""What waits for one subscription: at most one entry a stream, the newest, with what was merged into it counted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.core.live import cursors
from gateway.core.live.channel import Channel
from gateway.core.live.folds import Fold
from gateway.core.live.messages import Message, Position
from schema.provenance import Provenance
from schema.words.live import StreamNotice

MOST_NOTICES = 64
"""Notices that wait for a reader that does not read; the oldest go first and are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What is new of one of the subjects, by its place in the request."""

    index: int
    values: tuple[Any, ...]
    snapshot: bool
    provenance: Provenance | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to a subscriber. `snapshot`: it shows all subjects anew, and stands for everything before it."""

    items: tuple[Item, ...]
    notices: tuple[StreamNotice, ...]
    cursor: str
    snapshot: bool
    skipped: int = 0


@dataclass(slots=True)
class _Slot:
    name: bytes = b"\0\0\0\0"
    position: Position = field(default_factory=Position)
    values: tuple[Any, ...] = ()
    snapshot: bool = False
    provenance: Provenance | None = None
    waits: bool = False


class Mailbox:
    """Filled by streams at their pace, emptied by one reader at its own: its size does not depend on either."""

    def __init__(self, count: int) -> None:
        self._slots = [_Slot() for _ in range(count)]
        self._notices: list[StreamNotice] = []
        self._waiting: dict[int, None] = {}
        self._skipped = 0
        self._marks: list[cursors.Mark] = [(slot.name, slot.position) for slot in self._slots]
        self._missing = set(range(count))
        self._shown: set[int] = set()
        """Subjects of which the reader knows values: less than all of them is no snapshot."""
        self._whole = asyncio.Event()
        self._there = asyncio.Event()

    @property
    def positions(self) -> Sequence[cursors.Mark]:
        """Where its streams stand, as told to the reader last."""
        return self._marks

    def put(self, index: int, channel: Channel, message: Message) -> None:
        """A message of the stream that serves a subject now."""
        slot = self._slots[index]
        slot.name, slot.position = channel.name, message.position
        self._seen(index)
        if message.values:
            self._fill(slot, channel.fold, message)
            self._waiting[index] = None
        self._add(message.notices)
        self._there.set()

    def tell(self, *notices: StreamNotice) -> None:
        """Notices that are no part of a stream."""
        self._add(notices)
        self._there.set()

    def stands(self, index: int, channel: Channel) -> None:
        """A subject's stream has nothing new for this reader: only where it stands is told."""
        slot = self._slots[index]
        slot.name, slot.position = channel.name, channel.position
        self._seen(index)
        self._there.set()

    @property
    def waits(self) -> bool:
        """Whether there is anything to take."""
        return bool(self._waiting or self._notices)

    def poke(self) -> None:
        """Wake the reader, though there be nothing to take."""
        self._there.set()

    def rest(self) -> None:
        """Let the reader wait again, where it was woken for nothing that can be taken."""
        if not self.waits:
            self._there.clear()

    async def complete(self) -> None:
        """Until every subject has been heard of."""
        await self._whole.wait()

    async def ready(self) -> None:
        """Until there is something to take."""
        await self._there.wait()

    def take(self) -> Delivery:
        """All that waits, at once."""
        items = []
        for index in self._waiting:
            slot = self._slots[index]
            items.append(
                Item(index=index, values=slot.values, snapshot=slot.snapshot, provenance=slot.provenance)
            )  # fmt: skip
            slot.values, slot.waits = (), False
        snapshot = bool(items) and self._waiting.keys() >= self._shown and all(item.snapshot for item in items)
        self._shown.update(self._waiting)
        self._waiting.clear()
        self._there.clear()
        notices, self._notices = tuple(self._notices), []
        skipped, self._skipped = self._skipped, 0
        self._marks = [(slot.name, slot.position) for slot in self._slots]
        cursor = cursors.write(self._marks)
        return Delivery(items=tuple(items), notices=notices, cursor=cursor, snapshot=snapshot, skipped=skipped)

    def _seen(self, index: int) -> None:
        self._missing.discard(index)
        if not self._missing:
            self._whole.set()

    def _fill(self, slot: _Slot, fold: Fold, message: Message) -> None:
        if message.snapshot or not slot.waits:
            if slot.waits:
                self._skipped += len(slot.values)
            slot.values, slot.snapshot = message.values, message.snapshot
        else:
            slot.values, skipped = fold.waiting(slot.values, message.values)
            self._skipped += skipped
        slot.provenance, slot.waits = message.provenance, True

    def _add(self, notices: Sequence[StreamNotice]) -> None:
        self._notices.extend(notices)
        if len(self._notices) > MOST_NOTICES:
            self._skipped += len(self._notices) - MOST_NOTICES
            del self._notices[:-MOST_NOTICES]
