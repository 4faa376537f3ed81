"""The risk of a portfolio: an object whose fields are reckoned as they are asked for, from prices fetched once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import strawberry

from gateway.core.contract import Context, Ctx
from gateway.core.quant.refusals import NotComputable
from plugins.risk.analysis.basis import RISK, Basis, Span, read_panel, read_span
from plugins.risk.analysis.data import PriceData, dates_of, figure_of, sure_figure
from plugins.risk.analysis.exposures import RiskExposure, exposure_of
from plugins.risk.analysis.stress import (
    ScenarioInput,
    StressPeriodInput,
    StressReport,
    StressWindow,
    read_stress,
    stressed,
)
from plugins.risk.analysis.subject import CASH_ALONE, Subject, read_subject
from plugins.risk.analysis.words import CovarianceMethod, MissingPrices, TailMethod, WeightInput, word
from plugins.risk.costs import cost_of_replays
from plugins.risk.symbols import read_symbols
from schema.errors import BadInput
from schema.facts import facts
from schema.model import computed, described, model
from schema.words.figures import Figure

CONFIDENCES = (0.95, 0.99)
MOST_CONFIDENCES = 5
RELATIVE = "gateway.core.quant.tasks_relative:relative"
RELATIONS = (
    "beta", "alpha", "correlation", "tracking_error", "information_ratio", "up_capture", "down_capture",
)  # fmt: skip
HEAVY = 5
"""Points of a field that asks another process."""


@strawberry.input(description="Whose risk, over which prices: give `portfolioId` or `weights`.")
class RiskInput:
    """Weights are kept fixed: the portfolio's return is the weighted sum of its instruments' each day."""

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
    start: dt.date | None = strawberry.field(description="The first day; a year before the end.", default=None)
    end: dt.date | None = strawberry.field(description="The day behind the last one; today.", default=None)
    missing: MissingPrices = strawberry.field(description="About missing prices.", default=MissingPrices.REFUSE)
    covariance: CovarianceMethod = strawberry.field(
        description="Of the ex-ante volatility, components, parametric and Monte Carlo tails.",
        default=CovarianceMethod.SAMPLE,
    )
    confidences: list[float] | None = strawberry.field(
        description="Of the tails: above 0.5 and below 1, at most 5; 0.95 and 0.99.", default=None
    )
    horizon: int = strawberry.field(description="Days of the tails' losses; methods say how it scales.", default=1)
    draws: int = strawberry.field(description="Of Monte Carlo, at most 1,000,000.", default=100_000)
    seed: int = strawberry.field(description="Of Monte Carlo: the same seed, the same figure.", default=0)


@model("Losses that are rarely exceeded, as fractions of the value: positive numbers.")
class RiskTail:
    """By one method, at one confidence."""

    method: TailMethod = described("How it was estimated.")
    confidence: float = described("Probability that the loss is not exceeded.")
    value_at_risk: Figure | None = described("Value at risk; null where a warning says why.", default=None)
    conditional_value_at_risk: Figure | None = described(
        "Mean of the losses in the tail (expected shortfall); null where a warning says why.", default=None
    )


@model("Volatility a year.")
class RiskVolatility:
    """Of the past, and of the covariance."""

    ex_post: Figure | None = described("Of the portfolio's returns, ddof 1.", default=None)
    ex_ante: Figure | None = described("From the covariance: √(wᵀΣw).", default=None)


@model("How the covariance was estimated.")
class CovarianceFacts:
    """Of all instruments that are held."""

    method: str = described("The estimator in words.")
    shrinkage: float | None = described("Weight of the target; null where nothing is shrunk.", default=None)
    rank: int = described("Of the matrix; below `assets` it is singular.")
    assets: int = described("How many instruments.")


@model("A figure taken apart by instrument: columns in the order of the report's `symbols`.")
class RiskParts:
    """Components sum to the total."""

    total: Figure = described("The figure.")
    marginal: list[float] = described("By how much it grows with a weight, to first order.")
    component: list[float] = described("Weight times marginal.")
    share: list[float] | None = described("component / total; null where the total is not above 0.", default=None)


@model("What each position does to the portfolio's risk.")
class RiskComponents:
    """Long results as columns."""

    symbols: list[str] = described("Ids of what is held.")
    weights: list[float] = described("Fractions of the value, in their order.")
    confidence: float = described("Of the tails.")
    volatility: RiskParts = described("A year's.")
    value_at_risk: RiskParts = described("Parametric, normal, of one day.")
    tail_mean: RiskParts = described("Historical CVaR, of one day.")
    incremental_value_at_risk: list[float] = described("Historical VaR less that with the position turned to cash.")
    incremental_method: str = described("How that was reckoned.")


@model("A portfolio against a benchmark, with a risk-free rate of 0.")
class RelativeRisk:
    """On the dates on which all have closes; figures that the data do not allow are null, and a warning says why."""

    benchmark: str = described("The benchmark's id.")
    beta: Figure | None = described("Slope of the returns on the benchmark's.", default=None)
    alpha: Figure | None = described("Jensen's, a year, arithmetic.", default=None)
    correlation: Figure | None = described("Pearson's.", default=None)
    tracking_error: Figure | None = described("Volatility a year of the difference.", default=None)
    information_ratio: Figure | None = described("Mean difference a year over the tracking error.", default=None)
    up_capture: Figure | None = described("Share of the benchmark's gains.", default=None)
    down_capture: Figure | None = described("Share of its losses.", default=None)
    dropped: list[dt.date] = described("Dates left out because a close is missing.")
    warnings: list[str] = described("What could not be reckoned, and why.")
    data: PriceData = described("The prices of the portfolio and the benchmark.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What all fields of one analysis are about."""

    subject: Subject
    basis: Basis
    span: Span
    covariance: CovarianceMethod
    confidences: tuple[float, ...]
    horizon: int
    draws: int
    seed: int

    async def contributions(self, confidence: float) -> dict[str, Any]:
        """The task `contributions`."""
        held, more = list(self.subject.weights), self.weighted(confidence=confidence)
        told: dict[str, Any] = await self.basis.run(f"{RISK}:contributions", held, **more)
        return told

    async def risk(self) -> dict[str, Any]:
        """The task `risk`, once for all fields."""
        more = self.weighted(confidences=list(self.confidences), horizon=self.horizon, draws=self.draws, seed=self.seed)
        told: dict[str, Any] = await self.basis.run(f"{RISK}:risk", list(self.subject.weights), **more)
        return told

    def weighted(self, **more: Any) -> dict[str, Any]:
        """What a task needs besides the panel; NotComputable where nothing has a price that moves."""
        if not self.subject.weights:
            raise NotComputable(CASH_ALONE)
        weights = {str(instrument): weight for instrument, weight in self.subject.weights.items()}
        return {"weights": weights, "cash": self.subject.cash, "covariance": word(self.covariance), **more}


Confidence = Annotated[float, strawberry.argument(description="One of the input's `confidences`.")]
Method = Annotated[TailMethod, strawberry.argument(description="How it is estimated.")]


async def resolve_volatility(root: RiskAnalysis) -> RiskVolatility | None:
    """Ex post and ex ante."""
    told = (await root.question.risk())["volatility"]
    return RiskVolatility(ex_post=figure_of(told["ex_post"]), ex_ante=figure_of(told["ex_ante"]))


async def resolve_tails(root: RiskAnalysis) -> list[RiskTail] | None:
    """Every method at every confidence."""
    return [tail_of(each) for each in (await root.question.risk())["tails"]]


async def resolve_value_at_risk(
    root: RiskAnalysis, confidence: Confidence = 0.95, method: Method = TailMethod.HISTORICAL
) -> Figure | None:
    """One of the tails."""
    return (await _tail(root, confidence, method)).value_at_risk


async def resolve_conditional(
    root: RiskAnalysis, confidence: Confidence = 0.95, method: Method = TailMethod.HISTORICAL
) -> Figure | None:
    """One of the tails."""
    return (await _tail(root, confidence, method)).conditional_value_at_risk


async def resolve_components(root: RiskAnalysis, confidence: Confidence = 0.95) -> RiskComponents | None:
    """Of every position."""
    return components_of(await root.question.contributions(confidence))


async def resolve_covariance(root: RiskAnalysis) -> CovarianceFacts | None:
    """As it was estimated."""
    return CovarianceFacts(**(await root.question.risk())["covariance"])


async def resolve_exposure(root: RiskAnalysis, info: Ctx) -> RiskExposure | None:
    """Of what is held; of weights the value is 1."""
    return await exposure_of(info.context, root.question.subject)


async def resolve_stress(
    root: RiskAnalysis,
    info: Ctx,
    windows: Annotated[list[StressWindow] | None, strawberry.argument(description="Named windows.")] = None,
    periods: Annotated[list[StressPeriodInput] | None, strawberry.argument(description="Windows of one's own.")] = None,
    scenarios: Annotated[list[ScenarioInput] | None, strawberry.argument(description="Shocks.")] = None,
) -> StressReport | None:
    """All named windows where nothing is asked for."""
    asked, question = await read_stress(info.context, windows, periods, scenarios), root.question
    return await stressed(info.context, question.subject, asked, question.span, question.basis.missing)


async def resolve_relative(
    root: RiskAnalysis,
    info: Ctx,
    benchmark: Annotated[str, strawberry.argument(description="An index, a fund or any other instrument.")],
) -> RelativeRisk | None:
    """From prices of its own: a benchmark may trade on other days than what is held."""
    question = root.question
    more = question.weighted()
    (instrument,) = await read_symbols(info.context, [benchmark], "benchmark", 1)
    wanted = tuple(dict.fromkeys([*question.subject.weights, instrument]))
    panel = await read_panel(info.context, wanted, question.span, question.subject.currency)
    basis = Basis(context=info.context, panel=panel, missing=question.basis.missing)
    told = await basis.run(RELATIVE, wanted, **more, benchmark=str(instrument))
    return RelativeRisk(
        benchmark=told["benchmark"], **{name: figure_of(told[name]) for name in RELATIONS},
        dropped=dates_of(told["dropped"]), warnings=told["warnings"], data=PriceData.of(panel),
    )  # fmt: skip


async def resolve_warnings(root: RiskAnalysis) -> list[str] | None:
    """Of the volatility and the tails."""
    warnings: list[str] = (await root.question.risk())["warnings"]
    return warnings


async def resolve_dropped(root: RiskAnalysis) -> list[dt.date] | None:
    """Left out of the returns."""
    return dates_of((await root.question.risk())["dropped"])


@model("The risk of a portfolio. Losses are positive fractions of its value; returns are simple; cash has no risk.")
class RiskAnalysis:
    """Each field that cannot be reckoned is null with an error of its own; the others are there."""

    question: strawberry.Private[Question]
    portfolio_id: strawberry.ID | None = described("The portfolio; null where weights were given.", default=None)
    symbols: list[str] = described("Ids of what is held.")
    weights: list[float] = described("Fractions of the value, in their order.")
    cash: float = described("What is left of 1.")
    data: PriceData = described("The prices that all figures were computed from.")
    volatility = computed(resolve_volatility, "Volatility a year.", metadata=facts(cost=HEAVY))
    value_at_risk = computed(
        resolve_value_at_risk, "The loss that is exceeded with a probability of 1 - confidence.",
        metadata=facts(cost=HEAVY),
    )  # fmt: skip
    conditional_value_at_risk = computed(
        resolve_conditional, "The mean of the losses beyond the value at risk.", metadata=facts(cost=HEAVY)
    )
    tails = computed(resolve_tails, "Every method at every confidence.", metadata=facts(cost=HEAVY))
    covariance = computed(resolve_covariance, "How the covariance was estimated.", metadata=facts(cost=HEAVY))
    components = computed(resolve_components, "Each position's part in the risk.", metadata=facts(cost=HEAVY))
    exposure = computed(
        resolve_exposure, "Exposure by class, currency, sector and single name.", metadata=facts(cost=HEAVY)
    )
    relative = computed(resolve_relative, "Against a benchmark.", metadata=facts(cost=2 * HEAVY))
    stress = computed(resolve_stress, "Stress tests of the same weights.", metadata=facts(cost=cost_of_replays))
    warnings = computed(
        resolve_warnings, "What could not be reckoned, and what a figure is to be taken with.",
        metadata=facts(cost=HEAVY),
    )  # fmt: skip
    dropped = computed(resolve_dropped, "Dates left out because a close is missing.", metadata=facts(cost=HEAVY))


async def resolve_risk(
    info: Ctx, input: Annotated[RiskInput, strawberry.argument(description="Whose risk.")]
) -> RiskAnalysis:
    """Holdings and prices are read; the figures follow as they are asked for."""
    return (await read_question(info.context, input))[1]


async def read_question(context: Context, given: RiskInput) -> tuple[Question, RiskAnalysis]:
    """What all fields are about, and the object whose fields they are."""
    span, confidences = read_span(context, given.start, given.end), _confidences(given.confidences)
    if not 1 <= given.draws <= 1_000_000:
        raise BadInput("draws", f"must be 1 to 1,000,000, not {given.draws}")
    subject = await read_subject(context, given.portfolio_id, given.weights, given.currency, given.cash)
    panel = await read_panel(context, list(subject.weights), span, subject.currency)
    question = Question(
        subject=subject, basis=Basis(context=context, panel=panel, missing=given.missing), span=span,
        covariance=given.covariance, confidences=confidences, horizon=given.horizon, draws=given.draws,
        seed=given.seed,
    )  # fmt: skip
    return question, RiskAnalysis(
        question=question, portfolio_id=given.portfolio_id, symbols=[str(each) for each in subject.weights],
        weights=list(subject.weights.values()), cash=subject.cash, data=PriceData.of(panel),
    )  # fmt: skip


def tail_of(told: Mapping[str, Any]) -> RiskTail:
    """From a task's answer."""
    return RiskTail(
        method=TailMethod(told["kind"].upper()), confidence=told["confidence"],
        value_at_risk=figure_of(told["value_at_risk"]), conditional_value_at_risk=figure_of(told["conditional"]),
    )  # fmt: skip


def components_of(told: Mapping[str, Any]) -> RiskComponents:
    """From a task's answer."""
    incremental = told["incremental_value_at_risk"]
    return RiskComponents(
        symbols=told["symbols"], weights=told["weights"], confidence=told["confidence"],
        volatility=_parts(told["volatility"]), value_at_risk=_parts(told["value_at_risk"]),
        tail_mean=_parts(told["tail_mean"]), incremental_value_at_risk=incremental["values"],
        incremental_method=incremental["method"],
    )  # fmt: skip


async def _tail(root: RiskAnalysis, confidence: float, method: TailMethod) -> RiskTail:
    asked = root.question.confidences
    if confidence not in asked:
        told = ", ".join(f"{each:g}" for each in asked)
        raise BadInput("confidence", f"{confidence:g} is not among the input's confidences ({told}): ask for it there")
    tails = [tail_of(each) for each in (await root.question.risk())["tails"]]
    return next(each for each in tails if (each.confidence, each.method) == (confidence, method))


def _parts(told: Mapping[str, Any]) -> RiskParts:
    return RiskParts(**{**told, "total": sure_figure(told["total"])})


def _confidences(given: list[float] | None) -> tuple[float, ...]:
    asked = tuple(dict.fromkeys(given)) if given is not None else CONFIDENCES
    if not 1 <= len(asked) <= MOST_CONFIDENCES or not all(0.5 < each < 1 for each in asked):
        raise BadInput("confidences", f"give 1 to {MOST_CONFIDENCES} numbers above 0.5 and below 1")
    return asked
