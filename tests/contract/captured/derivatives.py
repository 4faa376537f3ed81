"""Venues of derivatives alone: their captures name contracts, and one payload answers several asks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.contract.captured.asks import NOW, Asking, Plan, candles
from tests.contract.captures import Capture

BTC = "crypto:BTC/USDC:USDC"
NEXT_HOUR = (int(NOW.timestamp()) // 3600 + 1) * 3_600_000


def candles_of(instrument: str) -> Asking:
    """The contract is told by the body alone."""
    return lambda capture: candles(capture, instrument, capture.expected["rows"], frozenset())


def about(capability: str, instrument: str) -> Asking:
    """The collector's rows, of a contract that is counted in coins: an inverse one has the same shape."""
    return lambda capture: Plan(capability=capability, ask={"instrument": instrument}, expected=capture.expected)


def deribit_markets(capture: Capture) -> Plan:
    """Futures; the option is listed by its chain, the combination has no id."""
    symbols = {"BTC-PERPETUAL": "BTC/USD:BTC", "BTC-27DEC24": "BTC/USD:BTC-241227"}
    expected = [
        {"id": row["id"], "symbol": symbols[row["id"]], "tick_size": row["tick_size"], "active": row["active"]}
        for row in capture.expected
        if row["type"] == "future"
    ]
    return Plan(capability="instruments", ask={}, expected=expected)


def hyperliquid_markets(capture: Capture) -> Plan:
    """The collector's id is the place in the list."""
    expected = [row | {"id": row["coin"]} for row in capture.expected]
    return Plan(capability="instruments", ask={}, expected=expected)


def hyperliquid_trades(capture: Capture) -> Plan:
    """Without a collector's reading: A sells, B buys."""
    sides = {"A": "sell", "B": "buy"}
    expected = [
        {
            "id": str(row["tid"]), "timestamp": row["time"], "price": row["px"], "amount": row["sz"],
            "side": sides[row["side"]],
        }
        for row in capture.body
    ]  # fmt: skip
    return Plan(capability="trades", ask={"instrument": BTC}, expected=expected)


def hyperliquid_payments(capture: Capture) -> Plan:
    """Without a collector's reading."""
    expected = [{"timestamp": row["time"], "fundingRate": row["fundingRate"]} for row in capture.body]
    ask = {"instrument": BTC, "start": "2026-02-01T00:00:00Z", "end": "2026-02-02T00:00:00Z"}
    return Plan(capability="fundingHistory", ask=ask, expected=expected)


def kraken_payments(capture: Capture) -> Plan:
    """The collector's own rows, whose times are texts."""
    expected = [
        row | {"timestamp": int(datetime.fromisoformat(row["time"]).timestamp() * 1000)} for row in capture.expected
    ]
    return Plan(capability="fundingHistory", ask={"instrument": "crypto:BTC/USD:USD"}, expected=expected)


def asked(capability: str, expected: list[dict[str, Any]], symbols: list[str]) -> Plan:
    """Several contracts at once."""
    return Plan(
        capability=capability, ask={"instruments": [f"crypto:{symbol}" for symbol in symbols]}, expected=expected
    )


def quotes(price: str) -> Asking:
    """What stands in for the last price."""

    def plan(capture: Capture) -> Plan:
        rows = [row | {"last": row[price]} for row in capture.expected]
        return asked("quotes", rows, [row["symbol"] for row in rows])

    return plan


def rate(name: str, index: str) -> Asking:
    """The rate of the first contract, which is paid at the next full hour."""

    def plan(capture: Capture) -> Plan:
        row = capture.expected[0]
        told = {"fundingRate": row[name], "fundingTimestamp": NEXT_HOUR, "indexPrice": row[index]}
        ask = {"instruments": [f"crypto:{row['symbol']}"]}
        return Plan(capability="fundingRates", ask=ask, expected=told)

    return plan


def interest(name: str) -> Asking:
    """In coins."""

    def plan(capture: Capture) -> Plan:
        rows = [{"instrument": f"crypto:{row['symbol']}", "amount": row[name]} for row in capture.expected]
        return asked("openInterest", rows, [row["symbol"] for row in capture.expected])

    return plan


def dydx_markets(capture: Capture) -> Plan:
    """The collector's rows."""
    return Plan(capability="instruments", ask={}, expected=capture.expected)


OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("deribit", "candles"): (candles_of("crypto:BTC/USD:BTC"),),
    ("deribit", "markets"): (deribit_markets,),
    ("deribit", "orderbook"): (about("orderBook", BTC),),
    ("deribit", "trades"): (about("trades", "crypto:ETH/USDC:USDC"),),
    ("dydx", "candles"): (candles_of(BTC),),
    ("dydx", "markets"): (
        dydx_markets,
        quotes("oracle_price"),
        rate("next_funding_rate", "oracle_price"),
        interest("open_interest"),
    ),
    ("dydx", "trades"): (about("trades", BTC),),
    ("hyperliquid", "candles"): (candles_of(BTC),),
    ("hyperliquid", "funding_history"): (hyperliquid_payments,),
    ("hyperliquid", "markets"): (hyperliquid_markets,),
    ("hyperliquid", "tickers"): (quotes("mid"), rate("fundingRate", "indexPrice"), interest("openInterest")),
    ("hyperliquid", "trades"): (hyperliquid_trades,),
    ("kraken", "funding_history"): (kraken_payments,),
}
