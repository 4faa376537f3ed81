"""Redis's script decides as the counter of one process does, for any sequence of questions."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.guards.quota import Claim, OwnCount, Ticket, Windows
from providers.contract import Limit
from tests.gateway.core.simulated import Process, Simulation
from tests.gateway.doubles import TurnedLoop

SHARES = {"small": 1.0, "middle": 2.0, "large": 3.0}
CLAIMS = st.lists(st.tuples(st.sampled_from(sorted(SHARES)), st.integers(1, 4)), min_size=1, max_size=6)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), CLAIMS),
        st.tuples(st.just("end"), st.integers(0, 9)),
        st.tuples(st.just("give back"), st.integers(0, 9)),
        st.tuples(st.just("seen"), st.integers(0, 12)),
        st.tuples(st.just("wait"), st.integers(1, 40)),
    ),
    max_size=25,
)
"""A tenth of a second each that is waited; calls by their place among those under way."""
LIMITS = st.sampled_from([
    (Limit(count=6, per=timedelta(seconds=1), unit="weight"),),
    (Limit(count=3, per=timedelta(seconds=1)), Limit(count=12, per=timedelta(seconds=3), unit="weight")),
])  # fmt: skip


class Both:
    """The same questions to the script and to the model."""

    def __init__(self, process: Process, limits: tuple[Limit, ...]) -> None:
        self.process, self.model = process, OwnCount(Windows(limits, margin=0))
        self.pairs: list[tuple[Ticket, Ticket]] = []

    async def step(self, kind: str, value: Any) -> None:
        now = self.process.clock.monotonic()
        if kind == "take":
            await self.take([Claim(tenant, SHARES[tenant], weight) for tenant, weight in value], now)
        elif kind == "wait":
            await asyncio.sleep(value / 10)
        elif kind == "seen":
            self.process.count.seen([(0, value)], now)
            self.model.seen([(0, value)], now)
        elif value < len(self.pairs):
            ours, model = self.pairs.pop(value)
            if kind == "end":
                self.process.count.ended(ours, now)
                self.model.ended(model, now)
            else:
                self.process.count.given_back(ours)
                self.model.given_back(model)
        await self.process.count.settle()

    async def take(self, claims: list[Claim], now: float) -> None:
        possible = [claim for claim in claims if self.model.possible(claim.weight)]
        ours, wait = await self.process.count.take(possible, now)
        model, expected = await self.model.take(possible, now)

        assert sorted(ours) == sorted(model)
        assert wait == pytest.approx(expected, abs=0.002)
        self.pairs += [(ours[place], model[place]) for place in sorted(ours)]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limits=LIMITS, steps=STEPS)
def test_the_script_decides_as_the_model_does(redis_url: str, limits: tuple[Limit, ...], steps: list[Any]) -> None:
    async def play() -> None:
        with redis.Redis.from_url(redis_url) as client:
            client.flushdb()
            process = Simulation(client, limits, margin=0).start()
            await asyncio.sleep(1)
            both = Both(process, limits)
            for kind, value in steps:
                await both.step(kind, value)
            process.die()

    with asyncio.Runner(loop_factory=TurnedLoop) as runner:
        runner.run(play())
