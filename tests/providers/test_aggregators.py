"""Aggregators: ids and assets are inverse pairs, what is covered, how ranges are asked for, what a refusal means."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.contract import Provider, Reply
from providers.crypto import coincap, coingecko, coinlore, coinmarketcap, coinpaprika, cryptocompare, messari
from providers.crypto._coins import Coins, last_known, line
from providers.recording import wire
from providers.row import Row
from schema.errors import NotCovered, QuotaExhausted, Throttled, Unauthorized, UnknownInstrument
from schema.symbols import crypto, parse_instrument
from schema.words.candles import CandlesAsk
from schema.words.caps import MarketCapsAsk
from schema.words.history import HistoricalQuoteAsk, PriceHistoryAsk, PricePoint
from schema.words.intervals import Interval
from schema.words.quotes import QuotesAsk

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BITCOIN = crypto("BTC", "USD")
ADAPTERS = (coincap, coingecko, coinlore, coinmarketcap, coinpaprika, cryptocompare, messari)
COINS = [adapter.COINS for adapter in ADAPTERS]
KNOWN = [(coins, asset) for coins in COINS for asset in coins.ids]


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
    return Row.json("aggregator", wire(value))


def connected(cls: type[Provider], *bodies: Any) -> tuple[Any, Upstream]:
    upstream = Upstream(list(bodies))
    return cls(upstream, Noon()), upstream  # type: ignore[arg-type]


def point(hours: int, price: str) -> PricePoint:
    return PricePoint(time=NOW + timedelta(hours=hours), price=Decimal(price), currency="USD")


@given(st.sampled_from(KNOWN))
def test_every_asset_leads_to_an_id_that_leads_back(known: tuple[Coins, str]):
    coins, asset = known

    listing = coins.listing(coins.ids[asset], None)

    assert coins.assets[coins.ids[asset]] == asset
    assert listing is not None
    assert (listing.instrument, listing.provider_symbol) == (crypto(asset, "USD"), coins.ids[asset])


@pytest.mark.parametrize("coins", COINS, ids=lambda coins: coins.provider)
def test_no_two_assets_share_an_id(coins: Coins):
    assert len(coins.assets) == len(coins.ids)


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.COINS.provider)
def test_an_average_stands_for_no_venue_but_itself(adapter):
    coins = adapter.COINS

    covered = [
        text
        for text in (
            "crypto:BTC/USD", f"crypto:BTC/USD@{coins.provider}", "crypto:BTC/USD@binance", "crypto:BTC/USD:BTC",
            "crypto:NOSUCHCOIN/USD", "crypto:BTC/XXX", "fx:EUR/USD", "equity:BTC",
        )
        if coins.prices(parse_instrument(text))
    ]  # fmt: skip

    assert covered == ["crypto:BTC/USD", f"crypto:BTC/USD@{coins.provider}"]


def test_a_rank_counts_from_nought_and_an_unknown_coin_is_no_listing():
    coins = Coins(provider="aggregator", ids={"BTC": "bitcoin"})

    ranks = [coins.listing("bitcoin", "Bitcoin", rank) for rank in (1, 0, None)]

    assert [listing and listing.rank for listing in ranks] == [0, None, None]
    assert coins.listing("bridged-bitcoin", "Bitcoin") is None


def test_the_last_price_known_is_never_a_later_one():
    ask = HistoricalQuoteAsk(instrument=BITCOIN, at=NOW)

    quote = last_known("aggregator", ask, [point(1, "3"), point(0, "2"), point(-1, "1")])

    assert (quote.price, quote.as_of) == (Decimal(2), NOW)


def test_an_average_over_an_hour_is_known_when_the_hour_is_over():
    ask = HistoricalQuoteAsk(instrument=BITCOIN, at=NOW)

    quote = last_known("aggregator", ask, [point(-2, "1"), point(-1, "2"), point(0, "3")], HOUR)

    assert (quote.price, quote.as_of) == (Decimal(2), NOW - HOUR)


def test_without_a_price_from_before_there_is_no_historical_quote():
    ask = HistoricalQuoteAsk(instrument=BITCOIN, at=NOW)

    with pytest.raises(NotCovered, match="aggregator: has no price of BTC/USD from shortly before 2026-11-20T12:00:00"):
        last_known("aggregator", ask, [point(1, "3")])


def test_a_line_ascends_inside_of_its_range_with_one_point_for_each_time():
    ask = PriceHistoryAsk(instrument=BITCOIN, interval=Interval.H1, start=NOW - 2 * HOUR, end=NOW)

    found = line(ask, [point(0, "5"), point(-1, "3"), point(-2, "2"), point(-3, "1"), point(-1, "4")])

    assert [each.price for each in found] == [Decimal(2), Decimal(4)]


@pytest.mark.parametrize(
    ("at", "interval", "seconds"),
    [
        (NOW - HOUR, "1h", 7_200),
        (NOW - timedelta(hours=21), "1h", 7_200),
        (NOW - timedelta(hours=23), "1d", 172_800),
        (NOW - 300 * DAY, "1d", 172_800),
    ],
)
async def test_coinpaprika_has_hours_of_the_last_day_and_days_before(at, interval, seconds):
    provider, upstream = connected(coinpaprika.CoinPaprika, [])

    with pytest.raises(NotCovered):
        await provider.historical_quote(HistoricalQuoteAsk(instrument=BITCOIN, at=at))

    ((_, params),) = upstream.asked
    assert (params["interval"], params["end"] - params["start"]) == (interval, seconds)


@pytest.mark.parametrize(
    ("start", "end", "paths"),
    [
        (NOW.replace(hour=0), NOW.replace(hour=0) + DAY, ["today"]),
        (NOW.replace(hour=0) - DAY, NOW.replace(hour=0), ["latest"]),
        (NOW.replace(hour=0) - DAY, NOW.replace(hour=0) + DAY, ["latest", "today"]),
        (NOW.replace(hour=0) - 2 * DAY, NOW.replace(hour=0) + DAY, ["historical"]),
    ],
)
async def test_coinpaprika_asks_for_free_days_where_they_are_enough(start, end, paths):
    provider, upstream = connected(coinpaprika.CoinPaprika, [], [])

    bars = await provider.candles(CandlesAsk(instrument=BITCOIN, interval=Interval.D1, start=start, end=end))

    assert len(bars) == 0
    assert [path.rpartition("/")[2] for path, _ in upstream.asked] == paths


@pytest.mark.parametrize(
    ("adapter", "interval", "longest"),
    [
        (coinpaprika, Interval.D1, 5_000 * DAY),
        (coincap, Interval.M1, DAY),
        (coincap, Interval.H1, 30 * DAY),
        (coinmarketcap, Interval.H4, 5_000 * 4 * HOUR),
    ],
)
def test_a_line_that_one_answer_cannot_hold_is_not_covered(adapter, interval, longest):
    fits = PriceHistoryAsk(instrument=BITCOIN, interval=interval, start=NOW - longest, end=NOW)
    longer = PriceHistoryAsk(instrument=BITCOIN, interval=interval, start=NOW - longest - HOUR, end=NOW)

    assert (adapter.has_line(fits), adapter.has_line(longer)) == (True, False)


async def test_coinmarketcap_begins_a_range_one_step_earlier_because_its_start_is_left_out():
    provider, upstream = connected(
        coinmarketcap.CoinMarketCap, {"status": {"error_code": 0}, "data": {"symbol": "BTC", "quotes": []}}
    )

    await provider.candles(CandlesAsk(instrument=BITCOIN, interval=Interval.H1, start=NOW - 3 * HOUR, end=NOW))

    ((_, params),) = upstream.asked
    assert params["time_start"] == int((NOW - 4 * HOUR).timestamp())
    assert (params["time_end"], params["count"]) == (int(NOW.timestamp()) - 1, 4)


async def test_cryptocompare_counts_candles_back_from_the_last_one():
    provider, upstream = connected(cryptocompare.CryptoCompare, {"Data": [], "Err": {}})

    await provider.candles(CandlesAsk(instrument=BITCOIN, interval=Interval.H1, start=NOW - 3 * HOUR, end=NOW))

    ((_, params),) = upstream.asked
    assert (params["to_ts"], params["limit"]) == (int((NOW - HOUR).timestamp()), 3)


@pytest.mark.parametrize(("first", "starts"), [(100, [0]), (101, [0, 100]), (250, [0, 100, 200])])
async def test_coinlore_reads_as_many_pages_as_the_number_needs(first, starts):
    page = [
        {"id": str(n), "symbol": "X", "name": "X", "rank": n, "price_usd": "1", "market_cap_usd": "1"}
        for n in range(100)
    ]
    provider, upstream = connected(coinlore.CoinLore, *[{"data": page}] * 3)

    found = await provider.market_caps(MarketCapsAsk(first=first))

    assert len(found) == 100 * len(starts)
    assert [params["start"] for _, params in upstream.asked] == starts


@pytest.mark.parametrize(
    ("cls", "body"),
    [
        (coincap.CoinCap, {"data": {"id": "bitcoin", "symbol": "XBT", "priceUsd": "1"}}),
        (coinlore.CoinLore, [{"id": "90", "symbol": "XBT", "price_usd": "1"}]),
        (coinmarketcap.CoinMarketCap, {"data": [{"id": 1, "symbol": "XBT", "quote": {"USD": {"price": 1}}}]}),
        (coinpaprika.CoinPaprika, {"symbol": "XBT", "quotes": {"USD": {"price": 1}}}),
        (messari.Messari, {"data": [{"slug": "bitcoin", "symbol": "XBT", "marketData": {"priceUsd": 1}}]}),
    ],
)
async def test_a_price_is_taken_only_under_the_symbol_that_was_asked_for(cls, body):
    provider, _ = connected(cls, body)

    assert await provider.quotes(QuotesAsk(instruments=(BITCOIN,))) == []


@pytest.mark.parametrize(
    ("cls", "status", "body", "kind"),
    [
        (coincap.CoinCap, 403, {"error": "usage limit reached"}, QuotaExhausted),
        (coincap.CoinCap, 404, {"error": "foobar not found"}, None),
        (coinmarketcap.CoinMarketCap, 200, {"status": {"error_code": "0"}, "data": []}, None),
        (coinmarketcap.CoinMarketCap, 429, {"status": {"error_code": "1011"}}, Throttled),
        (coinmarketcap.CoinMarketCap, 429, {"status": {"error_code": 1009}}, QuotaExhausted),
        (coinmarketcap.CoinMarketCap, 403, {"status": {"error_code": 1006}}, NotCovered),
        (coinmarketcap.CoinMarketCap, 403, {"status": {"error_code": 1005}}, Unauthorized),
        (coinmarketcap.CoinMarketCap, 500, {"status": {"error_code": 500}}, None),
        (coinmarketcap.CoinMarketCap, 200, {"status": "fine"}, None),
        (coinpaprika.CoinPaprika, 402, {"error": "not allowed in this plan"}, NotCovered),
        (coinpaprika.CoinPaprika, 429, {"error": "too many"}, None),
        (cryptocompare.CryptoCompare, 200, {"Data": [], "Err": {}}, None),
        (cryptocompare.CryptoCompare, 200, {"Response": "Success", "Data": {}}, None),
        (cryptocompare.CryptoCompare, 200, {"Response": "Error", "Type": 99, "Message": ""}, Throttled),
        (cryptocompare.CryptoCompare, 200, {"Response": "Error", "Message": "api_key is not valid"}, Unauthorized),
        (cryptocompare.CryptoCompare, 200, {"Response": "Error", "Message": "no data for XX"}, UnknownInstrument),
        (cryptocompare.CryptoCompare, 503, {"Data": [], "Err": {"type": 5}}, None),
        (messari.Messari, 401, {"error": "Enterprise only"}, NotCovered),
        (messari.Messari, 401, {"error": "who are you"}, None),
        (messari.Messari, 200, {"error": None, "data": []}, None),
    ],
)
def test_each_refusal_means_one_class_or_is_left_to_the_status(cls, status, body, kind):
    provider, _ = connected(cls)

    meant = provider.explain(Reply(status=status, headers={}, body=row(body)))

    assert (None if meant is None else type(meant)) is kind
