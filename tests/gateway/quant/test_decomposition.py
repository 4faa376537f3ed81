from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gateway.core.quant.covariance import deviation, sample
from gateway.core.quant.decomposition import (
    incremental_value_at_risk,
    tail_mean_parts,
    value_at_risk_parts,
    volatility_parts,
)
from gateway.core.quant.tails import historical, parametric
from tests.gateway.quant.risk_data import matrix_of, panel

RETURNS = arrays.arrays(np.float64, (30, 3), elements=st.integers(-500, 500).map(lambda n: n / 10_000))
WEIGHTS = arrays.arrays(np.float64, 3, elements=st.integers(-20, 20).map(lambda n: n / 10))


@given(RETURNS, WEIGHTS, st.sampled_from([0.95, 0.99]))
def test_components_sum_to_the_whole(returns, weights, confidence):
    covariance = sample(returns)
    assume(np.ptp(returns @ weights) > 1e-4)

    volatility = volatility_parts(weights, covariance.values)
    at_risk = value_at_risk_parts(weights, covariance, confidence)
    tail = tail_mean_parts(weights, returns, confidence)

    assert volatility.component.sum() == pytest.approx(deviation(weights, covariance.values), rel=1e-9)
    whole = parametric(float(covariance.mean @ weights), volatility.total, confidence)
    assert at_risk.component.sum() == pytest.approx(whole.value_at_risk, rel=1e-9, abs=1e-12)
    cvar = historical(returns @ weights, confidence).conditional
    assert tail.component.sum() == pytest.approx(cvar, rel=1e-9, abs=1e-12)


def test_marginal_value_at_risk_is_the_derivative_by_the_weight():
    covariance, weights = sample(matrix_of(panel(1_000))), np.full(20, 0.05)
    parts, step = value_at_risk_parts(weights, covariance, 0.95), 1e-6

    for asset in range(20):
        bump = np.eye(20)[asset] * step
        up = value_at_risk_parts(weights + bump, covariance, 0.95).total
        down = value_at_risk_parts(weights - bump, covariance, 0.95).total
        assert parts.marginal[asset] == pytest.approx((up - down) / (2 * step), rel=1e-6)


def test_incremental_value_at_risk_is_what_goes_with_the_asset():
    returns, weights = matrix_of(panel(500))[:, :3], np.array([0.5, 0.3, 0.2])

    found = incremental_value_at_risk(weights, returns, 0.95)

    whole = historical(returns @ weights, 0.95).value_at_risk
    without = historical(returns @ np.array([0.5, 0.0, 0.2]), 0.95).value_at_risk
    assert found[1] == pytest.approx(whole - without, rel=1e-9)
