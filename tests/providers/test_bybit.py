"""What Bybit's recordings cannot say by themselves."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.check.replay import connect
from gateway.core.recorded import RecordedTransport
from providers.contract import Reply
from providers.crypto._bybit_linear import category_of
from providers.crypto._joined import wire_symbol
from providers.crypto.bybit import (
    INTERVALS,
    QUOTE_ASSETS,
    Bybit,
    askable,
    covered,
    parse_book,
    parse_candles,
    parse_listings,
    parse_quotes,
)
from providers.row import Row
from schema.errors import Malformed, NotCovered, Throttled, UpstreamError
from schema.symbols import crypto, parse_instrument
from schema.words.intervals import Interval

ASSET = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=8)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def row(result: object) -> Row:
    return Row.json("bybit", msgspec.json.encode({"retCode": 0, "result": result, "time": 1795175999861}))


def explained(status: int, body: object, **headers: str) -> UpstreamError | None:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    provider = connect(Bybit, RecordedTransport(), NOW)
    return provider.explain(Reply(status=status, headers=names, body=Row("bybit", body)))


@given(ASSET, ASSET, ASSET, st.sampled_from(QUOTE_ASSETS))
def test_two_covered_pairs_never_share_a_wire_symbol(base: str, other_base: str, other_quote: str, quote: str):
    pair, other = crypto(base, quote), crypto(other_base, other_quote)

    if covered(pair) and covered(other) and wire_symbol(pair) == wire_symbol(other):
        assert pair == other


@given(ASSET, st.sampled_from(QUOTE_ASSETS))
def test_a_listed_pair_comes_back_from_its_own_wire_symbol(base: str, quote: str):
    listed = {"symbol": base + quote, "baseCoin": base, "quoteCoin": quote, "status": "Trading"}

    (listing,) = parse_listings(row({"list": [listed | {"lotSizeFilter": {}, "priceFilter": {}}]}))

    assert listing.instrument == crypto(base, quote)
    assert listing.provider_symbol == wire_symbol(listing.instrument)


@pytest.mark.parametrize(
    ("text", "category"),
    [("crypto:BTC/USDT", "spot"), ("crypto:BTC/USDT:USDT", "linear"), ("crypto:BTC/USDC:USDC", "")],
)
def test_pairs_and_perpetuals_share_symbols_and_are_told_apart_by_the_category(text: str, category: str):
    instrument = parse_instrument(text)

    assert askable(instrument) is bool(category)
    if category:
        assert (wire_symbol(instrument), category_of(instrument)) == ("BTCUSDT", category)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("crypto:BTC/USDT", True),
        ("crypto:BTC/USDT@bybit", True),
        ("crypto:BTC/USDE", True),
        ("crypto:BTCU/SDT", False),
        ("crypto:BTC/USDT@okx", False),
        ("crypto:BTC/USDT:USDT", False),
        ("crypto:BTC/USD:BTC", False),
        ("fx:EUR/USD", False),
    ],
)
def test_only_spot_pairs_that_can_be_told_apart_are_covered(text: str, asked: bool):
    assert covered(parse_instrument(text)) is asked


def test_a_change_is_sent_as_a_fraction_and_answered_in_percent():
    ticker = {"symbol": "BTCUSDT", "lastPrice": "91276.4", "price24hPcnt": "-0.01234567890123456789"}

    (quote,) = parse_quotes((crypto("BTC", "USDT"),), row({"list": [ticker]}))

    assert str(quote.change_percent) == "-1.23456789012345678900"
    assert quote.as_of == datetime(2026, 11, 20, 11, 59, 59, 861000, UTC)


def test_a_ticker_without_a_price_names_the_field():
    with pytest.raises(Malformed, match=r"^bybit: \$\.result\.list\[0\] has no 'lastPrice' \(got "):
        parse_quotes((crypto("BTC", "USDT"),), row({"list": [{"symbol": "BTCUSDT"}]}))


def test_newest_first_becomes_ascending():
    bars = parse_candles(row({"list": [["1795172400000", *"12345", "6"], ["1795168800000", *"54321", "0"]]}))

    assert [moment.hour for moment in bars.open_time] == [10, 11]
    assert [str(volume) for volume in bars.quote_volume or ()] == ["0", "6"]


def test_a_spent_limit_says_when_it_is_renewed():
    error = explained(
        200, {"retCode": 10006, "retMsg": "Too many visits."}, x_bapi_limit_reset_timestamp="1795176004500"
    )

    assert isinstance(error, Throttled)
    assert error.retry_after == 4.5


def test_an_absurd_time_of_renewal_does_not_pause_longer_than_a_ban():
    error = explained(200, {"retCode": "10006", "retMsg": ""}, x_bapi_limit_reset_timestamp="9995176004500")

    assert isinstance(error, Throttled)
    assert error.retry_after == 600.0


def test_a_shut_out_address_waits_for_ten_minutes():
    error = explained(403, "403, access too frequent")

    assert isinstance(error, Throttled)
    assert error.retry_after == 600.0


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, {"retCode": 0, "result": {}}), (200, []), (403, "sorry"), (429, {"retCode": 10429}), (500, {"retCode": 7})],
)
def test_what_is_no_refusal_of_its_own_is_left_to_the_status(status: int, body: object):
    assert explained(status, body) is None


def test_a_wrong_parameter_that_is_no_symbol_is_not_an_unknown_pair():
    error = explained(200, {"retCode": 10001, "retMsg": "Invalid period!"})

    assert type(error) is NotCovered
    assert error.message == "bybit: error 10001: Invalid period!"


def test_no_interval_is_sent_under_two_names():
    assert len(set(INTERVALS.values())) == len(INTERVALS) == 13
    assert (INTERVALS[Interval.H1], INTERVALS[Interval.MO1]) == ("60", "M")


@pytest.mark.parametrize("absent", [None, "", 0, "0"])
def test_a_ticker_and_a_book_without_a_stamp_have_no_time(absent: object):
    btc = crypto("BTC", "USDT")
    tickers = {"time": absent, "result": {"list": [{"symbol": "BTCUSDT", "lastPrice": "91276.4"}]}}

    assert parse_quotes((btc,), Row("bybit", tickers))[0].as_of is None
    assert parse_book(btc, row({"b": [], "a": [], "ts": absent})).as_of is None
