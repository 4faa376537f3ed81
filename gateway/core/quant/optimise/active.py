"""Quadratic programmes by active sets: from a rough optimum to the one that linear algebra has exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gateway.core.quant.observations import Array

Flags: TypeAlias = NDArray[np.bool_]

BEYOND, RELEASED, DEPENDENT = 1e-13, 1e-11, 1e-10
MOST_STEPS, FEWEST_STEPS, MOST_WORK = 200, 20, 5e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Quadratic:
    """Minimise ½ w'Σw where lowest ≤ w ≤ highest, and rows · w ≤ limits, or = where `equal`."""

    covariance: Array
    lowest: Array
    highest: Array
    rows: Array
    limits: Array
    equal: Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """An optimum: Σw + rows'·pressures = forces, where only weights at a bound have a force."""

    weights: Array
    forces: Array
    """Above 0 at the lowest, below 0 at the highest."""
    pressures: Array
    """Of each row; not below 0 where it is an inequality."""


@dataclass(slots=True, kw_only=True)
class _Search:
    """Where the search stands; `correlations` and `deviations` are the covariance's."""

    problem: Quadratic
    correlations: Array
    deviations: Array
    weights: Array
    low: Flags
    """Which weights are held at their lowest."""
    high: Flags
    tight: Flags
    """Which rows are held at their limits."""


def settle(problem: Quadratic, start: Array, tight: Flags, held: Flags) -> Settled | None:
    """The optimum; None where it is not found in a few steps, or Σ cannot be inverted.

    The primal active set method (Nocedal and Wright 2006, "Numerical optimization", 16.5) from a point that keeps to
    all limits but for rounding, and from a guess at the rows that are `tight` and the weights `held` at a bound.
    Weights are reckoned in units of their deviations: assets of any spread of risks are told apart alike.
    """
    if (problem.lowest > problem.highest).any():
        return None
    weights = np.clip(start, problem.lowest, problem.highest)
    low = held & (weights - problem.lowest <= problem.highest - weights) & np.isfinite(problem.lowest)
    high = held & ~low & np.isfinite(problem.highest)
    low |= problem.lowest == problem.highest
    high &= ~low
    deviations = np.sqrt(np.diag(problem.covariance))
    search = _Search(
        problem=problem, correlations=problem.covariance / np.outer(deviations, deviations), deviations=deviations,
        weights=weights, low=low, high=high, tight=tight | problem.equal,
    )  # fmt: skip
    for _ in range(int(max(FEWEST_STEPS, min(MOST_STEPS, MOST_WORK / weights.size**3)))):
        try:
            target, pressures = _stationary(search)
        except np.linalg.LinAlgError:
            return None
        if _moved(search, target):
            continue
        forces = problem.covariance @ search.weights + problem.rows.T @ pressures
        if not _released(search, forces, pressures):
            return Settled(weights=search.weights, forces=forces, pressures=pressures)
    return None


def _stationary(search: _Search) -> tuple[Array, Array]:
    """The optimum with what is held, whatever the other limits say, and the pressures of the rows."""
    problem, deviations = search.problem, search.deviations
    free = ~(search.low | search.high)
    target = np.where(search.low, problem.lowest, np.where(search.high, problem.highest, 0.0))
    rows, pressures = problem.rows[search.tight], np.zeros(problem.limits.size)
    if not free.any():
        return target, pressures
    left = problem.limits[search.tight] - rows @ target
    factor = np.linalg.cholesky(search.correlations[np.ix_(free, free)])
    solved = np.linalg.solve(
        factor,
        np.column_stack([search.correlations[free] @ (deviations * target), (rows[:, free] / deviations[free]).T]),
    )
    pull, spread = solved[:, 0], solved[:, 1:]
    sizes = np.linalg.norm(spread, axis=0)
    sizes[sizes == 0] = 1.0
    left_vectors, singular, right = np.linalg.svd(spread / sizes, full_matrices=False)
    kept = singular > DEPENDENT
    # min ½|u + pull|² where spread'u = left, in the rows' own space.
    across = np.where(kept, (right @ (left / sizes)) / np.where(kept, singular, 1.0), 0.0)
    across_pull = np.where(kept, left_vectors.T @ pull, 0.0)
    u = left_vectors @ (across + across_pull) - pull
    target[free] = np.linalg.solve(factor.T, u) / deviations[free]
    inner = -np.where(kept, (across + across_pull) / np.where(kept, singular, 1.0), 0.0)
    pressures[search.tight] = (right.T @ inner) / sizes
    return target, pressures


def _moved(search: _Search, target: Array) -> bool:
    """As far to `target` as the other limits allow; True where one of them was met, and is held from now on."""
    problem, weights = search.problem, search.weights
    step = target - weights
    reach = np.ones(weights.size)
    for bound, beyond in (
        (problem.lowest, target < problem.lowest - BEYOND),
        (problem.highest, target > problem.highest + BEYOND),
    ):
        reach[beyond] = np.clip((bound[beyond] - weights[beyond]) / step[beyond], 0.0, 1.0)
    after = problem.rows @ target
    over = ~search.tight & (after > problem.limits + BEYOND * (1.0 + np.abs(problem.limits)))
    before = problem.rows[over] @ weights
    row_reach = np.ones(problem.limits.size)
    row_reach[over] = np.clip((problem.limits[over] - before) / (after[over] - before), 0.0, 1.0)
    nearest, nearest_row = int(reach.argmin()), int(row_reach.argmin()) if row_reach.size else -1
    bound_met = bool(target[nearest] < problem.lowest[nearest] - BEYOND) or bool(
        target[nearest] > problem.highest[nearest] + BEYOND
    )
    if over.any() and (not bound_met or row_reach[nearest_row] < reach[nearest]):
        search.weights = weights + row_reach[nearest_row] * step
        search.tight[nearest_row] = True
        return True
    if not bound_met:
        search.weights = np.clip(target, problem.lowest, problem.highest)
        return False
    search.weights = weights + reach[nearest] * step
    at_low = bool(target[nearest] < problem.lowest[nearest])
    (search.low if at_low else search.high)[nearest] = True
    search.weights[nearest] = (problem.lowest if at_low else problem.highest)[nearest]
    return True


def _released(search: _Search, forces: Array, pressures: Array) -> bool:
    """Whether something was held that the objective would leave: the worst of it is let go."""
    problem, deviations = search.problem, search.deviations
    unit = float(np.abs(deviations * search.weights).max(initial=0.0))
    pulled = forces / deviations
    noise = RELEASED * np.maximum(unit, np.abs(problem.rows.T @ pressures) / deviations)
    wrong = np.where(search.low, -pulled, np.where(search.high, pulled, -np.inf)) - noise
    wrong[problem.lowest == problem.highest] = -np.inf
    sizes = np.linalg.norm(problem.rows / deviations, axis=1)
    wrong_row = np.where(search.tight & ~problem.equal, -pressures * sizes - RELEASED * unit, -np.inf)
    worst, worst_row = float(wrong.max(initial=-np.inf)), float(wrong_row.max(initial=-np.inf))
    if max(worst, worst_row) <= 0:
        return False
    if worst_row > worst:
        search.tight[int(wrong_row.argmax())] = False
    else:
        search.low[int(wrong.argmax())] = search.high[int(wrong.argmax())] = False
    return True
