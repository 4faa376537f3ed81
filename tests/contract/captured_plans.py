"""Every capture of the twelve providers: the asks that it answers, or why it is not run."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.contract.captured_asks import CALLS, Asking, Plan, all_tickers, by_call, bybit_markets, candles, refused
from tests.contract.captures import Capture
from tests.contract.plans import ASKED, LEFT_OUT

STREAMS = "websocket: streams come later"
FUNDING = "the adapter does not offer funding rates yet"
REASONS = {
    "ws_ticker": STREAMS,
    "ws_trade": STREAMS,
    "ws_book": STREAMS,
    "ws_candle": STREAMS,
    "funding": FUNDING,
    "funding_history": FUNDING,
    "stats": "joined to the ticker of the same provider",
}
COOKIE = "not called: the endpoint wants a browser's cookie, the chart has the price too"
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
    return Plan(capability="search", ask={"text": capture.params["query"]}, expected=ids)


def one_day(capture: Capture) -> Plan:
    """Frankfurter's rates of one day."""
    body = capture.body
    day = datetime.fromisoformat(body["date"]).date()
    ask = {"base": body["base"], "quotes": list(body["rates"]), "start": str(day), "end": str(day + timedelta(days=1))}
    expected = [(body["date"], code, rate) for code, rate in body["rates"].items()]
    return Plan(capability="fxRates", ask=ask, expected=expected)


def ecb_file(capture: Capture) -> Plan:
    """Days and rates of a reference-rate file, read without an XML parser."""
    expected = []
    for day, rates in re.findall(r"""<Cube time=['"]([\d-]+)['"]>(.*?)</Cube>""", capture.body, re.DOTALL):
        found = re.findall(r"""currency=['"](\w+)['"] rate=['"]([\d.]+)['"]""", rates)
        expected += [(day, code, Decimal(rate)) for code, rate in found]
    days = sorted({day for day, _, _ in expected})
    whole = len(days) > 1
    ask = {"base": "EUR", **({"start": days[0]} if whole else {})}
    now = datetime.fromisoformat(days[-1]).replace(hour=18, tzinfo=UTC)
    return Plan(capability="fxRates", ask=ask, expected=expected, now=now)


def ecb_csv(capture: Capture) -> Plan:
    """Rows of the data portal."""
    rows = list(csv.DictReader(capture.body.splitlines()))
    expected = [(row["TIME_PERIOD"], row["CURRENCY"], Decimal(row["OBS_VALUE"])) for row in rows if row["OBS_VALUE"]]
    return Plan(
        capability="fxRates", ask={"base": "EUR", "start": min(day for day, _, _ in expected)}, expected=expected
    )


def chart_candles(instrument: str) -> Asking:
    """Yahoo's daily bars, stamped with the opening of their session."""

    def plan(capture: Capture) -> Plan:
        chart = capture.body["chart"]["result"][0]
        bars = chart["indicators"]["quote"][0]
        stamps = [int(stamp) * 1000 for stamp in chart["timestamp"]]
        columns = [bars[name] for name in ("open", "high", "low", "close", "volume")]
        rows = [list(row) for row in zip(stamps, *columns, strict=True)]
        # Currencies are charted with a volume of zero.
        unjudged = frozenset({"volume"} if instrument.startswith("fx:") else ())
        days = [datetime.fromtimestamp(stamps[i] // 1000, UTC).date() for i in (0, -1)]
        start, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in days)
        more = {"interval": "D1", "start": start.isoformat(), "end": (end + timedelta(days=1)).isoformat()}
        return candles(capture, instrument, rows, unjudged, **more)

    return plan


def chart_quote(instrument: str) -> Asking:
    """The head of a chart as a quote."""

    def plan(capture: Capture) -> Plan:
        meta = capture.body["chart"]["result"][0]["meta"]
        security = instrument.startswith("equity:")
        expected = {
            "last": meta["regularMarketPrice"], "high": meta["regularMarketDayHigh"],
            "low": meta["regularMarketDayLow"], "timestamp": int(meta["regularMarketTime"]) * 1000,
            "baseVolume": meta["regularMarketVolume"] if security else None,
        }  # fmt: skip
        return Plan(capability="quotes", ask={"instruments": [instrument]}, expected=expected)

    return plan


def yahoo_search(capture: Capture) -> Plan:
    """Found symbols, as far as the adapter has an instrument for them."""
    symbols = [row["symbol"] for row in capture.body["quotes"] if "symbol" in row]
    return Plan(capability="search", ask={"text": capture.params["q"]}, expected=symbols)


def global_quote(capture: Capture) -> Plan:
    """Numbered keys, every number a text."""
    row = capture.body["Global Quote"]
    expected = {
        "last": row["05. price"], "open": row["02. open"], "high": row["03. high"], "low": row["04. low"],
        "baseVolume": row["06. volume"], "previousClose": row["08. previous close"],
    }  # fmt: skip
    return Plan(capability="quotes", ask={"instruments": [f"equity:{row['01. symbol']}"]}, expected=expected)


def symbol_search(capture: Capture) -> Plan:
    """Found symbols, best first."""
    symbols = [row["1. symbol"] for row in capture.body["bestMatches"]]
    return Plan(capability="search", ask={"text": capture.params["keywords"]}, expected=symbols)


def intraday(capture: Capture) -> Plan:
    """Keyed by local time, newest first."""
    meta, series = capture.body["Meta Data"], capture.body["Time Series (1min)"]
    zone = ZoneInfo(meta["6. Time Zone"])
    rows = []
    for stamp, bar in sorted(series.items()):
        moment = datetime.fromisoformat(stamp).replace(tzinfo=zone)
        rows.append([int(moment.timestamp()) * 1000, *bar.values()])
    return candles(capture, f"equity:{meta['2. Symbol']}", rows, frozenset(), adjustment="NONE")


OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("binance", "tickers"): (all_tickers,),
    ("bybit", "markets"): (bybit_markets,),
    ("coingecko", "quote: bitcoin usd"): (coin_prices("BTC/USD"),),
    ("coingecko", "quote: space in ids drops ethereum"): (coin_prices("BTC/USD", "ETH/USD"),),
    ("coingecko", "quote: bad vs_currency"): (coin_prices("BTC/ETH"),),
    ("coingecko", "quote: pro host ethereum btc"): (coin_prices("ETH/BTC"),),
    ("coingecko", "market_cap: coins/markets bitcoin usd"): (coin_caps("USD"),),
    ("coingecko", "market_cap: coins/markets bitcoin,ethereum in eth"): (coin_caps("ETH"),),
    ("coingecko", "candles: ohlc bitcoin usd 7d"): (coin_candles,),
    ("coingecko", "search: ethereum"): (coin_search,),
    ("coingecko", "error: markets without vs_currency"): (refused("marketCaps", {}, "NOT_COVERED"),),
    ("coingecko", "error: ohlc 500"): (refused("candles", YESTERDAY, "UPSTREAM_UNAVAILABLE"),),
    ("frankfurter", "v1 latest EUR->USD 2025-04-11"): (one_day,),
    ("frankfurter", "v1 not found"): (refused("fxRates", {"base": "EUR", "quotes": ["USD"]}, "UNKNOWN_INSTRUMENT"),),
    ("ecb", "eurofxref-daily.xml 2015-01-07"): (ecb_file,),
    ("ecb", "eurofxref-hist-90d.xml (5 newest days)"): (ecb_file,),
    ("ecb", "EXR csvdata D..EUR.SP00.A"): (ecb_csv,),
    ("yahoo", "chart AAPL 1d"): (chart_candles("equity:AAPL"), chart_quote("equity:AAPL")),
    ("yahoo", "chart EURUSD=X 1d"): (chart_candles("fx:EUR/USD"), chart_quote("fx:EUR/USD")),
    ("yahoo", "chart NVDA with a split event"): (chart_candles("equity:NVDA"), chart_quote("equity:NVDA")),
    ("yahoo", "search AAPL"): (yahoo_search,),
    ("alphavantage", "GLOBAL_QUOTE MSFT"): (global_quote,),
    ("alphavantage", "SYMBOL_SEARCH BA"): (symbol_search,),
    ("alphavantage", "TIME_SERIES_INTRADAY MSFT 1min"): (intraday,),
}

NOT_CALLED: dict[tuple[str, str], str] = {
    ("binance", "/api/v3/trades"): "the adapter asks for aggregated trades",
    ("bitstamp", "/api/v2/trading-pairs-info"): "the adapter asks for its successor, /api/v2/markets/",
    ("coingecko", "history: market_chart bitcoin usd 90d daily"): "not called: closes alone are no candles",
    ("coingecko", "historical_quote: ethereum 01-01-2024"): "not called: a quote is the newest price",
    ("coingecko", "key: usage"): "not called: usage of a paid key",
    ("frankfurter", "v2 rates"): "version 2 of the interface is not called",
    ("frankfurter", "v2 currencies"): "version 2 of the interface is not called",
    ("ecb", "EXR SDMX-JSON time series"): "the data portal is asked for CSV",
    ("yahoo", "quote AAPL"): COOKIE,
    ("yahoo", "quote EURUSD=X"): COOKIE,
    ("yahoo", "quote LDO.MI"): COOKIE,
    ("yahoo", "quoteSummary assetProfile AAPL"): "the adapter does not offer profiles yet",
    ("yahoo", "quoteSummary without data (error)"): "the adapter does not offer profiles yet",
    ("alphavantage", "OVERVIEW IBM"): "the adapter does not offer profiles yet",
    ("alphavantage", "INCOME_STATEMENT IBM"): "the adapter does not offer fundamentals yet",
    ("alphavantage", "CURRENCY_EXCHANGE_RATE BTC CNY"): "not called: equities only",
}


def plans_of(capture: Capture) -> list[Plan] | str:
    """How to run a capture, or why it is not run; an empty list for one that nobody has thought of."""
    key = (capture.provider, capture.call)
    if key in ASKED:
        return [make(capture) for make in ASKED[key]]
    by_path = NOT_CALLED.get((capture.provider, capture.path))
    reason = LEFT_OUT.get(key) or REASONS.get(capture.call) or NOT_CALLED.get(key) or by_path
    makers = OWN.get(key, (by_call,) if capture.call in CALLS else ())
    return reason or [make(capture) for make in makers]
