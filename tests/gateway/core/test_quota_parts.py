"""A process that alone loses Redis, comes back, or stands still: never more than the limit, in simulated time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from providers.contract import Limit, per_minute, per_second
from tests.gateway.core.simulated import simulation

SECOND, SHORT = per_second(20), Limit(count=100, per=timedelta(seconds=5))


@pytest.mark.parametrize("away", [2.0, 4.0, 8.0, 40.0])
async def test_a_process_that_alone_loses_redis_and_the_others_never_exceed_the_limit(redis_url, away):
    with simulation(redis_url, SECOND, count=2) as fleet:
        one, other = fleet.processes
        await asyncio.sleep(5)
        floods = asyncio.gather(fleet.flood(one, away + 30, width=20), fleet.flood(other, away + 30, width=20))
        await asyncio.sleep(5)
        one.link.up = False
        await asyncio.sleep(away)
        one.link.up = True
        await floods

    assert fleet.most_in(1.0) <= 20
    assert len(fleet.arrived) > 10 * (away + 30)
