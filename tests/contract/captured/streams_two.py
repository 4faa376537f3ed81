"""Captured frames of Bitstamp, Bitfinex, KuCoin, HTX and Upbit: see `streams`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from schema.words.intervals import Interval
from tests.contract.captured.stream_plans import StreamPlan, planned, ranged
from tests.contract.captures import Capture


def bitfinex(capture: Capture) -> StreamPlan:
    """The collector kept two frames: the confirmation, with the number of the channel, and the one with values."""
    before = ({"frame": capture.body["subscribed"]},)
    return planned(capture, "BFT/USD", before=before, whole=lambda body: body["frame"])


def kucoin(capture: Capture) -> StreamPlan:
    """In 2021 a trade's id was not the sequence that trades over HTTP have; now they are the same."""
    pair = capture.body["topic"].partition(":")[2].replace("-", "/")
    return planned(capture, pair, unjudged=frozenset({"id"}) if capture.call == "ws_trade" else frozenset())


def kucoin_bar(capture: Capture) -> StreamPlan:
    """One row."""
    return ranged(capture, "DAPPT/BTC", Interval.M1, capture.expected["row"])


def htx_ticker(capture: Capture) -> StreamPlan:
    """Nobody read the sample: its own numbers."""
    tick = capture.body["tick"]
    expected = {
        "symbol": "BTC/USDT", "timestamp": capture.body["ts"], "last": tick["close"], "open": tick["open"],
        "high": tick["high"], "low": tick["low"], "baseVolume": tick["amount"], "quoteVolume": tick["vol"],
    }  # fmt: skip
    return planned(capture, "BTC/USDT", expected=expected)


STREAMED: Mapping[tuple[str, str], Callable[[Capture], StreamPlan | str]] = {
    ("bitstamp", "ws_trade"): lambda capture: planned(capture, "ETH/USD"),
    ("bitfinex", "ws_ticker"): bitfinex,
    ("kucoin", "ws_ticker"): kucoin,
    ("kucoin", "ws_trade"): kucoin,
    ("kucoin", "ws_candle"): kucoin_bar,
    ("htx", "ws_ticker"): htx_ticker,
    ("htx", "ws_trade"): lambda capture: planned(capture, "TRIO/ETH"),
    ("upbit", "ws_trade"): lambda capture: planned(capture, "LAMB/KRW"),
    ("upbit", "ws_book"): lambda capture: planned(capture, "LAMB/KRW", expected=capture.expected | {"nonce": None}),
}
NOT_STREAMED: Mapping[tuple[str, str], str] = {
    ("bitstamp", "ws_book"): "a change of a book; the feed subscribes to the best hundred levels, whole each time",
}
