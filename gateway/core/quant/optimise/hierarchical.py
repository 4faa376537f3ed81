"""Hierarchical risk parity: risk is split along a tree of correlations, without inverting a covariance."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from gateway.core.quant.observations import Array
from gateway.core.quant.optimise.portfolios import Optimum

Indices: TypeAlias = NDArray[np.intp]


def hierarchical_risk_parity(covariance: Array, total: float = 1.0) -> Optimum:
    """López de Prado 2016, "Building diversified portfolios that outperform out of sample"; the value is √(w'Σw).

    d = √((1 − ρ)/2), single linkage on the condensed d itself (not on distances of distances), assets in the order of
    the tree's leaves, then halves weighted by the inverse of their variance under inverse-variance weights.
    The order of the columns may matter where a list is halved: give them sorted by name.
    """
    weights = np.ones(covariance.shape[0])
    pending = [_leaves(covariance)]
    while pending:
        cluster = pending.pop()
        if cluster.size < 2:
            continue
        left, right = cluster[: cluster.size // 2], cluster[cluster.size // 2 :]
        first, second = _variance(covariance, left), _variance(covariance, right)
        share = second / (first + second)
        weights[left] *= share
        weights[right] *= 1.0 - share
        pending += [left, right]
    weights *= total / weights.sum()
    volatility = float(np.sqrt(weights @ covariance @ weights))
    return Optimum(weights=weights, value=volatility, solver="recursive bisection")


def _leaves(covariance: Array) -> Indices:
    if covariance.shape[0] < 2:
        return np.arange(covariance.shape[0])
    deviations = np.sqrt(np.diag(covariance))
    correlations = np.clip(covariance / np.outer(deviations, deviations), -1.0, 1.0)
    distances = np.sqrt((1.0 - correlations) / 2.0)
    np.fill_diagonal(distances, 0.0)
    return np.asarray(leaves_list(linkage(squareform(distances, checks=False), "single")), dtype=np.intp)


def _variance(covariance: Array, cluster: Indices) -> float:
    inside = covariance[np.ix_(cluster, cluster)]
    inverse = 1.0 / np.diag(inside)
    weights = inverse / inverse.sum()
    return float(weights @ inside @ weights)
