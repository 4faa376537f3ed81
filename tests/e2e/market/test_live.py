"""Live mode: every root field, every provider pinned where it offers the capability, exact to the last digit."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.market import exchanges
from tests.e2e.market.exchanges import MILLIS, trades
from tests.e2e.market.numbers import (
    ASK,
    ASK_SIZE,
    BID,
    BID_SIZE,
    HIGH,
    LOW,
    OPEN,
    PRICE,
    PRICES,
    QUOTE_VOLUME,
    STAMP,
    VOLUME,
    VWAP,
)
from tests.e2e.market.process import Gateway
from tests.e2e.market.reference_sources import RATES
from tests.e2e.market.upstream import Upstream, text
from tests.e2e.market.world import KEY, WORLD

QUOTE = """query ($symbol: String!, $providers: [String!]) { quote(symbol: $symbol, route: {providers: $providers}) {
  id price priceType statsWindow currency bid ask bidSize askSize mid last open high low previousClose
  volume quoteVolume vwap changePercent marketState extendedPrice
  provenance { provider mode asOf ageMs delay cacheStatus stale attribution fallbackFrom { provider } }
} }"""
MS, US, SECONDS = MILLIS % 1000 * 1000, 123456, 0
STAMPED = {
    "binance": MS, "okx": MS, "bybit": MS, "coinbaseexchange": US, "bitstamp": SECONDS, "coingecko": SECONDS,
    "kraken": None,
}  # fmt: skip
ROLLING = {
    "high": HIGH,
    "low": LOW,
    "volume": VOLUME,
    "statsWindow": "ROLLING_24H",
    "last": PRICE,
    "bid": BID,
    "ask": ASK,
}
SIZES = {"bidSize": BID_SIZE, "askSize": ASK_SIZE}
TURNOVER = {"quoteVolume": QUOTE_VOLUME}
EXPECTED = {
    "binance": ("crypto:BTC/USDT", {**ROLLING, **SIZES, **TURNOVER, "open": OPEN, "vwap": VWAP,
    "changePercent": "1.371"}),
    "okx": ("crypto:BTC/USDT", {**ROLLING, **SIZES, **TURNOVER, "open": OPEN, "vwap": None, "changePercent": "1.3707"}),
    "bybit": ("crypto:BTC/USDT", {**ROLLING, **SIZES, **TURNOVER, "open": OPEN, "vwap": None,
    "changePercent": "1.3700"}),
    "kraken": ("crypto:BTC/USD", {**ROLLING, **SIZES, "open": None, "quoteVolume": None, "vwap": VWAP}),
    "bitstamp": ("crypto:BTC/USD", {**ROLLING, "open": OPEN, "quoteVolume": None, "vwap": VWAP,
    "changePercent": "1.37"}),
    "coinbaseexchange": ("crypto:BTC/USD", {**ROLLING, "high": None, "low": None, "open": None, "vwap": None}),
    "coingecko": (
        "crypto:BTC/USD",
        {"last": None, "bid": None, "volume": None, "quoteVolume": "38214907755.20417", "changePercent": "-0.84"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("provider", EXPECTED)
def test_a_pinned_quote_is_exact_and_says_where_it_came_from(
    gateway: Gateway, upstream: Upstream, provider: str
) -> None:
    symbol, expected = EXPECTED[provider]

    quote = gateway.ask(QUOTE, symbol=symbol, providers=[provider])["quote"]
    again = gateway.ask(QUOTE, symbol=symbol, providers=[provider])["quote"]

    made = quote.pop("provenance")
    assert quote == quote | expected | {
        "id": f"quote:{symbol}|{provider}",
        "price": PRICE,
        "priceType": "INDEX" if provider == "coingecko" else "LAST",
        "currency": symbol.rpartition("/")[2],
        "mid": None if provider == "coingecko" else "91234.15",
        "marketState": "REGULAR",
        "extendedPrice": None,
    }
    micros = STAMPED[provider]
    as_of = None if micros is None else datetime.fromtimestamp(STAMP, UTC) + timedelta(microseconds=micros)
    assert made["asOf"] == (as_of and as_of.isoformat().replace("+00:00", "Z"))
    oldest = (time.time() - STAMP) * 1000
    assert 0 <= made["ageMs"] < 5_000 if as_of is None else 3_000 <= made["ageMs"] <= oldest
    assert {k: made[k] for k in ("provider", "mode", "cacheStatus", "stale", "fallbackFrom")} == {
        "provider": provider, "mode": "LIVE", "cacheStatus": "MISS", "stale": False, "fallbackFrom": [],
    }  # fmt: skip
    assert again["provenance"]["cacheStatus"] == "HIT"
    assert again["provenance"]["ageMs"] >= made["ageMs"]
    assert len(upstream.asked(provider)) == 1


@pytest.mark.parametrize("provider", ["binance", "kraken", "coinbaseexchange", "okx", "bitstamp", "bybit"])
def test_the_zero_bid_of_an_empty_side_is_null(gateway: Gateway, upstream: Upstream, provider: str) -> None:
    symbol = "crypto:LTC/USD" if provider in ("kraken", "coinbaseexchange", "bitstamp") else "crypto:LTC/USDT"

    quote = gateway.ask(QUOTE, symbol=symbol, providers=[provider])["quote"]

    assert (quote["bid"], quote["bidSize"], quote["mid"], quote["ask"], quote["price"]) == (
        None,
        None,
        None,
        ASK,
        "84.10",
    )


def test_a_share_by_yahoo_is_of_its_session(gateway: Gateway, upstream: Upstream) -> None:
    quote = gateway.ask(QUOTE, symbol="AAPL", providers=["yahoo"])["quote"]

    assert quote == quote | {
        "id": "quote:equity:AAPL|yahoo", "price": "271.490000000000000001", "priceType": "LAST", "currency": "USD",
        "statsWindow": "SESSION", "volume": "51234567", "previousClose": OPEN,
    }  # fmt: skip


def test_pence_are_pounds(gateway: Gateway, upstream: Upstream) -> None:
    quote = gateway.ask(QUOTE, symbol="equity:VOD@XLON", providers=["yahoo"])["quote"]

    assert (quote["price"], quote["currency"], quote["previousClose"]) == ("85.125", "GBP", "900.005")
    assert upstream.asked("yahoo")[0].path == "/v8/finance/chart/VOD.L"


def test_an_end_of_day_share_needs_the_key_and_never_shows_it(gateway: Gateway, upstream: Upstream) -> None:
    response = gateway.client.post(
        "/graphql", json={"query": QUOTE, "variables": {"symbol": "AAPL", "providers": ["alphavantage"]}}
    )

    quote = response.json()["data"]["quote"]
    assert quote == quote | {
        "price": "271.490000000000000001",
        "priceType": "CLOSE",
        "currency": "USD",
        "open": "270.10",
    }
    assert quote["provenance"] == quote["provenance"] | {"asOf": "2026-11-19T00:00:00Z", "delay": "END_OF_DAY"}
    assert upstream.asked("alphavantage")[0].params["apikey"] == KEY
    assert KEY not in response.text
    assert KEY not in str(response.headers)


def test_a_key_that_an_upstream_repeats_is_never_passed_on(gateway: Gateway, upstream: Upstream) -> None:
    echo = (
        f'{{"Information": "We have detected your API key as {KEY}; our standard rate limit is 25 requests per day"}}'
    )
    upstream.on("alphavantage", lambda _: text(echo))

    answer = gateway.send(QUOTE, {"symbol": "equity:MSFT", "providers": ["alphavantage"]})

    assert answer["errors"][0]["extensions"]["code"] == "UPSTREAM_QUOTA"
    assert KEY not in str(answer)
    assert KEY not in gateway.client.get("/health").text
    assert KEY not in str(gateway.send("{ providers { id health { lastFailure { message } } } }"))
    assert KEY not in gateway.log


@pytest.mark.parametrize("provider", ["frankfurter", "ecb"])
def test_a_fixing_is_stamped_with_its_day(gateway: Gateway, upstream: Upstream, provider: str) -> None:
    quote = gateway.ask(QUOTE, symbol="EURUSD", providers=[provider])["quote"]

    assert (quote["price"], quote["priceType"], quote["currency"]) == (RATES["USD"], "FIXING", "USD")
    assert quote["provenance"]["asOf"] == "2026-11-19T00:00:00Z"
    assert quote["provenance"]["delay"] == "END_OF_DAY"
    assert "ECB" in quote["provenance"]["attribution"]


BOOK = """query ($symbol: String!, $depth: Int!, $providers: [String!]!) {
  orderBook(symbol: $symbol, depth: $depth, route: {providers: $providers}) {
    bids { price size orderCount } asks { price size } sequence provenance { provider mode asOf cacheStatus }
} }"""
DEALS = """query ($symbol: String!, $last: Int!, $providers: [String!]!) {
  trades(symbol: $symbol, last: $last, route: {providers: $providers}) { id time price size side provenance {
  provider mode } } }"""


@pytest.mark.parametrize("provider", ["binance", "kraken", "coinbaseexchange", "okx", "bitstamp", "bybit"])
def test_a_book_has_the_levels_asked_for_and_no_empty_one(gateway: Gateway, upstream: Upstream, provider: str) -> None:
    symbol = EXPECTED[provider][0]

    book = gateway.ask(BOOK, symbol=symbol, depth=5, providers=[provider])["orderBook"]

    bids = [level["price"] for level in book["bids"]]
    assert bids[:3] == ["91234.5", "91233.5", "91231.5"]
    assert len(bids) in (4, 5)
    assert [level["price"] for level in book["asks"]] == [f"{91235 + n}.5" for n in range(5)]
    assert book["asks"][0]["size"] == "2.000"
    assert (book["provenance"]["provider"], book["provenance"]["mode"]) == (provider, "LIVE")


@pytest.mark.parametrize("provider", ["binance", "kraken", "coinbaseexchange", "okx", "bitstamp", "bybit"])
def test_trades_ascend_and_tell_the_takers_side(gateway: Gateway, upstream: Upstream, provider: str) -> None:
    found = gateway.ask(DEALS, symbol=EXPECTED[provider][0], last=10, providers=[provider])["trades"]

    expected = trades(10)
    assert [(t["price"], t["size"], t["side"]) for t in found] == [
        (p, s, "BUY" if up else "SELL") for _, _, p, s, up in expected
    ]
    assert [t["id"] for t in found] == [str(id) for id, *_ in expected]
    assert {t["provenance"]["provider"] for t in found} == {provider}


def test_the_ranking_is_paged_from_one_answer(gateway: Gateway, upstream: Upstream) -> None:
    query = """query ($after: Cursor) { marketCaps(first: 40, after: $after) {
      nodes { rank asset name price marketCap currency provenance { provider mode } } pageInfo { hasNextPage
      endCursor } } }"""

    first = gateway.ask(query)["marketCaps"]
    second = gateway.ask(query, after=first["pageInfo"]["endCursor"])["marketCaps"]

    assert [node["rank"] for node in first["nodes"] + second["nodes"]] == list(range(1, 81))
    assert first["nodes"][0] == {
        "rank": 1, "asset": "BTC", "name": "Bitcoin", "price": PRICE, "marketCap": "1821500000122", "currency": "USD",
        "provenance": {"provider": "coingecko", "mode": "LIVE"},
    }  # fmt: skip
    assert len(upstream.asked("coingecko", "/coins/markets")) == 1


def test_the_ranking_goes_on_to_its_end_in_pages_of_any_size(gateway: Gateway, upstream: Upstream) -> None:
    query = """query ($first: Int!, $after: Cursor) { marketCaps(first: $first, after: $after, currency: "EUR") {
      nodes { rank } pageInfo { hasNextPage endCursor } } }"""

    for first in (100, 30):
        ranks: list[int] = []
        after, more = None, True
        while more:
            page = gateway.ask(query, first=first, after=after)["marketCaps"]
            ranks += [node["rank"] for node in page["nodes"]]
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]

        assert ranks == list(range(1, 251))


RATES_QUERY = """query ($base: String!, $quotes: [String!], $start: Date, $end: Date, $providers: [String!]) {
  fxRates(base: $base, quotes: $quotes, start: $start, end: $end, route: {providers: $providers}) {
    base rates { quote rate date priceType provenance { provider mode } } } }"""


@pytest.mark.parametrize("provider", ["frankfurter", "ecb"])
@pytest.mark.parametrize(("start", "end"), [("2026-11-16", "2026-11-19"), ("2019-07-01", "2019-07-04")])
def test_rates_of_a_range_are_those_of_each_day(
    gateway: Gateway, upstream: Upstream, provider: str, start: str, end: str
) -> None:
    found = gateway.ask(RATES_QUERY, base="EUR", quotes=["USD", "GBP"], start=start, end=end, providers=[provider])

    days = [f"{start[:-2]}{int(start[-2:]) + n:02d}" for n in range(3)]
    assert [(r["date"], r["quote"], r["rate"]) for r in found["fxRates"]["rates"]] == [
        (day, code, RATES[code]) for day in days for code in ("GBP", "USD")
    ]
    assert {r["provenance"]["provider"] for r in found["fxRates"]["rates"]} == {provider}


def test_a_conversion_keeps_every_digit_and_names_its_rate(gateway: Gateway, upstream: Upstream) -> None:
    query = """{ convert(amount: "1000000.000000001", from: "EUR", to: "USD", route: {exclude: ["yahoo",
      "alphavantage"]}) {
      amount currency conversion { from to rate provenance { provider } } } }"""

    found = gateway.ask(query)["convert"]

    assert found == {
        "amount": "1160412.345678902394412345678901234",
        "currency": "USD",
        "conversion": {"from": "EUR", "to": "USD", "rate": RATES["USD"], "provenance": {"provider": "ecb"}},
    }


def test_a_quote_in_another_currency_says_with_which_rate(gateway: Gateway, upstream: Upstream) -> None:
    query = """{ quote(symbol: "crypto:SOL/USDT@okx", convertTo: "USD") { id price currency
      provenance { provider conversion { from to rate provenance { provider mode } } } } }"""

    quote = gateway.ask(query)["quote"]

    made = quote.pop("provenance")
    assert quote == {"id": "quote:crypto:SOL/USDT@okx>USD", "price": "141.26412500000000014125", "currency": "USD"}
    assert made["provider"] == "okx"
    assert made["conversion"] == {
        "from": "USDT", "to": "USD", "rate": "1.000100000000000001",
        "provenance": {"provider": "bitstamp", "mode": "LIVE"},
    }  # fmt: skip


def test_a_consensus_asks_each_and_names_who_does_not_count(gateway: Gateway, upstream: Upstream) -> None:
    upstream.on("kraken", lambda asked: text('{"error":["EService:Unavailable"]}'))
    upstream.on("okx", lambda asked: text(exchanges.okx(asked).body.decode().replace(PRICES["ETH"], "3333")))
    query = """{ consensus(symbol: "crypto:ETH/USD", quorum: 2) { median low high rangeBps asked used currency
      sources { provider outlier deviationBps quote { price } excluded { code message } } outliers { provider } } }"""

    found = gateway.ask(query)["consensus"]

    sources = {source["provider"]: source for source in found["sources"]}
    assert found["median"] == found["low"] == found["high"] == PRICES["ETH"]
    assert (found["rangeBps"], found["currency"]) == ("0.00", "USD")
    assert [outlier["provider"] for outlier in found["outliers"]] == ["okx"]
    codes = {name: source["excluded"] and source["excluded"]["code"] for name, source in sources.items()}
    # Another test of this module may have used its quota up.
    assert codes.pop("alphavantage") in ("NOT_COVERED", "UPSTREAM_QUOTA")
    assert codes == {
        "bitstamp": None, "coinbaseexchange": None, "okx": None, "kraken": "UPSTREAM_UNAVAILABLE",
        "coingecko": "NOT_COVERED", "yahoo": "UNKNOWN_INSTRUMENT",
    }  # fmt: skip
    assert (found["asked"], found["used"]) == (7, 2)


def test_the_registry_tells_all_twelve_and_what_they_need(gateway: Gateway, upstream: Upstream) -> None:
    query = "{ providers { id status routing credentials { name setting required source } capabilities { name } } }"

    found = {each["id"]: each for each in gateway.ask(query)["providers"]}

    assert set(found) == {*WORLD, "sandbox"}
    assert found["alphavantage"]["credentials"][0] == {
        "name": "key", "setting": "MARKETGATE_KEY_ALPHAVANTAGE", "required": True, "source": "PLATFORM",
    }  # fmt: skip
    assert "only when pinned" in found["sandbox"]["routing"]


def test_nodes_are_found_again_by_their_id(gateway: Gateway, upstream: Upstream) -> None:
    query = (
        """query ($id: ID!) { node(id: $id) { __typename id ... on Instrument { symbol } ... on Provider { name } } }"""
    )

    assert gateway.ask(query, id="crypto:BTC/USD")["node"] == {
        "__typename": "Instrument", "id": "crypto:BTC/USD", "symbol": "BTC/USD",
    }  # fmt: skip
    assert gateway.ask(query, id="kraken")["node"] == {"__typename": "Provider", "id": "kraken", "name": "Kraken"}
    assert gateway.ask(query, id="nobody")["node"] is None
    assert gateway.ask(query, id="crypto:nonsense")["node"] is None


def test_reference_data_comes_from_the_venue_that_lists_it(gateway: Gateway, upstream: Upstream) -> None:
    query = """{ instrument(symbol: "crypto:BTC/USD@kraken") { id symbol base quoteCurrency tickSize stepSize minSize
      minNotional tradable venue { id name state } symbols { provider symbol } } }"""

    found = gateway.ask(query)["instrument"]

    assert found == found | {
        "id": "crypto:BTC/USD@kraken", "symbol": "BTC/USD", "base": "BTC", "quoteCurrency": "USD", "tickSize": "0.1",
        "stepSize": "0.00000001", "minSize": "0.00005", "minNotional": "0.5", "tradable": True,
        "venue": {"id": "kraken", "name": "Kraken", "state": "REGULAR"},
    }  # fmt: skip
    assert {"provider": "kraken", "symbol": "XXBTZUSD"} in found["symbols"]


@pytest.mark.parametrize(
    ("text_", "id"),
    [("AAPL", "equity:AAPL"), ("apple", "equity:AAPL"), ("XXBTZUSD", "crypto:BTC/USD"), ("VOD.L", "equity:VOD@XLON")],
)
def test_search_finds_by_ticker_name_and_a_providers_own_symbol(
    gateway: Gateway, upstream: Upstream, text_: str, id: str
) -> None:
    query = "query ($t: String!) { instruments(search: $t, first: 5) { nodes { id name } pageInfo { hasNextPage } } }"

    found = gateway.ask(query, t=text_)["instruments"]["nodes"]

    assert found[0]["id"] == id


def test_the_quotes_of_a_page_are_one_batch(gateway: Gateway, upstream: Upstream) -> None:
    query = """{ a: instrument(symbol: "crypto:C10/USDT@okx") { quote { price } }
      b: instrument(symbol: "crypto:C11/USDT@okx") { quote { price } } c: instrument(symbol: "crypto:C12/USDT@okx") {
      quote { price } } }"""

    found = gateway.ask(query)

    assert [found[name]["quote"]["price"] for name in "abc"] == ["110.25", "111.25", "112.25"]
    assert [asked.path for asked in upstream.asked("okx", "/market/")] == ["/api/v5/market/tickers"]


def test_the_sandbox_answers_in_live_mode_only_when_pinned(gateway: Gateway, upstream: Upstream) -> None:
    pinned = gateway.ask(QUOTE, symbol="BTC/USD", providers=["sandbox"])["quote"]
    others = gateway.ask(QUOTE, symbol="BTC/USD", providers=None)["quote"]

    assert pinned["provenance"]["mode"] == "SIMULATED"
    assert others["provenance"]["mode"] == "LIVE"


def test_a_simulated_price_never_joins_a_live_consensus(gateway: Gateway, upstream: Upstream) -> None:
    query = """{ consensus(symbol: "crypto:BTC/USD", providers: ["sandbox", "bitstamp", "coinbaseexchange"]) {
      used sources { provider excluded { message } quote { provenance { mode } } } } }"""

    found = gateway.ask(query)["consensus"]

    assert found["used"] == 2
    assert {s["provider"] for s in found["sources"] if s["excluded"]} == {"sandbox"}


def test_health_tells_the_mode_and_every_provider(gateway: Gateway, upstream: Upstream) -> None:
    response = gateway.client.get("/health")

    report = response.json()
    assert (report["status"], report["mode"], report["env"]) == ("ok", "live", "production")
    assert {each["id"] for each in report["providers"]} == {*WORLD, "sandbox"}
    assert "Marketgate-Mode" not in response.headers
