"""The questions that are measured, as the gateway is asked them and as the plain servers are."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from tests.bench.upstream import FIRST, SYMBOLS

START = datetime.fromtimestamp(FIRST / 1000, UTC)
RANGE = f'start: "{START.isoformat()}", end: "{(START + timedelta(hours=500)).isoformat()}"'
EIGHT = "price bid ask high low volume instrument { symbol } provenance { provider }"
TEN = f"open currency {EIGHT}"
PAIRS = json.dumps([f"crypto:{name[:-4]}/USDT" for name in SYMBOLS])
ROW = "openTime open high low close volume"

GATEWAY = {
    "Q1 one quote": f'{{ quote(symbol: "crypto:C00/USDT") {{ {EIGHT} }} }}',
    "Q2 100 quotes": f"{{ quotes(symbols: {PAIRS}) {{ nodes {{ {TEN} }} }} }}",
    "Q4 500 rows": f'{{ candles(symbol: "crypto:C00/USDT", interval: H1, {RANGE}) {{ rows {{ {ROW} }} }} }}',
    "Q4 500 columns": f'{{ candles(symbol: "crypto:C00/USDT", interval: H1, {RANGE}) {{ columns {{ {ROW} }} }} }}',
}
"""Q3, one symbol from three providers, is `tests/bench/cold.py`'s: its answer is never there already."""
PLAIN = {
    "Q1 one quote": f'{{ quote(symbol: "C00") {{ {EIGHT} }} }}',
    "Q2 100 quotes": f'{{ quotes(symbols: ["C00"]) {{ nodes {{ {TEN} }} }} }}',
    "Q4 500 rows": f'{{ candles(symbol: "C00") {{ rows {{ {ROW} }} }} }}',
    "Q4 500 columns": f'{{ candles(symbol: "C00") {{ columns {{ {ROW} }} }} }}',
}
BARE = {
    "Q1 one quote": "/json/quote", "Q2 100 quotes": "/json/list100", "Q4 500 rows": "/json/rows500",
    "Q4 500 columns": "/json/columns500",
}  # fmt: skip
HOT_TARGET = 0.8
"""Of the bare route that answers one quote, whatever the question."""
EXECUTED_TARGETS = {"Q1 one quote": 3.0, "Q2 100 quotes": 12.0, "Q4 500 rows": 20.0}
"""Times plain Strawberry with its caches and orjson."""
