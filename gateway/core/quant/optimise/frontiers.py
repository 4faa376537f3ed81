"""The efficient frontier: the least variance at each expected return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gateway.core.quant.optimise.answers import by_name, expected_method, solver_told
from gateway.core.quant.optimise.asked import Asked, read
from gateway.core.quant.optimise.frame import Frame, framed
from gateway.core.quant.optimise.moments import Moments
from gateway.core.quant.optimise.portfolios import Optimum, maximum_return, minimum_variance, target_row
from schema.errors import BadInput

FEWEST_POINTS, MOST_POINTS, USUAL_POINTS = 2, 100, 20
MOST_WORK = 400_000_000
NEAR = 1e-7


def frontier(moments: Moments, frame: Frame, points: int) -> list[Optimum]:
    """min w'Σw with μ'w ≥ m for `points` values of m in equal steps, from the least variance to the highest return.

    Markowitz 1952. The highest m is missed by 1e-7 of the range, for there the set of portfolios has no interior.
    """
    calmest, highest = minimum_variance(moments, frame), maximum_return(moments, frame)
    lowest = float(moments.mean @ calmest.weights)
    span = highest.value - lowest
    if span <= NEAR * max(abs(highest.value), NEAR):
        return [calmest]
    found = [calmest]
    for step in np.linspace(0.0, 1.0 - NEAR, points)[1:]:
        wanted = target_row(moments, frame, lowest + step * span + moments.cash)
        found.append(minimum_variance(moments, replace(frame, blocks=(*frame.blocks, wanted))))
    return found


def efficient(request: Mapping[str, Any]) -> dict[str, Any]:
    """See gateway.core.quant.tasks_optimise for both shapes."""
    points = _points(request.get("points", USUAL_POINTS))
    asked = read(request)
    if asked.constraints.max_assets is not None:
        raise BadInput("constraints.max_assets", "is met by a heuristic, which makes no frontier: leave it out")
    if points * len(asked.assets) ** 3 > MOST_WORK:
        raise BadInput("points", f"{points} points of {len(asked.assets)} assets are too many: take fewer of either")
    found = frontier(asked.moments, framed(asked.constraints, asked.assets, asked.held), points)
    warnings = list(asked.moments.warnings)
    if len(found) == 1:
        warnings.append("The least variance has the highest expected return too: the frontier is one point.")
    return {
        "points": [_point(asked, optimum) for optimum in found],
        "expected_return_method": expected_method(request),
        "covariance_method": asked.moments.method,
        "ddof": asked.moments.ddof,
        "periods_per_year": asked.moments.periods,
        **asked.observed.span(),
        "solver": {**solver_told(found[-1]), "iterations": sum(optimum.iterations for optimum in found)},
        "dropped": [day.isoformat() for day in asked.observed.dropped],
        "warnings": warnings,
    }


def _point(asked: Asked, optimum: Optimum) -> dict[str, Any]:
    weights = optimum.weights
    excess = float(asked.moments.mean @ weights)
    volatility = max(float(weights @ asked.moments.covariance @ weights), 0.0) ** 0.5
    return {
        "expected_return": excess + asked.moments.cash,
        "volatility": volatility,
        "sharpe": excess / volatility if volatility > 0 else None,
        "weights": by_name(asked, weights),
    }


def _points(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not FEWEST_POINTS <= value <= MOST_POINTS:
        raise BadInput("points", f"is not a whole number from {FEWEST_POINTS} to {MOST_POINTS} (got {value!r:.60})")
    return value
