"""Who produces what: each subject is one process's, and another's once that one is not heard of."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.core.store import Store
from plugins.events.producers.leases import AT_ONCE, LEASE, Leases
from tests.gateway.doubles import ManualClock


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    made = Store(database)
    yield made
    await made.close()


async def test_a_subject_is_one_processs_as_long_as_it_renews(store: Store):
    clock = ManualClock()
    first, second = Leases(store, clock), Leases(store, clock)

    assert await first.hold(["a", "b"]) == {"a", "b"}
    assert await second.hold(["a", "b", "c"]) == {"c"}
    for _ in range(5):
        clock.turn(6)
        assert await first.hold(["a", "b"]) == {"a", "b"}
    assert await second.hold(["a", "b", "c"]) == {"c"}


async def test_who_is_not_heard_of_loses_its_subjects_and_learns_that(store: Store):
    clock = ManualClock()
    first, second = Leases(store, clock), Leases(store, clock)
    await first.hold(["a", "b"])

    clock.turn(LEASE.total_seconds())
    taken = await second.hold(["a"])
    left = await first.hold(["a", "b"])

    assert (taken, left) == ({"a"}, {"b"})


async def test_who_stops_hands_over_at_once(store: Store):
    clock = ManualClock()
    first, second = Leases(store, clock), Leases(store, clock)
    await first.hold(["a"])

    await first.let_go()

    assert (first.held, await second.hold(["a"])) == (set(), {"a"})


async def test_what_nobody_wants_is_held_no_more(store: Store):
    clock = ManualClock()
    first, second = Leases(store, clock), Leases(store, clock)
    await first.hold(["a", "b"])

    assert await first.hold(["b"]) == {"b"}
    assert await second.hold(["a", "b"]) == {"a"}


async def test_a_process_takes_so_many_at_once_that_others_get_their_part(store: Store):
    clock = ManualClock()
    first, second = Leases(store, clock), Leases(store, clock)
    every = {f"k{n:03}" for n in range(AT_ONCE + 5)}

    taken = await first.hold(every), await second.hold(every)

    assert [len(each) for each in taken] == [AT_ONCE, 5]
    assert taken[0] | taken[1] == every
