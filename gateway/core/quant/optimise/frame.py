"""Constraints as rows of a programme: weights first, then what absolute values need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from gateway.core.quant.observations import Array
from gateway.core.quant.optimise.constraints import Constraints
from gateway.core.quant.optimise.limits import Limits
from gateway.core.quant.optimise.program import Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Σ|w − centre| ≤ limit."""

    name: str
    centre: Array
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The rows that hold in every programme over these assets; the first `count` of `size` variables are weights."""

    count: int
    size: int
    blocks: tuple[Block, ...]
    spreads: tuple[Spread, ...] = ()
    """What the further variables are distances for: `count` of them for each."""

    def miss(self, weights: Array) -> float:
        """By how much these weights miss the row that they miss most; 0 where they keep to all."""
        x, most = self.whole(weights), 0.0
        for block in self.blocks:
            beyond = block.matrix @ x - block.limit
            most = max(most, float((np.abs(beyond) if block.equal else beyond).max(initial=0.0)))
        return most

    def whole(self, weights: Array) -> Array:
        """All variables where the weights are these."""
        return np.concatenate([weights, *(np.abs(weights - spread.centre) for spread in self.spreads)])


def framed(constraints: Constraints, assets: Sequence[str], current: Array, closed: Sequence[int] = ()) -> Frame:
    """All constraints but `max_assets`; assets whose index is `closed` are held at 0 in its name.

    |w| and |w − current| are variables of their own, u ≥ ±w and t ≥ ±(w − current), which only their sums use.
    """
    count = len(assets)
    spreads = []
    if constraints.leverage is not None:
        spreads.append(Spread(name="leverage", centre=np.zeros(count), limit=constraints.leverage))
    if constraints.turnover is not None:
        spreads.append(Spread(name="turnover", centre=current, limit=constraints.turnover))
    size = count * (1 + len(spreads))
    blocks = [
        *_total(constraints.total, count, size),
        *_bounds(constraints, assets, size),
        *_groups(constraints, assets, size),
    ]
    for number, spread in enumerate(spreads, start=1):
        blocks += _absolute_sum(spread, size, count * number)
    if closed:
        names = ("max_assets",) * len(closed)
        rows = _picking(closed, size)
        blocks.append(
            Block(names=names, matrix=rows, limit=np.zeros(len(closed)), equal=True, assets=tuple(closed))
        )  # fmt: skip
    return Frame(count=count, size=size, blocks=tuple(blocks), spreads=tuple(spreads))


def held_within(blocks: Sequence[Block], count: int) -> tuple[Array, Array]:
    """Each weight's lowest and highest value by the rows that are about it alone."""
    lowest, highest = np.full(count, -np.inf), np.full(count, np.inf)
    for block in blocks:
        assets, limits = list(block.assets or ()), block.limit
        if assets and (block.floor or block.equal):
            np.maximum.at(lowest, assets, -limits if block.floor else limits)
        if assets and not block.floor:
            np.minimum.at(highest, assets, limits)
    return lowest, highest


def sum_row(name: str, weights: Array, limit: float, size: int, *, equal: bool = False, floor: bool = False) -> Block:
    """`weights · w ≤ limit`, `≥ limit` for a floor."""
    row = np.zeros((1, size))
    row[0, : weights.size] = -weights if floor else weights
    bound = np.array([-limit if floor else limit])
    return Block(names=(name,), matrix=sparse.csr_array(row), limit=bound, equal=equal, floor=floor)


def _total(total: Limits, count: int, size: int) -> list[Block]:
    return _limited("total", np.ones(count), total, size)


def _limited(name: str, weights: Array, limits: Limits, size: int) -> list[Block]:
    if limits.min is not None and limits.min == limits.max:
        return [sum_row(name, weights, limits.min, size, equal=True)]
    rows = []
    if limits.min is not None:
        rows.append(sum_row(f"{name}.min", weights, limits.min, size, floor=True))
    if limits.max is not None:
        rows.append(sum_row(f"{name}.max", weights, limits.max, size))
    return rows


def _bounds(constraints: Constraints, assets: Sequence[str], size: int) -> list[Block]:
    lower: list[tuple[str, int, float]] = []
    upper: list[tuple[str, int, float]] = []
    for index, asset in enumerate(assets):
        own = constraints.limits_of(asset)
        statement = f"bounds.{asset}" if asset in constraints.bounds else "default"
        if constraints.long_only:
            lower.append(("long_only", index, 0.0))
        if own.min is not None and (own.min > 0 or not constraints.long_only):
            lower.append((f"{statement}.min", index, own.min))
        if own.max is not None:
            upper.append((f"{statement}.max", index, own.max))
        if constraints.max_position is not None:
            upper.append(("max_position", index, constraints.max_position))
            if not constraints.long_only:
                lower.append(("max_position", index, -constraints.max_position))
    return [*_sided(lower, size, floor=True), *_sided(upper, size, floor=False)]


def _sided(rows: Sequence[tuple[str, int, float]], size: int, *, floor: bool) -> list[Block]:
    if not rows:
        return []
    names, indices, limits = zip(*rows, strict=True)
    sign = -1.0 if floor else 1.0
    matrix = _picking(indices, size) * sign
    return [Block(names=names, matrix=matrix, limit=np.array(limits) * sign, floor=floor, assets=indices)]


def _picking(indices: Sequence[int], size: int) -> sparse.csr_array:
    rows = np.arange(len(indices))
    return sparse.csr_array((np.ones(len(indices)), (rows, np.array(indices))), shape=(len(indices), size))


def _groups(constraints: Constraints, assets: Sequence[str], size: int) -> list[Block]:
    at = {asset: index for index, asset in enumerate(assets)}
    blocks = []
    for group in constraints.groups:
        members = np.zeros(len(assets))
        members[[at[asset] for asset in group.assets]] = 1.0
        blocks += _limited(f"groups.{group.name}", members, group.limits, size)
    return blocks


def _absolute_sum(spread: Spread, size: int, first: int) -> list[Block]:
    """With distances as variables from `first` on."""
    count, centre = spread.centre.size, spread.centre
    one = sparse.eye_array(count)
    between, after = sparse.csr_array((count, first - count)), sparse.csr_array((count, size - first - count))
    rows = sparse.vstack([sparse.hstack([one * sign, between, -one, after]) for sign in (1.0, -1.0)], format="csr")
    total = np.zeros(size)
    total[first : first + count] = 1.0
    return [
        Block(names=("",) * (2 * count), matrix=rows, limit=np.concatenate([centre, -centre])),
        sum_row(spread.name, total, spread.limit, size),
    ]
