"""Captured frames of Bitstamp, Bitfinex, KuCoin, HTX and Upbit: see `streams`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.contract.captured.stream_plans import StreamPlan, planned
from tests.contract.captures import Capture

STREAMED: Mapping[tuple[str, str], Callable[[Capture], StreamPlan | str]] = {
    ("bitstamp", "ws_trade"): lambda capture: planned(capture, "ETH/USD"),
}
NOT_STREAMED: Mapping[tuple[str, str], str] = {
    ("bitstamp", "ws_book"): "a change of a book; the feed subscribes to the best hundred levels, whole each time",
}
