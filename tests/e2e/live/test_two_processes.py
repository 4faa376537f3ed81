"""Two real processes and a real Redis: the stream outlives the process that had it from upstream, and one that was
stopped for longer than its lease says nothing old when it wakes up."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gateway.core.live import cursors
from tests.e2e.market.process import Gateway, running
from tests.gateway.edge.sockets import Peer, dialled

QUOTES = """
subscription { quotes(symbols: ["BTC/USD"]) {
  cursor snapshot quotes { price provenance { provider mode asOf } } notices { code message }
} }
"""


@contextmanager
def fleet(folder: Path, redis_url: str) -> Iterator[tuple[Gateway, Gateway]]:
    with ExitStack() as stack:
        made = []
        for name in ("one", "two"):
            (folder / name).mkdir()
            made.append(stack.enter_context(running(folder / name, UPSTREAMS="recorded", REDIS_URL=redis_url)))
        yield made[0], made[1]


@asynccontextmanager
async def subscribed(at: Gateway) -> AsyncIterator[Peer]:
    async with dialled(at.url.replace("http", "ws") + "/graphql", headers={"x-api-key": at.key}) as peer:
        await peer.initialise()
        await peer.ask(QUOTES)
        yield peer


async def update(peer: Peer) -> dict[str, Any]:
    message = await peer.hear()
    assert message["type"] == "next", message
    return dict(message["payload"]["data"]["quotes"])


async def until_notice(peer: Peer, code: str) -> list[dict[str, Any]]:
    heard: list[dict[str, Any]] = []
    while code not in [notice["code"] for each in heard for notice in each["notices"]]:
        heard.append(await update(peer))
    return heard


async def watched(one: Gateway, two: Gateway, end: signal.Signals) -> tuple[float, list[dict[str, Any]]]:
    """How long until the subscribers of the second process hear of it, and all that they have heard."""
    async with subscribed(one) as first:
        assert (await update(first))["quotes"][0]["provenance"]["mode"] == "SIMULATED"
        async with subscribed(two) as second:
            await update(second)
            one.process.send_signal(end)
            died = time.monotonic()
            heard = await until_notice(second, "RECONNECTING")
            took = time.monotonic() - died
            if end is signal.SIGSTOP:
                one.process.send_signal(signal.SIGCONT)
            while len([each for each in heard if each["quotes"]]) < 3:
                heard.append(await update(second))
    return took, heard


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP])
def test_another_process_takes_over_within_five_seconds_and_its_subscribers_go_on(tmp_path, redis_url, end):
    found: list[tuple[float, list[dict[str, Any]]]] = []
    # One of the two is not there any more at the end, which is no defect here.
    with suppress(AssertionError), fleet(tmp_path, redis_url) as both:
        found.append(asyncio.run(watched(*both, end)))

    ((took, heard),) = found
    positions = [cursors.read(each["cursor"]) for each in heard]
    assert took < 5
    assert all(before != after for before, after in pairwise(positions))
    assert [position for each in positions for position in each.values()] == sorted(
        position for each in positions for position in each.values()
    )
