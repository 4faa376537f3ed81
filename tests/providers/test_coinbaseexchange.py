"""Coinbase Exchange's product ids, maker sides, whole books and refusals."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.contract import Reply
from providers.crypto.coinbaseexchange import (
    CoinbaseExchange,
    covered,
    parse_book,
    parse_listings,
    parse_quote,
    parse_trades,
    product_of,
)
from providers.row import Row
from schema.errors import Malformed, Throttled, UnknownInstrument
from schema.symbols import crypto, parse_instrument
from schema.words.candles import CandlesAsk
from schema.words.intervals import Interval
from schema.words.trades import Side

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
assets = st.from_regex(r"[A-Z0-9]{1,8}", fullmatch=True)


class Recorder:
    """An HTTP port that notes what it is asked and always answers the same."""

    def __init__(self, answer: object) -> None:
        self.answer, self.asked = answer, []  # type: ignore[var-annotated]

    async def get(self, path: str, params: Any = None, *, host: str = "") -> Row:
        self.asked.append((path, dict(params or {})))
        return Row("coinbaseexchange", self.answer)


def exchange(http: Any = None) -> CoinbaseExchange:
    clock: Any = None
    return CoinbaseExchange(http, clock)


def reply(body: object, status: int) -> Reply:
    return Reply(status=status, headers={}, body=Row("coinbaseexchange", body))


@given(base=assets, quote=assets)
def test_a_listed_product_is_asked_by_its_own_id(base: str, quote: str):
    row = {"id": f"{base}-{quote}", "base_currency": base, "quote_currency": quote}

    (listing,) = parse_listings(Row("coinbaseexchange", [row]))

    assert listing.instrument == crypto(base, quote)
    assert product_of(listing.instrument) == listing.provider_symbol == row["id"]


@pytest.mark.parametrize(
    ("text", "is_covered"),
    [
        ("crypto:BTC/USD", True), ("crypto:BTC/USD@coinbaseexchange", True), ("crypto:BTC/USD@kraken", False),
        ("crypto:BTC/USD:USD", False), ("fx:EUR/USD", False), ("equity:COIN", False),
    ],
)  # fmt: skip
def test_coverage(text: str, is_covered: bool):
    assert covered(parse_instrument(text)) is is_covered


async def test_a_full_page_of_candles_asks_for_no_more_than_it_may():
    http = Recorder([])
    day = CandlesAsk(
        instrument=crypto("BTC", "USD"), interval=Interval.M5, start=NOON - 300 * Interval.M5.delta, end=NOON
    )

    bars = await exchange(http).candles(day)

    assert len(bars) == 0
    assert http.asked == [
        (
            "/products/BTC-USD/candles",
            {"granularity": 300, "start": "2026-11-19T11:00:00Z", "end": "2026-11-20T11:59:59Z"},
        )
    ]


@pytest.mark.parametrize(("maker", "taker"), [("buy", Side.SELL), ("sell", Side.BUY), ("none", None), (None, None)])
def test_the_side_of_a_trade_is_the_takers(maker: str | None, taker: Side | None):
    row = {"trade_id": 7, "side": maker, "price": "2", "size": "3", "time": "2026-11-20T12:00:00Z"}

    (trade,) = parse_trades(Row("coinbaseexchange", [row]))

    assert trade.side is taker


@pytest.mark.parametrize("wire", [[12, 11, 9], [9, 11, 12], [11, 9, 12]])
def test_trades_of_one_instant_are_in_the_order_of_their_ids(wire: list[int]):
    rows = [{"trade_id": n, "side": "buy", "price": "2", "size": "3", "time": "2026-11-20T12:00:00Z"} for n in wire]

    assert [trade.id for trade in parse_trades(Row("coinbaseexchange", rows))] == ["9", "11", "12"]


def test_a_whole_book_is_read_only_as_deep_as_asked():
    rows = [["10", "0", 0], ["9", "1", 1], ["8", "2", 1], ["not read"]]

    book = parse_book(crypto("BTC", "USD"), Row("coinbaseexchange", {"bids": rows, "asks": []}), 2)

    assert [level.price for level in book.bids] == [Decimal(9), Decimal(8)]
    assert book.asks == ()
    assert (book.sequence, book.as_of) == (None, None)


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (404, "NotFound", UnknownInstrument), (404, "Product not found", UnknownInstrument),
        (400, "Invalid product id", UnknownInstrument), (200, "NotFound", UnknownInstrument),
        (400, "Public rate limit exceeded", Throttled),
    ],
)  # fmt: skip
def test_a_message_has_its_class(status: int, message: str, kind: type):
    error = exchange().explain(reply({"message": message}, status))

    assert type(error) is kind
    assert str(error) == f"coinbaseexchange: {message}"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, {"message": "Public rate limit exceeded"}), (500, {"message": "product service is down"}),
        (400, {"message": "granularity too small"}), (400, {"message": None}), (400, {"message": {"a": 1}}),
        (404, "<html>"), (200, [{"message": "NotFound"}]),
    ],
)  # fmt: skip
def test_everything_else_is_left_to_the_status(status: int, body: object):
    assert exchange().explain(reply(body, status)) is None


def test_a_product_list_that_holds_no_products_is_malformed():
    with pytest.raises(Malformed, match=r"\$\[0\] has no 'base_currency'"):
        parse_listings(Row("coinbaseexchange", [17]))


@pytest.mark.parametrize("absent", [None, "", "-"])
def test_a_ticker_and_a_book_without_a_stamp_have_no_time(absent: object):
    btc = crypto("BTC", "USD")

    assert parse_quote(btc, Row("coinbaseexchange", {"price": "91276.4", "time": absent})).as_of is None
    assert parse_book(btc, Row("coinbaseexchange", {"bids": [], "asks": [], "time": absent}), 2).as_of is None
