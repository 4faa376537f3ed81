"""Hostile requests, and a process that sends them: `python -m tests.bench.attacks PORT KEY`.

A line on its input is a name and the seconds to go on for (0: once); a line of JSON says what was answered, how often.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import uvloop
import websockets

from tests.bench.load import request_bytes

LARGE = 10_000_000
BETWEEN_S = 0.02
QUOTE = 'quote(symbol: "crypto:BTC/USD")'
JSON_POST = b"POST /graphql HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"

Attack = Callable[[int, str, int], Awaitable[str]]
"""Port, key and a number that no other attack has, so that none is known from before; what was answered."""


def documents() -> Iterator[tuple[str, str]]:
    """Documents that are refused, or cost no more than others."""
    yield "nesting", "{" + "node(id: 1) { ... on Quote {" * 5_000
    spread = "".join(f" a{n}: {QUOTE} {{ price }}" for n in range(1_000))
    yield "aliases in fragments", "{ ...a } fragment a on Query {" + spread + "}"
    yield "duplicate fields", f"{{ {QUOTE} {{" + " price" * 3_000 + "} }"
    yield "directives", f"{{ {QUOTE} {{ price" + " @skip(if: false)" * 1_000 + "} }"
    yield "circular fragments", "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }"
    chain = " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(150))
    yield "fragment chain", "{ ...f0 } " + chain + " fragment f150 on Query { __typename }"
    unused = " ".join(f"fragment f{n} on Query {{ a: {QUOTE} {{ price id bid ask }} }}" for n in range(190))
    yield "fragments unused", "{ __typename } " + unused
    yield "7,000 unknown fields", f"{{ {QUOTE} {{" + " ".join(f"f{n}" for n in range(7_000)) + "} }"
    yield "unknown input fields", '{ quote(symbol: "x", route: {' + " ".join(f"a{n}: 1" for n in range(2_500)) + "}) }"
    yield "input fields that fit", '{ quote(symbol: "x", route: {' + " ".join(f"a{n}: 1" for n in range(600)) + "}) }"
    yield "10,000 variables", "query (" + " ".join(f"$v{n}: Int" for n in range(10_000)) + ") { __typename }"
    yield "very long name", "{ " + "a" * 90_000 + " }"
    yield "long string", '{ quote(symbol: "' + "x" * 90_000 + '") { price } }'
    yield "unicode escapes", '{ quote(symbol: "' + "\\uD83D\\uDE00" * 7_500 + '") { price } }'
    types = "__schema { types { name fields { name type { name } } } }"
    yield "introspection", "{" + " ".join(f"a{n}: {types}" for n in range(200)) + "}"


def bodies() -> Iterator[tuple[str, bytes]]:
    """Bodies that cost before there is a document."""
    wide = {"query": "query($s: [String!]!) { quotes(symbols: $s) { nodes { id } } }"}
    yield "wide variables", json.dumps({**wide, "variables": {"s": ["x"] * 90_000}}).encode()
    yield "100,000 objects", b'{"query":"{a}","variables":{"x":[' + b",".join([b'{"":[]}'] * 100_000) + b"]}}"
    yield "deep JSON", b'{"query":"{a}","variables":{"x":' + b"[" * 500_000 + b"]" * 500_000 + b"}}"
    yield "huge number", b'{"query":"{a}","variables":{"x":' + b"9" * 1_000_000 + b"}}"
    yield "500,000 numbers", b'{"query":"{a}","variables":{"x":[' + b"0," * 500_000 + b"1234567890123456789]}}"
    yield "escapes in JSON", b'{"query":"' + b"\\u0441" * 170_000 + b'"}'
    yield "100,000 batch items", b"[" + b"0," * 100_000 + b"0]"
    yield "10 MB body", b" " * LARGE


def posted(body: bytes) -> Attack:
    """One request; the status and code of its answer."""

    async def attack(port: int, key: str, number: int) -> str:
        return await _exchange(port, request_bytes("/graphql", body, key))

    return attack


def asked(document: str) -> Attack:
    """A document that was never sent before."""

    async def attack(port: int, key: str, number: int) -> str:
        body = json.dumps({"query": f"# {number}\n{document}"}).encode()
        return await _exchange(port, request_bytes("/graphql", body, key))

    return attack


async def batch(port: int, key: str, number: int) -> str:
    """Ten documents, as large together as they may be."""
    fields = " ".join(f"f{n}" for n in range(780))
    items = [{"query": f"{{ {QUOTE} {{ x{number + n} {fields} }} }}"} for n in range(10)]
    return await _exchange(port, request_bytes("/graphql", json.dumps(items).encode(), key))


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


async def gzip_bomb(port: int, key: str, number: int) -> str:
    """Ten megabytes in ten kilobytes."""
    body = gzip.compress(b" " * LARGE)
    head = JSON_POST + f"X-API-Key: {key}\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return await _exchange(port, head, body)


async def dripped_head(port: int, key: str, number: int) -> str:
    """A header line now and then."""
    return await _exchange(port, JSON_POST, *(b"x-a: b\r\n" for _ in range(3_000)), pause=0.01)


async def dripped_body(port: int, key: str, number: int) -> str:
    """A byte of the body now and then."""
    head = JSON_POST + f"X-API-Key: {key}\r\nContent-Length: 5000\r\n\r\n".encode()
    return await _exchange(port, head, *(b" " for _ in range(4_000)), pause=0.01)


def said(text: str, *, packed: bool = False) -> Attack:
    """A message on a socket, *packed* as WebSocket's own compression does it."""

    async def attack(port: int, key: str, number: int) -> str:
        url, protocol = f"ws://127.0.0.1:{port}/graphql", websockets.Subprotocol("graphql-transport-ws")
        compression = "deflate" if packed else None
        async with websockets.connect(url, subprotocols=[protocol], compression=compression) as socket:
            await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {key}"}}))
            await socket.recv()
            with suppress(websockets.ConnectionClosed):
                await socket.send(text)
                return str(json.loads(await asyncio.wait_for(socket.recv(), 30))["payload"][0]["extensions"]["code"])
        return f"closed {socket.close_code}"

    return attack


def attacks() -> dict[str, Attack]:
    """All of them by name."""
    message = '{"type":"subscribe","id":"1","payload":{"query":"' + "a" * LARGE + '"}}'
    found: dict[str, Attack] = {name: asked(text) for name, text in documents()}
    found |= {name: posted(body) for name, body in bodies()}
    found |= {
        "batch of ten": batch,
        "gzip bomb": gzip_bomb,
        "10 MB message": said(message),
        "10 MB message, packed": said(message, packed=True),
    }
    return {**found, "dripped head": dripped_head, "dripped body": dripped_body}


async def sent(name: str, seconds: float, port: int, key: str) -> dict[str, object]:
    """The last answer and how many there were; what is under way when the time is over is broken off."""
    attack, begun, answer, count = attacks()[name], time.monotonic(), "", 0
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds or None):
            while not count or (seconds and time.monotonic() < begun + seconds):
                answer = await attack(port, key, time.monotonic_ns())
                count += 1
                await asyncio.sleep(BETWEEN_S)
    return {"answer": answer, "count": count}


if __name__ == "__main__":
    for line in sys.stdin:
        wanted, until = line.rstrip("\n").rsplit(" ", 1)
        print(json.dumps(uvloop.run(sent(wanted, float(until), int(sys.argv[1]), sys.argv[2]))), flush=True)
