"""Searching the catalog, page by page."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from schema.errors import BadInput
from schema.symbols import AssetClass, InstrumentId, equity
from schema.words.instruments import (
    InstrumentType,
    Listing,
    VenueSymbol,
)
from tests.plugins.market.listings import (
    Upstream,
    background,
    binance,
    kraken,
    world,
)


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
