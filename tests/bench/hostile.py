"""Hostile requests to a real process: the CPU that each costs it, and what a neighbour notices meanwhile."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import median

import uvloop
import websockets

from gateway.core.settings import load_settings
from tests.bench.load import request_bytes
from tests.bench.servers import ask, cpu_seconds, environment, gateway, module
from tests.furnished import furnish

TARGET_MS = 250
TIMES, REST_S, PAUSE_S = 10, 1.5, 0.004
LARGE = 10_000_000
QUOTE = '{ quote(symbol: "crypto:BTC/USD") { price } }'
POST = b"POST /graphql HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"

Attack = Callable[[int, str], Awaitable[str]]
"""Port and key; what the gateway answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The dearest of several runs, and the quotes that were answered meanwhile, in ms."""

    answer: str
    cpu_ms: float
    latencies: list[float]


def documents() -> Iterator[tuple[str, str]]:
    """Documents that are refused, or cost no more than others."""
    yield "nesting", "{" + "node(id: 1) { ... on Quote {" * 5_000
    spread = "".join(f' a{n}: quote(symbol: "crypto:BTC/USD") {{ price }}' for n in range(1_000))
    yield "aliases in fragments", "{ ...a } fragment a on Query {" + spread + "}"
    yield "duplicate fields", '{ quote(symbol: "crypto:BTC/USD") {' + " price" * 3_000 + "} }"
    yield "directives", '{ quote(symbol: "crypto:BTC/USD") { price' + " @skip(if: false)" * 1_000 + "} }"
    yield "circular fragments", "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }"
    chain = " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(150))
    yield "fragment chain", "{ ...f0 } " + chain + " fragment f150 on Query { __typename }"


def posted(body: bytes) -> Attack:
    """One request; the status and code of its answer."""

    async def attack(port: int, key: str) -> str:
        return await _exchange(port, request_bytes("/graphql", body, key))

    return attack


async def _exchange(port: int, *pieces: bytes, pause: float = 0.0) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    answer = asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
    try:
        with suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                if pause:
                    await asyncio.wait({answer}, timeout=pause)
                if answer.done():
                    break
        head = await asyncio.wait_for(answer, 30)
        rest = await asyncio.wait_for(reader.read(4_096), 30)
    except (asyncio.IncompleteReadError, ConnectionError):
        return "closed"
    finally:
        answer.cancel()
        writer.close()
    status, found = head.split(b" ", 2)[1].decode(), rest.decode(errors="replace").partition('"code":"')[2]
    return f"{status} {found.partition(chr(34))[0]}".strip()


async def dripped_head(port: int, key: str) -> str:
    """A header line now and then."""
    return await _exchange(port, POST, *(b"x-a: b\r\n" for _ in range(3_000)), pause=0.01)


async def dripped_body(port: int, key: str) -> str:
    """A byte of the body now and then."""
    head = POST + f"X-API-Key: {key}\r\nContent-Length: 5000\r\n\r\n".encode()
    return await _exchange(port, head, *(b" " for _ in range(4_000)), pause=0.01)


async def large_message(port: int, key: str) -> str:
    """A message on a socket."""
    url, protocol = f"ws://127.0.0.1:{port}/graphql", websockets.Subprotocol("graphql-transport-ws")
    async with websockets.connect(url, subprotocols=[protocol]) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {key}"}}))
        await socket.recv()
        with suppress(websockets.ConnectionClosed):
            await socket.send('{"type":"subscribe","id":"1","payload":{"query":"' + "a" * LARGE + '"}}')
            await asyncio.wait_for(socket.recv(), 30)
        return f"closed {socket.close_code}"


def attacks() -> dict[str, Attack]:
    """All of them by name."""
    wide = {"query": "query($s: [String!]!) { quotes(symbols: $s) { nodes { id } } }"}
    found = {name: posted(json.dumps({"query": text}).encode()) for name, text in documents()}
    found["wide variables"] = posted(json.dumps({**wide, "variables": {"s": ["x"] * 90_000}}).encode())
    found["10 MB body"] = posted(b" " * LARGE)
    return {**found, "10 MB message": large_message, "dripped head": dripped_head, "dripped body": dripped_body}


async def neighbour(port: int, key: str, stop: asyncio.Event) -> list[float]:
    """Latencies of one quote after the other, with a pause between."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    asked, found = request_bytes("/graphql", json.dumps({"query": QUOTE}).encode(), key), []
    while not stop.is_set():
        begun = time.perf_counter()
        writer.write(asked)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0]))
        found.append((time.perf_counter() - begun) * 1_000)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), PAUSE_S)
    writer.close()
    return found


async def measured(port: int, pid: int, key: str, attack: Attack | None, quiet: float) -> Seen:
    """An attack again and again with a neighbour beside it, whose own CPU (*quiet*, ms a second) is taken off."""
    stop, answer, costs = asyncio.Event(), "", list[float]()
    beside, ends = asyncio.create_task(neighbour(port, key, stop)), time.perf_counter() + REST_S
    while time.perf_counter() < ends:
        used, begun = cpu_seconds(pid), time.perf_counter()
        answer = await attack(port, key) if attack else await asyncio.sleep(REST_S, "")
        spent = (cpu_seconds(pid) - used) * 1_000
        costs.append(max(0.0, spent - quiet * (time.perf_counter() - begun)))
        await asyncio.sleep(REST_S / TIMES)
    stop.set()
    return Seen(answer=answer, cpu_ms=max(costs), latencies=sorted(await beside))


def report() -> Sequence[str]:
    """A line for each attack; the first is the neighbour alone."""
    with module("tests.bench.upstream") as (upstream, _):
        env = environment(upstream)
        key = furnish(load_settings(env, None).settings)
        with gateway(env) as (port, pid):
            ask(port, QUOTE, key)
            lines = [f"Hostile requests (target: < {TARGET_MS} ms of CPU; one connection asks for quotes meanwhile)"]
            lines.append(f"{'attack':22} {'answer':30} {'CPU ms':>8} {'p50 ms':>8} {'p99 ms':>8}")
            alone = uvloop.run(measured(port, pid, key, None, 0.0))
            lines.append(_line("none (neighbour alone)", alone))
            for name, attack in attacks().items():
                lines.append(_line(name, uvloop.run(measured(port, pid, key, attack, alone.cpu_ms / REST_S))))
            return lines


def _line(name: str, seen: Seen) -> str:
    p99 = seen.latencies[int(len(seen.latencies) * 0.99)]
    return f"{name:22} {seen.answer:30} {seen.cpu_ms:8.1f} {median(seen.latencies):8.2f} {p99:8.2f}"


if __name__ == "__main__":
    print("\n".join(report()))
