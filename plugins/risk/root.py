"""The root fields of risk, together."""

from __future__ import annotations

import strawberry

from plugins.risk.analysis.fields import AnalysisQuery
from plugins.risk.background.fields import BackgroundMutation
from plugins.risk.constraints.fields import ConstraintMutation, ConstraintQuery
from plugins.risk.hedging.fields import HedgeQuery
from plugins.risk.limits.fields import LimitMutation, LimitQuery
from plugins.risk.optimising.fields import OptimizationQuery


@strawberry.type(description="Risk, constraints, limits.")
class RiskQuery(AnalysisQuery, OptimizationQuery, HedgeQuery, ConstraintQuery, LimitQuery):
    """Root fields."""


@strawberry.type(description="Changes of constraints and limits.")
class RiskMutation(ConstraintMutation, LimitMutation, BackgroundMutation):
    """Root fields."""
