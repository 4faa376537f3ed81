"""Return against risk of one series. `risk_free` is a rate a period: one, or one a return."""

from __future__ import annotations

import math

import numpy as np

from gateway.core.quant.drawdowns import maximum_drawdown
from gateway.core.quant.moments import deviation, downside_deviation
from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.returns import annual_return
from gateway.core.quant.series import Vector


def sharpe(returns: Vector, risk_free: float | Vector, periods: float) -> float:
    """`mean(r − rf) / std(r − rf, ddof 1)·√n`, annual. Source: Sharpe 1994."""
    excess = returns - risk_free
    return float(excess.mean()) / deviation(excess) * math.sqrt(periods)


def sortino(returns: Vector, risk_free: float | Vector, periods: float) -> float:
    """`mean(r − rf)·n / downside deviation of r under rf`, annual. Source: Sortino and Price 1994."""
    downside = downside_deviation(returns, risk_free, periods)
    if downside == 0:
        raise NotComputable("no return is below the risk-free rate: there is no downside to divide by")
    return float(np.mean(returns - risk_free)) * periods / downside


def calmar(returns: Vector, periods: float) -> float:
    """`annual return / |maximum drawdown|`, both over the whole sample. Source: Young 1991, with the sample's span."""
    deepest = maximum_drawdown(returns)
    if deepest == 0:
        raise NotComputable("there is no drawdown to divide by")
    return annual_return(returns, periods) / -deepest


def omega(returns: Vector, threshold: float | Vector) -> float:
    """`Σ max(r − L, 0) / Σ max(L − r, 0)`. Source: Keating and Shadwick 2002; at L = 0 the Bernardo–Ledoit ratio."""
    excess = returns - threshold
    lost = float(np.maximum(-excess, 0).sum())
    if lost == 0:
        raise NotComputable("no return is below the threshold: there is no loss to divide by")
    return float(np.maximum(excess, 0).sum()) / lost
