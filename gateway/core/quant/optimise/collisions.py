"""Which constraints collide: an irreducible set of statements that no portfolio satisfies together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import sparse

from gateway.core.quant.observations import Array
from gateway.core.quant.optimise.program import SOLVED, Block, Programme, named, solve
from gateway.core.quant.refusals import Infeasible

SLACK = 1e-7
MOST_TRIED = 200


def collision(blocks: Sequence[Block], size: int) -> Infeasible | None:
    """The refusal that names them, None where a portfolio exists.

    Elastic relaxation finds the statements that have a part in it, and a deletion filter leaves those of which none
    can be spared (Chinneck and Dravnieks 1991, "Locating minimal infeasible constraint sets in linear programs").
    """
    distance, guilty = _relaxed(blocks, size)
    if distance <= SLACK:
        return None
    return refusal(irreducible(guilty, named(blocks), lambda kept: _relaxed(kept, size)[0] > SLACK, blocks), blocks)


def irreducible(
    guilty: Sequence[str],
    everything: Sequence[str],
    collide: Callable[[Sequence[Block]], bool],
    blocks: Sequence[Block],
    most: int = MOST_TRIED,
) -> tuple[str, ...]:
    """Of `guilty` those that still collide when no other can be spared; more than `most` are returned as they are."""
    kept = list(guilty)
    if not collide(_only(blocks, kept, everything)):
        kept = list(everything)
    if len(kept) > most:
        return tuple(kept)
    for name in list(kept):
        fewer = [other for other in kept if other != name]
        if collide(_only(blocks, fewer, everything)):
            kept = fewer
    return tuple(kept)


def refusal(names: Sequence[str], blocks: Sequence[Block]) -> Infeasible:
    """In words, with the limits as the caller gave them."""
    told = ", ".join(_told(name, blocks) for name in names[:10])
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return Infeasible(f"No portfolio satisfies all of these: {told}{more}. Loosen or remove one.", tuple(names))


def _only(blocks: Sequence[Block], kept: Sequence[str], everything: Sequence[str]) -> list[Block]:
    gone = frozenset(everything) - frozenset(kept)
    return [block.without(gone) for block in blocks]


def _told(name: str, blocks: Sequence[Block]) -> str:
    values = {
        float(-limit if block.floor else limit) + 0.0
        for block in blocks
        for own, limit in zip(block.names, block.limit, strict=True)
        if own == name
    }
    return f"{name} {values.pop():g}" if len(values) == 1 and name not in ("max_assets", "long_only") else name


def _relaxed(blocks: Sequence[Block], size: int) -> tuple[float, tuple[str, ...]]:
    """By how much the statements must give way in total, and those that press against each other."""
    names = named(blocks)
    if not names:
        return 0.0, ()
    at = {name: index for index, name in enumerate(names)}
    loosened = [_loosened(block, at) for block in blocks]
    slack = sparse.hstack([sparse.csr_array((2 * len(names), size)), -sparse.eye_array(2 * len(names))], format="csr")
    positive = Block(names=("",) * (2 * len(names)), matrix=slack, limit=np.zeros(2 * len(names)))
    cost = np.concatenate([np.zeros(size), np.ones(2 * len(names))])
    found = solve(Programme(size=cost.size, blocks=(*loosened, positive), linear=cost))
    if found.outcome != SOLVED:
        return 0.0, ()
    pressure: Array = np.zeros(len(names))
    for block, multipliers in zip(blocks, found.multipliers, strict=False):
        for name, multiplier in zip(block.names, multipliers, strict=True):
            if name:
                pressure[at[name]] += abs(multiplier)
    return max(found.value, 0.0), tuple(name for name in names if pressure[at[name]] > 1e-6)


def _loosened(block: Block, at: dict[str, int]) -> Block:
    """Each row may be missed by a variable that all rows of its statement share; an equation on either side."""
    rows = [index for index, name in enumerate(block.names) if name]
    over = sparse.csr_array(
        (np.full(len(rows), -1.0), (rows, [at[block.names[index]] for index in rows])), (block.limit.size, len(at))
    )
    under = -over if block.equal else sparse.csr_array(over.shape)
    matrix = sparse.hstack([block.matrix, over, under], format="csr")
    return Block(names=block.names, matrix=matrix, limit=block.limit, equal=block.equal)
