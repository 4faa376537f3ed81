"""The numbers that the double's markets have: composed here, expected by the tests."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass

PRICE = "91234.123456789012345"
PRICES = {
    "BTC": PRICE,
    "ETH": "3020.500000000000000001",
    "LTC": "84.10",
    "SOL": "141.25",
    "USDT": "1.000100000000000001",
}
BID, BID_SIZE, ASK, ASK_SIZE = "91234.10", "0.51", "91234.20", "0.52"
OPEN, HIGH, LOW = "90000.5", "92000.75", "89000.25"
VOLUME, QUOTE_VOLUME, VWAP = "1234.56780000", "112345678.90", "90999.123456789"
# Of this asset nobody buys: the venues send zeros for the empty side.
UNWANTED = "LTC"
# When the venues stamped their answers: a little before the tests began.
STAMP = int(time.time()) - 4


@dataclass(frozen=True, slots=True)
class Bar:
    """One candle; every number follows from its time."""

    time: int
    open: str
    high: str
    low: str
    close: str
    volume: str


def is_listed(base: str) -> bool:
    """The four above, and C00, C01, … for batches; everything else is unknown to every venue."""
    return base in PRICES or (base[:1] == "C" and base[1:].isdecimal())


def price_of(base: str) -> str:
    return PRICES.get(base) or f"1{base[1:]}.25"


def bid_of(base: str, empty: str = "0") -> tuple[str, str]:
    """Best bid and its size; an empty side is a zero, or whatever the venue sends for it."""
    return (empty, empty) if base == UNWANTED else (BID, BID_SIZE)


def bar_at(moment: int, step: int) -> Bar:
    number = 1000 + moment // step % 500
    return Bar(moment, f"{number}.50", f"{number + 2}.75", f"{number - 2}.25", f"{number + 1}.123456789012", "3.125")


def bars(start: int, end: int, step: int, holes: Collection[int] = (), origin: int = 0) -> Iterator[Bar]:
    """Those that begin in `[start, end)` and have begun; *holes* are times without a trade."""
    first = start + (origin - start) % step
    last = min(end, int(time.time()) + 1)
    return (bar_at(moment, step) for moment in range(first, last, step) if moment not in holes)
