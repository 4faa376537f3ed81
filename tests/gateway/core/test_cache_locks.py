"""Locks between processes, on a real server: held while their holder works, worth nothing once they are lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import redis.asyncio
from redis.asyncio import Redis

from gateway.core.guards import shared
from gateway.core.guards.shared import SharedCache
from tests.gateway.core.fleets import processes, shared_of
from tests.gateway.doubles import BTC, World, in_turn, late, price_of, priced, venue

WAIT = 0.4
"""More than a busy machine takes for an answer, less than writes may take."""


def address_of(each: World) -> str:
    """Where bitcoin's quote of the only provider stands."""
    (lane,) = each.registry.lanes_of("quotes")
    found = shared_of(each).address(lane, lane.answer.capability, BTC)
    assert found is not None
    return found


async def test_an_upstream_that_is_slower_than_a_lock_lasts_is_called_once(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha"), lock_s=0.1) as (first, second):
        first.wire.handlers["alpha"] = late(0.35, priced("7"))

        found = await asyncio.gather(first.quote(), second.quote())

        assert [price_of(each) for each in found] == [7, 7]
        assert len(first.wire.requests) == 1


async def test_a_lock_is_renewed_no_longer_than_its_holder_works(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha"), lock_s=0.1) as (first, second):
        first.wire.handlers["alpha"] = in_turn(late(30, priced("1")), late(0.01, priced("7")))
        dying = asyncio.create_task(first.quote())
        await until_locked(redis_url, address_of(first))
        (flight,) = first.pipeline._flights.values()
        flight.task.cancel()
        dying.cancel()

        assert price_of(await second.quote()) == 7
        assert len(first.wire.requests) == 2


async def until_locked(url: str, address: str) -> None:
    client: Redis = redis.asyncio.from_url(url)
    async with asyncio.timeout(5):
        while not await client.exists(f"{address}!lock"):  # noqa: ASYNC110 - another process decides
            await asyncio.sleep(0.002)
    await client.aclose()


async def test_who_has_lost_its_lock_writes_nothing_and_frees_nothing(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha"), count=1) as (first,):
        first.wire.handlers["alpha"] = late(0.1, priced("1"))
        client: Redis = redis.asyncio.from_url(redis_url)
        asking = asyncio.create_task(first.quote())
        await until_locked(redis_url, address_of(first))
        await client.set(f"{address_of(first)}!lock", "of another", px=60_000)
        await client.set(address_of(first), b"newer")

        assert price_of(await asking) == 1
        await shared_of(first).settle()

        assert await client.get(address_of(first)) == b"newer"
        assert await client.get(f"{address_of(first)}!lock") == b"of another"
        await client.aclose()


async def test_an_answer_and_the_end_of_its_lock_come_together(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha"), count=1) as (first,):
        client: Redis = redis.asyncio.from_url(redis_url)

        await first.quote()
        await shared_of(first).settle()

        assert await client.keys("*") == [address_of(first).encode()]
        await client.aclose()


async def test_what_finds_no_place_among_what_is_to_be_written_gives_its_lock_back(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "MOST_WAITING", 10)
    async with processes(redis_url, venue("alpha"), count=1) as (first,):
        client: Redis = redis.asyncio.from_url(redis_url)

        await first.quote()
        await shared_of(first).settle()

        assert await client.dbsize() == 0
        await client.aclose()


async def test_a_lock_that_was_given_too_late_to_be_noticed_is_given_back(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha"), count=1) as (first,):
        client: Redis = redis.asyncio.from_url(redis_url)
        ask = shared_of(first).link.ask
        asked: list[str] = []

        async def deaf_to_the_second(question: Any, *, otherwise: Any, wait_s: float | None = None) -> Any:
            asked.append("")
            found = await ask(question, otherwise=otherwise, wait_s=5.0)
            return otherwise if len(asked) == 2 else found

        shared_of(first).link.ask = deaf_to_the_second  # type: ignore[method-assign]

        assert price_of(await first.quote()) == 1
        await shared_of(first).settle()

        assert await client.dbsize() == 0
        await client.aclose()


def slowed(cache: SharedCache, seconds: float) -> list[float]:
    """Makes every question of the cache take so long; how long each was allowed to take."""
    asked: list[float] = []
    ask = cache.link.ask

    async def slow(question: Any, *, otherwise: Any, wait_s: float | None = None) -> Any:
        if wait_s is not None and wait_s <= WAIT:
            asked.append(wait_s)
        found = await ask(question, otherwise=otherwise, wait_s=5.0)
        await asyncio.sleep(seconds)
        return found

    cache.link.ask = slow  # type: ignore[method-assign]
    return asked


async def test_all_that_a_read_asks_of_the_cache_has_one_time_out(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha"), count=1, wait_s=WAIT) as (first,):
        client: Redis = redis.asyncio.from_url(redis_url)
        await client.set(f"{address_of(first)}!lock", "of a dead one", px=40)
        asked = slowed(shared_of(first), 0.005)

        assert price_of(await first.quote()) == 1

        look, claim, *peeks = asked
        assert look == WAIT
        assert claim <= WAIT - 0.005
        assert peeks
        assert max(peeks) <= WAIT - 0.01
        await client.aclose()


async def test_a_read_that_lost_its_time_to_the_cache_asks_the_upstream(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha"), count=1, wait_s=WAIT) as (first,):
        client: Redis = redis.asyncio.from_url(redis_url)
        await client.set(f"{address_of(first)}!lock", "of one that works", px=60_000)
        asked = slowed(shared_of(first), 0.25)

        assert price_of(await first.quote()) == 1

        assert len(asked) == 2  # the look and the lock; for a second look no time was left
        assert shared_of(first).link.available
        await client.aclose()
