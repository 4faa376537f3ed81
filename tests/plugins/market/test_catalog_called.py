"""From what a provider calls it back to the instrument."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.market.search import Called
from plugins.market.shelves import sorted_in
from schema.errors import BadInput
from schema.symbols import AssetClass, parse_instrument
from schema.words.instruments import InstrumentType, Listing, VenueSymbol
from tests.plugins.market.listings import RULES, Upstream, binance, kraken, spot, world

KEYS = st.sampled_from(("BTC", "ETH", "SOL", "XRP"))
NAMES = st.sampled_from(("XXBTZUSD", "BTCUSD", "btcusd", "tBTCUSD", "BTC-USD"))
PERPETUAL = Listing(instrument=parse_instrument("crypto:BTC/USDT:USDT"), provider_symbol="BTCUSDT")


async def test_a_providers_symbol_leads_to_the_instrument_and_back():
    here = world(binance(), kraken())

    found = await here.page(symbol="XXBTZUSD")

    assert [each.id for each in found.items] == ["crypto:BTC/USD"]
    assert (await here.described("crypto:BTC/USD", RULES)).symbols == (
        VenueSymbol(provider="kraken", symbol="XXBTZUSD"),
    )


async def test_a_venue_says_whose_symbol_it_is_and_only_its_list_is_loaded():
    alike = spot("BTC", "USDT", "XBTUSDT")
    asked, other = kraken(), Upstream("bitmex", (alike,))

    assert await world(asked, other).ids(symbol="XBTUSDT", venue="kraken") == ["crypto:BTC/USDT@kraken"]
    assert (asked.listed, other.listed) == (1, 0)


async def test_all_that_are_called_so_are_listed():
    here = world(Upstream("bybit", (spot("BTC", "USDT", "BTCUSDT"), PERPETUAL)), binance())

    assert await here.ids(symbol="BTCUSDT") == ["crypto:BTC/USDT", "crypto:BTC/USDT:USDT"]
    assert await here.ids(symbol="BTCUSDT", type=InstrumentType.PERPETUAL) == ["crypto:BTC/USDT:USDT"]
    assert await here.ids(symbol="BTCUSDT", asset_class=AssetClass.EQUITY) == []


async def test_a_page_of_them_is_continued_by_its_cursor():
    here = world(Upstream("bybit", (spot("BTC", "USDT", "BTCUSDT"), PERPETUAL)))

    page = await here.page(symbol="BTCUSDT", first=1)

    assert page.info.has_next_page
    assert await here.ids(symbol="BTCUSDT", after=page.info.end_cursor) == ["crypto:BTC/USDT:USDT"]


@pytest.mark.parametrize("symbol", ["xxbtzusd", "XXBTZ", "XXBT-ZUSD", "BTC/USD", "Bitcoin"])
async def test_another_spelling_is_another_symbol_and_nobody_is_asked_to_search(symbol):
    upstream = kraken(finds=(spot("BTC", "USD", symbol),))

    assert await world(upstream).ids(symbol=symbol) == []
    assert upstream.searched == []


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"symbol": " "}, "providerSymbol: is empty"),
        ({"symbol": "X" * 101}, "providerSymbol: has 101 characters: at most 100"),
        ({"symbol": "X\0Y"}, "providerSymbol: has control characters"),
        (
            {"symbol": "XXBTZUSD", "text": "btc"},
            "search: stands beside `providerSymbol`, which is looked for alone: leave one out",
        ),
    ],
)
async def test_what_is_no_symbol_is_refused_before_any_list_is_loaded(how, message):
    upstream = kraken()

    with pytest.raises(BadInput) as caught:
        await world(upstream).page(**how)

    assert caught.value.message == message
    assert upstream.listed == 0


@given(st.lists(st.tuples(KEYS, NAMES), max_size=12))
def test_the_inverse_map_of_any_list_has_each_row_under_its_symbol(pairs):
    _, index = sorted_in(tuple(spot(base, "USD", symbol) for base, symbol in pairs))

    for symbol in {symbol for _, symbol in pairs}:
        found = [row.key.base for row, _ in index.search(Called(symbol))]
        assert found == [base for base, called in pairs if called == symbol]
