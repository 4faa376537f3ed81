"""A series against a benchmark: both are simple returns over the same periods."""

from __future__ import annotations

import math

import numpy as np

from gateway.core.quant.moments import CONSTANT, deviation
from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.returns import annual_return, annualised, wealth
from gateway.core.quant.series import Vector


def beta(returns: Vector, benchmark: Vector, risk_free: float | Vector = 0.0) -> float:
    """`cov(r − rf, b − rf) / var(b − rf)`, ddof 1 in both. Source: Sharpe 1964; Bacon, chapter 4."""
    excess, market = returns - risk_free, benchmark - risk_free
    deviation(market)
    market = market - market.mean()
    return float(np.dot(excess - excess.mean(), market) / np.dot(market, market))


def alpha(returns: Vector, benchmark: Vector, risk_free: float | Vector, periods: float) -> float:
    """Jensen's, annual arithmetic: `(mean(r − rf) − β·mean(b − rf))·n`. Source: Jensen 1968."""
    return _alpha_per_period(returns, benchmark, risk_free) * periods


def alpha_compounded(returns: Vector, benchmark: Vector, risk_free: float | Vector, periods: float) -> float:
    """Jensen's, annual compounded: `(1 + α per period)^n − 1`. Source: Jensen 1968."""
    return annualised(1 + _alpha_per_period(returns, benchmark, risk_free), periods)


def correlation(returns: Vector, benchmark: Vector) -> float:
    """`cov(r, b) / √(var(r)·var(b))`, a number within ±1. Source: Pearson 1895."""
    scale = deviation(returns) * deviation(benchmark) * (returns.size - 1)
    product = np.dot(returns - returns.mean(), benchmark - benchmark.mean())
    return min(1.0, max(-1.0, float(product) / scale))


def tracking_error(returns: Vector, benchmark: Vector, periods: float) -> float:
    """`std(r − b, ddof 1)·√n`; NotComputable where the difference is constant. Source: Bacon, chapter 4."""
    return deviation(returns - benchmark) * math.sqrt(periods)


def information_ratio(returns: Vector, benchmark: Vector, periods: float) -> float:
    """Arithmetic: `mean(r − b)·n / tracking error`. Source: Grinold and Kahn 2000."""
    return float(np.mean(returns - benchmark)) * periods / tracking_error(returns, benchmark, periods)


def information_ratio_geometric(returns: Vector, benchmark: Vector, periods: float) -> float:
    """Geometric: `(annual return − that of the benchmark) / tracking error`. Source: R PerformanceAnalytics."""
    premium = annual_return(returns, periods) - annual_return(benchmark, periods)
    return premium / tracking_error(returns, benchmark, periods)


def capture(returns: Vector, benchmark: Vector, *, up: bool) -> float:
    """Arithmetic: `Σr / Σb` over periods in which the benchmark rose (fell). Source: Bacon, chapter 5."""
    chosen, market = _periods_of(returns, benchmark, up)
    return float(chosen.sum()) / float(market.sum())


def capture_compounded(returns: Vector, benchmark: Vector, periods: float, *, up: bool) -> float:
    """`annual return of r / annual return of b` over periods in which b rose (fell). Source: Morningstar."""
    chosen, market = _periods_of(returns, benchmark, up)
    times = periods / chosen.size
    return annualised(float(wealth(chosen)[-1]), times) / annualised(float(wealth(market)[-1]), times)


def _alpha_per_period(returns: Vector, benchmark: Vector, risk_free: float | Vector) -> float:
    slope = beta(returns, benchmark, risk_free)
    return float(np.mean(returns - risk_free)) - slope * float(np.mean(benchmark - risk_free))


def _periods_of(returns: Vector, benchmark: Vector, up: bool) -> tuple[Vector, Vector]:
    kept = benchmark > CONSTANT if up else benchmark < -CONSTANT
    if not kept.any():
        raise NotComputable(f"the benchmark never {'rose' if up else 'fell'}")
    return returns[kept], benchmark[kept]
