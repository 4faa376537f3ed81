"""Optimal weights by objective: each a convex programme over the same frame of constraints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from gateway.core.quant.observations import Array
from gateway.core.quant.optimise.collisions import collision, irreducible, refusal
from gateway.core.quant.optimise.frame import Frame, sum_row
from gateway.core.quant.optimise.moments import Moments
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
STALLED = "The solver stopped with {} though a portfolio exists: loosen a constraint."
ENDLESS = "without it, or bounds of all assets, the optimum may have no end: set one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A limit that the optimum stands at; `shadow_price` is what the objective's value changes by when the limit is
    raised by 1 (to first order)."""

    name: str
    asset: int | None
    shadow_price: float


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
    scale = _scale(moments)
    programme = Programme(size=frame.size, blocks=frame.blocks, quadratic=moments.covariance * (2 / scale))
    found = _solved(programme)
    return _optimum(found, frame.blocks, frame.count, found.value * scale, scale)


def maximum_return(moments: Moments, frame: Frame) -> Optimum:
    """Maximise μ'w, excess returns; the value is the excess return a year."""
    linear = np.zeros(frame.size)
    linear[: frame.count] = -moments.mean
    found = _solved(Programme(size=frame.size, blocks=frame.blocks, linear=linear))
    return _optimum(found, frame.blocks, frame.count, -found.value, -1.0)


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
    scale = float(np.sqrt(_scale(moments)))
    ball = Ball(matrix=_root(moments.covariance) / scale, radius=target / scale)
    found = solve(Programme(size=frame.size, blocks=frame.blocks, linear=linear, ball=ball))
    if found.outcome != SOLVED:
        return _calmest(moments, frame, target, found.status)
    optimum = _optimum(found, frame.blocks, frame.count, -found.value, -1.0)
    reached = np.sqrt(optimum.weights @ moments.covariance @ optimum.weights)
    if reached < target * (1 - BINDING):
        return optimum
    limit = Binding(name="target_volatility", asset=None, shadow_price=found.radius_multiplier / scale)
    return replace(optimum, binding=(*optimum.binding, limit))


def maximum_sharpe(moments: Moments, frame: Frame) -> Optimum:
    """Maximise μ'w/√(w'Σw) by the convex form: with y = κw, minimise y'Σy where μ'y = 1 and every row times κ.

    Cornuejols and Tütüncü 2006, "Optimization Methods in Finance", 8.2. The value is the Sharpe ratio a year.
    Where cash may be held the ratio is the same for every invested share: the weights then have one of them.
    NotComputable where no portfolio within the constraints earns more than the risk-free rate.
    """
    unit, scale = float(np.abs(moments.mean).max()) or 1.0, _scale(moments)
    blocks = (*[_homogeneous(block) for block in frame.blocks], *_normalised(moments.mean / unit, frame.size))
    found = solve(Programme(size=frame.size + 1, blocks=blocks, quadratic=moments.covariance * (2 / scale)))
    factor = float(found.x[frame.size])
    if found.outcome != SOLVED or factor < NO_WEIGHT:
        raise _no_sharpe(moments, frame, found)
    sharpe = unit / float(np.sqrt(found.value * scale))
    unscaled = replace(found, x=found.x[: frame.size] / factor, multipliers=found.multipliers[: len(frame.blocks)])
    # d(1/√V) = −½ V^(−3/2) dV, and raising a limit by δ raises the row's right side by κδ.
    steepness = -0.5 * sharpe / found.value * factor
    return _optimum(unscaled, frame.blocks, frame.count, sharpe, steepness)


def minimum_cvar(moments: Moments, frame: Frame, confidence: float) -> Optimum:
    """Minimise α + Σ max(−r'w − α, 0)/((1 − β)S) over the S periods' returns, a linear programme.

    Rockafellar and Uryasev 2000, "Optimization of conditional value-at-risk". The value is the CVaR over one period,
    a positive loss; cash earns the risk-free rate.
    """
    scenarios, scale = moments.excess.shape[0], float(moments.excess.std())
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
    found = _solved(Programme(size=linear.size, blocks=(*blocks, *tail), linear=linear), frame)
    return _optimum(found, frame.blocks, frame.count, found.value * scale - moments.risk_free, scale)


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


def _calmest(moments: Moments, frame: Frame, target: float, status: str) -> Optimum:
    """The portfolio of the least volatility, where it is the target; else Infeasible names what keeps it above."""
    calmest = minimum_variance(moments, frame)
    if calmest.value < target**2 * (1 - BINDING):
        raise NotComputable(STALLED.format(status))
    if calmest.value <= target**2 * (1 + BINDING):
        return replace(calmest, value=float(moments.mean @ calmest.weights), binding=())
    scale = _scale(moments)

    def collide(kept: Sequence[Block]) -> bool:
        found = solve(Programme(size=frame.size, blocks=tuple(kept), quadratic=moments.covariance * (2 / scale)))
        return found.outcome == IMPOSSIBLE or found.value * scale > target**2

    guilty = tuple(dict.fromkeys(limit.name for limit in calmest.binding if abs(limit.shadow_price) > 0))
    names = irreducible(guilty, named(frame.blocks), collide, frame.blocks, MOST_WORK // frame.size)
    told = sum_row("target_volatility", np.zeros(frame.count), target, frame.size)
    raise refusal(("target_volatility", *names), (told, *frame.blocks))


def _optimum(found: Solution, blocks: Sequence[Block], count: int, value: float, steepness: float) -> Optimum:
    """`steepness` is the change of the value by that of the programme's own."""
    x, weights = found.x, found.x[:count].copy()
    # So many assets together may drift from their sum by half of what constraints may be missed by.
    near = min(1e-8, 5e-8 / count)
    binding: list[Binding] = []
    for block, multipliers in zip(blocks, found.multipliers, strict=False):
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
        weights=weights + 0.0, value=value, binding=tuple(binding), status=found.status, iterations=found.iterations,
        gap=found.gap,
    )  # fmt: skip


def _scale(moments: Moments) -> float:
    """The mean variance: programmes are solved in its unit, so that the solver's tolerances mean the same for all."""
    return float(np.diag(moments.covariance).mean())


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
