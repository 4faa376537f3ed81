"""Captured frames of Gemini, Deribit, Hyperliquid and Poloniex: see `streams`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from tests.contract.captured.stream_plans import StreamPlan, planned
from tests.contract.captures import Capture

WITHOUT_NUMBER = {"timestamp": None, "nonce": None}


def gemini_book(capture: Capture) -> StreamPlan:
    """The snapshot before it has what the changes take away; what they leave is the book."""
    taken = [[side, price, "1"] for side, price, size in capture.body["changes"] if size == "0"]
    snapshot = {"type": "l2_updates", "symbol": "ALCXUSD", "changes": taken, "trades": [], "auction_events": []}
    sides: dict[str, list[list[Any]]] = {"bid": [], "ask": []}
    for side, price, size in capture.expected["changes"]:
        sides[side] += [[price, size]] if size else []
    expected = {"bids": sorted(sides["bid"], reverse=True), "asks": sorted(sides["ask"]), **WITHOUT_NUMBER}
    return planned(capture, "ALCX/USD", before=({"frame": snapshot},), expected=expected)


def deribit_ticker(capture: Capture) -> StreamPlan:
    """An option."""
    ask = {"instruments": ["crypto:ETH/USD:ETH-210730-2800-C"]}
    return StreamPlan(capability="quotes", ask=ask, expected=capture.expected)


def deribit_book(capture: Capture) -> StreamPlan:
    """Under the name of a contract that is counted in coins: that of an inverse one has the same shape."""
    data = capture.body["params"]["data"]
    expected = capture.expected | {"timestamp": data["timestamp"], "nonce": data["change_id"]}
    return StreamPlan(
        capability="orderBook", ask={"instrument": "crypto:ETH/USDC:USDC-210730-2800-C"}, expected=expected,
        whole=_in_coins,
    )  # fmt: skip


def _in_coins(body: Any) -> Any:
    channel = body["params"]["channel"].replace("ETH-", "ETH_USDC-")
    return body | {"params": body["params"] | {"channel": channel}}


def hyperliquid_trade(capture: Capture) -> StreamPlan:
    """A perpetual."""
    return StreamPlan(capability="trades", ask={"instrument": "crypto:BTC/USDC:USDC"}, expected=capture.expected)


def poloniex_ticker(capture: Capture) -> StreamPlan:
    """Of the sample nobody read the numbers: its own. `quantity` is the volume, the change is a fraction."""
    (row,) = capture.body["data"]
    expected = {
        "symbol": "BTC/USDT", "last": row["close"], "open": row["open"], "high": row["high"], "low": row["low"],
        "baseVolume": row["quantity"], "quoteVolume": row["amount"], "timestamp": row["ts"],
        "changePercent": str(Decimal(row["dailyChange"]) * 100),
    }  # fmt: skip
    return planned(capture, "BTC/USDT", expected=expected)


STREAMED: Mapping[tuple[str, str], Callable[[Capture], StreamPlan | str]] = {
    ("deribit", "ws_book"): deribit_book,
    ("deribit", "ws_ticker"): deribit_ticker,
    ("gemini", "ws_book"): gemini_book,
    ("gemini", "ws_trade"): lambda capture: planned(capture, "ANKR/USD"),
    ("hyperliquid", "ws_trade"): hyperliquid_trade,
    ("poloniex", "ws_ticker"): poloniex_ticker,
    ("poloniex", "ws_trade"): lambda capture: planned(capture, "BTC/USDT"),
}
NOT_STREAMED: Mapping[tuple[str, str], str] = {
    ("hyperliquid", "ws_ticker"): "contexts of all coins by their places; the feed subscribes to that of each coin",
}
