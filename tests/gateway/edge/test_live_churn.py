"""Many come and go: nothing of them is left, here or upstream, or in Redis for longer than a minute."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import redis.asyncio
from pydantic import SecretStr

from tests.gateway.edge.floors import Floor, opened
from tests.gateway.edge.sockets import Peer, settled

QUOTES = 'subscription { quotes(symbols: ["BTC/USD"]) { cursor quotes { price } } }'
PEERS, CYCLES = 20, 50
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
