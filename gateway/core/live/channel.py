"""A stream as one process hears it: where it stands, what a snapshot would show, the last messages, and who listens."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from gateway.core.live import cursors
from gateway.core.live.folds import FOLDS, Values
from gateway.core.live.messages import Message, Position, StreamKey
from gateway.core.metrics import counter
from schema.provenance import Provenance
from schema.words.live import NoticeCode, StreamNotice

RING = 64
"""Messages that each process holds of a stream for those who come back."""
HELD = 1_024
"""Messages that wait while a hole is being filled; with more of them a snapshot is the shorter way."""

DROPPED = counter("marketgate_live_dropped", "Messages of streams that a process did not pass on, by why.", "why")


class Listener(Protocol):
    """Whoever hears a channel."""

    def heard(self, channel: Channel, message: Message) -> None:
        """Must not wait."""


class Channel:
    """What is passed on rises strictly: older epochs, repeated and overtaken sequence numbers are dropped."""

    def __init__(
        self, key: StreamKey, on_hole: Callable[[Channel], None] | None = None, *, ring: int = RING
    ) -> None:  # fmt: skip
        self.key = key
        self.fold, self.name = FOLDS[key.capability], cursors.short(key)
        self.position = Position()
        self.state: Values = ()
        self.provenance: Provenance | None = None
        self.trouble: Message | None = None
        """The last message that told of trouble, where neither values nor better news have come since."""
        self.orphaned = False
        """Whether what it would show is from a leader that is gone: the next one says so with its first message."""
        self.ring: deque[Message] = deque(maxlen=ring)
        self._on_hole = on_hole
        self._held: list[Message] | None = None
        self._listeners: dict[Listener, None] = {}

    @property
    def listeners(self) -> int:
        """How many there are."""
        return len(self._listeners)

    @property
    def begun(self) -> bool:
        """Whether anything was heard."""
        return self.position.epoch > 0

    @property
    def filling(self) -> bool:
        """Whether it waits for what was lost."""
        return self._held is not None

    def attach(self, listener: Listener) -> None:
        """From now on it hears every message."""
        self._listeners[listener] = None

    def detach(self, listener: Listener) -> None:
        """No more, from now on."""
        self._listeners.pop(listener, None)

    def snapshot(self) -> Message | None:
        """What stands for all that was heard; None before there are values."""
        if not self.state:
            return None
        return Message(position=self.position, snapshot=True, values=self.state, provenance=self.provenance)

    def hear(self, message: Message) -> None:
        """Take a message in, in its turn."""
        if self._held is not None and message.position > self.position:
            self._held.append(message)
            if len(self._held) > HELD:
                self._held = self._held[-1:]
            return
        at, here = message.position, self.position
        if at <= here:
            DROPPED.labels("old epoch" if at.epoch < here.epoch else "repeated").inc()
            return
        follows = at.epoch == here.epoch and at.sequence == here.sequence + 1
        if follows or message.snapshot or self._on_hole is None:
            self._pass_on(message)
            return
        self._held = [message]
        self._on_hole(self)

    def join(self, snapshot: Message, led: bool) -> None:
        """What stands for all that was said before this process listened; it is no message of the stream itself."""
        if snapshot.position > self.position and self._held is None:
            self._pass_on(snapshot, kept=False)
            self.orphaned = not led

    def hold(self) -> None:
        """What comes waits until what is missing before it is there."""
        if self._held is None:
            self._held = []

    def closes(self, missed: Sequence[Message]) -> bool:
        """Whether nothing is lacking between where it stands, *missed*, and what waits."""
        here = self.position
        for message in (*missed, *(self._held or ())[:1]):
            at = message.position
            if at <= here:
                continue
            if not message.snapshot and (at.epoch != here.epoch or at.sequence != here.sequence + 1):
                return False
            here = at
        return True

    def filled(self, missed: Iterable[Message]) -> None:
        """The hole is closed."""
        held, self._held = self._held or [], None
        for message in (*missed, *held):
            self.hear(message)

    def broken(self, snapshot: Message | None, notice: StreamNotice) -> None:
        """The hole cannot be closed: *snapshot* stands for everything before, and *notice* says so."""
        held, self._held = self._held or [], None
        before = [m for m in held if snapshot is not None and m.position <= snapshot.position]
        rest = held[len(before) :]
        if snapshot is None or snapshot.position <= self.position:
            first = rest[0].position if rest else self.position
            at = Position(first.epoch, first.sequence - 1) if rest else self.position
            snapshot = Message(position=at, snapshot=True, values=self.state, provenance=self.provenance)
        self._pass_on(replace(snapshot, notices=(*snapshot.notices, notice)), kept=False)
        for message in rest:
            self.hear(message)

    def since(self, position: Position, further: Iterable[Message] = ()) -> list[Message] | None:
        """What came after a position until now, from the ring and *further*; None where something of it is lacking."""
        if position == self.position:
            return []
        if position.epoch != self.position.epoch or position > self.position:
            return None
        known = {m.position.sequence: m for m in (*further, *self.ring) if m.position.epoch == position.epoch}
        wanted = range(position.sequence + 1, self.position.sequence + 1)
        if any(sequence not in known for sequence in wanted):
            return None
        return [known[sequence] for sequence in wanted]

    def _pass_on(self, message: Message, *, kept: bool = True) -> None:
        if message.position.epoch != self.position.epoch:
            self.ring.clear()
        self.position, self.orphaned = message.position, False
        if message.values:
            self.state = message.values if message.snapshot else self.fold.state(self.state, message.values)
            self.provenance = message.provenance
        if any(each.code is NoticeCode.FRESH_AGAIN for each in message.notices):
            self.trouble = None
        elif message.notices or message.ended is not None:
            self.trouble = message
        elif message.values:
            self.trouble = None
        if kept:
            self.ring.append(message)
        for listener in tuple(self._listeners):
            listener.heard(self, message)
