"""Real captured payloads from wire to GraphQL: the numbers come out of the running gateway as they came in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.contract.captured import plans_of
from tests.contract.captured.answers import equal, number
from tests.contract.captured.asks import Plan
from tests.contract.captures import FOLDER, Capture, captures_of
from tests.e2e.market.process import Gateway
from tests.e2e.market.upstream import Answer, Asked, Script, Upstream, plain

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no captured payloads in ../shared/recordings")

QUOTE = """query ($s: String!, $p: [String!]) { quote(symbol: $s, route: {providers: $p}) {
  last bid ask open high low baseVolume: volume provenance { mode provider cacheStatus } } }"""
BOOK = """query ($s: String!, $p: [String!]) { orderBook(symbol: $s, depth: 1000, route: {providers: $p}) {
  bids { price size } asks { price size } } }"""
TRADES = """query ($s: String!, $p: [String!]) { trades(symbol: $s, last: 1000, route: {providers: $p}) { id price
  size side } }"""
CANDLES = """query ($s: String!, $p: [String!], $i: Interval!, $a: DateTime!, $b: DateTime!, $d: Adjustment, $h:
  TradingHours) {
  candles(symbol: $s, interval: $i, start: $a, end: $b, adjustment: $d, hours: $h, route: {providers: $p}) {
    rows { openTime open high low close volume } provenance { mode } } }"""
# Kraken keeps 720 candles and CoinGecko 30 days of them: ranges of years ago are refused before they are asked.
TOO_OLD = {("kraken", "candles"), ("coingecko", "candles")}


def runnable(capture: Capture) -> list[Any]:
    plans = plans_of(capture)
    return [
        pytest.param(capture, plan, id=f"{capture.name}-{plan.capability}")
        for plan in ([] if isinstance(plans, str) else plans)
        if plan.capability in ("quotes", "orderBook", "trades", "candles") and plan.expected and not plan.error
        if (capture.provider, plan.capability) not in TOO_OLD
    ]


# The contract suite reads the captures of all; these show that nothing is lost between an adapter and the client.
THROUGH = ("alphavantage", "binance", "bitstamp", "bybit", "coinbaseexchange", "coingecko", "kraken", "okx", "yahoo")
CASES = [case for provider in THROUGH for capture in captures_of(provider) for case in runnable(capture)]


def served(capture: Capture) -> Script:
    """The capture under its own path, whatever the parameters."""

    def script(asked: Asked) -> Answer:
        found = asked.path.rstrip("/") == capture.path
        return Answer(status=capture.status, body=capture.content) if found else plain({}, 404)

    return script


@pytest.mark.parametrize(("capture", "plan"), CASES)
def test_a_captured_payload_comes_out_as_it_went_in(
    gateway: Gateway, upstream: Upstream, capture: Capture, plan: Plan
) -> None:
    upstream.on(capture.provider, served(capture))
    compare = {"quotes": quotes, "orderBook": book, "trades": trades, "candles": candles}[plan.capability]

    compare(gateway, capture.provider, plan)


def quotes(gateway: Gateway, provider: str, plan: Plan) -> None:
    rows = plan.expected if isinstance(plan.expected, list) else [plan.expected]
    for symbol, row in list(zip(plan.ask["instruments"], rows, strict=False))[:3]:
        # A payload of the same market may have been served a moment ago: ask past the copy, under the venue's name.
        held = gateway.ask(QUOTE, s=symbol, p=[provider])["quote"]["provenance"]["cacheStatus"] == "HIT"
        symbol = f"{symbol}@{provider}" if held else symbol
        quote = gateway.ask(QUOTE, s=symbol, p=[provider])["quote"]

        assert (quote["provenance"]["mode"], quote["provenance"]["provider"]) == ("LIVE", provider)
        for name in {"last", "bid", "ask", "high", "low", "baseVolume"} - plan.unjudged:
            if row.get(name) is not None and quote[name] is not None:
                assert equal(Decimal(quote[name]), number(row[name])), name


def book(gateway: Gateway, provider: str, plan: Plan) -> None:
    found = gateway.ask(BOOK, s=plan.ask["instrument"], p=[provider])["orderBook"]

    for side in ("bids", "asks"):
        assert [(Decimal(level["price"]), Decimal(level["size"])) for level in found[side]] == [
            (number(row[0]), number(row[1])) for row in plan.expected[side]
        ]


def trades(gateway: Gateway, provider: str, plan: Plan) -> None:
    found = gateway.ask(TRADES, s=plan.ask["instrument"], p=[provider])["trades"]

    assert sorted((Decimal(t["price"]), Decimal(t["size"])) for t in found) == sorted(
        (number(row["price"]), number(row["amount"])) for row in plan.expected
    )


def candles(gateway: Gateway, provider: str, plan: Plan) -> None:
    ask = plan.ask
    series = gateway.ask(
        CANDLES, s=ask["instrument"], p=[provider], i=ask["interval"], a=ask["start"], b=ask["end"],
        d=ask.get("adjustment", "SPLITS"), h=ask.get("hours", "REGULAR"),
    )["candles"]  # fmt: skip

    assert len(series["rows"]) == len(plan.expected)
    for row, expected in zip(series["rows"], plan.expected, strict=True):
        assert [Decimal(row[name]) for name in ("open", "high", "low", "close")] == [number(n) for n in expected[1:5]]
