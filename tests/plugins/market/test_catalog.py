"""What the catalog says of an instrument, and how it loads the lists behind that."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from schema.errors import AmbiguousInstrument
from schema.provenance import DataMode
from schema.spelling import read_symbol
from schema.symbols import AssetClass, crypto, equity, parse_instrument
from schema.words.instruments import (
    Instrument,
    InstrumentType,
    Listing,
    VenueSymbol,
)
from tests.plugins.market.listings import (
    ID,
    RULES,
    Upstream,
    background,
    binance,
    kraken,
    spot,
    world,
)


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


async def test_the_job_renews_the_lists_that_were_needed_and_are_too_old():
    upstream, idle = kraken(), binance()
    here = world(upstream, idle)
    await here.described("crypto:BTC/USD@kraken", RULES)
    await here.catalog.refresh()
    upstream.lists = (spot("BTC", "USD", "XXBTZUSD", "0.01"),)
    before = upstream.listed
    here.clock.at += 3601

    await here.catalog.refresh()
    found = here.catalog.describe(parse_instrument("crypto:BTC/USD@kraken"), RULES)

    assert isinstance(found, Instrument)
    assert found.tick_size == Decimal("0.01")
    assert (before, upstream.listed, idle.listed) == (1, 2, 0)


async def test_what_a_licence_forbids_to_store_is_in_no_list():
    found = (spot("BTC", "USD", "XXBTZUSD", "0.1"),)
    upstream = Upstream("kraken", found, finds=found, cacheable=False)
    here = world(upstream)

    shown = await here.ids("XXBTZUSD")
    described = await here.described("crypto:BTC/USD", RULES)

    assert shown == ["crypto:BTC/USD"]
    assert (described.tick_size, described.symbols) == (None, ())
    assert (upstream.listed, upstream.searched) == (0, ["XXBTZUSD"])


async def test_a_simulated_exchange_is_no_part_of_the_live_market():
    sandbox = Upstream("sandbox", (spot("BTC", "USD", "BTC-USD", "0.01"),), mode=DataMode.SIMULATED)

    generic = await world(sandbox, kraken()).described("crypto:BTC/USD", RULES)
    assert sandbox.listed == 0
    pinned = await world(sandbox, kraken()).described("crypto:BTC/USD@sandbox", RULES)
    offline = await world(sandbox, mode=DataMode.RECORDED).described("crypto:BTC/USD", RULES)

    assert [each.provider for each in generic.symbols] == ["kraken"]
    assert [each.provider for each in pinned.symbols] == ["sandbox"]
    assert [each.provider for each in offline.symbols] == ["sandbox"]


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
