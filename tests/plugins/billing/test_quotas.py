"""Notices of quotas: once for each threshold and month, also with several processes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from gateway.core.identity import UNLIMITED, Role
from plugins.billing.plugin import workers
from plugins.billing.usage.meter import Meter
from plugins.billing.usage.quotas import QuotaThreshold, QuotaWatch, reached
from tests.house import House
from tests.plugins.billing.people import acts, ask, count, data, member, spent

LIMITS = replace(UNLIMITED, points_per_month=1000, soft_points_per_month=900)
NOTICES = """
query Notices($first: Int) {
  quotaNotices(first: $first) { nodes { month threshold points quota } pageInfo { hasNextPage } }
}"""


def test_thresholds_are_reached_exactly() -> None:
    at = {
        points: [threshold.value for threshold, _ in reached(points, LIMITS)]
        for points in (499, 500, 799, 800, 899, 1000)
    }

    assert at == {
        499: [], 500: ["HALF"], 799: ["HALF"], 800: ["HALF", "FOUR_FIFTHS"], 899: ["HALF", "FOUR_FIFTHS"],
        1000: ["HALF", "FOUR_FIFTHS", "USED_UP", "SOFT"],
    }  # fmt: skip
    assert list(reached(10**9, UNLIMITED)) == []
    assert list(reached(5, replace(UNLIMITED, soft_points_per_month=5))) == [(QuotaThreshold.SOFT, 5)]


async def test_each_threshold_is_noticed_once_a_month(house: House) -> None:
    meter = house.host.service(Meter)
    (writing, *_) = workers(house.host)
    for points in (499, 1, 300, 1, 500):
        meter.note(spent("ten_a", points, house.clock.now(), limits=LIMITS))
        await writing.run()
    house.clock.turn(11 * 86_400)
    meter.note(spent("ten_a", 600, house.clock.now(), limits=LIMITS))
    meter.note(spent("ten_b", 950, house.clock.now(), limits=LIMITS))
    await writing.run()

    shown = (await data(house, member("ten_a", Role.ANALYST), NOTICES))["quotaNotices"]["nodes"]

    assert [(notice["month"], notice["threshold"], notice["points"], notice["quota"]) for notice in shown] == [
        ("2026-12", "HALF", 600, 1000),
        ("2026-11", "FOUR_FIFTHS", 800, 1000),
        ("2026-11", "HALF", 500, 1000),
        ("2026-11", "SOFT", 1301, 900),
        ("2026-11", "USED_UP", 1301, 1000),
    ]
    assert len(await acts(house, "quota.reached")) == 5 + 3


async def test_two_processes_write_one_notice(house: House) -> None:
    meter = house.host.service(Meter)
    meter.note(spent("ten_a", 1000, limits=LIMITS))
    told = await meter.flush()
    watches = [QuotaWatch(house.host, meter) for _ in range(4)]

    await asyncio.gather(*(watch.look(told) for watch in watches))

    assert await count(house, "billing_notices") == 4
    assert await acts(house, "quota.reached") == [("ten_a", "quota.reached")] * 4


async def test_notices_are_paged_and_need_a_scope(house: House) -> None:
    meter = house.host.service(Meter)
    meter.note(spent("ten_a", 1000, limits=LIMITS))
    await house.host.service(QuotaWatch).look(await meter.flush())

    page = (await data(house, member("ten_a"), NOTICES, first=3))["quotaNotices"]
    refused = await ask(house, member("ten_a", Role.VIEWER), NOTICES)

    assert (len(page["nodes"]), page["pageInfo"]) == (3, {"hasNextPage": True})
    assert refused["errors"][0]["extensions"]["missingScope"] == "usage:read"
