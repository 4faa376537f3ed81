"""One process of a fleet has the connections of a feed that takes few; over a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.core.clock import SystemClock
from gateway.core.lines import homes
from gateway.core.lines.homes import FleetHomes
from gateway.core.link import RedisLink


class Process:
    """One with a way to Redis of its own."""

    def __init__(self, redis_url: str) -> None:
        self.link = RedisLink(redis_url, SystemClock(), wait_s=2.0)
        self.homes = FleetHomes(self.link, SystemClock())
        self.used = True
        self.lost = asyncio.Event()

    async def take(self, name: str = "finnhub:") -> bool:
        return await self.homes.take(name, lambda: self.used, self.lost.set)

    async def close(self) -> None:
        await self.homes.close()
        await self.link.close()


@pytest.fixture
async def two(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Process, Process]]:
    monkeypatch.setattr(homes, "RENEWED_S", 0.05)
    one, other = Process(redis_url), Process(redis_url)
    yield one, other
    await one.close()
    await other.close()


async def test_one_process_has_a_home_and_the_other_none(two: tuple[Process, Process]):
    one, other = two

    assert [await one.take(), await one.take(), await other.take(), await other.take("polygon:")] == [
        True, True, False, True,
    ]  # fmt: skip


async def test_a_home_that_nobody_needs_any_more_is_the_next_ones(two: tuple[Process, Process]):
    one, other = two
    await one.take()

    one.used = False
    await one.homes._held["finnhub:"]

    assert await other.take()
    assert not one.lost.is_set()
    assert not await one.take()


async def test_who_closes_gives_its_home_back(two: tuple[Process, Process]):
    one, other = two
    await one.take()

    await one.homes.close()

    assert await other.take()


async def test_who_has_lost_its_lease_to_another_is_told(two: tuple[Process, Process], monkeypatch):
    one, other = two
    await one.take()
    await one.link.ask(lambda redis: redis.flushdb(), otherwise=None)

    taken = await other.take()

    assert taken
    async with asyncio.timeout(10):
        await one.lost.wait()


async def test_while_redis_is_away_nobody_gets_a_home_and_who_has_one_keeps_it(two: tuple[Process, Process]):
    one, other = two
    await one.take()
    for each in two:
        await each.link.close()
        each.link._redis.connection_pool.connection_kwargs["port"] = 9

    assert [await one.take(), await other.take()] == [True, False]
    assert not one.lost.is_set()
