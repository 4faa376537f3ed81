"""Redis frozen, gone, empty again, full or read-only: every question is answered all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import redis.asyncio

from gateway.core.bus import LocalBus, Message
from gateway.core.cachedesk import DROPPED, MOST_UNHEARD, CacheDrops
from gateway.core.link import FAIR_S, PAUSE_S, WAIT_S
from tests.gateway.core.fleets import processes, shared_of
from tests.gateway.doubles import BTC, ETH, in_turn, price_of, priced, venue
from tests.servers import RestartableValkey, restartable_valkey


@pytest.fixture
def server() -> Iterator[RestartableValkey]:
    with restartable_valkey() as made:
        yield made


async def test_nobody_waits_for_a_frozen_redis_longer_than_the_time_out_and_then_nobody_at_all(
    server: RestartableValkey,
) -> None:
    async with processes(server.url, venue("alpha"), count=1, wait_s=WAIT_S) as (alone,):
        await alone.quote()
        await shared_of(alone).settle()
        server.freeze()
        asked: list[float] = []
        alone.pipeline.fleet.shared.link.ask = noting(alone.pipeline.fleet.shared.link.ask, asked)

        assert price_of(await alone.quote(ETH)) == 1
        assert sum(asked) <= WAIT_S
        before = len(asked)
        alone.clock.turn(1)
        assert price_of(await alone.quote(ETH)) == 1
        assert len(asked) == before

        server.thaw()
        alone.clock.turn(PAUSE_S)
        await alone.quote(BTC)
        assert alone.pipeline.fleet.shared.link.available


async def test_only_who_gave_it_a_fair_time_says_that_redis_is_away(server: RestartableValkey) -> None:
    async with processes(server.url, venue("alpha"), count=1) as (alone,):
        link = shared_of(alone).link
        await link.ask(lambda redis: redis.ping(), otherwise=None)
        server.freeze()

        await link.ask(lambda redis: redis.ping(), otherwise=None, wait_s=FAIR_S / 2)
        doubtful = link.available
        await link.ask(lambda redis: redis.ping(), otherwise=None, wait_s=FAIR_S)

        assert (doubtful, link.available) == (True, False)
        server.thaw()


def noting(ask, asked):
    """The longest that each question would have waited."""

    async def noted(question, *, otherwise, wait_s=None):
        if wait_s is not None and wait_s <= WAIT_S:
            asked.append(wait_s)
        return await ask(question, otherwise=otherwise, wait_s=wait_s)

    return noted


async def test_a_redis_that_is_gone_and_comes_back_empty_fails_no_query(server: RestartableValkey) -> None:
    async with processes(server.url, venue("alpha")) as (first, second):
        await first.quote()
        await shared_of(first).settle()
        server.stop()

        for each in (first, second):
            assert price_of(await each.quote(ETH)) == 1
            assert price_of(await each.quote(BTC)) == 1
            each.clock.turn(PAUSE_S + 1)
        server.start()

        assert price_of(await first.quote(BTC)) == 1
        await shared_of(first).settle()
        before = len(first.wire.requests)
        assert price_of(await second.quote(BTC)) == 1
        assert len(first.wire.requests) == before


async def test_a_full_redis_fails_no_query_and_is_still_read(server: RestartableValkey) -> None:
    async with processes(server.url, venue("alpha")) as (first, second):
        await first.quote()
        await shared_of(first).settle()
        client = redis.asyncio.from_url(server.url)
        await client.config_set("maxmemory", "1")

        found = await asyncio.gather(first.quote(ETH), second.quote(ETH), second.quote(BTC))
        await shared_of(first).settle()

        assert [price_of(each) for each in found] == [1, 1, 1]
        assert first.wire.asked("alpha") == [["BTC-USD"], ["ETH-USD"], ["ETH-USD"]]
        assert first.pipeline.fleet.shared.link.available
        await client.aclose()


async def test_a_read_only_redis_fails_no_query_and_is_still_read(server: RestartableValkey) -> None:
    async with processes(server.url, venue("alpha")) as (first, second):
        await first.quote()
        await shared_of(first).settle()
        client = redis.asyncio.from_url(server.url)
        await client.execute_command("REPLICAOF", "127.0.0.1", "1")

        found = [await second.quote(BTC), await second.quote(ETH)]
        await shared_of(second).settle()

        assert [price_of(each) for each in found] == [1, 1]
        assert first.wire.asked("alpha") == [["BTC-USD"], ["ETH-USD"]]
        await client.aclose()


async def test_hostile_bytes_under_a_key_are_a_miss(server: RestartableValkey) -> None:
    async with processes(server.url, venue("alpha")) as (first, second):
        await first.quote()
        await shared_of(first).settle()
        client = redis.asyncio.from_url(server.url)
        for key in await client.keys("*BTC*"):
            await client.set(key, b"\x80\x04cos\nsystem\n")

        assert price_of(await second.quote(BTC)) == 1

        assert len(first.wire.requests) == 2
        await client.aclose()


class ForgetfulBus(LocalBus):
    """Loses what it is given while it is away."""

    away = False

    async def publish(self, topic: str, message: Message) -> None:
        self.lost += self.away
        await super().publish(topic, message)


async def test_a_drop_that_redis_does_not_hear_is_gone_here_and_told_to_all_when_it_is_back(
    server: RestartableValkey,
) -> None:
    async with processes(server.url, venue("alpha")) as (first, second):
        first.wire.handlers["alpha"] = in_turn(priced("1"), priced("2"))
        desk, other = (CacheDrops(each.pipeline, LocalBus(), shared_of(each)) for each in (first, second))
        await other.look()
        for each in (first, second):
            await each.quote()
            await shared_of(each).settle()
        server.freeze()

        await desk.drop("alpha", "quotes", None)
        await desk.repeat()
        held = len(first.pipeline.cache), len(second.pipeline.cache)
        server.thaw()
        first.clock.turn(PAUSE_S)
        await desk.repeat()
        await other.look()

        assert held == (0, 1)
        assert len(second.pipeline.cache) == 0
        assert price_of(await second.quote()) == 2
        assert desk._unheard == {}


async def test_a_drop_that_the_bus_lost_is_told_again(server: RestartableValkey) -> None:
    async with processes(server.url, venue("alpha"), count=1) as (first,):
        bus = ForgetfulBus()
        heard: list[str] = []
        bus.subscribe(DROPPED, lambda message: heard.append(message["provider"]))
        desk = CacheDrops(first.pipeline, bus, shared_of(first))
        bus.away = True
        await desk.drop("alpha", None, None)
        bus.away = False

        await desk.repeat()
        await desk.repeat()

        assert heard == ["alpha", "alpha"]


async def test_of_more_drops_than_are_remembered_the_whole_providers_are_dropped(server: RestartableValkey) -> None:
    async with processes(server.url, venue("alpha"), count=1) as (first,):
        bus = ForgetfulBus()
        desk = CacheDrops(first.pipeline, bus, shared_of(first))
        bus.away = True

        for number in range(MOST_UNHEARD + 1):
            await desk.drop("alpha", "quotes", f"crypto:A{number}/USD")

        assert list(desk._unheard) == [("alpha", None, None)]
