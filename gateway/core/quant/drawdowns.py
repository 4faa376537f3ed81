"""Drawdowns: how far wealth is below its highest value so far.

Source: C. Bacon, Practical Portfolio Performance Measurement and Attribution, chapter 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gateway.core.quant.returns import wealth
from gateway.core.quant.series import Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawdown:
    """A fall from a peak until wealth is back there. Positions count returns: 0 is before the first."""

    peak: int
    trough: int
    recovery: int | None
    """None: not recovered by the end."""
    depth: float
    """As a fraction of the peak, negative."""
    length: int
    """Periods from the peak to the recovery, or to the end."""


def drawdowns(returns: Vector) -> Vector:
    """`W_t / max(W_0 … W_t) − 1` after each period, a fraction of the peak, with W_0 = 1; never above 0."""
    grown = wealth(returns)
    return (grown / np.maximum.accumulate(grown) - 1)[1:]


def maximum_drawdown(returns: Vector) -> float:
    """`min_t (W_t / max(W_0 … W_t) − 1)`, a fraction of the peak: negative or 0."""
    return float(drawdowns(returns).min())


def drawdown_table(returns: Vector, top: int) -> list[Drawdown]:
    """The `top` deepest by `W_trough / W_peak − 1`, a fraction; equally deep ones in order of time."""
    depths = np.concatenate(([0.0], drawdowns(returns)))
    below = np.concatenate((depths < 0, [False]))
    edges = np.flatnonzero(below[1:] != below[:-1])
    found = [_drawdown(depths, int(peak), int(last)) for peak, last in zip(edges[::2], edges[1::2], strict=True)]
    return sorted(found, key=lambda one: (one.depth, one.peak))[:top]


def _drawdown(depths: Vector, peak: int, last: int) -> Drawdown:
    """`peak` is the last position at the high, `last` the last one below it."""
    trough = peak + 1 + int(np.argmin(depths[peak + 1 : last + 1]))
    recovery = last + 1 if last + 1 < depths.size else None
    end = last if recovery is None else recovery
    return Drawdown(peak=peak, trough=trough, recovery=recovery, depth=float(depths[trough]), length=end - peak)
