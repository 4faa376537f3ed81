"""A process that alone loses Redis, comes back or stands still: together never more than the limit."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import cast

import pytest

from gateway.core.guards.members import HELD_S, share_of
from gateway.core.guards.quota import Claim
from gateway.core.guards.quotafleet import FleetCount
from gateway.core.link import RedisLink
from providers.contract import Limit, per_minute, per_second
from tests.gateway.core.simulated import PLACE, Simulation, simulation

SECOND, SHORT, MINUTE = per_second(20), Limit(count=40, per=timedelta(seconds=5)), per_minute(300)


async def flooded(fleet: Simulation, seconds: float, trouble: Callable[[], Awaitable[None]]) -> None:
    """All ask for as much as they can get, while something happens."""
    await asyncio.sleep(5)
    floods = [asyncio.create_task(fleet.flood(process, seconds)) for process in fleet.processes]
    await asyncio.sleep(5)
    await trouble()
    await asyncio.gather(*floods)


@pytest.mark.parametrize(
    ("limit", "away"), [(SECOND, 2.0), (SECOND, 25.0), (SHORT, 8.0), (MINUTE, 30.0), (per_second(1), 12.0)]
)
async def test_a_process_that_alone_loses_redis_and_the_others_never_exceed_the_limit(redis_url, limit, away):
    with simulation(redis_url, limit) as fleet:
        cut = fleet.processes[0]

        async def lose() -> None:
            cut.link.up = False
            await asyncio.sleep(away)
            cut.link.up = True

        await flooded(fleet, away + 10, lose)

    assert fleet.most_in(limit.per.total_seconds()) <= limit.count


async def test_whose_questions_are_carried_out_and_never_answered_counts_alone_as_well(redis_url):
    with simulation(redis_url, SECOND) as fleet:

        async def lose() -> None:
            fleet.processes[0].link.losing = True
            await asyncio.sleep(15)
            fleet.processes[0].link.losing = False

        await flooded(fleet, 25, lose)

    assert fleet.most_in(1.0) <= 20


async def test_a_process_that_stood_still_exceeds_nothing_when_it_goes_on(redis_url):
    with simulation(redis_url, SHORT, count=3) as fleet:
        still, cut = fleet.processes[:2]

        async def stop() -> None:
            still.frozen.clear()
            await asyncio.sleep(1)
            cut.link.up = False
            await asyncio.sleep(10)
            still.frozen.set()

        await flooded(fleet, 30, stop)

    assert fleet.most_in(5.0) <= 40


async def test_one_that_is_cut_off_again_and_again_uses_the_margin_once_in_a_window(redis_url):
    with simulation(redis_url, MINUTE) as fleet:

        async def flap() -> None:
            for _ in range(4):
                for up in (False, True):
                    fleet.processes[0].link.up = up
                    await asyncio.sleep(4)

        await flooded(fleet, 45, flap)

    assert fleet.most_in(60) <= 300


async def test_whom_the_others_left_its_part_sends_so_much_and_they_the_rest(redis_url):
    with simulation(redis_url, SECOND, margin=0) as fleet:
        served: Counter[int] = Counter()

        async def count(process: int, seconds: float) -> None:
            before = len(fleet.arrived)
            await fleet.flood(fleet.processes[process], seconds)
            served[process] = len(fleet.arrived) - before

        await asyncio.sleep(5)
        fleet.processes[0].link.up = False
        await asyncio.sleep(15)
        await count(0, 10)
        await asyncio.sleep(2)
        await count(1, 10)

    assert served == {0: pytest.approx(100, abs=10), 1: pytest.approx(100, abs=10)}


async def test_a_second_process_leaves_the_first_its_half_until_that_has_heard_of_it(redis_url):
    with simulation(redis_url, MINUTE, count=1) as fleet:
        first = fleet.processes[0]
        await asyncio.sleep(5)
        await fleet.call(first, "", 1, 1, 0.5, 0.02)
        first.link.up = False
        second = fleet.start()
        await asyncio.gather(fleet.flood(first, 9), fleet.flood(second, 9))

    assert fleet.most_in(60) <= 300
    assert len(fleet.arrived) == 143 + 141  # of 285, without the margin; one of the first's is known to Redis


async def test_nothing_is_left_any_more_for_one_that_was_silent_for_long_or_said_that_it_ends(redis_url):
    with simulation(redis_url, SECOND, count=3) as fleet:
        died, left, stays = fleet.processes
        await asyncio.sleep(5)
        await left.members.leave()
        left.die()
        await asyncio.sleep(5)
        without = stays.members.held(30)
        died.die()
        await asyncio.sleep(5)
        silent = stays.members.held(30)
        await asyncio.sleep(HELD_S)

    assert (without, silent, stays.members.held(30)) == (0, 15, 0)


async def test_after_redis_forgot_all_are_told_before_anybody_has_the_whole(redis_url):
    with simulation(redis_url, MINUTE) as fleet:
        one, other = fleet.processes
        await asyncio.sleep(5)
        await fleet.flood(one, 3, width=20)
        fleet.client.flushdb()
        await fleet.flood(other, 20, width=20)

    assert fleet.most_in(60) <= 300


@pytest.mark.parametrize(("units", "parts"), [(10, [4, 3, 3]), (1, [1, 0, 0]), (9, [3, 3, 3])])
def test_parts_make_up_the_whole_and_no_more(units, parts):
    names = ["a", "b", "c"]

    assert [share_of(names, name, units) for name in names] == parts
    assert share_of(names, "d", units) == 0
    assert share_of(["a"], "a", units) == (units + 1) // 2


async def test_an_end_that_is_told_twice_counts_once(redis_url):
    with simulation(redis_url, MINUTE, count=1) as fleet:
        process = fleet.processes[0]
        await asyncio.sleep(5)
        granted, _ = await process.count.take([Claim("", 1, 1)] * 2, process.clock.monotonic())
        lease = granted[0].lease
        process.link.losing = True
        process.count.ended(granted[0], process.clock.monotonic())
        await process.count.settle()
        process.link.losing = False
        await process.count.tell(True)
        held: dict[bytes, bytes] = fleet.client.hgetall(PLACE)  # type: ignore[assignment]

    units = {name: int(value) for name, value in held.items() if name[:1] == b"w"}
    assert granted[1].lease == lease
    assert sorted(units.values()) == [1, 1]
    assert min(int(name.split(b":")[1]) for name in units) < lease < max(int(name.split(b":")[1]) for name in units)


async def test_a_tenant_s_budget_goes_on_at_once_without_redis_with_the_part_of_what_was_left(redis_url):
    with simulation(redis_url, per_minute(10)) as fleet:
        budgets = [
            FleetCount("budget", [per_minute(10)], cast(RedisLink, each.link), each.clock, each.members, margin=0,
                       patient=False)
            for each in fleet.processes
        ]  # fmt: skip
        await asyncio.sleep(5)
        claims, now = [Claim("", 1, 1)] * 4, fleet.processes[0].clock.monotonic()
        with_redis = [len((await each.take(claims[:2], now))[0]) for each in budgets]
        for process in fleet.processes:
            process.link.up = False
        without = [len((await each.take(claims, now))[0]) for each in budgets]

    assert (with_redis, without) == ([2, 2], [4, 3])  # one last knew of 2 of 10, the other one of 4
