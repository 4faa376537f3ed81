"""Simple and log returns, and what they compound to.

Source: C. Bacon, Practical Portfolio Performance Measurement and Attribution, chapter 2.
"""

from __future__ import annotations

import math

import numpy as np

from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.series import Vector


def simple_returns(prices: Vector) -> Vector:
    """`r_t = p_t / p_(t−1) − 1`, a fraction a period."""
    return prices[1:] / prices[:-1] - 1


def log_returns(prices: Vector) -> Vector:
    """`ln(p_t / p_(t−1))`, a number a period; they add up over time, but not across assets."""
    return np.log(prices[1:] / prices[:-1])


def wealth(returns: Vector) -> Vector:
    """`∏(1 + r)` after each period, with the 1 before the first in front: one value more than returns."""
    with np.errstate(over="ignore", invalid="ignore"):
        grown = np.concatenate(([1.0], np.cumprod(1 + returns)))
    if not np.isfinite(grown).all():
        raise NotComputable("the returns compound to more than can be represented")
    return grown


def total_return(returns: Vector) -> float:
    """`∏(1 + r) − 1`, a fraction over the whole span."""
    return float(wealth(returns)[-1]) - 1


def annual_return(returns: Vector, periods: float) -> float:
    """`(∏(1 + r))^(n/N) − 1`, a fraction a year, with n periods a year and N returns.

    NotComputable where it cannot be represented.
    """
    return annualised(float(wealth(returns)[-1]), periods / returns.size)


def annualised(growth: float, times: float) -> float:
    """`growth^times − 1`: −1 where nothing is left, NotComputable where the power cannot be represented."""
    if growth <= 0:
        return -1.0
    try:
        return math.expm1(math.log(growth) * times)
    except OverflowError:
        raise NotComputable(f"a growth of {growth:g} to the power of {times:g} cannot be represented") from None


def per_period(annual: float, periods: float) -> float:
    """`(1 + r)^(1/n) − 1`: an annual rate as that of one of n periods a year."""
    return math.expm1(math.log1p(annual) / periods)
