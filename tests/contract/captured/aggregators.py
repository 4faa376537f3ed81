"""Captures of the aggregators of crypto prices."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.contract.captured.asks import Asking, Plan, candles, refused
from tests.contract.captures import Capture

BITCOIN = {"instruments": ["crypto:BTC/USD"]}
YESTERDAY = {
    "instrument": "crypto:BTC/USD",
    "interval": "H4",
    "start": "2026-11-19T00:00:00Z",
    "end": "2026-11-20T00:00:00Z",
}


def coin_prices(*pairs: str) -> Asking:
    """Simple prices of CoinGecko, read by coin and currency."""
    coins = {"BTC": "bitcoin", "ETH": "ethereum"}

    def plan(capture: Capture) -> Plan:
        expected = []
        for base, quote in (symbol.split("/") for symbol in pairs):
            price = capture.body.get(coins[base], {}).get(quote.lower())
            expected += [{"symbol": f"{base}/{quote}", "last": price}] if price is not None else []
        ask = {"instruments": [f"crypto:{symbol}" for symbol in pairs]}
        return Plan(capability="quotes", ask=ask, expected=expected)

    return plan


def coin_caps(currency: str) -> Asking:
    """The ranking of CoinGecko."""

    def plan(capture: Capture) -> Plan:
        expected = [
            {
                "asset": row["symbol"].upper(), "name": row["name"], "rank": row["market_cap_rank"],
                "price": row["current_price"], "market_cap": row["market_cap"], "volume24h": row["total_volume"],
                "circulating_supply": row["circulating_supply"],
            }
            for row in capture.body
        ]  # fmt: skip
        ask = {"currency": currency, "first": len(expected)}
        return Plan(capability="marketCaps", ask=ask, expected=expected)

    return plan


def coin_candles(capture: Capture) -> Plan:
    """CoinGecko stamps a candle with its end."""
    step = int(timedelta(hours=4).total_seconds() * 1000)
    rows = [[row[0] - step, *row[1:]] for row in capture.body]
    return candles(capture, "crypto:BTC/USD", rows, frozenset({"volume"}))


def coin_search(capture: Capture) -> Plan:
    """Found coins by their ids, as far as the adapter knows them."""
    ids = [row["id"] for row in capture.body["coins"]]
    # One of them has no pair that leads back to it.
    unknown = frozenset({"sweth"})
    return Plan(capability="search", ask={"text": capture.params["query"]}, expected=ids, unjudged=unknown)


def one_coin(instrument: str, price: str, *more: tuple[str, str]) -> Asking:
    """The price at a dotted path of the body, and further fields of the quote."""

    def plan(capture: Capture) -> Plan:
        expected = {"symbol": instrument, "last": at(capture.body, price)}
        expected |= {field: at(capture.body, path) for field, path in more}
        return Plan(capability="quotes", ask={"instruments": [instrument]}, expected=[expected])

    return plan


def at(body: Any, path: str) -> Any:
    """A member by its dotted path; a number is a place in a list."""
    for step in path.split("."):
        body = body[int(step)] if step.isdecimal() and isinstance(body, list) else body[step]
    return body


def past(time: str, price: str, interval: str = "D1", rows: str = "") -> Asking:
    """A line of prices in dollars, from its first point to its last."""

    def plan(capture: Capture) -> Plan:
        points = at(capture.body, rows) if rows else capture.body
        times = [moment(at(point, time)) for point in points]
        expected = [{"time": when, "price": at(point, price)} for when, point in zip(times, points, strict=True)]
        ask = {
            "instrument": "crypto:BTC/USD",
            "interval": interval,
            "start": times[0].isoformat(),
            "end": (times[-1] + timedelta(seconds=1)).isoformat(),
        }
        return Plan(capability="priceHistory", ask=ask, now=times[-1] + timedelta(hours=1), expected=expected)

    return plan


def moment(value: Any) -> datetime:
    """A text of ISO 8601, or milliseconds."""
    return datetime.fromisoformat(value) if isinstance(value, str) else datetime.fromtimestamp(int(value) / 1000, UTC)


def last_full_day(capture: Capture) -> Plan:
    """CoinPaprika's daily candle; its volume is in dollars."""
    rows = [
        [int(moment(day["time_open"]).timestamp()) * 1000, *(day[name] for name in ("open", "high", "low", "close"))]
        for day in capture.body
    ]
    plan = candles(capture, "crypto:BTC/USD", rows, frozenset({"volume"}))
    return replace(plan, now=plan.now + timedelta(hours=1))


def ranking(capture: Capture) -> Plan:
    """CoinLore's."""
    expected = [
        {
            "asset": row["symbol"], "name": row["name"], "rank": row["rank"], "price": row["price_usd"],
            "market_cap": row["market_cap_usd"], "volume24h": row["volume24"], "circulating_supply": row["csupply"],
            "max_supply": row["msupply"] or None,
        }
        for row in capture.body["data"]
    ]  # fmt: skip
    return Plan(capability="marketCaps", ask={"first": len(expected)}, expected=expected)


def market_cap(capture: Capture) -> Plan:
    """A row of CoinMarketCap's ranking."""
    (row,) = capture.body["data"]
    money = row["quote"]["USD"]
    expected = {
        "asset": row["symbol"], "name": row["name"], "rank": row["cmc_rank"], "price": money["price"],
        "market_cap": money["market_cap"], "fully_diluted": money["fully_diluted_market_cap"],
        "volume24h": money["volume_24h"], "change_percent24h": money["percent_change_24h"],
        "circulating_supply": row["circulating_supply"], "max_supply": row["max_supply"],
    }  # fmt: skip
    return Plan(capability="marketCaps", ask={"first": 1}, expected=[expected])


def symbol_search(capture: Capture) -> Plan:
    """CoinMarketCap's ids of a symbol."""
    ids = [str(row["id"]) for row in capture.body["data"]]
    return Plan(capability="search", ask={"text": capture.params["symbol"]}, expected=ids)


def price_table(capture: Capture) -> Plan:
    """CryptoCompare's prices by coin and currency."""
    expected = [
        {"symbol": f"{coin}/{currency}", "last": price}
        for coin, prices in capture.body.items()
        for currency, price in prices.items()
    ]
    ask = {"instruments": [f"crypto:{row['symbol']}" for row in expected]}
    return Plan(capability="quotes", ask=ask, expected=expected)


def index_candles(capture: Capture) -> Plan:
    """CryptoCompare's, without those that no update made."""
    bars = capture.body["Data"]
    step = timedelta(hours=1) if bars[0]["UNIT"] == "HOUR" else timedelta(days=1)
    names = ("OPEN", "HIGH", "LOW", "CLOSE", "VOLUME")
    rows = [[bar["TIMESTAMP"] * 1000, *(bar[name] for name in names)] for bar in bars if bar["TOTAL_INDEX_UPDATES"]]
    first, last = (datetime.fromtimestamp(bars[i]["TIMESTAMP"], UTC) for i in (0, -1))
    ask = {
        "instrument": f"crypto:{bars[0]['INSTRUMENT'].replace('-', '/')}",
        "interval": "H1" if bars[0]["UNIT"] == "HOUR" else "D1",
        "start": first.isoformat(),
        "end": (last + step).isoformat(),
    }
    return Plan(capability="candles", ask=ask, now=last + step, expected=rows)


def found(capture: Capture) -> Plan:
    """CoinPaprika's ids in its order."""
    ids = [row["id"] for row in capture.body["currencies"]]
    return Plan(capability="search", ask={"text": capture.params["q"]}, expected=ids)


OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("coingecko", "quote: bitcoin usd"): (coin_prices("BTC/USD"),),
    ("coingecko", "quote: space in ids drops ethereum"): (coin_prices("BTC/USD", "ETH/USD"),),
    ("coingecko", "quote: bad vs_currency"): (coin_prices("BTC/ETH"),),
    ("coingecko", "quote: pro host ethereum btc"): (coin_prices("ETH/BTC"),),
    ("coingecko", "market_cap: coins/markets bitcoin usd"): (coin_caps("USD"),),
    ("coingecko", "market_cap: coins/markets bitcoin,ethereum in eth"): (coin_caps("ETH"),),
    ("coingecko", "candles: ohlc bitcoin usd 7d"): (coin_candles,),
    ("coingecko", "search: ethereum"): (coin_search,),
    ("coingecko", "history: market_chart bitcoin usd 90d daily"): (past("0", "1", rows="prices"),),
    ("coingecko", "error: markets without vs_currency"): (refused("marketCaps", {}, "NOT_COVERED"),),
    ("coingecko", "error: ohlc 500"): (refused("candles", YESTERDAY, "UPSTREAM_UNAVAILABLE"),),
    ("coincap", "quote: bitcoin"): (
        one_coin(
            "crypto:BTC/USD",
            "data.priceUsd",
            ("quoteVolume", "data.volumeUsd24Hr"),
            ("vwap", "data.vwap24Hr"),
            ("changePercent", "data.changePercent24Hr"),
        ),
    ),
    ("coincap", "history: bitcoin 2021-01-05..06"): (past("time", "priceUsd", rows="data"),),
    ("coinlore", "market_cap: tickers top 2 (2025)"): (ranking,),
    ("coinlore", "quote: ticker 90 (2023)"): (
        one_coin(
            "crypto:BTC/USD",
            "0.price_usd",
            ("quoteVolume", "0.volume24"),
            ("baseVolume", "0.volume24_native"),
            ("changePercent", "0.percent_change_24h"),
        ),
    ),
    ("coinmarketcap", "quote: BTC row (listings/quotes v1 row)"): (market_cap,),
    ("coinmarketcap", "search: map row"): (symbol_search,),
    ("coinmarketcap", "history: v3 quotes/historical"): (past("timestamp", "quote.USD.price", rows="data.1.quotes"),),
    ("coinmarketcap", "error: invalid key"): (refused("quotes", BITCOIN, "PROVIDER_MISCONFIGURED"),),
    ("coinpaprika", "quote: btc-bitcoin USD"): (
        one_coin(
            "crypto:BTC/USD",
            "quotes.USD.price",
            ("quoteVolume", "quotes.USD.volume_24h"),
            ("changePercent", "quotes.USD.percent_change_24h"),
        ),
    ),
    ("coinpaprika", "candles_latest: btc-bitcoin"): (last_full_day,),
    ("coinpaprika", "history: tickers historical"): (past("timestamp", "price", "M5"),),
    ("coinpaprika", "search: btc"): (found,),
    ("cryptocompare", "quotes: BTC,DAI in USD"): (price_table,),
    ("cryptocompare", "quotes: BTC,DAI,BNB in ETH"): (price_table,),
    ("cryptocompare", "candles_v1: day POL-USD"): (index_candles,),
    ("cryptocompare", "candles_v1: hours BTC-USD (2010)"): (index_candles,),
    ("cryptocompare", "error: instrument not trading yet"): (
        refused("candles", YESTERDAY | {"interval": "H1"}, "NOT_COVERED"),
    ),
}

NOT_CALLED: dict[tuple[str, str], str] = {
    ("cryptocompare", "quote: USD in USDT"): "not called: one coin is asked for as a batch of one",
    ("messari", "metric_timeseries: btc mcap.dom 2022-01-10.."): "not called: dominance is no word of ours",
    ("coingecko", "historical_quote: ethereum 01-01-2024"): "not called: an hour's price is nearer than a midnight's",
    ("coingecko", "key: usage"): "not called: usage of a paid key",
}
