"""Risk parity: each asset's part in the volatility is the share that it was given."""

from __future__ import annotations

import numpy as np

from gateway.core.quant.observations import Array
from gateway.core.quant.optimise.portfolios import Optimum
from gateway.core.quant.refusals import NotComputable

MOST_STEPS, CLOSE, SHORTEST = 200, 1e-11, 1e-10


def risk_parity(covariance: Array, budgets: Array, total: float = 1.0) -> Optimum:
    """Long-only w with w_i(Σw)_i/(w'Σw) = b_i, Σb = 1, b > 0; the value is the volatility √(w'Σw).

    Minimises ½y'Cy − Σ b_i ln y_i over correlations C, y_i = w_i·σ_i, by damped Newton steps; the optimum is unique
    (Spinu 2013, "An algorithm for computing risk parity weights"). `gap` is the largest miss of a contribution.
    """
    deviations = np.sqrt(np.diag(covariance))
    correlations = covariance / np.outer(deviations, deviations)
    y = np.sqrt(budgets / max(float(correlations.sum()) / budgets.size, 1e-6))
    for step in range(MOST_STEPS):
        gradient = correlations @ y - budgets / y
        miss = float(np.abs(y * gradient).max())
        if miss <= CLOSE:
            weights = y / deviations
            weights *= total / weights.sum()
            volatility = float(np.sqrt(weights @ covariance @ weights))
            return Optimum(weights=weights, value=volatility, solver="newton", iterations=step, gap=miss)
        y = _stepped(y, gradient, correlations, budgets)
    raise NotComputable(
        "Risk parity does not settle: two assets may hedge each other completely; leave one of them out."
    )


def risk_contributions(covariance: Array, weights: Array) -> Array:
    """w_i(Σw)_i/(w'Σw): each asset's share of the variance; they sum to 1 (Euler)."""
    marginal = covariance @ weights
    return np.asarray(weights * marginal / (weights @ marginal))


def _stepped(y: Array, gradient: Array, correlations: Array, budgets: Array) -> Array:
    """A Newton step, halved until it stays positive and the barrier function falls."""
    direction = np.linalg.solve(correlations + np.diag(budgets / y**2), -gradient)
    value, slope, length = _barrier(y, correlations, budgets), float(gradient @ direction), 1.0
    while length > SHORTEST:
        after = y + length * direction
        # Near the optimum the fall is smaller than rounding.
        if (after > 0).all() and _barrier(after, correlations, budgets) <= value + 0.1 * length * slope + 1e-14:
            return np.asarray(after)
        length /= 2
    return y


def _barrier(y: Array, correlations: Array, budgets: Array) -> float:
    return float(0.5 * y @ correlations @ y - budgets @ np.log(y))
