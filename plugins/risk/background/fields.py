"""The root fields of jobs of risk."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.core.contract import Context, Ctx
from gateway.core.ports import Jobs
from plugins.risk.analysis.risk import HEAVY, RiskInput
from plugins.risk.background.kinds import OPTIMIZE, REPORT, written
from plugins.risk.background.types import (
    OptimizationStartErrorCode,
    OptimizationStartInput,
    OptimizationStartPayload,
    RiskReportStartErrorCode,
    RiskReportStartInput,
    RiskReportStartPayload,
)
from plugins.risk.costs import cost_of_optimum, cost_of_risk, given_of, instruments, turns, windows
from plugins.risk.optimising.inputs import OptimizeInput
from schema.errors import BadInput
from schema.facts import Arguments, facts
from schema.scopes import Scope
from schema.words.jobs import Job
from schema.words.problems import Refused

WAITING = 20
"""Points of a job besides those of its question."""


def cost_of_optimization(arguments: Arguments) -> int:
    """The question's, and those of a job."""
    return WAITING + cost_of_optimum(arguments, "input", "optimize")


def cost_of_report(arguments: Arguments) -> int:
    """Those of the question, of all figures, of all windows, and of a job."""
    count = instruments(given_of(arguments, "input", "risk"))
    return WAITING + cost_of_risk(arguments, "input", "risk") + 4 * HEAVY * turns(count) + windows({}, count)


async def resolve_optimization_start(
    info: Ctx, input: Annotated[OptimizationStartInput, strawberry.argument(description="What is to be optimal.")]
) -> OptimizationStartPayload:
    """A job of the kind `risk.optimize`."""
    try:
        job = await _begun(info.context, OPTIMIZE, input.optimize, input.idempotency_key)
    except Refused as refused:
        return OptimizationStartPayload(user_errors=[refused.error(OptimizationStartErrorCode)])
    return OptimizationStartPayload(job=job, user_errors=[])


async def resolve_report_start(
    info: Ctx, input: Annotated[RiskReportStartInput, strawberry.argument(description="Whose risk.")]
) -> RiskReportStartPayload:
    """A job of the kind `risk.report`."""
    try:
        job = await _begun(info.context, REPORT, input.risk, input.idempotency_key)
    except Refused as refused:
        return RiskReportStartPayload(user_errors=[refused.error(RiskReportStartErrorCode)])
    return RiskReportStartPayload(job=job, user_errors=[])


async def _begun(context: Context, kind: str, given: OptimizeInput | RiskInput, key: str | None) -> Job:
    try:
        return await context.service(Jobs).start(context, kind, written(given), idempotency_key=key)
    except BadInput as error:
        raise Refused("INPUT_INVALID", error.message, error.field) from None


@strawberry.type(description="Jobs of risk.")
class BackgroundMutation:
    """Root fields."""

    optimization_start: OptimizationStartPayload = strawberry.field(
        resolver=resolve_optimization_start,
        description="Optimise as a job, for many instruments or long ranges; see `optimize`.",
        metadata=facts(cost=cost_of_optimization, needs=Scope.PORTFOLIO_READ, also=Scope.MARKET_READ),
    )
    risk_report_start: RiskReportStartPayload = strawberry.field(
        resolver=resolve_report_start,
        description="The whole risk of a portfolio as a job; see `risk`.",
        metadata=facts(cost=cost_of_report, needs=Scope.PORTFOLIO_READ, also=Scope.MARKET_READ),
    )
