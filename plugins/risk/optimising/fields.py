"""The root fields of optimisation."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import strawberry

from gateway.core.contract import Ctx
from plugins.risk.costs import cost_of_frontier, cost_of_optimum
from plugins.risk.optimising.asking import MOST_POINTS, frontier, optimized
from plugins.risk.optimising.inputs import EfficientFrontierInput, OptimizeInput
from plugins.risk.optimising.types import EfficientFrontier, OptimizationResult
from schema.facts import facts
from schema.scopes import Scope


async def resolve_optimize(
    info: Ctx, input: Annotated[OptimizeInput, strawberry.argument(description="What is to be optimal.")]
) -> OptimizationResult:
    """Nothing is traded."""
    return await optimized(info.context, input)


async def resolve_frontier(
    info: Ctx, input: Annotated[EfficientFrontierInput, strawberry.argument(description="Of what.")]
) -> EfficientFrontier:
    """Columns by point."""
    return await frontier(info.context, input)


@strawberry.type(description="Optimal portfolios.")
class OptimizationQuery:
    """Root fields."""

    optimize: OptimizationResult | None = strawberry.field(
        resolver=resolve_optimize,
        description="Optimal weights under constraints, and the trades that lead there. Nothing is ordered.",
        metadata=facts(cost=cost_of_optimum, needs=Scope.PORTFOLIO_READ, also=Scope.MARKET_READ),
    )
    efficient_frontier: EfficientFrontier | None = strawberry.field(
        resolver=resolve_frontier,
        description="Portfolios of the least variance for each expected return, under constraints.",
        metadata=facts(
            cost=partial(cost_of_frontier, most=MOST_POINTS), needs=Scope.PORTFOLIO_READ, also=Scope.MARKET_READ
        ),
    )
