"""Breakers of a fleet: one opening for all, one trial call for all, late news moves nothing, Redis may go."""

from __future__ import annotations

import asyncio

import redis.asyncio

from gateway.core.account import Account
from gateway.core.fleet import LEASE_S, RENEW_S
from gateway.core.switchboard import BREAKERS, ProviderSwitchboard
from tests.gateway.core.processes import FAULT, RECORD, process, record, rested, two, until
from tests.gateway.doubles import BTC, failing, priced
from tests.servers import restartable_valkey


async def test_what_opened_in_one_process_is_open_in_the_others_and_they_know_why(redis_url):
    async with two(redis_url) as (one, other):
        one.fail()
        await until(lambda: other.state == "OPEN")

        refused = await other.world.refused()
        kept = await record(redis_url)

    assert refused.attempts[0].message == "paused by its circuit breaker after: HTTP 500"
    assert other.world.wire.requests == []
    assert (kept["open"], kept["reason"], kept["by"], kept["rest"]) == (True, "HTTP 500", "one", 15_000)
    assert (one.breaker.trips, other.breaker.trips) == (1, 1)


async def test_a_process_that_starts_later_learns_of_a_standing_opening_and_of_what_is_left_of_its_rest(redis_url):
    async with process(redis_url, "one") as one:
        one.fail()
        await one.settled()

    async with process(redis_url, "late") as late:
        state, left, reason = late.state, late.breaker.rest_left, late.breaker.reason

    assert (state, reason) == ("OPEN", "HTTP 500")
    assert 10 < left <= 15


async def test_one_trial_call_passes_in_the_whole_fleet_and_its_success_closes_everywhere(redis_url):
    async with two(redis_url) as (one, other):
        one.fail()
        await until(lambda: other.state == "OPEN")
        await rested(redis_url, one, other)

        found = await asyncio.gather(*(each.enter() for each in (one, other) * 20))
        trials = [each for each in found if each is not None]
        holder = one if found.index(trials[0]) % 2 == 0 else other
        holder.breaker.succeeded(trials[0])
        await until(lambda: (one.state, other.state) == ("CLOSED", "CLOSED"))

        assert len(trials) == 1
        assert await other.enter() is not None
        assert not (await record(redis_url))["open"]


async def test_a_failed_trial_opens_everywhere_for_another_rest(redis_url):
    async with two(redis_url) as (one, other):
        one.fail()
        await until(lambda: other.state == "OPEN")
        await rested(redis_url, one, other)
        assert (one.state, other.state) == ("HALF_OPEN", "HALF_OPEN")

        trial = await one.enter()
        assert trial is not None
        one.breaker.failed(trial, FAULT)
        await until(lambda: other.state == "OPEN")

        assert (one.state, other.breaker.rest_left) == ("OPEN", 15.0)
        assert await other.enter() is None


async def test_a_trial_without_a_verdict_gives_its_right_to_the_others(redis_url):
    async with two(redis_url) as (one, other):
        one.fail()
        await until(lambda: other.state == "OPEN")
        await rested(redis_url, one, other)
        trial = await one.enter()
        assert trial is not None
        assert await other.enter() is None

        one.breaker.let_go(trial)
        await one.settled()
        at_once = await other.enter()
        other.clock.turn(0.5)

        assert at_once is None
        assert await other.enter() is not None


async def test_the_right_of_a_process_that_died_in_its_trial_ends_by_itself(redis_url):
    client = redis.asyncio.Redis.from_url(redis_url)
    async with two(redis_url) as (one, other):
        one.fail()
        await until(lambda: other.state == "OPEN")
        await rested(redis_url, one, other)
        assert await one.enter() is not None
        lease = await client.pttl(f"{RECORD}:trial")

        await client.pexpire(f"{RECORD}:trial", 0)  # as its time does
        other.clock.turn(1)

        assert 0 < lease <= LEASE_S * 1000
        assert LEASE_S > 3 * RENEW_S
        assert await other.enter() is not None
    await client.aclose()


async def test_the_right_is_renewed_while_the_trial_lasts(redis_url):
    client = redis.asyncio.Redis.from_url(redis_url)
    async with process(redis_url) as one:
        one.fail()
        await one.settled()
        await rested(redis_url, one)
        trial = await one.enter()
        assert trial is not None
        await until(lambda: bool(one.clock.slept))
        await client.pexpire(f"{RECORD}:trial", 1000)

        one.clock.ticks.release()
        await until(lambda: len(one.clock.slept) == 2)

        assert await client.pttl(f"{RECORD}:trial") > 1000
        assert one.clock.slept == [RENEW_S, RENEW_S]
        one.breaker.succeeded(trial)
        await one.settled()
        one.clock.ticks.release()
        assert await client.exists(f"{RECORD}:trial") == 0
        assert len(one.clock.slept) == 2
    await client.aclose()


async def test_news_of_an_older_opening_close_nothing_and_open_nothing(redis_url):
    async with two(redis_url) as (one, other):
        one.fail()
        await until(lambda: other.state == "OPEN")
        first = await record(redis_url)
        one.breaker.reset("mended")
        await until(lambda: other.state == "CLOSED")
        closing = await record(redis_url)
        one.fail()
        await until(lambda: other.state == "OPEN")

        for late in (closing, first):
            await one.bus.publish("breakers.turned", {"key": ["alpha", "quotes"], "record": late})
        await one.bus.publish("breakers.turned", {"key": ["alpha"], "record": {}})
        marker: list[object] = []
        other.bus.subscribe("marker", marker.append)
        await one.bus.publish("marker", {})
        await until(lambda: bool(marker))

        assert (one.state, other.state) == ("OPEN", "OPEN")
        assert other.breaker.trips == 2


async def test_a_late_verdict_of_a_trial_does_not_move_what_was_decided_since(redis_url):
    async with two(redis_url) as (one, other):
        one.fail()
        await until(lambda: other.state == "OPEN")
        await rested(redis_url, one, other)
        trial = await one.enter()
        assert trial is not None
        other.breaker.reset("mended", "order_1")
        await until(lambda: one.state == "CLOSED")

        one.breaker.failed(trial, FAULT)
        await one.settled()

        assert (one.state, other.state) == ("CLOSED", "CLOSED")


async def test_an_order_of_the_operator_counts_once_and_a_new_process_finds_it(redis_url):
    async with two(redis_url) as (one, other):
        boards = [
            ProviderSwitchboard(each.world.registry, each.world.pipeline.health, each.bus) for each in (one, other)
        ]
        order = {"id": "o1", "provider": "alpha", "capability": "quotes", "trip": True, "reason": "wrong prices"}
        await one.bus.publish(BREAKERS, order)
        await until(lambda: other.state == "OPEN")
        await one.settled()
        await other.settled()
        epoch = (await record(redis_url))["epoch"]
        for each in (one, other):  # read again from the database, by a process that had not heard it
            each.breaker.trip("tripped by the operator: wrong prices", "o1")
            await each.settled()

        async with process(redis_url, "late") as late:
            assert (late.state, late.breaker.reason) == ("OPEN", "tripped by the operator: wrong prices")
            assert (await record(redis_url))["epoch"] == epoch
            await one.bus.publish(BREAKERS, {**order, "id": "o2", "trip": False, "reason": "mended"})
            await until(lambda: {one.state, other.state, late.state} == {"CLOSED"})
    assert len(boards) == 2


async def test_the_fleet_tells_one_event_of_an_opening_and_one_of_its_end(redis_url):
    async with two(redis_url) as (one, other):
        one.fail()
        await until(lambda: len(other.heard) == 1)
        await rested(redis_url, one, other)
        trial = await other.enter()
        assert trial is not None
        other.breaker.failed(trial, FAULT)
        await other.settled()
        await rested(redis_url, one, other)
        trial = await other.enter()
        assert trial is not None
        other.breaker.succeeded(trial)
        await until(lambda: len(one.heard) == 2)
        await other.settled()

        told = [(each["event"], each["version"], each["provider"], each["state"], each["reason"]) for each in one.heard]
        assert told == [
            ("provider.degraded", 1, "alpha", "OPEN", "HTTP 500"),
            ("provider.recovered", 1, "alpha", "CLOSED", "the trial call succeeded"),
        ]
        assert one.heard == other.heard


async def test_the_calls_of_a_fleet_make_one_trial_request(redis_url):
    async with two(redis_url) as (one, other):
        one.fail()
        await until(lambda: other.state == "OPEN")
        await rested(redis_url, one, other)
        for each in (one, other):
            each.world.wire.handlers["alpha"] = failing(500)

        await asyncio.gather(*(each.world.refused() for each in (one, other) * 5))

        assert len(one.world.wire.requests) + len(other.world.wire.requests) == 1


async def test_without_redis_each_process_goes_by_itself_and_they_agree_again_once_it_is_back():
    with restartable_valkey() as server:
        async with two(server.url) as (one, other):
            one.fail()
            await until(lambda: other.state == "OPEN")
            server.stop()
            for each in (one, other):
                each.clock.turn(15)

            mine, theirs = await one.enter(), await other.enter()
            assert mine is not None
            assert theirs is not None
            one.breaker.succeeded(mine)
            other.breaker.failed(theirs, FAULT)
            await one.settled()
            await other.settled()
            apart = (one.state, other.state)
            server.start()
            for each in (one, other):
                each.clock.turn(3)
            await until(lambda: one.bus.connected and other.bus.connected)
            await one.shared.look()
            await other.shared.look()
            await until(lambda: one.state == other.state)

            assert apart == ("CLOSED", "OPEN")
            assert one.state == "OPEN"


async def test_a_frozen_redis_holds_up_no_call_for_longer_than_the_links_wait():
    with restartable_valkey() as server:
        async with process(server.url, wait_s=0.05) as one:
            one.fail()
            await one.settled()
            one.clock.turn(15)
            server.freeze()
            try:
                found = await one.world.quote()
            finally:
                server.thaw()

            assert found.value.price == 1
            assert one.state == "CLOSED"


async def test_an_opening_from_before_a_restart_of_redis_is_told_to_the_empty_one():
    with restartable_valkey() as server:
        async with process(server.url, "one") as one:
            one.fail()
            await one.settled()
            server.stop()
            server.start()
            one.clock.turn(3)
            await until(lambda: one.bus.connected)
            await one.shared.look()
            await one.settled()

            async with process(server.url, "late") as late:
                assert late.state == "OPEN"
                assert 11 < late.breaker.rest_left <= 12


async def test_a_tenants_own_breaker_is_not_the_fleets(redis_url):
    async with two(redis_url) as (one, other):
        one.world.wire.handlers["alpha"] = failing(500)
        for _ in range(20):  # pauses before second attempts
            one.clock.ticks.release()
        mine = Account(tenant="ten_1", keys={"alpha": {"key": "k"}})
        for _ in range(8):
            await one.world.refused(account=mine)
        other.world.wire.handlers["alpha"] = priced("7")

        assert one.state == "CLOSED"
        assert (await other.world.quote(BTC)).value.price == 7
