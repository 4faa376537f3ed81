"""Words that the questions of risk share: methods, spans, what is to be done about missing prices."""

from __future__ import annotations

from enum import StrEnum

import strawberry

from schema.model import choices


@choices(
    "What happens where an instrument has no close on a date on which others have one.",
    REFUSE="The figure is refused, and the error names what is missing.",
    DROP_ROWS="The date is left out for all and reported; the next return spans it. Nothing is ever filled.",
)
class MissingPrices(StrEnum):
    """REFUSE by default."""

    REFUSE = "REFUSE"
    DROP_ROWS = "DROP_ROWS"


@choices(
    "How the covariance of returns is estimated.",
    SAMPLE="Of the sample, ddof 1.",
    EWMA="Exponentially weighted, lambda 0.94, around zero (RiskMetrics).",
    LEDOIT_WOLF_IDENTITY="Shrunk to a multiple of the identity (Ledoit and Wolf 2004).",
    LEDOIT_WOLF_CONSTANT_CORRELATION="Shrunk to constant correlation (Ledoit and Wolf 2003).",
)
class CovarianceMethod(StrEnum):
    """SAMPLE by default."""

    SAMPLE = "SAMPLE"
    EWMA = "EWMA"
    LEDOIT_WOLF_IDENTITY = "LEDOIT_WOLF_IDENTITY"
    LEDOIT_WOLF_CONSTANT_CORRELATION = "LEDOIT_WOLF_CONSTANT_CORRELATION"


@choices(
    "How a tail is estimated.",
    HISTORICAL="Quantile and tail mean of the portfolio's own returns (R type 7).",
    PARAMETRIC="Normal, from mean and covariance.",
    CORNISH_FISHER="Normal, corrected by skew and excess kurtosis of the population.",
    MONTE_CARLO="Draws from a multivariate normal with a seed.",
)
class TailMethod(StrEnum):
    """HISTORICAL by default."""

    HISTORICAL = "HISTORICAL"
    PARAMETRIC = "PARAMETRIC"
    CORNISH_FISHER = "CORNISH_FISHER"
    MONTE_CARLO = "MONTE_CARLO"


@choices("How series are correlated.", PEARSON="Linear, of returns.", SPEARMAN="Of their ranks.")
class CorrelationMethod(StrEnum):
    """PEARSON by default."""

    PEARSON = "PEARSON"
    SPEARMAN = "SPEARMAN"


@choices("Which matrix is taken apart.", COVARIANCE="Of the returns.", CORRELATION="Of the returns, each scaled to 1.")
class ComponentBasis(StrEnum):
    """COVARIANCE by default."""

    COVARIANCE = "COVARIANCE"
    CORRELATION = "CORRELATION"


def word(choice: StrEnum) -> str:
    """As the processes that compute call it."""
    return choice.value.lower()


@strawberry.input(description="A weight in a portfolio.")
class WeightInput:
    """Short ones are negative."""

    symbol: str = strawberry.field(description="An id such as `equity:AAPL`, or a short form.")
    weight: float = strawberry.field(description="Fraction of the portfolio's value.")
