"""Callers that leave and upstreams that talk nonsense or never end: at the close no task and no connection is left."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from gateway.core.upstream import NetworkTransport
from schema.errors import NoAnswer
from tests.gateway.core.loopback import Call, Upstream, ok
from tests.gateway.doubles import World, pairs, venue, world

ASKED = 40
LENGTH = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n"
BAD = {
    "garbage with status 200": ok(b"\x00\xff<html>"),
    "a number for a list": ok(b"7"),
    "half a body": LENGTH + b"{",
    "half a header": b"HTTP/1.1 200 OK\r\ncontent-le",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01",
    "a reset": None,
    "more than was promised": ok(b"{}") + b"and more",
}


@asynccontextmanager
async def asking(upstream: Upstream) -> AsyncIterator[World]:
    """A core over real connections, after which nothing runs and nothing is open."""
    transport = NetworkTransport()
    yield world(venue("alpha"), transport=transport, base=upstream.base)
    await transport.close()
    for _ in range(200):
        gc.collect()
        if upstream.alive == 0 and len(asyncio.all_tasks()) == 1:
            break
        await asyncio.sleep(0.01)
    assert upstream.alive == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def left_alone(w: World, **changed: Any) -> int:
    """How many of many quotes were not answered."""

    async def ask(item: Any) -> int:
        try:
            await w.quote(item, **changed)
        except NoAnswer:
            return 1
        return 0

    return sum(await asyncio.gather(*map(ask, pairs(ASKED))))


@pytest.mark.parametrize("fault", BAD)
async def test_what_an_upstream_spoils_leaves_nothing_open(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr("gateway.core.pipeline.FLIGHT_LEAST", 0.2)
    upstream.answers["/alpha/api/quotes"] = BAD[fault]

    async with asking(upstream) as w:
        unanswered = await left_alone(w, timeout=0.2)

    assert unanswered == ASKED
    assert w.pipeline._flights == {}


async def test_callers_that_leave_take_nothing_with_them_and_leave_nothing_behind(upstream: Upstream) -> None:
    all_there, go_on = asyncio.Event(), asyncio.Event()

    async def held(call: Call) -> bytes:
        if upstream.open == ASKED:
            all_there.set()
        await go_on.wait()
        symbol = call.target.partition("symbols=")[2]
        return ok(b'{"%b": {"price": 7}}' % symbol.encode())

    upstream.answers["/alpha/api/quotes"] = held

    async with asking(upstream) as w:
        callers = [asyncio.create_task(w.quote(item)) for item in pairs(ASKED)]
        await asyncio.wait_for(all_there.wait(), 10)
        for caller in callers:
            caller.cancel()
        for caller in callers:
            with suppress(asyncio.CancelledError):
                await caller
        go_on.set()
        # The calls go on for whoever asks next: they cost no second one.
        assert await left_alone(w) == 0

    assert len(upstream.calls) == ASKED
    assert w.pipeline._flights == {}
