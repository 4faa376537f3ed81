"""How a captured frame of a live feed is run, and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from schema.words.intervals import Interval
from tests.contract.captured.asks import pair
from tests.contract.captures import Capture

CALLS = {"ws_ticker": "quotes", "ws_trade": "trades", "ws_candle": "candles", "ws_book": "orderBook"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPlan:
    """The ask of a captured frame, steps before it (see `tests.contract.streams`), and the rows to compare with.

    `whole` is the frame where the collector kept only a part of it.
    """

    capability: str
    ask: Mapping[str, Any]
    before: tuple[Mapping[str, Any], ...] = ()
    expected: Any = None
    unjudged: frozenset[str] = field(default_factory=frozenset)
    whole: Callable[[Any], Any] = lambda body: body


def planned(capture: Capture, symbol: str, **more: Any) -> StreamPlan:
    """By its call and the venue's symbol, or the pair where it is written with a stroke."""
    capability, instrument = CALLS[capture.call], pair(symbol)
    ask: dict[str, Any] = {"instruments": [instrument]} if capability == "quotes" else {"instrument": instrument}
    return StreamPlan(capability=capability, ask=ask, **({"expected": capture.expected} | more))


def ranged(capture: Capture, symbol: str, interval: Interval, row: list[Any], **more: Any) -> StreamPlan:
    """Candles: the range is that of the one row."""
    start = datetime.fromtimestamp(int(row[0]) / 1000, UTC)
    ask = {
        "instrument": pair(symbol), "interval": interval.value, "start": start.isoformat(),
        "end": (start + interval.delta).isoformat(),
    }  # fmt: skip
    return StreamPlan(capability="candles", ask=ask, expected=[row], **more)
