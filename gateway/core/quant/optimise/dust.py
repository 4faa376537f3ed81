"""Weights that an interior point method leaves beside 0, swept away where the portfolio is as good without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gateway.core.quant.observations import Array
from gateway.core.quant.optimise.frame import Frame
from gateway.core.quant.optimise.program import TOLERANCE

SMALLEST = 5e-5
"""What is held is more than this fraction of the portfolio, where less is needed neither by a constraint nor by the
objective: where a variance is all but flat, a tolerance of 1e-9 of it is one of 3e-5 of the weights."""
MISS = 5e-8
"""By how much a swept portfolio may miss a constraint, where the unswept one did not miss it by more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What an optimum is the best of: `value` of weights, in whose `unit` it is solved to 1e-9."""

    value: Callable[[Array], float]
    unit: float
    highest: bool = False

    def as_good(self, weights: Array, before: float) -> bool:
        """Whether nothing is lost but what the solver may be off by."""
        worse = before - self.value(weights) if self.highest else self.value(weights) - before
        return worse <= TOLERANCE * max(self.unit, abs(before))


def swept(weights: Array, frame: Frame, aim: Aim) -> Array:
    """With weights of 5e-5 or less at exactly 0, where all rows still hold and the objective is as good; else as given.

    What is swept away goes to the others in proportion to their size, for their sum may have to stay as it is; where
    that breaks a row it goes nowhere.
    """
    small = (np.abs(weights) <= SMALLEST) & (weights != 0)
    if not small.any():
        return weights
    allowed, before = max(MISS, frame.miss(weights)), aim.value(weights)
    for tried in _tries(weights, small):
        if frame.miss(tried) <= allowed and aim.as_good(tried, before):
            return tried
    return weights


def _tries(weights: Array, small: Array) -> Iterator[Array]:
    left = np.where(small, 0.0, weights)
    size = float(np.abs(left).sum())
    if size > 0:
        yield left + np.abs(left) / size * float(weights[small].sum())
    yield left
