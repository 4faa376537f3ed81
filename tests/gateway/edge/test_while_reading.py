"""Known requests are answered while they are read: the same answers as ever, in order, with every check."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.edge import memo
from gateway.edge.memo import Pieces
from gateway.edge.routes import Edge
from gateway.edge.whole import WholeProtocol
from tests.gateway.doubles import venue
from tests.gateway.edge.stall import QUOTE, Stall, edge_of, member, open_stall

LONG = timedelta(seconds=30)
OTHER = '{ quote(symbol: "crypto:ETH/USD") { price } }'


class Counted:
    """Counts the requests that became tasks."""

    def __init__(self, edge: Edge) -> None:
        self.tasks = 0
        self.serve(edge)

    def serve(self, edge: Edge) -> None:
        self._edge, self.at_once = edge, edge.at_once

    async def __call__(self, scope, receive, send) -> None:
        self.tasks += 1
        await self._edge(scope, receive, send)


class Line:
    """One connection, spoken by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def say(self, *pieces: bytes) -> None:
        """Each piece is read by itself."""
        for piece in pieces:
            self._writer.write(piece)
            await self._writer.drain()
            for _ in range(3):
                await asyncio.sleep(0)

    async def hear(self) -> tuple[int, dict[str, str], bytes]:
        async with asyncio.timeout(20):
            head = await self._reader.readuntil(b"\r\n\r\n")
            lines = head.decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return int(lines[0].split()[1]), headers, body

    async def ask(self, *pieces: bytes) -> tuple[int, dict[str, str], bytes]:
        await self.say(*pieces)
        return await self.hear()

    async def is_closed(self) -> bool:
        async with asyncio.timeout(20):
            return await self._reader.read(1) == b""

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def serving(app: Counted, **given) -> AsyncIterator[int]:
    config = uvicorn.Config(
        app, http=WholeProtocol, lifespan="off", access_log=False, server_header=False, date_header=False,
        log_level="warning", log_config=None, proxy_headers=False, **given,
    )  # fmt: skip
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        yield listener.getsockname()[1]
        server.should_exit = True
        await task


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Line]:
    line = Line(*await asyncio.open_connection("127.0.0.1", port))
    yield line
    line.close()


def stall_of(folder: Path) -> Stall:
    return open_stall(folder, venue("alpha", fresh_for=LONG), callers={"a": member("org_a"), "b": member("org_b")})


@pytest.fixture
def stall(tmp_path) -> Stall:
    return stall_of(tmp_path)


@pytest.fixture
def app(stall) -> Counted:
    return Counted(stall.app)


@pytest.fixture
async def port(app) -> AsyncIterator[int]:
    async with serving(app) as port:
        yield port


@pytest.fixture
async def line(port) -> AsyncIterator[Line]:
    async with connected(port) as line:
        yield line


def post(document: str = QUOTE, key: str | None = "a", more: str = "", version: str = "1.1") -> bytes:
    body = json.dumps({"query": document}).encode()
    head = f"POST /graphql HTTP/{version}\r\nHost: h\r\nContent-Type: application/json\r\n{more}"
    return (head + (f"X-API-Key: {key}\r\n" if key else "") + f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def told(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, object, object]:
    """Status, data and points that are left."""
    body = json.loads(answer[2])
    return answer[0], body.get("data"), body["extensions"].get("cost", {}).get("remaining")


def unnamed(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, dict[str, str], bytes]:
    """Without what differs between any two requests."""
    status, headers, body = answer
    name = headers.pop("x-request-id")
    return status, headers, re.sub(rb'"(remaining)":\d+', b"", body.replace(name.encode(), b""))


BITCOIN = {"quote": {"price": "1", "provenance": {"provider": "alpha"}}}


async def test_a_known_request_needs_no_task_whoever_sent_it_before(app, line, port):
    answers = [told(await line.ask(post())) for _ in range(4)]

    assert answers == [(200, BITCOIN, left) for left in (99, 98, 97, 96)]
    assert app.tasks == 1
    async with connected(port) as other:
        assert told(await other.ask(post())) == (200, BITCOIN, 95)
    assert app.tasks == 1


async def test_it_gets_the_very_answer_that_a_task_would_have_sent(app, line):
    first, read, known = [await line.ask(post(more="RateLimit: no\r\n")) for _ in range(3)]
    app.at_once = None

    assert app.tasks == 1
    assert first[1]["content-type"] == "application/json; charset=utf-8"
    for answer in (read, known):
        answer[1].pop("ratelimit")
    async with serving(app) as layered, connected(layered) as line:
        layers = await line.ask(post(more="RateLimit: no\r\n"))
    layers[1].pop("ratelimit")
    assert unnamed(read) == unnamed(known) == unnamed(layers)
    assert app.tasks == 2


@pytest.mark.parametrize("again", [1, 2])
async def test_nothing_is_believed_of_a_request_that_is_known(again, line, stall):
    for _ in range(again):
        await line.ask(post())
    stall.gate.left["org_a"] = 0
    assert (await line.ask(post()))[0] == 429
    stall.gate.left["org_a"] = 5
    assert told(await line.ask(post())) == (200, BITCOIN, 4)
    del stall.gate.callers["a"]
    status, _, body = await line.ask(post())

    assert status == 401
    assert b"data" not in body


async def test_another_key_is_another_request(app, line):
    for _ in range(3):
        await line.ask(post())

    assert told(await line.ask(post(key="b"))) == (200, BITCOIN, 99)
    assert (await line.ask(post(key="nobody")))[0] == 401


async def test_requests_that_come_together_are_answered_in_order(app, line):
    for _ in range(2):
        await line.ask(post())

    await line.say(post() + post(OTHER) + post() + post())

    assert [told(await line.hear()) for _ in range(4)] == [
        (200, BITCOIN, 97), (200, {"quote": {"price": "1"}}, 96), (200, BITCOIN, 95), (200, BITCOIN, 94),
    ]  # fmt: skip


async def test_a_known_request_waits_behind_one_that_is_under_way(app, line):
    for _ in range(2):
        await line.ask(post())

    await line.say(post(OTHER), post())

    assert [told(await line.hear())[1] for _ in range(2)] == [{"quote": {"price": "1"}}, BITCOIN]


async def test_a_body_in_pieces_is_one_body(app, line):
    sent = post()
    for at in (10, len(sent) - 60, len(sent) - 1):
        assert told(await line.ask(sent[:at], sent[at:]))[1] == BITCOIN
    assert told(await line.ask(sent))[1] == BITCOIN


async def test_the_rest_of_a_request_is_not_taken_for_a_known_one(app, line):
    """What was a whole request before is a body here."""
    for _ in range(2):
        await line.ask(post())
    inner = post()
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: {len(inner)}\r\n\r\n"
    )

    status, _, body = await line.ask(head.encode(), inner)

    assert (status, json.loads(body)["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


async def test_the_rest_of_a_head_is_not_taken_for_a_known_one(app, line):
    for _ in range(2):
        await line.ask(post())

    status, _, body = await line.ask(b"POST /graphql HTTP/1.1\r\nX-API-Key: b\r\nX-Filler: ", post())

    assert (status, b"data" in body) == (401, False)


@pytest.mark.parametrize("first", [1, 2, 3])
async def test_a_connection_that_is_not_to_be_kept_is_closed(first, port):
    sent = post(more="Connection: close\r\n")
    for _ in range(first):
        async with connected(port) as line:
            status, headers, _ = await line.ask(sent)
            assert (status, headers["connection"], await line.is_closed()) == (200, "close", True)


async def test_a_silent_connection_is_closed(app):
    async with serving(app, timeout_keep_alive=1) as port, connected(port) as line:
        for _ in range(3):
            await line.ask(post())

        assert await line.is_closed()
    assert app.tasks == 1


async def test_a_fault_of_the_short_way_leaves_the_long_one(app, line, stall, monkeypatch):
    for _ in range(2):
        await line.ask(post())

    def broken(*_: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(stall.gate, "recognise", broken)
    with capture_logs() as logs:
        status, _, _ = await line.ask(post())

    assert status == 500
    assert "front_failed" in [line["event"] for line in logs]


async def test_behind_a_trusted_proxy_the_client_is_who_it_says(stall, tmp_path):
    app = Counted(edge_of(stall.gateway, stall.gate, tmp_path, trusted_proxies=(ip_network("127.0.0.0/8"),)))
    async with serving(app) as port, connected(port) as line:
        one, other = (post(key=None, more=f"X-Forwarded-For: 203.0.113.{n}\r\n") for n in (1, 2))
        for sent in (one, one, one, other, other):
            assert told(await line.ask(sent))[1] == BITCOIN

    assert app.tasks == 2


def test_pieces_are_bounded_in_number_and_bytes(monkeypatch):
    monkeypatch.setattr(memo, "MOST", 3)
    monkeypatch.setattr(memo, "MOST_BYTES", 100)
    pieces = Pieces()

    for name in "abcd":
        pieces.put(name, 10, name.upper())
        pieces.get("a")
    assert [pieces.get(name) for name in "abcd"] == ["A", None, "C", "D"]
    pieces.put("e", 90, "E")
    pieces.put("f", memo.LONGEST + 1, "F")
    assert [pieces.get(name) for name in "acdef"] == [None, None, "D", "E", None]
    assert len(pieces) == 2


REQUESTS = (
    post(),
    post(key="b"),
    post(OTHER),
    post(key=None),
    post("{ nothing }"),
    b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n",
)


async def spoken(port: int, pieces: Sequence[bytes], answers: int) -> list[tuple[int, bytes]]:
    async with connected(port) as line:
        for _ in range(2):
            await line.ask(post())
        await line.say(*pieces)
        heard = [unnamed(await line.hear()) for _ in range(answers)]
    return [(status, body) for status, _, body in heard]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_however_the_bytes_are_cut_the_answers_are_the_same(data, app, port, stall, tmp_path):
    chosen = data.draw(st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=5))
    stream = b"".join(chosen)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(stream) - 1), max_size=6)))
    pieces = [stream[start:end] for start, end in itertools.pairwise((0, *cuts, len(stream)))]

    answers = []
    for sent in (pieces, chosen):
        app.serve(edge_of(stall.gateway, stall.gate, tmp_path))
        stall.gate.left.clear()
        answers.append(await spoken(port, sent, len(chosen)))

    assert answers[0] == answers[1]
