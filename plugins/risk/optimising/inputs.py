"""What is to be optimised, as callers say it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum

import strawberry

from plugins.risk.analysis.words import CovarianceMethod, MissingPrices, WeightInput
from plugins.risk.constraints.types import ConstraintsInput
from schema.model import choices


@choices(
    "What an optimal portfolio is.",
    MINIMUM_VARIANCE="The least variance.",
    MAXIMUM_SHARPE="The highest Sharpe ratio; refused where nothing is expected to earn more than the risk-free rate.",
    RISK_PARITY="Each instrument gives its budget of the risk, equal ones by default; where bounds hold weights, the "
    "parts of the others stand to each other as their budgets. It is long only, and of constraints takes minWeight, "
    "maxWeight, maxPosition, bounds, and minTotal and maxTotal, which must be the same.",
    HIERARCHICAL_RISK_PARITY="Lopez de Prado's: single linkage on correlation distances, recursive bisection. By "
    "definition it is long only and takes no constraint but minTotal and maxTotal, which must be the same.",
    MINIMUM_CVAR="The least mean of the losses in the tail (Rockafellar and Uryasev).",
    TARGET_RETURN="The least variance for an expected return of `target` a year at least.",
    TARGET_VOLATILITY="The highest expected return for a volatility of `target` a year at most.",
)
class OptimizationObjective(StrEnum):
    """MINIMUM_VARIANCE by default."""

    MINIMUM_VARIANCE = "MINIMUM_VARIANCE"
    MAXIMUM_SHARPE = "MAXIMUM_SHARPE"
    RISK_PARITY = "RISK_PARITY"
    HIERARCHICAL_RISK_PARITY = "HIERARCHICAL_RISK_PARITY"
    MINIMUM_CVAR = "MINIMUM_CVAR"
    TARGET_RETURN = "TARGET_RETURN"
    TARGET_VOLATILITY = "TARGET_VOLATILITY"


@strawberry.input(description="What an instrument is expected to return.")
class ExpectedReturnInput:
    """In the place of the mean of its returns."""

    symbol: str = strawberry.field(description="One of the instruments.")
    expected_return: float = strawberry.field(description="A year, arithmetic: 0.08 is 8 %.")


@strawberry.input(description="In which steps an instrument is traded.")
class LotInput:
    """In the place of its own."""

    symbol: str = strawberry.field(description="One of the instruments.")
    lot: Decimal = strawberry.field(description="The smallest step of a quantity.")


@strawberry.input(description="What a trade costs: the greater of fixed + notional · basisPoints / 10,000 and minimum.")
class TradingCostsInput:
    """In the portfolio's currency; a conversion of cash costs what a trade of its worth does."""

    basis_points: Decimal = strawberry.field(description="Of the notional.", default=Decimal(0))
    fixed: Decimal = strawberry.field(description="Of each trade.", default=Decimal(0))
    minimum: Decimal = strawberry.field(description="Of each trade, at least.", default=Decimal(0))


@strawberry.input(description="Which instruments, over which prices, under which constraints.")
class OptimizationUniverseInput:
    """Instruments are those of the portfolio, if one is named, and the symbols."""

    portfolio_id: strawberry.ID | None = strawberry.field(
        description="A portfolio: its holdings are the weights that turnover counts from, and are rebalanced.",
        default=None,
    )
    symbols: list[str] | None = strawberry.field(description="Instruments, besides the portfolio's.", default=None)
    currency: str | None = strawberry.field(
        description="Prices are converted into it; without it the portfolio's, or each in its own.", default=None
    )
    start: dt.date | None = strawberry.field(description="The first day; a year before the end.", default=None)
    end: dt.date | None = strawberry.field(description="The day behind the last one; today.", default=None)
    missing: MissingPrices = strawberry.field(description="About missing prices.", default=MissingPrices.REFUSE)
    covariance: CovarianceMethod = strawberry.field(description="Its estimator.", default=CovarianceMethod.SAMPLE)
    risk_free: float = strawberry.field(description="A year, effective: 0.03 is 3 %.", default=0.0)
    expected_returns: list[ExpectedReturnInput] | None = strawberry.field(
        description="Of all instruments or of none; without them the means of their returns.", default=None
    )
    constraints: ConstraintsInput | None = strawberry.field(description="Given here: or a set.", default=None)
    constraint_set_id: strawberry.ID | None = strawberry.field(description="A set that is kept.", default=None)


@strawberry.input(description="An optimisation.")
class OptimizeInput:
    """Long only and fully invested without constraints."""

    universe: OptimizationUniverseInput = strawberry.field(description="Of what, under which constraints.")
    objective: OptimizationObjective = strawberry.field(
        description="What is optimal.", default=OptimizationObjective.MINIMUM_VARIANCE
    )
    target: float | None = strawberry.field(description="A year: of TARGET_RETURN and TARGET_VOLATILITY.", default=None)
    confidence: float = strawberry.field(description="Of MINIMUM_CVAR.", default=0.95)
    budgets: list[WeightInput] | None = strawberry.field(
        description="Of RISK_PARITY: of all instruments, summing to 1.", default=None
    )
    costs: TradingCostsInput | None = strawberry.field(
        description="Of the trades of a portfolio, and of the conversions that they need.", default=None
    )
    lots: list[LotInput] | None = strawberry.field(
        description="Steps of quantities; else the instrument's own, where it is known, 1 for shares, 1e-8 for coins.",
        default=None,
    )
    smallest_trade: Decimal = strawberry.field(description="Trades of less are left out.", default=Decimal(0))


@strawberry.input(description="An efficient frontier.")
class EfficientFrontierInput:
    """From the least variance to the highest expected return."""

    universe: OptimizationUniverseInput = strawberry.field(description="Of what, under which constraints.")
    points: int = strawberry.field(description="2 to 50.", default=20)
