"""Many come and go: nothing of them is left, here or upstream, or in Redis for longer than a minute."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

import redis.asyncio
from pydantic import SecretStr

from tests.gateway.edge.floors import Floor, opened
from tests.gateway.edge.sockets import Peer, settled

SYMBOLS = ("BTC/USD", "ETH/USD", "SOL/USD")
QUOTES = 'subscription { quotes(symbols: ["BTC/USD"]) { cursor quotes { price } } }'
PEERS, CYCLES = 20, 50
HASTY, STEPS = 1_000, 40
"""Subscriptions of one socket that are ended soon, each at another step on its way to the stream from upstream."""
HERE = ("Socket.", "Operations.", "Broadcast.", "run_asgi", "Hub.", "Leader.")


def ours(before: set[asyncio.Task[Any]]) -> list[str]:
    names = [str(task.get_coro()) for task in asyncio.all_tasks() - before if not task.done()]
    return [name for name in names if any(each in name for each in HERE)]


async def comes_and_goes(peer: Peer, times: int) -> None:
    """Subscribe, hear the first message, leave."""
    for number in range(times):
        await peer.ask(QUOTES, str(number))
        while (await peer.hear()).get("id") != str(number):
            pass
        await peer.say({"type": "complete", "id": str(number)})


async def breaks(floor: Floor) -> None:
    async with floor.dial() as peer:
        await peer.ask(QUOTES)
        await peer.hear()
        peer.connection.transport.abort()


async def churn(floor: Floor) -> None:
    """1,000 subscriptions that are ended, and 500 connections that break."""
    floor.lines.price("sandbox", "100")
    async with AsyncExitStack() as stack:
        stays = [await stack.enter_async_context(floor.dial()) for _ in range(PEERS)]
        async with asyncio.TaskGroup() as group:
            for peer in stays:
                group.create_task(comes_and_goes(peer, CYCLES))
    for _ in range(25):
        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(breaks(floor))


async def changes_its_mind(floor: Floor) -> None:
    """Subscribe, and leave at every step on the way to the stream from upstream."""
    hub, executor = floor.gateway.live.hub, floor.executor
    # Nobody comes back: each subscription opens its stream anew.
    hub._grace_s = 0.0
    async with floor.dial() as peer:
        way = min([await way_upstream(floor, peer) for _ in range(10)])
        hearing = asyncio.create_task(drained(peer))
        for number in range(HASTY):
            await peer.ask(QUOTES.replace("BTC/USD", SYMBOLS[number % len(SYMBOLS)]), str(number))
            await asyncio.sleep(number % STEPS * 1.5 * way / STEPS)
            await peer.say({"type": "complete", "id": str(number)})
        await settled(lambda: (len(executor.broadcasts), hub.streams, floor.lines.open_now) == (0, 0, []))
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
    await settled(lambda: floor.gateway.allowances._under_way == {})


async def way_upstream(floor: Floor, peer: Peer) -> float:
    """Seconds from a subscription to the line that is opened for it."""
    begun, opened = time.perf_counter(), len(floor.lines.opened)
    await peer.ask(QUOTES)
    while len(floor.lines.opened) == opened:  # noqa: ASYNC110 - to the moment
        await asyncio.sleep(0)
    took = time.perf_counter() - begun
    await peer.say({"type": "complete", "id": "1"})
    await settled(lambda: floor.lines.open_now == [])
    return took


async def drained(peer: Peer) -> None:
    async for text in peer.connection:
        assert '"error"' not in str(text), text


async def nothing_left(floor: Floor) -> None:
    await settled(lambda: len(floor.executor.broadcasts) == 0)
    await settled(lambda: floor.gateway.allowances._under_way == {})
    # The one stream that all of them shared goes on for a while, should somebody come back.
    assert floor.gateway.live.hub.streams <= 1
    # A Redis that is late on a busy machine loses a lease, which is then taken anew: never two lines at a time.
    assert set(floor.lines.opened) == {"sandbox"}


async def test_a_thousand_cycles_and_five_hundred_breaks_leave_no_task_socket_or_stream(settings_and_key) -> None:
    before = asyncio.all_tasks()
    async with asyncio.timeout(90), opened(*settings_and_key) as floor:
        await churn(floor)
        await nothing_left(floor)
    assert ours(before) == []


async def test_with_redis_what_is_left_there_expires_within_a_minute(settings_and_key, redis_url) -> None:
    made, key = settings_and_key
    before = asyncio.all_tasks()
    async with asyncio.timeout(90), opened(made.model_copy(update={"redis_url": SecretStr(redis_url)}), key) as floor:
        floor.gateway.live.start()
        await churn(floor)
        await nothing_left(floor)
    client = redis.asyncio.Redis.from_url(redis_url)
    left = {name.decode(): await client.pttl(name) async for name in client.scan_iter("marketgate*live*")}
    await client.aclose()
    assert ours(before) == []
    assert [name for name, ttl in left.items() if not 0 < ttl <= 60_000] == []


async def test_who_leaves_at_any_step_of_a_subscription_leaves_nothing(settings_and_key) -> None:
    before = asyncio.all_tasks()
    async with asyncio.timeout(60), opened(*settings_and_key) as floor:
        await changes_its_mind(floor)
    assert ours(before) == []


async def test_who_leaves_at_any_step_of_a_subscription_leaves_nothing_with_redis(settings_and_key, redis_url) -> None:
    made, key = settings_and_key
    before = asyncio.all_tasks()
    async with asyncio.timeout(60), opened(made.model_copy(update={"redis_url": SecretStr(redis_url)}), key) as floor:
        floor.gateway.live.start()
        await changes_its_mind(floor)
    assert ours(before) == []
