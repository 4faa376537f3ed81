"""The root fields of analysis."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import strawberry

from gateway.core.contract import Ctx
from plugins.risk.analysis.basis import read_span
from plugins.risk.analysis.risk import RiskAnalysis, resolve_risk
from plugins.risk.analysis.stress import (
    ScenarioInput,
    StressPeriodInput,
    StressReport,
    StressWindow,
    read_stress,
    stressed,
)
from plugins.risk.analysis.subject import read_subject
from plugins.risk.analysis.together import (
    CorrelationReport,
    PrincipalComponents,
    resolve_components,
    resolve_correlation,
)
from plugins.risk.analysis.words import MissingPrices, WeightInput
from plugins.risk.costs import cost_of_risk, cost_of_stress, cost_of_symbols, turns_of_risk
from schema.facts import facts
from schema.scopes import Scope


@strawberry.input(description="What to test: give `portfolioId` or `weights`. Without scenarios all named windows.")
class StressTestInput:
    """Windows bring their own prices; the span is the sample of betas."""

    portfolio_id: strawberry.ID | None = strawberry.field(description="A portfolio, as it is held now.", default=None)
    weights: list[WeightInput] | None = strawberry.field(
        description="Weights that sum to 1 with `cash`, each once.", default=None
    )
    cash: float | None = strawberry.field(
        description="With `weights`: what is not invested, as a fraction; 0.", default=None
    )
    currency: str | None = strawberry.field(
        description="Prices are converted into it; without it the portfolio's, or each in its own.", default=None
    )
    windows: list[StressWindow] | None = strawberry.field(description="Named windows of history.", default=None)
    periods: list[StressPeriodInput] | None = strawberry.field(description="Windows of one's own.", default=None)
    scenarios: list[ScenarioInput] | None = strawberry.field(description="Shocks.", default=None)
    start: dt.date | None = strawberry.field(description="First day of the betas' sample.", default=None)
    end: dt.date | None = strawberry.field(description="The day behind its last one; today.", default=None)
    missing: MissingPrices = strawberry.field(description="About missing prices.", default=MissingPrices.REFUSE)


async def resolve_stress_test(
    info: Ctx, input: Annotated[StressTestInput, strawberry.argument(description="What to test.")]
) -> StressReport:
    """Of one portfolio."""
    context = info.context
    span = read_span(context, input.start, input.end)
    asked = await read_stress(context, input.windows, input.periods, input.scenarios)
    subject = await read_subject(context, input.portfolio_id, input.weights, input.currency, input.cash)
    return await stressed(context, subject, asked, span, input.missing)


@strawberry.type(description="Risk.")
class AnalysisQuery:
    """Root fields."""

    risk: RiskAnalysis | None = strawberry.field(
        resolver=resolve_risk,
        description="The risk of a portfolio, or of weights: volatility, tails, components, exposure, stress.",
        metadata=facts(cost=cost_of_risk, times=turns_of_risk, needs=Scope.PORTFOLIO_READ, also=Scope.MARKET_READ),
    )
    correlation: CorrelationReport | None = strawberry.field(
        resolver=resolve_correlation,
        description="Correlation of the daily returns of up to 200 instruments.",
        metadata=facts(cost=cost_of_symbols, needs=Scope.PORTFOLIO_READ, also=Scope.MARKET_READ),
    )
    principal_components: PrincipalComponents | None = strawberry.field(
        resolver=resolve_components,
        description="Principal components of the daily returns of up to 200 instruments.",
        metadata=facts(cost=cost_of_symbols, needs=Scope.PORTFOLIO_READ, also=Scope.MARKET_READ),
    )
    stress_test: StressReport | None = strawberry.field(
        resolver=resolve_stress_test,
        description="What windows of history and shocks do to a portfolio.",
        metadata=facts(cost=cost_of_stress, needs=Scope.PORTFOLIO_READ, also=Scope.MARKET_READ),
    )
