"""The root field of hedges."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.core.contract import Ctx
from plugins.risk.costs import cost_of_hedge
from plugins.risk.hedging.asking import hedged
from plugins.risk.hedging.inputs import HedgeInput
from plugins.risk.hedging.types import HedgeAnalysis
from schema.facts import facts
from schema.scopes import Scope


async def resolve_hedge(
    info: Ctx, input: Annotated[HedgeInput, strawberry.argument(description="What is to be hedged, and with what.")]
) -> HedgeAnalysis:
    """Nothing is traded."""
    return await hedged(info.context, input)


@strawberry.type(description="Hedges.")
class HedgeQuery:
    """Root fields."""

    hedge_analysis: HedgeAnalysis | None = strawberry.field(
        resolver=resolve_hedge,
        description="Hedge ratios, basis, cost and residual risk of candidates, as proposals. Nothing is ordered.",
        metadata=facts(cost=cost_of_hedge, needs=Scope.PORTFOLIO_READ, also=Scope.MARKET_READ),
    )
