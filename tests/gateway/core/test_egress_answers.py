"""What receivers answer, however badly: status and excerpt, or one plain reason."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc

import pytest

from gateway.core.ports import Unreachable
from tests.gateway.core.loopback import Upstream, chunked, ok
from tests.gateway.core.receivers import PATIENCE, egress, posted, receiver

MOST = 65_536


@pytest.mark.parametrize("coded", [False, True])
@pytest.mark.parametrize(("size", "truncated"), [(MOST - 1, False), (MOST, False), (MOST + 1, True), (300_000, True)])
async def test_of_a_body_64_kb_are_read(upstream: Upstream, size: int, truncated: bool, coded: bool):
    upstream.answers["/"] = chunked(b"x" * size) if coded else ok(b"x" * size)

    async with egress() as way:
        found = await posted(way, f"{upstream.base}/")

    assert (found.status, len(found.body), found.truncated) == (200, min(size, MOST), truncated)


async def test_the_connection_of_a_body_that_was_cut_is_not_used_again(upstream: Upstream):
    size = 1_000_000
    upstream.answers["/"] = ok(b"x" * size)

    async with egress() as way:
        assert (await posted(way, f"{upstream.base}/", most=10)).body == b"x" * 10
        assert (await posted(way, f"{upstream.base}/", most=size)).body == b"x" * size
        await posted(way, f"{upstream.base}/", most=size)

    assert [call.connection for call in upstream.calls] == [1, 2, 2]


async def test_an_endless_body_is_hung_up_on_and_never_held():
    sent, gone = 0, asyncio.Event()

    async def pour(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(bytes(65_536))
                await writer.drain()
                sent += 65_536
        except ConnectionError:
            gone.set()

    async with receiver(pour) as port, egress() as way:
        found = await posted(way, f"http://127.0.0.1:{port}/")
        await asyncio.wait_for(gone.wait(), PATIENCE)

    assert (len(found.body), found.truncated) == (MOST, True)
    assert sent < 50_000_000


async def test_a_compressed_body_is_never_inflated(upstream: Upstream):
    bomb = gzip.compress(bytes(40_000_000), mtime=0)
    upstream.answers["/"] = ok(bomb, content_encoding="gzip")

    async with egress() as way:
        await posted(way, f"{upstream.base}/")
        tracemalloc.start()
        found = await posted(way, f"{upstream.base}/")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert found.body == bomb[:MOST]
    assert peak < 2_000_000


CLOSE = b"connection: close\r\n"
CHUNKS = b"transfer-encoding: chunked\r\n\r\n"
ANSWERS = {
    "HTTP/1.0 without a length": (b"HTTP/1.0 200 OK\r\n" + CLOSE + b"\r\nhello", 200, b"hello", False),
    "HTTP/1.0 with a length": (b"HTTP/1.0 200 OK\r\n" + CLOSE + b"content-length: 2\r\n\r\nhi", 200, b"hi", False),
    "no content": (b"HTTP/1.1 204 No Content\r\n" + CLOSE + b"\r\n", 204, b"", False),
    "no reason": (b"HTTP/1.1 200\r\n" + CLOSE + b"\r\n", 200, b"", False),
    "a status of its own": (b"HTTP/1.1 599 Odd\r\n" + CLOSE + b"\r\n", 599, b"", False),
    "100 first": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n" + CLOSE + b"\r\n", 201, b"", False),
    "103 first": (b"HTTP/1.1 103 Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\n" + CLOSE + b"\r\n", 200, b"", False),
    "another protocol": (b"HTTP/1.1 101 Switching\r\n" + CLOSE + b"upgrade: x\r\n\r\n", 101, b"", False),
    "the body ends early": (b"HTTP/1.1 200 OK\r\n" + CLOSE + b"content-length: 9\r\n\r\nhel", 200, b"hel", True),
    "a chunk ends early": (
        b"HTTP/1.1 200 OK\r\n" + CLOSE + CHUNKS + b"9\r\nhel", 200, b"hel", True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", ANSWERS)
async def test_a_status_line_counts_whatever_follows(upstream: Upstream, what: str):
    upstream.answers["/"], status, body, truncated = ANSWERS[what]

    async with egress() as way:
        found = await posted(way, f"{upstream.base}/")

    assert (found.status, found.body, found.truncated) == (status, body, truncated)


NO_ANSWERS = {
    "closed at once": b"connection: close",
    "reset": lambda call: None,
    "half a status line": b"HTTP/1.1 2\r\nconnection: close",
    "half a head": b"HTTP/1.1 200 OK\r\nconnection: close\r\nx: ",
    "garbage": b"garbage\r\n\r\nconnection: close",
    "TLS": b"\x16\x03\x01\x02\x00\x01connection: close\r\n\r\n",
    "HTTP/2": b"\0\0\x12\x04\0\0\0\0\0connection: close",
    "a huge header": b"HTTP/1.1 200 OK\r\nconnection: close\r\nx: " + b"y" * 100_000 + b"\r\n\r\n",
    "a huge reason": b"HTTP/1.1 200 " + b"y" * 100_000 + b"\r\nconnection: close\r\n\r\n",
    "many headers": b"HTTP/1.1 200 OK\r\nconnection: close\r\n" + b"x: y\r\n" * 10_000 + b"\r\n",
    "a chunk without a size": b"HTTP/1.1 200 OK\r\n" + CLOSE + CHUNKS + b"3\r\nhel\r\nzz\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
    "a negative length": b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: -1\r\n\r\n",
    "an endless length": b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: " + b"9" * 40 + b"\r\n\r\n",
}


@pytest.mark.parametrize("what", NO_ANSWERS)
async def test_what_is_no_answer_is_unreachable_in_words_without_secrets(upstream: Upstream, what: str):
    upstream.answers["/secret-path"] = NO_ANSWERS[what]

    async with egress() as way:
        with pytest.raises(Unreachable) as failed:
            await posted(
                way, f"{upstream.base}/secret-path?token=hunter22", headers={"authorization": "Bearer hunter23"}
            )

    assert str(failed.value) in (
        "127.0.0.1: the reply is not HTTP",
        "127.0.0.1: the connection ended before the reply",
        "127.0.0.1: connection reset by peer",
    )
    assert failed.value.__cause__ is None


async def test_a_closed_port_is_unreachable(unused_port: int):
    async with egress() as way:
        with pytest.raises(Unreachable, match=r"^127\.0\.0\.1: connection refused$"):
            await posted(way, f"http://127.0.0.1:{unused_port}/")


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_garbage_behind_an_answer_is_not_taken_for_the_next_one(upstream: Upstream):
    upstream.answers["/"] = ok(b"a") + ok(b"forged")

    async with egress() as way:
        first = await posted(way, f"{upstream.base}/")
        second = await posted(way, f"{upstream.base}/")

    assert (first.body, second.body) == (b"a", b"a")
