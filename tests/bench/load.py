"""A closed-loop HTTP/1.1 load over keep-alive connections, bounded in time, on loopback only."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Latencies in milliseconds; `per_cpu` is requests for each second of the server's CPU."""

    per_second: float
    per_cpu: float
    p50: float
    p99: float


def request_bytes(path: str, body: bytes | None = None, key: str | None = None) -> bytes:
    """A GET, or a POST of JSON, with an API key."""
    method = "GET" if body is None else "POST"
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    if key is not None:
        head += f"X-API-Key: {key}\r\n"
    return (head + "\r\n").encode() + (body or b"")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    """One request and its body; an answer other than 200 stops the run."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    body = await reader.readexactly(length)
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"{head[:80]!r} {body[:200]!r}")
    return body


async def run(port: int, pid: int, request: bytes, *, seconds: float, connections: int) -> Measured:
    """Load one server for some seconds."""
    latencies: list[float] = []
    stop = time.perf_counter() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
        while (begun := time.perf_counter()) < stop:
            await exchange(reader, writer, request)
            latencies.append((time.perf_counter() - begun) * 1000)
        writer.close()

    used, begun = cpu_seconds(pid), time.perf_counter()
    await asyncio.gather(*(client() for _ in range(connections)))
    spent, used = time.perf_counter() - begun, cpu_seconds(pid) - used
    latencies.sort()
    return Measured(
        per_second=len(latencies) / spent,
        per_cpu=len(latencies) / max(used, 0.01),
        p50=latencies[len(latencies) // 2],
        p99=latencies[int(len(latencies) * 0.99)],
    )
