"""A process that asks for one quote after the other: `python -m tests.bench.neighbour PORT KEY`.

Each line on its input is the seconds to go on for; the answer is a line of JSON, the latencies in milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import uvloop

from tests.bench.load import request_bytes

QUOTE = '{ quote(symbol: "crypto:BTC/USD") { price } }'
PAUSE_S = 0.004


async def ask(port: int, key: str, seconds: float) -> list[float]:
    """Latencies of one quote after the other, with a pause between."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    asked, found, ends = request_bytes("/graphql", json.dumps({"query": QUOTE}).encode(), key), [], time.perf_counter()
    ends += seconds
    while (begun := time.perf_counter()) < ends:
        writer.write(asked)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0]))
        found.append((time.perf_counter() - begun) * 1_000)
        await asyncio.sleep(PAUSE_S)
    writer.close()
    return found


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(uvloop.run(ask(int(sys.argv[1]), sys.argv[2], float(line)))), flush=True)
