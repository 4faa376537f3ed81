"""CoinGecko: ids and assets are inverse pairs, windows of candles, pages of the ranking."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.contract import Reply
from providers.crypto.coingecko import COINS, CURRENCIES, IDS, CoinGecko, parse_candles, parse_price
from providers.recording import wire
from providers.row import Row
from schema.errors import Malformed, NotCovered, Overloaded, Throttled, Unauthorized
from schema.symbols import crypto, fx, parse_instrument
from schema.words.candles import CandlesAsk
from schema.words.caps import MarketCapsAsk
from schema.words.history import PriceHistoryAsk
from schema.words.instruments import SearchAsk
from schema.words.intervals import Interval

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass
class Upstream:
    """Answers every request with the next body and keeps what was asked."""

    bodies: list[Any]
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def get(self, path, params=None, *, host=""):
        self.asked.append((path, dict(params or {})))
        return row(self.bodies.pop(0))


class Noon:
    def now(self):
        return NOW


def row(value: Any) -> Row:
    return Row.json("coingecko", wire(value))


def provider(*bodies: Any) -> tuple[CoinGecko, Upstream]:
    upstream = Upstream(list(bodies))
    return CoinGecko(upstream, Noon()), upstream  # type: ignore[arg-type]


@given(st.sampled_from(sorted(IDS)))
def test_every_asset_leads_to_an_id_that_leads_back(asset):
    assert COINS.assets[IDS[asset]] == asset
    assert crypto(asset, "USD").base == asset


@given(st.sampled_from(sorted(IDS.values())))
def test_every_id_leads_to_an_asset_that_leads_back(coin):
    assert IDS[COINS.assets[coin]] == coin


def test_no_two_assets_share_an_id():
    assert len(COINS.assets) == len(IDS)


@given(st.sampled_from(sorted(IDS)), st.sampled_from(sorted(CURRENCIES)))
def test_a_quote_keeps_the_instrument_that_was_asked_for(asset, currency):
    instrument = crypto(asset, currency, venue="coingecko")

    quote = parse_price(instrument, row({IDS[asset]: {currency.lower(): Decimal("1.5")}}))

    assert quote is not None
    assert (quote.instrument, quote.price, quote.currency, quote.as_of) == (instrument, Decimal("1.5"), currency, None)


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("crypto:BTC/USD", True),
        ("crypto:BTC/USD@coingecko", True),
        ("crypto:BTC/USD@binance", False),
        ("crypto:BTC/USDT", False),
        ("crypto:BTC/USD:BTC", False),
        ("crypto:NOSUCHCOIN/USD", False),
        ("fx:EUR/USD", False),
        ("equity:BTC", False),
    ],
)
def test_only_spot_pairs_of_known_coins_in_known_currencies_are_priced(text, covered):
    assert COINS.prices(parse_instrument(text)) is covered


def test_a_coin_called_status_is_no_error():
    coingecko, _ = provider()

    assert coingecko.explain(Reply(status=200, headers={}, body=row({"status": {"usd": 0}}))) is None


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, {"status": {"error_code": 429, "error_message": "slow down"}}, None),
        (500, {"status": 500, "error": "Internal Server Error"}, None),
        (404, {"error": "coin not found"}, None),
        (200, {"status": {"error_code": 429, "error_message": "slow down"}}, Throttled),
        (200, {"status": 500, "error": "Internal Server Error"}, Overloaded),
        (401, {"error": {"status": {"error_code": 10002, "error_message": "no key"}}}, Unauthorized),
        (400, {"status": {"error_code": 10011, "error_message": "wrong host"}}, Unauthorized),
        (401, {"status": {"error_code": 10005, "error_message": "paid"}}, NotCovered),
        (422, {"error": {"status": {"error_code": 10012, "error_message": "too long ago"}}}, NotCovered),
        (422, "not an object", None),
    ],
)
def test_each_error_shape_means_one_class_or_is_left_to_the_status(status, body, kind):
    coingecko, _ = provider()

    meant = coingecko.explain(Reply(status=status, headers={}, body=row(body)))

    assert (None if meant is None else type(meant)) is kind


@pytest.mark.parametrize(
    ("interval", "age", "days"),
    [
        (Interval.M30, timedelta(minutes=30), 1),
        (Interval.M30, timedelta(days=9), 1),
        (Interval.H4, timedelta(hours=4), 7),
        (Interval.H4, timedelta(days=7), 7),
        (Interval.H4, timedelta(days=7, seconds=1), 14),
        (Interval.H4, timedelta(days=15), 30),
        (Interval.H4, timedelta(days=400), 30),
    ],
)
async def test_the_shortest_window_that_reaches_back_is_asked_for(interval, age, days):
    coingecko, upstream = provider([])

    bars = await coingecko.candles(
        CandlesAsk(instrument=crypto("BTC", "EUR"), interval=interval, start=NOW - age, end=NOW)
    )

    assert len(bars) == 0
    assert upstream.asked == [("/coins/bitcoin/ohlc", {"vs_currency": "eur", "days": days, "precision": "full"})]


@given(st.integers(min_value=1, max_value=500_000), st.integers(min_value=0, max_value=13_999))
def test_a_candle_opens_at_the_boundary_before_its_stamp(number, seconds):
    open_time = datetime.fromtimestamp(number * 14_400, UTC)
    stamp = open_time + timedelta(seconds=14_400 - seconds)

    bars = parse_candles(row([[int(stamp.timestamp()) * 1000, 1, 3, 1, 2]]), Interval.H4)

    assert bars.open_time == (open_time,)


def test_candles_of_another_length_are_refused():
    day = 86_400_000

    with pytest.raises(Malformed, match=r"coingecko: \$ is not a series of H4 candles"):
        parse_candles(row([[i * 4 * day, 1, 1, 1, 1] for i in range(1, 4)]), Interval.H4)


def ranked(first: int, count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"coin-{i}", "symbol": f"c{i}", "name": f"Coin {i}", "current_price": i}
        for i in range(first, first + count)
    ]


async def test_a_ranking_longer_than_a_page_is_read_page_by_page():
    coingecko, upstream = provider(ranked(1, 250), ranked(251, 250))

    found = await coingecko.market_caps(MarketCapsAsk(currency="USD", first=252))

    assert [cap.asset for cap in found] == [f"C{i}" for i in range(1, 501)]
    assert [(params["per_page"], params["page"]) for _, params in upstream.asked] == [(250, 1), (250, 2)]


async def test_a_ranking_ends_with_the_first_page_that_is_not_full():
    coingecko, upstream = provider(ranked(1, 3))

    found = await coingecko.market_caps(MarketCapsAsk(currency="USD", first=1000))

    assert [cap.asset for cap in found] == ["C1", "C2", "C3"]
    assert len(upstream.asked) == 1


async def test_a_search_leaves_out_namesakes_and_keeps_to_its_limit():
    coins = [
        {"id": "bridged-bitcoin", "symbol": "BTC", "name": "Bridged"},
        {"id": "bitcoin", "symbol": "BTC", "name": "Bitcoin", "market_cap_rank": 1},
        {"id": "bitcoin-cash", "symbol": "BCH", "name": "Bitcoin Cash", "market_cap_rank": 14},
    ]
    coingecko, _ = provider({"coins": coins})

    found = await coingecko.search(SearchAsk(text="bitcoin", limit=1))

    assert [(str(hit.instrument), hit.provider_symbol, hit.rank) for hit in found] == [("crypto:BTC/USD", "bitcoin", 0)]


def test_a_currency_pair_of_another_class_is_not_a_coin():
    assert not COINS.prices(fx("EUR", "USD"))


@pytest.mark.parametrize(
    ("interval", "age", "asked"),
    [
        (Interval.M5, timedelta(hours=20), {"days": 1}),
        (Interval.H1, timedelta(hours=1), {"days": 2}),
        (Interval.H1, timedelta(days=90), {"days": 90}),
        (Interval.D1, timedelta(days=10, hours=1), {"days": 11, "interval": "daily"}),
    ],
)
async def test_a_line_of_prices_is_asked_for_back_from_now(interval, age, asked):
    coingecko, upstream = provider({"prices": [], "market_caps": [], "total_volumes": []})
    ask = PriceHistoryAsk(instrument=crypto("BTC", "USD"), interval=interval, start=NOW - age, end=NOW)

    assert await coingecko.price_history(ask) == ()
    assert upstream.asked == [("/coins/bitcoin/market_chart", {"vs_currency": "usd", "precision": "full", **asked})]


async def test_hours_of_long_ago_are_not_asked_for():
    coingecko, upstream = provider()
    ask = PriceHistoryAsk(
        instrument=crypto("BTC", "USD"), interval=Interval.H1, start=NOW - timedelta(days=91), end=NOW
    )

    with pytest.raises(NotCovered, match="coingecko: has H1 points of the last 90 days only"):
        await coingecko.price_history(ask)

    assert upstream.asked == []
