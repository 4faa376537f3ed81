"""The exact optimum beside the one that a solver has come to: which limits hold it is all that is taken from there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from gateway.core.quant.observations import Array
from gateway.core.quant.optimise.active import Flags, Quadratic, Settled, settle
from gateway.core.quant.optimise.frame import Frame
from gateway.core.quant.optimise.program import Solution

KEPT, MOST_TURNS, SIGN = 1e-9, 10, 1e-9

_NOBODY = (-1, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    """A frame's rows in the weights alone; each limit with the block and the row that it is from."""

    lowest: Array
    highest: Array
    low_owners: tuple[tuple[int, int], ...]
    high_owners: tuple[tuple[int, int], ...]
    rows: Array
    limits: Array
    equal: Flags
    owners: tuple[tuple[int, int], ...]


def polished(found: Solution, frame: Frame, covariance: Array, scale: float) -> Solution | None:
    """The exact minimum of w'Σw, whose `value` is in units of `scale`; None where it is not found from there.

    Where absolute values are limited, each weight is kept on its side of the centre of the distance; those that would
    rather be on the other one are moved there, and it is solved again.
    """
    box = _boxed(frame)
    weights = found.x[: frame.count]
    held, tight = _guessed(found, box, frame)
    signs = [np.where(weights >= spread.centre, 1.0, -1.0) for spread in frame.spreads]
    for _ in range(MOST_TURNS):
        settled = settle(_sided(box, frame, signs, covariance), weights, tight, held)
        if settled is None:
            return None
        wrong = _wrong(settled, box, frame, signs)
        if not wrong.any():
            break
        weights = settled.weights
        signs = [
            np.where(wrong & (weights == spread.centre), -np.sign(settled.forces), sign)
            for spread, sign in zip(frame.spreads, signs, strict=True)
        ]
        held, tight = (settled.forces != 0) & ~wrong, settled.pressures != 0
    else:
        return None
    if frame.miss(settled.weights) > KEPT:
        return None
    value = float(settled.weights @ covariance @ settled.weights) / scale
    problem = _sided(box, frame, signs, covariance)
    slack = problem.limits - problem.rows @ settled.weights
    return replace(
        found, x=frame.whole(settled.weights), multipliers=_multipliers(settled, box, frame, scale), value=value,
        status="Solved", gap=2.0 * abs(float(settled.pressures @ slack)) / scale,
    )  # fmt: skip


def _boxed(frame: Frame) -> _Box:
    count = frame.count
    lowest, highest = np.full(count, -np.inf), np.full(count, np.inf)
    low_owners, high_owners = [_NOBODY] * count, [_NOBODY] * count
    rows: list[Array] = []
    limits: list[float] = []
    equal: list[bool] = []
    owners: list[tuple[int, int]] = []
    spreads = {spread.name for spread in frame.spreads}
    for number, block in enumerate(frame.blocks):
        if block.assets is not None:
            for row, (asset, limit) in enumerate(zip(block.assets, block.limit.tolist(), strict=True)):
                if (block.floor or block.equal) and (bound := -limit if block.floor else limit) > lowest[asset]:
                    lowest[asset], low_owners[asset] = bound, (number, row)
                if not block.floor and limit < highest[asset]:
                    highest[asset], high_owners[asset] = limit, (number, row)
            continue
        if not block.names[0] or block.names[0] in spreads:
            continue
        for row, dense in enumerate(sparse.csr_array(block.matrix).toarray()):
            rows.append(dense[:count])
            limits.append(float(block.limit[row]))
            equal.append(block.equal)
            owners.append((number, row))
    return _Box(
        lowest=lowest, highest=highest, low_owners=tuple(low_owners), high_owners=tuple(high_owners),
        rows=np.array(rows).reshape(len(rows), count), limits=np.array(limits), equal=np.array(equal, dtype=bool),
        owners=tuple(owners),
    )  # fmt: skip


def _guessed(found: Solution, box: _Box, frame: Frame) -> tuple[Flags, Flags]:
    """Which weights and which rows are at a limit: those that press on it by more than they are away from it."""

    def pressure(owner: tuple[int, int]) -> float:
        return 0.0 if owner == _NOBODY else abs(float(found.multipliers[owner[0]][owner[1]]))

    weights = found.x[: frame.count]
    low = np.array([pressure(owner) for owner in box.low_owners])
    high = np.array([pressure(owner) for owner in box.high_owners])
    held = (weights - box.lowest < low) | (box.highest - weights < high)
    slack, pressures = box.limits - box.rows @ weights, [pressure(owner) for owner in box.owners]
    for spread in frame.spreads:
        block = _spread_block(frame, spread.name)
        distances = np.abs(weights - spread.centre)
        # Both |w − c| ≥ w − c and |w − c| ≥ c − w press where w is at the centre.
        held |= distances < np.abs(found.multipliers[block - 1].reshape(2, -1)).min(axis=0)
        slack = np.append(slack, spread.limit - distances.sum())
        pressures.append(pressure((block, 0)))
    return held, np.asarray(slack < np.array(pressures))


def _spread_block(frame: Frame, name: str) -> int:
    return next(number for number, block in enumerate(frame.blocks) if block.names == (name,))


def _sided(box: _Box, frame: Frame, signs: list[Array], covariance: Array) -> Quadratic:
    """With each weight on its side of every centre, where a sum of distances is a plain row."""
    lowest, highest, rows, limits = box.lowest, box.highest, [box.rows], [box.limits]
    for spread, sign in zip(frame.spreads, signs, strict=True):
        lowest = np.where(sign > 0, np.maximum(lowest, spread.centre), lowest)
        highest = np.where(sign < 0, np.minimum(highest, spread.centre), highest)
        rows.append(sign[None, :])
        limits.append(np.array([spread.limit + float(sign @ spread.centre)]))
    equal = np.concatenate([box.equal, np.zeros(len(signs), dtype=bool)])
    return Quadratic(
        covariance=covariance, lowest=lowest, highest=highest, rows=np.concatenate(rows),
        limits=np.concatenate(limits), equal=equal,
    )  # fmt: skip


def _wrong(settled: Settled, box: _Box, frame: Frame, signs: list[Array]) -> Flags:
    """Which weights would rather be on the other side of a centre.

    At its centre |w − c| has any slope from −1 to 1, so what presses against a side by more than twice the pressure
    of the limit is better off beyond.
    """
    weights, forces = settled.weights, settled.forces
    allowed = np.full(weights.size, np.inf)
    for number, (spread, sign) in enumerate(zip(frame.spreads, signs, strict=True)):
        inside = np.where(sign > 0, box.lowest < spread.centre, box.highest > spread.centre)
        at_centre = (weights == spread.centre) & inside & (forces * sign > 0)
        more = 2.0 * float(settled.pressures[box.limits.size + number])
        allowed[at_centre] = np.where(np.isinf(allowed[at_centre]), more, allowed[at_centre] + more)
    return np.asarray(np.abs(forces) > allowed * (1.0 + SIGN) + SIGN * np.abs(forces).max(initial=0.0))


def _multipliers(settled: Settled, box: _Box, frame: Frame, scale: float) -> tuple[Array, ...]:
    """As the solver tells them of `w'Σw / scale`, row by row."""
    made = tuple(np.zeros(block.limit.size) for block in frame.blocks)
    for asset, force in enumerate(settled.forces.tolist()):
        owners, limit = (box.low_owners, box.lowest) if force > 0 else (box.high_owners, box.highest)
        number, row = owners[asset]
        if owners[asset] != _NOBODY and settled.weights[asset] == limit[asset]:
            made[number][row] += 2.0 * (force if frame.blocks[number].floor else -force) / scale
    for (number, row), pressure in zip(box.owners, settled.pressures.tolist(), strict=False):
        made[number][row] += 2.0 * pressure / scale
    for number, spread in enumerate(frame.spreads):
        made[_spread_block(frame, spread.name)][0] = 2.0 * float(settled.pressures[box.limits.size + number]) / scale
    return made
