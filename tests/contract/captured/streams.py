"""Captured frames of live feeds: which topic each belongs to, what has to come before it, what must come out of it.

A captured change of a book needs a snapshot before it and a captured better price a quote: those are made here, at
prices that leave the captured ones to be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from schema.words.intervals import Interval
from tests.contract.captured import streams_one, streams_three, streams_two
from tests.contract.captured.stream_plans import CALLS, StreamPlan, planned, ranged
from tests.contract.captures import Capture


def binance_book(capture: Capture) -> StreamPlan:
    """The snapshot is the one before the change."""
    first = capture.expected["first_update_id"]
    http = {
        "path": "/api/v3/depth", "params": {"symbol": "NKNUSDT", "limit": "1000"},
        "body": {"lastUpdateId": first - 1, "bids": [], "asks": []},
    }  # fmt: skip
    expected = {**capture.expected, "timestamp": capture.body["data"]["E"], "nonce": capture.expected["last_update_id"]}
    before = ({"frame": {"result": None, "id": 1}}, {"http": http})
    return planned(capture, "NKN/USDT", before=before, expected=expected)


def binance_best(capture: Capture) -> StreamPlan:
    """The statistics before it are made; what is captured are the best prices."""
    ticker = {"e": "24hrTicker", "E": 1633998513000, "s": "NKNUSDT", "c": "0.35200000"}
    return planned(capture, "NKN/USDT", before=({"frame": {"stream": "nknusdt@ticker", "data": ticker}},))


def binance_bar(capture: Capture) -> StreamPlan:
    """One row."""
    return ranged(capture, "NKN/USDT", Interval.M1, capture.expected["row"])


def kraken_ticker(capture: Capture) -> StreamPlan:
    """Of version 2 nobody read the sample: its own numbers. Of version 1 the open is today's, as over HTTP."""
    if isinstance(capture.body, list):
        return planned(capture, capture.expected["symbol"], unjudged=frozenset({"open"}))
    (row,) = capture.body["data"]
    expected = {
        "symbol": row["symbol"], "last": row["last"], "bid": row["bid"], "ask": row["ask"], "bidVolume": row["bid_qty"],
        "askVolume": row["ask_qty"], "high": row["high"], "low": row["low"], "baseVolume": row["volume"],
        "vwap": row["vwap"], "changePercent": row["change_pct"],
    }  # fmt: skip
    return planned(capture, row["symbol"], expected=expected)


def kraken_trade(capture: Capture) -> StreamPlan:
    """Trades of version 1 have no ids."""
    if isinstance(capture.body, list):
        return planned(capture, capture.expected[0]["symbol"], unjudged=frozenset({"id"}))
    (row,) = capture.body["data"]
    millis = int(datetime.fromisoformat(row["timestamp"]).timestamp() * 1000)
    expected = [
        {
            "id": str(row["trade_id"]), "timestamp": millis, "price": row["price"], "amount": row["qty"],
            "side": row["side"],
        }
    ]  # fmt: skip
    return planned(capture, row["symbol"], expected=expected)


STREAMED: dict[tuple[str, str], Callable[[Capture], StreamPlan | str]] = {
    ("binance", "ws_book"): binance_book,
    ("binance", "ws_ticker"): binance_best,
    ("binance", "ws_trade"): lambda capture: planned(capture, "NKN/USDT"),
    ("binance", "ws_candle"): binance_bar,
    ("kraken", "ws_ticker"): kraken_ticker,
    ("kraken", "ws_trade"): kraken_trade,
    **streams_one.STREAMED,
    **streams_two.STREAMED,
    **streams_three.STREAMED,
}
NOT_STREAMED: dict[tuple[str, str], str] = {**streams_two.NOT_STREAMED, **streams_three.NOT_STREAMED}
"""Captured frames that no feed reads, and why."""


def plan_of(capture: Capture, streams: Mapping[str, Any]) -> StreamPlan | str:
    """How to run a captured frame, or why it is not run; empty for one that nobody has thought of."""
    key = (capture.provider, capture.call)
    if key in STREAMED:
        return STREAMED[key](capture)
    return NOT_STREAMED.get(key, "" if CALLS[capture.call] in streams else "the provider has no such feed")
