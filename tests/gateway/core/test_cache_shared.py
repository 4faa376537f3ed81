"""The shared cache, on a real server: what one process fetched serves the others, as it should and no longer."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
import redis.asyncio
from redis.asyncio import Redis

from gateway.core.account import Account, Reach
from gateway.core.bus import LocalBus
from gateway.core.cachedesk import CacheDrops
from gateway.core.fetchlog import FetchLog
from gateway.core.guards.fleettime import FleetTime
from gateway.core.guards.warmth import Warmth
from schema.provenance import CacheStatus
from tests.gateway.core.fleets import processes, shared_of
from tests.gateway.doubles import BTC, ETH, SOL, codes, failing, in_turn, late, price_of, priced, venue


async def test_a_second_process_asks_no_upstream_for_what_the_first_one_has(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha")) as (first, second):
        first.wire.handlers["alpha"] = priced("1.50")
        fetched = await first.quote()
        await shared_of(first).settle()
        log = FetchLog()

        found = await second.quote(log=log)

        assert (found.value, found.provenance) == (fetched.value, fetched.provenance)
        assert str(found.value.price) == "1.50"
        assert found.value.provenance is found.provenance
        assert log.status(found.provenance) is CacheStatus.HIT
        assert len(first.wire.requests) == 1


async def test_an_answer_is_as_fresh_in_the_second_process_as_in_the_first(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha")) as (first, second):
        await first.quote()
        await shared_of(first).settle()
        second.clock.turn(1.5)
        await second.quote()
        second.clock.turn(0.49)
        await second.quote()
        assert len(first.wire.requests) == 1

        second.clock.turn(0.02)
        await second.quote()

        assert len(first.wire.requests) == 2


@pytest.mark.parametrize("ahead", [-3600, 3600])
async def test_machines_whose_clocks_differ_agree_on_the_age_of_a_copy(ahead: int, redis_url: str) -> None:
    async with processes(redis_url, venue("alpha")) as (first, second):
        for each in (first, second):
            shared_of(each).time = FleetTime(each.clock)
        first.clock._now += timedelta(seconds=ahead)
        await first.quote()
        await shared_of(first).settle()

        found = await second.quote()

        assert len(first.wire.requests) == 1
        assert timedelta(0) <= second.clock.now() - found.provenance.fetched_at < timedelta(seconds=1)
        held = second.pipeline.cache.get(next(iter(second.pipeline.cache._entries)))
        assert held is not None
        assert held.fetched <= second.clock.monotonic()
        assert held.fresh_until - held.fetched == pytest.approx(2.0)


async def test_items_of_a_batch_are_shared_one_by_one(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha")) as (first, second):
        await first.quotes(BTC, ETH)
        await shared_of(first).settle()

        found = await second.quotes(ETH, SOL)

        assert [price_of(found[item]) for item in (ETH, SOL)] == [Decimal(1), Decimal(1)]
        assert first.wire.asked("alpha") == [["BTC-USD", "ETH-USD"], ["SOL-USD"]]


async def test_five_processes_that_ask_at_once_make_one_call(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha"), count=5) as worlds:
        worlds[0].wire.handlers["alpha"] = late(0.05, priced("7"))

        found = await asyncio.gather(*(each.quote() for each in worlds for _ in range(3)))

        assert {price_of(each) for each in found} == {Decimal(7)}
        assert len(worlds[0].wire.requests) == 1


async def test_who_waits_for_another_process_says_so(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha")) as (first, second):
        first.wire.handlers["alpha"] = late(0.05, priced("7"))
        one, other = FetchLog(), FetchLog()

        found = await asyncio.gather(first.quote(log=one), second.quote(log=other))

        statuses = {one.status(found[0].provenance), other.status(found[1].provenance)}
        assert statuses == {CacheStatus.MISS, CacheStatus.COALESCED}


async def test_the_lock_of_a_process_that_died_ends_and_one_goes_on(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha"), count=3) as (dead, *alive):
        address = shared_of(dead).address(dead.registry.lanes_of("quotes")[0], dead_capability(dead), BTC)
        client = redis.asyncio.from_url(redis_url)
        await client.set(f"{address}!lock", "of a dead one", px=100)
        alive[0].wire.handlers["alpha"] = late(0.02, priced("7"))

        found = await asyncio.gather(*(each.quote() for each in alive))

        assert [price_of(each) for each in found] == [7, 7]
        assert len(alive[0].wire.requests) == 1
        await client.aclose()


def dead_capability(each):
    return each.registry.lanes_of("quotes")[0].answer.capability


async def test_an_unknown_instrument_is_remembered_for_all(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha")) as (first, second):
        first.wire.handlers["alpha"] = priced("1", without=frozenset({"BTC-USD"}))
        await first.refused()
        await shared_of(first).settle()

        error = await second.refused()

        assert [(each.provider, each.code.value) for each in error.attempts] == [("alpha", "UNKNOWN_INSTRUMENT")]
        assert len(first.wire.requests) == 1


async def test_a_caller_who_accepts_no_age_asks_anew(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha")) as (first, second):
        await first.quote()
        await shared_of(first).settle()
        second.clock.turn(1)

        await second.quote(max_age=timedelta(0))

        assert len(first.wire.requests) == 2


async def test_a_caller_who_accepts_no_age_waits_for_no_other_process(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha")) as (first, second):
        first.wire.handlers["alpha"] = late(0.2, priced("7"))
        asking = asyncio.create_task(first.quote())
        await asyncio.sleep(0.1)
        waiting = asyncio.create_task(second.quote())
        await asyncio.sleep(0.01)

        await second.quote(max_age=timedelta(0))
        await asking
        await waiting

        assert len(first.wire.requests) == 2


async def test_an_old_copy_of_another_process_serves_who_accepts_one_when_all_fail(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha")) as (first, second):
        await first.quote()
        await shared_of(first).settle()
        second.clock.turn(60)
        first.wire.handlers["alpha"] = lambda request: (_ for _ in ()).throw(OSError("gone"))
        log = FetchLog()

        found = await second.quote(log=log, stale_if_error=timedelta(minutes=5))

        assert log.status(found.provenance) is CacheStatus.STALE


OWN = Reach(frozenset({"alpha"}), None)


def holder(tenant: str, key: str) -> Account:
    return Account(tenant=tenant, keys={"alpha": {"key": key}}, reach=OWN)


async def test_what_a_tenants_own_key_paid_for_serves_no_other(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha")) as (first, second):
        first.wire.handlers["alpha"] = late(0.03, priced("7"))

        await asyncio.gather(
            first.quote(account=holder("acme", "a")), second.quote(account=holder("bolt", "b")), second.quote()
        )
        await shared_of(first).settle()
        await shared_of(second).settle()
        assert len(first.wire.requests) == 3  # nobody waited for another's

        await second.quote(account=holder("acme", "a"))
        assert len(first.wire.requests) == 3
        await first.quote(account=holder("acme", "another"))
        assert len(first.wire.requests) == 4


async def test_without_a_secret_a_tenants_answers_stay_in_the_process(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha")) as (first, second):
        first.registry.own.sign = second.registry.own.sign = None
        await first.quote(account=holder("acme", "a"))
        await shared_of(first).settle()

        await second.quote(account=holder("acme", "a"))

        assert len(first.wire.requests) == 2


async def test_what_a_licence_forbids_to_share_is_each_tenants_own(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha", shareable=False)) as (first, second):
        for tenant in ("acme", "bolt"):
            await first.quote(account=Account(tenant=tenant))
        await shared_of(first).settle()

        await second.quote(account=Account(tenant="bolt"))

        assert len(first.wire.requests) == 2


async def test_what_a_licence_forbids_to_keep_is_not_in_redis(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha", cacheable=False)) as (first, _):
        await first.quote()
        await shared_of(first).settle()

        client: Redis = redis.asyncio.from_url(redis_url)
        assert await client.dbsize() == 0
        await client.aclose()


async def test_what_a_licence_forbids_to_keep_is_fetched_by_every_process_each_time(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha", cacheable=False)) as (first, second):
        for each in (first, first, second):
            await each.quote()
            await shared_of(each).settle()
        first.wire.handlers["alpha"] = failing(500)
        refused = await first.refused(stale_if_error=timedelta(hours=1))

        assert codes(refused) == [("alpha", "UPSTREAM_UNAVAILABLE")]
        assert len(first.wire.requests) >= 4
        assert (len(first.pipeline.cache), len(second.pipeline.cache)) == (0, 0)


@pytest.mark.parametrize("licence", [{"cacheable": False}, {"shareable": False}])
async def test_a_new_process_takes_over_nothing_that_a_licence_keeps_from_others(
    redis_url: str, licence: dict[str, Any]
) -> None:
    async with processes(redis_url, venue("alpha", **licence)) as (first, second):
        warm = Warmth(first.pipeline, shared_of(first), first.clock, 2)
        for _ in range(160):
            await first.quote(account=Account(tenant="acme"))
        await warm.report()
        await shared_of(first).settle()

        taken = await Warmth(second.pipeline, shared_of(second), second.clock, 2).load()

        assert (taken, len(second.pipeline.cache)) == (0, 0)


async def test_a_tenants_copy_that_no_other_may_see_serves_that_tenant_in_every_process(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha", shareable=False)) as (first, second):
        first.wire.handlers["alpha"] = in_turn(priced("1"), priced("2"), priced("3"))
        asked = []
        for each, tenant in ((first, "acme"), (second, "acme"), (second, "bolt"), (first, "bolt"), (second, "")):
            found = await each.quote(account=Account(tenant=tenant))
            asked.append((tenant, str(found.value.price)))
            await shared_of(each).settle()

        assert asked == [("acme", "1"), ("acme", "1"), ("bolt", "2"), ("bolt", "2"), ("", "3")]


async def test_what_is_dropped_is_fetched_anew_by_all(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha"), venue("beta", priority=20)) as (first, second):
        bus = LocalBus()
        desks = [CacheDrops(each.pipeline, bus, shared_of(each)) for each in (first, second)]
        for each in (first, second):
            await each.quote()
            await each.quote(providers=("beta",))
            await shared_of(each).settle()
        assert len(first.wire.requests) == 2

        await desks[0].drop("alpha", "quotes", None)

        await second.quote()
        await second.quote(providers=("beta",))
        await shared_of(second).settle()
        await first.quote()
        assert [request.provider for request in first.wire.requests] == ["alpha", "beta", "alpha"]


async def test_after_a_gap_only_what_was_dropped_meanwhile_goes(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha"), venue("beta", priority=20)) as (first, second):
        deaf = CacheDrops(second.pipeline, LocalBus(), shared_of(second))
        await deaf.look()
        await second.quote()
        await second.quote(providers=("beta",))
        held = len(second.pipeline.cache)

        await deaf.look()
        unchanged = len(second.pipeline.cache)
        await CacheDrops(first.pipeline, LocalBus(), shared_of(first)).drop("alpha", "quotes", None)
        await deaf.look()

        assert (held, unchanged) == (2, 2)
        assert [cast(Any, key)[2] for key in second.pipeline.cache._entries] == ["beta"]


async def test_a_redis_that_lost_everything_drops_nothing(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha")) as (first, second):
        desk = CacheDrops(second.pipeline, LocalBus(), shared_of(second))
        await CacheDrops(first.pipeline, LocalBus(), shared_of(first)).drop("alpha", None, None)
        await desk.look()
        await second.quote()
        await shared_of(second).link.ask(lambda redis: redis.flushdb(), otherwise=None)

        await desk.look()

        assert len(second.pipeline.cache) == 1


async def test_a_call_that_was_under_way_at_the_drop_is_not_kept(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha")) as (first, second):
        desk = CacheDrops(first.pipeline, LocalBus(), shared_of(first))
        first.wire.handlers["alpha"] = late(0.05, priced("7"))
        asking = asyncio.create_task(first.quote())
        await asyncio.sleep(0.02)

        await desk.drop("alpha", None, None)
        assert price_of(await asking) == 7
        await shared_of(first).settle()

        assert len(first.pipeline.cache) == 0
        await second.quote()
        assert len(first.wire.requests) == 2


async def test_a_new_process_takes_over_what_the_fleet_reads_most(redis_url: str) -> None:
    async with processes(redis_url, venue("alpha")) as (first, second):
        warm = Warmth(first.pipeline, shared_of(first), first.clock, 2)
        await first.quotes(BTC, ETH, SOL)
        for item, reads in ((BTC, 160), (ETH, 16), (SOL, 320)):
            for _ in range(reads):
                await first.quote(item)
        await warm.report()
        await shared_of(first).settle()

        taken = await Warmth(second.pipeline, shared_of(second), second.clock, 2).load()

        assert (taken, len(second.pipeline.cache)) == (2, 2)
        await second.quotes(BTC, SOL)
        assert len(first.wire.requests) == 1
