"""Means and covariances that portfolios are made from: annual, in excess of the risk-free rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gateway.core.quant.covariance import Covariance
from gateway.core.quant.observations import Array, Observations
from gateway.core.quant.refusals import NotComputable

SINGULAR, RIDGE, NEGATIVE = 1e-10, 1e-6, -1e-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Of simple returns; `count` observations of `len(mean)` assets."""

    mean: Array
    """Arithmetic, a year: mean less rf_p, times periods, with 1 + rf_p = (1 + rf)^(1/periods)."""
    covariance: Array
    """A year."""
    excess: Array
    """Each period's return less rf_p, a row a period."""
    risk_free: float
    """A period."""
    periods: int
    method: str = "sample"
    """Of the covariance."""
    ddof: int | None = 1
    warnings: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Observations."""
        return int(self.excess.shape[0])

    @property
    def cash(self) -> float:
        """What cash earns in a year, arithmetically: rf_p · periods."""
        return self.risk_free * self.periods


def moments(observed: Observations, estimated: Covariance, risk_free: float) -> Moments:
    """Of a year: mean = (Σ r/N - rf_p) times periods, covariance = the estimate of one period times periods.

    `risk_free` is effective, a year. NotComputable for an asset that never moves.
    """
    periods = observed.periods
    rate = float((1.0 + risk_free) ** (1.0 / periods) - 1.0)
    excess = observed.returns - rate
    made = Moments(
        mean=excess.mean(axis=0) * periods, covariance=estimated.values * periods, excess=excess, risk_free=rate,
        periods=periods, method=estimated.method, ddof=estimated.ddof,
    )  # fmt: skip
    return _sound(made, observed.symbols)


def _sound(made: Moments, assets: Sequence[str]) -> Moments:
    """With a covariance that can be inverted: a singular one gets a ridge, 1e-6 of each variance, and a warning."""
    variances = np.diag(made.covariance)
    # Rounding leaves a constant series a variance near 1e-34, not 0.
    still = [asset for asset, variance in zip(assets, variances, strict=True) if variance <= 1e-20]
    if still:
        raise NotComputable(
            f"{', '.join(still[:5])}: the returns never change, so there is no risk to weigh. Leave out."
        )
    deviations = np.sqrt(variances)
    eigenvalues = np.linalg.eigvalsh(made.covariance / np.outer(deviations, deviations))
    lowest, highest = float(eigenvalues[0]), float(eigenvalues[-1])
    if lowest < NEGATIVE * max(highest, 1.0):
        raise NotComputable(f"The covariance has a negative eigenvalue ({lowest:.3g}): choose another estimator.")
    if lowest > SINGULAR * highest:
        return made
    told = (
        f"The covariance of {len(assets)} assets from {made.count} returns is singular: a millionth of itself was "
        "added to each variance, so the weights are one choice among equals."
    )
    ridge = made.covariance + np.diag(variances) * RIDGE
    return replace(made, covariance=ridge, warnings=(*made.warnings, told))
