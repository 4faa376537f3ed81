"""What a plugin may contribute, and what its resolvers may reach."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import strawberry
from sqlalchemy import MetaData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from gateway.core.agreeing import Agreed as Agreed
from gateway.core.archive.port import Archived as Archived
from gateway.core.archive.port import NotRestored as NotRestored
from gateway.core.archive.port import Rows as Rows
from gateway.core.archive.port import put_back as put_back
from gateway.core.athand import one_at_hand
from gateway.core.bus import Bus
from gateway.core.clock import Clock
from gateway.core.conversion import Rate, converted, find_rate
from gateway.core.coverage import covers_class as covers_class
from gateway.core.fetchlog import Fetched as Fetched
from gateway.core.identity import Principal, Scope
from gateway.core.leads import RENEW_S as RENEW_S
from gateway.core.leads import Leads as Leads
from gateway.core.leads import LeaseRows as LeaseRows
from gateway.core.leads import WatchedRows as WatchedRows
from gateway.core.licensing import Rights as Rights
from gateway.core.lists import fetch_list as fetch_list
from gateway.core.live.mailbox import Delivery as Delivery
from gateway.core.live.mailbox import Item as Item
from gateway.core.live.messages import Tapped as Tapped
from gateway.core.livemarket import LiveMarket
from gateway.core.market import MarketData
from gateway.core.ports import Act, Calendars, Desk, Presented
from gateway.core.probe import probe
from gateway.core.secrets import Sealed as Sealed
from gateway.core.secrets import Vault
from gateway.core.settings import Settings
from gateway.core.store import Store, Tx
from schema.capability import DEFAULT_TERMS, Capability, Terms
from schema.errors import NoAnswer, UpstreamError
from schema.events import Event
from schema.provenance import CacheStatus, Provenance
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CandleSeries
from schema.words.consensus import Consensus
from schema.words.instruments import Instrument
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.routes import RouteInput
from schema.words.venues import MarketState, SessionPhase, TradingSession, VenueHoliday

if TYPE_CHECKING:
    from gateway.core.link import RedisLink

CONTRACT = 1
"""The number of the plugin contract; it grows when an author has to change something."""
MINUTE = 60
"""Venues open and close at full minutes."""

A = TypeVar("A")
M = TypeVar("M")
S = TypeVar("S")


@dataclass(slots=True, kw_only=True)
class Market(LiveMarket):
    """Market data as one operation sees it: asked on its caller's account, and noted for `cacheStatus`."""

    def at_hand(self, capability: Capability[A, M], item: Any) -> Fetched | None:
        """An item of a batch ask where nothing has to be waited for, asked without terms; None where it is fetched."""
        if self.account is None:
            return None
        return one_at_hand(self.data, capability, item, None, DEFAULT_TERMS, self.log, self.account)

    async def fetch(self, capability: Capability[A, M], ask: A, terms: Terms = DEFAULT_TERMS) -> Fetched:
        """One answer; NoAnswer lists every attempt."""
        account = self.account or await self.whose()
        return await self.data.fetch(capability, ask, terms, self.log, account, self.deadline)

    async def fetch_many(
        self, capability: Capability[A, M], ask: A, terms: Terms = DEFAULT_TERMS
    ) -> Mapping[Any, Fetched | NoAnswer]:
        """An answer or a NoAnswer for each item of the ask."""
        account = self.account or await self.whose()
        return await self.data.fetch_many(capability, ask, terms, self.log, account, self.deadline)

    async def stream(self, capability: Capability[A, M], ask: A, terms: Terms = DEFAULT_TERMS) -> AsyncGenerator[M]:
        """The parts of an answer that comes in parts; NoAnswer where nobody began."""
        account = self.account or await self.whose()
        async with aclosing(self.data.stream(capability, ask, terms, self.log, account)) as parts:
            async for part in parts:
                yield part

    async def offering(
        self, capability: Capability[A, M], ask: A, terms: Terms = DEFAULT_TERMS, asset_class: AssetClass | None = None
    ) -> tuple[str, ...]:
        """Ids of the providers that this caller would have asked, in order of routing."""
        return self.data.offering(capability, ask, terms, asset_class, self.account or await self.whose())

    async def rights(self, capability: Capability[A, M], provider: str) -> Rights:
        """What may be done with this provider's answers to this caller: shared with others, delivered, kept."""
        return self.data.rights(capability, provider, self.account or await self.whose())

    async def may_deliver(self, capability: Capability[A, M], *providers: str) -> bool:
        """Whether what all of these told may stand in what reaches the caller unasked: events, webhooks."""
        return all([(await self.rights(capability, provider)).deliver for provider in providers])

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
        account = self.account or await self.whose()
        return await self.data.consensus(instrument, terms, quorum, now, self.log, account, self.deadline)

    async def probe(self, provider: str, parts: Mapping[str, str]) -> UpstreamError | None:
        """Ask a provider one real question with this key of the caller's; the error that it ends in."""
        account = await self.whose()
        return await probe(self.data, provider, account.tenant, parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What services are made of, once per process. The database connects at the first use."""

    data: MarketData
    clock: Clock
    calendars: Calendars
    store: Store
    vault: Vault
    bus: Bus
    settings: Settings
    link: RedisLink | None = None
    """The guards' Redis; None where every process is alone."""
    plugins: list[Plugin] = field(default_factory=list)
    services: dict[type, Any] = field(default_factory=dict)

    def service(self, kind: type[S]) -> S:
        """What a plugin serves under a class or port; complete once all plugins have made theirs."""
        return cast(S, self.services[kind])


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Who asks, when, and what resolvers may use: one per operation. It is the words' `Reader`."""

    principal: Principal
    now: datetime
    request_id: str
    market: Market
    host: Host
    services: Mapping[type, Any]
    presented: Presented = field(default_factory=Presented)
    user_agent: str | None = None
    cookies: list[str] = field(default_factory=list)
    """`Set-Cookie` headers that the answer will carry."""
    local: dict[Any, Any] = field(default_factory=dict)

    @property
    def tenant(self) -> str:
        """The caller's tenant; every store method takes it."""
        return self.principal.tenant

    def act(
        self,
        action: str,
        target: str,
        *,
        tenant: str | None = None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> Act:
        """A line of the audit trail by this caller; *tenant* where it is not the caller's own."""
        return Act(
            tenant=self.principal.tenant if tenant is None else tenant, action=action, target=target, before=before,
            after=after, actor=self.principal.actor, actor_kind=self.principal.kind.value,
            client_ip=self.presented.client_ip, request_id=self.request_id,
        )  # fmt: skip

    def service(self, kind: type[S]) -> S:
        """The service that a plugin registered under its class or its port."""
        return cast(S, self.services[kind])

    def changes_every(self, seconds: int) -> None:
        """What the operation shows changes with the clock alone, at full multiples of so many seconds (UTC)."""
        left = seconds - self.now.timestamp() % seconds
        passed = (self.host.clock.now() - self.now).total_seconds()
        self.market.log.hold(self.host.clock.monotonic() + left - passed)

    def cache_status(self, provenance: Provenance) -> CacheStatus:
        """How this operation got an answer."""
        return self.market.log.status(provenance)

    def describe(self, instrument: InstrumentId, selected: frozenset[str]) -> Instrument | Awaitable[Instrument]:
        """See `schema.provenance.Reader`."""
        return self.service(Desk).describe(self, instrument, selected)

    async def market_state(self, instrument: InstrumentId, at: datetime | None) -> MarketState:
        """Whether the instrument's market is open at an instant, by default at the start of the operation."""
        if at is None:
            self.changes_every(MINUTE)
        return await self.host.calendars.state(instrument, at or self.now)

    async def venue_state(self, venue: str) -> MarketState:
        """Whether a venue trades at the start of the operation."""
        self.changes_every(MINUTE)
        return await self.host.calendars.venue_state(venue, self.now)

    async def venue_sessions(self, venue: str, start: date, end: date) -> list[TradingSession]:
        """The venue's sessions with dates in [start, end)."""
        return list(await self.host.calendars.venue_sessions(venue, start, end))

    async def venue_phases(self, venue: str, start: date, end: date) -> list[SessionPhase]:
        """See `schema.provenance.Reader`."""
        return list(await self.host.calendars.venue_phases(venue, start, end))

    async def venue_holidays(self, venue: str, start: date, end: date) -> list[VenueHoliday]:
        """See `schema.provenance.Reader`."""
        return list(await self.host.calendars.venue_holidays(venue, start, end))

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
class Download:
    """A long answer: its price, and its parts, each made when the one before it has left."""

    cost: int
    media: str
    filename: str
    parts: AsyncGenerator[bytes, None]
    """What it raises before its first part is a refusal; later the answer breaks off, so that nobody takes it for
    whole."""


class Admissions(Protocol):
    """The edge's gate for plain routes: who asks, whether they may, and what it costs, as for an operation."""

    async def download(
        self, request: Request, *, name: str, needs: Scope, prepare: Callable[[Context], Awaitable[Download]]
    ) -> Response:
        """Let it be prepared by a caller who may, charge it, and send it as fast as the caller reads.

        *name* is what its usage is written under. Refusals have the edge's shape.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Work that a serving process does again and again: where a run ends, the next begins *every* seconds later.

    All processes of a fleet run it: what only one may do at a time it locks or claims in the database. `finish` runs
    once when the process stops serving, while the database is still there: write what is in memory.
    """

    name: str
    every: float
    run: Callable[[], Awaitable[None]]
    finish: Callable[[], Awaitable[None]] | None = None
    anywhere: bool = False
    """Whether any process of the fleet may do it for all: nothing of it is what this process alone holds in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One domain as a value. `services` runs once, at the start, and maps classes and ports to what serves them.

    `query`, `mutation` and `subscription` are Strawberry types whose fields become root fields; `types` are further
    GraphQL types that no field names, such as implementations of an interface. `tables` begin with the plugin's name,
    `migrations` is the folder of their history. `nodes` finds objects of GraphQL's `node(id:)` by the kind that their
    ids begin with. `export` answers everything that the plugin holds of a tenant as plain values, `erase` removes it.
    `events` are the types of what it tells, for the catalogue. `start` runs before the process serves, `stop` once it
    serves no more, while the database is still there.
    `archived` are the tables whose old rows go through the port `Archive`, and how they come back.
    `welcome` gives what a development server prints once it listens at an address: labels and texts.
    `origin` is the entry point of another package's plugin; whoever loads it fills that in.
    """

    name: str
    query: type | None = None
    mutation: type | None = None
    subscription: type | None = None
    types: tuple[type, ...] = ()
    events: tuple[type[Event], ...] = ()
    services: Callable[[Host], Mapping[type, Any]] | None = None
    tables: MetaData | None = None
    migrations: Path | None = None
    workers: Callable[[Host], Sequence[Worker]] | None = None
    routes: Callable[[Host], Sequence[BaseRoute]] | None = None
    start: Callable[[Host], Awaitable[None]] | None = None
    stop: Callable[[Host], Awaitable[None]] | None = None
    nodes: Mapping[str, Callable[[Context, str], Awaitable[Any]]] = field(default_factory=dict)
    export: Callable[[Host, Tx, str], Awaitable[Mapping[str, Any]]] | None = None
    erase: Callable[[Host, Tx, str], Awaitable[None]] | None = None
    archived: tuple[Archived, ...] = ()
    welcome: Callable[[Host, str], Awaitable[Sequence[tuple[str, str]]]] | None = None
    origin: str = ""
