"""Risk parity within bounds of single weights: the free assets' parts of the risk stand as their budgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import clarabel
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import brentq

from gateway.core.quant.observations import Array
from gateway.core.quant.optimise.portfolios import Binding, Optimum
from gateway.core.quant.optimise.program import MEANING, SOLVED, settings_of
from gateway.core.quant.optimise.riskparity import risk_parity
from gateway.core.quant.refusals import NotComputable

Mask: TypeAlias = NDArray[np.bool_]
NEAR, CLOSE, ACCEPTED = 1e-8, 1e-12, 1e-8
MOST_STEPS = 20
STEPS = 40
"""Of e^½ each, within which a sum must be passed."""
BEYOND = (
    "Risk parity within these bounds does not reach the sum of the weights: the least risky weights within them are "
    "beyond it. Lower a lower bound."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Bounds of each weight, by which statement each is there; an upper one may be infinite."""

    lowest: Array
    highest: Array
    lower_names: Sequence[str]
    upper_names: Sequence[str]

    def of(self, order: Array) -> Box:
        """In another order of the assets."""
        return Box(
            lowest=self.lowest[order], highest=self.highest[order],
            lower_names=[self.lower_names[index] for index in order],
            upper_names=[self.upper_names[index] for index in order],
        )  # fmt: skip


def bounded_risk_parity(covariance: Array, budgets: Array, box: Box, total: float) -> Optimum:
    """w = argmin ½w'Σw − λ Σ b_i ln w_i within l ≤ w ≤ u, with the λ at which Σw is the total: long only.

    Every asset that stands at no bound then has w_i(Σw)_i = λ b_i, so that their contributions stand to each other as
    their budgets; without a bound that binds it is risk parity. The value is the volatility √(w'Σw).
    Source: Richard and Roncalli 2019, "Constrained risk budgeting portfolios", arXiv:1902.05710. Cones of exponentials,
    solved by clarabel; λ by Brent's method. The total must lie between the sums of the bounds.
    """
    unbounded = risk_parity(covariance, budgets, total)
    if (box.lowest <= unbounded.weights).all() and (unbounded.weights <= box.highest).all():
        return unbounded
    problem = _Problem(covariance, budgets, box)
    level = _level(problem, total, 2 * float(np.log(unbounded.value)))
    rough = problem.at(level)
    weights = np.where(rough.lower, box.lowest, np.where(rough.upper, box.highest, rough.weights))
    free = ~(rough.lower | rough.upper)
    weights, miss = _refined(covariance, budgets, weights, free, float(np.exp(level)), total)
    if not (box.lowest - NEAR <= weights).all() or not (weights <= box.highest + NEAR).all() or miss > ACCEPTED:
        raise NotComputable("Risk parity within bounds does not settle: loosen a bound a little.")
    return Optimum(
        weights=weights, value=float(np.sqrt(weights @ covariance @ weights)), binding=_binding(weights, box),
        iterations=rough.iterations, gap=miss,
    )  # fmt: skip


def _refined(
    covariance: Array, budgets: Array, weights: Array, free: Mask, level: float, total: float
) -> tuple[Array, float]:
    """Newton's method on w_i(Σw)_i = λ b_i of the free ones and Σw = total: an interior point method is rough here.

    With the weights the largest miss of a contribution, as a share of the variance.
    """
    x, inside, at = weights.copy(), np.flatnonzero(free), level
    for _ in range(MOST_STEPS):
        marginal = (covariance @ x)[inside]
        gaps = x[inside] * marginal - at * budgets[inside]
        far = np.append(gaps, x.sum() - total)
        scale = float(x @ covariance @ x)
        if float(np.abs(gaps).max(initial=0.0)) <= CLOSE * scale and abs(far[-1]) <= CLOSE:
            break
        slope = np.zeros((inside.size + 1, inside.size + 1))
        slope[:-1, :-1] = x[inside, None] * covariance[np.ix_(inside, inside)] + np.diag(marginal)
        slope[:-1, -1], slope[-1, :-1] = -budgets[inside], 1.0
        step = np.linalg.lstsq(slope, -far, rcond=None)[0]
        x[inside] += step[:-1]
        at += float(step[-1])
    miss = float(np.abs(x * (covariance @ x) - at * budgets)[inside].max(initial=0.0)) / float(x @ covariance @ x)
    return x, max(miss, abs(float(x.sum()) - total))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rough:
    """What the solver found: which weights press against a bound."""

    weights: Array
    lower: Mask
    upper: Mask
    iterations: int


class _Problem:
    """The same programme at any λ; its variables are y = w·σ and t ≤ ln y."""

    def __init__(self, covariance: Array, budgets: Array, box: Box) -> None:
        count = budgets.size
        self._deviations, self._budgets = np.sqrt(np.diag(covariance)), budgets
        correlations = covariance / np.outer(self._deviations, self._deviations)
        # λ is told in the unit of the covariance; programmes are solved in that of its mean variance.
        self._unit = float(np.mean(self._deviations))
        self._quadratic = sparse.csc_matrix(np.triu(correlations))
        self._quadratic.resize((2 * count, 2 * count))
        one, none = sparse.eye_array(count), sparse.csr_array((count, count))
        capped = np.isfinite(box.highest)
        lower, upper = box.lowest * self._scaled, (box.highest * self._scaled)[capped]
        rows = [sparse.hstack([-one, none]), sparse.csr_array(sparse.hstack([one, none]))[np.flatnonzero(capped)]]
        cones = sparse.lil_array((3 * count, 2 * count))
        for index in range(count):
            cones[3 * index, count + index], cones[3 * index + 2, index] = -1.0, -1.0
        self._matrix = sparse.csc_matrix(sparse.vstack([*rows, cones]))
        self._lower, self._upper, self._capped = lower, upper, np.flatnonzero(capped)
        self._limit = np.concatenate([-lower, upper, np.tile([0.0, 1.0, 0.0], count)])
        self._cones: list[Any] = [clarabel.NonnegativeConeT(count + int(capped.sum()))]
        self._cones += [clarabel.ExponentialConeT() for _ in range(count)]

    @property
    def _scaled(self) -> Array:
        return np.asarray(self._deviations / self._unit)

    def at(self, level: float) -> _Rough:
        """The weights at the logarithm of λ."""
        count = self._budgets.size
        linear = np.concatenate([np.zeros(count), -np.exp(level) / self._unit**2 * self._budgets])
        found = clarabel.DefaultSolver(
            self._quadratic, linear, self._matrix, self._limit, self._cones, settings_of({})
        ).solve()  # fmt: skip
        if MEANING.get(str(found.status)) != SOLVED:
            raise NotComputable(f"Risk parity within bounds does not settle: the solver stopped with {found.status}.")
        y, pressure = np.asarray(found.x)[:count], np.asarray(found.z)
        upper: Mask = np.zeros(count, dtype=np.bool_)
        upper[self._capped] = pressure[count : count + self._capped.size] > self._upper - y[self._capped]
        lower = (pressure[:count] > y - self._lower) & (self._lower > 0)
        return _Rough(weights=y / self._scaled, lower=lower, upper=upper, iterations=int(found.iterations))


def _level(problem: _Problem, total: float, start: float) -> float:
    """The logarithm of the λ at which the weights sum to the total."""

    def beyond(level: float) -> float:
        return float(problem.at(level).weights.sum()) - total

    low = high = start
    for _ in range(STEPS):
        if beyond(low) <= 0:
            break
        low -= 0.5
    else:
        raise NotComputable(BEYOND)
    for _ in range(STEPS):
        if beyond(high) >= 0:
            break
        high += 0.5
    return float(brentq(beyond, low, high, xtol=1e-6)) if low < high else low


def _binding(weights: Array, box: Box) -> tuple[Binding, ...]:
    at_lower = [(name, index) for index, name in enumerate(box.lower_names) if weights[index] == box.lowest[index] > 0]
    at_upper = [(name, index) for index, name in enumerate(box.upper_names) if weights[index] == box.highest[index]]
    return tuple(Binding(name=name, asset=index, shadow_price=None) for name, index in (*at_lower, *at_upper))
