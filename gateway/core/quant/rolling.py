"""Figures over a moving window: NaN inside the package where a window has none, None where it leaves it.

Source, where a function names no other: that of the same figure in `moments`, `ratios` and `relative`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from gateway.core.quant.moments import CONSTANT
from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.series import Vector

LAMBDA = 0.94
AT_ONCE = 4_000_000
"""Values of windows that are in memory together."""


def rolling_volatility(returns: Vector, window: int, periods: float) -> Vector:
    """`std(ddof 1)·√n` of each `window` returns, a fraction a year, the first of the first whole window."""
    return _by_blocks(lambda rows: rows.std(axis=1, ddof=1) * math.sqrt(periods), returns, window)


def rolling_sharpe(returns: Vector, risk_free: float | Vector, window: int, periods: float) -> Vector:
    """`mean(r − rf) / std(r − rf, ddof 1)·√n` of each window, annual; NaN where a window is constant."""

    def of(rows: Vector) -> Vector:
        return _divided(rows.mean(axis=1), rows.std(axis=1, ddof=1), CONSTANT) * math.sqrt(periods)

    return _by_blocks(of, returns - risk_free, window)


def rolling_beta(returns: Vector, benchmark: Vector, window: int) -> Vector:
    """`cov(r, b) / var(b)` of each window, a ratio; NaN where the benchmark is constant in it."""

    def of(rows: Vector, market: Vector) -> Vector:
        off = market - market.mean(axis=1, keepdims=True)
        squares = (off * off).sum(axis=1)
        return _divided((rows * off).sum(axis=1), squares, CONSTANT**2 * (window - 1))

    return _by_blocks(of, returns, window, benchmark)


def ewma_volatility(returns: Vector, periods: float, decay: float = LAMBDA) -> Vector:
    """`√(Σ λⁱ r²_(t−i) / Σ λⁱ · n)` up to each return, zero mean, weights normalised over the returns there are.

    Source: RiskMetrics Technical Document 1996, 5.2, λ = 0.94. The last is the estimate for the next period.
    """
    found = np.empty(returns.size)
    total = weight = 0.0
    for at, square in enumerate((returns * returns).tolist()):
        total, weight = decay * total + square, decay * weight + 1
        found[at] = total / weight
    return np.sqrt(found * periods)


def _by_blocks(of: Callable[..., Vector], returns: Vector, window: int, *more: Vector) -> Vector:
    if not 2 <= window <= returns.size:
        raise NotComputable(f"a window of {window} over {returns.size} returns: take 2 to {returns.size}")
    views = [sliding_window_view(series, window) for series in (returns, *more)]
    rows = AT_ONCE // window
    starts = range(0, len(views[0]), rows)
    return np.concatenate([of(*(view[start : start + rows] for view in views)) for start in starts])


def _divided(above: Vector, below: Vector, least: float) -> Vector:
    usable = below > least
    return np.where(usable, above / np.where(usable, below, 1.0), np.nan)
