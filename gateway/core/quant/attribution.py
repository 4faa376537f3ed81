"""Which asset brought how much of a portfolio's return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.series import Observed, Track, Vector

Rebalance = Literal["never", "every_period", "monthly", "quarterly", "yearly"]
Matrix = NDArray[np.float64]

_SPANS: dict[str, Callable[[date], tuple[int, int]]] = {
    "monthly": lambda day: (day.year, day.month),
    "quarterly": lambda day: (day.year, (day.month + 2) // 3),
    "yearly": lambda day: (day.year, 1),
}


def contributions(weights: Matrix, returns: Matrix) -> tuple[Vector, Vector]:
    """Profit of each asset over the initial wealth, and the portfolio's return in each period.

    `C_i = Σ_t W_(t−1)·w_(i,t)·r_(i,t)` with `W_t = ∏(1 + Σ_i w_i·r_i)`, W_0 = 1: they sum to the total return exactly.
    A row a period (weights at its beginning), a column an asset; what weights leave is cash without return.
    Source: Bacon, chapter 8, linking by wealth at the beginning.
    """
    gained = weights * returns
    portfolio = gained.sum(axis=1)
    with np.errstate(over="ignore", invalid="ignore"):
        before = np.concatenate(([1.0], np.cumprod(1 + portfolio)))
    if not np.isfinite(before).all() or (before[:-1] <= 0).any():
        raise NotComputable("the portfolio is worth nothing, or more than can be represented, before the end")
    return before[:-1] @ gained, portfolio


def drifting_weights(weights: Vector, returns: Matrix, dates: Sequence[date], rebalance: Rebalance) -> Matrix:
    """Weights at the beginning of each period: set at the start and after every rebalancing, drifting between them.

    A portfolio is rebalanced at the close of the last date of a month, quarter or year; `dates` are the periods' ends.
    """
    found = np.empty_like(returns)
    held, cash = weights.copy(), 1 - weights.sum()
    for at, gained in enumerate(returns):
        if at and _due(dates[at - 1], dates[at], rebalance):
            held, cash = weights.copy(), 1 - weights.sum()
        found[at] = held
        grown = held * (1 + gained)
        wealth = grown.sum() + cash
        if wealth <= 0 and at + 1 < len(returns):
            raise NotComputable(f"the portfolio is worth nothing on {dates[at]}")
        held, cash = (grown / wealth, cash / wealth) if wealth else (held, cash)
    return found


def held_over(tracks: Sequence[Track], weights: Matrix, dates: Sequence[date]) -> Observed:
    """Returns between dates in a row, 0 where an asset has no weight; NotComputable where a held one has no price."""
    levels = np.vstack([track.levels[1:] for track in tracks])
    held = weights.T != 0
    before, after = np.where(held, levels[:, :-1], 1.0), np.where(held, levels[:, 1:], 1.0)
    for asset, period in np.argwhere(np.isnan(before) | np.isnan(after)):
        day = dates[period] if np.isnan(before[asset, period]) else dates[period + 1]
        raise NotComputable(
            f"{tracks[asset].field}: no price on {day}, but a weight: leave the date out for all assets"
        )
    return Observed(returns=after / before - 1, dates=tuple(dates[1:]), base=dates[0], missing=())


def _due(before: date, day: date, rebalance: Rebalance) -> bool:
    if rebalance in ("never", "every_period"):
        return rebalance == "every_period"
    span = _SPANS[rebalance]
    return span(before) != span(day)
