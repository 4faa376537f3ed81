"""Captured frames of OKX, Bybit, Coinbase Exchange, Bitget and Gate.

OKX's are of a future and stand in for those of a spot pair, which have the same shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.contract.captured.stream_plans import StreamPlan, planned
from tests.contract.captures import Capture

Planning = Callable[[Capture], StreamPlan | str]


def okx(capture: Capture) -> StreamPlan:
    """The pair in the place of the future; the levels were cut, and in 2022 they had no numbers."""
    expected = capture.expected | {"nonce": None} if capture.call == "ws_book" else capture.expected
    return planned(capture, "BTC/USD", expected=expected, whole=_as_a_pair)


def _as_a_pair(body: Any) -> Any:
    return {**body, "arg": {**body["arg"], "instId": "BTC-USD"}}


STREAMED: Mapping[tuple[str, str], Planning] = {
    ("okx", "ws_ticker"): okx,
    ("okx", "ws_trade"): okx,
    ("okx", "ws_book"): okx,
    ("bybit", "ws_ticker"): lambda capture: planned(capture, "BTC/USDT"),
    ("bybit", "ws_trade"): lambda capture: planned(capture, "BTC/USDT"),
}
