"""Notices of quotas: one for each threshold, tenant and month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cachetools import LRUCache

from gateway.core.contract import Host
from gateway.core.identity import PlanLimits
from gateway.core.ports import Act, Audit, Outbox
from plugins.billing.calendar import Month
from plugins.billing.usage.events import QuotaThresholdReached
from plugins.billing.usage.meter import Meter
from plugins.billing.usage.store import NoticeRows
from plugins.billing.usage.thresholds import PERCENT
from plugins.billing.usage.thresholds import QuotaThreshold as QuotaThreshold

MOST_HELD = 20_000


def reached(points: int, limits: PlanLimits) -> Iterator[tuple[QuotaThreshold, int]]:
    """The thresholds that so many points have reached, each with its quota."""
    hard, soft = limits.points_per_month, limits.soft_points_per_month
    if hard is not None:
        yield from ((threshold, hard) for threshold, share in PERCENT.items() if points * 100 >= hard * share)
    if soft is not None and points >= soft:
        yield QuotaThreshold.SOFT, soft


class QuotaWatch:
    """Runs behind each flush, for the tenants whose counts it wrote."""

    def __init__(self, host: Host, meter: Meter) -> None:
        self._host, self._meter, self._rows = host, meter, NoticeRows()
        self._told: LRUCache[tuple[str, Month, QuotaThreshold], bool] = LRUCache(MOST_HELD)

    async def look(self, tenants: Mapping[str, PlanLimits]) -> None:
        """Write a notice for each threshold that was not noticed in this month."""
        month = Month.of(self._host.clock.now())
        for tenant, limits in tenants.items():
            if limits.points_per_month is None and limits.soft_points_per_month is None:
                continue
            points = await self._meter.month_to_date(tenant)
            for threshold, quota in reached(points, limits):
                if (tenant, month, threshold) not in self._told:
                    await self._tell(tenant, month, threshold, points, quota)
                    self._told[tenant, month, threshold] = True

    async def _tell(self, tenant: str, month: Month, threshold: QuotaThreshold, points: int, quota: int) -> None:
        now = self._host.clock.now()
        async with self._host.store.write() as tx:
            if await self._rows.add(tx, tenant, str(month), threshold.value, points, quota, now):
                after = {"month": str(month), "threshold": threshold.value, "points": points, "quota": quota}
                await self._host.service(Audit).record(
                    tx,
                    Act(
                        tenant=tenant, action="quota.reached", actor="system", actor_kind="system", target=tenant,
                        after=after,
                    ),
                )  # fmt: skip
                event = QuotaThresholdReached(month=str(month), threshold=threshold, points=points, quota=quota)
                self._host.service(Outbox).emit(tx, event, tenant=tenant)
