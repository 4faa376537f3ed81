"""What a live feed is: one venue's socket as its own words, without I/O; the gateway opens, sends, waits and repeats.

A provider marks a method with `streams`: it names the channel of an ask of one item. Of the feed class there is one
object for each connection, made anew after each loss, so that what it remembers is never older than its socket. See
docs/feeds.md.
"""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any, ClassVar, TypeVar

import msgspec

from providers.contract import Clock, Credential, Http, Profile
from providers.row import Row
from schema.capability import Capability
from schema.errors import Malformed, UpstreamError
from schema.symbols import InstrumentId
from schema.words.intervals import Interval

A = TypeVar("A")
C = TypeVar("C", bound=Callable[..., str])

LARGEST_FRAME = 8 * 1024 * 1024
"""Bytes of one frame, also when it is unpacked."""

MOST_REQUESTS = 1_000
"""Requests whose channels a feed remembers."""

Out = str | bytes
"""A frame to send: text or binary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One channel of a connection and the ask of one item that it answers."""

    channel: str
    capability: Capability[Any, Any]
    ask: Any

    @property
    def instrument(self) -> InstrumentId:
        """What it is about."""
        found: InstrumentId = self.capability.items.of(self.ask)[0] if self.capability.items else self.ask.instrument
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """New values of a channel: the words of queries (`Quote`, `Candle`, `Trade`, `OrderBook`), ascending by time.

    A quote and a book are whole each time. A `snapshot` takes the place of all that was said of the channel before.
    """

    channel: str
    values: tuple[Any, ...]
    as_of: datetime | None = None
    snapshot: bool = False


@dataclass(frozen=True, slots=True)
class Alive:
    """The venue says that a channel is in order and has nothing new."""

    channel: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The venue has accepted a subscription."""

    channel: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The venue will not serve a channel: it ends with this error, the others go on."""

    channel: str
    error: UpstreamError


@dataclass(frozen=True, slots=True)
class Pong:
    """A frame to send at once: the answer to the venue's own ping."""

    out: Out


@dataclass(frozen=True, slots=True)
class Gap:
    """A sequence or checksum is broken: the gateway says so and subscribes to the channel anew."""

    channel: str
    detail: str


@dataclass(frozen=True, slots=True)
class Wants:
    """A snapshot over HTTP; what *fetch* returns comes back through `Feed.given`.

    `weight` is what the call costs in the upstream's own units, as in `Answer`.
    """

    channel: str
    fetch: Callable[[Http], Awaitable[Row]]
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Restart:
    """The connection is of no more use (the venue is about to close it, or says so): open another one."""

    reason: str


News = Said | Alive | Confirmed | Refused | Pong | Gap | Wants | Restart


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """What the client has to send every so often; without a `text` a WebSocket ping."""

    every: timedelta
    text: str = ""


WATCH = Heartbeat(every=timedelta(seconds=15))


class Feed:
    """Base of every feed. It has no I/O and no clock but the one that it is given; it never catches.

    `address` is a wss URL (ws for a double; https reads server-sent events). `credentials` are those that stand in the
    address or in headers of the socket; a key in a frame is the affair of `greet`. The limits are the venue's:
    `topics_per_connection`, `frames_per_second` that may be sent, `connections` with one key (None: no such limit).
    A connection that brings nothing for two `heartbeat`s is dead. `confirms`: the venue answers a subscription, which
    `Confirmed` tells.
    """

    address: ClassVar[str]
    credentials: ClassVar[tuple[Credential, ...]] = ()
    topics_per_connection: ClassVar[int] = 100
    frames_per_second: ClassVar[float] = 5.0
    connections: ClassVar[int | None] = None
    confirms: ClassVar[bool] = True
    heartbeat: ClassVar[Heartbeat] = WATCH

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        self.profile, self.key, self.clock = profile, key, clock
        self.topics: dict[str, Topic] = {}
        """What is subscribed, by channel."""
        self._requests: dict[int, tuple[str, ...]] = {}
        self._numbers = count(1)

    @property
    def provider(self) -> str:
        """The provider's id, for rows and errors."""
        return self.profile.id

    async def locate(self, http: Http, topics: Sequence[Topic]) -> str:
        """Where to connect, where the venue says it over HTTP, or where *topics* are part of a stream's address."""
        return self.address

    def greet(self) -> Sequence[Out]:
        """What is sent before anything else: a login, options of the connection."""
        return ()

    def enter(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """Remember topics, and nothing else of their channels; the frames that ask for them."""
        for topic in topics:
            self.forget(topic.channel)
            self.topics[topic.channel] = topic
        return self.subscribe(topics)

    def leave(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """Forget topics; the frames that let go of them."""
        for topic in topics:
            self.forget(topic.channel)
            self.topics.pop(topic.channel, None)
        return self.unsubscribe(topics)

    def forget(self, channel: str) -> None:
        """Drop what is remembered of a channel: its book, what was said last, its number."""

    def begin(self, topics: Sequence[Topic]) -> Iterable[Wants]:
        """Snapshots of topics just entered that are wanted at once, whatever the venue answers."""
        return ()

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """Frames that ask for channels; none where they stand in the address."""
        raise NotImplementedError

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """Frames that let go of channels."""
        raise NotImplementedError

    def number(self, topics: Sequence[Topic]) -> int:
        """A number for a request about *topics*, for venues that give it back with their answer."""
        made = next(self._numbers)
        if made > MOST_REQUESTS:
            self._requests.pop(made - MOST_REQUESTS, None)
        self._requests[made] = tuple([topic.channel for topic in topics])
        return made

    def numbered(self, number: int | None) -> tuple[str, ...]:
        """The channels of the request with that number, once."""
        return () if number is None else self._requests.pop(number, ())

    def decode(self, data: str | bytes) -> Row:
        """A frame as a value: JSON, in text or in binary. Malformed where it is none."""
        return Row.json(self.provider, data.encode() if isinstance(data, str) else data)

    def read(self, frame: Row) -> Iterable[News]:
        """What a frame says; Malformed where it does not have its shape. Frames that say nothing are passed over."""
        raise NotImplementedError

    def given(self, channel: str, row: Row) -> Iterable[News]:
        """What the snapshot says that was wanted."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What one method declares: which capability is streamed by which feed, and when silence means that it is dead.

    `covers` is asked with an ask of one item. `silence` is how long a channel in order never says nothing while its
    venue is open; None where it may (trades of a quiet pair).
    """

    capability: Capability[Any, Any]
    feed: type[Feed]
    method: str
    covers: Callable[[Any], bool]
    intervals: tuple[Interval, ...] = ()
    silence: timedelta | None = None

    def takes(self, ask: Any) -> bool:
        """Whether an ask of one item can be streamed."""
        return (not self.intervals or ask.interval in self.intervals) and self.covers(ask)


def streams(
    capability: Capability[A, Any],
    *,
    feed: type[Feed],
    covers: Callable[[A], bool],
    intervals: tuple[Interval, ...] = (),
    silence: timedelta | None = None,
) -> Callable[[C], C]:
    """Declare that *feed* streams *capability*; the method gives the channel of an ask of one item."""

    def mark(method: C) -> C:
        vars(method)["__stream__"] = Stream(
            capability=capability, feed=feed, method=method.__name__, covers=covers, intervals=intervals,
            silence=silence,
        )  # fmt: skip
        return method

    return mark


def text(value: object) -> str:
    """A frame of compact JSON."""
    return msgspec.json.encode(value).decode()


def batches(items: Sequence[A], size: int) -> list[Sequence[A]]:
    """In the same order, at most *size* in each."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def unzipped(provider: str, data: str | bytes) -> bytes:
    """A frame that was packed with gzip; Malformed where it is none, or too large."""
    if isinstance(data, str):
        return data.encode()
    opened = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        found = opened.decompress(data, LARGEST_FRAME)
    except zlib.error:
        raise Malformed(provider, f"a frame is not gzip (got {data[:20]!r})") from None
    if opened.unconsumed_tail or not opened.eof:
        raise Malformed(provider, "a frame of gzip is too large or cut off")
    return found
