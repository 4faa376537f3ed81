"""Optimal weights by objective: each a convex programme over the same frame of constraints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy import sparse

from gateway.core.quant.observations import Array
from gateway.core.quant.optimise.collisions import collision, irreducible, refusal
from gateway.core.quant.optimise.dust import MISS, Aim, swept
from gateway.core.quant.optimise.frame import Frame, sum_row
from gateway.core.quant.optimise.moments import Moments
from gateway.core.quant.optimise.polish import polished
from gateway.core.quant.optimise.program import (
    IMPOSSIBLE,
    SOLVED,
    UNBOUNDED,
    Ball,
    Block,
    Programme,
    Solution,
    named,
    solve,
)
from gateway.core.quant.refusals import NotComputable
from schema.errors import BadInput

BINDING, NO_WEIGHT = 1e-6, 1e-7
MOST_WORK, FARTHEST = 20_000, 1e5
MOST_SCALES, FAR, FLAT, NOTHING = 3, 30.0, 1e-9, 1e-3
MOST_MOVES, CLOSE, BOUND = 6, 1e-13, 1e-2
STALLED = "The solver stopped with {} though a portfolio exists: loosen a constraint."
ENDLESS = "without it, or bounds of all assets, the optimum may have no end: set one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A limit that the optimum stands at; `shadow_price` is what the objective's value changes by when the limit is
    raised by 1 (to first order), None where the value is not what is optimal."""

    name: str
    asset: int | None
    shadow_price: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """Weights and how they were found; `value` is the objective's, in the unit its function states."""

    weights: Array
    value: float
    binding: tuple[Binding, ...] = ()
    solver: str = "clarabel"
    status: str = "Solved"
    iterations: int = 0
    gap: float = 0.0


def minimum_variance(moments: Moments, frame: Frame) -> Optimum:
    """Minimise w'Σw (Markowitz 1952); the value is the variance a year."""
    found, scale = _least_variance(moments, frame)
    exact = polished(found, frame, moments.covariance, scale)
    aim = Aim(value=partial(_variance, moments.covariance), unit=scale)
    return _optimum(exact or found, frame, aim, scale, exact=exact is not None)


def _least_variance(moments: Moments, frame: Frame) -> tuple[Solution, float]:
    """In units of a variance that the optimum's is near: what is far below its unit is below the tolerance too."""
    scale = _scale(moments)
    for _ in range(MOST_SCALES):
        units = _units(moments, frame.size, scale)
        found = _solved(
            Programme(size=frame.size, blocks=frame.blocks, quadratic=moments.covariance * (2 / scale), units=units)
        )
        reached = _variance(moments.covariance, found.x[: frame.count])
        if 1 / FAR <= reached / scale <= FAR or reached <= 0:
            break
        scale = max(reached, scale * FLAT)
    return found, scale


def maximum_return(moments: Moments, frame: Frame) -> Optimum:
    """Maximise μ'w, excess returns; the value is the excess return a year."""
    linear = np.zeros(frame.size)
    linear[: frame.count] = -moments.mean
    found = _solved(Programme(size=frame.size, blocks=frame.blocks, linear=linear))
    return _optimum(found, frame, Aim(value=moments.mean.dot, unit=1.0, highest=True), -1.0)


def target_return(moments: Moments, frame: Frame, target: float) -> Optimum:
    """Minimise w'Σw with an expected return of `target` a year at least, cash earning the risk-free rate."""
    wanted = target_row(moments, frame, target)
    return minimum_variance(moments, replace(frame, blocks=(*frame.blocks, wanted)))


def target_row(moments: Moments, frame: Frame, target: float) -> Block:
    """Expected return ≥ target: (μ_excess)'w ≥ target − rf."""
    return sum_row("target_return", moments.mean, target - moments.cash, frame.size, floor=True)


def target_volatility(moments: Moments, frame: Frame, target: float) -> Optimum:
    """Maximise μ'w with √(w'Σw) ≤ target a year; the value is the excess return a year."""
    linear = np.zeros(frame.size)
    linear[: frame.count] = -moments.mean
    ball, units = Ball(matrix=_root(moments.covariance) / target, radius=1.0), _units(moments, frame.size, target**2)
    found = solve(Programme(size=frame.size, blocks=frame.blocks, linear=linear, ball=ball, units=units))
    if found.outcome != SOLVED:
        return _calmest(moments, frame, target, found.status)

    def value(weights: Array) -> float:
        beyond = _variance(moments.covariance, weights) > (target * (1 + MISS)) ** 2
        return -np.inf if beyond else float(moments.mean @ weights)

    aim = Aim(value=value, unit=float(np.abs(moments.mean).max()), highest=True)
    near = _variance(moments.covariance, found.x[: frame.count]) >= target**2 * (1 - BOUND)
    optimum = _on_frontier(moments, found, frame, aim, -1.0, target**2 if near else None)
    optimum = replace(optimum, value=float(moments.mean @ optimum.weights))
    reached = np.sqrt(optimum.weights @ moments.covariance @ optimum.weights)
    if reached < target * (1 - BINDING):
        return optimum
    limit = Binding(name="target_volatility", asset=None, shadow_price=found.radius_multiplier / target)
    return replace(optimum, binding=(*optimum.binding, limit))


def maximum_sharpe(moments: Moments, frame: Frame) -> Optimum:
    """Maximise μ'w/√(w'Σw) by the convex form: with y = κw, minimise y'Σy where μ'y = 1 and every row times κ.

    Cornuejols and Tütüncü 2006, "Optimization Methods in Finance", 8.2. The value is the Sharpe ratio a year.
    Where cash may be held the ratio is the same for every invested share: the weights then have one of them.
    NotComputable where no portfolio within the constraints earns more than the risk-free rate.
    """
    unit, scale = float(np.abs(moments.mean).max()) or 1.0, _scale(moments)
    found = _steepest(moments, frame, unit, scale)
    if not _reached(found) and moments.mean.max() > 0:
        # One mispriced close makes a unit that the optimum is nothing in: its own is near that of the best asset.
        best = int(np.argmax(moments.mean / np.sqrt(np.diag(moments.covariance))))
        unit, scale = float(moments.mean[best]), float(moments.covariance[best, best])
        again = _steepest(moments, frame, unit, scale)
        found = again if _reached(again) else found
    if not _reached(found):
        raise _no_sharpe(moments, frame, found)
    factor = float(found.x[frame.size])
    sharpe = unit / float(np.sqrt(found.value * scale))
    unscaled = replace(found, x=found.x[: frame.size] / factor, multipliers=found.multipliers[: len(frame.blocks)])
    # d(1/√V) = −½ V^(−3/2) dV, and raising a limit by δ raises the row's right side by κδ.
    steepness = -0.5 * sharpe / found.value * factor
    aim = Aim(value=partial(_sharpe, moments), unit=sharpe, highest=True)
    return _on_frontier(moments, unscaled, frame, aim, steepness)


def _steepest(moments: Moments, frame: Frame, unit: float, scale: float) -> Solution:
    """Of the convex form: returns are in `unit`, variances in `scale`."""
    blocks = (*[_homogeneous(block) for block in frame.blocks], *_normalised(moments.mean / unit, frame.size))
    units = np.append(_units(moments, frame.size, scale), 1.0)
    return solve(
        Programme(size=frame.size + 1, blocks=blocks, quadratic=moments.covariance * (2 / scale), units=units)
    )  # fmt: skip


def _reached(found: Solution) -> bool:
    """By weights that are finite."""
    return found.outcome == SOLVED and bool(found.x[-1] >= NO_WEIGHT)


def minimum_cvar(moments: Moments, frame: Frame, confidence: float) -> Optimum:
    """Minimise α + Σ max(−r'w − α, 0)/((1 − β)S) over the S periods' returns, a linear programme.

    Rockafellar and Uryasev 2000, "Optimization of conditional value-at-risk". The value is the CVaR over one period,
    a positive loss; cash earns the risk-free rate.
    """
    scale = float(moments.excess.std())
    for _ in range(MOST_SCALES):
        found = _least_cvar(moments, frame, confidence, scale)
        weights = found.x[: frame.count]
        reached = float((moments.excess @ weights).std())
        if reached >= scale / FAR or np.abs(weights).sum() <= NOTHING:
            break
        scale = max(reached, scale * FLAT)
    return _optimum(found, frame, Aim(value=partial(_cvar, moments, confidence), unit=scale), scale)


def _least_cvar(moments: Moments, frame: Frame, confidence: float, scale: float) -> Solution:
    """In units of `scale`, a return."""
    scenarios = moments.excess.shape[0]
    blocks = tuple(block.widened(1 + scenarios) for block in frame.blocks)
    losses = sparse.hstack(
        [
            sparse.csr_array(-moments.excess / scale),
            sparse.csr_array((scenarios, frame.size - frame.count)),
            sparse.csr_array(-np.ones((scenarios, 1))),
            -sparse.eye_array(scenarios),
        ],
        format="csr",
    )
    positive = sparse.hstack(
        [sparse.csr_array((scenarios, frame.size + 1)), -sparse.eye_array(scenarios)], format="csr"
    )
    unnamed, zeros = ("",) * scenarios, np.zeros(scenarios)
    linear = np.concatenate(
        [np.zeros(frame.size), [1.0], np.full(scenarios, 1.0 / ((1.0 - confidence) * scenarios))]
    )  # fmt: skip
    tail = (Block(names=unnamed, matrix=losses, limit=zeros), Block(names=unnamed, matrix=positive, limit=zeros))
    risks = np.maximum(moments.excess.std(axis=0) / scale, 1.0)
    units = np.concatenate([1.0 / np.tile(risks, frame.size // frame.count), np.ones(1 + scenarios)])
    return _solved(Programme(size=linear.size, blocks=(*blocks, *tail), linear=linear, units=units), frame)


def _solved(programme: Programme, frame: Frame | None = None) -> Solution:
    """The optimum; Infeasible naming the statements that collide, BadInput where the optimum has no bound."""
    found = solve(programme)
    # Without an end the steps may stop far away, and look as if they had arrived.
    if found.outcome == SOLVED and np.abs(found.x).max() <= FARTHEST:
        return found
    blocks, size = (programme.blocks, programme.size) if frame is None else (frame.blocks, frame.size)
    collided = collision(blocks, size)
    if collided is not None:
        raise collided
    if found.outcome == UNBOUNDED or programme.quadratic is None:
        raise BadInput("constraints.leverage", ENDLESS)
    raise NotComputable(STALLED.format(found.status))


def _no_sharpe(moments: Moments, frame: Frame, found: Solution) -> Exception:
    """Constraints that collide, nothing that beats the risk-free rate, or an optimum at infinity."""
    collided = collision(frame.blocks, frame.size)
    if collided is not None:
        return collided
    if moments.mean.max() <= 0 and found.outcome == IMPOSSIBLE:
        return NotComputable("There is no maximum Sharpe ratio: no asset is expected to beat the risk-free rate.")
    if found.outcome == SOLVED:
        return NotComputable("The maximum Sharpe ratio is not reached by finite weights: set constraints.leverage.")
    return NotComputable(
        "There is no maximum Sharpe ratio: no portfolio within the constraints is expected to beat the risk-free rate."
    )


def _on_frontier(
    moments: Moments, found: Solution, frame: Frame, aim: Aim, steepness: float, variance: float | None = None
) -> Optimum:
    """The optimum with the least variance that its own expected return has: both are where the frontier is.

    With a `variance` that binds, the return moves to where the frontier has that one (Newton's steps, for the pressure
    of a return is the slope of the variance).
    """
    best: Solution | None = None
    value = aim.value(found.x[: frame.count])
    reached, exact = float(moments.mean @ found.x[: frame.count]), found
    for _ in range(MOST_MOVES):
        step = _at_return(moments, exact, frame, reached)
        if step is None:
            break
        exact, after = step, aim.value(step.x[: frame.count])
        if (best is None and aim.as_good(exact.x[: frame.count], value)) or after > value:
            best, value = exact, after
        slope = -float(exact.multipliers[-1][0])
        if variance is None or slope <= 0 or abs(variance - exact.value) <= CLOSE * variance:
            break
        reached += (variance - exact.value) / slope
    if best is None:
        return _optimum(found, frame, aim, steepness)
    return _optimum(replace(found, x=best.x), frame, aim, steepness, exact=True)


def _at_return(moments: Moments, found: Solution, frame: Frame, reached: float) -> Solution | None:
    row = sum_row("reached", moments.mean, reached, frame.size, equal=True)
    multipliers = (*found.multipliers[: len(frame.blocks)], np.ones(1))
    held = replace(frame, blocks=(*frame.blocks, row))
    return polished(replace(found, multipliers=multipliers), held, moments.covariance, 1.0)


def _calmest(moments: Moments, frame: Frame, target: float, status: str) -> Optimum:
    """The portfolio of the least volatility, where it is the target; else Infeasible names what keeps it above."""
    calmest = minimum_variance(moments, frame)
    if calmest.value < target**2 * (1 - BINDING):
        raise NotComputable(STALLED.format(status))
    if calmest.value <= target**2 * (1 + BINDING):
        return replace(calmest, value=float(moments.mean @ calmest.weights), binding=())
    units = _units(moments, frame.size, target**2)

    def collide(kept: Sequence[Block]) -> bool:
        risk = moments.covariance * (2 / target**2)
        found = solve(Programme(size=frame.size, blocks=tuple(kept), quadratic=risk, units=units))
        return found.outcome == IMPOSSIBLE or found.value > 1

    guilty = tuple(dict.fromkeys(limit.name for limit in calmest.binding if limit.shadow_price))
    names = irreducible(guilty, named(frame.blocks), collide, frame.blocks, MOST_WORK // frame.size)
    told = sum_row("target_volatility", np.zeros(frame.count), target, frame.size)
    raise refusal(("target_volatility", *names), (told, *frame.blocks))


def _optimum(found: Solution, frame: Frame, aim: Aim, steepness: float, *, exact: bool = False) -> Optimum:
    """`steepness` is the change of the value by that of the programme's own; what is `exact` has no dust."""
    rough, count = found.x[: frame.count], frame.count
    clean = rough if exact else swept(rough, frame, aim)
    x, weights = found.x if clean is rough else frame.whole(clean), clean.copy()
    # So many assets together may drift from their sum by half of what constraints may be missed by.
    near = 0.0 if exact else min(1e-8, 5e-8 / count)
    binding: list[Binding] = []
    for block, multipliers in zip(frame.blocks, found.multipliers, strict=False):
        slack = block.limit - block.matrix @ x[: block.matrix.shape[1]]
        signed = -multipliers * steepness * (-1.0 if block.floor else 1.0)
        for row, name in enumerate(block.names):
            asset = None if block.assets is None else block.assets[row]
            if asset is not None and (block.equal or slack[row] <= near):
                weights[asset] = -block.limit[row] if block.floor else block.limit[row]
            if not name or name == "max_assets":
                continue
            if block.equal or slack[row] <= BINDING * (1.0 + abs(block.limit[row])):
                binding.append(Binding(name=name, asset=asset, shadow_price=float(signed[row]) + 0.0))
    weights[np.abs(weights) <= near] = 0.0
    return Optimum(
        weights=weights + 0.0, value=aim.value(weights), binding=tuple(binding), status=found.status,
        iterations=found.iterations, gap=found.gap,
    )  # fmt: skip


def _variance(covariance: Array, weights: Array) -> float:
    return float(weights @ covariance @ weights)


def _sharpe(moments: Moments, weights: Array) -> float:
    variance = _variance(moments.covariance, weights)
    return float(moments.mean @ weights) / float(np.sqrt(variance)) if variance > 0 else -np.inf


def _cvar(moments: Moments, confidence: float, weights: Array) -> float:
    """As minimum_cvar has it: at the α of the least value, which is the loss that so many periods exceed."""
    losses = np.sort(-moments.excess @ weights)[::-1]
    tail = (1.0 - confidence) * losses.size
    alpha = float(losses[min(int(tail), losses.size - 1)])
    return alpha + float(np.maximum(losses - alpha, 0.0).sum()) / tail - moments.risk_free


def _scale(moments: Moments) -> float:
    """The harmonic mean of the variances: near the optimum of long portfolios, whatever the spread of them."""
    return float(1.0 / (1.0 / np.diag(moments.covariance)).mean())


def _units(moments: Moments, size: int, scale: float) -> Array:
    """Of variables: what has much more risk than the optimum is counted by its risk, the others by their weight."""
    risks = np.maximum(np.sqrt(np.diag(moments.covariance) / scale), 1.0)
    return np.asarray(1.0 / np.tile(risks, size // risks.size))


def _root(covariance: Array) -> Array:
    """The upper triangle R with R'R = Σ (Cholesky)."""
    return np.asarray(np.linalg.cholesky(covariance).T)


def _homogeneous(block: Block) -> Block:
    """Every row times κ, the last variable: A·y − b·κ ≤ 0."""
    column = sparse.csr_array(-block.limit[:, None])
    return replace(
        block, matrix=sparse.hstack([block.matrix, column], format="csr"), limit=np.zeros(block.limit.size)
    )  # fmt: skip


def _normalised(mean: Array, size: int) -> tuple[Block, Block]:
    """μ'y = 1 and κ ≥ 0."""
    factor = np.zeros(size + 1)
    factor[size] = 1.0
    return sum_row("", mean, 1.0, size + 1, equal=True), sum_row("", factor, 0.0, size + 1, floor=True)
