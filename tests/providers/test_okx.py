"""What OKX's recordings cannot say by themselves."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.crypto._okx_swaps import wire_symbol
from providers.crypto.okx import (
    INTERVALS,
    covered,
    parse_book,
    parse_candles,
    parse_listings,
    parse_quotes,
)
from providers.row import Row
from schema.errors import Malformed
from schema.symbols import crypto, parse_instrument
from schema.words.intervals import Interval

ASSET = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=8)


def row(data: object) -> Row:
    return Row.json("okx", msgspec.json.encode({"code": "0", "msg": "", "data": data}))


@given(ASSET, ASSET, ASSET, ASSET)
def test_different_pairs_have_different_wire_symbols(base: str, quote: str, other_base: str, other_quote: str):
    pair, other = crypto(base, quote), crypto(other_base, other_quote)

    assert (wire_symbol(pair) == wire_symbol(other)) is (pair == other)


@given(ASSET, ASSET)
def test_a_listed_pair_comes_back_from_its_own_wire_symbol(base: str, quote: str):
    listed = {"instId": f"{base}-{quote}", "baseCcy": base, "quoteCcy": quote, "state": "live"}

    (listing,) = parse_listings(row([listed]))

    assert listing.instrument == crypto(base, quote)
    assert listing.provider_symbol == wire_symbol(listing.instrument)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("crypto:BTC/USDT", True),
        ("crypto:BTC/USD@okx", True),
        ("crypto:BTC/USDT@binance", False),
        ("crypto:BTC/USDT:USDT", False),
        ("crypto:BTC/USD:BTC-261225-100000-C", False),
        ("fx:EUR/USD", False),
    ],
)
def test_only_spot_pairs_are_covered(text: str, asked: bool):
    assert covered(parse_instrument(text)) is asked


def test_a_perpetual_in_the_answer_is_not_taken_for_the_spot_pair():
    swap = {"instType": "SWAP", "instId": "BTC-USDT-SWAP", "last": "91290.1"}

    assert parse_quotes((crypto("BTC", "USDT"),), row([swap])) == []


def test_a_ticker_without_a_price_names_the_field():
    with pytest.raises(Malformed, match=r"^okx: \$\.data\[0\] has no 'last' \(got "):
        parse_quotes((crypto("BTC", "USDT"),), row([{"instId": "BTC-USDT"}]))


def test_days_and_longer_are_counted_from_midnight_utc():
    long = {interval: bar for interval, bar in INTERVALS.items() if interval.seconds >= Interval.H6.seconds}

    assert set(long.values()) == {"6Hutc", "12Hutc", "1Dutc", "1Wutc", "1Mutc"}
    assert len(set(INTERVALS.values())) == len(INTERVALS) == 13


def test_newest_first_becomes_ascending_with_the_mark_of_each_candle():
    candles = [
        ["1795176000000", "3", "3.5", "2.5", "3.1", "10", "31", "31", "0"],
        ["1795172400000", "2", "3.0", "1.5", "3.0", "20", "50", "50", "1"],
    ]

    bars = parse_candles(crypto("BTC", "USDT"), row(candles))

    assert bars.open_time == (datetime(2026, 11, 20, 11, tzinfo=UTC), datetime(2026, 11, 20, 12, tzinfo=UTC))
    assert bars.closed == (True, False)
    assert [str(volume) for volume in bars.volume or ()] == ["20", "10"]


def test_a_book_without_a_book_names_where_it_belongs():
    with pytest.raises(Malformed, match=r"^okx: \$\.data has no 0 \(got \[\]\)"):
        parse_book(crypto("BTC", "USDT"), row([]))


@pytest.mark.parametrize("absent", [None, "", 0, "0"])
def test_a_ticker_and_a_book_without_a_stamp_have_no_time(absent: object):
    btc = crypto("BTC", "USDT")

    assert parse_quotes((btc,), row([{"instId": "BTC-USDT", "last": "91276.4", "ts": absent}]))[0].as_of is None
    assert parse_book(btc, row([{"bids": [], "asks": [], "ts": absent}])).as_of is None
