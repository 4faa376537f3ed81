"""The optimum that was asked for, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gateway.core.quant.observations import Array
from gateway.core.quant.optimise.asked import Asked, by_asset, fraction, read, yearly
from gateway.core.quant.optimise.constraints import Constraints
from gateway.core.quant.optimise.frame import Frame, framed
from gateway.core.quant.optimise.hierarchical import hierarchical_risk_parity
from gateway.core.quant.optimise.portfolios import (
    Binding,
    Optimum,
    maximum_sharpe,
    minimum_cvar,
    minimum_variance,
    target_return,
    target_volatility,
)
from gateway.core.quant.optimise.riskparity import risk_contributions, risk_parity
from gateway.core.quant.refusals import Infeasible
from gateway.core.quant.tasks_optimise import OBJECTIVES
from schema.errors import BadInput

MOST_SCENARIO_CELLS = 600_000
EXPECTED = "arithmetic mean of simple returns times periods; cash earns the risk-free rate"
GIVEN = "expected returns as given; cash earns the risk-free rate"
SHARPE = "expected excess return/volatility a year, both ex ante"
METHODS = {
    "minimum_variance": "variance w'Σw a year, least",
    "maximum_sharpe": "Sharpe ratio (μ - rf)'w/√(w'Σw) a year, greatest",
    "risk_parity": "volatility √(w'Σw) a year at the given risk budgets",
    "hierarchical_risk_parity": "volatility √(w'Σw) a year; single linkage on √((1 - correlation)/2)",
    "minimum_cvar": "CVaR (Rockafellar-Uryasev) over one period, a positive loss, least",
    "target_return": "variance w'Σw a year, least at the target return",
    "target_volatility": "expected excess return a year, greatest at the target volatility",
}  # fmt: skip


def optimised(request: Mapping[str, Any]) -> dict[str, Any]:
    """See gateway.core.quant.tasks_optimise for both shapes."""
    objective = request.get("objective")
    if objective not in OBJECTIVES:
        raise BadInput("objective", f"{objective!r:.60} is not known; there are {', '.join(OBJECTIVES)}")
    asked = read(request)
    if objective in ("risk_parity", "hierarchical_risk_parity"):
        return _answer(asked, request, objective, _by_parity(asked, request, objective), None)
    frame = framed(asked.constraints, asked.assets, asked.held)
    most = asked.constraints.max_assets
    optimum = _within(asked, request, objective, frame)
    if most is None or np.count_nonzero(np.abs(optimum.weights) > 1e-6) <= most:
        return _answer(asked, request, objective, optimum, None)
    kept = _largest(asked, optimum.weights, most)
    closed = [index for index in range(len(asked.assets)) if index not in kept]
    frame = framed(asked.constraints, asked.assets, asked.held, closed)
    told = f"heuristic: the relaxed optimum's {most} largest positions were kept and the rest solved again without"
    try:
        optimum = _within(asked, request, objective, frame)
    except Infeasible as refused:
        message = f"{refused.message} The heuristic of max_assets keeps the {most} largest; others may do: raise it."
        raise Infeasible(message, refused.constraints) from None
    open_ones = tuple(limit for limit in optimum.binding if limit.asset not in closed)
    return _answer(asked, request, objective, replace(optimum, binding=open_ones), told)


def _within(asked: Asked, request: Mapping[str, Any], objective: str, frame: Frame) -> Optimum:
    if objective == "minimum_variance":
        return minimum_variance(asked.moments, frame)
    if objective == "maximum_sharpe":
        return maximum_sharpe(asked.moments, frame)
    if objective == "minimum_cvar":
        return minimum_cvar(asked.moments, frame, _confidence(asked, request))
    if objective == "target_return":
        return target_return(asked.moments, frame, yearly(fraction(request, "target"), "target"))
    target = yearly(fraction(request, "target"), "target")
    if target <= 0:
        raise BadInput("target", f"is a volatility, and must be above 0 (got {target:g})")
    return target_volatility(asked.moments, frame, target)


def _by_parity(asked: Asked, request: Mapping[str, Any], objective: str) -> Optimum:
    total = _only_total(asked.constraints, objective)
    order = np.array(sorted(range(len(asked.assets)), key=asked.assets.__getitem__))
    covariance = asked.moments.covariance[np.ix_(order, order)]
    if objective == "risk_parity":
        found = risk_parity(covariance, _budgets(request, asked.assets)[order], total)
    else:
        found = hierarchical_risk_parity(covariance, total)
    weights = np.empty(order.size)
    weights[order] = found.weights
    return replace(found, weights=weights)


def _only_total(constraints: Constraints, objective: str) -> float:
    """The sum of the weights: the one constraint that risk parity and HRP can keep to."""
    for name in constraints.to_json():
        if name != "total":
            raise BadInput(
                f"constraints.{name}", f"is not kept by {objective}: leave it out, or choose another objective"
            )
    total = constraints.total
    if total.min is None or total.min != total.max or total.min <= 0:
        raise BadInput("constraints.total", f"must be one sum above 0 for {objective}")
    return total.min


def _budgets(request: Mapping[str, Any], assets: Sequence[str]) -> Array:
    given = request.get("budgets")
    if given is None:
        return np.full(len(assets), 1.0 / len(assets))
    budgets = by_asset(given, assets, "budgets")
    if (budgets <= 0).any():
        raise BadInput(f"budgets.{assets[int(budgets.argmin())]}", "must be above 0: leave the asset out instead")
    if abs(budgets.sum() - 1.0) > 1e-6:
        raise BadInput("budgets", f"sum to {budgets.sum():.9g}, not to 1")
    return np.asarray(budgets / budgets.sum())


def _confidence(asked: Asked, request: Mapping[str, Any]) -> float:
    confidence = fraction(request, "confidence", 0.95)
    if not 0.5 <= confidence < 1.0:
        raise BadInput("confidence", f"must be from 0.5 to below 1 (got {confidence:g}): 0.95 is usual")
    cells = asked.moments.excess.size
    if cells > MOST_SCENARIO_CELLS:
        told = f"{cells:,} are more than the {MOST_SCENARIO_CELLS:,} that minimum_cvar takes: fewer assets or dates"
        raise BadInput("closes", told)
    return confidence


def _largest(asked: Asked, weights: Array, most: int) -> set[int]:
    """Assets whose own bounds keep them away from 0 first, then by size; ties by name."""

    def rank(index: int) -> tuple[bool, float, str]:
        limits = asked.constraints.limits_of(asked.assets[index])
        needed = (limits.min or 0.0) > 0 or (limits.max is not None and limits.max < 0)
        return not needed, -abs(float(weights[index])), asked.assets[index]

    return set(sorted(range(len(asked.assets)), key=rank)[:most])


def _answer(
    asked: Asked, request: Mapping[str, Any], objective: str, optimum: Optimum, heuristic: str | None
) -> dict[str, Any]:
    weights, found, figure = optimum.weights, asked.moments, asked.observed.figure
    excess, variance = float(found.mean @ weights), float(weights @ found.covariance @ weights)
    volatility = max(variance, 0.0) ** 0.5
    warnings = [*found.warnings]
    if optimum.status == "AlmostSolved":
        warnings.append("The solver reached 1e-7 only, not 1e-9.")
    tail = objective == "minimum_cvar"
    shares = risk_contributions(found.covariance, weights).tolist() if variance > 0 else []
    return {
        "objective": objective,
        "weights": by_name(asked, weights),
        "cash": 1.0 - float(weights.sum()),
        "value": figure(optimum.value, METHODS[objective], annual=not tail, ddof=None if tail else found.ddof),
        "expected_return": figure(excess + found.cash, expected_method(request), annual=True),
        "volatility": figure(volatility, f"√(w'Σw), covariance {found.method}", annual=True, ddof=found.ddof),
        "sharpe": figure(excess / volatility, SHARPE, annual=True, ddof=found.ddof) if volatility > 0 else None,
        "risk_contributions": dict(zip(asked.assets, shares, strict=False)),
        "turnover": None if asked.current is None else float(np.abs(weights - asked.current).sum()),
        "binding": [_limit(asked, limit) for limit in optimum.binding],
        "solver": solver_told(optimum),
        "heuristic": heuristic,
        "dropped": [day.isoformat() for day in asked.observed.dropped],
        "warnings": warnings,
    }


def by_name(asked: Asked, weights: Array) -> dict[str, float]:
    """In the order of the symbols."""
    return dict(zip(asked.assets, weights.tolist(), strict=True))


def _limit(asked: Asked, limit: Binding) -> dict[str, Any]:
    asset = None if limit.asset is None else asked.assets[limit.asset]
    return {"name": limit.name, "asset": asset, "shadow_price": limit.shadow_price}


def solver_told(optimum: Optimum) -> dict[str, Any]:
    """Who solved it and how well."""
    return {
        "name": optimum.solver,
        "status": optimum.status,
        "iterations": optimum.iterations,
        "gap": optimum.gap,
    }


def expected_method(request: Mapping[str, Any]) -> str:
    """Where expected returns are from."""
    return EXPECTED if request.get("expected_returns") is None else GIVEN
