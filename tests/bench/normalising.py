"""CPU of normalising wire bytes: the medians of many runs in this process."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from decimal import Decimal
from statistics import median
from typing import Any

from providers.crypto.binance import parse_candles, parse_quotes
from providers.row import Row
from schema.symbols import crypto
from tests.bench.upstream import candles, ticker

PAIR = crypto("C00", "USDT")


def microseconds(work: Callable[[], Any], rounds: int = 400) -> float:
    """Median of one call."""
    spent = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        spent.append((time.perf_counter() - begun) * 1e6)
    return median(spent)


def report() -> list[str]:
    """A ticker and 500 candles, exact, and the same bytes through `json` with floats for comparison."""
    one, many = json.dumps(ticker("C00USDT")).encode(), json.dumps(candles(500)).encode()
    quote = parse_quotes((PAIR,), Row.json("binance", one))[0]
    bars = parse_candles(Row.json("binance", many))
    if quote.price != Decimal("6705.82") or len(bars) != 500:
        raise RuntimeError("the adapter does not read the benchmark's own bytes")
    rows = [
        ("ticker, exact decimals", microseconds(lambda: parse_quotes((PAIR,), Row.json("binance", one))), 20.0),
        ("500 candles, exact decimals", microseconds(lambda: parse_candles(Row.json("binance", many))), 1000.0),
    ]
    told = [f"{name:32} {spent:9.1f} µs   target ≤ {target:g} µs" for name, spent, target in rows]
    plain = microseconds(lambda: json.loads(many))
    return ["Normalising, one process", *told, f"{'500 candles, json.loads alone':32} {plain:9.1f} µs"]
