"""Who asks what is being answered waits for that answer, for a moment only; on a loop whose time jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import strawberry

from gateway.core.contract import Plugin
from gateway.core.identity import Scope
from gateway.edge.responses import LANDING_S
from schema.facts import Shared, facts
from tests.gateway.doubles import TurnedLoop, venue
from tests.gateway.edge.stall import member, open_stall

BEGUN: list[tuple[float, float]] = []
"""When the field was asked for, and how long it took."""


async def resolve_work(seconds: float) -> str:
    BEGUN.append((round(asyncio.get_running_loop().time(), 6), seconds))
    await asyncio.sleep(seconds)
    return "done"


@strawberry.type
class WorkQuery:
    work: str = strawberry.field(
        resolver=resolve_work, metadata=facts(needs=Scope.MARKET_READ, shared=Shared.PUBLIC, fresh_for=30)
    )


WORK = Plugin(name="work", query=WorkQuery)


@pytest.fixture
def begun() -> list[tuple[float, float]]:
    BEGUN.clear()
    return BEGUN


def on_turned_loop(work: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await work()

    with asyncio.Runner(loop_factory=TurnedLoop) as runner:
        runner.run(run())


@pytest.mark.parametrize(("seconds", "times"), [(0.09, 1), (0.11, 2)])
def test_an_answer_under_way_is_waited_for_a_tenth_of_a_second_at_most(
    seconds: float, times: int, begun: list[tuple[float, float]], tmp_path: Path
) -> None:
    ends: list[float] = []

    async def work() -> None:
        stall = open_stall(tmp_path, venue("alpha"), callers={"a": member("org_a"), "b": member("org_b")}, more=(WORK,))

        async def ask(key: str) -> None:
            answer = await stall.ask(f"{{ work(seconds: {seconds}) }}", key)
            assert answer.json()["data"] == {"work": "done"}
            ends.append(round(asyncio.get_running_loop().time(), 6))

        await asyncio.gather(ask("a"), ask("b"))

    on_turned_loop(work)

    assert begun == [(0.0, seconds), (LANDING_S, seconds)][:times]
    assert ends == [seconds, seconds if times == 1 else round(LANDING_S + seconds, 6)]
