"""Correlation of returns: Pearson's, Spearman's, and either in a rolling window."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from gateway.core.quant.observations import SPREAD, Array, checked, constant
from gateway.core.quant.refusals import NotComputable
from schema.errors import BadInput

LARGEST_WINDOWS = 40_000_000
"""Returns in all windows of all assets: 320 MB."""


def pearson(returns: Array) -> Array:
    """ρ_ij = s_ij / √(s_ii s_jj); 1 on the diagonal. NotComputable where a series never changes.

    Source: Pearson, Notes on regression and inheritance (1895).
    """
    if constant(checked(returns)).any():
        raise NotComputable("a series never changes, so it has no correlation: leave it out")
    moves = returns - returns.mean(axis=0)
    moves /= np.sqrt((moves**2).sum(axis=0))
    matrix: Array = np.clip(moves.T @ moves, -1.0, 1.0)
    np.fill_diagonal(matrix, 1.0)
    return (matrix + matrix.T) / 2


def spearman(returns: Array) -> Array:
    """Pearson's correlation of ranks; equal returns share the mean of their ranks.

    Source: Spearman, The proof and measurement of association between two things (1904).
    """
    if constant(checked(returns)).any():
        raise NotComputable("a series never changes, so it has no ranks: leave it out")
    return pearson(ranks(returns.T).T)


def ranks(rows: Array) -> Array:
    """Of each row's values, 1 for the least; equal values share the mean of their ranks."""
    order = np.argsort(rows, axis=1, kind="stable")
    ascending = np.take_along_axis(rows, order, axis=1)
    places = np.broadcast_to(np.arange(rows.shape[1]), rows.shape)
    edge = np.ones((len(rows), 1), dtype=bool)
    steps = ascending[:, 1:] != ascending[:, :-1]
    first = np.maximum.accumulate(np.where(np.hstack([edge, steps]), places, 0), axis=1)
    last = np.minimum.accumulate(np.where(np.hstack([steps, edge]), places, rows.shape[1])[:, ::-1], axis=1)[:, ::-1]
    found = np.empty(rows.shape, dtype=np.float64)
    np.put_along_axis(found, order, (first + last) / 2 + 1, axis=1)
    return found


def rolling(
    returns: Array, pairs: Sequence[tuple[int, int]], window: int, method: str = "pearson"
) -> list[list[float | None]]:
    """Correlations of pairs of columns over the last `window` returns, from the first full window, a series a pair.

    None where one of the two never changes within the window.
    """
    if not 2 <= window <= len(returns):
        raise BadInput("window", f"must be from 2 to the number of returns ({len(returns)}), not {window}")
    if returns.size * window > LARGEST_WINDOWS:
        raise BadInput("window", f"{window} of {returns.size:,} returns are too many: ask for fewer assets or days")
    columns = [standardised(column, window, method) for column in returns.T]
    return [together(columns[first], columns[second]) for first, second in pairs]


def standardised(series: Array, window: int, method: str) -> Array:
    """A row a window, of mean 0 and length 1; NaN where the series never changes (`together` makes None of it)."""
    rows = sliding_window_view(series, window)
    still = np.ptp(rows, axis=1) <= SPREAD
    rows = ranks(rows) if method == "spearman" else rows
    moves = rows - rows.mean(axis=1, keepdims=True)
    lengths = np.sqrt((moves**2).sum(axis=1))
    lengths[still] = np.nan
    scaled: Array = moves / lengths[:, None]
    return scaled


def together(first: Array, second: Array) -> list[float | None]:
    products = np.clip((first * second).sum(axis=1), -1.0, 1.0)
    return [None if math.isnan(value) else value for value in products.tolist()]
