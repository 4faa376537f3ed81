"""Heads of requests that drip, never come, or are too large: a real server on a real socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast

import pytest
import uvicorn
from websockets.asyncio.client import connect

from gateway.edge.whole import WholeProtocol

REQUEST = b"GET / HTTP/1.1\r\nHost: h\r\n"
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class Impatient(WholeProtocol):
    """Waits for a head no longer than a test may last."""

    head_s = 0.05


class Small(WholeProtocol):
    """Takes short heads only."""

    most_head = 1_024


class App:
    """Answers nothing, as soon as it may, and counts."""

    def __init__(self) -> None:
        self.asked = 0
        self.may = asyncio.Event()
        self.may.set()

    async def __call__(self, scope, receive, send) -> None:
        self.asked += 1
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            passed = asyncio.Event()
            asyncio.get_running_loop().call_later(3 * Impatient.head_s, passed.set)
            await passed.wait()
            await send({"type": "websocket.send", "text": "late"})
            return
        await self.may.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})


@pytest.fixture
def app() -> App:
    return App()


@asynccontextmanager
async def serving(app: App, protocol: type[WholeProtocol]) -> AsyncIterator[int]:
    config = uvicorn.Config(
        app, http=protocol, lifespan="off", access_log=False, server_header=False, date_header=False,
        log_level="critical", log_config=None, ws="auto", timeout_keep_alive=60,
    )  # fmt: skip
    server = uvicorn.Server(config)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    running = asyncio.create_task(server.serve(sockets=[listener]))
    yield listener.getsockname()[1]
    app.may.set()
    server.should_exit = True
    await running


@asynccontextmanager
async def connection(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(10):
        yield reader, writer
    writer.close()


async def test_a_connection_that_says_nothing_is_closed(app):
    async with serving(app, Impatient) as port, connection(port) as (reader, _):
        assert await reader.read() == b""

    assert app.asked == 0


async def until_it_ends(reader: asyncio.StreamReader) -> bytes:
    said = b""
    with suppress(ConnectionResetError):
        while more := await reader.read(1_000):
            said += more
    return said


async def test_a_head_that_drips_is_refused_at_its_deadline_however_often_something_comes(app):
    async with serving(app, Impatient) as port, connection(port) as (reader, writer):
        writer.write(REQUEST)
        answer = asyncio.create_task(until_it_ends(reader))
        while not answer.done():
            writer.write(b"x-a: b\r\n")
            await asyncio.wait({answer}, timeout=0.01)

    # Whoever still writes to a closed connection may lose what was said on it.
    if said := answer.result():
        assert said.startswith(b"HTTP/1.1 408 ")
        assert said.endswith(b"\r\n\r\nThe head of the request was not whole in time.")
    assert app.asked == 0


async def test_a_head_in_crumbs_is_too_large_long_before_it_is_long(app):
    sent = 0
    async with serving(app, Small) as port, connection(port) as (reader, writer):
        writer.write(REQUEST)
        answer = asyncio.create_task(reader.readexactly(13))
        while not answer.done():
            writer.write(b"x")
            sent += 1
            await asyncio.wait({answer}, timeout=0.002)

    assert answer.result() == b"HTTP/1.1 431 "
    assert sent < Small.most_head / 4
    assert app.asked == 0


async def test_a_second_head_has_a_deadline_too_and_so_have_empty_lines(app):
    for dripped, status in ((b"GET / HTTP", b"HTTP/1.1 408 "), (b"\r\n", b"")):
        async with serving(app, Impatient) as port, connection(port) as (reader, writer):
            writer.write(REQUEST + b"\r\n")
            assert await reader.readexactly(len(ANSWER)) == ANSWER
            writer.write(dripped)

            assert (await reader.read()).startswith(status)

    assert app.asked == 2


async def test_a_request_under_way_is_not_ended_by_the_next_head_that_drips(app):
    app.may.clear()
    async with serving(app, Impatient) as port, connection(port) as (reader, writer):
        writer.write(REQUEST + b"\r\n" + REQUEST)
        # Longer than the deadline, by the loop's own clock.
        passed = asyncio.Event()
        asyncio.get_running_loop().call_later(3 * Impatient.head_s, passed.set)
        await passed.wait()
        app.may.set()

        assert await reader.readexactly(len(ANSWER)) == ANSWER
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")

    assert app.asked == 1


async def test_a_socket_has_no_deadline_once_it_is_one(app):
    async with (
        serving(app, Impatient) as port,
        asyncio.timeout(10),
        connect(f"ws://127.0.0.1:{port}/", proxy=None) as socket,
    ):
        assert await socket.recv() == "late"


@pytest.mark.parametrize("size", [WholeProtocol.most_head, 10_000_000])
async def test_a_head_that_is_too_large_is_refused_before_it_is_whole(app, size):
    async with serving(app, WholeProtocol) as port, connection(port) as (reader, writer):
        writer.write(REQUEST + b"x-a: " + b"b" * size)

        assert (await reader.readexactly(13)) == b"HTTP/1.1 431 "

    assert app.asked == 0


async def test_a_head_just_within_the_bound_is_read(app):
    async with serving(app, WholeProtocol) as port, connection(port) as (reader, writer):
        writer.write(REQUEST + b"x-a: " + b"b" * 48_000 + b"\r\n\r\n")

        assert await reader.readexactly(len(ANSWER)) == ANSWER

    assert app.asked == 1


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    ],
)
async def test_a_head_that_a_proxy_may_read_otherwise_is_refused(app, head):
    """https://www.rfc-editor.org/rfc/rfc9112#section-3.2 and #section-6.1"""
    async with serving(app, WholeProtocol) as port, connection(port) as (reader, writer):
        writer.write(head + REQUEST + b"\r\n")

        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")

    assert app.asked == 0


async def test_the_old_version_needs_no_host(app):
    async with serving(app, WholeProtocol) as port, connection(port) as (reader, writer):
        writer.write(b"GET / HTTP/1.0\r\n\r\n")

        assert (await reader.read()).startswith(b"HTTP/1.1 204 ")

    assert app.asked == 1


class Forgetful(WholeProtocol):
    """Waits for its readers no longer than a test may last."""

    write_s = 0.05


class Long(App):
    """Answers more than any buffer takes."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = asyncio.Event()

    async def __call__(self, scope, receive, send) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(2_000):
                await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
        finally:
            self.ended.set()


async def test_who_does_not_read_its_answer_is_let_go():
    app = Long()
    async with serving(app, Forgetful) as port, connection(port) as (_, writer):
        cast(asyncio.Transport, writer.transport).pause_reading()
        writer.write(REQUEST + b"\r\n")

        async with asyncio.timeout(20):
            await app.ended.wait()
