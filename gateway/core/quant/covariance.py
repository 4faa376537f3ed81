"""Covariance matrices of returns, per period: sample, exponentially weighted, shrunk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from gateway.core.quant.observations import Array, checked, constant
from gateway.core.quant.refusals import NotComputable

DECAY = 0.94
ROUNDING = 1e-10
"""Eigenvalues below minus this share of the largest are more than rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariance:
    """A covariance per period, in squared returns, with the mean around which it was taken."""

    values: Array
    mean: Array
    method: str
    ddof: int | None
    shrinkage: float | None = None
    """The share of the target, 0 to 1; None where nothing was shrunk."""

    @property
    def rank(self) -> int:
        """Under the number of assets the matrix is singular."""
        return int(np.linalg.matrix_rank(self.values, hermitian=True))


def sample(returns: Array) -> Covariance:
    """Σ = Σ_t (r_t − r̄)(r_t − r̄)ᵀ / (T − 1), per period. Source: R, stats::cov."""
    values, _ = centred(checked(returns))
    return Covariance(values=values, mean=returns.mean(axis=0), method="sample", ddof=1)


def ewma(returns: Array, decay: float = DECAY) -> Covariance:
    """Σ = Σ_t w_t r_t r_tᵀ with w_t = (1 − λ) λ^(T−t) / (1 − λ^T), so the weights sum to 1; zero mean.

    Source: J.P. Morgan/Reuters, RiskMetrics Technical Document (1996), 5.2; λ = 0.94 for daily returns.
    """
    count, assets = checked(returns).shape
    weights = decay ** np.arange(count - 1, -1, -1, dtype=np.float64)
    weights /= weights.sum()
    values = symmetric((returns * weights[:, None]).T @ returns)
    return Covariance(
        values=values, mean=np.zeros(assets), method=f"exponentially weighted, λ = {decay:g}, zero mean", ddof=None
    )


def ledoit_wolf_identity(returns: Array) -> Covariance:
    """δF + (1 − δ)S with F = (tr S / N) I, S the sample covariance (ddof 1).

    δ = π̂ / (γ̂ n) in [0, 1], n = T − 1, π̂ = Σ_ij (Σ_t x_ti² x_tj² / n − s_ij²), γ̂ = ‖S − F‖²; 0 where γ̂ is 0.
    Source: Ledoit and Wolf, A well-conditioned estimator for large-dimensional covariance matrices, J. Multivariate
    Analysis 88 (2004), in the form of the authors' cov1Para (2014), which takes n = T − 1.
    """
    values, moves = centred(checked(returns))
    target = np.eye(len(values)) * np.trace(values) / len(values)
    return shrunk(returns, values, target, pi_matrix(values, moves).sum(), "Ledoit-Wolf to a multiple of the identity")


def ledoit_wolf_constant_correlation(returns: Array) -> Covariance:
    """δF + (1 − δ)S with f_ii = s_ii, f_ij = r̄ √(s_ii s_jj), r̄ the mean correlation, S the sample covariance (ddof 1).

    δ = (π̂ − ρ̂) / (γ̂ n) in [0, 1], n = T − 1; π̂ and γ̂ as for the identity,
    ρ̂ = Σ_i π̂_ii + r̄ Σ_{i≠j} √(s_jj / s_ii) (Σ_t x_ti³ x_tj / n − s_ii s_ij). Up to 2 assets the target is S, and δ = 0.
    Source: Ledoit and Wolf, Honey, I shrunk the sample covariance matrix, J. Portfolio Management 30 (2004), in the
    form of the authors' covCor (2014). A constant series has no correlation: NotComputable.
    """
    values, moves = centred(checked(returns))
    if constant(returns).any():
        raise NotComputable("a series never changes and has no correlation to shrink to: leave it out, or use sample")
    deviations, assets = np.sqrt(np.diag(values)), len(values)
    scale = np.outer(deviations, deviations)
    mean_correlation = ((values / scale).sum() - assets) / max(assets * (assets - 1), 1)
    target = mean_correlation * scale
    np.fill_diagonal(target, np.diag(values))
    pi = pi_matrix(values, moves)
    theta = (moves**3).T @ moves / (len(moves) - 1) - np.diag(values)[:, None] * values
    np.fill_diagonal(theta, 0.0)
    rho = np.trace(pi) + mean_correlation * (np.outer(1 / deviations, deviations) * theta).sum()
    return shrunk(returns, values, target, pi.sum() - rho, "Ledoit-Wolf to constant correlation")


def centred(returns: Array) -> tuple[Array, Array]:
    """The sample covariance, and the returns less their means."""
    moves = returns - returns.mean(axis=0)
    return symmetric(moves.T @ moves / (len(moves) - 1)), moves


def pi_matrix(values: Array, moves: Array) -> Array:
    squares = moves**2
    pi: Array = squares.T @ squares / (len(moves) - 1) - values**2
    return pi


def shrunk(returns: Array, values: Array, target: Array, numerator: float, method: str) -> Covariance:
    distance, size = float(((values - target) ** 2).sum()), float((values**2).sum())
    same = distance <= size * 1e-24
    shrinkage = 0.0 if same else min(1.0, max(0.0, float(numerator) / distance / (len(returns) - 1)))
    return Covariance(
        values=shrinkage * target + (1 - shrinkage) * values,
        mean=returns.mean(axis=0),
        method=f"{method}, n = T - 1",
        ddof=1,
        shrinkage=shrinkage,
    )


def symmetric(matrix: Array) -> Array:
    half: Array = (matrix + matrix.T) / 2
    return half


ESTIMATORS: Mapping[str, Callable[[Array], Covariance]] = MappingProxyType(
    {
        "sample": sample,
        "ewma": ewma,
        "ledoit_wolf_identity": ledoit_wolf_identity,
        "ledoit_wolf_constant_correlation": ledoit_wolf_constant_correlation,
    }
)


def nearest_psd(matrix: Array) -> tuple[Array, bool]:
    """The nearest positive semidefinite matrix in the Frobenius norm, and whether it is more than rounding away.

    Eigenvalues under 0 become 0. Source: Higham, Computing a nearest symmetric positive semidefinite matrix, Linear
    Algebra and its Applications 103 (1988).
    """
    eigenvalues, vectors = np.linalg.eigh(symmetric(matrix))
    largest = max(float(eigenvalues[-1]), 0.0)
    changed = bool(eigenvalues[0] < -ROUNDING * largest)
    return symmetric((vectors * np.clip(eigenvalues, 0.0, None)) @ vectors.T), changed


def factor(matrix: Array) -> tuple[Array, bool]:
    """L with L Lᵀ = Σ: Cholesky's, or where Σ is singular V √Λ of the nearest positive semidefinite matrix.

    The second value says that Σ was indefinite beyond rounding, and another matrix was used.
    """
    try:
        lower: Array = np.asarray(np.linalg.cholesky(matrix), dtype=np.float64)
    except np.linalg.LinAlgError:
        nearest, changed = nearest_psd(matrix)
        eigenvalues, vectors = np.linalg.eigh(nearest)
        lower = oriented(vectors) * np.sqrt(np.clip(eigenvalues, 0.0, None))
        return lower, changed
    return lower, False


def oriented(vectors: Array) -> Array:
    """Columns with the sign that makes the entry of largest magnitude positive (the first of equals)."""
    peaks = np.argmax(np.abs(np.round(vectors, 12)), axis=0)
    signs = np.where(vectors[peaks, np.arange(vectors.shape[1])] < 0, -1.0, 1.0)
    turned: Array = vectors * signs
    return turned


def deviation(weights: Array, covariance: Array) -> float:
    """σ = √(wᵀΣw) per period; NotComputable where there is no risk. Source: Markowitz, Portfolio selection (1952)."""
    variance = float(weights @ covariance @ weights)
    scale = float((np.abs(weights) @ np.sqrt(np.clip(np.diag(covariance), 0.0, None))) ** 2)
    if variance <= max(scale * 1e-14, 1e-28):
        raise NotComputable("the portfolio's returns never change, so it has no volatility to measure or to divide")
    return float(np.sqrt(variance))
