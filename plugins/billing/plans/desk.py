"""The port `Plans`: what a plan allows, held in memory for a few seconds."""

from __future__ import annotations

from typing import Any

import structlog
from cachetools import TTLCache

from gateway.core.contract import Host
from gateway.core.identity import PlanLimits
from gateway.core.ports import Organisations
from gateway.core.store import Tx
from plugins.billing.plans.catalog import BUILT_IN, FREE, PlanRow, anonymous_limits
from plugins.billing.plans.store import PlanDirectory

TOPIC = "billing.plans"
HELD_S = 10.0
MOST_HELD = 1_000

log = structlog.get_logger(__name__)


class PlanInUse(Exception):
    """Tenants are on the plan; the number of them."""

    def __init__(self, tenants: int) -> None:
        super().__init__(tenants)
        self.tenants = tenants


class PlanDesk:
    """Built-in plans are known; the operator's are read, and dropped when one is changed anywhere."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._rows = PlanDirectory()
        self._held: TTLCache[str, PlanLimits] = TTLCache(MOST_HELD, HELD_S, timer=host.clock.monotonic)
        self._drops = 0
        host.bus.subscribe(TOPIC, lambda _: self._drop())
        host.bus.on_gap(self._drop)

    def _drop(self) -> None:
        self._drops += 1
        self._held.clear()

    async def limits_of(self, tenant: str, plan: str) -> PlanLimits:
        """See `Plans`. A plan that is nowhere to be found allows what `free` does."""
        known = BUILT_IN.get(plan)
        if known is not None:
            return known.limits
        held = self._held.get(plan)
        if held is not None:
            return held
        drops = self._drops
        async with self._host.store.read() as tx:
            found = await self._rows.find(tx, plan)
        if found is None:
            log.warning("plan_is_gone", tenant=tenant, plan=plan)
            return FREE.limits
        if drops == self._drops:
            self._held[plan] = found.limits
        return found.limits

    async def exists(self, tx: Tx, plan: str) -> bool:
        """See `Plans`; until the transaction ends nobody removes it."""
        return plan in BUILT_IN or await self._rows.keep(tx, plan)

    def anonymous(self) -> PlanLimits:
        """See `Plans`."""
        return anonymous_limits(self._host.settings.anonymous_points)

    async def all(self, tx: Tx) -> list[PlanRow]:
        """The built-in ones, then the operator's by name."""
        return [*BUILT_IN.values(), *await self._rows.all(tx)]

    async def find(self, tx: Tx, plan: str) -> PlanRow | None:
        """One of either."""
        return BUILT_IN.get(plan) or await self._rows.find(tx, plan)

    async def define(self, tx: Tx, plan: PlanRow) -> PlanRow | None:
        """Write it; the answer is what it was before."""
        before = await self._rows.lock(tx, plan.name)
        await self._rows.put(tx, plan)
        tx.then(lambda: self._tell(plan.name))
        return before

    async def remove(self, tx: Tx, name: str) -> PlanRow | None:
        """Remove it; None where there is none; PlanInUse where tenants are on it."""
        found = await self._rows.lock(tx, name)
        if found is None:
            return None
        tenants = [each for each in await self._host.service(Organisations).all(tx) if each.plan == name]
        if tenants:
            raise PlanInUse(len(tenants))
        await self._rows.remove(tx, name)
        tx.then(lambda: self._tell(name))
        return found

    async def _tell(self, name: str) -> None:
        await self._host.bus.publish(TOPIC, {"plan": name})


def plain(plan: PlanRow) -> dict[str, Any]:
    """For the audit trail and for exports."""
    return {
        "name": plan.name, "pointsPerMinute": plan.points_per_minute, "concurrency": plan.concurrency,
        "streams": plan.streams, "webhooks": plan.webhooks, "historyDays": plan.history_days,
        "providers": None if plan.providers is None else list(plan.providers),
        "pointsPerMonth": plan.points_per_month, "softPointsPerMonth": plan.soft_points_per_month,
        "monthlyPrice": format(plan.monthly_price, "f"), "currency": plan.currency,
        "pointPrice": None if plan.point_price is None else format(plan.point_price, "f"),
        "includedPoints": plan.included_points, "upstreamCallsPerMinute": plan.upstream_calls_per_minute,
        "upstreamWeight": plan.upstream_weight,
    }  # fmt: skip
