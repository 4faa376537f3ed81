"""Live screens in a process of their own: `python -m tests.bench.screens PORT KEY SUBSCRIBERS SECONDS`.

Bare sockets and as little work a message as Python allows: the price of each is the moment it was made.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import sys
import time
from collections import Counter
from functools import partial
from statistics import quantiles
from typing import cast
from uuid import uuid4

import uvloop

PRICE = re.compile(rb'"price":"([0-9.]+)"')
SYMBOLS = 20
"""Distinct subscriptions."""


class Screen(asyncio.Protocol):
    """One socket with one subscription."""

    def __init__(self, key: str, symbol: str, delays: list[float], counts: Counter[str]) -> None:
        self._key, self._symbol, self._delays, self._counts = key, symbol, delays, counts
        self._open = False
        self._rest = self._seen = b""
        self.counting = self.begun = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Shake hands."""
        self._transport = cast(asyncio.Transport, transport)
        nonce = base64.b64encode(os.urandom(16)).decode()
        head = (
            f"GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {nonce}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: graphql-transport-ws\r\nX-API-Key: {self._key}\r\n\r\n"
        )
        self._transport.write(head.encode())

    def data_received(self, data: bytes) -> None:
        """Frames are looked for prices only."""
        now = time.monotonic_ns() / 1000
        self._seen = data[-200:]
        if not self._open:
            if b"\r\n\r\n" in data:
                self._open = True
                self._say({"type": "connection_init"})
            return
        if b"connection_ack" in data:
            query = f'subscription {{ quotes(symbols: ["{self._symbol}"]) {{ cursor quotes {{ id price }} }} }}'
            # As client libraries do: an id that nobody else has.
            self._say({"type": "subscribe", "id": str(uuid4()), "payload": {"query": query}})
            return
        if b'"type":"ping"' in data:
            self._say({"type": "pong"})
        if b'"error"' in data:
            self._counts[data[-300:].decode(errors="replace")] += 1
        data = self._rest + data
        self.begun = self.begun or b'"price"' in data
        if self.counting:
            for match in PRICE.finditer(data):
                self._delays.append(now - float(match[1]))
        last = data.rfind(b'"type":"next"')
        self._rest = b"" if data.endswith(b"}") or last < 0 else data[last:]

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody was to leave before the end."""
        self._counts[f"lost: {self._seen!r}"] += 1

    def _say(self, message: object) -> None:
        body, mask = json.dumps(message).encode(), os.urandom(4)
        size = bytes((0x81, 0x80 | len(body))) if len(body) < 126 else b"\x81\xfe" + len(body).to_bytes(2, "big")
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(body))
        self._transport.write(size + mask + masked)


async def main(port: int, key: str, subscribers: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    delays: list[float] = []
    counts: Counter[str] = Counter()
    screens = []
    for index in range(subscribers):
        symbol = f"crypto:C{index % SYMBOLS:02}/USDT"
        screen = Screen(key, symbol, delays, counts)
        await loop.create_connection(partial(_same, screen), "127.0.0.1", port)
        screens.append(screen)
    for _ in range(600):
        if all(screen.begun for screen in screens):
            break
        await asyncio.sleep(0.1)
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    for screen in screens:
        screen.counting = True
    await asyncio.sleep(seconds)
    for screen in screens:
        screen.counting = False
    cuts = quantiles(delays, n=100) if len(delays) > 100 else [0.0] * 99
    told = {"messages": len(delays), "p50_ms": cuts[49] / 1000, "p99_ms": cuts[98] / 1000, "errors": dict(counts)}
    print(json.dumps(told), flush=True)


def _same(screen: Screen) -> Screen:
    return screen


if __name__ == "__main__":
    _, port, key, subscribers, seconds = sys.argv
    uvloop.run(main(int(port), key, int(subscribers), float(seconds)))
