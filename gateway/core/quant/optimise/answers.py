"""The optimum that was asked for, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from gateway.core.quant.observations import Array
from gateway.core.quant.optimise.asked import Asked, by_asset, fraction, read, yearly
from gateway.core.quant.optimise.boundedparity import Box, bounded_risk_parity
from gateway.core.quant.optimise.cardinality import MOST_CHOICES, few
from gateway.core.quant.optimise.collisions import collision
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
    target_row,
    target_volatility,
)
from gateway.core.quant.optimise.riskparity import risk_contributions, risk_parity
from gateway.core.quant.tasks_optimise import OBJECTIVES
from schema.errors import BadInput

MOST_SCENARIO_CELLS = 600_000
MOST_BOUNDED = 250
"""Within bounds risk parity takes six seconds of so many assets."""
NEAR = 1e-6
"""A target that is missed by this much is met."""
EXPECTED = "arithmetic mean of simple returns times periods; cash earns the risk-free rate"
GIVEN = "expected returns as given; cash earns the risk-free rate"
SHARPE = "expected excess return/volatility a year, both ex ante"
KEPT = {
    "risk_parity": (
        ("total", "default", "bounds", "max_position"),
        "bounds of single weights and the sum of all, its min and max the same",
    ),
    "hierarchical_risk_parity": (("total",), "the sum of all weights alone, its min and max the same"),
}
"""Which constraints the objectives take that are no convex programmes under any, and how that is said."""
BOUND = "Bounds hold some weights: the parts of the risk of the others stand to each other as their budgets."
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
    optimum = _within(asked, request, objective, frame)
    if asked.constraints.max_assets is None:
        return _answer(asked, request, objective, optimum, None)
    return _answer(asked, request, objective, *_few(asked, request, objective, frame, optimum))


def _few(
    asked: Asked, request: Mapping[str, Any], objective: str, frame: Frame, relaxed: Optimum
) -> tuple[Optimum, str | None]:
    """Of `max_assets` positions, and the heuristic where it is from one."""
    held = _with_target(asked, request, frame) if objective == "target_return" else frame
    choices = MOST_CHOICES if objective != "minimum_cvar" else MOST_CHOICES // 10

    def solve(closed: Sequence[int]) -> Optimum:
        found = _within(asked, request, objective, framed(asked.constraints, asked.assets, asked.held, closed))
        return replace(found, binding=tuple(limit for limit in found.binding if limit.asset not in closed))

    risky = objective == "target_volatility"
    return few(
        solve, relaxed, held, asked.constraints.max_assets or len(asked.assets), choices,
        highest=risky or objective == "maximum_sharpe",
        calmest=partial(minimum_variance, asked.moments, frame) if risky else None,
    )  # fmt: skip


def _with_target(asked: Asked, request: Mapping[str, Any], frame: Frame) -> Frame:
    wanted = target_row(asked.moments, frame, yearly(fraction(request, "target"), "target"))
    return replace(frame, blocks=(*frame.blocks, wanted))


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
    box = _box(asked) if objective == "risk_parity" else None
    order = np.array(sorted(range(len(asked.assets)), key=asked.assets.__getitem__))
    covariance = asked.moments.covariance[np.ix_(order, order)]
    if objective == "risk_parity":
        budgets = _budgets(request, asked.assets)[order]
        if box is None:
            found = risk_parity(covariance, budgets, total)
        else:
            found = bounded_risk_parity(covariance, budgets, box.of(order), total)
    else:
        found = hierarchical_risk_parity(covariance, total)
    weights = np.empty(order.size)
    weights[order] = found.weights
    binding = tuple(replace(each, asset=int(order[each.asset or 0])) for each in found.binding)
    return replace(found, weights=weights, binding=binding)


def _only_total(constraints: Constraints, objective: str) -> float:
    """The sum of the weights: the one constraint that HRP can keep to; risk parity keeps to bounds of weights too."""
    names, told = KEPT[objective]
    for name in constraints.to_json():
        if name not in names:
            side = f".{min(constraints.default.to_json(), default='min')}" if name == "default" else ""
            message = f"is not kept by {objective}, which takes {told}: leave it out, or choose another objective"
            raise BadInput(f"constraints.{name}{side}", message)
    total = constraints.total
    if total.min is None or total.min != total.max or total.min <= 0:
        raise BadInput("constraints.total", f"must be one sum above 0 for {objective}")
    return total.min


def _box(asked: Asked) -> Box | None:
    """The bounds of single weights, None where there are none; Infeasible where no portfolio keeps to them."""
    limits = asked.constraints
    if set(limits.to_json()) <= {"total"}:
        return None
    if len(asked.assets) > MOST_BOUNDED:
        told = f"{len(asked.assets)} assets are too many for risk_parity within bounds: at most {MOST_BOUNDED}"
        raise BadInput("symbols", told)
    frame = framed(limits, asked.assets, asked.held)
    collided = collision(frame.blocks, frame.size)
    if collided is not None:
        raise collided
    lowest, highest, lower, upper = [], [], [], []
    for asset in asked.assets:
        own, name = limits.limits_of(asset), f"bounds.{asset}" if asset in limits.bounds else "default"
        caps = [(own.max, f"{name}.max"), (limits.max_position, "max_position")]
        cap, by = min(((cap, by) for cap, by in caps if cap is not None), default=(np.inf, ""))
        if cap <= 0:
            raise BadInput(f"constraints.{by}", f"of {asset} must be above 0 for risk_parity: leave the asset out")
        lowest.append(max(own.min or 0.0, 0.0))
        highest.append(cap)
        lower.append(f"{name}.min")
        upper.append(by)
    return Box(
        lowest=np.array(lowest), highest=np.array(highest), lower_names=tuple(lower), upper_names=tuple(upper)
    )  # fmt: skip


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


def _answer(
    asked: Asked, request: Mapping[str, Any], objective: str, optimum: Optimum, heuristic: str | None
) -> dict[str, Any]:
    weights, found, figure = optimum.weights, asked.moments, asked.observed.figure
    excess, variance = float(found.mean @ weights), float(weights @ found.covariance @ weights)
    volatility = max(variance, 0.0) ** 0.5
    tail = objective == "minimum_cvar"
    # What a singular covariance is told about is not what the least CVaR is reckoned from.
    warnings = [] if tail else [*found.warnings]
    if optimum.status == "AlmostSolved":
        warnings.append("The solver reached 1e-7 only, not 1e-9.")
    if objective == "risk_parity" and optimum.binding:
        warnings.append(BOUND)
    warnings += _unbound(request, objective, excess + found.cash, volatility)
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


def _unbound(request: Mapping[str, Any], objective: str, expected: float, volatility: float) -> list[str]:
    """That the target says nothing: without it the optimum would be the same."""
    if objective not in ("target_return", "target_volatility"):
        return []
    target = yearly(fraction(request, "target"), "target")
    near = NEAR * (1.0 + abs(target))
    if objective == "target_return" and expected > target + near:
        return [f"The target does not bind: the least variance returns more, {target * 100:.6g} % are asked for."]
    if objective == "target_volatility" and volatility < target - near:
        return [f"The target does not bind: the highest return has less risk than {target * 100:.6g} %."]
    return []


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
