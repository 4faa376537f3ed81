"""A local upstream with three exchanges' wire formats: the gateway is measured over real HTTP, never over recordings.

`python -m tests.bench.upstream PORT [MILLISECONDS]` serves it; every answer leaves that much later.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import cast
from urllib.parse import parse_qsl, urlsplit

import uvloop

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


ROWS = candles(2000)


def binance(path: str, params: Mapping[str, str]) -> object:
    """One ticker for `symbol`, a list for `symbols`; as many candles as asked for."""
    if path.endswith("/klines"):
        start, end = (int(params[name]) for name in ("startTime", "endTime"))
        return [row for row in ROWS if start <= int(str(row[0])) <= end]
    one = params.get("symbol")
    return ticker(one) if one else [ticker(name) for name in json.loads(params["symbols"])]


def kraken(_: str, params: Mapping[str, str]) -> object:
    """Tickers in the documented shape."""
    one = {
        "a": ["6706.21000", "1", "1.000"], "b": ["6705.88000", "1", "1.000"], "c": ["6705.90000", "0.04"],
        "v": ["8022.33", "57857.49"], "p": ["6790.1", "6786.6"], "t": [10, 20], "l": ["6680.1", "6680.1"],
        "h": ["6933.0", "6933.0"], "o": "6872.6",
    }  # fmt: skip
    return {"error": [], "result": dict.fromkeys(params["pair"].split(","), one)}


def bitstamp(_: str, __: Mapping[str, str]) -> object:
    """A ticker in the documented shape, of this moment."""
    return {
        "timestamp": str(int(time.time())), "open": "6872.64", "high": "6933.00", "low": "6680.10", "last": "6705.81",
        "volume": "57857.49485700", "vwap": "6786.67", "bid": "6705.88", "ask": "6706.21", "side": "0",
        "open_24": "6872.64", "percent_change_24": "-2.43",
    }  # fmt: skip


EXCHANGES: Mapping[str, Callable[[str, Mapping[str, str]], object]] = {
    "binance": binance, "kraken": kraken, "bitstamp": bitstamp,
}  # fmt: skip


def reply(target: str) -> bytes:
    """The whole reply to `<provider id>/<path and query>`."""
    url = urlsplit(target)
    provider, _, path = url.path[1:].partition("/")
    body = json.dumps(EXCHANGES[provider](path, dict(parse_qsl(url.query)))).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


class Exchanges(asyncio.Protocol):
    """As cheap as can be, so that the gateway has the machine; its client sends one request at a time."""

    def __init__(self, delay: float) -> None:
        self._delay = delay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remembered for the replies."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is none by class

    def data_received(self, data: bytes) -> None:
        """Requests are small: each arrives in one piece."""
        sent = reply(data.split(b" ", 2)[1].decode())
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._write, sent)
        else:
            self._write(sent)

    def _write(self, sent: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(sent)


async def serve(port: int, delay: float) -> None:
    """Until the process ends."""
    server = await asyncio.get_running_loop().create_server(lambda: Exchanges(delay), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1]), float(sys.argv[2]) / 1000 if sys.argv[2:] else 0.0))
