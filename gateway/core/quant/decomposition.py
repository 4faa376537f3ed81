"""How much of a portfolio's risk each asset brings: parts that sum to the whole, and what would go with the asset."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gateway.core.quant.covariance import Covariance, deviation
from gateway.core.quant.observations import Array
from gateway.core.quant.tails import NORMAL, historical, level


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A risk in parts: `marginal` is the whole's derivative by each weight, `component` weight × marginal."""

    total: float
    marginal: Array
    component: Array


def volatility_parts(weights: Array, covariance: Array) -> Parts:
    """∂σ/∂w = Σw / σ per period; Σ_i w_i (Σw)_i / σ = σ.

    Source: Euler's theorem; Litterman, Hot spots and hedges, Journal of Portfolio Management 23 (1996).
    """
    sigma = deviation(weights, covariance)
    marginal = covariance @ weights / sigma
    return Parts(total=sigma, marginal=marginal, component=weights * marginal)


def value_at_risk_parts(weights: Array, covariance: Covariance, confidence: float) -> Parts:
    """Parametric (normal) over one period: ∂VaR/∂w = −μ − z Σw / σ, z = Φ⁻¹(1 − c); the components sum to the VaR.

    Source: Jorion, Value at Risk (2007), 7.2.
    """
    z = NORMAL.inv_cdf(level(confidence))
    parts = volatility_parts(weights, covariance.values)
    marginal = -covariance.mean - z * parts.marginal
    total = -float(weights @ covariance.mean) - z * parts.total
    return Parts(total=total, marginal=marginal, component=weights * marginal)


def tail_mean_parts(weights: Array, returns: Array, confidence: float) -> Parts:
    """Historical CVaR: ∂CVaR/∂w_i = −mean(r_i on the portfolio's tail days); the components sum to the tail mean.

    Source: Tasche, Risk contributions and performance measurement (1999).
    """
    portfolio = returns @ weights
    in_tail = portfolio <= np.quantile(portfolio, level(confidence))
    marginal = -returns[in_tail].mean(axis=0)
    return Parts(total=float(weights @ marginal), marginal=marginal, component=weights * marginal)


def incremental_value_at_risk(weights: Array, returns: Array, confidence: float) -> Array:
    """Historical VaR less that of the portfolio with the asset turned to cash, an asset each; these do not sum.

    Over 0: the portfolio would lose less without the asset. Source: Jorion, Value at Risk (2007), 7.2.
    """
    portfolio = returns @ weights
    whole = historical(portfolio, confidence).value_at_risk
    without = [
        historical(portfolio - returns[:, i] * weight, confidence).value_at_risk for i, weight in enumerate(weights)
    ]
    return whole - np.array(without)
