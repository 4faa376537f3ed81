from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.tails import cornish_fisher, historical, monte_carlo, parametric, rises, simulate, spread
from schema.errors import BadInput
from tests.gateway.quant.risk_data import matrix_of, panel

SERIES = arrays.arrays(np.float64, st.integers(5, 60), elements=st.integers(-900, 900).map(lambda n: n / 10_000))
LEVELS = st.sampled_from([0.9, 0.95, 0.975, 0.99])
COVARIANCE = np.array([[0.0004, 0.0001, 0.0], [0.0001, 0.0009, 0.0002], [0.0, 0.0002, 0.0001]])
WEIGHTS, MEAN = np.array([0.5, 0.3, 0.2]), np.array([0.001, 0.0, -0.0005])


@pytest.fixture(scope="module")
def stocks():
    return matrix_of(panel(2_000)).mean(axis=1)


@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_the_historical_quantile_is_type_7_and_cvar_the_mean_under_it(stocks, confidence):
    found = historical(stocks, confidence)

    ordered = sorted(stocks.tolist())
    place = (len(ordered) - 1) * (1 - confidence)
    low = math.floor(place)
    quantile = ordered[low] + (place - low) * (ordered[low + 1] - ordered[low])
    worst = [r for r in ordered if r <= quantile]
    assert found.value_at_risk == pytest.approx(-quantile, rel=1e-8)
    assert found.conditional == pytest.approx(-math.fsum(worst) / len(worst), rel=1e-8)
    assert found.warnings == ()


def test_the_historical_figures_of_ten_returns_by_hand():
    """Type 7 at 10 %: place 9 × 0.1 = 0.9, between −0.05 and −0.03: −0.032; only −0.05 lies under it."""
    returns = np.array([0.01, -0.03, 0.02, 0.0, -0.05, 0.03, 0.01, -0.01, 0.04, 0.02])

    found = historical(returns, 0.9)

    assert found.value_at_risk == pytest.approx(0.032, rel=1e-12)
    assert found.conditional == pytest.approx(0.05, rel=1e-12)


@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_the_parametric_figures_are_those_of_a_normal_distribution(stocks, confidence):
    mean, sigma = statistics.fmean(stocks.tolist()), statistics.stdev(stocks.tolist())

    found = parametric(float(stocks.mean()), spread(stocks), confidence)

    z = {0.95: -1.6448536269514722, 0.99: -2.3263478740408408}[confidence]
    density = math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    assert found.value_at_risk == pytest.approx(-(mean + z * sigma), rel=1e-8)
    assert found.conditional == pytest.approx(-mean + sigma * density / (1 - confidence), rel=1e-8)


def test_cornish_fisher_agrees_with_its_formula_on_real_returns(stocks):
    returns = stocks.tolist()
    mean, sigma, n = statistics.fmean(returns), statistics.stdev(returns), len(returns)
    m2, m3, m4 = (math.fsum((r - mean) ** k for r in returns) / n for k in (2, 3, 4))
    skew, excess, z = m3 / m2**1.5, m4 / m2**2 - 3, -2.3263478740408408

    found = cornish_fisher(stocks, 0.99)

    bent = z + (z**2 - 1) * skew / 6 + (z**3 - 3 * z) * excess / 24 - (2 * z**3 - 5 * z) * skew**2 / 36
    assert found.value_at_risk == pytest.approx(-(mean + sigma * bent), rel=1e-8)
    assert len(found.warnings) == 1
    assert "lie outside the domain" in found.warnings[0]


def test_the_cornish_fisher_tail_mean_is_the_integral_of_its_quantile():
    """Gauss-Legendre over z from −12 to the quantile."""
    returns = np.array(
        [-0.06, -0.035, -0.02, -0.012, -0.005, 0.0, 0.004, 0.006, 0.01, 0.013, 0.02, 0.025, 0.031, 0.038]
    )
    mean, sigma = returns.mean(), returns.std(ddof=1)
    moves = (returns - mean) / returns.std()
    skew, excess, z = (moves**3).mean(), (moves**4).mean() - 3, -1.6448536269514722
    nodes, weights = np.polynomial.legendre.leggauss(200)
    points = (nodes + 1) / 2 * (z + 12) - 12

    found = cornish_fisher(returns, 0.95)

    bent = points + (points**2 - 1) * skew / 6 + (points**3 - 3 * points) * excess / 24
    bent -= (2 * points**3 - 5 * points) * skew**2 / 36
    density = np.exp(-(points**2) / 2) / math.sqrt(2 * math.pi)
    integral = float((weights * bent * density).sum()) * (z + 12) / 2 / 0.05
    assert found.conditional == pytest.approx(-(mean + sigma * integral), rel=1e-8)


def test_without_skew_or_excess_cornish_fisher_is_the_normal_and_valid():
    assert rises(0.0, 0.0)
    assert rises(0.5, 2.0)
    assert not rises(0.0, 9.0)
    assert not rises(3.0, 2.0)


def test_a_bent_quantile_that_falls_in_the_tail_has_no_tail_mean():
    returns = np.array([0.0] * 9 + [0.5])

    found = cornish_fisher(returns, 0.95)

    assert found.conditional is None
    assert "so there is none" in found.warnings[0]


@given(SERIES, LEVELS)
def test_cvar_is_never_under_var(returns, confidence):
    assume(np.ptp(returns) > 0)
    sigma = spread(returns)

    for found in (
        historical(returns, confidence),
        parametric(float(returns.mean()), sigma, confidence),
        cornish_fisher(returns, confidence),
    ):
        assert found.conditional is None or found.conditional >= found.value_at_risk


@given(SERIES, LEVELS, st.sampled_from([0.5, 2.0, 10.0]))
def test_k_times_the_returns_are_k_times_the_loss(returns, confidence, k):
    here, there = historical(returns, confidence), historical(k * returns, confidence)

    assert there.value_at_risk == pytest.approx(k * here.value_at_risk, rel=1e-9, abs=1e-15)
    assert there.conditional == pytest.approx(k * here.conditional, rel=1e-9, abs=1e-15)


@given(SERIES, LEVELS, st.randoms(use_true_random=False))
def test_the_order_of_days_does_not_matter(returns, confidence, random):
    mixed = returns.tolist()
    random.shuffle(mixed)

    here, there = historical(returns, confidence), historical(np.array(mixed), confidence)

    assert here.value_at_risk == there.value_at_risk
    assert here.conditional == pytest.approx(there.conditional, rel=1e-12)


def test_a_longer_horizon_scales_as_each_method_says():
    returns = np.array([-0.02, 0.01, 0.015, -0.005, 0.0, 0.02, -0.01])

    assert historical(returns, 0.95, 4).value_at_risk == pytest.approx(2 * historical(returns, 0.95).value_at_risk)
    assert historical(returns, 0.95, 4).method.endswith("4 periods, times √h")
    assert parametric(0.001, 0.02, 0.95, 4).value_at_risk == pytest.approx(1.6448536269514722 * 0.04 - 0.004)
    assert parametric(0.001, 0.02, 0.95, 4).method.endswith("mean times h, deviation times √h")


def simulated(confidence=0.95, draws=10_000, seed=7, horizon=1):
    return monte_carlo(simulate(WEIGHTS, MEAN, COVARIANCE, horizon, draws=draws, seed=seed), confidence)


def test_a_seed_repeats_its_simulation_to_the_last_digit():
    first = simulated(seed=7)

    assert simulated(seed=7) == first
    assert simulated(seed=8) != first
    assert first.conditional is not None
    assert first.conditional > first.value_at_risk


def test_a_simulation_in_blocks_is_the_same_simulation(monkeypatch):
    whole = simulated()
    monkeypatch.setattr("gateway.core.quant.tails.BLOCK", 999)

    assert simulated().value_at_risk == pytest.approx(whole.value_at_risk, rel=1e-12)


@pytest.mark.parametrize("horizon", [1, 10])
def test_many_draws_come_near_the_normal_distribution(horizon):
    sigma = math.sqrt(float(WEIGHTS @ COVARIANCE @ WEIGHTS))
    exact = parametric(float(WEIGHTS @ MEAN), sigma, 0.99, horizon)

    found = simulated(0.99, 400_000, 3, horizon)

    assert found.value_at_risk == pytest.approx(exact.value_at_risk, rel=0.01)
    assert found.conditional == pytest.approx(exact.conditional, rel=0.01)


def test_an_indefinite_covariance_is_replaced_and_said():
    found = simulate(np.ones(2) / 2, np.zeros(2), np.array([[1.0, 2.0], [2.0, 1.0]]), draws=1_000, seed=0)

    assert found.warnings == (
        "the covariance is not positive semidefinite: the nearest matrix in the Frobenius norm was used",
    )


@pytest.mark.parametrize("confidence", [0.5, 1.0, 95, -0.1, math.nan])
def test_a_level_outside_its_range_is_refused(confidence):
    with pytest.raises(BadInput, match=r"confidence: must lie between 0\.5 and 1"):
        historical(np.array([0.01, 0.02]), confidence)


def test_a_constant_series_has_no_distribution():
    with pytest.raises(NotComputable, match="never change"):
        cornish_fisher(np.full(10, 0.01), 0.95)


def test_few_observations_are_said():
    found = historical(np.array([-0.01, 0.02, 0.03]), 0.99)

    assert found.warnings == ("3 observations are under 100: the tail at 0.99 is the worst one alone",)


def test_too_large_a_simulation_is_refused():
    with pytest.raises(BadInput, match="at most 200,000 draws"):
        simulate(np.ones(1_000) / 1_000, np.zeros(1_000), np.eye(1_000), draws=1_000_000, seed=0)
