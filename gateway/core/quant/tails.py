"""Value at risk and conditional value at risk: positive losses, as fractions of the portfolio's value.

Neither is cut off at 0: where even the tail gains, both are negative. CVaR is the tail mean (the mean of the returns at
or under the quantile), which is never below VaR.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from gateway.core.quant.covariance import factor
from gateway.core.quant.observations import SPREAD, Array
from gateway.core.quant.refusals import NotComputable
from schema.errors import BadInput

NORMAL = NormalDist()
EVERYWHERE = 5.0
"""Standard deviations beyond which a normal variable has a probability under 1e-6."""
BLOCK = 2_000_000
"""Random numbers at a time: 16 MB."""
MOST_NUMBERS = 200_000_000
"""Random numbers of one simulation: about 3 seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """Both measures at one level, with the convention in words."""

    confidence: float
    value_at_risk: float
    conditional: float | None
    """None where the method has no tail mean; `warnings` says why."""
    method: str
    ddof: int | None = None
    warnings: tuple[str, ...] = ()


def level(confidence: float) -> float:
    """1 − confidence; BadInput outside (0.5, 1)."""
    if not 0.5 < confidence < 1:
        raise BadInput("confidence", f"must lie between 0.5 and 1, such as 0.95, not {confidence!r}")
    return 1.0 - confidence


def historical_value_at_risk(returns: Array, confidence: float) -> float:
    """−q(1 − c) of the returns, linear (R type 7): a positive loss, as a fraction, over one period.

    Source: Hyndman and Fan, Sample quantiles in statistical packages, American Statistician 50 (1996), definition 7.
    """
    return -float(np.quantile(returns, level(confidence)))


def historical(returns: Array, confidence: float, horizon: int = 1) -> Tail:
    """VaR = −q(1 − c) √h, q as `historical_value_at_risk` has it; CVaR = −mean(r | r ≤ q) √h.

    Source: Hyndman and Fan, Sample quantiles in statistical packages, American Statistician 50 (1996), definition 7.
    """
    if len(returns) < 2:
        raise NotComputable("at least 2 returns are needed")
    tail, root = level(confidence), horizon**0.5
    quantile = -historical_value_at_risk(returns, confidence)
    mean = min(float(returns[returns <= quantile].mean()), quantile)
    few = len(returns) * tail < 1
    thin = f"{len(returns)} observations are under {1 / tail:.0f}: the tail at {confidence:.4g} is the worst one alone"
    return Tail(
        confidence=confidence,
        value_at_risk=-quantile * root,
        conditional=-mean * root,
        method=scaled("historical, linear quantile (R type 7), tail mean", horizon, "times √h"),
        warnings=(thin,) if few else (),
    )


def parametric(mean: float, deviation: float, confidence: float, horizon: int = 1, ddof: int | None = 1) -> Tail:
    """Normal returns: VaR = −(μh + z σ√h), CVaR = −μh + σ√h φ(z) / (1 − c), z = Φ⁻¹(1 − c).

    Source: McNeil, Frey and Embrechts, Quantitative Risk Management (2015), 2.3.
    """
    tail = level(confidence)
    z, mu, sigma = NORMAL.inv_cdf(tail), mean * horizon, deviation * horizon**0.5
    return Tail(
        confidence=confidence,
        value_at_risk=-(mu + z * sigma),
        conditional=-mu + sigma * NORMAL.pdf(z) / tail,
        method=scaled("parametric, normal, tail mean", horizon, "mean times h, deviation times √h"),
        ddof=ddof,
    )


def cornish_fisher(returns: Array, confidence: float, horizon: int = 1) -> Tail:
    """VaR = −(μ + σ z'), z' = z + (z² − 1)S/6 + (z³ − 3z)K/24 − (2z³ − 5z)S²/36, z = Φ⁻¹(1 − c).

    CVaR = −μ + σ φ(z)/(1 − c) (1 + zS/6 + (z² − 1)K/24 − (2z² − 1)S²/36), the mean of z' under the quantile. S and K:
    population skew and excess kurtosis; σ: ddof 1; over h periods S/√h, K/h, σ√h, μh. Where z' does not rise with z
    from −5 to 5 (what is beyond has a probability under 1e-6) a warning says so; there the mean may fall under the VaR,
    and is None then.
    Source: Maillard, A User's Guide to the Cornish Fisher Expansion (2012).
    """
    mu, sigma = float(returns.mean()) * horizon, spread(returns) * horizon**0.5
    skew, excess = shape(returns)
    skew, excess = skew / horizon**0.5, excess / horizon
    tail = level(confidence)
    z = NORMAL.inv_cdf(tail)
    quantile = z + (z**2 - 1) * skew / 6 + (z**3 - 3 * z) * excess / 24 - (2 * z**3 - 5 * z) * skew**2 / 36
    stretch = 1 + z * skew / 6 + (z**2 - 1) * excess / 24 - (2 * z**2 - 1) * skew**2 / 36
    at_risk, conditional = -(mu + sigma * quantile), -mu + sigma * NORMAL.pdf(z) / tail * stretch
    return Tail(
        confidence=confidence,
        value_at_risk=at_risk,
        conditional=conditional if conditional >= at_risk else None,
        method=scaled("Cornish-Fisher, population skew and excess kurtosis, tail mean", horizon, "independent returns"),
        ddof=1,
        warnings=() if rises(skew, excess) else (outside(skew, excess, conditional >= at_risk),),
    )


def outside(skew: float, excess: float, mean_stands: bool) -> str:
    fate = "" if mean_stands else ", and its tail mean falls under the VaR, so there is none"
    return (
        f"skew {skew:.3g} and excess kurtosis {excess:.3g} lie outside the domain in which the Cornish-Fisher quantile "
        f"rises everywhere{fate}: prefer the historical figures"
    )


def rises(skew: float, excess: float) -> bool:
    """Whether dz'/dz = (K/8 − S²/6) z² + (S/3) z + 1 − K/8 + 5S²/36 ≥ 0 for all z from −5 to 5."""
    a, b, c = excess / 8 - skew**2 / 6, skew / 3, 1 - excess / 8 + 5 * skew**2 / 36
    turn = [-b / (2 * a)] if a > 0 and abs(b) < 2 * a * EVERYWHERE else []
    return min(a * z**2 + b * z + c for z in (-EVERYWHERE, EVERYWHERE, *turn)) >= 0


def shape(returns: Array) -> tuple[float, float]:
    """Population skew m₃/m₂^1.5 and excess kurtosis m₄/m₂² − 3."""
    moves = (returns - returns.mean()) / returns.std()
    return float((moves**3).mean()), float((moves**4).mean()) - 3.0


def spread(returns: Array) -> float:
    """The standard deviation (ddof 1); NotComputable where returns never change."""
    if len(returns) < 2 or np.ptp(returns) <= SPREAD:
        raise NotComputable("the returns never change, or are fewer than 2: they have no distribution to fit")
    return float(returns.std(ddof=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Outcomes of a portfolio over the horizon, and how they were drawn."""

    outcomes: Array
    method: str
    warnings: tuple[str, ...]


def simulate(weights: Array, mean: Array, covariance: Array, horizon: int = 1, *, draws: int, seed: int) -> Simulation:
    """w·(μh + √h L z) for `draws` normal vectors z, L Lᵀ = Σ.

    Random numbers: numpy's Generator over PCG64 of the seed, row by row, so the same seed gives the same figure. A
    singular Σ is factored by its eigenvectors; an indefinite one is replaced by the nearest that is not, and
    a warning says so.
    """
    assets = len(weights)
    if draws * assets > MOST_NUMBERS:
        most = MOST_NUMBERS // assets
        raise BadInput("draws", f"{draws:,} draws of {assets} assets are too many: at most {most:,} draws")
    lower, changed = factor(covariance)
    loads, drift = weights @ lower * horizon**0.5, float(weights @ mean) * horizon
    generator = np.random.Generator(np.random.PCG64(seed))
    step = max(1, BLOCK // assets)
    outcomes = np.concatenate(
        [generator.standard_normal((min(step, draws - done), assets)) @ loads for done in range(0, draws, step)]
    )
    words = f"Monte Carlo, multivariate normal, {draws:,} draws, PCG64 seed {seed}, tail mean"
    replaced = "the covariance is not positive semidefinite: the nearest matrix in the Frobenius norm was used"
    return Simulation(
        outcomes=drift + outcomes,
        method=scaled(words, horizon, "mean times h, covariance times h"),
        warnings=(replaced,) if changed else (),
    )


def monte_carlo(simulation: Simulation, confidence: float) -> Tail:
    """The historical VaR and CVaR of simulated outcomes (R type 7, tail mean).

    Source: Glasserman, Monte Carlo Methods in Financial Engineering (2003), 9.1.
    """
    found = historical(simulation.outcomes, confidence)
    return replace(found, method=simulation.method, warnings=(*found.warnings, *simulation.warnings))


def scaled(method: str, horizon: int, rule: str) -> str:
    return method if horizon == 1 else f"{method}; {horizon} periods, {rule}"
