"""Leases: processes share a tenant's minute over a real Redis, take slices of it, and do without it when it is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import inf

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.link import PAUSE_S, RedisLink
from gateway.edge.leases import LARGEST_PART, PREFIX, QUIET_S, LeasedWindows
from gateway.edge.windows import SPAN
from schema.errors import LimitsUnavailable
from tests.gateway.doubles import ManualClock
from tests.servers import restartable_valkey


@dataclass
class Fleet:
    """Processes on one Redis; a clock that stands still keeps all leases alive."""

    url: str
    clock: ManualClock = field(default_factory=ManualClock)
    links: list[RedisLink] = field(default_factory=list)

    def process(self, *, closed: bool = False) -> LeasedWindows:
        link = RedisLink(self.url, self.clock, wait_s=5.0)
        self.links.append(link)
        return LeasedWindows(link, self.clock, closed=closed)

    def counted(self, key: str) -> int:
        """What Redis holds as taken in the present span."""
        client = redis.Redis.from_url(self.url)
        found = client.hget(f"{PREFIX}{{{key}}}", "since")
        client.close()
        return int(str(found.decode() if isinstance(found, bytes) else found or 0))

    def scripts(self) -> int:
        """How often Redis was asked for a lease, since it started."""
        client = redis.Redis.from_url(self.url)
        stats = client.info("commandstats")
        client.close()
        assert isinstance(stats, dict)
        return int(stats.get("cmdstat_evalsha", {}).get("calls", 0))


@asynccontextmanager
async def fleet_on(url: str) -> AsyncIterator[Fleet]:
    made = Fleet(url)
    yield made
    for link in made.links:
        await link.close()


@pytest.fixture
async def fleet(redis_url: str) -> AsyncIterator[Fleet]:
    async with fleet_on(redis_url) as made:
        await away_from_the_edge(made)
        yield made


async def away_from_the_edge(fleet: Fleet) -> None:
    """Exact counts hold within one span of the server's clock: wait where one is about to end."""
    client = redis.Redis.from_url(fleet.url)
    found = client.time()
    client.close()
    assert isinstance(found, tuple)
    rest = SPAN - found[0] % SPAN
    if rest < 8:
        await asyncio.sleep(rest)


async def test_processes_count_together(fleet):
    one, two = fleet.process(), fleet.process()

    found = [await one.take("k", 10, 6), await two.take("k", 10, 5), await two.take("k", 10, 4)]

    assert [(left.taken, left.remaining) for left in found] == [(True, 4), (False, 4), (True, 0)]
    assert 0 < found[1].retry_in <= 120
    assert found[0].resets_in > 50


async def test_what_is_more_than_the_window_never_fits_and_takes_nothing(fleet):
    left = await fleet.process().take("k", 10, 11)

    assert (left.taken, left.retry_in, fleet.counted("k")) == (False, inf, 0)


async def test_a_look_takes_nothing_and_counts_what_is_leased_here_as_free(fleet):
    one, two = fleet.process(), fleet.process()
    for _ in range(8):
        await one.take("k", 1000, 1)

    here, there = await one.look("k", 1000, 992), await two.look("k", 1000, 993)

    assert (here.taken, here.remaining, there.taken) == (True, 992, False)
    assert 1000 - fleet.counted("k") == there.remaining <= 992


async def test_a_lease_grows_with_its_use_up_to_a_twentieth_of_the_window_and_shrinks_again(fleet):
    windows, sizes = fleet.process(), []
    for _ in range(300):
        before = fleet.counted("k")
        await windows.take("k", 1000, 1)
        if given := fleet.counted("k") - before:
            sizes.append(given)
    fleet.clock.turn(QUIET_S + 0.1)
    before = fleet.counted("k")
    while windows.take_now("k", 1000, 1):
        pass
    await windows.take("k", 1000, 1)

    assert sizes[:7] == [1, 2, 4, 8, 16, 32, 50]
    assert max(sizes) == 1000 // LARGEST_PART == 50
    assert fleet.counted("k") - before == 25


async def test_what_costs_more_than_a_slice_is_leased_exactly(fleet):
    windows = fleet.process()

    await windows.take("k", 100, 40)
    await windows.take("k", 100, 40)

    assert fleet.counted("k") == 80


async def test_a_hit_with_a_lease_in_hand_asks_nobody(fleet):
    windows = fleet.process()
    for _ in range(4):
        await windows.take("k", 1000, 1)
    asked = fleet.scripts()

    found = [windows.take_now("k", 1000, 1) for _ in range(4)]

    assert [left and left.remaining for left in found] == [995, 994, 993, None]
    assert fleet.scripts() == asked


async def test_without_a_lease_nothing_is_taken_at_once(fleet):
    windows = fleet.process()

    assert windows.take_now("k", 10, 1) is None
    assert fleet.counted("k") == 0


async def test_a_lease_ends_with_its_span(fleet):
    windows = fleet.process()
    for _ in range(4):
        await windows.take("k", 1000, 1)
    fleet.clock.turn(SPAN)

    assert windows.take_now("k", 1000, 1) is None


async def test_a_window_of_another_size_is_asked_for_anew(fleet):
    windows = fleet.process()
    for _ in range(4):
        await windows.take("k", 1000, 1)

    assert windows.take_now("k", 2000, 1) is None
    assert (await windows.take("k", 4, 1)).taken


async def test_whoever_hammers_at_an_empty_window_costs_redis_nothing(fleet):
    windows = fleet.process()
    await windows.take("k", 10, 10)
    first = await windows.take("k", 10, 1)
    asked = fleet.scripts()

    found = [await windows.take("k", 10, amount) for amount in (1, 2, 5) * 20]
    look = await windows.look("k", 10)

    assert {left.taken for left in (first, *found)} == {False}
    assert (look.remaining, fleet.scripts()) == (0, asked)


async def test_under_contention_processes_take_together_exactly_what_there_is(fleet):
    processes = [fleet.process() for _ in range(4)]

    async def worker(windows: LeasedWindows) -> int:
        taken = 0
        for _ in range(100):
            if windows.take_now("k", 1000, 3) or (await windows.take("k", 1000, 3)).taken:
                taken += 3
        return taken

    taken = sum(await asyncio.gather(*(worker(windows) for windows in processes for _ in range(4))))

    # Never more than there is; what the processes' leases hide is less than a slice for each.
    assert 1000 - len(processes) * 50 < taken <= 1000


async def test_two_hundred_at_once_in_one_process_take_no_more_than_there_is(fleet):
    windows = fleet.process()

    found = await asyncio.gather(*(windows.take("k", 50, 1) for _ in range(200)))

    assert sum(left.taken for left in found) == 50


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    most=st.integers(1, 400),
    steps=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 60), st.booleans()), min_size=1, max_size=60),
)
async def test_whatever_is_asked_the_tolerance_holds(redis_server, most, steps):
    async with fleet_on(redis_server) as fleet:
        await away_from_the_edge(fleet)
        client = redis.Redis.from_url(redis_server)
        client.flushdb()
        client.close()
        processes = [fleet.process() for _ in range(3)]
        taken = 0
        for number, amount, at_once in steps:
            windows = processes[number]
            took = (
                bool(windows.take_now("k", most, amount)) if at_once else (await windows.take("k", most, amount)).taken
            )
            taken += amount if took else 0

            # What is leased and not used: less than a slice, or than the largest operation, for each process.
            hidden = fleet.counted("k") - taken
            assert 0 <= hidden <= len(processes) * max(0, most // LARGEST_PART - 1)
        assert taken <= most


# --- Without Redis


@pytest.fixture
async def outage() -> AsyncIterator[tuple[Fleet, Callable[[], None], Callable[[], None]]]:
    with restartable_valkey() as server:
        async with fleet_on(server.url) as fleet:
            await away_from_the_edge(fleet)
            yield fleet, server.stop, server.start


async def test_without_redis_each_process_counts_for_itself_from_what_it_took(outage):
    fleet, stop, _ = outage
    windows = fleet.process()
    fleet.clock.turn(20)  # 1020 s: a span begins
    before = await windows.take("k", 10, 6)

    stop()
    gone = [await windows.take("k", 10, amount) for amount in (5, 4)]
    look = await windows.look("k", 10)

    assert before.taken
    assert [(left.taken, left.remaining) for left in gone] == [(False, 4), (True, 0)]
    assert look.remaining == 0


async def test_closed_without_redis_refuses_and_says_when_to_try_again(outage):
    fleet, stop, start = outage
    windows = fleet.process(closed=True)
    stop()

    with pytest.raises(LimitsUnavailable) as caught:
        await windows.take("k", 10, 1)
    look = await windows.look("k", 10)
    start()
    fleet.clock.turn(PAUSE_S)
    again = await windows.take("k", 10, 1)

    assert (caught.value.code, caught.value.status, caught.value.retry_after) == ("LIMITS_UNAVAILABLE", 503, 2.0)
    assert (look.taken, look.remaining) == (False, 0)
    assert (again.taken, fleet.counted("k")) == (True, 1)


async def test_closed_without_redis_a_lease_in_hand_is_still_good(outage):
    fleet, stop, _ = outage
    windows = fleet.process(closed=True)
    for _ in range(4):
        await windows.take("k", 1000, 1)

    stop()

    assert [windows.take_now("k", 1000, 1) is not None for _ in range(4)] == [True, True, True, False]


async def test_redis_that_is_back_counts_again_by_itself(outage):
    fleet, stop, start = outage
    windows = fleet.process()
    stop()
    alone = await windows.take("k", 10, 3)
    start()
    paused = await windows.take("k", 10, 1)
    held = fleet.counted("k")
    fleet.clock.turn(PAUSE_S)

    again = [await windows.take("k", 10, 2) for _ in range(2)]

    assert ([alone.remaining, paused.remaining], held) == ([7, 6], 0)
    assert ([left.remaining for left in again], fleet.counted("k")) == ([8, 6], 4)


async def test_a_redis_that_has_forgotten_is_told_what_a_process_took(fleet):
    one, two = fleet.process(), fleet.process()
    assert (await one.take("k", 60, 50)).taken
    client = redis.Redis.from_url(fleet.url)
    client.flushall()
    client.close()

    found = [await one.take("k", 60, 8), await one.take("k", 60, 3), await two.take("k", 60, 3)]

    assert [(left.taken, left.remaining) for left in found] == [(True, 2), (False, 2), (False, 2)]


async def test_the_keys_used_longest_ago_are_forgotten_beyond_the_bound(fleet):
    link = RedisLink(fleet.url, fleet.clock)
    fleet.links.append(link)
    windows = LeasedWindows(link, fleet.clock, most_keys=3)

    for key in "abcde":
        await windows.take(key, 10, 1)

    assert len(windows) == 3
    assert (await windows.look("a", 10)).remaining == 9
