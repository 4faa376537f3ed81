"""The kinds of jobs that risk offers. Input and result are plain JSON, made of the GraphQL types and read into them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.core.contract import Context
from gateway.core.ports import JobKind, Progress
from plugins.risk.analysis.data import figure_of
from plugins.risk.analysis.exposures import exposure_of
from plugins.risk.analysis.risk import Question, RiskInput, RiskVolatility, components_of, read_question, tail_of
from plugins.risk.analysis.stress import read_stress, stressed
from plugins.risk.analysis.subject import CASH_ALONE
from plugins.risk.background.types import RiskReport
from plugins.risk.optimising.asking import optimized
from plugins.risk.optimising.inputs import OptimizeInput
from plugins.risk.optimising.types import OptimizationResult
from schema.words.jobs import JobResult

OPTIMIZE, REPORT = "risk.optimize", "risk.report"


def written(value: OptimizeInput | RiskInput | OptimizationResult | RiskReport) -> dict[str, Any]:
    """As JSON has it."""
    told: dict[str, Any] = msgspec.to_builtins(value)
    return told


async def run_optimize(context: Context, given: Mapping[str, Any], tell: Progress) -> Mapping[str, Any]:
    """The job `risk.optimize`."""
    tell(0.1, "prices are read and weights optimised")
    return written(await optimized(context, msgspec.convert(given, OptimizeInput)))


async def run_report(context: Context, given: Mapping[str, Any], tell: Progress) -> Mapping[str, Any]:
    """The job `risk.report`."""
    tell(0.05, "holdings and prices are read")
    question, head = await read_question(context, msgspec.convert(given, RiskInput))
    tell(0.4, "volatility and tails are reckoned")
    figures = await _figures(question)
    tell(0.6, "exposure is added up")
    exposure = await exposure_of(context, question.subject)
    tell(0.7, "windows of history are replayed")
    asked = await read_stress(context, None, None, None)
    stress = await stressed(context, question.subject, asked, question.span, question.basis.missing)
    report = RiskReport(
        portfolio_id=head.portfolio_id, symbols=head.symbols, weights=head.weights, cash=head.cash,
        exposure=exposure, stress=stress, data=head.data, **figures,
    )  # fmt: skip
    return written(report)


async def _figures(question: Question) -> dict[str, Any]:
    """What has none is told by a warning: a portfolio of cash alone has its exposure and its stress."""
    if not question.subject.weights:
        return {"warnings": [f"volatility, tails, components: {CASH_ALONE}"]}
    told = await question.risk()
    volatility = told["volatility"]
    return {
        "volatility": RiskVolatility(
            ex_post=figure_of(volatility["ex_post"]), ex_ante=figure_of(volatility["ex_ante"])
        ),
        "tails": [tail_of(each) for each in told["tails"]],
        "components": components_of(await question.contributions(question.confidences[0])),
        "warnings": told["warnings"],
    }  # fmt: skip


def show_optimize(result: Mapping[str, Any]) -> JobResult:
    """The result of `risk.optimize`."""
    shown: Any = msgspec.convert(result, OptimizationResult)
    return shown  # type: ignore[no-any-return]


def show_report(result: Mapping[str, Any]) -> JobResult:
    """The result of `risk.report`."""
    shown: Any = msgspec.convert(result, RiskReport)
    return shown  # type: ignore[no-any-return]


KINDS = (
    JobKind(name=OPTIMIZE, run=run_optimize, show=show_optimize),
    JobKind(name=REPORT, run=run_report, show=show_report),
)
