"""A closed-loop HTTP/1.1 load over keep-alive connections, bounded in time, on loopback only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from tests.bench.servers import cpu_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Latencies in milliseconds; `per_cpu` is requests for each second of the servers' CPU."""

    per_second: float
    per_cpu: float
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Target:
    """A server and what it is asked: the same bytes each time, or the next ones."""

    port: int
    pid: int
    request: bytes | Callable[[], bytes]


def request_bytes(path: str, body: bytes | None = None, key: str | None = None) -> bytes:
    """A GET, or a POST of JSON, with an API key."""
    method = "GET" if body is None else "POST"
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    if key is not None:
        head += f"X-API-Key: {key}\r\n"
    return (head + "\r\n").encode() + (body or b"")


class _Client(asyncio.Protocol):
    """One connection: the next request leaves when the answer is whole."""

    def __init__(self, target: Target, stop: float, latencies: list[float], refuse: bytes) -> None:
        self._target, self._stop, self._latencies, self._refuse = target, stop, latencies, refuse
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._left = -1
        self._head = b""
        self._begun = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        if self._left < 0:
            self._head += data
            head, found, body = self._head.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 200"):
                self._fail(f"{head[:300]!r} {body[:300]!r}")
                return
            at = head.lower().index(b"content-length:")
            self._left = int(head[at + 15 :].split(b"\r\n", 1)[0]) - len(body)
        else:
            self._left -= len(data)
        if self._refuse and self._refuse in data:
            self._fail(repr(data[:400]))
        elif self._left == 0:
            now = time.perf_counter()
            self._latencies.append((now - self._begun) * 1000)
            if now < self._stop:
                self._ask()
            else:
                self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection ended: {exc}")

    def _ask(self) -> None:
        self._left, self._head, self._begun = -1, b"", time.perf_counter()
        asked = self._target.request
        self._transport.write(asked if isinstance(asked, bytes) else asked())

    def _end(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
        self._transport.close()

    def _fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(why))
        self._transport.close()


async def run(targets: Sequence[Target], *, seconds: float, connections: int, refuse: bytes = b"") -> Measured:
    """Load servers for some seconds, each with its share of the connections; what they did together.

    An answer other than 200, or one with the bytes *refuse* in it, stops the run.
    """
    latencies: list[float] = []
    loop = asyncio.get_running_loop()
    used, begun = sum(cpu_seconds(target.pid) for target in targets), time.perf_counter()
    clients = []
    for number in range(connections):
        target = targets[number % len(targets)]
        client = _Client(target, begun + seconds, latencies, refuse)
        await loop.create_connection(lambda client=client: client, "127.0.0.1", target.port)  # type: ignore[misc]
        clients.append(client)
    await asyncio.gather(*(client.done for client in clients))
    spent, used = time.perf_counter() - begun, sum(cpu_seconds(target.pid) for target in targets) - used
    latencies.sort()
    return Measured(
        per_second=len(latencies) / spent,
        per_cpu=len(latencies) / max(used, 0.001),
        p50=latencies[len(latencies) // 2],
        p99=latencies[int(len(latencies) * 0.99)],
    )
