"""Long, fully invested optima of a few assets in exact fractions: every face of the simplex is tried."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import chain, combinations

import numpy as np

from gateway.core.quant.observations import Array

ONE, NONE = Fraction(1), Fraction(0)


def least_variance(covariance: Array, mean: Array | None = None, target: float | None = None) -> tuple[float, Array]:
    """Variance and weights; with a `target` among those whose return is it at least."""
    size = covariance.shape[0]
    risk = _fractions(covariance)
    means, least = ([NONE] * size, NONE) if mean is None or target is None else (_row(mean), Fraction(target))
    best: tuple[Fraction, list[Fraction]] | None = None
    for held in chain.from_iterable(combinations(range(size), count) for count in range(1, size + 1)):
        for rows in ([([ONE] * size, ONE)], [([ONE] * size, ONE), (means, least)]):
            found = _stationary(risk, held, rows)
            if found is None or min(found) < 0 or _product(means, found) < least - Fraction(1, 10**14):
                continue
            variance = _product(found, [_product(row, found) for row in risk])
            if best is None or variance < best[0]:
                best = variance, found
    assert best is not None
    return float(best[0]), np.array([float(weight) for weight in best[1]])


def _stationary(
    risk: list[list[Fraction]], held: tuple[int, ...], rows: list[tuple[list[Fraction], Fraction]]
) -> list[Fraction] | None:
    count = len(held) + len(rows)
    system = [[risk[i][j] for j in held] + [row[i] for row, _ in rows] + [NONE] for i in held]
    system += [[row[j] for j in held] + [NONE] * len(rows) + [limit] for row, limit in rows]
    for column in range(count):
        pivot = next((row for row in range(column, count) if system[row][column]), None)
        if pivot is None:
            return None
        system[column], system[pivot] = system[pivot], system[column]
        for row in range(count):
            if row != column and system[row][column]:
                factor = system[row][column] / system[column][column]
                system[row] = [one - factor * two for one, two in zip(system[row], system[column], strict=True)]
    weights = [NONE] * len(risk)
    for number, asset in enumerate(held):
        weights[asset] = system[number][count] / system[number][number]
    return weights


def _product(one: Sequence[Fraction], other: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(one, other, strict=True)), NONE)


def _fractions(matrix: Array) -> list[list[Fraction]]:
    return [_row(row) for row in matrix]


def _row(values: Array) -> list[Fraction]:
    return [Fraction(value) for value in values.tolist()]
