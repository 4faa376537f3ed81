"""What only a real server and raw bytes can show: lengths that lie, chunks, slow senders, keep-alive."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.types import Message
from structlog.testing import CapturingLogger

from gateway.edge.body import read_body
from gateway.edge.errors import Refused
from gateway.edge.middleware import access_log

GOOD = b'{"query":"{ hello }"}'
HEAD = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture
def port(build, monkeypatch) -> Iterator[int]:
    """The app behind uvicorn and httptools, as it is deployed."""
    # The server logs from its own thread, also while pytest is between captures.
    monkeypatch.setattr(access_log, "LOG", CapturingLogger())
    app = build(max_body_bytes=10_000, body_timeout_s=0.2)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http="httptools", ws="none", lifespan="off", log_level="error"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


class Wire:
    """One connection, spoken by hand."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        status = int(self._file.readline().split()[1])
        headers: dict[str, str] = {}
        while (line := self._file.readline().strip()) != b"":
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, self._file.read(int(headers.get("content-length", 0)))

    def is_closed(self) -> bool:
        return self._file.read(1) == b""


def post(body: bytes) -> bytes:
    return HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def code(body: bytes) -> str:
    return str(json.loads(body)["errors"][0]["extensions"]["code"])


def assert_alive(port: int) -> None:
    with Wire(port) as wire:
        wire.send(post(GOOD))
        status, _, body = wire.answer()
    assert (status, json.loads(body)["data"]) == (200, {"hello": "hello world"})


def test_two_requests_share_a_connection(port):
    with Wire(port) as wire:
        wire.send(post(GOOD) + post(GOOD))

        assert [wire.answer()[0] for _ in range(2)] == [200, 200]


def test_a_chunked_body_is_joined(port):
    with Wire(port) as wire:
        wire.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(GOOD[:5]) + chunk(GOOD[5:]) + chunk(b""))

        assert wire.answer()[0] == 200


def test_a_body_that_is_too_large_is_refused_and_the_connection_stays_usable(port):
    with Wire(port) as wire:
        wire.send(post(b" " * 10_001))
        status, headers, body = wire.answer()

        assert (status, code(body)) == (413, "PAYLOAD_TOO_LARGE")
        assert "connection" not in headers
        wire.send(post(GOOD))
        assert wire.answer()[0] == 200


def test_a_refusal_before_the_body_is_read_leaves_the_connection_usable(port):
    with Wire(port) as wire:
        wire.send(post(GOOD).replace(b"application/json", b"text/plain"))
        assert wire.answer()[0] == 415
        wire.send(post(GOOD))

        assert wire.answer()[0] == 200


def test_a_chunked_body_that_is_too_large_is_refused(port):
    with Wire(port) as wire:
        wire.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b" " * 5_000) * 3 + chunk(b""))
        status, _, body = wire.answer()

    assert (status, code(body)) == (413, "PAYLOAD_TOO_LARGE")
    assert_alive(port)


def test_an_endless_chunked_body_is_cut_off(port):
    with Wire(port) as wire:
        wire.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b" " * 10_000) * 17)
        status, headers, body = wire.answer()

        assert (status, headers["connection"], code(body)) == (413, "close", "PAYLOAD_TOO_LARGE")
        assert wire.is_closed()
    assert_alive(port)


async def test_a_body_in_crumbs_is_given_up_after_a_thousand():
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": b" ", "more_body": True}

    with pytest.raises(Refused, match="came in too many small pieces") as refused:
        await read_body(receive, {}, most=10_000, timeout_s=30.0)

    assert (taken, refused.value.status, refused.value.headers) == (1_003, 400, {"Connection": "close"})


async def test_a_body_in_the_pieces_of_a_slow_network_is_whole():
    pieces = [b"x" * 536] * 1_900

    async def receive() -> Message:
        return {"type": "http.request", "body": pieces.pop(), "more_body": bool(pieces)}

    assert len(await read_body(receive, {}, most=2**20, timeout_s=30.0)) == 1_018_400


def test_a_body_shorter_than_it_says_is_given_up_in_time(port):
    with Wire(port) as wire:
        wire.send(HEAD + b"Content-Length: 500\r\n\r\n" + GOOD)
        status, headers, body = wire.answer()

        assert (status, headers["connection"], code(body)) == (408, "close", "REQUEST_TIMEOUT")
        assert wire.is_closed()
    assert_alive(port)


def test_a_client_that_leaves_in_the_middle_leaves_no_trace(port, world):
    with Wire(port) as wire:
        wire.send(HEAD + b"Content-Length: 500\r\n\r\n" + GOOD)

    assert_alive(port)
    assert world.calls == ["hello world"]


def test_bytes_beyond_the_length_are_no_part_of_the_body(port):
    with Wire(port) as wire:
        wire.send(HEAD + f"Content-Length: {len(GOOD)}\r\n\r\n".encode() + GOOD + b"garbage\r\n\r\n")

        assert wire.answer()[0] == 400
    assert_alive(port)


@pytest.mark.parametrize("length", [b"-1", b"abc", b"99999999999999999999999", b"1, 2"])
def test_a_length_that_is_no_length_is_refused(length, port):
    with Wire(port) as wire:
        wire.send(HEAD + b"Content-Length: " + length + b"\r\n\r\n" + GOOD)

        assert wire.answer()[0] == 400
    assert_alive(port)


def test_a_declared_length_beyond_the_limit_is_refused(port):
    with Wire(port) as wire:
        wire.send(HEAD + b"Content-Length: 4000000000\r\n\r\n" + b" " * 200_000)
        status, headers, body = wire.answer()

        assert (status, headers["connection"], code(body)) == (413, "close", "PAYLOAD_TOO_LARGE")
    assert_alive(port)


def test_length_and_chunks_together_are_one_request_at_most(port, world):
    with Wire(port) as wire:
        wire.send(HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(GOOD) + chunk(b""))

        assert wire.answer()[0] in (200, 400)
    assert len(world.calls) <= 1
    assert_alive(port)


def test_an_upload_that_waits_for_leave_gets_it(port):
    with Wire(port) as wire:
        wire.send(HEAD + f"Expect: 100-continue\r\nContent-Length: {len(GOOD)}\r\n\r\n".encode())
        assert wire.answer()[0] == 100
        wire.send(GOOD)

        assert wire.answer()[0] == 200
