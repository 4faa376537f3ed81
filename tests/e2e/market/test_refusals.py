"""What cannot be answered is refused clearly: a code, the argument, the way out. The process lives on."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.market import perpetuals
from tests.e2e.market.numbers import PRICE
from tests.e2e.market.process import Gateway
from tests.e2e.market.upstream import Upstream, plain

QUOTE = "query ($s: String!, $r: RouteInput) { quote(symbol: $s, route: $r) { price } }"
CANDLES = """query ($s: String = "crypto:BTC/USD", $i: Interval = D1, $a: DateTime, $b: DateTime, $f: Int, $l: Int,
  $after: Cursor, $before: Cursor, $r: RouteInput) {
  candles(symbol: $s, interval: $i, start: $a, end: $b, first: $f, last: $l, after: $after, before: $before, route:
  $r) {
    rows { openTime } gaps { missing } pageInfo { hasNextPage hasPreviousPage } } }"""
QUOTES = "query ($s: [String!]!) { quotes(symbols: $s) { nodes { price } failures { code } } }"
BOOK = 'query ($d: Int!) { orderBook(symbol: "crypto:BTC/USD", depth: $d) { bids { price } } }'
TRADES = 'query ($l: Int!) { trades(symbol: "crypto:BTC/USD", last: $l) { id } }'
LISTED = "query ($f: Int, $a: Cursor, $t: String) { instruments(first: $f, after: $a, search: $t) { nodes { id } } }"
CAPS = """query ($f: Int, $a: Cursor, $c: String = "USD") {
  marketCaps(first: $f, after: $a, currency: $c) { nodes { rank } } }"""
RATES = """query ($b: String = "EUR", $q: [String!], $s: Date, $e: Date) {
  fxRates(base: $b, quotes: $q, start: $s, end: $e) { rates { rate } } }"""
CONSENSUS = """query ($q: Int, $p: [String!], $m: Int) {
  consensus(symbol: "crypto:BTC/USD", quorum: $q, providers: $p, maxAgeMs: $m) { used } }"""
CONVERT = """query ($a: Decimal = 1, $f: String = "EUR", $t: String = "USD") {
  convert(amount: $a, from: $f, to: $t) { amount } }"""
PROVIDERS = "query ($c: String) { providers(capability: $c) { id } }"
INSTRUMENT = "query ($s: String!, $c: AssetClass) { instrument(symbol: $s, assetClass: $c) { id } }"
SESSIONS = """query ($a: Date!, $b: Date!) { instrument(symbol: "equity:AAPL@XNAS") { venue { sessions(start: $a,
  end: $b) { date } } } }"""


def cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def case(query: str, field: str, *words: str, **variables: Any) -> Any:
    told = ",".join(f"{name}={str(value)[:30]}" for name, value in variables.items())
    return pytest.param(query, variables, field, words, id=f"{query.partition('{')[2].split('(')[0].strip()} {told}")


REFUSED = [
    case(CANDLES, "end", "[start, end)", a="2026-11-02", b="2026-11-01"),
    case(CANDLES, "end", "[start, end)", a="2026-11-02", b="2026-11-02"),
    case(CANDLES, "start", "5000", "first and after", a="1926-11-20", b="2026-11-20"),
    case(CANDLES, "start", "5000", a="1926-11-20", b="2026-11-20", i="M1"),
    case(CANDLES, "start", "5000", a="1926-11-20", b="2026-11-20", s="equity:AAPL"),
    case(CANDLES, "start", "5000", a="1926-11-20", b="2026-11-20", s="equity:AAPL", i="M1"),
    case(CANDLES, "start", "5000", a="1926-11-20", b="2026-11-20", s="fx:EUR/USD"),
    case(CANDLES, "start", "future", a="2126-11-20"),
    case(CANDLES, "first", "1 to 5000", "100000", a="2026-11-01", f=100_000),
    case(CANDLES, "first", "1 to 5000", a="2026-11-01", f=0),
    case(CANDLES, "first", "start or after", f=10),
    case(CANDLES, "last", "1 to 5000", l=-1),
    case(CANDLES, "first", "exclude", f=1, l=1, a="2026-11-01"),
    case(CANDLES, "after", "cursor", after="nonsense"),
    case(CANDLES, "after", "cursor", after=cursor("candle:2026-11-01T00:00:00")),
    case(CANDLES, "after", "cursor", after=cursor("candle:9999-12-31T23:59:59.999999+00:00")),
    case(CANDLES, "before", "cursor", before=cursor("candle:0001-01-01T00:00:00+00:00")),
    case(CANDLES, "before", "cursor", before=cursor("cap:1")),
    case(QUOTE, "route.maxAgeMs", "0 or more", "-1", s="crypto:BTC/USD", r={"maxAgeMs": -1}),
    case(QUOTE, "route.staleIfErrorMs", "0 or more", s="crypto:BTC/USD", r={"staleIfErrorMs": -5}),
    case(QUOTE, "route.timeoutMs", "1 to 30000", s="crypto:BTC/USD", r={"timeoutMs": 0}),
    case(QUOTE, "route.timeoutMs", "1 to 30000", s="crypto:BTC/USD", r={"timeoutMs": 2_000_000_000}),
    case(QUOTE, "route.providers", "nobody", "`providers`", s="crypto:BTC/USD", r={"providers": ["nobody"]}),
    case(QUOTE, "route.exclude", "nobody", "`providers`", s="crypto:BTC/USD", r={"exclude": ["nobody"]}),
    case(QUOTE, "route.providers", "1 to 20", s="crypto:BTC/USD", r={"providers": []}),
    case(QUOTE, "route.providers", "1 to 20", s="crypto:BTC/USD", r={"providers": ["okx"] * 21}),
    case(QUOTES, "symbols", "empty", "1 to 200", s=[]),
    case(QUOTES, "symbols", "9000", "200", s=["BTC/USD"] * 9_000),
    case(BOOK, "depth", "1 to 1000", d=0),
    case(BOOK, "depth", "1 to 1000", d=1001),
    case(TRADES, "last", "1 to 1000", l=0),
    case(TRADES, "last", "1 to 1000", l=2_000_000_000),
    case(LISTED, "first", "1 to 100", f=0),
    case(LISTED, "first", "1 to 100", "100000", f=100_000),
    case(LISTED, "after", "cursor", f=5, a="nonsense"),
    case(CAPS, "first", "1 to 100", f=0),
    case(CAPS, "first", "1 to 100", f=100_000),
    case(CAPS, "after", "cursor", f=100, a=cursor("cap:one")),
    case(CAPS, "after", "cursor", f=100, a=cursor("cap:-5")),
    case(CAPS, "after", "cursor", f=100, a=cursor("cap:" + "9" * 600)),
    case(CAPS, "currency", "currency", c="€"),
    case(RATES, "base", "currency", b=""),
    case(RATES, "quotes", "EUR", q=["EUR"]),
    case(RATES, "quotes", "1 to 100", q=[]),
    case(RATES, "quotes", "1 to 100", q=[f"A{n:03d}" for n in range(200)]),
    case(RATES, "start", "needed", e="2026-11-01"),
    case(RATES, "end", "after start", s="2026-11-02", e="2026-11-01"),
    case(RATES, "start", "longer", s="1926-11-20", e="2026-11-20"),
    case(RATES, "start", "longer", s="1000-01-01", e="8999-12-31"),
    case(CONSENSUS, "quorum", "1 to 20", q=0),
    case(CONSENSUS, "quorum", "1 to 20", q=1000),
    case(CONSENSUS, "maxAgeMs", "0 or more", q=1, m=-1),
    case(CONSENSUS, "providers", "nobody", q=1, p=["nobody"]),
    case(CONVERT, "to", "already", t="EUR"),
    case(CONVERT, "from", "currency", f="12345678901234567890"),
    case(PROVIDERS, "capability", "teleport", "quotes", c="teleport"),
    case(INSTRUMENT, "assetClass", "contradicts", s="crypto:BTC/USD", c="EQUITY"),
    case(SESSIONS, "end", "400 days", a="1926-11-20", b="2026-11-20"),
    case(SESSIONS, "end", "after start", a="2026-11-20", b="2026-11-19"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def alive(gateway: Gateway) -> Iterator[None]:
    yield
    assert gateway.process.poll() is None
    assert gateway.client.get("/livez").status_code == 200


@pytest.mark.parametrize(("query", "variables", "field", "words"), REFUSED)
def test_an_argument_out_of_range_is_named_with_the_way_out(
    gateway: Gateway, upstream: Upstream, query: str, variables: dict[str, Any], field: str, words: tuple[str, ...]
) -> None:
    error = gateway.refusal(query, **variables)

    assert (error["code"], error["field"]) == ("BAD_USER_INPUT", field)
    assert [word for word in words if word not in error["message"]] == []
    assert len(error["message"]) < 400
    assert upstream.log == []


@pytest.mark.parametrize(
    ("symbol", "code"),
    [
        ("crypto:NADA/USD", "UNKNOWN_INSTRUMENT"),
        ("equity:NADA", "UNKNOWN_INSTRUMENT"),
        ("???", "UNKNOWN_INSTRUMENT"),
        ("", "UNKNOWN_INSTRUMENT"),
        ("   ", "UNKNOWN_INSTRUMENT"),
        ("crypto:BTC", "UNKNOWN_INSTRUMENT"),
        ("crypto:BTC/BTC", "UNKNOWN_INSTRUMENT"),
        ("nothing:BTC/USD", "UNKNOWN_INSTRUMENT"),
        ("crypto:BTC/USDT:USDT-261225", "NOT_COVERED"),
        ("crypto:BTC/USDT:USDT@kraken", "NOT_COVERED"),
        ("crypto:BTC/USD@nowhere", "NOT_COVERED"),
        ("macro:US.CPI", "NOT_COVERED"),
        ("dex:solana/So11111111111111111111111111111111111111112", "NOT_COVERED"),
    ],
)
def test_an_unknown_symbol_is_told_with_its_code(gateway: Gateway, upstream: Upstream, symbol: str, code: str) -> None:
    answer = gateway.send(QUOTE, {"s": symbol})

    (error,) = answer["errors"]
    assert answer["data"] == {"quote": None}
    assert error["extensions"]["code"] == code
    assert error["path"] == ["quote"]
    assert error["extensions"]["docs"].startswith("/docs/errors/")
    assert error["extensions"]["requestId"] == answer["extensions"]["requestId"]


PERPETUALS = {
    "binance": ("/fapi/v1/ticker/24hr", {"symbol": "BTCUSDT"}),
    "bybit": ("/v5/market/tickers", {"category": "linear", "symbol": "BTCUSDT"}),
    "okx": ("/api/v5/market/ticker", {"instId": "BTC-USDT-SWAP"}),
}


@pytest.mark.parametrize("provider", PERPETUALS)
def test_a_perpetual_is_answered_by_its_own_price_beside_the_spot_pair(
    gateway: Gateway, upstream: Upstream, provider: str
) -> None:
    spot, perpetual = (
        gateway.ask(QUOTE, s=symbol, r={"providers": [provider], "maxAgeMs": 3_600_000})["quote"]["price"]
        for symbol in ("crypto:BTC/USDT", "crypto:BTC/USDT:USDT")
    )

    assert (spot, perpetual) == (PRICE, perpetuals.PRICE)
    assert len(upstream.log) == 2
    asked = upstream.log[1]
    assert (asked.provider, asked.path, dict(asked.params)) == (provider, *PERPETUALS[provider])


@pytest.mark.parametrize("provider", ["bitstamp", "coinbaseexchange", "coingecko", "kraken", "alphavantage", "yahoo"])
def test_a_perpetual_is_never_answered_from_spot(gateway: Gateway, upstream: Upstream, provider: str) -> None:
    error = gateway.refusal(QUOTE, s="crypto:BTC/USDT:USDT", r={"providers": [provider]})

    assert error["code"] == "NOT_COVERED"
    assert upstream.log == []


def test_a_perpetual_that_has_failed_everywhere_is_not_filled_from_spot(gateway: Gateway, upstream: Upstream) -> None:
    for provider in PERPETUALS:
        upstream.on(provider, plain({}, 404))

    error = gateway.refusal(QUOTE, s="crypto:SOL/USDT:USDT")

    assert {attempt["provider"] for attempt in error["attempts"]} == set(PERPETUALS)
    assert {(asked.provider, asked.path) for asked in upstream.log} == {
        (provider, path) for provider, (path, _) in PERPETUALS.items()
    }
    assert {asked.params.get("instId", "BTC-USDT-SWAP")[-4:] for asked in upstream.log} == {"SWAP"}
    assert {asked.params.get("category", "linear") for asked in upstream.log} == {"linear"}


def test_dollars_are_never_answered_in_tether(gateway: Gateway, upstream: Upstream) -> None:
    gateway.refusal(QUOTE, s="crypto:BTC/USD", r={"providers": ["binance"]})

    assert upstream.log == []


def test_a_capability_that_a_pinned_provider_lacks(gateway: Gateway, upstream: Upstream) -> None:
    error = gateway.refusal(
        '{ orderBook(symbol: "crypto:BTC/USD", route: {providers: ["coingecko"]}) { bids { price } } }'
    )

    assert error["code"] == "NOT_COVERED"
    assert error["attempts"] == [
        {"provider": "coingecko", "code": "NOT_COVERED", "message": "does not offer orderBook", "retryAfterMs": None}
    ]


def test_a_capability_that_nobody_offers_for_a_class(gateway: Gateway, upstream: Upstream) -> None:
    error = gateway.refusal('{ orderBook(symbol: "equity:AAPL") { bids { price } } }')

    assert error["code"] == "NOT_COVERED"
    assert "orderBook" in error["message"]
    assert upstream.log == []


def test_an_interval_that_a_provider_lacks_names_those_it_has(gateway: Gateway, upstream: Upstream) -> None:
    error = gateway.refusal(CANDLES, i="S1", l=5, r={"providers": ["kraken"]})

    assert error["code"] == "NOT_COVERED"
    assert "has no S1 candles (it has M1 M5 M15 M30 H1 H4 D1)" in error["message"]


def test_an_interval_that_does_not_exist(gateway: Gateway, upstream: Upstream) -> None:
    response = gateway.client.post(
        "/graphql", json={"query": '{ candles(symbol: "BTC/USD", interval: M7) { currency } }'}
    )

    assert response.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "M7" in response.json()["errors"][0]["message"]


def test_a_thousand_levels_of_a_book_are_allowed(gateway: Gateway, upstream: Upstream) -> None:
    query = """{ orderBook(symbol: "crypto:BTC/USD", depth: 1000, route: {providers: ["bitstamp"]}) { bids { price }
      asks { price } } }"""

    book = gateway.ask(query)["orderBook"]

    assert (len(book["bids"]), len(book["asks"])) == (1000, 1000)


def test_a_query_of_a_thousand_levels_is_refused(gateway: Gateway, upstream: Upstream) -> None:
    query = '{ node(id: "x") ' + "{ ... on Instrument " * 1000 + "{ id }" + " }" * 1000 + " }"

    response = gateway.client.post(
        "/graphql", json={"query": query}, headers={"accept": "application/graphql-response+json"}
    )

    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert "data" not in response.json()


def worked(gateway: Gateway) -> float:
    """Seconds of processor time that the process has had."""
    fields = Path(f"/proc/{gateway.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize(
    "variables",
    [
        {"a": "1000-01-01", "l": 3},
        {"a": "1000-01-01", "f": 3},
        {"b": "8999-12-31T23:59:59Z", "l": 3},
        {"b": "1000-01-01", "l": 3},
        {"a": "2026-11-14", "b": "2026-11-15", "s": "equity:AAPL"},
        {"a": "2026-11-14T10:00:00+14:00", "b": "2026-11-14T10:00:01+14:00", "i": "M1"},
        {"a": "1900-01-01", "i": "MO1", "f": 5000},
        {"a": "1900-01-01", "i": "MO1", "f": 5000, "s": "equity:AAPL"},
        {"i": "MO1", "l": 5000, "s": "equity:AAPL"},
        {"i": "W1", "l": 5000, "s": "fx:EUR/USD"},
        {"i": "D3", "l": 5000, "s": "equity:AAPL"},
    ],
)
@pytest.mark.parametrize("interval", [None, "MO1", "W1", "S1"])
def test_the_ends_of_time_break_nothing(
    gateway: Gateway, upstream: Upstream, variables: dict[str, Any], interval: str | None
) -> None:
    for provider in (None, ["sandbox"]):
        given = variables | ({"i": interval} if interval else {}) | {"r": {"providers": provider}}
        begun = worked(gateway)
        codes = {error["extensions"]["code"] for error in gateway.send(CANDLES, given).get("errors", ())}

        assert codes <= {"NOT_COVERED", "BAD_USER_INPUT", "UNKNOWN_INSTRUMENT"}
        # Of its own work, not of the clock on the wall: a busy machine gives it less of that.
        assert worked(gateway) - begun < 2


def test_a_weekend_of_a_share_is_an_empty_series(gateway: Gateway, upstream: Upstream) -> None:
    series = gateway.ask(CANDLES, s="equity:AAPL", i="H1", a="2026-11-14", b="2026-11-16")["candles"]

    assert series == {"rows": [], "gaps": [], "pageInfo": {"hasNextPage": False, "hasPreviousPage": False}}
    assert upstream.log == []


def test_a_misspelt_field_is_told_without_giving_names_away(gateway: Gateway, upstream: Upstream) -> None:
    answer = gateway.client.post("/graphql", json={"query": "{ qoute { price } }"}).json()

    assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "quote" not in answer["errors"][0]["message"]


def test_introspection_and_console_are_off_in_production(gateway: Gateway, upstream: Upstream) -> None:
    answer = gateway.client.post("/graphql", json={"query": "{ __schema { types { name } } }"}).json()
    pages = [gateway.client.get(path, headers={"accept": "text/html"}) for path in ("/console", "/graphql")]

    assert "introspection" in answer["errors"][0]["message"].lower()
    assert [page.status_code for page in pages] == [404, 406]


def test_a_key_that_is_missing_is_named(gateway: Gateway, upstream: Upstream) -> None:
    found = gateway.ask("{ providers(status: KEY_MISSING) { id } }")["providers"]

    assert found == []
