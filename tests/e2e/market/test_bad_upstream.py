"""An upstream that sends nonsense: it is told apart from data, bounded, and never echoed at length."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.market import exchanges
from tests.e2e.market.process import Gateway
from tests.e2e.market.upstream import Answer, Asked, Upstream, plain, text

QUOTE = """query ($s: String!, $p: [String!]!) { quote(symbol: $s, route: {providers: $p, timeoutMs: 4000}) {
  price bid volume provenance { provider fallbackFrom { code message } } } }"""
NAMES = iter(range(2000, 9000))


@pytest.fixture(autouse=True)
def healed(gateway: Gateway, upstream: Upstream) -> Iterator[None]:
    """Good answers after every test: its failures must not open a breaker before the next one."""
    yield
    upstream.calm()
    for provider in ("coinbaseexchange", "okx", "kraken", "binance"):
        for _ in range(4):
            gateway.send(QUOTE, {"s": f"crypto:C{next(NAMES)}/USDT", "p": [provider]})


def ticker(**changed: Any) -> str:
    """A ticker of Coinbase Exchange; values are JSON as they stand."""
    sound = {"ask": "3", "bid": "1", "volume": "5", "trade_id": "9", "price": "2", "size": "1"}
    return "{" + ",".join(f'"{name}": {value}' for name, value in (sound | changed).items()) + "}"


@pytest.mark.parametrize(
    "price",
    ['"NaN"', '"Infinity"', '"-Infinity"', '"sNaN"', "1e400", '"1e400"', '"1E-400"', "null", "true", "[]", "{}", '""',
     '" "', '"0x10"', '"1_000"', '"١٢"', '"12 34"', '"1,5"', "NaN", "-", '"9' + "9" * 5000 + '"', '"1e999999999"'],
)  # fmt: skip
def test_a_price_that_is_no_number_is_malformed(gateway: Gateway, upstream: Upstream, price: str) -> None:
    upstream.on("coinbaseexchange", text(ticker(price=price)))

    error = gateway.refusal(QUOTE, s=f"crypto:C{next(NAMES)}/USD", p=["coinbaseexchange"])

    assert error["code"] == "UPSTREAM_MALFORMED"
    assert "coinbaseexchange" in error["message"]
    assert len(error["message"]) < 500


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ("91234.123456789012345", "91234.123456789012345"),
        ('"91234.123456789012345"', "91234.123456789012345"),
        ("0.000000000000000000000000000001", "0.000000000000000000000000000001"),
        ("1e-7", "0.0000001"),
        ('"1E+3"', "1000"),
        ("123456789012345678901234567890.5", "123456789012345678901234567890.5"),
        ("91234.10", "91234.10"),
        ("91234", "91234"),
    ],
)
def test_every_number_survives_exactly(gateway: Gateway, upstream: Upstream, price: str, expected: str) -> None:
    upstream.on("coinbaseexchange", text(ticker(price=price)))

    quote = gateway.ask(QUOTE, s=f"crypto:C{next(NAMES)}/USD", p=["coinbaseexchange"])["quote"]

    assert quote["price"] == expected


@pytest.mark.parametrize(
    "answer",
    [
        text("[" * 100_000 + "]" * 100_000),
        text('{"a":' * 100_000 + "1" + "}" * 100_000),
        text("null"),
        text("[]"),
        text('"text"'),
        text("\ufeff{}"),
        Answer(body=b"\xff\xfe\x00"),
        Answer(body=b'{"price": "\xff"}'),
        Answer(body=b" " * 40_000_000, packed=True),
        Answer(body=b"not gzip", headers={"Content-Encoding": "gzip"}),
        Answer(body=b"not brotli", headers={"Content-Encoding": "br"}),
        text("", 204),
        text("", 304),
    ],
    ids=[
        "deep list",
        "deep object",
        "null",
        "list",
        "text",
        "BOM",
        "UTF-16",
        "bad UTF-8",
        "bomb",
        "gzip",
        "br",
        "204",
        "304",
    ],
)
def test_a_body_that_is_no_answer_is_malformed(gateway: Gateway, upstream: Upstream, answer: Answer) -> None:
    upstream.on("coinbaseexchange", answer)

    error = gateway.refusal(QUOTE, s=f"crypto:C{next(NAMES)}/USD", p=["coinbaseexchange"])

    assert error["code"] == "UPSTREAM_MALFORMED"
    assert len(error["message"]) < 500


@pytest.mark.parametrize(
    ("provider", "answer"),
    [
        ("kraken", plain({"error": ["EGeneral:" + "A" * 200_000]})),
        ("okx", plain({"code": "59999", "msg": "A" * 200_000, "data": []})),
        ("coinbaseexchange", plain({"message": "product " + "A" * 200_000}, 404)),
        ("coinbaseexchange", text("A" * 200_000, 503)),
        ("binance", plain({"code": -1121, "msg": "A" * 200_000}, 400)),
    ],
)
def test_a_long_refusal_is_cut(gateway: Gateway, upstream: Upstream, provider: str, answer: Answer) -> None:
    upstream.on(provider, answer)

    error = gateway.refusal(QUOTE, s=f"crypto:C{next(NAMES)}/USDT", p=[provider])

    assert len(json.dumps(error)) < 3_000


CANDLES = """{ candles(symbol: "crypto:SOL/USD", interval: H1, start: "2026-10-05", end: "2026-10-06",
  fill: PREVIOUS_CLOSE, route: {providers: ["coinbaseexchange"]}) { rows { openTime } gaps { missing } } }"""


def test_rows_out_of_order_twice_or_outside_are_put_right(gateway: Gateway, upstream: Upstream) -> None:
    def shuffled(asked: Asked) -> Answer:
        rows = json.loads(exchanges.coinbaseexchange(asked).body)
        first = rows[-1]
        strange = [[first[0] - 7200, *first[1:]], [first[0] + 10**6, *first[1:]]]
        return plain([*rows[::2], *rows[1::2], *rows[:3], *strange])

    upstream.on("coinbaseexchange", shuffled)

    answer = gateway.send(CANDLES)

    # Sorted and single, or refused as malformed: never a row out of order or twice.
    if "errors" in answer:
        assert answer["errors"][0]["extensions"]["code"] == "UPSTREAM_MALFORMED"
    else:
        found = [row["openTime"] for row in answer["data"]["candles"]["rows"]]
        assert found == [f"2026-10-05T{hour:02d}:00:00Z" for hour in range(24)]


def test_a_book_in_any_order_is_shown_from_the_best_price(gateway: Gateway, upstream: Upstream) -> None:
    bids, asks = ([[price, "7", 1] for price in side] for side in (("1", "3", "2"), ("6", "4", "5")))
    upstream.on("coinbaseexchange", text(json.dumps({"bids": bids, "asks": asks, "sequence": 1})))
    query = """query ($s: String!) {
      orderBook(symbol: $s, depth: 2, route: {providers: ["coinbaseexchange"]}) { bids { price } asks { price } }
    }"""

    book = gateway.ask(query, s=f"crypto:C{next(NAMES)}/USD")["orderBook"]

    assert book == {
        "bids": [{"price": "3"}, {"price": "2"}],
        "asks": [{"price": "4"}, {"price": "5"}],
    }


def test_an_empty_market_is_an_empty_answer(gateway: Gateway, upstream: Upstream) -> None:
    upstream.on("okx", plain({"code": "0", "msg": "", "data": [{"asks": [], "bids": [], "ts": "1795175999912"}]}))
    query = '{ orderBook(symbol: "crypto:SOL/USDT@okx") { bids { price } asks { price } provenance { asOf } } }'

    book = gateway.ask(query)["orderBook"]

    assert book == {"bids": [], "asks": [], "provenance": {"asOf": "2026-11-20T11:59:59.912000Z"}}


def test_no_candles_at_all_is_a_gap_over_the_whole_range(gateway: Gateway, upstream: Upstream) -> None:
    upstream.on("coinbaseexchange", plain([]))

    series = gateway.ask(CANDLES.replace("2026-10-0", "2026-09-0"))["candles"]

    assert series == {"rows": [], "gaps": [{"missing": 24}]}


def test_an_adapter_is_never_led_to_another_host(gateway: Gateway, upstream: Upstream) -> None:
    upstream.on("coinbaseexchange", text("", 301, Location=f"{upstream.url}/kraken/0/public/Ticker?pair=XBTUSD"))

    error = gateway.refusal(QUOTE, s=f"crypto:C{next(NAMES)}/USD", p=["coinbaseexchange"])

    assert error["code"] == "UPSTREAM_MALFORMED"
    assert upstream.asked("kraken") == []


def test_after_five_failures_in_a_row_a_provider_is_left_alone(gateway: Gateway, upstream: Upstream) -> None:
    upstream.on("bybit", plain({}, 500))
    for _ in range(5):
        gateway.refusal(QUOTE, s=f"crypto:C{next(NAMES)}/USDT", p=["bybit"])
    upstream.log.clear()

    error = gateway.refusal(QUOTE, s=f"crypto:C{next(NAMES)}/USDT", p=["bybit"])
    quote = gateway.ask(QUOTE, s=f"crypto:C{next(NAMES)}/USDT", p=["bybit", "okx"])["quote"]
    query = '{ providers(capability: "trades") { id status health { breaker } capabilities { name breaker } } }'
    told = next(each for each in gateway.ask(query)["providers"] if each["id"] == "bybit")

    assert upstream.asked("bybit") == []
    assert error["code"] == "UPSTREAM_UNAVAILABLE"
    assert "circuit breaker" in error["message"]
    assert 0 < error["retryAfterMs"] <= 15_000
    assert quote["provenance"]["provider"] == "okx"
    assert (told["status"], told["health"]["breaker"]) == ("PAUSED", "OPEN")
    breakers = {each["name"]: each["breaker"] for each in told["capabilities"]}
    assert {"quotes", "candles", "orderBook", "trades", "instruments"} <= breakers.keys()
    assert {name for name, breaker in breakers.items() if breaker != "CLOSED"} == {"quotes"}
