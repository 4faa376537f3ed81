"""Arithmetic beside the event loop: tenants take turns, who has too much waiting is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any
from unittest.mock import patch

import pytest

from gateway.core.quant.steps import Steps
from plugins.portfolio.bench import TURN_S, Asker, Bench
from schema.errors import RateLimited


@dataclass(frozen=True)
class Caller:
    """Who asks, and when."""

    tenant: str
    now: datetime = datetime(2026, 11, 20, tzinfo=UTC)


ACME, BETA = Caller("acme"), Caller("beta")


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench(lambda: 0.0, most_waiting=3)
    yield made
    made.close()


async def asked(bench: Bench, tenant: str, done: list[str], name: str) -> asyncio.Task[None]:
    """A piece that stands in line."""
    task = asyncio.create_task(bench.run(Caller(tenant), done.append, name))
    await asyncio.sleep(0)
    return task


async def test_it_answers_what_the_work_makes(bench: Bench):
    assert await bench.run(ACME, divmod, 7, 2) == (3, 1)


async def test_what_the_work_raises_is_raised(bench: Bench):
    with pytest.raises(ZeroDivisionError):
        await bench.run(ACME, divmod, 7, 0)
    assert await bench.run(ACME, len, "abc") == 3


async def test_tenants_take_turns(bench: Bench):
    gate, done = Event(), list[str]()
    first = asyncio.create_task(bench.run(ACME, gate.wait, 10))
    await asyncio.sleep(0)
    waiting = [await asked(bench, "acme", done, f"acme {n}") for n in range(3)]
    waiting.append(await asked(bench, "beta", done, "beta 0"))
    gate.set()
    await asyncio.gather(first, *waiting)
    assert done == ["acme 0", "beta 0", "acme 1", "acme 2"]


class Ticking:
    """A clock that goes on by a millisecond with each step."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def steps(self, count: int, name: str, done: list[str]) -> Steps[int]:
        for _ in range(count):
            self.now += 0.001
            yield
        done.append(name)
        return count


async def test_of_a_tenants_requests_the_one_that_was_asked_first_is_ended_first():
    bench, gate, done = Bench(lambda: 0.0), Event(), list[str]()
    first = asyncio.create_task(bench.run(ACME, gate.wait, 10))
    await asyncio.sleep(0)
    callers = [replace(ACME, now=ACME.now + timedelta(milliseconds=n)) for n in range(3)]

    async def request(number: int) -> None:
        for piece in range(3):
            await bench.run(callers[number], done.append, f"{number}.{piece}")

    waiting = [asyncio.create_task(request(number)) for number in (2, 0, 1)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(first, *waiting)
    bench.close()

    ends = [done.index(f"{number}.2") for number in range(3)]
    assert ends == sorted(ends)
    assert done[0] == "0.0"


async def test_what_goes_in_steps_gives_way_after_each_turn():
    clock, gate, done = Ticking(), Event(), list[str]()
    bench = Bench(clock)
    first = asyncio.create_task(bench.run(ACME, gate.wait, 10))
    await asyncio.sleep(0)
    long = asyncio.create_task(bench.run_in_turns(ACME, clock.steps, 1_000, "acme", done))
    await asyncio.sleep(0)
    waiting = [await asked(bench, f"other {n}", done, f"other {n}") for n in range(3)]
    gate.set()
    await asyncio.gather(first, *waiting)
    assert done == ["other 0", "other 1", "other 2"]
    assert clock.now < 3 * TURN_S + 0.005
    assert await long == 1_000
    assert done[3:] == ["acme"]
    bench.close()


async def test_a_turn_has_as_many_steps_as_go_into_its_time():
    clock, begun = Ticking(), list[float]()
    bench = Bench(clock)
    plain = bench.run

    async def counted(asker: Asker, work: Any, *given: Any) -> Any:
        begun.append(round(clock.now, 3))
        return await plain(asker, work, *given)

    with patch.object(bench, "run", counted):
        assert await bench.run_in_turns(ACME, clock.steps, 25, "acme", []) == 25
    assert begun == [0.0, 0.01, 0.02]
    bench.close()


async def test_what_the_steps_raise_is_raised(bench: Bench):
    def steps() -> Steps[int]:
        yield
        return 1 // 0

    with pytest.raises(ZeroDivisionError):
        await bench.run_in_turns(ACME, steps)


async def test_too_much_of_a_tenant_is_refused_and_others_are_not(bench: Bench):
    gate, done = Event(), list[str]()
    first = asyncio.create_task(bench.run(ACME, gate.wait, 10))
    await asyncio.sleep(0)
    waiting = [await asked(bench, "acme", done, "acme") for _ in range(3)]
    with pytest.raises(RateLimited, match="3 computations of this organisation wait already"):
        await bench.run(ACME, done.append, "one too many")
    waiting.append(await asked(bench, "beta", done, "beta"))
    gate.set()
    await asyncio.gather(first, *waiting)
    assert sorted(done) == ["acme", "acme", "acme", "beta"]


async def test_who_cancels_gives_up_the_turn(bench: Bench):
    gate, done = Event(), list[str]()
    first = asyncio.create_task(bench.run(ACME, gate.wait, 10))
    await asyncio.sleep(0)
    left, stays = await asked(bench, "acme", done, "left"), await asked(bench, "acme", done, "stays")
    left.cancel()
    gate.set()
    await asyncio.gather(first, left, stays, return_exceptions=True)
    assert done == ["stays"]


async def test_what_runs_for_nobody_holds_up_nothing(bench: Bench):
    gate = Event()
    first = asyncio.create_task(bench.run(ACME, gate.wait, 10))
    await asyncio.sleep(0)
    first.cancel()
    next_one = asyncio.create_task(bench.run(ACME, len, "abc"))
    await asyncio.sleep(0)
    gate.set()
    assert await next_one == 3


async def test_closed_nothing_in_line_is_begun(bench: Bench):
    gate, done = Event(), list[str]()
    first = asyncio.create_task(bench.run(ACME, gate.wait, 10))
    await asyncio.sleep(0)
    waits = await asked(bench, "acme", done, "waits")
    bench.close()
    gate.set()
    assert await first is True
    with pytest.raises(asyncio.CancelledError):
        await waits
    assert done == []
