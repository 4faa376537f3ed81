"""The catalog over real routing and guards, with small providers of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from gateway.core.contract import Context, Market
from gateway.core.fetchlog import FetchLog
from gateway.core.identity import ANONYMOUS
from gateway.core.market import MarketData
from gateway.core.pipeline import Pipeline
from gateway.core.routing import Registry
from plugins.market.catalog import Catalog
from providers.contract import Http, Licence, Profile, Provider, answers
from schema.errors import AmbiguousInstrument, BadInput, Overloaded
from schema.paging import Page
from schema.provenance import DataMode
from schema.spelling import read_symbol
from schema.symbols import AssetClass, InstrumentId, crypto, equity, parse_instrument
from schema.words.instruments import (
    INSTRUMENTS,
    SEARCH,
    Instrument,
    InstrumentsAsk,
    InstrumentType,
    Listing,
    SearchAsk,
    VenueSymbol,
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
    gate: asyncio.Event | None = None
    listed: int = 0
    searched: list[str] = field(default_factory=list)

    def provider(self, clock: Turned) -> Provider:
        upstream = self

        class Listed(Provider):
            profile = Profile(
                id=self.id, name=self.id.title(), base_url="https://upstream.test", docs="https://upstream.test",
                asset_classes=self.classes, licence=Licence(note=""), mode=self.mode,
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


# Describing ------------------------------------------------------------------------------------------------------


def test_what_follows_from_the_id_is_answered_at_once():
    upstream = binance()
    found = world(upstream).catalog.describe(parse_instrument("crypto:BTC/USDT:USDT-261225@binance"), ID)

    assert isinstance(found, Instrument)
    assert found.id == "crypto:BTC/USDT:USDT-261225@binance"
    assert found.symbol == "BTC/USDT:USDT-261225"
    assert (found.base, found.quote_currency, found.settle) == ("BTC", "USDT", "USDT")
    assert found.type is InstrumentType.FUTURE
    assert found.expiry == datetime(2026, 12, 25, 8, tzinfo=UTC)
    assert upstream.listed == 0


def test_public_facts_are_answered_at_once():
    upstream = Upstream("yahoo")
    selected = ID | {"name", "quoteCurrency", "isin", "figi", "venue"}
    found = world(upstream).catalog.describe(equity("AAPL"), selected)

    assert isinstance(found, Instrument)
    assert (found.name, found.quote_currency) == ("Apple Inc.", "USD")
    assert (found.isin, found.figi) == ("US0378331005", "BBG000B9XRY4")
    assert found.venue is not None
    assert (found.venue.id, found.venue.name, found.venue.time_zone) == ("XNAS", "Nasdaq", "America/New_York")
    assert upstream.listed == 0


@pytest.mark.parametrize(
    ("id", "name", "currency", "kind", "venue"),
    [
        ("equity:AAPL@XNAS", "Apple Inc.", "USD", InstrumentType.STOCK, "XNAS"),
        ("equity:VOD@XLON", "Vodafone Group Plc", "GBP", InstrumentType.STOCK, "XLON"),
        ("equity:VOD", "Vodafone Group Plc ADR", "USD", InstrumentType.STOCK, "XNAS"),
        ("equity:SPY", "SPDR S&P 500 ETF Trust", "USD", InstrumentType.ETF, "ARCX"),
        ("equity:ZZZZ", None, "USD", InstrumentType.STOCK, None),
        ("equity:ZZZZ@XPAR", None, "EUR", InstrumentType.STOCK, "XPAR"),
        ("equity:ZZZZ@XXXX", None, "XXX", InstrumentType.STOCK, "XXXX"),
        ("equity:AAPL@XLON", None, "GBP", InstrumentType.STOCK, "XLON"),
        ("equity:AAPL-261218-200-C", None, "USD", InstrumentType.OPTION, None),
        ("crypto:BTC/USD", "Bitcoin / US Dollar", "USD", InstrumentType.SPOT, None),
        ("crypto:BTC/USDT@nobody", "Bitcoin / Tether", "USDT", InstrumentType.SPOT, "nobody"),
        ("crypto:ZZZZ/USD", None, "USD", InstrumentType.SPOT, None),
        ("fx:SEK/PLN", "Swedish Krona / Polish Zloty", "PLN", InstrumentType.FX_PAIR, None),
        ("index:SPX", "S&P 500", "USD", InstrumentType.INDEX, None),
        ("index:ZZZZ", None, "XXX", InstrumentType.INDEX, None),
        ("dex:solana/AbCdEf", None, "XXX", InstrumentType.POOL, None),
    ],
)
async def test_an_instrument_nobody_lists_is_described_by_what_is_known(id, name, currency, kind, venue):
    found = await world().described(id, RULES | {"name", "symbols"})

    assert (found.id, found.name, found.quote_currency, found.type) == (id, name, currency, kind)
    assert (found.venue.id if found.venue else None) == venue
    assert found.tick_size is None
    assert found.symbols == ()
    assert found.tradable


async def test_a_venues_id_has_that_venues_rules():
    found = await world(binance(), kraken()).described("crypto:BTC/USDT@binance", RULES)

    assert (found.tick_size, found.step_size, found.min_notional) == (Decimal("0.01"), Decimal("0.00001"), Decimal(5))
    assert found.symbols == (VenueSymbol(provider="binance", symbol="BTCUSDT"),)
    assert found.venue is not None
    assert (found.venue.id, found.venue.name, found.venue.time_zone) == ("binance", "Binance", "UTC")


async def test_only_the_venue_itself_is_asked_for_its_rules():
    asked, other = binance(), kraken()
    await world(asked, other).described("crypto:BTC/USDT@binance", RULES)

    assert (asked.listed, other.listed) == (1, 0)


async def test_a_generic_id_has_all_symbols_and_no_rules_where_lists_differ():
    found = await world(binance(), kraken()).described("crypto:BTC/USDT", RULES)

    assert found.tick_size is None
    assert found.step_size is None
    assert found.symbols == (
        VenueSymbol(provider="binance", symbol="BTCUSDT"),
        VenueSymbol(provider="kraken", symbol="XBTUSDT"),
    )


async def test_a_generic_id_that_one_provider_lists_has_its_rules():
    found = await world(binance(), kraken()).described("crypto:BTC/USD", RULES)

    assert found.tick_size == Decimal("0.1")
    assert found.symbols == (VenueSymbol(provider="kraken", symbol="XXBTZUSD"),)


async def test_what_its_only_venue_has_halted_is_not_tradable():
    found = await world(binance(), kraken()).described("crypto:JTO/USDT", RULES)

    assert not found.tradable
    assert found.name is None


async def test_a_listing_on_the_main_exchange_stands_for_the_named_one():
    listing = Listing(instrument=equity("AAPL"), provider_symbol="AAPL", tick_size=Decimal("0.01"))

    found = await world(Upstream("alpaca", (listing,))).described("equity:AAPL@XNAS", RULES)

    assert found.tick_size == Decimal("0.01")
    assert found.symbols == (VenueSymbol(provider="alpaca", symbol="AAPL"),)


async def test_only_providers_of_the_class_are_asked():
    coins, shares = binance(), Upstream("alpaca", (), classes=(AssetClass.EQUITY,))

    await world(coins, shares).described("equity:ZZZZ", RULES)

    assert (coins.listed, shares.listed) == (0, 1)


async def test_callers_at_the_same_time_share_one_load():
    gate = asyncio.Event()
    upstream = binance(gate=gate)
    here = world(upstream)

    waiting = [asyncio.create_task(here.described("crypto:ETH/USDT", RULES)) for _ in range(50)]
    await background()
    gate.set()
    found = await asyncio.gather(*waiting)

    assert {each.tick_size for each in found} == {Decimal("0.01")}
    assert upstream.listed == 1


async def test_once_loaded_everything_is_answered_at_once():
    here = world(binance())
    await here.described("crypto:BTC/USDT", RULES)

    found = here.catalog.describe(crypto("ETH", "USDT"), RULES)

    assert isinstance(found, Instrument)
    assert found.tick_size == Decimal("0.01")


async def test_a_list_that_does_not_come_in_time_is_done_without_and_used_once_there():
    gate = asyncio.Event()
    upstream = binance(gate=gate)
    here = world(upstream, kraken(), patience=0.01)

    early = await here.described("crypto:BTC/USDT", RULES)
    gate.set()
    await background()
    late = await here.described("crypto:BTC/USDT", RULES)

    assert [each.provider for each in early.symbols] == ["kraken"]
    assert [each.provider for each in late.symbols] == ["binance", "kraken"]
    assert upstream.listed == 1


async def test_a_caller_that_gives_up_does_not_take_the_load_along():
    gate = asyncio.Event()
    upstream = binance(gate=gate)
    here = world(upstream)

    impatient = asyncio.create_task(here.described("crypto:ETH/USDT", RULES))
    patient = asyncio.create_task(here.described("crypto:ETH/USDT", RULES))
    await background()
    impatient.cancel()
    await background()
    gate.set()

    assert (await patient).tick_size == Decimal("0.01")
    assert impatient.cancelled()


async def test_a_provider_that_fails_leaves_the_others_and_is_asked_again_later():
    broken = binance(broken=True)
    here = world(broken, kraken())

    first = await here.described("crypto:BTC/USDT", RULES)
    asked = broken.listed
    await here.described("crypto:BTC/USDT", RULES)
    assert broken.listed == asked

    broken.broken = False
    here.clock.at += 31
    await here.described("crypto:BTC/USDT", RULES)
    await background()
    healed = await here.described("crypto:BTC/USDT", RULES)

    assert [each.provider for each in first.symbols] == ["kraken"]
    assert [each.provider for each in healed.symbols] == ["binance", "kraken"]


async def test_an_old_list_serves_while_the_new_one_comes():
    upstream = kraken()
    here = world(upstream)
    await here.described("crypto:BTC/USD", RULES)

    upstream.lists = (spot("BTC", "USD", "XXBTZUSD", "0.01"),)
    here.clock.at += 3601
    meanwhile = await here.described("crypto:BTC/USD", RULES)
    await background()
    after = await here.described("crypto:BTC/USD", RULES)

    assert (meanwhile.tick_size, after.tick_size) == (Decimal("0.1"), Decimal("0.01"))
    assert upstream.listed == 2


async def test_a_simulated_exchange_is_no_part_of_the_live_market():
    sandbox = Upstream("sandbox", (spot("BTC", "USD", "BTC-USD", "0.01"),), mode=DataMode.SIMULATED)

    generic = await world(sandbox, kraken()).described("crypto:BTC/USD", RULES)
    assert sandbox.listed == 0
    pinned = await world(sandbox, kraken()).described("crypto:BTC/USD@sandbox", RULES)
    offline = await world(sandbox, mode=DataMode.RECORDED).described("crypto:BTC/USD", RULES)

    assert [each.provider for each in generic.symbols] == ["kraken"]
    assert [each.provider for each in pinned.symbols] == ["sandbox"]
    assert [each.provider for each in offline.symbols] == ["sandbox"]


# Spelling --------------------------------------------------------------------------------------------------------


async def test_what_is_loaded_changes_no_spelling():
    here = world(Upstream("alpaca", (Listing(instrument=equity("SOL"), provider_symbol="SOL"),)))
    before = read_symbol("SOL", here.catalog)

    await here.page("SOL")

    assert read_symbol("SOL", here.catalog) == before == crypto("SOL", "USD")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AAPL", "equity:AAPL"),
        ("VOD.L", "equity:VOD@XLON"),
        ("BTC", "crypto:BTC/USD"),
        ("BTCUSDT", "crypto:BTC/USDT"),
        ("PEPEUSD", "crypto:PEPE/USD"),
        ("EURUSD", "fx:EUR/USD"),
        ("^FTSE", "index:UKX"),
    ],
)
def test_the_catalog_is_the_directory_of_spellings(text, expected):
    assert str(read_symbol(text, world().catalog)) == expected


def test_a_coin_whose_ticker_is_listed_is_ambiguous():
    catalog = world().catalog

    with pytest.raises(AmbiguousInstrument) as caught:
        read_symbol("LINK", catalog)

    assert caught.value.candidates == ("crypto:LINK/USD", "equity:LINK")
    assert read_symbol("LINK", catalog, AssetClass.CRYPTO) == crypto("LINK", "USD")
    assert read_symbol("LINK", catalog, AssetClass.EQUITY) == equity("LINK")


# Searching -------------------------------------------------------------------------------------------------------


async def test_search_merges_all_lists_into_one_row_for_each_id():
    page = await world(binance(), kraken()).page("btc", asset_class=AssetClass.CRYPTO)

    assert [str(each.id) for each in page.items] == ["crypto:BTC/USD", "crypto:BTC/USDT", "crypto:WBTC/USD"]
    assert [each.provider for each in page.items[1].symbols] == ["binance", "kraken"]
    assert not page.info.has_next_page
    assert not page.info.has_previous_page


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("XXBTZUSD", "crypto:BTC/USD"),
        ("jtousdt", "crypto:JTO/USDT"),
        ("VOD.L", "equity:VOD@XLON"),
        ("apple", "equity:AAPL"),
        ("US0378331005", "equity:AAPL"),
        ("BBG000B9XRY4", "equity:AAPL"),
    ],
)
async def test_search_finds_by_every_identifier(text, first):
    assert (await world(binance(), kraken()).ids(text))[0] == first


async def test_a_venue_narrows_the_search_to_its_list_and_names_itself():
    page = await world(binance(), kraken()).page("btc", venue="Binance")

    assert [str(each.id) for each in page.items] == ["crypto:BTC/USDT@binance"]
    assert page.items[0].tick_size == Decimal("0.01")


async def test_an_exchange_narrows_the_search_to_what_is_listed_there():
    listing = Listing(instrument=equity("TSCO", "XLON"), provider_symbol="TSCO.L", name="Tesco PLC")
    ids = await world(Upstream("yahoo", (listing,))).ids(venue="xlon", first=100)

    assert ids[0] == "equity:VOD@XLON"
    assert ids[-1] == "equity:TSCO@XLON"
    assert all(id.endswith("@XLON") for id in ids)


async def test_class_and_type_narrow_the_search():
    here = world(binance())

    assert await here.ids("s&p", type=InstrumentType.ETF) == ["equity:SPY", "equity:VOO", "equity:IVV"]
    assert await here.ids("s&p", asset_class=AssetClass.INDEX) == ["index:SPX"]
    assert await here.ids("btc", type=InstrumentType.PERPETUAL) == []


async def test_providers_search_where_the_catalog_has_less_than_a_page():
    finds = (
        Listing(instrument=equity("AAPL"), provider_symbol="AAPL", name="Apple Inc."),
        Listing(instrument=equity("APLE"), provider_symbol="APLE", name="Apple Hospitality REIT, Inc."),
        Listing(instrument=equity("QQQQ"), provider_symbol="QQQQ", name="Fruit"),
        Listing(instrument=equity("AAPL"), provider_symbol="AAPL", name="Apple Inc."),
    )
    yahoo = Upstream("yahoo", (), finds)
    here = world(yahoo)

    page = await here.page(" Apple ")

    assert [str(each.id) for each in page.items] == ["equity:AAPL", "equity:APLE", "equity:QQQQ"]
    assert page.items[1].name == "Apple Hospitality REIT, Inc."
    assert page.items[1].symbols == (VenueSymbol(provider="yahoo", symbol="APLE"),)
    assert yahoo.searched == ["Apple"]
    # What was found is known from now on.
    assert (await here.described("equity:APLE", frozenset({"name"}))).name == "Apple Hospitality REIT, Inc."


async def test_a_full_page_asks_nobody():
    yahoo = Upstream("yahoo", ())

    await world(yahoo).page("a", first=1)
    await world(yahoo).page("apple", first=1)
    await world(yahoo).page(None)

    assert yahoo.searched == []


async def test_a_search_that_fails_elsewhere_still_answers():
    broken, working = Upstream("alphavantage", (), broken=True), Upstream("yahoo", ())
    working.finds = (Listing(instrument=equity("APLE"), provider_symbol="APLE", name="Apple Hospitality"),)

    assert await world(broken, working).ids("apple") == ["equity:AAPL", "equity:APLE"]


async def test_pages_join_without_gap_or_overlap():
    here = world(binance(), kraken())
    every = await here.ids(None, first=100, asset_class=AssetClass.CRYPTO)
    walked: list[str] = []
    after, more = None, True
    while more:
        page = await here.page(None, first=7, after=after, asset_class=AssetClass.CRYPTO)
        assert page.info.has_previous_page == bool(walked)
        walked += [str(each.id) for each in page.items]
        after, more = page.info.end_cursor, page.info.has_next_page

    assert walked[:100] == every
    assert len(walked) == len(set(walked))


async def test_a_list_that_loads_between_two_pages_shifts_nothing():
    gate = asyncio.Event()
    here = world(binance(gate=gate), kraken(), patience=0.01)
    first = await here.page("usd", first=3, asset_class=AssetClass.CRYPTO)
    before = await here.ids("usd", first=3, asset_class=AssetClass.CRYPTO, after=first.info.end_cursor)

    gate.set()
    await background()
    after = await here.ids("usd", first=100, asset_class=AssetClass.CRYPTO, after=first.info.end_cursor)

    assert set(before) <= set(after)
    assert not {str(each.id) for each in first.items} & set(after)
    assert "crypto:ETH/USDT" in after


@pytest.mark.parametrize("first", [0, -1, 101, 100_000])
async def test_a_page_has_one_to_a_hundred_rows(first):
    upstream = binance()

    with pytest.raises(BadInput) as caught:
        await world(upstream).page("btc", first=first)

    assert caught.value.message == f"first: must be 1 to 100, not {first}"
    assert upstream.listed == 0


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"venue": "binanse"}, "venue: 'binanse' is no venue: give a provider's id or a MIC such as XNAS"),
        ({"venue": ""}, "venue: '' is no venue: give a provider's id or a MIC such as XNAS"),
        (
            {"after": "x"},
            "after: is not a cursor of this list; give back what `pageInfo` or an edge gave",
        ),
    ],
)
async def test_what_cannot_be_is_refused_by_name(how, message):
    with pytest.raises(BadInput) as caught:
        await world(binance()).page("btc", **how)

    assert caught.value.message == message


async def test_every_row_of_a_page_describes_the_instrument_of_its_id():
    page = await world(binance(), kraken()).page(None, first=100)

    assert all(str(each.key) == each.id for each in page.items)
    assert len(page.cursors) == len(page.items) == 100
    assert isinstance(page.items[0].key, InstrumentId)
