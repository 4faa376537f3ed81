"""Arithmetic beside the event loop: tenants take turns, who has too much waiting is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from threading import Event

import pytest

from plugins.portfolio.bench import Bench
from schema.errors import RateLimited


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench(most_waiting=3)
    yield made
    made.close()


async def asked(bench: Bench, tenant: str, done: list[str], name: str) -> asyncio.Task[None]:
    """A piece that stands in line."""
    task = asyncio.create_task(bench.run(tenant, done.append, name))
    await asyncio.sleep(0)
    return task


async def test_it_answers_what_the_work_makes(bench: Bench):
    assert await bench.run("acme", divmod, 7, 2) == (3, 1)


async def test_what_the_work_raises_is_raised(bench: Bench):
    with pytest.raises(ZeroDivisionError):
        await bench.run("acme", divmod, 7, 0)
    assert await bench.run("acme", len, "abc") == 3


async def test_tenants_take_turns(bench: Bench):
    gate, done = Event(), list[str]()
    first = asyncio.create_task(bench.run("acme", gate.wait, 10))
    await asyncio.sleep(0)
    waiting = [await asked(bench, "acme", done, f"acme {n}") for n in range(3)]
    waiting.append(await asked(bench, "beta", done, "beta 0"))
    gate.set()
    await asyncio.gather(first, *waiting)
    assert done == ["acme 0", "beta 0", "acme 1", "acme 2"]


async def test_too_much_of_a_tenant_is_refused_and_others_are_not(bench: Bench):
    gate, done = Event(), list[str]()
    first = asyncio.create_task(bench.run("acme", gate.wait, 10))
    await asyncio.sleep(0)
    waiting = [await asked(bench, "acme", done, "acme") for _ in range(3)]
    with pytest.raises(RateLimited, match="3 computations of this organisation wait already"):
        await bench.run("acme", done.append, "one too many")
    waiting.append(await asked(bench, "beta", done, "beta"))
    gate.set()
    await asyncio.gather(first, *waiting)
    assert sorted(done) == ["acme", "acme", "acme", "beta"]


async def test_who_cancels_gives_up_the_turn(bench: Bench):
    gate, done = Event(), list[str]()
    first = asyncio.create_task(bench.run("acme", gate.wait, 10))
    await asyncio.sleep(0)
    left, stays = await asked(bench, "acme", done, "left"), await asked(bench, "acme", done, "stays")
    left.cancel()
    gate.set()
    await asyncio.gather(first, left, stays, return_exceptions=True)
    assert done == ["stays"]


async def test_what_runs_for_nobody_holds_up_nothing(bench: Bench):
    gate = Event()
    first = asyncio.create_task(bench.run("acme", gate.wait, 10))
    await asyncio.sleep(0)
    first.cancel()
    next_one = asyncio.create_task(bench.run("acme", len, "abc"))
    await asyncio.sleep(0)
    gate.set()
    assert await next_one == 3


async def test_closed_nothing_in_line_is_begun(bench: Bench):
    gate, done = Event(), list[str]()
    first = asyncio.create_task(bench.run("acme", gate.wait, 10))
    await asyncio.sleep(0)
    waits = await asked(bench, "acme", done, "waits")
    bench.close()
    gate.set()
    assert await first is True
    with pytest.raises(asyncio.CancelledError):
        await waits
    assert done == []
