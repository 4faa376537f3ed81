"""Tenants who ask two processes for more than there is get their shares, over any ten seconds of simulated time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from providers.contract import Limit, per_second
from tests.gateway.core.simulated import simulation

TWO_SECONDS, BURSTS = Limit(count=20, per=timedelta(seconds=2)), Limit(count=200, per=timedelta(seconds=5))


APART = [(0, "small", 1), (1, "large", 3)]
MIXED = [(0, "small", 1), (1, "small", 1), (0, "large", 3), (1, "large", 3)]


@pytest.mark.parametrize(("limit", "asking"), [(per_second(10), APART), (TWO_SECONDS, MIXED), (BURSTS, MIXED)])
async def test_over_any_ten_seconds_each_tenant_gets_its_share_within_a_tenth(redis_url, limit, asking):
    with simulation(redis_url, limit) as fleet:
        await asyncio.sleep(3)
        await asyncio.gather(
            *(fleet.flood(fleet.processes[process], 21, tenant, share, width=8) for process, tenant, share in asking)
        )
    tens = [fleet.between(4 + start / 2, 14 + start / 2) for start in range(20)]

    assert fleet.most_in(limit.per.total_seconds()) <= limit.count
    assert [each["large"] / each.total() for each in tens] == pytest.approx([0.75] * 20, rel=0.1)
    assert [each["small"] / each.total() for each in tens] == pytest.approx([0.25] * 20, rel=0.1)
    assert min(each.total() for each in tens) >= 80


async def test_what_a_tenant_does_not_want_another_gets_from_the_other_process(redis_url):
    with simulation(redis_url, per_second(10)) as fleet:
        await asyncio.sleep(3)
        await fleet.flood(fleet.processes[1], 10, "small", 1, width=8)

    assert fleet.between(3, 13).total() >= 80
