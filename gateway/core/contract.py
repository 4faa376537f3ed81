"""What a plugin may contribute, and what its resolvers may reach."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, TypeVar, cast

import strawberry

from gateway.core.clock import Clock
from gateway.core.conversion import Rate, converted, find_rate
from gateway.core.fetchlog import Fetched as Fetched
from gateway.core.fetchlog import FetchLog
from gateway.core.identity import Principal
from gateway.core.market import MarketData
from gateway.core.ports import Calendars, Desk
from schema.capability import DEFAULT_TERMS, Capability, Terms
from schema.errors import NoAnswer
from schema.provenance import CacheStatus, Provenance
from schema.symbols import InstrumentId
from schema.words.candles import CandleSeries
from schema.words.consensus import Consensus
from schema.words.instruments import Instrument
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.routes import RouteInput
from schema.words.venues import MarketState, TradingSession

CONTRACT = 1
"""The number of the plugin contract; it grows when an author has to change something."""

A = TypeVar("A")
M = TypeVar("M")
S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Market data as one operation sees it: what it fetches is noted for `cacheStatus`."""

    data: MarketData
    log: FetchLog

    async def fetch(self, capability: Capability[A, M], ask: A, terms: Terms = DEFAULT_TERMS) -> Fetched:
        """One answer; NoAnswer lists every attempt."""
        return await self.data.fetch(capability, ask, terms, self.log)

    async def fetch_many(
        self, capability: Capability[A, M], ask: A, terms: Terms = DEFAULT_TERMS
    ) -> dict[Any, Fetched | NoAnswer]:
        """An answer or a NoAnswer for each item of the ask."""
        return await self.data.fetch_many(capability, ask, terms, self.log)

    async def convert(self, quote: Quote, target: str, terms: Terms = DEFAULT_TERMS) -> Quote:
        """The quote in another currency, with the rate in its provenance; NoAnswer where there is no way across."""
        if quote.currency == target:
            return quote
        rate = await self.rate(quote.currency, target, terms)
        found = converted(quote, target, rate)
        self.log.derive(found.provenance, quote.provenance, rate.provenance)
        return found

    async def rate(self, source: str, target: str, terms: Terms = DEFAULT_TERMS) -> Rate:
        """Units of *target* for one unit of *source*; all ways across share the time of one ask."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + terms.timeout

        async def quote_of(instrument: InstrumentId) -> Quote:
            left = replace(terms, providers=None, timeout=max(deadline - loop.time(), 0.0))
            return cast(Quote, (await self.fetch(QUOTES, QuotesAsk(instruments=(instrument,)), left)).value)

        rate = await find_rate(source, target, quote_of)
        if rate.legs:
            self.log.derive(rate.provenance, *rate.legs)
        return rate

    def providers(self, capability: str | None = None) -> tuple[str, ...]:
        """Ids of the providers that offer a capability, in order of routing; of all of them without one."""
        registry = self.data.registry
        return tuple(lane.id for lane in registry.lanes_of(capability)) if capability else tuple(registry.providers)

    async def consensus(self, instrument: InstrumentId, terms: Terms, quorum: int, now: datetime) -> Consensus:
        """What several providers agree on; QuorumNotMet where too few count."""
        return await self.data.consensus(instrument, terms, quorum, now, self.log)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What services are made of, once per process."""

    data: MarketData
    clock: Clock
    calendars: Calendars


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Who asks, when, and what resolvers may use: one per operation. It is the words' `Reader`."""

    principal: Principal
    now: datetime
    request_id: str
    market: Market
    host: Host
    services: Mapping[type, Any]
    local: dict[Any, Any] = field(default_factory=dict)

    def service(self, kind: type[S]) -> S:
        """The service that a plugin registered under its class or its port."""
        return cast(S, self.services[kind])

    def cache_status(self, provenance: Provenance) -> CacheStatus:
        """How this operation got an answer."""
        return self.market.log.status(provenance)

    def describe(self, instrument: InstrumentId, selected: frozenset[str]) -> Instrument | Awaitable[Instrument]:
        """See `schema.provenance.Reader`."""
        return self.service(Desk).describe(self, instrument, selected)

    async def market_state(self, instrument: InstrumentId, at: datetime | None) -> MarketState:
        """Whether the instrument's market is open at an instant, by default at the start of the operation."""
        return await self.host.calendars.state(instrument, at or self.now)

    async def venue_state(self, venue: str) -> MarketState:
        """Whether a venue trades at the start of the operation."""
        return await self.host.calendars.venue_state(venue, self.now)

    async def venue_sessions(self, venue: str, start: date, end: date) -> list[TradingSession]:
        """The venue's sessions with dates in [start, end)."""
        return list(await self.host.calendars.venue_sessions(venue, start, end))

    async def quote_of(
        self, instrument: InstrumentId, route: RouteInput | None, convert_to: str | None
    ) -> Quote | None:
        """See `schema.provenance.Reader`."""
        return await self.service(Desk).quote(self, instrument, route, convert_to)

    async def candles_of(
        self,
        instrument: InstrumentId,
        interval: Interval,
        start: datetime | None,
        end: datetime | None,
        last: int | None,
    ) -> CandleSeries | None:
        """See `schema.provenance.Reader`."""
        return await self.service(Desk).candles(self, instrument, interval, start, end, last)


Ctx = strawberry.Info[Context, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One domain as a value. `services` runs once, at the start, and maps classes and ports to what serves them.

    `query`, `mutation` and `subscription` are Strawberry types whose fields become root fields; `types` are further
    GraphQL types that no field names, such as implementations of an interface.
    """

    name: str
    query: type | None = None
    mutation: type | None = None
    subscription: type | None = None
    types: tuple[type, ...] = ()
    services: Callable[[Host], Mapping[type, Any]] | None = None
