"""Captured frames of Gemini, Deribit, Hyperliquid and Poloniex: see `streams`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


STREAMED: Mapping[tuple[str, str], Callable[[Capture], StreamPlan | str]] = {
    ("gemini", "ws_book"): gemini_book,
    ("gemini", "ws_trade"): lambda capture: planned(capture, "ANKR/USD"),
}
NOT_STREAMED: Mapping[tuple[str, str], str] = {}
