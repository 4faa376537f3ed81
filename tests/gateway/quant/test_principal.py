from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gateway.core.quant.correlation import pearson
from gateway.core.quant.covariance import sample
from gateway.core.quant.principal import components
from gateway.core.quant.refusals import NotComputable
from tests.gateway.quant.risk_data import matrix_of, panel

RETURNS = arrays.arrays(np.float64, (12, 4), elements=st.integers(-500, 500).map(lambda n: n / 10_000))


@pytest.mark.parametrize("on", ["covariance", "correlation"])
def test_components_put_the_matrix_together_again(on):
    returns = matrix_of(panel(1_000))
    matrix = sample(returns).values if on == "covariance" else pearson(returns)

    found = components(returns, on)

    np.testing.assert_allclose((found.loadings * found.variances) @ found.loadings.T, matrix, rtol=1e-8, atol=1e-14)
    np.testing.assert_allclose(found.loadings.T @ found.loadings, np.eye(20), atol=1e-10)
    assert found.variances.sum() == pytest.approx(np.trace(matrix), rel=1e-8)
    assert (np.diff(found.variances) <= 0).all()


@pytest.mark.parametrize("on", ["covariance", "correlation"])
def test_factor_returns_are_uncorrelated_and_have_the_variances(on):
    found = components(matrix_of(panel(1_000)), on)

    np.testing.assert_allclose(np.cov(found.factor_returns.T), np.diag(found.variances), atol=1e-12)


def test_two_assets_have_the_components_of_the_closed_form():
    """Of a correlation matrix: 1 ± ρ, with loadings (1, 1)/√2 and (1, −1)/√2."""
    returns = matrix_of(panel(500))[:, :2]
    rho = pearson(returns)[0, 1]

    found = components(returns, "correlation")

    np.testing.assert_allclose(found.variances, [1 + rho, 1 - rho], rtol=1e-10)
    np.testing.assert_allclose(np.abs(found.loadings), np.full((2, 2), 0.5**0.5), rtol=1e-10)


@given(RETURNS, st.sampled_from([2.0, 0.25]))
def test_variances_sum_to_the_trace_and_scale_with_the_square(returns, k):
    assume(np.ptp(returns) > 0)

    found = components(returns)

    assert found.variances.sum() == pytest.approx(found.trace, rel=1e-9)
    np.testing.assert_allclose(
        components(k * returns).variances, k**2 * found.variances, rtol=1e-6, atol=1e-12 * found.trace
    )


def test_each_loading_vector_has_its_largest_entry_positive():
    found = components(matrix_of(panel(1_000)))

    largest = np.abs(found.loadings).argmax(axis=0)
    assert (found.loadings[largest, np.arange(20)] > 0).all()


def test_series_that_never_change_have_nothing_to_explain():
    with pytest.raises(NotComputable, match="no variance to explain"):
        components(np.zeros((5, 3)))
