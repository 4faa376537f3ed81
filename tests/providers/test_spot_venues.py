"""What the recordings of the spot exchanges cannot say by themselves, for all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.check.replay import connect
from gateway.core.recorded import RecordedTransport
from providers.contract import Reply
from providers.crypto import (
    _joined,
    _upbit,
    bitfinex,
    bitflyer,
    bitget,
    bithumb,
    bitvavo,
    coinbase,
    cryptocom,
    gateio,
    gemini,
    htx,
    kucoin,
    mexc,
    poloniex,
    upbit,
)
from providers.recording import wire
from providers.row import Row
from schema.errors import Malformed, Throttled, UpstreamError
from schema.symbols import InstrumentId, crypto, parse_instrument
from schema.words.instruments import Listing
from schema.words.intervals import Interval
from tests.contract.suite import PROVIDERS

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ASSET = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=8)
WORDS = ("code", "msg", "message", "error", "status", "err-code", "err-msg", "label", "reason", "result", "errorCode")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.decimals(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """A venue's symbol map, both ways: the wire symbol of a pair, and the pair of a listed row."""

    covered: Callable[[InstrumentId], bool]
    wire: Callable[[InstrumentId], str]
    listed: Callable[[str, str], Any]
    listings: Callable[[Row], tuple[Listing, ...]]
    quotes: tuple[str, ...] = ()
    body: Callable[[Any], Any] = field(default=lambda row: [row])


def dashed(base: str, quote: str) -> dict[str, Any]:
    return {"market": f"{base}-{quote}", "base": base, "quote": quote, "status": "trading"}


def quote_first(base: str, quote: str) -> dict[str, Any]:
    return {"market": f"{quote}-{base}", "english_name": base}


VENUES: Mapping[str, Venue] = {
    "bitfinex": Venue(
        covered=bitfinex.covered, wire=bitfinex.wire_symbol, listings=bitfinex.parse_listings,
        listed=lambda b, q: bitfinex.wire_symbol(crypto(b, q)).removeprefix("t"), body=lambda row: [[row]],
    ),
    "bitflyer": Venue(
        covered=bitflyer.covered, wire=bitflyer.wire_symbol, listings=bitflyer.parse_listings,
        listed=lambda b, q: {"product_code": f"{b}_{q}", "market_type": "Spot"},
    ),
    "bitget": Venue(
        covered=bitget.covered, wire=_joined.wire_symbol, listings=bitget.parse_listings, quotes=bitget.QUOTE_ASSETS,
        listed=lambda b, q: {
            "symbol": b + q, "baseCoin": b, "quoteCoin": q, "pricePrecision": "2", "quantityPrecision": "6"
        },
        body=lambda row: {"data": [row]},
    ),
    "bithumb": Venue(
        covered=bithumb.covered, wire=_upbit.market_of, listings=_upbit.parse_listings, listed=quote_first
    ),
    "bitvavo": Venue(covered=bitvavo.covered, wire=bitvavo.wire_symbol, listings=bitvavo.parse_listings, listed=dashed),
    "coinbase": Venue(
        covered=coinbase.covered, wire=coinbase.product_of, listings=coinbase.parse_listings,
        listed=lambda b, q: {
            "product_id": f"{b}-{q}", "base_currency_id": b, "quote_currency_id": q, "product_type": "SPOT"
        },
        body=lambda row: {"products": [row]},
    ),
    "cryptocom": Venue(
        covered=cryptocom.covered, wire=cryptocom.wire_symbol, listings=cryptocom.parse_listings,
        listed=lambda b, q: {
            "symbol": f"{b}_{q}", "base_ccy": b, "quote_ccy": q, "inst_type": "CCY_PAIR", "tradable": True
        },
    ),
    "gateio": Venue(
        covered=gateio.covered, wire=gateio.wire_symbol, listings=gateio.parse_listings,
        listed=lambda b, q: {"id": f"{b}_{q}", "base": b, "quote": q, "precision": 2, "amount_precision": 6},
    ),
    "gemini": Venue(
        covered=gemini.covered, wire=gemini.wire_symbol, listings=gemini.parse_listings, quotes=gemini.QUOTE_ASSETS,
        listed=lambda b, q: (b + q).lower(),
    ),
    "htx": Venue(
        covered=htx.covered, wire=htx.wire_symbol, listings=htx.parse_listings, quotes=htx.QUOTE_ASSETS,
        listed=lambda b, q: {
            "symbol": (b + q).lower(), "base-currency": b.lower(), "quote-currency": q.lower(),
            "price-precision": 2, "amount-precision": 6,
        },
        body=lambda row: {"data": [row]},
    ),
    "kucoin": Venue(
        covered=kucoin.covered, wire=kucoin.wire_symbol, listings=kucoin.parse_listings,
        listed=lambda b, q: {
            "symbol": f"{b}-{q}", "baseCurrency": b, "quoteCurrency": q, "enableTrading": True
        },
        body=lambda row: {"data": [row]},
    ),
    "mexc": Venue(
        covered=mexc.covered, wire=_joined.wire_symbol, listings=mexc.parse_listings, quotes=mexc.QUOTE_ASSETS,
        listed=lambda b, q: {
            "symbol": b + q, "baseAsset": b, "quoteAsset": q, "quotePrecision": 2, "baseAssetPrecision": 6
        },
        body=lambda row: {"symbols": [row]},
    ),
    "poloniex": Venue(
        covered=poloniex.covered, wire=poloniex.wire_symbol, listings=poloniex.parse_listings,
        listed=lambda b, q: {
            "symbol": f"{b}_{q}", "baseCurrencyName": b, "quoteCurrencyName": q,
            "symbolTradeLimit": {"priceScale": 2, "quantityScale": 6},
        },
    ),
    "upbit": Venue(covered=upbit.covered, wire=_upbit.market_of, listings=_upbit.parse_listings, listed=quote_first),
}  # fmt: skip
EACH = pytest.mark.parametrize("name", VENUES)


def pair_at(venue: Venue, base: str, quote: str, choice: int) -> InstrumentId:
    """A pair in any quote asset, or in one that the venue has where symbols are joined."""
    return crypto(base, venue.quotes[choice % len(venue.quotes)] if venue.quotes else quote)


@given(base=ASSET, quote=ASSET, choice=st.integers(0, 99), cut=st.integers(1, 14))
def test_two_covered_pairs_never_share_a_wire_symbol(base: str, quote: str, choice: int, cut: int):
    for venue in VENUES.values():
        pair = pair_at(venue, base, quote, choice)
        # The same letters, divided elsewhere: that is where joined symbols are mistaken for each other.
        letters = pair.base + pair.quote
        at = min(cut, len(letters) - 1)
        other = crypto(letters[:at], letters[at:])

        if venue.covered(pair) and venue.covered(other) and venue.wire(pair) == venue.wire(other):
            assert pair == other


@given(base=ASSET, quote=ASSET, choice=st.integers(0, 99))
def test_a_listed_pair_comes_back_from_its_own_wire_symbol(base: str, quote: str, choice: int):
    for name, venue in VENUES.items():
        pair = pair_at(venue, base, quote, choice)
        row = Row(name, venue.body(venue.listed(pair.base, pair.quote)))

        if venue.covered(pair):
            for listing in venue.listings(row):
                assert (listing.instrument, listing.provider_symbol) == (pair, venue.wire(pair))


@EACH
def test_a_common_pair_is_listed_and_asked_by_the_same_symbol(name: str):
    venue = VENUES[name]
    pair = crypto("ETH", "BTC")

    (listing,) = venue.listings(Row(name, venue.body(venue.listed("ETH", "BTC"))))

    assert venue.covered(pair)
    assert (listing.instrument, listing.provider_symbol) == (pair, venue.wire(pair))


@EACH
@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("crypto:ETH/BTC", True),
        ("crypto:ETH/BTC@{}", True),
        ("crypto:ETH/BTC@kraken", False),
        ("crypto:BTC/USDT:USDT", False),
        ("crypto:BTC/USD:BTC-261225-100000-C", False),
        ("fx:EUR/USD", False),
    ],
)
def test_only_spot_pairs_of_the_venue_are_covered(name: str, text: str, asked: bool):
    assert VENUES[name].covered(parse_instrument(text.format(name))) is asked


@pytest.mark.parametrize("name", ["bitget", "gemini", "htx", "mexc"])
def test_a_pair_that_would_be_read_as_another_one_is_not_asked_for(name: str):
    assert VENUES[name].covered(crypto("BTC", "USDT"))
    assert not VENUES[name].covered(crypto("BTCU", "SDT"))


@pytest.mark.parametrize("name", ["bitflyer", "cryptocom", "gateio", "poloniex"])
def test_an_asset_with_an_underscore_is_not_asked_for(name: str):
    assert not VENUES[name].covered(parse_instrument("crypto:FX_BTC/JPY"))


@given(status=st.sampled_from((200, 400, 403, 404, 429, 500, 503)), body=ANYTHING)
def test_no_answer_of_whatever_shape_makes_a_venue_stumble_over_its_own_refusals(status: int, body: Any):
    for name in VENUES:
        provider = connect(PROVIDERS[name], RecordedTransport(), NOW)

        found = provider.explain(Reply(status=status, headers={}, body=Row(name, body)))

        assert found is None or isinstance(found, UpstreamError)


@pytest.mark.parametrize(
    ("pair", "symbol"),
    [
        ("BTC/USD", "tBTCUSD"),
        ("BTC/USDT", "tBTCUST"),
        ("S/USD", "tS:USD"),
        ("USDC/USD", "tUDCUSD"),
        ("BCH/USD", "tBCHN:USD"),
        ("DUSK/USDT", "tDUSK:UST"),
        ("ALGO/USD", "tALGUSD"),
    ],
)
def test_bitfinex_has_names_of_its_own_and_a_colon_where_one_has_not_three_letters(pair: str, symbol: str):
    assert bitfinex.wire_symbol(parse_instrument(f"crypto:{pair}")) == symbol


def test_what_bitfinex_calls_ust_is_asked_for_as_usdt_alone():
    assert bitfinex.covered(crypto("BTC", "USDT"))
    assert not bitfinex.covered(crypto("BTC", "UST"))


@pytest.mark.parametrize(
    ("name", "headers", "seconds"),
    [
        ("kucoin", {"gw-ratelimit-reset": "4500"}, 4.5),
        ("kucoin", {"gw-ratelimit-reset": "9999999999999"}, 600.0),
        ("gateio", {"x-gate-ratelimit-reset-timestamp": "1795176007"}, 7.0),
        ("gateio", {"x-gate-ratelimit-reset-timestamp": "1795175999"}, 0.0),
        ("bitvavo", {"bitvavo-ratelimit-resetat": "1795176030250"}, 30.25),
    ],
)
def test_a_spent_limit_says_when_it_is_renewed(name: str, headers: dict[str, str], seconds: float):
    provider = connect(PROVIDERS[name], RecordedTransport(), NOW)

    error = provider.explain(Reply(status=429, headers=headers, body=Row(name, {})))

    assert isinstance(error, Throttled)
    assert error.retry_after == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5", "99999999999999999999"])
def test_a_time_of_renewal_that_is_no_time_is_left_to_the_status(text: str):
    for name, header in (("kucoin", "gw-ratelimit-reset"), ("bitvavo", "bitvavo-ratelimit-resetat")):
        provider = connect(PROVIDERS[name], RecordedTransport(), NOW)

        assert provider.explain(Reply(status=429, headers={header: text}, body=Row(name, {}))) is None


@pytest.mark.parametrize(
    ("start", "size"),
    [
        (NOW - timedelta(hours=3), 4),
        (NOW - timedelta(hours=3, minutes=30), 5),
        (NOW + timedelta(hours=1), 1),
        (NOW - timedelta(days=365), 2000),
    ],
)
def test_htx_is_asked_for_as_many_candles_as_reach_back_to_the_start(start: datetime, size: int):
    assert htx.newest_since(start, NOW, Interval.H1) == size


def test_one_ticker_of_htx_answers_the_plain_pair_and_the_pair_at_the_venue():
    body = {"status": "ok", "ts": 1, "tick": {"close": "91287.5", "bid": [91287, 1], "ask": [91288, 2]}}
    pairs = (crypto("BTC", "USDT"), parse_instrument("crypto:BTC/USDT@htx"))

    assert [quote.instrument for quote in htx.parse_merged(pairs, Row("htx", body))] == list(pairs)


def test_a_ticker_without_a_price_names_the_field():
    with pytest.raises(Malformed, match=r"^kucoin: \$ has no 'last' \(got "):
        kucoin.parse_quotes((crypto("BTC", "USDT"),), [Row("kucoin", {"symbol": "BTC-USDT"})], Row("kucoin", {}))


@pytest.mark.parametrize("absent", [None, "", 0, "0"])
def test_a_price_that_never_was_leaves_the_pair_out(absent: object):
    row = Row("mexc", [{"symbol": "BTCUSDT", "lastPrice": absent}])

    assert mexc.parse_quotes((crypto("BTC", "USDT"),), row) == []


def test_books_and_trades_of_former_years_may_lack_what_came_later():
    empty: dict[str, Any] = {"bids": [], "asks": []}
    btc = crypto("BTC", "USDT")
    old = {"id": 16618674421, "ts": 1530519465697, "price": 6411.2, "amount": 0.01, "direction": "sell"}

    books = [
        kucoin.parse_book(btc, Row("kucoin", {"data": empty})),
        gateio.parse_book(btc, Row("gateio", empty)),
        mexc.parse_book(btc, Row("mexc", empty)),
        htx.parse_book(btc, Row("htx", {"tick": empty})),
        bitvavo.parse_book(btc, Row("bitvavo", empty)),
        cryptocom.parse_book(btc, Row("cryptocom", [empty])),
    ]
    (trade,) = htx.parse_trades(Row.json("htx", wire({"data": [{"data": [old]}]})))

    assert [(book.sequence, book.as_of) for book in books] == [(None, None)] * 6
    assert trade.id == "16618674421"
