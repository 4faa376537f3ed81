"""A catalog over real routing and guards, with small providers of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from gateway.core.contract import Context, Market
from gateway.core.fetchlog import FetchLog
from gateway.core.identity import ANONYMOUS
from gateway.core.market import MarketData
from gateway.core.pipeline import Pipeline
from gateway.core.routing import Registry
from plugins.market.catalog import Catalog
from providers.contract import Http, Licence, Profile, Provider, answers
from schema.errors import Overloaded
from schema.paging import Page
from schema.provenance import DataMode
from schema.symbols import AssetClass, crypto, parse_instrument
from schema.words.instruments import (
    INSTRUMENTS,
    SEARCH,
    Instrument,
    InstrumentsAsk,
    Listing,
    SearchAsk,
)
from tests.gateway.doubles import host_of

ID = frozenset({"id", "symbol", "type", "quote"})
RULES = frozenset({"id", "tickSize"})
ANY = (AssetClass.CRYPTO, AssetClass.EQUITY, AssetClass.FX, AssetClass.INDEX)


@dataclass
class Turned:
    """A clock that is turned by hand; waiting takes no time."""

    at: float = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 11, 20, 12, tzinfo=UTC) + timedelta(seconds=self.at - 1000)

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@dataclass
class Upstream:
    """What one provider lists and finds, and how often it was asked."""

    id: str
    lists: Sequence[Listing] | None = ()
    finds: Sequence[Listing] = ()
    classes: tuple[AssetClass, ...] = ANY
    mode: DataMode = DataMode.LIVE
    broken: bool = False
    cacheable: bool = True
    gate: asyncio.Event | None = None
    listed: int = 0
    searched: list[str] = field(default_factory=list)

    def provider(self, clock: Turned) -> Provider:
        upstream = self

        class Listed(Provider):
            profile = Profile(
                id=self.id, name=self.id.title(), base_url="https://upstream.test", docs="https://upstream.test",
                asset_classes=self.classes, licence=Licence(note="", cacheable=self.cacheable), mode=self.mode,
            )  # fmt: skip

            @answers(INSTRUMENTS)
            async def instruments(self, ask: InstrumentsAsk) -> tuple[Listing, ...]:
                upstream.listed += 1
                if upstream.gate is not None:
                    await upstream.gate.wait()
                if upstream.broken:
                    raise Overloaded(upstream.id, "HTTP 503")
                return tuple(upstream.lists or ())

            @answers(SEARCH)
            async def search(self, ask: SearchAsk) -> tuple[Listing, ...]:
                upstream.searched.append(ask.text)
                if upstream.broken:
                    raise Overloaded(upstream.id, "HTTP 503")
                return tuple(upstream.finds)

        return Listed(cast(Http, None), clock)


@dataclass
class World:
    """A catalog over some upstreams."""

    catalog: Catalog
    context: Context
    clock: Turned

    async def page(self, text: str | None = None, *, first: int = 20, **how: Any) -> Page[Instrument]:
        asked = {"asset_class": None, "type": None, "venue": None, "after": None, **how}
        return await self.catalog.search(self.context, text=text, first=first, **asked)

    async def ids(self, text: str | None = None, **how: Any) -> list[str]:
        return [str(found.id) for found in (await self.page(text, **how)).items]

    async def described(self, id: str, selected: frozenset[str]) -> Instrument:
        answer = self.catalog.describe(parse_instrument(id), selected)
        return answer if isinstance(answer, Instrument) else await answer


def world(*upstreams: Upstream, mode: DataMode = DataMode.LIVE, patience: float = 5.0) -> World:
    clock = Turned()
    registry = Registry(clock=clock, mode=mode)
    for upstream in upstreams:
        registry.add(upstream.provider(clock))
    data = MarketData(registry, Pipeline(registry, clock), clock)
    host = host_of(data, clock)
    market = Market(data=data, log=FetchLog())
    context = Context(principal=ANONYMOUS, now=clock.now(), request_id="", market=market, host=host, services={})
    return World(Catalog(host, patience, 0.05), context, clock)


def spot(base: str, quote: str, symbol: str, tick: str | None = None, **more: Any) -> Listing:
    size = Decimal(tick) if tick else None
    return Listing(instrument=crypto(base, quote), provider_symbol=symbol, tick_size=size, **more)


async def background() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def binance(**more: Any) -> Upstream:
    listings = (
        spot("BTC", "USDT", "BTCUSDT", "0.01", step_size=Decimal("0.00001"), min_notional=Decimal(5)),
        spot("ETH", "USDT", "ETHUSDT", "0.01"),
        spot("JTO", "USDT", "JTOUSDT", "0.0001", tradable=False),
    )
    return Upstream("binance", listings, classes=(AssetClass.CRYPTO,), **more)


def kraken(**more: Any) -> Upstream:
    listings = (spot("BTC", "USD", "XXBTZUSD", "0.1"), spot("BTC", "USDT", "XBTUSDT", "0.1"))
    return Upstream("kraken", listings, classes=(AssetClass.CRYPTO,), **more)
