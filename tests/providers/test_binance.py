"""What Binance's recordings cannot say by themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.crypto._binance_feed import INTERVALS
from providers.crypto._binance_futures import depth_of
from providers.crypto._joined import is_pair_of, wire_symbol
from providers.crypto.binance import QUOTE_ASSETS, Binance, covered, parse_listings, parse_quotes, parse_trades
from providers.row import Row
from schema.errors import Malformed
from schema.symbols import crypto, parse_instrument
from schema.words.books import OrderBookAsk
from schema.words.candles import CandlesAsk
from schema.words.intervals import Interval
from schema.words.quotes import QuotesAsk
from schema.words.trades import Side

ASSET = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=8)


def row(value: object) -> Row:
    return Row.json("binance", msgspec.json.encode(value))


@given(ASSET, ASSET, ASSET, st.sampled_from(QUOTE_ASSETS))
def test_two_covered_pairs_never_share_a_wire_symbol(base: str, other_base: str, other_quote: str, quote: str):
    pair, other = crypto(base, quote), crypto(other_base, other_quote)

    if covered(pair) and covered(other) and wire_symbol(pair) == wire_symbol(other):
        assert pair == other


@given(st.integers(1, 7), st.sampled_from(QUOTE_ASSETS))
def test_a_symbol_that_is_split_elsewhere_is_not_asked_for(cut: int, quote: str):
    symbol = f"WXY{quote}"
    pair = crypto(symbol[:cut], symbol[cut:]) if cut < len(symbol) else crypto("WXY", quote)

    assert covered(pair) == (pair == crypto("WXY", quote))


@given(ASSET, st.sampled_from(QUOTE_ASSETS))
def test_a_listed_pair_comes_back_from_its_own_wire_symbol(base: str, quote: str):
    listed = {"symbol": base + quote, "baseAsset": base, "quoteAsset": quote, "status": "TRADING", "filters": []}

    (listing,) = parse_listings(row({"symbols": [listed]}))

    assert listing.instrument == crypto(base, quote)
    assert listing.provider_symbol == wire_symbol(listing.instrument)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("crypto:BTC/USDT", True),
        ("crypto:BTC/USDT@binance", True),
        ("crypto:BTC/EUR", True),
        ("crypto:BTC/NEWCOIN", True),
        ("crypto:BTC/USD", False),
        ("crypto:BTCU/SDT", False),
        ("crypto:BTCT/USD1", True),
        ("crypto:BTC/USDT@kraken", False),
        ("crypto:BTC/USDT:USDT", False),
        ("crypto:BTC/USDT:USDT-261225", False),
        ("fx:EUR/USD", False),
        ("equity:AAPL", False),
    ],
)
def test_only_spot_pairs_that_can_be_told_apart_are_covered(text: str, asked: bool):
    assert covered(parse_instrument(text)) is asked


def test_the_longest_known_quote_asset_decides():
    assert is_pair_of("venue", crypto("WIF", "TUSD"), ("USD", "TUSD"))
    assert not is_pair_of("venue", crypto("WIFT", "USD"), ("USD", "TUSD"))


def test_a_recorder_that_sends_numbers_loses_nothing():
    body = Row.json("binance", b'{"symbol":"BTCUSDT","lastPrice":91234.123456789012345,"bidPrice":0,"askPrice":0.0}')

    (quote,) = parse_quotes((crypto("BTC", "USDT"),), body)

    assert str(quote.price) == "91234.123456789012345"
    assert (quote.bid, quote.ask, quote.as_of, quote.volume) == (None, None, None, None)


def test_the_answer_to_another_symbol_is_not_taken_for_this_one():
    body = row({"symbol": "ETHUSDT", "lastPrice": "3020.90"})

    assert parse_quotes((crypto("BTC", "USDT"),), body) == []


def test_a_ticker_without_a_price_names_the_field():
    with pytest.raises(Malformed, match=r"^binance: \$ has no 'lastPrice' \(got "):
        parse_quotes((crypto("BTC", "USDT"),), row({"symbol": "BTCUSDT"}))


def test_both_shapes_of_trades_are_read_and_put_in_order():
    words = {"id": 2, "time": 1795175999002, "price": "2.0", "qty": "1", "isBuyerMaker": True}
    letters = {"a": 1, "T": 1795175999001, "p": "1.50", "q": "3"}

    first, second = parse_trades(row([words, letters]))

    assert (first.id, first.price, first.size, first.side) == ("1", Decimal("1.50"), Decimal(3), None)
    assert (second.id, second.price, second.size, second.side) == ("2", Decimal("2.0"), Decimal(1), Side.SELL)


def test_no_interval_is_sent_under_two_names():
    assert len(set(INTERVALS.values())) == len(INTERVALS) == 15
    assert (INTERVALS[Interval.M1], INTERVALS[Interval.MO1]) == ("1m", "1M")


@pytest.mark.parametrize("absent", [None, "", 0, "0"])
def test_a_ticker_without_a_stamp_has_no_time(absent: object):
    body = row({"symbol": "BTCUSDT", "lastPrice": "91276.4", "closeTime": absent})

    assert parse_quotes((crypto("BTC", "USDT"),), body)[0].as_of is None


@pytest.mark.parametrize(
    ("symbols", "weight"),
    [
        (("BTC/USDT",), 2),
        (("BTC/USDT", "ETH/USDT"), 2),
        (("BTC/USDT:USDT",), 1),
        (("BTC/USDT:USDT", "BTC/USDT:USDT@binance"), 1),
        (("BTC/USDT:USDT", "ETH/USDT:USDT"), 40),
        (("BTC/USDT", "BTC/USDT:USDT"), 3),
    ],
)
def test_a_batch_weighs_as_much_as_its_calls(symbols: tuple[str, ...], weight: int):
    ask = QuotesAsk(instruments=tuple(parse_instrument(f"crypto:{symbol}") for symbol in symbols))

    assert Binance.offers["quotes"].units(ask) == weight


@pytest.mark.parametrize(("depth", "asked", "weight"), [(1, 5, 2), (50, 50, 2), (51, 100, 5), (5000, 1000, 20)])
def test_books_of_perpetuals_have_depths_and_weights_of_their_own(depth: int, asked: int, weight: int):
    ask = OrderBookAsk(instrument=parse_instrument("crypto:BTC/USDT:USDT"), depth=depth)

    assert (depth_of(depth), Binance.offers["orderBook"].units(ask)) == (asked, weight)


def test_there_are_no_seconds_of_perpetuals():
    start, end = datetime(2026, 11, 20, 11, tzinfo=UTC), datetime(2026, 11, 20, 12, tzinfo=UTC)
    covers = Binance.offers["candles"].covers

    for symbol, interval, offered in (
        ("BTC/USDT", Interval.S1, True), ("BTC/USDT:USDT", Interval.S1, False), ("BTC/USDT:USDT", Interval.M1, True)
    ):  # fmt: skip
        instrument = parse_instrument(f"crypto:{symbol}")
        assert covers(CandlesAsk(instrument=instrument, interval=interval, start=start, end=end)) is offered
