"""A plan as a value, and the plans that every gateway has: one table, written out in docs/plans.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from gateway.core.identity import PlanLimits

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """What a plan allows, and its price. None means without limit; without `point_price` more points cost nothing."""

    name: str
    points_per_minute: int
    concurrency: int
    streams: int
    webhooks: int
    history_days: int | None = None
    providers: Sequence[str] | None = None
    points_per_month: int | None = None
    soft_points_per_month: int | None = None
    monthly_price: Decimal = NOTHING
    currency: str = "USD"
    point_price: Decimal | None = None
    """Of 1,000 points beyond the included ones."""
    included_points: int = 0
    upstream_calls_per_minute: int | None = None
    upstream_weight: int = 1

    @property
    def limits(self) -> PlanLimits:
        """As the gate reads them."""
        return PlanLimits(
            plan=self.name, points_per_minute=self.points_per_minute, concurrency=self.concurrency,
            streams=self.streams, webhooks=self.webhooks, history_days=self.history_days,
            providers=None if self.providers is None else frozenset(self.providers),
            points_per_month=self.points_per_month, soft_points_per_month=self.soft_points_per_month,
            upstream_calls_per_minute=self.upstream_calls_per_minute, upstream_weight=self.upstream_weight,
        )  # fmt: skip


FREE = PlanRow(
    name="free", points_per_minute=60, concurrency=4, streams=2, webhooks=1, history_days=365,
    points_per_month=100_000, upstream_calls_per_minute=60,
)  # fmt: skip
DEVELOPER = PlanRow(
    name="developer", points_per_minute=600, concurrency=10, streams=20, webhooks=10, history_days=1_825,
    points_per_month=3_000_000, soft_points_per_month=2_400_000,
    upstream_calls_per_minute=600, upstream_weight=3,
)  # fmt: skip
PRO = PlanRow(
    name="pro", points_per_minute=6_000, concurrency=50, streams=200, webhooks=100,
    soft_points_per_month=100_000_000, upstream_weight=10,
)  # fmt: skip
WITHOUT_LIMIT = PlanRow(
    name="unlimited", points_per_minute=1_000_000_000, concurrency=1_000_000, streams=1_000_000, webhooks=1_000_000,
    upstream_weight=10,
)  # fmt: skip

BUILT_IN: dict[str, PlanRow] = {plan.name: plan for plan in (FREE, DEVELOPER, PRO, WITHOUT_LIMIT)}
"""They cost nothing: what a plan costs is the operator's to say, who defines one with prices."""


def anonymous_limits(points_per_minute: int) -> PlanLimits:
    """Of all callers without a credential from one address."""
    return PlanLimits(
        plan="anonymous", points_per_minute=points_per_minute, concurrency=4, streams=2, webhooks=0, history_days=365
    )
