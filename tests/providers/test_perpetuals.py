"""Perpetuals of the spot venues: which may be asked, and what they are called on the wire."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.crypto import (
    _binance_futures,
    _bitstamp_perpetuals,
    _bybit_linear,
    _htx_swaps,
    _kraken_futures,
    _okx_swaps,
    bitfinex,
    bitget,
    bitstamp,
    cryptocom,
    gateio,
    gemini,
    kucoin,
    mexc,
    poloniex,
)
from providers.crypto._perpetual import settled, span_of
from providers.row import Row
from schema.symbols import InstrumentId, parse_instrument
from schema.words.derivatives import FundingHistoryAsk
from schema.words.instruments import InstrumentType, Listing

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEY = parse_instrument("crypto:BTC/USDT:USDT")
VENUES = {
    "binance": _binance_futures.perpetual,
    "bitfinex": bitfinex.perpetual,
    "bitget": bitget.perpetual,
    "bybit": _bybit_linear.perpetual,
    "gateio": gateio.perpetual,
    "htx": _htx_swaps.perpetual,
    "kucoin": kucoin.perpetual,
    "mexc": mexc.perpetual,
    "okx": _okx_swaps.perpetual,
    "poloniex": poloniex.perpetual,
}


@pytest.mark.parametrize("name", VENUES)
@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("crypto:BTC/USDT:USDT", True),
        ("crypto:BTC/USDT:USDT@{}", True),
        ("crypto:BTC/USDT:USDT@kraken", False),
        ("crypto:BTC/USDT", False),
        ("crypto:BTC/USDT:USDT-261225", False),
        ("crypto:BTC/USDT:BTC", False),
        ("crypto:BTC/EUR:EUR", False),
    ],
)
def test_only_perpetuals_of_the_venue_are_asked_for(name: str, text: str, asked: bool):
    assert VENUES[name](parse_instrument(text.format(name))) is asked


def test_some_venues_have_those_that_settle_in_their_base_asset():
    inverse = parse_instrument("crypto:BTC/USD:BTC")

    assert [name for name, perpetual in VENUES.items() if perpetual(inverse)] == ["htx", "okx"]


def test_kucoin_calls_bitcoin_by_its_other_name_in_contracts_alone():
    assert kucoin.contract_of(KEY) == "XBTUSDTM"
    assert kucoin.wire_symbol(parse_instrument("crypto:BTC/USDT")) == "BTC-USDT"
    assert not kucoin.perpetual(parse_instrument("crypto:XBT/USDT:USDT"))


def test_crypto_com_has_those_that_settle_in_dollars():
    assert cryptocom.perpetual(parse_instrument("crypto:BTC/USD:USD"))
    assert not cryptocom.perpetual(KEY)
    assert not cryptocom.perpetual(parse_instrument("crypto:BTC/USD"))
    assert cryptocom.contract_of(parse_instrument("crypto:BTC/USD:USD")) == "BTCUSD-PERP"


def test_kraken_has_those_that_settle_in_dollars_and_in_their_base_asset():
    names = {
        text: _kraken_futures.contract_of(parse_instrument(text))
        for text in ("crypto:BTC/USD:USD", "crypto:DOGE/USD:DOGE")
    }

    assert names == {"crypto:BTC/USD:USD": "PF_XBTUSD", "crypto:DOGE/USD:DOGE": "PI_DOGEUSD"}
    for text in ("crypto:BTC/USDT:USDT", "crypto:XBT/USD:USD", "crypto:BTC/USD:USD-261225", "crypto:BTC/USD"):
        assert not _kraken_futures.perpetual(parse_instrument(text))


def cryptocom_row(base: str) -> Any:
    name = {"symbol": f"{base}USD-PERP", "inst_type": "PERPETUAL_SWAP", "base_ccy": base, "quote_ccy": "USD"}
    return [{**name, "price_tick_size": "0.1", "qty_tick_size": "0.1", "contract_size": "1", "tradable": True}]


def bitstamp_row(base: str) -> Any:
    name = {"name": f"{base}/USD-PERP", "market_symbol": f"{base}usd-perp".lower(), "market_type": "PERPETUAL"}
    assets = {"base_currency": base, "counter_currency": "USD", "base_decimals": 8, "counter_decimals": 2}
    return [{**name, **assets, "minimum_order_value": "10"}]


LISTED: dict[str, tuple[Callable[[str], Any], Callable[[Row], tuple[Listing, ...]], Callable[[InstrumentId], str]]] = {
    "bitfinex": (lambda base: [[f"{base}F0:USTF0"]], bitfinex.parse_listings, bitfinex.contract_of),
    "bitstamp": (bitstamp_row, bitstamp.parse_listings, _bitstamp_perpetuals.market_of),
    "cryptocom": (cryptocom_row, cryptocom.parse_listings, cryptocom.contract_of),
    "gemini": (lambda base: [f"{base}gusdperp".lower()], gemini.parse_listings, gemini.contract_of),
}


@pytest.mark.parametrize("name", LISTED)
def test_a_perpetual_that_stands_among_the_pairs_is_listed(name: str):
    made, parse, _ = LISTED[name]

    (listing,) = parse(Row(name, made("ETH")))

    assert (listing.instrument.base, listing.type) == ("ETH", InstrumentType.PERPETUAL)
    assert listing.instrument.settle == listing.instrument.quote


@given(base=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", min_size=1, max_size=10))
def test_a_listed_perpetual_is_asked_for_by_its_own_symbol(base: str):
    for name, (made, parse, contract_of) in LISTED.items():
        for listing in parse(Row(name, made(base))):
            assert contract_of(listing.instrument) == listing.provider_symbol


def test_a_venue_that_needs_a_range_is_asked_for_as_much_as_it_answers():
    ask = FundingHistoryAsk(instrument=KEY, start=NOON - timedelta(days=30), end=NOON, limit=50)

    assert span_of(ask, NOON, 100) == (NOON - timedelta(hours=50), NOON)
    assert span_of(ask, NOON, 20) == (NOON - timedelta(hours=20), NOON)
    assert span_of(ask, NOON, 100, timedelta(hours=8)) == (NOON - timedelta(hours=400), NOON)
    assert span_of(ask, NOON, 100, timedelta(days=1)) == (NOON - timedelta(days=30), NOON)
    assert span_of(FundingHistoryAsk(instrument=KEY, limit=2), NOON, 100) == (NOON - timedelta(hours=2), NOON)


@given(hours=st.lists(st.integers(-100, 100), max_size=30), limit=st.integers(1, 10), first=st.integers(-50, 50))
def test_settled_rates_ascend_each_once_and_stay_inside_of_the_range(hours: list[int], limit: int, first: int):
    ask = FundingHistoryAsk(instrument=KEY, start=NOON + timedelta(hours=first), end=NOON, limit=limit)
    rows = [Row("venue", {"t": int(NOON.timestamp()) + 3600 * hour, "r": "0.0001"}) for hour in hours]

    times = [rate.time for rate in settled(ask, rows, rate="r", time="t", unit="s")]

    assert times == sorted({NOON + timedelta(hours=hour) for hour in hours if first <= hour < 0})[-limit:]


def test_without_a_range_the_newest_are_answered():
    rows = [Row("venue", {"t": 1_000_000 * number, "r": f"0.{number}"}) for number in (3, 1, 2)]

    rates = settled(FundingHistoryAsk(instrument=KEY, limit=2), rows, rate="r", time="t")

    assert [(str(rate.rate), rate.settled) for rate in rates] == [("0.2", True), ("0.3", True)]
