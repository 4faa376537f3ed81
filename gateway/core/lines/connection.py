"""One connection to a venue's feed: opened, greeted, subscribed, read, watched, and opened again when it is lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog

from gateway.core.clock import Clock
from gateway.core.lines.channels import Channels, Place
from gateway.core.lines.line import HOPELESS
from gateway.core.lines.session import Readdressed, Session
from gateway.core.lines.socket import Wire
from providers.contract import Http
from providers.feeds import Feed
from schema.errors import ConnectionFailed, UpstreamError
from schema.symbols import InstrumentId

T = TypeVar("T")

FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
GATHERED = 0.2
"""Seconds in which further topics may come before a stream is opened anew for them."""
ATTEMPTS = 5
"""Attempts in a row that bring nothing until the listeners are sent to the next provider."""
LIVED = 30.0
"""Seconds that a connection has to live until the next one is opened as soon as the first."""

log = structlog.get_logger(__name__)


class Guarded(Protocol):
    """Carries out a call over HTTP behind the provider's guards: its quota and its breaker."""

    async def __call__(self, call: Callable[[Http], Awaitable[T]], weight: int = 1, /) -> T:
        """UpstreamError where it is refused or fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """How a connection reaches its venue; all I/O is behind these."""

    provider: str
    feed: Callable[[], Feed]
    dial: Callable[[Feed, str], Awaitable[Wire]]
    ask: Guarded
    is_open: Callable[[InstrumentId], Awaitable[bool]]
    report: Callable[[UpstreamError], UpstreamError] = lambda error: error
    """What may be shown of an error: without the key."""


class Connection:
    """Lives as long as somebody listens, or until its venue is given up; `done` is then called."""

    def __init__(
        self, upstream: Upstream, clock: Clock, chance: random.Random, done: Callable[[Connection], None],
        suspects: set[str] | None = None,
    ) -> None:  # fmt: skip
        self._upstream, self._clock, self._chance, self._done = upstream, clock, chance, done
        self.channels = Channels(clock, suspects)
        self._session: Session | None = None
        self._attempts = 0
        """Since a connection has lived for a while: they are made at growing distances."""
        self._barren = 0
        """Of them those in a row that have brought nothing."""
        self._task: asyncio.Task[None] | None = None

    def join(self, place: Place) -> None:
        """Listen to a channel; the connection is opened for the first."""
        new = self.channels.join(place)
        if new is not None and self._session is not None:
            self._session.want(new)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"live {self._upstream.provider}")

    def leave(self, place: Place) -> None:
        """Listen no more."""
        left = self.channels.leave(place)
        if left is not None and self._session is not None:
            self._session.drop(left)

    async def close(self) -> None:
        """Nothing is left: no task, no socket."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            while len(self.channels):
                try:
                    await self._serve()
                except Readdressed:
                    await self._clock.sleep(GATHERED)
                except UpstreamError as caught:
                    await self._mend(self._upstream.report(caught))
        except Exception:
            log.exception("live_defect", provider=self._upstream.provider)
            self.channels.end_all(ConnectionFailed(self._upstream.provider, "its live connection broke down"))
        finally:
            self._done(self)

    async def _serve(self) -> None:
        upstream = self._upstream
        feed = upstream.feed()
        topics = [channel.topic for channel in self.channels]
        # Most feeds know their address: nothing is to be waited or paid for then.
        fixed = type(feed).locate is Feed.locate
        url = feed.address if fixed else await upstream.ask(lambda http: feed.locate(http, topics))
        wire = await upstream.dial(feed, url)
        session = self._session = Session(feed, wire, self.channels, upstream.ask, upstream.is_open, self._clock)
        opened = self._clock.monotonic()
        try:
            await session.run()
        finally:
            self._session = None
            if session.fruitful:
                self._barren = 0
                if self._clock.monotonic() - opened >= LIVED:
                    self._attempts = 0
            await wire.close()

    async def _mend(self, error: UpstreamError) -> None:
        """Wait before the next attempt, with full jitter; give up where it is no use."""
        self._attempts += 1
        self._barren += 1
        if isinstance(error, HOPELESS) or self._barren >= ATTEMPTS:
            self.channels.end_all(error)
            return
        self.channels.lose_all(f"{error.message}; connecting again.")
        longest = min(FIRST_WAIT * 2 ** (self._attempts - 1), LONGEST_WAIT)
        await self._clock.sleep(max(self._chance.uniform(0, longest), error.retry_after or 0.0))
