"""GraphQL types of jobs of risk."""

from __future__ import annotations

from enum import StrEnum

import strawberry

from plugins.risk.analysis.data import PriceData
from plugins.risk.analysis.exposures import RiskExposure
from plugins.risk.analysis.risk import RiskComponents, RiskInput, RiskTail, RiskVolatility
from plugins.risk.analysis.stress import StressReport
from plugins.risk.optimising.inputs import OptimizeInput
from schema.model import described, model
from schema.refusals import refusals
from schema.words.jobs import Job, JobResult
from schema.words.problems import UserError

ERRORS = "Why nothing was begun; empty where it was."
KEY = "The same key with the same input begins no second job."


@model("The risk of a portfolio in one piece: the result of a `risk.report` job.", implements=(JobResult,))
class RiskReport:
    """As `risk` answers it, with all named windows of stress."""

    portfolio_id: strawberry.ID | None = described("The portfolio; null where weights were given.", default=None)
    symbols: list[str] = described("Ids of what is held.")
    weights: list[float] = described("Fractions of the value, in their order.")
    cash: float = described("What is left of 1.")
    volatility: RiskVolatility | None = described(
        "Volatility a year; null where nothing but cash is held, as `warnings` says.", default=None
    )
    tails: list[RiskTail] | None = described("Every method at every confidence; null as `volatility`.", default=None)
    components: RiskComponents | None = described(
        "Each position's part, at the first confidence; null as `volatility`.", default=None
    )
    exposure: RiskExposure = described("By class, currency, sector and single name.")
    stress: StressReport = described("All named windows of history.")
    warnings: list[str] = described("What could not be reckoned, and what a figure is to be taken with.")
    data: PriceData = described("The prices that the figures were computed from.")


@refusals("Why no job was begun.", INPUT_INVALID="The idempotency key is none, or came with another input.")
class OptimizationStartErrorCode(StrEnum):
    """Expected refusals; what is wrong with the question fails the job."""

    INPUT_INVALID = "INPUT_INVALID"


@refusals("Why no job was begun.", INPUT_INVALID="The idempotency key is none, or came with another input.")
class RiskReportStartErrorCode(StrEnum):
    """Expected refusals; what is wrong with the question fails the job."""

    INPUT_INVALID = "INPUT_INVALID"


@strawberry.input(description="An optimisation as a job.")
class OptimizationStartInput:
    """As `optimize` takes it."""

    optimize: OptimizeInput = strawberry.field(description="What is to be optimal.")
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.input(description="A report of risk as a job.")
class RiskReportStartInput:
    """As `risk` takes it."""

    risk: RiskInput = strawberry.field(description="Whose risk.")
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@model("What came of `optimizationStart`.")
class OptimizationStartPayload:
    """The job, or why there is none."""

    job: Job | None = described("It waits for its turn; its result is an `OptimizationResult`.", default=None)
    user_errors: list[UserError[OptimizationStartErrorCode]] = described(ERRORS)


@model("What came of `riskReportStart`.")
class RiskReportStartPayload:
    """The job, or why there is none."""

    job: Job | None = described("It waits for its turn; its result is a `RiskReport`.", default=None)
    user_errors: list[UserError[RiskReportStartErrorCode]] = described(ERRORS)
