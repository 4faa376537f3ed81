"""Captured frames of Bitstamp, Bitfinex, KuCoin, HTX and Upbit: see `streams`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.contract.captured.stream_plans import StreamPlan, planned
from tests.contract.captures import Capture


def bitfinex(capture: Capture) -> StreamPlan:
    """The collector kept two frames: the confirmation, with the number of the channel, and the one with values."""
    before = ({"frame": capture.body["subscribed"]},)
    return planned(capture, "BFT/USD", before=before, whole=lambda body: body["frame"])


STREAMED: Mapping[tuple[str, str], Callable[[Capture], StreamPlan | str]] = {
    ("bitstamp", "ws_trade"): lambda capture: planned(capture, "ETH/USD"),
    ("bitfinex", "ws_ticker"): bitfinex,
}
NOT_STREAMED: Mapping[tuple[str, str], str] = {
    ("bitstamp", "ws_book"): "a change of a book; the feed subscribes to the best hundred levels, whole each time",
}
