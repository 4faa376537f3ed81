"""Kraken's symbol maps, long answer keys and error texts."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from providers.contract import Http, Reply
from providers.crypto.kraken import (
    PREFIXED,
    Kraken,
    asset_of,
    covered,
    pair_of,
    parse_candles,
    parse_listings,
    parse_quotes,
)
from providers.row import Row
from schema.errors import NotCovered, Overloaded, Throttled, Unauthorized, UnknownInstrument
from schema.symbols import crypto, parse_instrument
from schema.words.intervals import Interval

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TICKER = {
    "a": ["101.5", "1", "2.5"], "b": ["101.4", "3", "3.5"], "c": ["101.45", "0.5"], "v": ["10", "20"],
    "p": ["100", "99"], "t": [1, 2], "l": ["98", "97"], "h": ["102", "103"], "o": "100.5",
}  # fmt: skip
assets = st.from_regex(r"[A-Z0-9]{2,8}", fullmatch=True)


class StoppedClock:
    """Stands at noon."""

    def now(self) -> datetime:
        return NOW


def kraken() -> Kraken:
    http: Http = None  # type: ignore[assignment]
    return Kraken(http, StoppedClock())


def reply(body: object, status: int = 200) -> Reply:
    return Reply(status=status, headers={}, body=Row("kraken", body))


def tickers(**entries: object) -> Row:
    return Row.json("kraken", msgspec.json.encode({"error": [], "result": entries}))


@given(base=assets, quote=assets)
def test_a_listed_pair_is_asked_by_its_own_altname(base: str, quote: str):
    instrument = crypto(base, quote)
    assume(covered(instrument))
    wire = pair_of(instrument)
    split = len(pair_of(crypto(base, "X"))) - 1
    row = {"altname": wire, "base": wire[:split], "quote": wire[split:], "pair_decimals": 1, "lot_decimals": 8}
    assume(not {row["base"], row["quote"]} & PREFIXED)

    listings = parse_listings(Row("kraken", {"result": {wire: row}}))

    assert [listing.instrument for listing in listings] == [instrument]


@pytest.mark.parametrize(
    ("code", "asset"),
    [
        ("XXBT", "BTC"), ("XBT", "BTC"), ("XXDG", "DOGE"), ("XDG", "DOGE"), ("ZUSD", "USD"), ("XETH", "ETH"),
        ("ZETA", "ZETA"), ("XTZ", "XTZ"), ("ZRX", "ZRX"), ("USDT", "USDT"), ("XCN", "XCN"),
    ],
)  # fmt: skip
def test_legacy_prefixes_go_and_names_that_only_look_so_stay(code: str, asset: str):
    assert asset_of(code) == asset


@pytest.mark.parametrize(
    ("instrument", "key"),
    [
        ("crypto:BTC/USD", "XXBTZUSD"), ("crypto:BTC/USD", "XBTUSD"), ("crypto:ETH/BTC", "XETHXXBT"),
        ("crypto:USDT/USD", "USDTZUSD"), ("crypto:DOGE/USD", "XDGUSD"), ("crypto:BTC/USDT", "XBTUSDT"),
        ("crypto:ADA/ETH", "ADAXETH"), ("crypto:ETH/USDT", "XETHUSDT"), ("crypto:BTC/USD", "BTC/USD"),
    ],
)  # fmt: skip
def test_a_single_quote_is_found_under_whatever_key_it_comes(instrument: str, key: str):
    asked = parse_instrument(instrument)

    quotes = parse_quotes((asked,), tickers(**{key: TICKER}))

    assert [(quote.instrument, quote.price) for quote in quotes] == [(asked, Decimal("101.45"))]


def test_one_entry_answers_the_plain_pair_and_the_pair_at_the_venue():
    asked = (crypto("BTC", "USD"), crypto("BTC", "USD", "kraken"))

    quotes = parse_quotes(asked, tickers(XXBTZUSD=TICKER))

    assert tuple(quote.instrument for quote in quotes) == asked


def test_a_batch_never_takes_a_key_that_belongs_to_none_of_its_pairs():
    asked = (crypto("BTC", "USD"), crypto("ETH", "USD"))

    assert parse_quotes(asked, tickers(SOMETHING=TICKER)) == []


def test_a_pair_that_never_traded_has_no_quote():
    ticker = {**TICKER, "c": ["0.00000", "0.00000000"]}

    assert parse_quotes((crypto("LSK", "EUR"),), tickers(LSKEUR=ticker)) == []


def test_a_quote_keeps_to_one_window():
    quote = parse_quotes((crypto("ETH", "USD"),), tickers(XETHZUSD=TICKER))[0]

    assert (quote.high, quote.low, quote.volume, quote.vwap) == (Decimal(103), Decimal(97), Decimal(20), Decimal(99))
    assert quote.open is None
    assert quote.change is None


@pytest.mark.parametrize(
    ("text", "is_covered"),
    [
        ("crypto:BTC/USD", True), ("crypto:BTC/USD@kraken", True), ("crypto:BTC/USD@binance", False),
        ("crypto:BTC/USD:USD", False), ("crypto:XBT/USD", False), ("crypto:ETH/XDG", False), ("crypto:EUR/USD", False),
        ("crypto:BT/CUSD", False), ("crypto:BTCU/SD", False), ("crypto:BTC/PYUSD", True), ("crypto:BTC/AED", True),
        ("crypto:USDT/EUR", True), ("fx:EUR/USD", False), ("equity:AAPL", False),
    ],
)  # fmt: skip
def test_coverage(text: str, is_covered: bool):
    assert covered(parse_instrument(text)) is is_covered


@pytest.mark.parametrize(
    ("said", "kind", "pause"),
    [
        ("EQuery:Unknown asset pair", UnknownInstrument, None),
        ("EAPI:Rate limit exceeded", Throttled, None),
        ("EGeneral:Too many requests", Throttled, None),
        ("EService: Throttled: 1795176030", Throttled, 30.0),
        ("EService: Throttled: 1795175000", Throttled, 0.0),
        ("EService: Throttled: soon", Throttled, None),
        ("EGeneral:Temporary lockout", Throttled, 900.0),
        ("EService:Unavailable", Overloaded, None),
        ("EService:Busy", Overloaded, None),
        ("EGeneral:Internal error", Overloaded, None),
        ("EGeneral:Permission denied", Unauthorized, None),
        ("EAPI:Invalid key", Unauthorized, None),
        ("EGeneral:Invalid arguments", NotCovered, None),
    ],
)
def test_an_error_text_has_its_class_and_its_pause(said: str, kind: type, pause: float | None):
    error = kraken().explain(reply({"error": ["WDatabase:Lag", said]}))

    assert error is not None
    assert type(error) is kind
    assert str(error) == f"kraken: {said}"
    assert error.retry_after == pause


@pytest.mark.parametrize(
    "body", [{"error": [], "result": {}}, {"error": ["WDatabase:Lag"]}, {"error": "no"}, "<html>", []]
)
def test_what_is_no_error_of_krakens_is_left_to_the_status(body: object):
    assert kraken().explain(reply(body)) is None


def test_the_header_of_a_429_decides_when_to_come_back():
    assert kraken().explain(reply({"error": ["EAPI:Rate limit exceeded"]}, status=429)) is None


def test_weeks_are_not_offered_because_they_begin_on_thursdays():
    assert Interval.W1 not in Kraken.offers["candles"].intervals


def test_history_reaches_back_720_candles():
    reach = Kraken.offers["candles"].reach

    assert reach is not None
    assert reach(Interval.H1) == Interval.D1.delta * 30


def test_a_candle_without_a_trade_has_no_average_price():
    rows = [[1795168800, "1", "1", "1", "1", "0.0", "0.00000000", 0], [1795172400, "1", "3", "1", "2", "1.5", "7", 2]]

    bars = parse_candles(crypto("BTC", "USD"), tickers(XXBTZUSD=rows, last=1))

    assert bars.vwap == (None, Decimal("1.5"))


@pytest.mark.parametrize("lacking", ["p", "v", "h", "l", "t", "o", "b", "a"])
def test_a_ticker_needs_only_its_last_price(lacking: str):
    without = {key: value for key, value in TICKER.items() if key != lacking}

    for ticker in (without, {**TICKER, lacking: None}, {**TICKER, lacking: []}):
        quote = parse_quotes((crypto("ETH", "USD"),), tickers(XETHZUSD=ticker))[0]
        found = {"p": quote.vwap, "v": quote.volume, "h": quote.high, "l": quote.low, "b": quote.bid, "a": quote.ask}
        assert quote.price == Decimal("101.45")
        assert {key for key, value in found.items() if value is None} == {lacking} & set(found)
