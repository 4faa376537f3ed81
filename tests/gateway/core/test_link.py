"""The guards' way to Redis: whoever is cancelled while it asks does not go on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from redis.asyncio import Redis

from gateway.core.clock import SystemClock
from gateway.core.link import RedisLink

TURNS = 25
"""Of the loop; an answer from loopback has long come then."""


async def ping(redis: Redis) -> object:
    return await redis.ping()


async def reached(url: str) -> RedisLink:
    """A link that has a connection: the first one of a process takes the library's own time."""
    async with Redis.from_url(url) as first:
        await ping(first)
    link = RedisLink(url, SystemClock(), wait_s=5.0)
    assert await link.ask(ping, otherwise=None) is True
    return link


async def survived(work: Coroutine[Any, Any, object], turns: int) -> bool:
    """Whether it went on although it was cancelled after so many turns of the loop."""
    task = asyncio.create_task(work)
    for _ in range(turns):
        await asyncio.sleep(0)
    heard = task.cancel()
    await asyncio.wait({task})
    return heard and not task.cancelled()


async def test_who_is_cancelled_while_it_asks_does_not_go_on(redis_url) -> None:
    link = await reached(redis_url)

    went_on = [turns for turns in range(TURNS) if await survived(link.ask(ping, otherwise=None), turns)]

    await link.close()
    assert went_on == []


async def test_who_is_cancelled_already_still_gets_its_answer(redis_url) -> None:
    link = await reached(redis_url)
    answers: list[object] = []

    async def tidies_up() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            answers.append(await link.ask(ping, otherwise=None))

    gone_on = await survived(tidies_up(), 1)
    await link.close()

    assert (gone_on, answers) == (False, [True])
