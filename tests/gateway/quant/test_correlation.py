from __future__ import annotations

import statistics

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gateway.core.quant.correlation import pearson, ranks, rolling, spearman
from gateway.core.quant.refusals import NotComputable
from schema.errors import BadInput
from tests.gateway.quant.risk_data import matrix_of, panel, returns_of

RETURNS = arrays.arrays(np.float64, (15, 4), elements=st.integers(-50, 50).map(lambda n: n / 1_000))


def test_pearson_is_that_of_the_standard_library():
    request = panel(400)

    found = pearson(matrix_of(request))

    series = returns_of(request)
    np.testing.assert_allclose(found, [[statistics.correlation(a, b) for b in series] for a in series], rtol=1e-8)


def mean_rank(value, among):
    return sum(other < value for other in among) + (sum(other == value for other in among) + 1) / 2


def test_spearman_is_pearson_of_counted_ranks():
    request = panel(400)

    found = spearman(matrix_of(request))

    ranked = [[mean_rank(value, one) for value in one] for one in returns_of(request)]
    expected = [[statistics.correlation(a, b) for b in ranked] for a in ranked]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_equal_values_share_the_mean_of_their_ranks():
    found = ranks(np.array([[3.0, 1.0, 3.0, 2.0, 3.0], [5.0, 5.0, 5.0, 5.0, 5.0], [2.0, 1.0, 1.0, 9.0, 9.0]]))

    assert found.tolist() == [[4, 1, 4, 2, 4], [3, 3, 3, 3, 3], [3, 1.5, 1.5, 4.5, 4.5]]


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_a_rolling_correlation_is_that_of_each_window(method):
    returns = matrix_of(panel(80))[:, :3]

    found = rolling(returns, [(0, 1), (1, 2)], 20, method)

    whole = pearson if method == "pearson" else spearman
    expected = [whole(returns[end - 20 : end]) for end in range(20, len(returns) + 1)]
    assert found[0] == pytest.approx([matrix[0, 1] for matrix in expected], rel=1e-9)
    assert found[1] == pytest.approx([matrix[1, 2] for matrix in expected], rel=1e-9)


def test_a_window_in_which_one_never_changes_has_no_correlation():
    returns = np.array([[0.01, 0.02], [0.01, 0.01], [0.01, 0.03], [0.05, 0.04]])

    assert rolling(returns, [(0, 1)], 3) == [[None, pytest.approx(pearson(returns[1:])[0, 1])]]


@pytest.mark.parametrize("window", [1, 5, 0])
def test_a_window_must_hold_two_returns_and_no_more_than_there_are(window):
    with pytest.raises(BadInput, match="window: must be from 2"):
        rolling(np.zeros((4, 2)), [(0, 1)], window)


def test_too_many_windows_are_refused():
    with pytest.raises(BadInput, match="too many: ask for fewer"):
        rolling(np.zeros((5_000, 100)), [(0, 1)], 250)


@given(RETURNS, st.permutations(range(4)))
def test_correlation_is_symmetric_bounded_and_blind_to_order_and_scale(returns, order):
    assume((np.ptp(returns, axis=0) > 0).all())

    for method in (pearson, spearman):
        found = method(returns)
        assert np.abs(found).max() == 1.0
        np.testing.assert_array_equal(found, found.T)
        np.testing.assert_allclose(method(returns[:, order]), found[np.ix_(order, order)], atol=1e-12)
        np.testing.assert_allclose(method(returns * 3), found, atol=1e-12)


def test_a_constant_series_has_no_correlation():
    with pytest.raises(NotComputable):
        pearson(np.array([[0.01, 0.02], [0.01, 0.03]]))
    with pytest.raises(NotComputable):
        spearman(np.array([[0.01, 0.02], [0.01, 0.03]]))
