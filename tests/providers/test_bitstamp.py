"""Bitstamp's run-together symbols, its two ways to ask tickers, ranges and refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from providers.contract import Reply
from providers.crypto._bitstamp_feed import parse_book
from providers.crypto.bitstamp import (
    Bitstamp,
    covered,
    parse_listings,
    parse_quote,
    parse_quotes,
    parse_trades,
    symbol_of,
)
from providers.row import Row
from schema.errors import Malformed, NotCovered, Throttled, UnknownInstrument
from schema.symbols import crypto, parse_instrument
from schema.words.candles import CandlesAsk
from schema.words.intervals import Interval
from schema.words.quotes import QuotesAsk
from schema.words.trades import Side

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TICKER = {"timestamp": "1795175999", "last": "110", "open": "105", "open_24": "100", "percent_change_24": "10.00"}
assets = st.from_regex(r"[A-Z0-9]{1,8}", fullmatch=True)


class Recorder:
    """An HTTP port that notes what it is asked and always answers the same."""

    def __init__(self, answer: object) -> None:
        self.answer, self.asked = answer, []  # type: ignore[var-annotated]

    async def get(self, path: str, params: Any = None, *, host: str = "") -> Row:
        self.asked.append((path, dict(params or {})))
        return Row("bitstamp", self.answer)


def exchange(http: Any = None) -> Bitstamp:
    clock: Any = None
    return Bitstamp(http, clock)


def reply(body: object, status: int) -> Reply:
    return Reply(status=status, headers={}, body=Row("bitstamp", body))


def market(base: str, quote: str) -> dict[str, object]:
    return {
        "name": f"{base}/{quote}", "market_symbol": f"{base}{quote}".lower(), "base_currency": base,
        "counter_currency": quote, "base_decimals": 8, "counter_decimals": 2,
    }  # fmt: skip


@given(base=assets, quote=assets)
def test_a_listed_market_is_asked_by_its_own_symbol(base: str, quote: str):
    assume(covered(crypto(base, quote)))

    (listing,) = parse_listings(Row("bitstamp", [market(base, quote)]))

    assert listing.instrument == crypto(base, quote)
    assert symbol_of(listing.instrument) == listing.provider_symbol


def test_a_market_whose_name_is_no_pair_is_malformed():
    row = {**market("BTC", "USD"), "name": "BTCUSD"}

    with pytest.raises(Malformed, match=r"bitstamp: \$\[0\]\.name is not a pair \(got 'BTCUSD'\)"):
        parse_listings(Row("bitstamp", [row]))


@pytest.mark.parametrize(
    ("text", "is_covered"),
    [
        ("crypto:BTC/USD", True), ("crypto:BTC/USD@bitstamp", True), ("crypto:BTC/USD@kraken", False),
        ("crypto:BTC/USD:USD", False), ("crypto:EUR/USD", False), ("crypto:USDT/EUR", True),
        ("crypto:XRP/RLUSD", True), ("crypto:BT/CUSD", False), ("crypto:BTCU/SD", False), ("fx:EUR/USD", False),
    ],
)  # fmt: skip
def test_coverage(text: str, is_covered: bool):
    assert covered(parse_instrument(text)) is is_covered


async def test_one_quote_asks_its_own_ticker():
    http = Recorder(TICKER)

    (quote,) = await exchange(http).quotes(QuotesAsk(instruments=(crypto("BTC", "USD"),)))

    assert quote.price == Decimal(110)
    assert http.asked == [("/api/v2/ticker/btcusd/", {})]


async def test_many_quotes_ask_the_list_of_all_once():
    http = Recorder([{**TICKER, "pair": "ETH/USD"}, {**TICKER, "pair": "BTC/USD"}, TICKER])
    asked = (crypto("BTC", "USD"), crypto("NOPE", "USD"), crypto("ETH", "USD"), crypto("BTC", "USD", "bitstamp"))

    quotes = await exchange(http).quotes(QuotesAsk(instruments=asked))

    assert [quote.instrument for quote in quotes] == [asked[0], asked[2], asked[3]]
    assert http.asked == [("/api/v2/ticker/", {})]


def test_the_open_is_the_one_that_the_change_is_measured_from():
    quote = parse_quote(crypto("BTC", "USD"), Row("bitstamp", TICKER))

    assert (quote.open, quote.change_percent) == (Decimal(100), Decimal("10.00"))


def test_a_pair_that_never_traded_is_left_out():
    body = Row("bitstamp", [{**TICKER, "pair": "NEW/USD", "last": "0"}])

    assert parse_quotes((crypto("NEW", "USD"), crypto("BTC", "USD")), body) == []


@pytest.mark.parametrize(("rows", "limit"), [(1, 1), (1000, 1000)])
async def test_a_range_is_asked_without_the_candle_that_opens_at_its_end(rows: int, limit: int):
    http = Recorder({"data": {"ohlc": []}})
    end = int(NOON.timestamp())
    start = NOON - rows * timedelta(minutes=1)

    await exchange(http).candles(
        CandlesAsk(instrument=crypto("BTC", "USD"), interval=Interval.M1, start=start, end=NOON)
    )

    params = {"step": 60, "limit": limit, "start": end - rows * 60, "end": end - 1}
    assert http.asked == [("/api/v2/ohlc/btcusd/", params)]


def test_a_whole_book_is_read_only_as_deep_as_asked():
    rows = [["10", "0"], ["9", "1"], ["8", "2"], ["not read"]]

    book = parse_book(crypto("BTC", "USD"), Row("bitstamp", {"timestamp": "1795176000", "bids": rows, "asks": []}), 2)

    assert [level.price for level in book.bids] == [Decimal(9), Decimal(8)]
    assert (book.as_of, book.sequence) == (NOON, None)


@pytest.mark.parametrize(
    ("kind", "side"), [("0", Side.BUY), ("1", Side.SELL), (0, Side.BUY), (1, Side.SELL), ("2", None)]
)
def test_the_type_of_a_trade_is_the_takers_side(kind: object, side: Side | None):
    row = {"date": "1795176000", "tid": "7", "price": "2", "amount": "3", "type": kind}

    (trade,) = parse_trades(Row("bitstamp", [row]))

    assert (trade.side, trade.time) == (side, NOON)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, {"status": "error", "reason": "Not found"}, UnknownInstrument),
        (200, {"status": "error", "reason": "Invalid currency pair"}, UnknownInstrument),
        (400, {"errors": [{"field": "currency_pair", "message": "Unknown"}]}, UnknownInstrument),
        (400, {"response_code": "400.002", "response_explanation": "Slow down."}, Throttled),
        (400, {"response_code": "400.068", "response_explanation": "Slow down."}, Throttled),
        (200, {"error": "Request rate limit exceeded"}, Throttled),
        (200, {"status": "error", "reason": {"__all__": ["Invalid step"]}}, NotCovered),
    ],
)
def test_a_refusal_has_its_class(status: int, body: object, kind: type):
    assert type(exchange().explain(reply(body, status))) is kind


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"errors": [{"field": "step", "message": "Invalid"}]}), (429, {"error": "Rate limit"}),
        (503, {"error": "Not found"}), (200, TICKER), (200, [TICKER]),
    ],
)  # fmt: skip
def test_everything_else_is_left_to_the_status(status: int, body: object):
    assert exchange().explain(reply(body, status)) is None


@pytest.mark.parametrize("absent", [None, "", 0, "0"])
def test_a_ticker_and_a_book_without_a_stamp_have_no_time(absent: object):
    btc = crypto("BTC", "USD")
    book = parse_book(btc, Row("bitstamp", {"timestamp": absent, "microtimestamp": absent, "bids": [], "asks": []}), 2)

    assert parse_quote(btc, Row("bitstamp", {**TICKER, "timestamp": absent})).as_of is None
    assert (book.as_of, book.sequence) == (None, None)
