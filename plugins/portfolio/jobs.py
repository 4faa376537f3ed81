"""Performance as a job: of many instruments over many years, with progress, kept for a week."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

import strawberry

from gateway.core.contract import Context, Ctx, Host
from gateway.core.ports import JobKind, JobKinds, Jobs, Progress
from plugins.portfolio.bench import Bench
from plugins.portfolio.desk import PortfolioDesk, unknown
from plugins.portfolio.prices.panels import MOST_OF_JOB
from plugins.portfolio.shapes.figures import PortfolioPerformance, plain
from plugins.portfolio.shapes.portfolios import PERFORMED, cost_of_span
from plugins.portfolio.store import PortfolioRow
from plugins.portfolio.valuation.how import How
from plugins.portfolio.valuation.performance import ASKING, Performer
from plugins.portfolio.wishes import instrument_of
from schema.arguments import says
from schema.errors import BadInput
from schema.facts import Arguments, facts
from schema.model import described, model
from schema.refusals import refusals
from schema.scopes import Scope
from schema.symbols import parse_instrument
from schema.words.jobs import Job, JobResult
from schema.words.problems import Refused, UserError

KIND = "portfolio.performance"
WRITING = 0.95


@model("What came of a job `portfolio.performance`.", implements=(JobResult,))
class PortfolioPerformanceResult:
    """The same as the portfolio's field."""

    warnings: list[str] = described("What is missing or could not be computed, and why.")
    performance: PortfolioPerformance = described("How the portfolio has done.")


async def run(context: Context, given: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
    """The performance as plain values."""
    row = await context.service(PortfolioDesk).find(context, given["portfolio"])
    if row is None:
        raise BadInput("portfolioId", "the portfolio is gone")
    progress(ASKING, "asking for prices")
    benchmark = given["benchmark"] or row.benchmark
    start, end = (given[name] and date.fromisoformat(given[name]) for name in ("start", "end"))
    compared = parse_instrument(benchmark) if benchmark else None
    how = How(
        benchmark=compared, risk_free=given["risk_free"], window=given["window"], garch=given["garch"], most=MOST_OF_JOB
    )  # fmt: skip
    found = await context.service(Performer).performance(context, row, start, end, how, progress)
    progress(WRITING, "writing it down")
    return await context.service(Bench).run_in_turns(context, plain, found)


def show(told: Mapping[str, Any]) -> JobResult:
    """As GraphQL has it."""
    performance = PortfolioPerformance.of(told)
    return PortfolioPerformanceResult(warnings=told["warnings"], performance=performance)  # type: ignore[return-value]


async def start(host: Host) -> None:
    """Offer it, where there are jobs."""
    kinds: JobKinds | None = host.services.get(JobKinds)
    if kinds is not None:
        kinds.register((JobKind(name=KIND, run=run, show=show),))


@refusals(
    "Why no job was begun.",
    INPUT_INVALID="A number or a range is none that can be computed with, or the idempotency key is none or came with "
    "another input.",
)
class PortfolioPerformanceStartErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    INPUT_INVALID = "INPUT_INVALID"
    SYMBOL_INVALID = "SYMBOL_INVALID"
    SYMBOL_AMBIGUOUS = "SYMBOL_AMBIGUOUS"


@strawberry.input(description="Whose performance, over which days.")
class PortfolioPerformanceStartInput:
    """As the arguments of a portfolio's `performance`."""

    portfolio_id: strawberry.ID = strawberry.field(description="The portfolio's id.")
    start: date | None = strawberry.field(
        description="First day; by default that of the first transaction, of weights a year ago.", default=None
    )
    end: date | None = strawberry.field(description="Day behind the last one; by default tomorrow.", default=None)
    benchmark: str | None = strawberry.field(
        description="An instrument to compare with; by default the portfolio's benchmark.", default=None
    )
    risk_free: float = strawberry.field(description="Annual risk-free rate as a fraction, such as 0.03.", default=0.0)
    window: int | None = strawberry.field(
        description="Returns in a moving window, 2 to 2,600; by default a quarter of a year.", default=None
    )
    garch: bool = strawberry.field(description="Whether a GARCH(1,1) volatility is fitted.", default=False)
    idempotency_key: str | None = strawberry.field(
        description="The same key with the same input is done once.", default=None
    )


@model("What came of `portfolioPerformanceStart`.")
class PortfolioPerformanceStartPayload:
    """The job, or why there is none."""

    job: Job | None = described("Look at it with `job(id:)`, the query or the subscription.", default=None)
    user_errors: list[UserError[PortfolioPerformanceStartErrorCode]] = described(
        "Why nothing happened; empty where it did."
    )


async def resolve_start(
    info: Ctx, input: Annotated[PortfolioPerformanceStartInput, says("What to compute.")]
) -> PortfolioPerformanceStartPayload:
    """A job."""
    context = info.context
    try:
        row = await context.service(PortfolioDesk).find(context, input.portfolio_id)
        if row is None:
            raise Refused("NOT_FOUND", unknown().message, "portfolioId")
        benchmark = None
        if input.benchmark is not None:
            benchmark = str(await instrument_of(context, input.benchmark, "benchmark"))
        job = await _begun(context, row, input, benchmark)
    except Refused as refused:
        return PortfolioPerformanceStartPayload(user_errors=[refused.error(PortfolioPerformanceStartErrorCode)])
    return PortfolioPerformanceStartPayload(job=job, user_errors=[])


async def _begun(
    context: Context, row: PortfolioRow, input: PortfolioPerformanceStartInput, benchmark: str | None
) -> Job:
    """What the job itself would refuse only later is refused now."""
    given = {
        "portfolio": input.portfolio_id, "start": input.start and input.start.isoformat(),
        "end": input.end and input.end.isoformat(), "benchmark": benchmark, "risk_free": input.risk_free,
        "window": input.window, "garch": input.garch,
    }  # fmt: skip
    try:
        how = How(risk_free=input.risk_free, window=input.window, most=MOST_OF_JOB)
        await context.service(Performer).check(context, row, input.start, input.end, how)
        return await context.service(Jobs).start(context, KIND, given, idempotency_key=input.idempotency_key)
    except BadInput as error:
        raise Refused("INPUT_INVALID", f"{error.message}.", error.field) from None


def cost_of_job(arguments: Arguments) -> int:
    """As the field, and as much as its least for the job."""
    return PERFORMED + cost_of_span(arguments.get("input") or {})


@strawberry.type(description="Jobs of portfolios.")
class PortfolioJobMutation:
    """Root fields."""

    portfolio_performance_start: PortfolioPerformanceStartPayload = strawberry.field(
        resolver=resolve_start,
        description="Begin a job that computes a portfolio's performance: for many instruments over many years, up to "
        "a million prices.",
        metadata=facts(cost=cost_of_job, needs=Scope.PORTFOLIO_READ, also=Scope.MARKET_READ),
    )
