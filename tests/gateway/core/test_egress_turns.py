"""So many requests at a time to one receiver and in all, first come, first served."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from gateway.core.egress.turns import Turns

HOST, OTHER = ("slow.example", 443), ("fast.example", 443)


def worker(turns: Turns, order: list[str]) -> Callable[[str, tuple[str, int], float], Coroutine[Any, Any, None]]:
    async def work(name: str, where: tuple[str, int], seconds: float) -> None:
        async with turns.of(*where):
            order.append(name)
            await asyncio.sleep(seconds)

    return work


async def test_who_came_first_is_served_first_and_a_newcomer_does_not_pass():
    turns, order = Turns(at_once=9, per_host=1), list[str]()
    work = worker(turns, order)

    async def again() -> None:
        await work("first", HOST, 1)
        await work("newcomer", HOST, 1)

    async with asyncio.TaskGroup() as group:
        group.create_task(again())
        for name in ("second", "third"):
            group.create_task(work(name, HOST, 1))

    assert order == ["first", "second", "third", "newcomer"]
    assert len(turns) == 0


async def test_who_waits_for_a_receiver_takes_no_turn_of_others():
    turns, order = Turns(at_once=2, per_host=1), list[str]()
    work = worker(turns, order)

    async with asyncio.TaskGroup() as group:
        for name in ("a", "b", "c"):
            group.create_task(work(f"slow {name}", HOST, 60))
        await asyncio.sleep(1)
        for name in ("a", "b", "c"):
            group.create_task(work(f"fast {name}", OTHER, 1))

    assert order[:4] == ["slow a", "fast a", "fast b", "fast c"]


async def test_in_all_there_are_so_many_at_a_time():
    turns, busy, most = Turns(at_once=3, per_host=2), 0, 0

    async def work(number: int) -> None:
        nonlocal busy, most
        async with turns.of(f"{number % 4}.example", 443):
            busy += 1
            most = max(busy, most)
            await asyncio.sleep(1)
            busy -= 1

    await asyncio.gather(*(work(number) for number in range(20)))

    assert (most, busy, len(turns)) == (3, 0, 0)


async def test_who_stops_waiting_leaves_nothing_behind():
    turns, order = Turns(at_once=1, per_host=1), list[str]()
    work = worker(turns, order)
    held = asyncio.create_task(work("held", HOST, 10))
    waiting = [asyncio.create_task(work("given up", where, 1)) for where in (HOST, OTHER)]
    await asyncio.sleep(1)

    for task in waiting:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await held
    await work("last", HOST, 1)

    assert (order, len(turns)) == (["held", "last"], 0)
