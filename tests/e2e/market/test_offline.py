"""The offline market as a newcomer meets it: every query answers without network or key, and says what it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from providers import adapter_modules
from tests.e2e.market.process import Gateway, running

ROOT = Path(__file__).parents[3]
README = re.findall(r"```graphql\n(query .*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """As `make run` starts it."""
    with running(tmp_path_factory.mktemp("offline"), ENV="development") as gateway:
        yield gateway


def test_a_ticker(market: Gateway) -> None:
    quote = market.ask(
        """query Ticker { quote(symbol: "BTC/USD") { price bid ask changePercent
          provenance { provider mode asOf ageMs fallbackFrom { provider code } } } }"""
    )["quote"]

    assert quote["provenance"] == quote["provenance"] | {"provider": "sandbox", "mode": "SIMULATED", "fallbackFrom": []}
    assert quote["provenance"]["ageMs"] < 5_000
    assert None not in quote.values()


def test_a_watchlist_in_another_currency(market: Gateway) -> None:
    batch = market.ask(
        """query Watchlist($s: [String!]!) { quotes(symbols: $s, convertTo: "EUR") {
          nodes { id price currency instrument { symbol } provenance { mode conversion { from to rate provenance {
          mode } } } }
          failures { index symbol code candidates { id } } } }""",
        s=["BTC-USD", "ETH/USD", "AAPL", "EURUSD", "NOSUCH/USD", "crypto:BTC/USD@kraken"],
    )["quotes"]

    nodes = batch["nodes"]
    assert [node and node["currency"] for node in nodes] == ["EUR", "EUR", "EUR", "EUR", None, "EUR"]
    assert [node["instrument"]["symbol"] for node in nodes[:4]] == ["BTC/USD", "ETH/USD", "AAPL", "EUR/USD"]
    assert {node["provenance"]["conversion"]["to"] for node in nodes if node} == {"EUR"}
    assert [(failure["index"], failure["symbol"]) for failure in batch["failures"]] == [(4, "NOSUCH/USD")]


def test_securities_by_their_numbers(market: Gateway) -> None:
    batch = market.ask(
        """query Numbers($s: [String!]!) { quotes(symbols: $s) { nodes { price instrument { id } }
          failures { index symbol code message candidates { id } } } }""",
        s=[
            "isin:US0378331005", "BTC/USD", "BBG000B9XRY4", "cik:320193", "sedol:2046251", "US0378331005@XETR",
            "cik:1652044", "US0378331006",
        ],
    )["quotes"]  # fmt: skip
    refused = market.refusal('{ candles(symbol: "cik:1652044", interval: D1, last: 2) { interval } }')

    ids = [node and node["instrument"]["id"] for node in batch["nodes"]]
    assert ids == ["equity:AAPL", "crypto:BTC/USD", "equity:AAPL", "equity:AAPL", "equity:AAPL", None, None, None]
    abroad, ambiguous, wrong = batch["failures"]
    assert (abroad["index"], abroad["candidates"]) == (5, [])
    assert (ambiguous["index"], ambiguous["code"]) == (6, "AMBIGUOUS_INSTRUMENT")
    assert ambiguous["candidates"] == [{"id": "equity:GOOG"}, {"id": "equity:GOOGL"}]
    assert (wrong["index"], wrong["code"]) == (7, "UNKNOWN_INSTRUMENT")
    assert wrong["message"].endswith("has the form of an identifier, but as ISIN its check digit must be 5")
    assert (refused["symbol"], refused["candidates"]) == ("cik:1652044", ["equity:GOOG", "equity:GOOGL"])


def test_a_year_of_days(market: Gateway) -> None:
    series = market.ask(
        """query Chart($s: String!) { candles(symbol: $s, interval: D1, last: 365) {
          adjustment columns { openTime open high low close volume closed } gaps { start end } provenance { mode } }
          }""",
        s="BTC/USD",
    )["candles"]

    columns = series["columns"]
    assert {len(column) for column in columns.values()} == {365}
    assert columns["openTime"] == sorted(set(columns["openTime"]))
    assert columns["closed"] == [True] * 364 + [False]
    assert (series["gaps"], series["provenance"]) == ([], [{"mode": "SIMULATED"}])


def test_a_consensus_is_of_one_instant_and_says_that_it_is_recorded(market: Gateway) -> None:
    found = market.ask(
        """query Trust { consensus(symbol: "ETH/USD", quorum: 3) { median rangeBps used
          outliers { provider deviationBps quote { price } }
          sources { provider outlier excluded { code } quote { provenance { mode fetchedAt recordedFrom } } } } }"""
    )["consensus"]

    used = [s["quote"]["provenance"] for s in found["sources"] if not s["excluded"] and not s["outlier"]]
    assert len(used) == found["used"] >= 3
    assert len({(made["mode"], made["fetchedAt"]) for made in used}) == 1
    assert used[0]["mode"] == "RECORDED"
    assert {made["recordedFrom"] for made in used} <= {"COMPOSED", "DOCUMENTATION", "CAPTURE"}


def test_a_search_with_prices(market: Gateway) -> None:
    found = market.ask(
        """query Search { instruments(search: "apple", first: 5) {
          nodes { id name type venue { id state } quote { price currency } } pageInfo { endCursor hasNextPage } } }"""
    )["instruments"]["nodes"]

    assert found[0] == found[0] | {"id": "equity:AAPL", "type": "STOCK"}
    assert found[0]["quote"]["currency"] == "USD"
    assert found[0]["venue"]["id"] == "XNAS"


def test_a_book_of_a_venue(market: Gateway) -> None:
    book = market.ask(
        """query Book { orderBook(symbol: "crypto:BTC/USDT@binance", depth: 10) {
          bids { price size } asks { price size } verified provenance { ageMs provider mode } } }"""
    )["orderBook"]

    assert (len(book["bids"]), len(book["asks"])) == (10, 10)
    assert book["provenance"] == book["provenance"] | {"provider": "binance", "mode": "RECORDED"}


def test_what_is_missing_for_live_data(market: Gateway) -> None:
    found = market.ask("query Setup { providers { id status statusReason credentials { setting signUp } } }")[
        "providers"
    ]

    needs = {each["id"]: each["credentials"] for each in found if each["credentials"]}
    assert needs["alphavantage"][0]["setting"] == "MARKETGATE_KEY_ALPHAVANTAGE"
    assert needs["alphavantage"][0]["signUp"].startswith("https://")
    assert len(found) == len(adapter_modules())


@pytest.mark.parametrize("query", README, ids=[query.split()[1] for query in README])
def test_every_query_of_the_readme_answers(market: Gateway, query: str) -> None:
    answer = market.send(query)

    assert "errors" not in answer, answer["errors"]
    assert None not in answer["data"].values()


@pytest.mark.parametrize(
    "query",
    [
        'trades(symbol: "BTC/USD", last: 5) { id price provenance { mode } }',
        'marketCaps(first: 5) { nodes { rank asset price marketCap provenance { mode } } }',
        'fxRates(base: "EUR", quotes: ["USD", "GBP"]) { rates { quote rate date provenance { mode } } }',
        'fxRates(base: "EUR", quotes: ["USD"], start: "2026-11-02", end: "2026-11-07") { rates { rate date } }',
        'convert(amount: "100.10", from: "USD", to: "JPY") { amount conversion { rate provenance { mode } } }',
        'instrument(symbol: "crypto:BTC/USD") { id name tickSize symbols { provider symbol } }',
        'instruments(first: 100) { nodes { id } pageInfo { hasNextPage } }',
        'candles(symbol: "AAPL", interval: H1, last: 20) { rows { openTime open } provenance { mode } }',
        'candles(symbol: "EURUSD", interval: D1, last: 20) { rows { openTime open } provenance { mode } }',
        'candles(symbol: "crypto:ETH/USD", interval: M1, last: 5000) { columns { close } }',
        'quote(symbol: "AAPL") { price marketState provenance { mode } }',
        'quote(symbol: "VOD.L") { price currency provenance { mode } }',
        'quote(symbol: "fx:EUR/USD", route: {providers: ["ecb"]}) { priceType provenance { mode asOf recordedFrom } }',
        'quote(symbol: "crypto:BTC/USD", route: {providers: ["coingecko"]}) { price priceType provenance { mode } }',
    ],
)  # fmt: skip
def test_every_other_question_answers_too_and_nothing_claims_to_be_live(market: Gateway, query: str) -> None:
    answer = market.send(f"{{ {query} }}")

    assert "errors" not in answer, answer["errors"]
    (found,) = answer["data"].values()
    assert found
    assert modes(answer) <= {"SIMULATED", "RECORDED"}


def modes(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {value["mode"]} if "mode" in value else set().union(*map(modes, value.values()))
    return set().union(*map(modes, value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("provider", ["binance", "okx", "bybit", "kraken", "bitstamp", "coinbaseexchange"])
def test_a_pinned_venue_answers_from_its_recordings(market: Gateway, provider: str) -> None:
    query = """query ($s: String!) { quote(symbol: $s) { price provenance { provider mode asOf recordedFrom } }
      candles(symbol: $s, interval: H1, last: 24) { rows { openTime } gaps { missing } provenance { provider mode } }
      trades(symbol: $s, last: 5) { id } orderBook(symbol: $s, depth: 5) { bids { price } } }"""
    symbol = f"crypto:BTC/{'USD' if provider in ('kraken', 'bitstamp', 'coinbaseexchange') else 'USDT'}@{provider}"

    found = market.ask(query, s=symbol)

    assert found["quote"]["provenance"] == found["quote"]["provenance"] | {"provider": provider, "mode": "RECORDED"}
    assert len(found["candles"]["rows"]) == 24
    assert [made["mode"] for made in found["candles"]["provenance"]] == ["RECORDED"]
    assert (len(found["trades"]), len(found["orderBook"]["bids"])) == (5, 5)


def test_what_is_not_recorded_lists_what_is(market: Gateway) -> None:
    error = market.refusal('{ quote(symbol: "crypto:ZZZ/USD", route: {providers: ["kraken"]}) { price } }')

    assert error["code"] == "NOT_RECORDED"
    assert "BTC/USD" in error["message"]


def test_the_page_and_the_headers_say_so(market: Gateway) -> None:
    page = market.client.get("/", headers={"accept": "text/html"})
    health = market.client.get("/health")

    assert page.status_code == 200
    assert health.json()["mode"] == "recorded"
    assert {page.headers["Marketgate-Mode"], health.headers["Marketgate-Mode"]} == {"recorded"}


def test_introspection_and_suggestions_help_in_development(market: Gateway) -> None:
    answer = market.client.post("/graphql", json={"query": "{ qoute { price } }"}).json()

    assert market.ask("{ __schema { queryType { name } } }") == {"__schema": {"queryType": {"name": "Query"}}}
    assert "Did you mean 'quote'" in answer["errors"][0]["message"]


def test_recorded_in_production_must_be_set_and_shows(tmp_path: Path) -> None:
    with running(tmp_path, ENV="production", UPSTREAMS="recorded") as gateway:
        response = gateway.client.post(
            "/graphql", json={"query": '{ quote(symbol: "BTC/USD") { provenance { mode } } }'}
        )

        assert response.json()["data"]["quote"]["provenance"]["mode"] == "SIMULATED"
        assert response.headers["Marketgate-Mode"] == "recorded"
        assert gateway.client.get("/health").json()["mode"] == "recorded"
        assert gateway.client.get("/console").status_code == 404
