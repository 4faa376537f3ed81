"""A local upstream that speaks Binance's wire format: the gateway is measured over real HTTP, never over recordings."""

from __future__ import annotations

import json
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

SYMBOLS = [f"C{n:02d}USDT" for n in range(100)]
FIRST = 1_763_600_400_000


def ticker(symbol: str) -> dict[str, object]:
    """24 h statistics in the documented shape."""
    return {
        "symbol": symbol, "priceChange": "-166.82000000", "priceChangePercent": "-2.427",
        "weightedAvgPrice": "6786.67321489", "prevClosePrice": "6872.64000000", "lastPrice": "6705.82000000",
        "lastQty": "0.00190300", "bidPrice": "6705.88000000", "bidQty": "0.18401100", "askPrice": "6706.21000000",
        "askQty": "0.19518800", "openPrice": "6872.64000000", "highPrice": "6933.00000000", "lowPrice": "6680.10000000",
        "volume": "57857.49485700", "quoteVolume": "392659910.62660750", "openTime": 1763513878494,
        "closeTime": 1763600278494, "firstId": 294247387, "lastId": 294801814, "count": 554428,
    }  # fmt: skip


def candles(count: int) -> list[list[object]]:
    """Hourly candles in the documented shape."""
    hour = 3_600_000
    return [
        [
            FIRST + n * hour, f"{6733.55 + n:.8f}", f"{6737.79 + n:.8f}", f"{6726.61 + n:.8f}", f"{6727.14 + n:.8f}",
            "121.20139100", FIRST + (n + 1) * hour - 1, "815879.49416818", 2208, "56.19067400", "378311.74215876", "0",
        ]
        for n in range(count)
    ]  # fmt: skip


async def tickers(request: Request) -> Response:
    """One object for `symbol`, a list for `symbols`."""
    one = request.query_params.get("symbol")
    found = ticker(one) if one else [ticker(name) for name in json.loads(request.query_params["symbols"])]
    return Response(json.dumps(found).encode(), media_type="application/json")


async def klines(request: Request) -> Response:
    """As many candles as asked for."""
    start, end = (int(request.query_params[name]) for name in ("startTime", "endTime"))
    rows = [row for row in candles(2000) if start <= int(str(row[0])) <= end]
    return Response(json.dumps(rows).encode(), media_type="application/json")


app = Starlette(routes=[Route("/binance/api/v3/ticker/24hr", tickers), Route("/binance/api/v3/klines", klines)])

if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
