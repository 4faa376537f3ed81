"""Exchanges whose calls do not say what they are, and calls that are not made."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.contract.captured.asks import UNJUDGED, Asking, Plan, all_tickers, bybit_markets, candles
from tests.contract.captures import Capture

NO_MATCH: dict[str, Any] = {"timestamp": None, "nonce": None}


def tickers_by_symbol(capture: Capture) -> Plan:
    """A list that its collector read into an object by symbol."""
    expected = [{"symbol": symbol, **row} for symbol, row in capture.expected.items()]
    instruments = [f"crypto:{symbol}" for symbol in capture.expected]
    unjudged = UNJUDGED.get((capture.provider, capture.call), frozenset())
    return Plan(capability="quotes", ask={"instruments": instruments}, expected=expected, unjudged=unjudged)


def candles_of(instrument: str) -> Asking:
    """Candles whose pair is told nowhere but inside of a path, or with the quote asset first."""
    return lambda capture: candles(capture, instrument, capture.expected["rows"], frozenset())


def bitfinex_trades(capture: Capture) -> Plan:
    """Trades of a pair that only the path names."""
    return Plan(capability="trades", ask={"instrument": "crypto:BFT/USD"}, expected=capture.expected)


def bitfinex_book(capture: Capture) -> Plan:
    """Paper trading: a book like any other."""
    ask = {"instrument": "crypto:TESTBTC/TESTUSD"}
    return Plan(capability="orderBook", ask=ask, expected=NO_MATCH | capture.expected)


def bitfinex_markets(capture: Capture) -> Plan:
    """Names alone, divided by hand here."""
    pairs = {
        "AAVE:USD": "AAVE/USD", "AAVE:UST": "AAVE/USDT", "ADABTC": "ADA/BTC", "ADAUSD": "ADA/USD",
        "ADAUST": "ADA/USDT", "ALBT:USD": "ALBT/USD", "ALBT:UST": "ALBT/USDT", "ALGBTC": "ALGO/BTC",
        "ALGUSD": "ALGO/USD", "ALGUST": "ALGO/USDT", "AMPBTC": "AMPL/BTC",
    }  # fmt: skip
    expected = [{"id": f"t{name}", "symbol": pairs[name]} for name in capture.body[0] if name != "AAABBB"]
    return Plan(capability="instruments", ask={}, expected=expected)


def cryptocom_markets(capture: Capture) -> Plan:
    """The listing's own columns, of the pair and of the perpetual."""
    symbols = {"BTC_USDT": "BTC/USDT", "RUNEUSD-PERP": "RUNE/USD:USD"}
    expected = [
        {
            "id": row["symbol"], "symbol": symbols[row["symbol"]], "tick_size": row["price_tick_size"],
            "step_size": row["qty_tick_size"], "active": row["tradable"],
        }
        for row in capture.body["result"]["data"]
        if row["symbol"] in symbols
    ]  # fmt: skip
    return Plan(capability="instruments", ask={}, expected=expected)


def bitvavo_markets(capture: Capture) -> Plan:
    """The listing's own columns."""
    expected = [
        {
            "id": row["market"], "base": row["base"], "quote": row["quote"], "tick_size": row["tickSize"],
            "min_amount": row["minOrderInBaseAsset"], "min_cost": row["minOrderInQuoteAsset"],
            "active": row["status"] == "trading", "amount_decimals": int(row["quantityDecimals"]),
        }
        for row in capture.body
    ]  # fmt: skip
    return Plan(capability="instruments", ask={}, expected=expected)


def bitflyer_markets(capture: Capture) -> Plan:
    """Spot products, whose code is the pair, and the perpetual; futures that end in days are no instruments of ours."""
    symbols = {row["id"]: row["id"].replace("_", "/") for row in capture.expected if row["type"] == "Spot"}
    expected = [{"id": code, "symbol": symbol} for code, symbol in {**symbols, "FX_BTC_JPY": "BTC/JPY:JPY"}.items()]
    return Plan(capability="instruments", ask={}, expected=expected)


def bitflyer_trades(capture: Capture) -> Plan:
    """A margin product's executions stand in for those of the spot pair; times are texts."""
    expected = [
        row | {"timestamp": int(datetime.fromisoformat(row["time"]).timestamp() * 1000)} for row in capture.expected
    ]
    return Plan(capability="trades", ask={"instrument": "crypto:BTC/JPY"}, expected=expected)


def okx_candles(capture: Capture) -> Plan:
    """Of a pair or of a perpetual, whose name ends in another word."""
    base, quote, *kind = capture.params["instId"].split("-")
    instrument = f"crypto:{base}/{quote}:{quote}" if kind else f"crypto:{base}/{quote}"
    return candles(capture, instrument, capture.expected["rows"], frozenset())


def running_funding(capture: Capture) -> Plan:
    """The rate of one perpetual."""
    ask = {"instruments": [f"crypto:{capture.expected['symbol']}"]}
    return Plan(capability="fundingRates", ask=ask, expected=capture.expected)


def paid_funding(capture: Capture) -> Plan:
    """What was paid, which is not what was forecast: the collector read the forecast."""
    rows = capture.body["data"]
    expected = [{"timestamp": int(row["fundingTime"]), "fundingRate": row["realizedRate"]} for row in rows]
    ask = {"instrument": "crypto:BTC/USDT:USDT"}
    return Plan(capability="fundingHistory", ask=ask, expected=expected)


OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("binance", "tickers"): (all_tickers,),
    ("bybit", "markets"): (bybit_markets,),
    ("bitfinex", "tickers"): (tickers_by_symbol,),
    ("bitfinex", "candles"): (candles_of("crypto:BTC/USDT"),),
    ("bitfinex", "trades"): (bitfinex_trades,),
    ("bitfinex", "orderbook"): (bitfinex_book,),
    ("bitfinex", "markets"): (bitfinex_markets,),
    ("bitflyer", "markets"): (bitflyer_markets,),
    ("bitflyer", "trades"): (bitflyer_trades,),
    ("bitvavo", "markets"): (bitvavo_markets,),
    ("cryptocom", "markets"): (cryptocom_markets,),
    ("gateio", "tickers"): (tickers_by_symbol,),
    ("binance", "funding"): (running_funding,),
    ("htx", "funding"): (running_funding,),
    ("okx", "candles"): (okx_candles,),
    ("okx", "funding_history"): (paid_funding,),
    ("upbit", "candles"): (candles_of("crypto:BTC/USDT"),),
}

FIRST_INTERFACE = "the adapter asks the second interface, and this is the first"
NOT_CALLED: dict[tuple[str, str], str] = {
    ("bitfinex", "currencies"): "not called: names of assets are no capability",
    ("bithumb", "/public/ticker/ALL_KRW"): FIRST_INTERFACE,
    ("bithumb", "/public/orderbook/BTC_KRW"): FIRST_INTERFACE,
    ("bithumb", "/public/candlestick/BTC_KRW/1m"): FIRST_INTERFACE,
    ("bithumb", "/public/transaction_history/BTC_KRW"): FIRST_INTERFACE,
    ("cryptocom", "/v2/public/get-instruments"): "retired, and its successor has another shape",
    ("gateio", "/api/v4/futures/usdt/order_book"): "not called: futures",
    ("coinbaseexchange", "stats"): "not called: open, high and low would cost a second call for each product",
    ("gemini", "ticker_v2"): "not called: it has no time and no volume",
    ("gemini", "/v1/symbols/details/btcusd"): "not called: one call for each pair",
}
