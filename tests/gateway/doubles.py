"""Doubles at the core's seams: a clock turned by hand, a loop whose time jumps, a wire of its own, small venues."""

from __future__ import annotations

import asyncio
import json
import random
import selectors
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from gateway.core.account import NOBODY, Account
from gateway.core.bus import LocalBus
from gateway.core.calendars import ExchangeCalendars
from gateway.core.clock import Clock
from gateway.core.contract import Host
from gateway.core.fetchlog import Fetched, FetchLog
from gateway.core.guards.breaker import BreakerPolicy, Changed
from gateway.core.guards.cache import MOST_BYTES
from gateway.core.market import MarketData
from gateway.core.oversight import BreakerOversight
from gateway.core.pipeline import Pipeline
from gateway.core.routing import Registry
from gateway.core.secrets import Redactor, Vault
from gateway.core.settings import Settings
from gateway.core.store import Store
from gateway.core.upstream import RawReply, Request, Transport, UpstreamHttp
from providers.contract import Answer, Credential, Licence, Limit, Profile, Provider, Reply, Usage, answers
from schema.capability import DEFAULT_TERMS, Terms
from schema.errors import NoAnswer, UnknownInstrument, UpstreamError
from schema.provenance import DataMode, FeedDelay
from schema.symbols import AssetClass, InstrumentId, parse_instrument
from schema.words.candles import CANDLES, Bars, CandlesAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk
from tests.planted import ROOT_SECRET as ROOT_SECRET

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BTC, ETH, SOL = (parse_instrument(f"crypto:{asset}/USD") for asset in ("BTC", "ETH", "SOL"))


class TurnedLoop(asyncio.SelectorEventLoop):
    """Time stands still while there is work and jumps to the next timer when there is none: deadlines cost no time."""

    def __init__(self) -> None:
        self.reading = 0.0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        return self.reading


class _Jumping(selectors.SelectSelector):
    def __init__(self, loop: TurnedLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing is left that could ever happen")
        self._loop.reading += max(timeout, 0.0)
        return super().select(0)


class ManualClock:
    """gateway.core.clock.Clock, turned by hand; sleeping is the loop's affair and turns it too."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now, self._monotonic = now, 1000.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(seconds)
        self.turn(seconds)

    def turn(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds


class LoopClock(ManualClock):
    """Goes with the time of the running loop."""

    def now(self) -> datetime:
        return self._now + timedelta(seconds=asyncio.get_running_loop().time())

    def monotonic(self) -> float:
        return self._monotonic + asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(seconds)


Handler = Callable[[Request], "RawReply | Awaitable[RawReply]"]


def reply(body: Any = None, status: int = 200, headers: Mapping[str, str] | None = None) -> RawReply:
    """A JSON reply, or the bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return RawReply(status=status, headers=headers or {}, content=content)


class Wire:
    """A transport: one handler for each provider, and every request in order."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.requests: list[Request] = []
        self.open = self.most_open = 0

    async def send(self, request: Request) -> RawReply:
        self.requests.append(request)
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        try:
            found = self.handlers[request.provider](request)
            return found if isinstance(found, RawReply) else await found
        finally:
            self.open -= 1

    async def close(self) -> None:
        """Nothing is open."""

    def asked(self, provider: str) -> list[list[str]]:
        """The symbols of each request to a provider."""
        return [dict(r.params)["symbols"].split(",") for r in self.requests if r.provider == provider]


def wire_symbol(instrument: InstrumentId) -> str:
    return f"{instrument.base}-{instrument.quote}"


class Venue(Provider):
    """Prices by symbol: `{"BTC-USD": {"price": "1", "at": 1795176000}}`; a symbol that is not there is unknown."""

    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        symbols = {wire_symbol(instrument): instrument for instrument in ask.instruments}
        body = await self.http.get("/quotes", {"symbols": ",".join(symbols)})
        return [
            Quote(
                instrument=symbols[symbol],
                price=row.decimal("price"),
                price_type=PriceType(row.maybe_text("type") or "LAST"),
                as_of=row.epoch("at") if "at" in row else None,
            )
            for symbol, row in body.items()
            if symbol in symbols
        ]

    async def candles(self, ask: CandlesAsk) -> Bars:
        body = await self.http.get(
            "/candles", {"symbols": wire_symbol(ask.instrument), "start": stamp(ask.start), "end": stamp(ask.end)}
        )
        return body.bars(time=0, open=1, high=1, low=1, close=1, unit="s")

    def explain(self, reply: Reply) -> UpstreamError | None:
        said = reply.body.maybe_text("error") if "error" in reply.body else None
        return UnknownInstrument(self.profile.id, said) if said else None


def stamp(moment: datetime) -> int:
    return int(moment.timestamp())


def venue(
    name: str,
    *,
    priority: int = 10,
    mode: DataMode = DataMode.LIVE,
    credentials: tuple[Credential, ...] = (),
    delay: FeedDelay = FeedDelay.REALTIME,
    delay_seconds: int | None = None,
    cacheable: bool = True,
    shareable: bool = True,
    covers: Callable[[QuotesAsk], bool] = lambda ask: True,
    max_batch: int | None = None,
    max_rows: int | None = None,
    fresh_for: timedelta | None = None,
    intervals: tuple[Interval, ...] = (Interval.M1, Interval.H1, Interval.D1, Interval.W1, Interval.MO1),
    quotes: Callable[[QuotesAsk], Awaitable[Any]] | None = None,
    limits: tuple[Limit, ...] = (),
    usage: tuple[Usage, ...] = (),
    requests: int = 1,
) -> type[Provider]:
    """A provider class; *quotes* replaces the method that goes over the wire, else it makes so many *requests*."""
    profile = Profile(
        id=name, name=name.title(), base_url=f"https://{name}.example/api", docs="https://docs.example",
        asset_classes=(AssetClass.CRYPTO,), licence=Licence(note="None.", cacheable=cacheable, shareable=shareable),
        priority=priority,
        mode=mode, credentials=credentials, delay=delay, delay_seconds=delay_seconds, limits=limits, usage=usage,
    )  # fmt: skip

    async def ask_for_quotes(self: Venue, ask: QuotesAsk) -> Any:
        for _ in range(requests - 1):
            await Venue.quotes(self, ask)
        return await (quotes(ask) if quotes else Venue.quotes(self, ask))

    async def ask_for_candles(self: Venue, ask: CandlesAsk) -> Bars:
        return await Venue.candles(self, ask)

    marked = {
        "profile": profile,
        "quotes": answers(QUOTES, covers=covers, max_batch=max_batch, fresh_for=fresh_for)(named(ask_for_quotes)),
        "candles": answers(CANDLES, max_rows=max_rows, intervals=intervals)(named(ask_for_candles)),
    }
    return type(name.title(), (Venue,), marked)


def named(method: Any) -> Any:
    method.__name__ = method.__name__.removeprefix("ask_for_")
    return method


class Unspread(random.Random):
    """Chance that never shortens a window."""

    def random(self) -> float:
        return 0.0


@dataclass
class World:
    """A core with its seams in hand."""

    clock: ManualClock
    wire: Wire
    registry: Registry
    pipeline: Pipeline
    data: MarketData
    events: list[tuple[str, str, str, str]] = field(default_factory=list)

    async def quote(
        self,
        instrument: InstrumentId = BTC,
        terms: Terms = DEFAULT_TERMS,
        log: FetchLog | None = None,
        account: Account = NOBODY,
        **changed: Any,
    ) -> Fetched:
        """One quote."""
        ask = QuotesAsk(instruments=(instrument,))
        return await self.data.fetch(QUOTES, ask, replace(terms, **changed), log, account)

    async def refused(self, instrument: InstrumentId = BTC, **changed: Any) -> NoAnswer:
        """The error of a quote that nobody answers."""
        try:
            found = await self.quote(instrument, **changed)
        except NoAnswer as error:
            return error
        raise AssertionError(f"answered: {found}")

    async def quotes(self, *instruments: InstrumentId, **changed: Any) -> Mapping[InstrumentId, Fetched | NoAnswer]:
        """A batch."""
        return await self.data.fetch_many(QUOTES, QuotesAsk(instruments=instruments), replace(DEFAULT_TERMS, **changed))

    async def logged(self, instrument: InstrumentId = BTC, **changed: Any) -> tuple[Fetched, FetchLog]:
        """A quote and the log of its operation."""
        log = FetchLog()
        return await self.quote(instrument, DEFAULT_TERMS, log, **changed), log

    def breaker(self, provider: str, capability: str = "quotes") -> Any:
        """A lane's breaker."""
        return next(lane.breaker for lane in self.registry.lanes_of(capability) if lane.id == provider)


def world(
    *classes: type[Provider],
    mode: DataMode = DataMode.LIVE,
    keys: Mapping[str, Mapping[str, str]] | None = None,
    policy: BreakerPolicy | None = None,
    cache_bytes: int = MOST_BYTES,
    transport: Transport | None = None,
    base: str = "",
    clock: ManualClock | None = None,
    oversight: BreakerOversight | None = None,
) -> World:
    """Put a core together from provider classes; every provider answers 1 for everything until told otherwise."""
    clock, wire, keys = clock or ManualClock(), Wire(), keys or {}
    events: list[tuple[str, str, str, str]] = []
    changed: Changed = lambda provider, capability, state, why: events.append((provider, capability, state.value, why))  # noqa: E731
    registry = Registry(clock=clock, mode=mode, policy=policy or BreakerPolicy(), changed=changed, oversight=oversight)
    redact = Redactor(value for parts in keys.values() for value in parts.values())
    for cls in classes:
        profile, key = cls.profile, keys.get(cls.profile.id, {})

        def make(key: Mapping[str, str], cls: type[Provider] = cls) -> Provider:
            http = UpstreamHttp(profile=cls.profile, transport=transport or wire, clock=clock, key=key, base=base)
            provider = cls(http, clock)
            http.explain = provider.explain
            return provider

        missing = any(part.required and part.name not in key for part in profile.credentials)
        registry.add(make(key), f"MARKETGATE_KEY_{profile.id.upper()}" if missing else None, make)
        wire.handlers[profile.id] = priced("1")
    pipeline = Pipeline(registry, clock, redact=redact, cache_bytes=cache_bytes, chance=Unspread())
    return World(clock, wire, registry, pipeline, MarketData(registry, pipeline, clock), events)


def priced(price: str, at: datetime | None = None, without: frozenset[str] = frozenset(), **more: str) -> Handler:
    """Answers this price for every symbol but those *without*."""
    row = {"price": price, **({"at": stamp(at)} if at else {}), **more}

    def handler(request: Request) -> RawReply:
        symbols = dict(request.params)["symbols"].split(",")
        return reply({symbol: row for symbol in symbols if symbol not in without})

    return handler


def failing(status: int, body: Any = None, **headers: str) -> Handler:
    """Answers a status; `retry_after="3"` is a header."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: reply(body if body is not None else {"message": "no"}, status, sent)


def raising(error: Exception) -> Handler:
    """The exchange ends in an error of the port."""

    async def handler(_: Request) -> RawReply:
        raise error

    return handler


def late(seconds: float, then: Handler) -> Handler:
    """Answers after a while."""

    async def handler(request: Request) -> RawReply:
        await asyncio.sleep(seconds)
        found = then(request)
        return found if isinstance(found, RawReply) else await found

    return handler


def silent() -> Handler:
    """Never answers."""
    return late(1e6, priced("1"))


def in_turn(*handlers: Handler) -> Handler:
    """The first request gets the first, the last handler serves all further ones."""
    left = list(handlers)
    return lambda request: (left.pop(0) if len(left) > 1 else left[0])(request)


def pairs(count: int) -> tuple[InstrumentId, ...]:
    """Instruments `A0/USD`, `A1/USD`, …"""
    return tuple(parse_instrument(f"crypto:A{number}/USD") for number in range(count))


def price_of(found: Fetched | NoAnswer) -> Decimal:
    """The price of a quote that was answered."""
    assert isinstance(found, Fetched), found
    price: Decimal = found.value.price
    return price


def codes(error: NoAnswer) -> list[tuple[str, str]]:
    """Provider and code of each attempt."""
    return [(attempt.provider, attempt.code.value) for attempt in error.attempts]


def fallen(found: Fetched) -> list[tuple[str, str]]:
    """Provider and code of each failure that came before an answer."""
    return [(failure.provider, failure.code.value) for failure in found.provenance.fallback_from]


def offer(world: World, provider: str, capability: str = "quotes") -> Answer:
    """What a provider declares."""
    return next(lane.answer for lane in world.registry.lanes_of(capability) if lane.id == provider)


def host_of(data: MarketData, clock: Clock, settings: Settings | None = None, store: Store | None = None) -> Host:
    """A host whose database is never connected unless a store is handed in."""
    settings = settings or Settings(env="development")
    return Host(
        data=data, clock=clock, calendars=ExchangeCalendars(), store=store or Store("sqlite:///:memory:"),
        vault=Vault(lambda: (ROOT_SECRET,)), bus=LocalBus(), settings=settings,
    )  # fmt: skip
