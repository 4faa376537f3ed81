"""Optimal portfolios as GraphQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Self

from plugins.risk.analysis.data import PriceData, dates_of, figure_of, sure_figure
from plugins.risk.optimising.inputs import OptimizationObjective
from plugins.risk.optimising.refusals import name_of
from schema.model import described, model
from schema.words.figures import Figure
from schema.words.jobs import JobResult
from schema.words.trades import Side


@model("A constraint that holds an optimum back.")
class BindingConstraint:
    """Where it were looser, the objective would be better."""

    name: str = described(
        "As its input is called, such as `maxPosition` or `groups.Technology.max`; `total` is minTotal and maxTotal "
        "where they are one, `short` that weights may not be negative."
    )
    symbol: str | None = described("The instrument whose bound it is; null where it is of several.", default=None)
    shadow_price: float | None = described(
        "What the objective changes by when the limit is raised by 1, to first order; null where it is not known.",
        default=None,
    )


@model("How the solver ended.")
class SolverReport:
    """Of the last programme that was solved."""

    name: str = described("The solver.")
    status: str = described("As it calls it.")
    iterations: int | None = described("How many it took; null where there are none.", default=None)
    gap: float | None = described("Between primal and dual objective; null where there is none.", default=None)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """From a task's answer."""
        return cls(
            name=told["name"], status=told["status"], iterations=told.get("iterations"), gap=told.get("gap")
        )  # fmt: skip


@model("A trade that leads to the optimum: a proposal, nothing was ordered.")
class RebalancingTrade:
    """At the price of now."""

    symbol: str = described("The instrument's id.")
    side: Side = described("BUY or SELL.")
    quantity: Decimal = described("In units, whole lots.")
    price: Decimal = described(
        "In the portfolio's currency: the quote, or the quote at the rate of now, to twelve digits."
    )
    notional: Decimal = described("quantity · price.")
    cost: Decimal = described("By the costs that were given.")


@model("Cash that has to change its currency, so that the trades of a plan can be paid: a proposal as they are.")
class CashConversion:
    """At the rate of now."""

    from_currency: str = described("The currency that is given.", name="from")
    to_currency: str = described("The currency that is wanted.", name="to")
    amount: Decimal = described("Of `from`, to its minor unit.")
    rate: Decimal = described("Units of `to` for one unit of `from`.")
    received: Decimal = described("amount · rate, to the minor unit of `to`.")
    cost: Decimal = described("By the costs that were given, as of a trade, in the portfolio's currency.")


@model("The trades that bring a portfolio to the optimum, sales first.")
class RebalancingPlan:
    """In the portfolio's currency."""

    currency: str = described("Of prices, costs and cash.")
    trades: list[RebalancingTrade] = described("Sales first, then purchases.")
    conversions: list[CashConversion] | None = described(
        "Of cash, as far as the trades need another currency than it is in, each in that of the instrument's price: "
        "behind the sales, before the purchases. Null in results of jobs from before these were told.",
        default=None,
    )
    value: Decimal = described("Of the portfolio before.")
    costs: Decimal = described("Of all trades and conversions.")
    cash: Decimal = described("What is left over, of all currencies together.")
    turnover: Decimal = described("Sum of the trades' notionals over the value.")
    symbols: list[str] = described("What is held behind the trades.")
    weights: list[Decimal] = described("Their weights, in that order.")
    warnings: list[str] = described("What the plan is to be taken with.")

    @classmethod
    def of(cls, told: Mapping[str, Any], conversions: list[CashConversion]) -> Self:
        """From a task's answer."""
        trades = [
            RebalancingTrade(
                symbol=each["asset"], side=Side(each["side"]),
                **{name: Decimal(each[name]) for name in ("quantity", "price", "notional", "cost")},
            )
            for each in told["trades"]
        ]  # fmt: skip
        sums = {name: Decimal(told[name]) for name in ("value", "costs", "cash", "turnover")}
        return cls(
            currency=told["currency"], trades=trades, conversions=conversions, **sums, symbols=list(told["weights"]),
            weights=[Decimal(weight) for weight in told["weights"].values()], warnings=told["warnings"],
        )  # fmt: skip


@model("An optimal portfolio. Long results are columns in the order of `symbols`.", implements=(JobResult,))
class OptimizationResult:
    """Weights are fractions of the portfolio's value."""

    objective: OptimizationObjective = described("What is optimal.")
    symbols: list[str] = described("Ids of the instruments.")
    weights: list[float] = described("The optimum.")
    cash: float = described("What is left of 1.")
    current: list[float] | None = described("What is held now; null without a portfolio.", default=None)
    value: Figure = described("Of the objective.")
    expected_return: Figure = described("A year.")
    volatility: Figure = described("A year.")
    sharpe: Figure | None = described("Of both, over the risk-free rate; null without volatility.", default=None)
    risk_contributions: list[float | None] = described("Shares of the variance; null where there is no risk.")
    turnover: float | None = described("Sum of absolute changes; null without a portfolio.", default=None)
    binding: list[BindingConstraint] = described("Constraints that hold the optimum back.")
    solver: SolverReport = described("How it was solved.")
    heuristic: str | None = described("What was done where the optimum is not proven; null where it is.", default=None)
    plan: RebalancingPlan | None = described("Trades that lead there; null without a portfolio.", default=None)
    dropped: list[dt.date] = described("Dates left out because a close is missing.")
    warnings: list[str] = described("What the result is to be taken with.")
    data: PriceData = described("The prices that it was computed from.")

    @classmethod
    def of(
        cls, told: Mapping[str, Any], symbols: Sequence[str], data: PriceData, current: Mapping[str, float] | None,
        plan: RebalancingPlan | None, warnings: Sequence[str],
    ) -> Self:  # fmt: skip
        """From a task's answer."""
        binding = [
            BindingConstraint(
                name=name_of(each["name"]), symbol=each.get("asset"), shadow_price=each.get("shadow_price")
            )
            for each in told["binding"]
        ]
        return cls(
            objective=OptimizationObjective(told["objective"].upper()), symbols=list(symbols),
            weights=[told["weights"][each] for each in symbols], cash=told["cash"],
            current=None if current is None else [current.get(each, 0.0) for each in symbols],
            value=sure_figure(told["value"]), expected_return=sure_figure(told["expected_return"]),
            volatility=sure_figure(told["volatility"]), sharpe=figure_of(told["sharpe"]),
            risk_contributions=[told["risk_contributions"].get(each) for each in symbols], turnover=told["turnover"],
            binding=binding, solver=SolverReport.of(told["solver"]), heuristic=told["heuristic"], plan=plan,
            dropped=dates_of(told["dropped"]), warnings=[*warnings, *told["warnings"]], data=data,
        )  # fmt: skip


@model("The efficient frontier: columns by point, from the least variance to the highest expected return.")
class EfficientFrontier:
    """In equal steps of the expected return; a single point where the two are one."""

    symbols: list[str] = described("Ids of the instruments.")
    expected_returns: list[float] = described("A year, by point.")
    volatilities: list[float] = described("A year, by point.")
    sharpes: list[float | None] = described("By point; null without volatility.")
    weights: list[list[float]] = described("A row a point, a weight a symbol.")
    expected_return_method: str = described("How expected returns were reckoned.")
    covariance_method: str = described("How the covariance was estimated.")
    ddof: int | None = described(
        "Degrees of freedom that the covariance's divisor is short of the count; null where its estimator has none."
    )
    periods_per_year: int = described("What was used to annualise.")
    count: int = described("Returns of each instrument.")
    start: dt.date = described("The day on which the first return ends.")
    end: dt.date = described("The day on which the last one ends.")
    solver: SolverReport = described("How the last point was solved.")
    dropped: list[dt.date] = described("Dates left out because a close is missing.")
    warnings: list[str] = described("What the result is to be taken with.")
    data: PriceData = described("The prices that it was computed from.")

    @classmethod
    def of(cls, told: Mapping[str, Any], symbols: Sequence[str], data: PriceData, warnings: Sequence[str]) -> Self:
        """From a task's answer."""
        points = told["points"]
        return cls(
            symbols=list(symbols), expected_returns=[each["expected_return"] for each in points],
            volatilities=[each["volatility"] for each in points], sharpes=[each["sharpe"] for each in points],
            weights=[[each["weights"][symbol] for symbol in symbols] for each in points],
            expected_return_method=told["expected_return_method"], covariance_method=told["covariance_method"],
            ddof=told["ddof"], periods_per_year=told["periods_per_year"], count=told["count"],
            start=dt.date.fromisoformat(told["start"]), end=dt.date.fromisoformat(told["end"]),
            solver=SolverReport.of(told["solver"]), dropped=dates_of(told["dropped"]),
            warnings=[*warnings, *told["warnings"]], data=data,
        )  # fmt: skip
