"""Upstream sockets: what comes in, how it ends, where credentials stand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from gateway.core.lines.socket import Sockets, Wire, furnished, rebased
from providers.contract import header, in_path, query
from providers.feeds import LARGEST_FRAME
from schema.errors import ConnectionFailed, KeyMissing, Malformed, Overloaded
from tests.doubles.clocks import HeldClock
from tests.doubles.sockets import Talk, socket_venue


@asynccontextmanager
async def opened(script: Callable[[Talk], object]) -> AsyncIterator[Wire]:
    async def run(talk: Talk) -> None:
        await script(talk)  # type: ignore[misc]

    async with socket_venue(run) as venue:
        sockets = Sockets(HeldClock())
        wire = await sockets.open("tape", venue.url.replace("http", "ws"), {"x-key": "k"})
        try:
            yield wire
        finally:
            await wire.close()
            await sockets.close()


async def test_text_binary_and_signs_of_life_come_as_they_were_sent_and_then_the_end():
    async def script(talk: Talk) -> None:
        assert talk.headers["x-key"] == "k"
        await talk.send("one", b"\x1f\x8b")
        await talk.ping()
        await talk.close(1012)

    async with opened(script) as wire:
        assert [await wire.receive() for _ in range(3)] == ["one", b"\x1f\x8b", None]
        with pytest.raises(ConnectionFailed, match=r"^tape: the venue has closed the connection with code 1012$"):
            await wire.receive()
        with pytest.raises(ConnectionFailed):
            await wire.send("more")
        with pytest.raises(ConnectionFailed):
            await wire.ping()


async def test_a_frame_that_is_too_large_is_malformed():
    async def script(talk: Talk) -> None:
        await talk.send(b"x" * (LARGEST_FRAME + 1))

    async with opened(script) as wire:
        with pytest.raises(Malformed, match="is too large"):
            await wire.receive()


async def test_nobody_listening_is_a_failed_connection():
    sockets = Sockets(HeldClock())

    with pytest.raises(ConnectionFailed, match="connection refused"):
        await sockets.open("tape", "ws://127.0.0.1:1/live", {})

    await sockets.close()


@asynccontextmanager
async def events(status: int, *chunks: bytes) -> AsyncIterator[str]:
    async def serve(request: web.Request) -> web.StreamResponse:
        assert request.headers["accept"] == "text/event-stream"
        reply = web.StreamResponse(status=status)
        await reply.prepare(request)
        for chunk in chunks:
            await reply.write(chunk)
            await asyncio.sleep(0.01)
        return reply

    app = web.Application()
    app.router.add_get("/stream", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/stream"  # type: ignore[union-attr]
    finally:
        await runner.cleanup()


async def collect(wire: Wire, frames: list[str | bytes | None]) -> None:
    while True:
        frames.append(await wire.receive())


async def test_server_sent_events_are_frames_of_one_way():
    sockets = Sockets(HeldClock())

    async with events(200, b'data: {"a"', b": 1}\n\n: still here\n\n", b"event: x\ndata: 2\n\n") as url:
        wire = await sockets.open("tape", url, {})
        frames: list[str | bytes | None] = []
        with pytest.raises(ConnectionFailed, match="the venue has ended the stream"):
            await collect(wire, frames)
        with pytest.raises(ConnectionFailed, match="nothing can be sent"):
            await wire.send("x")
        await wire.close()

    assert [frame for frame in frames if frame is not None] == [b'{"a": 1}', b"2"]
    assert wire.one_way
    await sockets.close()


async def test_a_refused_stream_of_events_is_what_its_status_says():
    sockets = Sockets(HeldClock())

    async with events(502, b"down") as url:
        with pytest.raises(Overloaded, match=r"^tape: HTTP 502: down$"):
            await sockets.open("tape", url, {})

    await sockets.close()


@pytest.mark.parametrize(
    ("url", "base", "there"),
    [
        ("wss://v.example:9443/ws?a=b", "", "wss://v.example:9443/ws?a=b"),
        ("wss://v.example:9443/ws?a=b", "http://127.0.0.1:9", "ws://127.0.0.1:9/tape/ws?a=b"),
        ("wss://v.example", "https://proxy.example/base/", "wss://proxy.example/base/tape"),
        ("https://v.example/v2/stream?ids=1", "http://127.0.0.1:9", "http://127.0.0.1:9/tape/v2/stream?ids=1"),
    ],
)
def test_a_base_takes_the_place_of_the_host(url: str, base: str, there: str):
    assert rebased(url, base, "tape") == there


def test_credentials_stand_where_the_feed_says():
    parts = (header("X-Key", template="Bearer {}"), query("token", name="token"), in_path(name="user"))

    url, headers = furnished("wss://v.example/{user}?v=1", "tape", parts, {"key": "k", "token": "a b&", "user": "u/v"})

    assert url == "wss://v.example/u%2Fv?v=1&token=a%20b%26"
    assert headers == {"X-Key": "Bearer k"}


def test_a_required_credential_that_is_missing_is_named():
    with pytest.raises(KeyMissing, match="set MARKETGATE_KEY_TAPE"):
        furnished("wss://v.example", "tape", (query("token"),), {})

    assert furnished("wss://v.example", "tape", (query("token", required=False),), {}) == ("wss://v.example", {})
