"""Captured frames of OKX, Bybit, Coinbase Exchange, Bitget and Gate.

OKX's are of a future and stand in for those of a spot pair, which have the same shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from schema.words.intervals import Interval
from tests.contract.captured.stream_plans import StreamPlan, planned, ranged
from tests.contract.captures import Capture

Planning = Callable[[Capture], StreamPlan | str]


def okx(capture: Capture) -> StreamPlan:
    """The pair in the place of the future; the levels were cut, and in 2022 they had no numbers."""
    expected = capture.expected | {"nonce": None} if capture.call == "ws_book" else capture.expected
    return planned(capture, "BTC/USD", expected=expected, whole=_as_a_pair)


def _as_a_pair(body: Any) -> Any:
    return {**body, "arg": {**body["arg"], "instId": "BTC-USD"}}


def coinbase_ticker(capture: Capture) -> StreamPlan:
    """Times are texts."""
    expected = capture.expected | {"timestamp": _millis(capture.expected["time"])}
    return planned(capture, expected["symbol_id"], expected=expected)


def coinbase_trade(capture: Capture) -> StreamPlan:
    """The side is the taker's."""
    expected = [row | {"timestamp": _millis(row["time"])} for row in capture.expected]
    return planned(capture, expected[0]["symbol_id"], expected=expected)


def coinbase_book(capture: Capture) -> StreamPlan:
    """One change, to an empty book."""
    product = capture.expected["symbol_id"]
    (side, price, size) = capture.expected["changes"][0]
    sides: dict[str, list[Any]] = {"bids": [], "asks": [], f"{side}s": [[price, size]]}
    before = ({"frame": {"type": "snapshot", "product_id": product, "bids": [], "asks": []}},)
    expected = {**sides, "timestamp": _millis(capture.body["time"]), "nonce": None}
    return planned(capture, product, before=before, expected=expected)


def bitget(capture: Capture) -> StreamPlan | str:
    """Of version 2 nobody read the samples: their own numbers."""
    (row,) = capture.body["data"]
    if capture.body["arg"]["instType"] == "sp":
        return "a frame of version 1, which has been switched off"
    if capture.call == "ws_trade":
        expected: Any = [
            {
                "id": row["tradeId"], "timestamp": int(row["ts"]), "price": row["price"], "amount": row["size"],
                "side": row["side"],
            }
        ]  # fmt: skip
        return planned(capture, "BTC/USDT", expected=expected)
    expected = {
        "symbol": "BTC/USDT", "last": row["lastPr"], "bid": row["bidPr"], "ask": row["askPr"],
        "bidVolume": row["bidSz"], "askVolume": row["askSz"], "open": row["open24h"], "high": row["high24h"],
        "low": row["low24h"], "baseVolume": row["baseVolume"], "quoteVolume": row["quoteVolume"],
        "timestamp": int(row["ts"]),
    }  # fmt: skip
    return planned(capture, "BTC/USDT", expected=expected)


def gateio_bar(capture: Capture) -> StreamPlan:
    """In 2021 there was no volume in the base asset."""
    pair = capture.expected["symbol_id"]
    return ranged(capture, pair, Interval.M1, capture.expected["row"], unjudged=frozenset({"volume"}))


def gateio(capture: Capture) -> StreamPlan:
    """The pair stands in what was read from it."""
    read = capture.expected[0] if isinstance(capture.expected, list) else capture.expected
    return planned(capture, read["symbol_id"])


def _millis(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp() * 1000)


STREAMED: Mapping[tuple[str, str], Planning] = {
    ("okx", "ws_ticker"): okx,
    ("okx", "ws_trade"): okx,
    ("okx", "ws_book"): okx,
    ("bybit", "ws_ticker"): lambda capture: planned(capture, "BTC/USDT"),
    ("bybit", "ws_trade"): lambda capture: planned(capture, "BTC/USDT"),
    ("coinbaseexchange", "ws_ticker"): coinbase_ticker,
    ("coinbaseexchange", "ws_trade"): coinbase_trade,
    ("coinbaseexchange", "ws_book"): coinbase_book,
    ("bitget", "ws_ticker"): bitget,
    ("bitget", "ws_trade"): bitget,
    ("gateio", "ws_ticker"): gateio,
    ("gateio", "ws_trade"): gateio,
    ("gateio", "ws_candle"): gateio_bar,
}
