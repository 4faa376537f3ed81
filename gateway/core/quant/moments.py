"""Volatility, downside deviation, skew, kurtosis and hit rate of one series of returns.

Source, where a function names no other: C. Bacon, Practical Portfolio Performance Measurement and Attribution, ch. 4.
"""

from __future__ import annotations

import math

import numpy as np

from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.series import Vector

CONSTANT = 1e-12
"""A deviation below it is what rounding leaves of a constant series."""


def deviation(returns: Vector) -> float:
    """`√(Σ(r − mean)² / (N − 1))`, a fraction a period; NotComputable below 2 returns or where they are constant."""
    found = float(spread(returns))
    if found < CONSTANT:
        raise NotComputable("the series is constant: its deviation is 0")
    return found


def spread(returns: Vector) -> float:
    """`√(Σ(r − mean)² / (N − 1))`, a fraction a period, as `deviation`; 0 where the series is constant."""
    if returns.size < 2:
        raise NotComputable(f"{returns.size} returns: at least 2 are needed")
    return float(np.std(returns, ddof=1))


def volatility(returns: Vector, periods: float) -> float:
    """`std(ddof 1)·√n`, a fraction a year; 0 where the series is constant."""
    found = spread(returns)
    return 0.0 if found < CONSTANT else found * math.sqrt(periods)


def downside_deviation(returns: Vector, threshold: float | Vector, periods: float) -> float:
    """`√(Σ min(r − threshold, 0)² / N)·√n`, a fraction a year: all N returns divide. Source: Sortino and Price 1994."""
    short = np.minimum(returns - threshold, 0)
    return math.sqrt(float(np.mean(short * short)) * periods)


def hit_rate(returns: Vector) -> float:
    """`#{r > 0} / N`, a fraction of all returns."""
    return float(np.mean(returns > 0))


def skew(returns: Vector) -> float:
    """Population: `g₁ = m₃ / m₂^1.5`, with m central moments divided by N. Source: Joanes and Gill 1998."""
    return _standardised(returns, 3)


def skew_unbiased(returns: Vector) -> float:
    """`G₁ = √(N(N − 1)) / (N − 2)·g₁`; needs 3 returns. Source: Joanes and Gill 1998."""
    count = _at_least(returns, 3)
    return math.sqrt(count * (count - 1)) / (count - 2) * skew(returns)


def kurtosis(returns: Vector) -> float:
    """Population excess: `g₂ = m₄ / m₂² − 3`. Source: Joanes and Gill 1998."""
    return _standardised(returns, 4) - 3


def kurtosis_unbiased(returns: Vector) -> float:
    """Excess: `G₂ = (N − 1) / ((N − 2)(N − 3))·((N + 1)·g₂ + 6)`; needs 4 returns. Source: Joanes and Gill 1998."""
    count = _at_least(returns, 4)
    return (count - 1) / ((count - 2) * (count - 3)) * ((count + 1) * kurtosis(returns) + 6)


def _standardised(returns: Vector, power: int) -> float:
    scaled = (returns - returns.mean()) / deviation(returns)
    return float(np.mean(scaled**power) / np.mean(scaled * scaled) ** (power / 2))


def _at_least(returns: Vector, fewest: int) -> int:
    if returns.size < fewest:
        raise NotComputable(f"{returns.size} returns: at least {fewest} are needed")
    return returns.size
