"""Lines over all lanes: by the provider's feed where it has one and the world is live, else by polling."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from gateway.core.access import Lane
from gateway.core.clock import Clock
from gateway.core.lines.backfill import Gapless, TradesAt, always
from gateway.core.lines.channels import Place
from gateway.core.lines.closing import NEVER_CLOSING, Closing
from gateway.core.lines.connection import Upstream
from gateway.core.lines.guarded import GuardedHttp
from gateway.core.lines.homes import Homes
from gateway.core.lines.inbox import Inbox
from gateway.core.lines.line import Ended, Event
from gateway.core.lines.newest import Newest
from gateway.core.lines.polling import Polled, Polling, asking, subject_of, values_of
from gateway.core.lines.pool import Pool
from gateway.core.lines.socket import Sockets, Wire, furnished, rebased
from gateway.core.routing import covers
from gateway.core.upstream import UpstreamHttp
from providers.feeds import Feed, Stream, Topic
from schema.capability import Capability, Terms
from schema.errors import UpstreamError
from schema.symbols import InstrumentId
from schema.words.books import ORDER_BOOK
from schema.words.candles import CANDLES
from schema.words.quotes import QUOTES
from schema.words.venues import MarketState

if TYPE_CHECKING:
    from gateway.core.pipeline import Pipeline
    from gateway.core.ports import Calendars

BACKFILL_S = 10.0
SHUT = frozenset({MarketState.CLOSED, MarketState.HALTED})
NOW = Terms(max_age=timedelta(0))


class LiveLines:
    """gateway.core.lines.line.Lines. A pool for each key and feed; a tenant's own key has its own."""

    def __init__(
        self, pipeline: Pipeline, calendars: Calendars, clock: Clock, chance: random.Random | None = None,
        processes: Callable[[], int] = lambda: 1, homes: Homes | None = None,
    ) -> None:  # fmt: skip
        self._homes = homes
        self._pipeline, self._calendars, self._clock = pipeline, calendars, clock
        self._chance = chance or random.Random()
        self._sockets = Sockets(clock)
        self._pools: dict[Hashable, Pool] = {}
        self.polling = Polling(pipeline, clock, self._is_open, self._in_session, processes)

    @asynccontextmanager
    async def open(
        self, lane: Lane, capability: Capability[Any, Any], ask: Any, since: tuple[Any, ...] | None = None
    ) -> AsyncIterator[AsyncIterator[Event]]:
        """See `gateway.core.lines.line.Lines`."""
        inbox = Inbox(self._clock, states=capability in (QUOTES, ORDER_BOOK))
        stream = self._stream(lane, capability, ask)
        if stream is not None and not await self._at_home(lane, stream):
            stream = None
        leave = self._joined(inbox, lane, capability, ask, stream, resumed=since is not None)
        # What is polled is done when it was asked for after its end.
        closing = Closing(ask, self._clock) if stream is not None and capability is CANDLES else None
        gapless = Gapless(
            capability, ask, partial(self.ask, lane, capability), self._clock, since, self._trades_at(capability, ask)
        )  # fmt: skip
        events = self._events(inbox, gapless, closing)
        try:
            yield events
        finally:
            leave()
            inbox.close()
            await events.aclose()

    async def ask(self, lane: Lane, capability: Capability[Any, Any], ask: Any) -> Any:
        """See `gateway.core.lines.line.Lines`."""
        found = await self._pipeline.fetch(
            lane, capability, ask, capability.parts(ask), NOW, BACKFILL_S, judge_age=False
        )
        (outcome,) = found.values()
        return outcome if isinstance(outcome, UpstreamError) else outcome[0].value

    async def close(self) -> None:
        """No socket and no task is left."""
        if self._homes is not None:
            await self._homes.close()
        for pool in self._pools.values():
            await pool.close()
        self._pools.clear()
        await self.polling.close()
        await self._sockets.close()

    def _stream(self, lane: Lane, capability: Capability[Any, Any], ask: Any) -> Stream | None:
        """The feed's that serves it. Offline, and for simulated providers, there are none."""
        stream = lane.provider.streams.get(capability.name)
        live = self._pipeline.registry.counts(lane.provider.profile)
        if stream is None or not stream.takes(ask) or not live or not isinstance(lane.provider.http, UpstreamHttp):
            return None
        return stream

    async def _at_home(self, lane: Lane, stream: Stream) -> bool:
        """Whether this process may have the connections of a feed that takes only so many."""
        if self._homes is None or stream.feed.connections is None:
            return True
        key = (lane.id, lane.scope, stream.feed)

        def in_use() -> bool:
            return bool(self._pools.get(key))

        def lost() -> None:
            pool = self._pools.get(key)
            if pool is not None:
                pool.end("another process has the connections of its live feed")

        return await self._homes.take(f"{lane.id}:{lane.mark}", in_use, lost)

    def _joined(
        self, inbox: Inbox, lane: Lane, capability: Capability[Any, Any], ask: Any, stream: Stream | None, *,
        resumed: bool,
    ) -> Callable[[], None]:  # fmt: skip
        """Join a feed or a poller; what leaves it again."""
        provider = lane.provider
        http = provider.http
        if stream is None or not isinstance(http, UpstreamHttp):
            line = Polled(ask=ask, tell=inbox.put, newest=Newest(capability), resumed=resumed)
            return partial(self.polling.leave, self.polling.join(lane, capability, line), line)
        topic = Topic(channel=getattr(provider, stream.method)(ask), capability=capability, ask=ask)
        place = Place(
            topic=topic, tell=inbox.put, silence=stream.silence, resumed=resumed, ask=self._now(lane, capability, ask)
        )  # fmt: skip
        pool = self._pool_of(lane, stream, http)
        pool.join(place)
        return partial(pool.leave, place)

    def _now(self, lane: Lane, capability: Capability[Any, Any], ask: Any) -> Callable[[], Awaitable[Any]] | None:
        """What its provider answers over HTTP; None where it does not stream what it answers."""
        offered = lane.answer.intervals if capability is CANDLES else ()
        if not covers(lane, ask) or (offered and ask.interval not in offered):
            return None

        async def now() -> Any:
            asked = asking(capability, ask, self._clock.now())
            found = await self.ask(lane, capability, asked)
            return found if isinstance(found, UpstreamError) else values_of(asked, found, self._clock.now())

        return now

    def _pool_of(self, lane: Lane, stream: Stream, http: UpstreamHttp) -> Pool:
        key = (lane.id, lane.scope, stream.feed)
        found = self._pools.get(key)
        if found is None:
            self._pools = {key: pool for key, pool in self._pools.items() if len(pool)}
            upstream = self._upstream(lane, stream, http)
            found = self._pools[key] = Pool(upstream, stream.feed, self._clock, self._chance)
        return found

    def _upstream(self, lane: Lane, stream: Stream, http: UpstreamHttp) -> Upstream:
        profile = lane.provider.profile

        async def dial(feed: Feed, url: str) -> Wire:
            address, headers = furnished(rebased(url, http.base, lane.id), lane.id, feed.credentials, http.key)
            return await self._sockets.open(lane.id, address, headers)

        def report(error: UpstreamError) -> UpstreamError:
            return self._pipeline.scrubbed(lane, error)

        return Upstream(
            provider=lane.id, feed=lambda: stream.feed(profile, http.key, self._clock), dial=dial,
            ask=GuardedHttp(self._pipeline, lane), is_open=self._is_open, report=report,
        )  # fmt: skip

    async def _events(self, inbox: Inbox, gapless: Gapless, closing: Closing | None) -> AsyncGenerator[Event]:
        while True:
            arrived = await inbox.get_by(closing.next if closing else None)
            if closing is not None and (done := closing.due()) is not None:
                yield done
            if arrived is None:
                continue
            for event in await gapless.through(arrived):
                yield closing.through(event) if closing else event
                if isinstance(event, Ended):
                    return

    def _trades_at(self, capability: Capability[Any, Any], ask: Any) -> TradesAt:
        instrument = subject_of(capability, ask)
        if instrument is None or instrument.asset_class in NEVER_CLOSING:
            return always

        async def trades_at(at: datetime) -> bool:
            return await self._calendars.state(instrument, at) not in SHUT

        return trades_at

    async def _is_open(self, instrument: InstrumentId) -> bool:
        return await self._calendars.state(instrument, self._clock.now()) not in SHUT

    async def _in_session(self, instrument: InstrumentId) -> bool:
        return await self._calendars.state(instrument, self._clock.now()) is MarketState.REGULAR
