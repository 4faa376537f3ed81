"""What has no stream of its own and is looked at again and again: a snapshot first, then what is new of it.

A cursor holds short names of all that was there at the last look, so any process can tell what has come since.
"""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Generic, Protocol, TypeVar

from cachetools import LRUCache

from gateway.core.clock import Clock
from schema.errors import BadInput, MarketgateError
from schema.words.live import NoticeCode, StreamNotice

T = TypeVar("T")
SIZE = 6
"""Bytes of a short name."""
MOST = 2_000
"""Names of one cursor."""
REMEMBERED = 5_000
"""Names that are remembered of what is told only once."""
VERSION = b"w"


class Joinable(Protocol):
    """What several readers may listen to: who joins later gets a snapshot of exactly what the others have."""

    @property
    def cursor(self) -> str:
        """Of the last delivery."""

    @property
    def whole(self) -> bool:
        """Whether a snapshot stands for everything before it."""

    @property
    def private(self) -> bool:
        """Whether something of it may serve one tenant alone: by its own key, or by a licence."""

    @property
    def joining(self) -> bool:
        """Whether the last delivery is a snapshot for those who have joined."""

    def ask_snapshot(self) -> None:
        """Deliver a snapshot soon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen(Generic[T]):
    """One delivery: all that is shown at first, and then what is new."""

    items: tuple[T, ...]
    snapshot: bool
    cursor: str
    notices: tuple[StreamNotice, ...] = ()


class Watch(Generic[T]):
    """An iterator of `Seen`. What `mark` says of an item tells whether it is new; of *once*, whether it ever was told.

    The first look may fail as a fetch does. Later a failure is a STALE notice, and the next look a FRESH_AGAIN.
    """

    whole = True

    def __init__(
        self, clock: Clock, every_s: float, look: Callable[[], Awaitable[Sequence[T]]], mark: Callable[[T], str],
        *, after: str | None = None, once: bool = False, shown: int | None = None,
    ) -> None:  # fmt: skip
        self._clock, self._every_s, self._look, self._mark = clock, every_s, look, mark
        self._shown = shown
        self._known = frozenset() if after is None else read(after)
        self._told: LRUCache[bytes, None] | None = LRUCache(REMEMBERED) if once else None
        self._items: tuple[T, ...] = ()
        self._first, self._resumed = True, after is not None
        self._failing: tuple[StreamNotice, ...] = ()
        """What was told of looks that fail, until one does not."""
        self._wanted = asyncio.Event()
        self._due = 0.0
        self.joining, self.cursor, self.private = False, after or "", False
        for name in self._known:
            self._remember(name)

    def ask_snapshot(self) -> None:
        """See `Joinable`."""
        self._wanted.set()

    def __aiter__(self) -> Watch[T]:
        return self

    async def __anext__(self) -> Seen[T]:
        while True:
            if not self._first:
                await self._paused()
                if self._wanted.is_set():
                    self._wanted.clear()
                    self.joining = True
                    return self._snapshot()
            self._due = self._clock.monotonic() + self._every_s
            seen = await self._seen()
            if seen is not None:
                self._first = self.joining = False
                return seen

    async def _seen(self) -> Seen[T] | None:
        """What is new since the last look; None where that is nothing."""
        first = self._first
        try:
            self._items = tuple(await self._look())
        except MarketgateError as error:
            if first:
                raise
            if self._failing:
                return None
            self._failing = (self._notice(NoticeCode.STALE, error.message),)
            return Seen(items=(), snapshot=False, cursor=self.cursor, notices=self._failing)
        names = {short(self._mark(item)): item for item in self._items}
        new = tuple(item for name, item in names.items() if not self._has(name))
        self._known = frozenset(names)
        for name in names:
            self._remember(name)
        self.cursor = write(tuple(names))
        if first and not self._resumed:
            self._wanted.clear()
            return self._snapshot()
        failing, self._failing = self._failing, ()
        told = (self._notice(NoticeCode.FRESH_AGAIN, "it is answered again"),) if failing else ()
        return Seen(items=new, snapshot=False, cursor=self.cursor, notices=told) if new or told or first else None

    def _snapshot(self) -> Seen[T]:
        return Seen(items=self._items[: self._shown], snapshot=True, cursor=self.cursor, notices=self._failing)

    def _notice(self, code: NoticeCode, message: str) -> StreamNotice:
        return StreamNotice(code=code, message=message, at=self._clock.now())

    def _has(self, name: bytes) -> bool:
        return name in (self._known if self._told is None else self._told)

    def _remember(self, name: bytes) -> None:
        if self._told is not None:
            self._told[name] = None

    async def _paused(self) -> None:
        """Until the next look is due, or a snapshot is wanted."""
        left = self._due - self._clock.monotonic()
        waiting = {asyncio.ensure_future(self._clock.sleep(max(left, 0.0))), asyncio.ensure_future(self._wanted.wait())}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)


def short(mark: str) -> bytes:
    """A mark in a few bytes, the same in every process."""
    return blake2b(mark.encode(errors="replace"), digest_size=SIZE).digest()


def write(names: Sequence[bytes]) -> str:
    """The cursor of a look."""
    return urlsafe_b64encode(VERSION + b"".join(names[:MOST])).rstrip(b"=").decode()


def read(cursor: str) -> frozenset[bytes]:
    """The names in a cursor; BadInput for what nobody here has written."""
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        raw = b""
    body = raw[len(VERSION) :]
    if not raw.startswith(VERSION) or len(body) % SIZE or len(body) > MOST * SIZE:
        raise BadInput("after", "is no cursor: give back the `cursor` of the last message as it came")
    return frozenset(body[at : at + SIZE] for at in range(0, len(body), SIZE))
