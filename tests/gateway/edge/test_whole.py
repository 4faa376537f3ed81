"""Answers in one write: a real server on a real socket, asked byte by byte."""

from __future__ import annotations

import asyncio
import inspect
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.edge.whole import COPIED, EXTENSION, WholeProtocol, lines_of

LONG = b"x" * (COPIED + 1)
LINES = lines_of([(b"x-fixed", b"1")])
HEAD = b"HTTP/1.1 200 OK\r\n"


class App:
    """Answers in one write where it is asked for `/whole`, in two messages elsewhere."""

    def __init__(self) -> None:
        self.told: list[bool] = []
        self.headers: list[tuple[bytes, bytes]] = []

    async def __call__(self, scope, receive, send) -> None:
        message = await receive()
        self.headers = scope["headers"]
        parts = (LONG, b"!") if scope["query_string"] else (b"hello ", message["body"])
        headers = [(b"content-length", b"%d" % sum(map(len, parts)))]
        if scope["path"] == "/whole":
            whole = scope["extensions"][EXTENSION]
            self.told = [whole(200, LINES, headers, parts), whole(200, LINES, headers, parts)]
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-fixed", b"1"), *headers]})
        await send({"type": "http.response.body", "body": b"".join(parts)})


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
async def port(app: App) -> AsyncIterator[int]:
    config = uvicorn.Config(
        app, http=WholeProtocol, lifespan="off", access_log=False, server_header=False, date_header=False,
        log_level="warning", log_config=None, port=0,
    )  # fmt: skip
    server = uvicorn.Server(config)
    # It listens before it serves: nobody need wait for the start.
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield listener.getsockname()[1]
    server.should_exit = True
    await serving


async def said(port: int, *requests: bytes, rest: int) -> bytes:
    """What comes back to requests sent at once, *rest* bytes of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"".join(requests))
    async with asyncio.timeout(10):
        answer = await reader.readexactly(rest)
    writer.close()
    await writer.wait_closed()
    return answer


def request(path: str, body: bytes = b"you", version: str = "1.1", more: str = "") -> bytes:
    return f"POST {path} HTTP/{version}\r\nHost: h\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


def answer(*, close: bool = False, body: bytes = b"hello you") -> bytes:
    closing = b"connection: close\r\n" if close else b""
    return HEAD + b"x-fixed: 1\r\ncontent-length: %d\r\n" % len(body) + closing + b"\r\n" + body


async def test_one_write_says_what_two_messages_say_and_only_once(port, app):
    expected = answer()

    assert await said(port, request("/whole"), rest=len(expected)) == expected
    assert await said(port, request("/two"), rest=len(expected)) == expected
    assert app.told == [True, False]


async def test_what_follows_a_body_in_chunks_is_no_header(port, app):
    chunked = b"POST /two HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyou\r\n0\r\n"
    expected = answer() * 2

    assert await said(port, chunked + b"X-API-Key: mine\r\n\r\n", request("/two"), rest=len(expected)) == expected
    assert await said(port, chunked + b"X-Forwarded-For: 1.2.3.4\r\n\r\n", rest=len(answer())) == answer()
    assert app.headers == [(b"host", b"h"), (b"transfer-encoding", b"chunked")]


async def test_a_long_part_is_sent_as_it_is(port):
    expected = answer(body=LONG + b"!")

    assert await said(port, request("/whole?long"), rest=len(expected)) == expected


async def test_a_connection_is_used_again_also_for_requests_that_came_together(port):
    expected = answer() * 3

    assert await said(port, request("/whole"), request("/two"), request("/whole"), rest=len(expected)) == expected


@pytest.mark.parametrize(("version", "more"), [("1.0", ""), ("1.1", "Connection: close\r\n")])
async def test_a_connection_that_is_not_to_be_kept_is_closed(version, more, port):
    expected = answer(close=True)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    writer.write(request("/whole", version=version, more=more))

    async with asyncio.timeout(10):
        assert await reader.read() == expected
    writer.close()


def test_the_inside_of_the_server_is_as_it_was_when_this_was_written():
    """Fails when uvicorn changes what `gateway/edge/whole.py` relies on: read its `send` anew then."""
    assert list(inspect.signature(HttpToolsProtocol._start_asgi_task).parameters) == ["self", "cycle", "app"]
    source = inspect.getsource(RequestResponseCycle)
    for name in (
        "disconnected", "flow.write_paused", "response_started", "access_log", "default_headers", "keep_alive",
        "response_complete", "waiting_for_100_continue", "transport.write", "message_event.set()", "on_response()",
    ):  # fmt: skip
        assert f"self.{name}" in source
    source = inspect.getsource(HttpToolsProtocol)
    for line in (
        "self.app = config.loaded_app", "self.cycle.more_body = False", "self.cycle.body += body",
        "self._start_asgi_task(self.cycle, app)", "self.server_state.total_requests += 1",
        "self.timeout_keep_alive, self.timeout_keep_alive_handler", "self.timeout_keep_alive_task.cancel()",
        "self.server_state.default_headers", "self.parser.feed_data(data)", "self.scheme =", "self.client =",
    ):  # fmt: skip
        assert line in source
