"""Hedge ratios of a position against an instrument: how much to hold against it, and what risk remains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gateway.core.quant.observations import SPREAD, Array
from gateway.core.quant.refusals import NotComputable


@dataclass(frozen=True, slots=True, kw_only=True)
class Hedge:
    """A hedge of so much value of the instrument, held short, for each unit of value of the position."""

    ratio: float
    effectiveness: float
    """1 - var(hedged) / var(unhedged): R² at the minimum-variance ratio, under 0 where the hedge adds risk."""
    residual: float
    """Standard deviation of s - h f per period, ddof 1."""


def minimum_variance_ratio(position: Array, instrument: Array) -> float:
    """h* = cov(s, f) / var(f), returns of position and instrument; in value of f for each unit of value of s.

    Source: Ederington, The hedging performance of the new futures markets, Journal of Finance 34 (1979).
    """
    moves = instrument - instrument.mean()
    return float((position - position.mean()) @ moves / (moving(instrument, "the instrument") @ moves))


def beta_ratio(position: Array, instrument: Array, benchmark: Array, target: float = 0.0) -> float:
    """h = (β_s − β*) / β_f, betas to the benchmark: the hedged position's beta becomes β*.

    Source: Hull, Options, Futures, and Other Derivatives, hedging an equity portfolio.
    """
    ours, theirs = minimum_variance_ratio(position, benchmark), minimum_variance_ratio(instrument, benchmark)
    if abs(theirs) < 1e-9:
        raise NotComputable("the instrument has no beta to the benchmark, so it cannot hedge it: choose another")
    return (ours - target) / theirs


def hedge(position: Array, instrument: Array, ratio: float) -> Hedge:
    """What a ratio leaves: s − h f."""
    unhedged = float(moving(position, "the position") @ moving(position, "the position"))
    hedged = position - ratio * instrument
    moves = hedged - hedged.mean()
    remains = float(moves @ moves)
    return Hedge(ratio=ratio, effectiveness=1 - remains / unhedged, residual=float(np.sqrt(remains / (len(moves) - 1))))


def moving(returns: Array, name: str) -> Array:
    """Returns less their mean; NotComputable where they never change."""
    if len(returns) < 2 or np.ptp(returns) <= SPREAD:
        raise NotComputable(f"the returns of {name} never change, or are fewer than 2: there is nothing to hedge with")
    moves: Array = returns - returns.mean()
    return moves
