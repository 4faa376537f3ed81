"""Tenants take turns, exactly."""

from __future__ import annotations

import pytest

from gateway.core.computing.fairqueue import FairQueue
from schema.errors import RateLimited


def queue_of(*pairs: tuple[str, int]) -> FairQueue[tuple[str, int]]:
    queue = FairQueue[tuple[str, int]](100)
    for tenant, number in pairs:
        queue.add(tenant, (tenant, number))
    return queue


def drained(queue: FairQueue[tuple[str, int]]) -> list[str]:
    """As one process would take them."""
    taken = []
    while (found := queue.take()) is not None:
        tenant, item = found
        taken.append(f"{tenant}{item[1]}")
        queue.done(tenant)
    return taken


def test_tenants_take_turns_and_each_ones_items_keep_their_order():
    queue = queue_of(("a", 1), ("a", 2), ("a", 3), ("b", 1), ("c", 1), ("c", 2))

    assert drained(queue) == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_who_comes_while_others_wait_stands_behind_one_item_of_each():
    queue = queue_of(*(("a", number) for number in range(1, 5)), ("b", 1), ("b", 2))
    first = queue.take()
    queue.done("a")
    queue.add("c", ("c", 1))

    assert first == ("a", ("a", 1))
    assert drained(queue) == ["b1", "a2", "c1", "b2", "a3", "a4"]


def test_a_tenant_whose_line_is_full_is_refused_and_others_are_not():
    queue = FairQueue[int](2)
    queue.add("a", 1)
    queue.add("a", 2)

    with pytest.raises(RateLimited) as refused:
        queue.add("a", 3)
    queue.add("b", 4)

    assert refused.value.message == (
        "2 computations of this organisation wait already: try again when some of them are done."
    )
    assert refused.value.extensions()["retryAfterMs"] == 2000
    assert [queue.take(), queue.take(), queue.take(), queue.take()] == [("a", 1), ("b", 4), ("a", 2), None]


def test_what_is_removed_has_no_turn_and_leaves_no_trace():
    queue = queue_of(("a", 1), ("b", 1), ("b", 2))

    assert queue.remove("a", ("a", 1))
    assert not queue.remove("a", ("a", 1))
    assert len(queue) == 2
    assert drained(queue) == ["b1", "b2"]
    assert len(queue) == 0


def test_a_tenant_with_less_under_way_goes_first_so_that_long_items_never_take_all_processes():
    queue = queue_of(("a", 1), ("a", 2), ("b", 1), ("b", 2), ("b", 3))
    two = [queue.take(), queue.take()]
    queue.done("b")
    third = queue.take()
    queue.done("b")
    fourth = queue.take()
    queue.done("a")
    fifth = queue.take()

    assert two == [("a", ("a", 1)), ("b", ("b", 1))]
    assert (third, fourth, fifth) == (("b", ("b", 2)), ("b", ("b", 3)), ("a", ("a", 2)))
