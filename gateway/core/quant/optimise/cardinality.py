"""A greatest number of positions: tried exactly where there are few choices, by a heuristic named so elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from math import comb

import numpy as np
from scipy import sparse

from gateway.core.quant.observations import Array
from gateway.core.quant.optimise.collisions import irreducible, refusal
from gateway.core.quant.optimise.frame import Frame, held_within
from gateway.core.quant.optimise.portfolios import Optimum
from gateway.core.quant.optimise.program import Block, named
from gateway.core.quant.refusals import Infeasible, NotComputable

MOST_CHOICES, MOST_NAMES, SECONDS = 100, 40, 1.0
WIDEST = 100.0
"""Of a weight that nothing else bounds."""
SAME = 1e-9
IMPOSSIBLE = 2
"""How HiGHS says that it has proven that there is nothing."""
LARGEST = "heuristic: the relaxed optimum's {} largest positions were kept and the rest solved again without"
CALMEST = "heuristic: the calmest portfolio's {} largest positions were kept and the rest solved again without"
ALLOWED = (
    "heuristic: of the choices of {} that the constraints allow, the one with most of the relaxed optimum was kept "
    "and the rest solved again without"
)
NOTHING = (
    "The heuristic found no portfolio of {} positions, which does not prove that there is none: allow more positions, "
    "or loosen another constraint."
)
NONE = (
    "No choice of {} positions reaches the objective, though the constraints alone allow one: allow more positions, or "
    "another target."
)

Solve = Callable[[Sequence[int]], Optimum]
"""The optimum with these assets held at 0."""


def few(
    solve: Solve,
    relaxed: Optimum,
    frame: Frame,
    most: int,
    choices: int,
    *,
    highest: bool,
    calmest: Callable[[], Optimum] | None = None,
) -> tuple[Optimum, str | None]:
    """The optimum of `most` positions, and the heuristic that it is from: none where it is proven.

    `relaxed` is the optimum without the limit; `choices` how many sets of assets may be tried one by one; `calmest`
    has the least risk, where that may be what is missing. Infeasible where it is proven that no choice of assets
    satisfies the constraints, NotComputable where none was found.
    """
    if np.count_nonzero(relaxed.weights) <= most:
        return relaxed, None
    if comb(frame.count, most) <= choices:
        best = _best(solve, frame, most, highest=highest)
        if best is None:
            raise _collided(frame, most, NONE)
        return best, None
    kept = _largest(relaxed.weights, frame, most)
    found, told = _tried(solve, kept, frame.count), LARGEST
    if found is None:
        kept, proven = _allowed(frame.blocks, frame, most, relaxed.weights)
        if proven:
            raise _collided(frame, most, NOTHING)
        found, told = _tried(solve, kept, frame.count) if kept else None, ALLOWED
    if found is None and calmest is not None:
        found, told = _tried(solve, _largest(calmest().weights, frame, most), frame.count), CALMEST
    if found is None:
        raise NotComputable(NOTHING.format(most))
    same = abs(found.value - relaxed.value) <= SAME * abs(relaxed.value)
    return found, None if same else told.format(most)


def _best(solve: Solve, frame: Frame, most: int, *, highest: bool) -> Optimum | None:
    found: list[Optimum] = [
        optimum
        for kept in combinations(range(frame.count), most)
        if (optimum := _tried(solve, kept, frame.count)) is not None
    ]
    return (max if highest else min)(found, key=lambda optimum: optimum.value, default=None)


def _tried(solve: Solve, kept: Sequence[int], count: int) -> Optimum | None:
    try:
        return solve([index for index in range(count) if index not in kept])
    except (Infeasible, NotComputable):
        return None


def _largest(weights: Array, frame: Frame, most: int) -> list[int]:
    """Assets whose own bounds keep them away from 0 first, then by size; ties by their order."""
    lowest, highest = held_within(frame.blocks, frame.count)
    needed = (lowest > 0) | (highest < 0)
    return sorted(range(frame.count), key=lambda index: (not needed[index], -abs(float(weights[index]))))[:most]


def _collided(frame: Frame, most: int, otherwise: str) -> Exception:
    """Infeasible with the statements that no choice of so many assets satisfies together, where there are such."""
    everything = named(frame.blocks)
    nothing: Array = np.zeros(frame.count)

    def collide(kept: Sequence[Block]) -> bool:
        return _allowed(kept, frame, most, nothing)[1]

    if not collide(frame.blocks):
        return NotComputable(otherwise.format(most))
    return refusal(
        (*irreducible(everything, everything, collide, frame.blocks, MOST_NAMES), "max_assets"), frame.blocks
    )


def _allowed(blocks: Sequence[Block], frame: Frame, most: int, weights: Array) -> tuple[list[int], bool]:
    """The choice of assets that the rows allow with the largest sum of |weights|; and whether there is none for sure.

    A mixed-integer programme (HiGHS): w_i is between its bounds times z_i, Σz ≤ `most`.
    """
    # A fifth of a second that most optima never need.
    from scipy.optimize import Bounds, LinearConstraint, milp

    count = frame.count
    lowest, highest = (np.clip(side, -WIDEST, WIDEST) for side in held_within(blocks, count))
    rows = [LinearConstraint(matrix, *limits) for matrix, limits in _rows(blocks, count)]
    one, between = sparse.eye_array(count), sparse.csr_array((count, frame.size - count))
    for bound, sides in ((np.minimum(lowest, 0.0), (0.0, np.inf)), (np.maximum(highest, 0.0), (-np.inf, 0.0))):
        rows.append(LinearConstraint(sparse.hstack([one, between, -sparse.diags_array(bound)], format="csc"), *sides))
    chosen = np.repeat([0.0, 1.0], [frame.size, count])
    rows.append(LinearConstraint(chosen[None, :], -np.inf, most))
    free = np.concatenate([np.full(frame.size, np.inf), np.ones(count)])
    found = milp(
        np.concatenate([np.zeros(frame.size), -np.abs(weights)]), integrality=chosen, constraints=rows,
        bounds=Bounds(np.where(chosen > 0, 0.0, -np.inf), free), options={"time_limit": SECONDS},
    )  # fmt: skip
    if found.x is None:
        return [], found.status == IMPOSSIBLE
    return np.flatnonzero(found.x[frame.size :] > 0.5).tolist(), False


def _rows(blocks: Sequence[Block], count: int) -> Iterator[tuple[object, tuple[Array, Array]]]:
    for block in blocks:
        if block.limit.size:
            least = block.limit if block.equal else np.full(block.limit.size, -np.inf)
            yield block.widened(count).matrix, (least, block.limit)
