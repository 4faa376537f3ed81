"""Which ask a capture of an exchange is the answer to, and what must come out of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from schema.words.intervals import Interval
from tests.contract.captures import Capture

CALLS = {
    "ticker": "quotes",
    "tickers": "quotes",
    "candles": "candles",
    "orderbook": "orderBook",
    "trades": "trades",
    "markets": "instruments",
}
# Fields that a collector read otherwise than the adapter does, for a reason.
UNJUDGED: dict[tuple[str, str], frozenset[str]] = {
    # Its `o` is the UTC day's open; the other statistics are those of 24 hours, and the two are not mixed.
    ("kraken", "ticker"): frozenset({"open"}),
    # They do not send it: the collector counted it back from the change.
    ("gateio", "tickers"): frozenset({"open"}),
    ("kucoin", "ticker"): frozenset({"open"}),
    # Statistics are of the venue's day, and the volume of the same day stands beside them, not that of 24 hours.
    ("upbit", "ticker"): frozenset({"baseVolume", "quoteVolume"}),
    ("bithumb", "ticker"): frozenset({"baseVolume", "quoteVolume"}),
    # In 2018 trades had no ids.
    ("upbit", "trades"): frozenset({"id"}),
    # Collectors disagree on whose side it is; the adapter answers none.
    ("coinbase", "trades"): frozenset({"side"}),
    # The collector read when a trade was published, the adapter reads when it was made.
    ("poloniex", "trades"): frozenset({"timestamp"}),
}
# Seconds of a candle that is captured alone, where the URL does not say it in seconds.
ALONE = dict.fromkeys(("bitfinex", "cryptocom", "gemini", "mexc", "upbit"), 3_600)
SYMBOLS = ("symbol", "pair", "instId", "currency_pair", "instrument_name", "product_code")
SYMBOL_IN_PATH = {"bitstamp": 4, "bitvavo": 2, "coinbase": 6, "coinbaseexchange": 2, "gemini": 3, "poloniex": 2}
QUOTE_ASSETS = ("USDT", "USDC", "USD", "EUR", "GBP", "BTC", "ETH")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The question to put, the clock to put it at, and the outcome: an error code, or rows to compare with."""

    capability: str
    ask: dict[str, Any]
    now: datetime = NOW
    expected: Any = None
    error: str = ""
    unjudged: frozenset[str] = field(default_factory=frozenset)


Asking = Callable[[Capture], Plan]


def refused(capability: str, ask: dict[str, Any], error: str) -> Asking:
    """A captured refusal."""
    return lambda _: Plan(capability=capability, ask=ask, error=error)


def by_call(capture: Capture) -> Plan:
    """Exchanges: the call names the capability, the expected rows or the URL name the pair."""
    capability = CALLS[capture.call]
    if capability == "instruments":
        return Plan(capability=capability, ask={}, expected=capture.expected)
    instrument = pair(symbol_of(capture))
    unjudged = UNJUDGED.get((capture.provider, capture.call), frozenset())
    if capability == "candles":
        return candles(capture, instrument, capture.expected["rows"], unjudged)
    ask: dict[str, Any] = {"instruments": [instrument]} if capability == "quotes" else {"instrument": instrument}
    return Plan(capability=capability, ask=ask, expected=capture.expected, unjudged=unjudged)


def candles(capture: Capture, instrument: str, rows: list[list[Any]], unjudged: frozenset[str], **more: str) -> Plan:
    """The range is that of the rows; the interval is their distance, or what the URL says of a single one."""
    times = [int(row[0]) // 1000 for row in rows]
    steps = [b - a for a, b in pairwise(times)]
    alone = ALONE.get(capture.provider)
    seconds = min(steps) if steps else alone or int(capture.params.get("granularity", 86_400))
    interval = next(i for i in Interval if i.seconds == seconds)
    start, end = datetime.fromtimestamp(times[0], UTC), datetime.fromtimestamp(times[-1], UTC) + interval.delta
    ask = {"instrument": instrument, "interval": interval.value, "start": start.isoformat(), "end": end.isoformat()}
    return Plan(capability="candles", ask=ask | more, now=end, expected=rows, unjudged=unjudged)


def symbol_of(capture: Capture) -> str:
    """The unified symbol where the collector gave one, else the wire symbol of the URL."""
    first = capture.expected[0] if isinstance(capture.expected, list) else capture.expected or {}
    if "symbol" in first:
        return str(first["symbol"])
    named = next((capture.params[name] for name in SYMBOLS if name in capture.params), None)
    return named or capture.path.split("/")[SYMBOL_IN_PATH[capture.provider]]


def pair(symbol: str) -> str:
    """`BTC/USDT:USDT`, `BTC-USDT-SWAP`, `XBTUSDT` and `btcusd` as the spot pair of the same payload shape."""
    text = (
        symbol.upper().partition(":")[0].replace("-", "/").replace("_", "/").removesuffix("/SWAP").replace("XBT", "BTC")
    )
    if "/" not in text:
        quote = next(asset for asset in QUOTE_ASSETS if text.endswith(asset))
        text = f"{text.removesuffix(quote)}/{quote}"
    return f"crypto:{text}"


def all_tickers(capture: Capture) -> Plan:
    """A list without a collector's reading: its own prices, for every pair whose quote asset is known."""
    rows = [row for row in capture.body if row["symbol"].endswith(QUOTE_ASSETS)]
    expected = [
        {
            "symbol": pair(row["symbol"]).removeprefix("crypto:"), "last": row["lastPrice"], "bid": row["bidPrice"],
            "ask": row["askPrice"], "baseVolume": row["volume"], "timestamp": row["closeTime"],
        }
        for row in rows
    ]  # fmt: skip
    return Plan(capability="quotes", ask={"instruments": [pair(r["symbol"]) for r in rows]}, expected=expected)


def bybit_markets(capture: Capture) -> Plan:
    """The listing's own columns."""
    expected = [
        {
            "id": row["symbol"], "symbol": f"{row['baseCoin']}/{row['quoteCoin']}",
            "tick_size": row["priceFilter"]["tickSize"], "step_size": row["lotSizeFilter"]["basePrecision"],
            "min_amount": row["lotSizeFilter"]["minOrderQty"], "active": row["status"] == "Trading",
        }
        for row in capture.body["result"]["list"]
    ]  # fmt: skip
    return Plan(capability="instruments", ask={}, expected=expected)
