"""Ranking: exact symbol, prefix, name, any part, then the better known; cursors hold the place itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.market.reference import FACTS, pair_name
from plugins.market.search import (
    Index,
    Match,
    Place,
    Row,
    cursor_of,
    grade,
    place_of,
    row_of,
    row_of_fact,
    wanted,
)
from schema.errors import BadInput
from schema.paging import make_cursor
from schema.symbols import AssetClass, InstrumentId, crypto, equity, parse_instrument
from schema.words.instruments import InstrumentType, Listing


def listed(id: str, symbol: str = "", name: str | None = None, rank: int | None = None, **more: Any) -> Row:
    key = parse_instrument(id)
    listing = Listing(instrument=key, provider_symbol=symbol or key.base, name=name, rank=rank, **more)
    return row_of(listing, FACTS.get(key), pair_name(key.base, key.quote))


def found(rows: list[Row], text: str) -> list[str]:
    looked = wanted(text)
    places = sorted((row.place(match), match) for row, match in Index(rows).search(looked))
    return [place.id for place, _ in places]


PUBLIC = [row_of_fact(fact) for fact in FACTS.values()]
APPLES = [
    listed("equity:APLE", name="Apple Hospitality REIT, Inc."),
    listed("equity:MLP", name="Maui Land & Pineapple Company, Inc."),
    listed("crypto:APPLE/USD", symbol="APPLE-USD"),
    listed("equity:APPL", name="Appell Petroleum"),
    listed("equity:SAPP", name="Sapple"),
    row_of_fact(FACTS[equity("AAPL")]),
]


def test_symbols_go_before_prefixes_names_and_parts():
    rows = [
        listed("equity:ANET", name="Arista Net"),
        listed("equity:NETT", name="Something"),
        listed("equity:NET", name="Cloudflare, Inc."),
        listed("equity:ZNETZ", name="Other"),
        listed("equity:AKAM", name="Net"),
        listed("equity:CSX", name="Net Railways"),
        listed("crypto:NET/EUR", symbol="NETEUR"),
    ]

    assert found(rows, "net") == [
        "equity:NET", "crypto:NET/EUR", "equity:NETT", "equity:AKAM", "equity:CSX", "equity:ANET", "equity:ZNETZ"
    ]  # fmt: skip


def test_a_name_finds_its_company_first():
    assert found(APPLES, "apple") == ["crypto:APPLE/USD", "equity:AAPL", "equity:APLE", "equity:MLP", "equity:SAPP"]


def test_the_better_known_goes_first_among_equals():
    rows = [
        listed("crypto:BTC/JPY"),
        listed("crypto:BTC/USDT"),
        listed("crypto:BTC/PLN"),
        listed("crypto:BTC/USD"),
        listed("crypto:BTC/EUR"),
        listed("crypto:BTCX/USD"),
    ]

    assert found(rows, "BTC") == [
        "crypto:BTC/USD", "crypto:BTC/USDT", "crypto:BTC/EUR", "crypto:BTC/JPY", "crypto:BTC/PLN", "crypto:BTCX/USD"
    ]  # fmt: skip


def test_liquidity_orders_what_nobody_knows():
    rows = [
        listed("equity:AAAA", name="Zed One", rank=7),
        listed("equity:BBBB", name="Zed Two", rank=3),
        listed("equity:CCCC", name="Zed Three"),
    ]

    assert found(rows, "zed") == ["equity:BBBB", "equity:AAAA", "equity:CCCC"]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("US0378331005", "equity:AAPL"),
        ("us0378331005", "equity:AAPL"),
        ("BBG000B9XRY4", "equity:AAPL"),
        ("VOD.L", "equity:VOD@XLON"),
        ("vod.l", "equity:VOD@XLON"),
        ("^GSPC", "index:SPX"),
        ("EURUSD=X", "fx:EUR/USD"),
        ("eur-usd", "fx:EUR/USD"),
        ("crypto:BTC/USD", "crypto:BTC/USD"),
        ("BRK-B", "equity:BRK.B"),
        ("brk b", "equity:BRK.B"),
        ("nestle", "equity:NESN@XSWX"),
        ("NESTLÉ", "equity:NESN@XSWX"),
        ("moet", "equity:MC@XPAR"),
        ("mcdonalds", "equity:MCD"),
        ("McDonald\u2019s", "equity:MCD"),
        ("coca cola", "equity:KO"),
        ("johnson & johnson", "equity:JNJ"),
        ("bank america", "equity:BAC"),
        ("bitcoin", "crypto:BTC/USD"),
        ("euro", "fx:EUR/USD"),
        ("gold", "commodity:XAU/USD"),
        ("s&p 500", "index:SPX"),
    ],
)
def test_public_facts_are_found_by_every_identifier(text, first):
    assert found(PUBLIC, text)[0] == first


def test_a_providers_own_symbol_is_exact():
    rows = [listed("crypto:XBTZ/USD"), listed("crypto:BTC/USD", symbol="XXBTZUSD"), listed("crypto:ETH/USD")]

    assert found(rows, "xxbtzusd") == ["crypto:BTC/USD"]


def test_the_quote_currency_of_a_pair_counts_less_than_its_base():
    rows = [listed("crypto:ETH/BTC"), listed("crypto:WBTC/USD")]

    assert found(rows, "bitcoin") == ["crypto:WBTC/USD", "crypto:ETH/BTC"]


@pytest.mark.parametrize("text", ["???", "zzzzzz", "\u00df\u00df\u00df", "apple zzz", "-", "."])
def test_what_does_not_fit_is_not_found(text):
    assert found(PUBLIC, text) == []


def test_without_a_text_everything_is_there_and_kinds_take_turns():
    assert wanted(None) is None
    assert wanted("  ") is None
    assert [row.id for row in sorted(PUBLIC, key=lambda row: row.place(Match.EXACT))[:6]] == [
        "crypto:BTC/USD", "equity:AAPL", "fx:EUR/USD", "index:SPX", "commodity:XAU/USD", "crypto:ETH/USD"
    ]  # fmt: skip
    assert len(list(Index(PUBLIC).search(None))) == len(FACTS)


@pytest.mark.parametrize(
    ("text", "message"),
    [("x" * 101, "search: has 101 characters: at most 100"), ("a\x00b", "search: has control characters")],
)
def test_an_impossible_text_is_refused(text, message):
    with pytest.raises(BadInput) as caught:
        wanted(text)

    assert caught.value.message == message
    assert caught.value.field == "search"


def test_a_silent_list_does_not_make_a_stock_a_spot_pair():
    assert listed("equity:ZZZ").type is InstrumentType.STOCK
    assert listed("crypto:BTC/USDT:USDT").type is InstrumentType.PERPETUAL
    assert listed("crypto:BTC/USDT").type is InstrumentType.SPOT
    assert listed("equity:ZZZ", type=InstrumentType.ETF).type is InstrumentType.ETF


TEXTS = st.text(max_size=100) | st.sampled_from(["a", "btc", "usd", "inc", "b t", "corp", "etf trust"])


@given(TEXTS)
def test_the_index_finds_exactly_what_fits(text):
    try:
        looked = wanted(text)
    except BadInput:
        return
    if looked is None:
        return

    by_index = {row.id: match for row, match in INDEX.search(looked)}

    assert by_index == {row.id: match for row in PUBLIC if (match := grade(row, looked)) is not None}


INDEX = Index(PUBLIC)
PLACES = st.builds(
    Place, st.integers(0, 7), st.integers(0, 99_999_999), st.integers(0, 999_999), st.sampled_from([*map(str, FACTS)])
)


@given(PLACES)
def test_a_cursor_leads_back_to_its_place(place):
    assert place_of(cursor_of(place)) == place


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "junk",
        "\u00e9",
        make_cursor("trades", "0,0,0,x"),
        make_cursor("instruments", "5"),
        make_cursor("instruments", "a,0,0,x"),
        make_cursor("instruments", "1,-1,0,x"),
        make_cursor("instruments", "1,1,\u0661,x"),
        make_cursor("instruments", "1,1,1" + "0" * 30 + ",x"),
    ],
)
def test_a_text_that_is_no_cursor_is_refused(cursor):
    with pytest.raises(BadInput) as caught:
        place_of(cursor)

    assert caught.value.field == "after"


def test_the_place_of_a_venues_own_listing_names_the_venue():
    row = row_of(Listing(instrument=crypto("BTC", "USDT"), provider_symbol="BTCUSDT"), None, "Bitcoin / Tether")

    assert row.place(Match.EXACT, "binance").id == "crypto:BTC/USDT@binance"
    assert row.place(Match.EXACT).id == "crypto:BTC/USDT"
    assert InstrumentId(asset_class=AssetClass.CRYPTO, base="BTC", quote="USDT") == row.key
