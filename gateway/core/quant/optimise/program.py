"""Convex programmes in named rows, solved by clarabel (Goulart and Chen 2024, https://clarabel.org)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import clarabel
import numpy as np
from scipy import sparse

from gateway.core.quant.observations import Array
from gateway.core.quant.refusals import NotComputable

TOLERANCE, ACCEPTED = 1e-9, 1e-7
MOST_SECONDS = 20.0
SOLVED, IMPOSSIBLE, UNBOUNDED, STOPPED = "SOLVED", "IMPOSSIBLE", "UNBOUNDED", "STOPPED"
MEANING = {
    "Solved": SOLVED, "AlmostSolved": SOLVED, "PrimalInfeasible": IMPOSSIBLE, "AlmostPrimalInfeasible": IMPOSSIBLE,
    "DualInfeasible": UNBOUNDED, "AlmostDualInfeasible": UNBOUNDED,
}  # fmt: skip
ATTEMPTS: tuple[Mapping[str, object], ...] = (
    {},
    {"equilibrate_enable": False},
    {"max_step_fraction": 0.9, "static_regularization_constant": 1e-10},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Rows `matrix · x ≤ limit`, or `=`. A row without a name only holds the form together and is never given up."""

    names: tuple[str, ...]
    """The statement of the caller that each row stands for."""
    matrix: Any
    """scipy.sparse, in any format."""
    limit: Array
    equal: bool = False
    floor: bool = False
    """Whether the rows are lower limits, written with the opposite sign."""
    assets: tuple[int, ...] | None = None
    """Which asset each row is about, where it is about one."""

    def widened(self, columns: int) -> Block:
        """With variables more that it says nothing about."""
        empty = sparse.csr_array((self.limit.size, columns))
        return replace(self, matrix=sparse.hstack([self.matrix, empty], format="csr"))

    def without(self, names: frozenset[str]) -> Block:
        """Only the rows that other statements make."""
        kept = [index for index, name in enumerate(self.names) if name not in names]
        if len(kept) == len(self.names):
            return self
        return replace(
            self, names=tuple(self.names[index] for index in kept), matrix=self.matrix[kept], limit=self.limit[kept],
            assets=None if self.assets is None else tuple(self.assets[index] for index in kept),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Ball:
    """`‖matrix · x‖₂ ≤ radius`: a cone of second order."""

    matrix: Array
    radius: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """Minimise `½ x'Qx + c'x` over the rows of the blocks, and the ball; Q covers the first variables."""

    size: int
    blocks: tuple[Block, ...]
    quadratic: Array | None = None
    linear: Array | None = None
    ball: Ball | None = None
    units: Array | None = None
    """What each variable is solved in: `x / units`, so that all of them are of a size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """What the solver found; `multipliers` has a value a row, block by block; without a ball its own is 0."""

    outcome: str
    x: Array
    multipliers: tuple[Array, ...]
    radius_multiplier: float
    value: float
    status: str
    iterations: int
    gap: float


def solve(programme: Programme) -> Solution:
    """The optimum, or that there is none. NotComputable where it takes longer than 20 seconds.

    Where the set of portfolios is all but flat the usual steps may stall; then others are tried.
    """
    for settings in ATTEMPTS:
        found = _attempted(programme, settings)
        if found.outcome != STOPPED:
            break
    return found


def _attempted(programme: Programme, changed: Mapping[str, object]) -> Solution:
    matrix, limit, cones = _stacked(programme)
    found = clarabel.DefaultSolver(
        _upper(programme), _linear(programme), matrix, limit, cones, settings_of(changed)
    ).solve()  # fmt: skip
    status = str(found.status)
    if status == "MaxTime":
        raise NotComputable("The solver took longer than 20 seconds: give fewer assets or a shorter range.")
    duals = np.asarray(found.z)
    edges = np.cumsum([block.limit.size for block in programme.blocks])
    return Solution(
        outcome=MEANING.get(status, STOPPED), x=np.asarray(found.x) * _units(programme),
        multipliers=tuple(np.split(duals, edges)[: len(edges)]),
        radius_multiplier=float(duals[edges[-1]]) if programme.ball is not None else 0.0,
        value=float(found.obj_val), status=status, iterations=int(found.iterations),
        gap=abs(float(found.obj_val) - float(found.obj_val_dual)),
    )  # fmt: skip


def named(blocks: Sequence[Block]) -> tuple[str, ...]:
    """The statements that the rows stand for, each once, in order."""
    return tuple(dict.fromkeys(name for block in blocks for name in block.names if name))


def _stacked(programme: Programme) -> tuple[Any, Array, list[Any]]:
    parts, limits, cones = [], [], []
    for block in programme.blocks:
        parts.append(block.matrix)
        limits.append(block.limit)
        if block.limit.size:
            cones.append((clarabel.ZeroConeT if block.equal else clarabel.NonnegativeConeT)(block.limit.size))
    if programme.ball is not None:
        inside = programme.ball.matrix
        rows = np.zeros((inside.shape[0] + 1, programme.size))
        rows[1:, : inside.shape[1]] = -inside
        parts.append(sparse.csr_array(rows))
        limits.append(np.concatenate([[programme.ball.radius], np.zeros(inside.shape[0])]))
        cones.append(clarabel.SecondOrderConeT(rows.shape[0]))
    matrix = sparse.csr_array(sparse.vstack(parts))
    if programme.units is not None:
        matrix.data *= programme.units[matrix.indices]
    return sparse.csc_matrix(matrix), np.concatenate(limits), cones


def _upper(programme: Programme) -> Any:
    if programme.quadratic is None:
        return sparse.csc_matrix((programme.size, programme.size))
    units = _units(programme)[: programme.quadratic.shape[0]]
    square = sparse.csc_matrix(np.triu(programme.quadratic * np.outer(units, units)))
    square.resize((programme.size, programme.size))
    return square


def _linear(programme: Programme) -> Array:
    return np.zeros(programme.size) if programme.linear is None else programme.linear * _units(programme)


def _units(programme: Programme) -> Array:
    return np.ones(programme.size) if programme.units is None else programme.units


def settings_of(changed: Mapping[str, object]) -> Any:
    """Of the solver, besides what is changed."""
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.time_limit = MOST_SECONDS
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = TOLERANCE
    settings.reduced_tol_gap_abs = settings.reduced_tol_gap_rel = settings.reduced_tol_feas = ACCEPTED
    for name, value in changed.items():
        setattr(settings, name, value)
    return settings
