"""What a live stream tells: its name, its messages in their order, and what they are called between processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from schema.provenance import Provenance
from schema.words.live import StreamNotice


@dataclass(frozen=True, slots=True)
class StreamKey:
    """One upstream stream of the fleet: what, of whom, from whom; `interval` of candles; `mark` of a tenant's own."""

    capability: str
    subject: str
    provider: str
    interval: str = ""
    mark: str = ""

    @property
    def digest(self) -> bytes:
        """Eight bytes that are the same in every process."""
        told = "\n".join((self.capability, self.subject, self.provider, self.interval, self.mark))
        return blake2b(told.encode(), digest_size=8).digest()


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where a stream stands: epochs grow with each new leader or line, sequences within an epoch by one."""

    epoch: int = 0
    sequence: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One step of a stream. A snapshot stands for all that came before it; each epoch begins with one.

    `ended` says why the provider cannot go on (an upstream error's code): it is the last of its epoch.
    """

    position: Position
    snapshot: bool = False
    values: tuple[Any, ...] = ()
    provenance: Provenance | None = None
    notices: tuple[StreamNotice, ...] = ()
    ended: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tapped:
    """A message as it goes by, none merged with another: what a mailbox keeps the newest of, a tap hears all of.

    `joined` marks what a stream showed already when the listener came to it.
    """

    symbol: str
    provider: str
    message: Message
    joined: bool = False


Tap = Callable[[Tapped], None]
"""Must not wait, and must not raise."""
