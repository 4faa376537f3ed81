"""Principal components of returns: uncorrelated factors by the variance they explain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gateway.core.quant.correlation import pearson
from gateway.core.quant.covariance import oriented, sample
from gateway.core.quant.observations import Array
from gateway.core.quant.refusals import NotComputable


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """All components, the one with the largest variance first."""

    variances: Array
    """Eigenvalues: of each factor's returns, ddof 1; they sum to the trace."""
    loadings: Array
    """Eigenvectors of length 1: a row an asset, a column a component."""
    factor_returns: Array
    """A row a period, a column a component; mean 0."""
    trace: float


def components(returns: Array, on: str = "covariance") -> Components:
    """V Λ Vᵀ = Σ (ddof 1) or the correlation matrix; factor returns (r_t − r̄) V, divided by s for the correlation.

    A loading vector has the sign that makes its entry of largest magnitude positive. Eigenvalues that rounding takes
    under 0 are 0. Source: Jolliffe, Principal Component Analysis (2002), 2.3 and 3.
    """
    covariance = sample(returns).values
    moves = returns - returns.mean(axis=0)
    matrix = covariance
    if on == "correlation":
        matrix, moves = pearson(returns), moves / np.sqrt(np.diag(covariance))
    trace = float(np.trace(matrix))
    if trace == 0:
        raise NotComputable("no series changes, so there is no variance to explain")
    eigenvalues, vectors = np.linalg.eigh(matrix)
    loadings = oriented(vectors[:, ::-1])
    variances = np.clip(eigenvalues[::-1], 0.0, None)
    return Components(variances=variances, loadings=loadings, factor_returns=moves @ loadings, trace=trace)
