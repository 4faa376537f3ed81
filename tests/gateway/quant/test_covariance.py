from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gateway.core.quant.covariance import (
    ESTIMATORS,
    deviation,
    ewma,
    factor,
    ledoit_wolf_constant_correlation,
    ledoit_wolf_identity,
    nearest_psd,
    oriented,
    sample,
)
from gateway.core.quant.refusals import NotComputable
from tests.gateway.quant.risk_data import matrix_of, panel, returns_of

RETURNS = arrays.arrays(np.float64, (12, 4), elements=st.integers(-500, 500).map(lambda n: n / 10_000))


def test_the_sample_covariance_is_that_of_the_textbook():
    request = panel(500)

    found = sample(matrix_of(request)).values

    series = returns_of(request)
    expected = [[statistics.covariance(a, b) for b in series] for a in series]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_the_weighted_covariance_follows_the_recursion_of_riskmetrics():
    """σ²_t = λσ²_{t−1} + (1 − λ)r²_t from 0, divided by 1 − λ^T, gives the same weights."""
    series = returns_of(panel(300))
    first, second = series[0], series[1]

    found = ewma(np.array([first, second]).T).values

    state = 0.0
    for a, b in zip(first, second, strict=True):
        state = 0.94 * state + 0.06 * a * b
    assert found[0, 1] == pytest.approx(state / (1 - 0.94 ** len(first)), rel=1e-8)


def shrinkage_by_loops(series, constant_correlation):
    """π̂, ρ̂ and γ̂ of Ledoit and Wolf, term by term."""
    assets, n = len(series), len(series[0]) - 1
    moves = [[r - math.fsum(s) / len(s) for r in s] for s in series]
    s = [[math.fsum(x * y for x, y in zip(a, b, strict=True)) / n for b in moves] for a in moves]
    pairs = [(i, j) for i in range(assets) for j in range(assets)]
    off = [(i, j) for i, j in pairs if i != j]
    pi = {
        (i, j): math.fsum(x * x * y * y for x, y in zip(moves[i], moves[j], strict=True)) / n - s[i][j] ** 2
        for i, j in pairs
    }
    mean = math.fsum(s[i][j] / math.sqrt(s[i][i] * s[j][j]) for i, j in off) / len(off)
    trace = math.fsum(s[i][i] for i in range(assets)) / assets
    target = {}
    for i, j in pairs:
        if constant_correlation:
            target[i, j] = s[i][i] if i == j else mean * math.sqrt(s[i][i] * s[j][j])
        else:
            target[i, j] = trace if i == j else 0.0
    gamma = math.fsum((s[i][j] - target[i, j]) ** 2 for i, j in pairs)
    rho = 0.0
    if constant_correlation:
        theta = {
            (i, j): math.fsum(x**3 * y for x, y in zip(moves[i], moves[j], strict=True)) / n - s[i][i] * s[i][j]
            for i, j in off
        }
        rho = math.fsum(pi[i, i] for i in range(assets))
        rho += mean * math.fsum(math.sqrt(s[j][j] / s[i][i]) * theta[i, j] for i, j in off)
    share = max(0.0, min(1.0, (math.fsum(pi.values()) - rho) / gamma / n))
    values = [[share * target[i, j] + (1 - share) * s[i][j] for j in range(assets)] for i in range(assets)]
    return share, values


@pytest.mark.parametrize(
    ("estimator", "constant_correlation"), [(ledoit_wolf_identity, False), (ledoit_wolf_constant_correlation, True)]
)
def test_shrinkage_agrees_with_the_authors_formula(estimator, constant_correlation):
    request = panel(250)

    found = estimator(matrix_of(request))

    share, values = shrinkage_by_loops(returns_of(request), constant_correlation)
    assert 0 < share < 1
    assert found.shrinkage == pytest.approx(share, rel=1e-8)
    np.testing.assert_allclose(found.values, values, rtol=1e-8)


def test_shrinkage_makes_an_invertible_matrix_where_there_are_more_assets_than_returns():
    returns = matrix_of(panel(12))

    assert sample(returns).rank == 10
    assert ledoit_wolf_identity(returns).rank == 20
    assert ledoit_wolf_constant_correlation(returns).rank == 20


def test_two_assets_are_not_shrunk_to_their_own_correlation():
    returns = matrix_of(panel(100))[:, :2]

    found = ledoit_wolf_constant_correlation(returns)

    assert found.shrinkage == 0.0
    np.testing.assert_allclose(found.values, sample(returns).values, rtol=1e-12)


@given(RETURNS, st.permutations(range(4)), st.sampled_from(["sample", "ewma", "ledoit_wolf_identity"]))
def test_the_order_of_assets_does_not_matter(returns, order, name):
    here, there = ESTIMATORS[name](returns).values, ESTIMATORS[name](returns[:, order]).values

    np.testing.assert_allclose(here[np.ix_(order, order)], there, rtol=1e-9, atol=1e-18)


@given(RETURNS, st.sampled_from(["sample", "ewma", "ledoit_wolf_identity"]))
def test_twice_the_returns_are_four_times_the_covariance(returns, name):
    np.testing.assert_allclose(
        ESTIMATORS[name](2 * returns).values, 4 * ESTIMATORS[name](returns).values, rtol=1e-9, atol=1e-18
    )


@given(RETURNS, st.sampled_from(["sample", "ewma", "ledoit_wolf_identity"]))
def test_every_covariance_is_positive_semidefinite(returns, name):
    eigenvalues = np.linalg.eigvalsh(ESTIMATORS[name](returns).values)

    assert eigenvalues[0] >= -1e-12 * max(eigenvalues[-1], 1e-12)


def test_a_constant_series_has_no_correlation_to_shrink_to():
    returns = np.array([[0.01, 0.02], [0.01, -0.01], [0.01, 0.03]])

    with pytest.raises(NotComputable, match="never changes"):
        ledoit_wolf_constant_correlation(returns)


@pytest.mark.parametrize(
    "returns", [np.array([[0.01, 0.02]]), np.array([[0.01], [np.nan]]), np.array([[0.0], [np.inf]])]
)
def test_too_few_or_missing_returns_are_refused(returns):
    for estimator in ESTIMATORS.values():
        with pytest.raises(NotComputable):
            estimator(np.array(returns))


def test_an_indefinite_matrix_gives_way_to_the_nearest_that_is_not():
    """Eigenvalues 3 and −1 with vectors (1, 1) and (1, −1): what stays is 3/2 in every entry."""
    nearest, changed = nearest_psd(np.array([[1.0, 2.0], [2.0, 1.0]]))

    assert changed
    np.testing.assert_allclose(nearest, [[1.5, 1.5], [1.5, 1.5]], rtol=1e-12)


def test_a_singular_matrix_is_its_own_nearest_and_has_a_factor():
    singular = np.array([[1.0, 1.0], [1.0, 1.0]])

    lower, changed = factor(singular)

    assert not changed
    np.testing.assert_allclose(lower @ lower.T, singular, atol=1e-12)


def test_vectors_are_turned_so_that_the_largest_entry_is_positive():
    turned = oriented(np.array([[0.6, -0.8], [-0.8, -0.6]]))

    assert turned.tolist() == [[-0.6, 0.8], [0.8, 0.6]]


def test_a_portfolio_without_risk_has_no_deviation():
    with pytest.raises(NotComputable, match="no volatility"):
        deviation(np.array([1.0, -1.0]), np.array([[0.04, 0.04], [0.04, 0.04]]))
