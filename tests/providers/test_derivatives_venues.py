"""Venues of derivatives: which contracts may be asked, and names that lead both ways."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.crypto import _deribit, deribit, dydx, hyperliquid
from providers.crypto._perpetual import next_hour
from providers.row import Row
from schema.symbols import parse_instrument
from schema.words.instruments import InstrumentType

NAMES = {
    "crypto:BTC/USD:BTC": "BTC-PERPETUAL",
    "crypto:BTC/USDC:USDC": "BTC_USDC-PERPETUAL",
    "crypto:BTC/USD:BTC-261225": "BTC-25DEC26",
    "crypto:ETH/USDC:USDC-261204": "ETH_USDC-4DEC26",
    "crypto:BTC/USD:BTC-261225-100000-C": "BTC-25DEC26-100000-C",
    "crypto:XRP/USDC:USDC-261204-2.25-P": "XRP_USDC-4DEC26-2d25-P",
    "crypto:ETH/BTC": "ETH_BTC",
}


@pytest.mark.parametrize(("text", "name"), NAMES.items())
def test_deribit_has_a_name_for_every_kind_of_instrument(text: str, name: str):
    instrument = parse_instrument(text)

    assert _deribit.covered(instrument)
    assert _deribit.name_of(instrument) == name


@pytest.mark.parametrize(
    "text",
    [
        "crypto:BTC/USD",
        "crypto:BTC/USDC:USDC@okx",
        "crypto:SOL/USD:SOL",
        "crypto:BTC/EUR:EUR",
        "crypto:BTC_X/USDC",
        "fx:EUR/USD",
    ],
)
def test_deribit_is_not_asked_for_what_it_cannot_have(text: str):
    assert not _deribit.covered(parse_instrument(text))


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("crypto:BTC/USD:BTC", False),
        ("crypto:BTC/USD:BTC-261225-100000-C", False),
        ("crypto:BTC/USDC:USDC", True),
        ("crypto:SOL/USDC:USDC-261225-200-C", True),
        ("crypto:ETH/BTC", True),
    ],
)
def test_deribit_answers_books_and_trades_where_sizes_are_coins_and_prices_are_of_the_quote_asset(
    text: str, counted: bool
):
    instrument = parse_instrument(text)
    offers = {offer.capability.name: offer for offer in deribit.Deribit.offers.values()}

    assert _deribit.is_plain(instrument) is counted
    assert offers["orderBook"].covers(offers["orderBook"].capability.ask(instrument=instrument)) is counted
    assert offers["trades"].covers(offers["trades"].capability.ask(instrument=instrument)) is counted


@given(
    base=st.sampled_from(["BTC", "ETH", "SOL", "1000PEPE"]),
    linear=st.booleans(),
    expiry=st.none() | st.dates(date(2024, 1, 1), date(2068, 12, 31)),
)
def test_a_listed_future_of_deribit_leads_back_to_its_name(base: str, linear: bool, expiry: date | None):
    inverse = not linear and base in _deribit.INVERSE
    settle, quote = (base, "USD") if inverse else ("USDC", "USDC")
    key = parse_instrument(f"crypto:{base}/{quote}:{settle}" + (f"-{expiry:%y%m%d}" if expiry else ""))
    ends = (
        datetime(expiry.year, expiry.month, expiry.day, 8, tzinfo=UTC) if expiry else datetime(3000, 1, 1, tzinfo=UTC)
    )
    row = {
        "kind": "future", "instrument_name": _deribit.name_of(key), "base_currency": base, "counter_currency": quote,
        "settlement_currency": settle, "settlement_period": "week" if expiry else "perpetual",
        "expiration_timestamp": int(ends.timestamp()) * 1000, "is_active": True,
    }  # fmt: skip

    (listing,) = _deribit.parse_listings(Row("deribit", {"result": [row]}))

    assert (listing.instrument, listing.provider_symbol) == (key, _deribit.name_of(key))
    assert listing.type is (InstrumentType.FUTURE if expiry else InstrumentType.PERPETUAL)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("crypto:BTC/USDC:USDC", True),
        ("crypto:BTC/USDC:USDC@{}", True),
        ("crypto:BTC/USDC:USDC@okx", False),
        ("crypto:BTC/USDC", False),
        ("crypto:BTC/USDC:USDC-261225", False),
        ("crypto:BTC/USD:BTC", False),
        ("crypto:BTC/USDT:USDT", False),
    ],
)
def test_venues_on_chains_have_perpetuals_that_settle_in_one_token(text: str, asked: bool):
    for venue in (dydx, hyperliquid):
        name = venue.__name__.rpartition(".")[2]
        assert venue.covered(parse_instrument(text.format(name))) is asked


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("BTC", ["crypto:BTC/USDC:USDC"]),
        ("kPEPE", ["crypto:KPEPE/USDC:USDC"]),
        ("KAS", ["crypto:KAS/USDC:USDC"]),
        ("0G", ["crypto:0G/USDC:USDC"]),
        ("kNEW", []),
        ("xyz:TSLA", []),
        ("\u4e2d", []),
    ],
)
def test_a_listed_coin_of_hyperliquid_leads_back_to_its_name(name: str, listed: list[str]):
    found = hyperliquid.parse_listings(Row("hyperliquid", {"universe": [{"name": name, "szDecimals": 0}]}))

    assert [str(each.instrument) for each in found] == listed
    assert [hyperliquid.coin_of(parse_instrument(text)) for text in listed] == [each.provider_symbol for each in found]


@pytest.mark.parametrize(
    ("ticker", "listed"),
    [("BTC-USD", True), ("1000PEPE-USD", True), ("btc-USD", False), ("A,B,C0FFEE-USD", False), ("BTC-EUR", False)],
)
def test_a_listed_market_of_dydx_leads_back_to_its_ticker(ticker: str, listed: bool):
    listings = dydx.parse_listings(Row("dydx", {"markets": {ticker: {"ticker": ticker, "status": "ACTIVE"}}}))

    assert [dydx.ticker_of(each.instrument) for each in listings] == ([ticker] if listed else [])


@pytest.mark.parametrize(
    ("now", "paid"),
    [
        (datetime(2026, 11, 20, 11, 59, 59, 999_999, tzinfo=UTC), datetime(2026, 11, 20, 12, tzinfo=UTC)),
        (datetime(2026, 11, 20, 12, tzinfo=UTC), datetime(2026, 11, 20, 13, tzinfo=UTC)),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_the_next_payment_is_at_the_next_full_hour(now: datetime, paid: datetime):
    assert next_hour(now) == paid
