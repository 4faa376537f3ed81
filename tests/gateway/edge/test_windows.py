"""Sliding windows: what fits into a minute, on this process's clock and on a real Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from copy import deepcopy
from math import inf
from typing import cast

import pytest
import redis.asyncio
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.redis import FAULTS, pool
from gateway.edge.windows import PAUSE_S, WAIT_S, Left, MemoryWindows, RedisWindows, SharedWindows
from tests.gateway.doubles import ManualClock
from tests.servers import restartable_valkey


@pytest.fixture
def clock() -> ManualClock:
    made = ManualClock()
    made.turn(20)  # 1020 s: a span begins
    return made


@pytest.fixture
async def shared(redis_url: str) -> AsyncIterator[RedisWindows]:
    made = RedisWindows(pool(redis_url))
    yield made
    await made.close()


async def test_a_window_gives_what_fits_and_nothing_of_what_does_not(clock):
    windows = MemoryWindows(clock)

    found = [await windows.take("k", 10, amount) for amount in (6, 5, 4, 1)]

    assert [(left.taken, left.remaining) for left in found] == [(True, 4), (False, 4), (True, 0), (False, 0)]


async def test_a_look_takes_nothing(clock):
    windows = MemoryWindows(clock)
    await windows.take("k", 10, 6)

    looks = [await windows.look("k", 10, amount) for amount in (4, 5, 0)]

    assert [(left.taken, left.remaining) for left in looks] == [(True, 4), (False, 4), (True, 4)]


async def test_keys_are_counted_apart(clock):
    windows = MemoryWindows(clock)
    await windows.take("a", 10, 10)

    assert (await windows.take("b", 10, 10)).taken


async def test_what_was_taken_in_the_span_before_counts_by_the_share_that_is_left_of_it(clock):
    windows = MemoryWindows(clock)
    await windows.take("k", 100, 60)

    clock.turn(60)
    begin = await windows.look("k", 100)
    clock.turn(30)
    middle = await windows.look("k", 100)
    clock.turn(30)
    end = await windows.look("k", 100)

    assert [left.remaining for left in (begin, middle, end)] == [40, 70, 100]


async def test_a_key_that_was_quiet_for_long_is_whole_again(clock):
    windows = MemoryWindows(clock)
    await windows.take("k", 10, 10)

    clock.turn(500)

    assert (await windows.look("k", 10)) == Left(taken=True, remaining=10, resets_in=0.0, retry_in=0.0)


async def test_what_is_more_than_the_window_never_fits(clock):
    left = await MemoryWindows(clock).take("k", 10, 11)

    assert (left.taken, left.retry_in) == (False, inf)


async def test_the_keys_used_longest_ago_are_forgotten_beyond_the_bound(clock):
    windows = MemoryWindows(clock, most_keys=3)

    for key in ("a", "b", "c", "a", "d"):
        await windows.take(key, 1, 1)

    assert len(windows) == 3
    assert [(await windows.look(key, 1, 1)).taken for key in ("a", "b")] == [False, True]


@given(
    most=st.integers(1, 50),
    steps=st.lists(st.tuples(st.floats(0, 90), st.integers(1, 60)), min_size=1, max_size=20),
)
async def test_never_more_than_the_limit_in_a_span_and_every_promise_is_kept(most, steps):
    clock = ManualClock()
    windows = MemoryWindows(clock)
    taken: list[tuple[float, int]] = []
    for wait, amount in steps:
        clock.turn(wait)
        left = await windows.take("k", most, amount)
        if left.taken:
            taken.append((clock.monotonic(), amount))
        assert 0 <= left.remaining <= most
        if not left.taken and left.retry_in != inf:
            later = deepcopy(windows)
            cast(ManualClock, later._clock).turn(left.retry_in)
            assert (await later.look("k", most, amount)).taken
    by_span: dict[int, int] = {}
    for at, amount in taken:
        by_span[int(at // 60)] = by_span.get(int(at // 60), 0) + amount
    assert all(total <= most for total in by_span.values())


# --- Redis


async def test_processes_count_together_in_redis(redis_url, shared):
    other = RedisWindows(pool(redis_url))

    found = [await shared.take("k", 10, 6), await other.take("k", 10, 5), await other.take("k", 10, 4)]
    await other.close()

    assert [(left.taken, left.remaining) for left in found] == [(True, 4), (False, 4), (True, 0)]
    assert 0 < found[1].retry_in <= 120
    assert found[0].resets_in > 60


async def test_a_look_at_redis_takes_nothing(shared):
    first = await shared.look("k", 10, 11)
    second = await shared.look("k", 10, 10)

    assert (first.taken, first.retry_in, second.taken, second.remaining) == (False, inf, True, 10)


async def test_two_hundred_at_once_take_no_more_than_there_is(shared):
    found = await asyncio.gather(*(shared.take("k", 50, 1) for _ in range(200)))

    assert sum(left.taken for left in found) == 50


async def test_without_redis_each_process_counts_for_itself_from_what_it_knows(clock):
    with restartable_valkey() as server:
        windows = SharedWindows(RedisWindows(pool(server.url)), clock, FAULTS)
        before = await windows.take("k", 10, 6)

        server.stop()
        gone = [await windows.take("k", 10, amount) for amount in (5, 4)]
        await windows.close()

    assert before.taken
    assert [(left.taken, left.remaining) for left in gone] == [(False, 4), (True, 0)]


async def test_a_redis_that_hangs_holds_up_one_operation_for_a_moment_and_the_next_not_at_all(clock):
    class Hanging(MemoryWindows):
        asked = 0

        async def take(self, key: str, most: int, amount: int) -> Left:
            Hanging.asked += 1
            await asyncio.sleep(60)
            raise AssertionError

    windows = SharedWindows(Hanging(clock), clock, FAULTS)
    begun = time.perf_counter()

    found = [await windows.take("k", 10, 1) for _ in range(50)]

    assert time.perf_counter() - begun < WAIT_S * 5
    assert (Hanging.asked, [left.remaining for left in found][:11]) == (1, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0])


async def test_redis_is_asked_again_after_a_pause_by_one_operation_and_then_by_all(clock):
    with restartable_valkey() as server:
        windows = SharedWindows(RedisWindows(pool(server.url)), clock, FAULTS)
        server.stop()
        await windows.take("k", 10, 3)
        server.start()
        paused = await windows.take("k", 10, 1)
        held = await count_in(server.url)
        clock.turn(PAUSE_S)

        again = [await windows.take("k", 10, 2) for _ in range(2)]
        now_held = await count_in(server.url)
        await windows.close()

    assert (paused.remaining, held) == (6, 0)
    assert ([left.remaining for left in again], now_held) == ([8, 6], 1)


async def count_in(url: str) -> int:
    client = redis.asyncio.Redis.from_url(url)
    found = await client.dbsize()
    await client.aclose()
    return int(found)
