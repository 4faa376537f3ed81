"""Optima against closed forms, another solver and what every portfolio must keep to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from gateway.core.quant.observations import Array
from gateway.core.quant.optimise.constraints import Constraints, Group
from gateway.core.quant.optimise.frontiers import frontier
from gateway.core.quant.optimise.limits import Limits
from gateway.core.quant.optimise.portfolios import (
    maximum_return,
    maximum_sharpe,
    minimum_cvar,
    minimum_variance,
    target_return,
    target_volatility,
)
from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.tasks_optimise import optimise
from schema.errors import BadInput
from tests.gateway.quant.optimise.problems import covariances, frame_of, moments_of, us20, us20_moments

FREE = Constraints(long_only=False)
MIXED = {
    "default": {"max": 0.15},
    "bounds": {"AAPL": {"min": 0.05, "max": 0.3}},
    "groups": [{"name": "oil", "assets": ["CVX", "RRC", "XOM"], "min": 0.1, "max": 0.2}],
}


def slsqp(objective: Callable[[Array], Any], slope: Callable[[Array], Array], *conditions: dict[str, Any]) -> Any:
    """An independent optimum over the twenty, long only and fully invested unless `conditions` say more."""
    whole = {"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones(20)}
    return minimize(
        objective, np.full(20, 0.05), jac=slope, bounds=[(0, 1)] * 20, constraints=[whole, *conditions],
        method="SLSQP", options={"ftol": 1e-15, "maxiter": 2_000},
    )  # fmt: skip


def weights_of(answer: dict[str, Any]) -> Array:
    return np.array(list(answer["weights"].values()))


def test_without_limits_the_minimum_variance_is_the_closed_form():
    covariance = np.array([[0.04, 0.006, 0.0], [0.006, 0.09, -0.01], [0.0, -0.01, 0.16]])

    found = minimum_variance(moments_of(covariance), frame_of(3, FREE))

    inverse = np.linalg.solve(covariance, np.ones(3))
    assert found.weights == pytest.approx(inverse / inverse.sum(), abs=1e-8)
    assert found.value == pytest.approx(1 / inverse.sum(), rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(covariances(least=3), st.integers(0, 2**32 - 1))
def test_no_point_of_the_frontier_has_a_higher_sharpe_ratio(covariance: Array, seed: int):
    size: int = covariance.shape[0]
    mean = np.random.default_rng(seed).uniform(0.01, 0.2, size)
    moments, frame = moments_of(covariance, mean), frame_of(size)

    found = maximum_sharpe(moments, frame)

    points = [point.weights for point in frontier(moments, frame, 15)]
    ratios = [float(mean @ weights / np.sqrt(weights @ covariance @ weights)) for weights in points]
    assert max(ratios) <= found.value * (1 + 1e-6)
    assert found.value == pytest.approx(mean @ found.weights / np.sqrt(found.weights @ covariance @ found.weights))


def test_two_assets_have_their_textbook_weights():
    first, second, correlation = 0.2, 0.3, 0.25
    shared = first * second * correlation

    found = minimum_variance(moments_of(np.array([[first**2, shared], [shared, second**2]])), frame_of(2))

    share = (second**2 - shared) / (first**2 + second**2 - 2 * shared)
    assert found.weights == pytest.approx([share, 1 - share], abs=1e-9)


def test_without_limits_the_maximum_sharpe_is_the_tangency_portfolio():
    covariance = np.array([[0.04, 0.006, 0.0], [0.006, 0.09, -0.01], [0.0, -0.01, 0.16]])
    mean = np.array([0.05, 0.08, -0.01])

    found = maximum_sharpe(moments_of(covariance, mean), frame_of(3, FREE))

    raw = np.linalg.solve(covariance, mean)
    assert found.weights == pytest.approx(raw / raw.sum(), abs=1e-7)
    assert found.value == pytest.approx(np.sqrt(mean @ raw), rel=1e-8)


def test_minimum_variance_of_twenty_shares_is_what_another_solver_finds():
    _, covariance, _ = us20_moments()

    answer = optimise(us20(objective="minimum_variance"))

    other = slsqp(lambda w: w @ covariance @ w, lambda w: 2 * covariance @ w)
    assert answer["value"]["value"] == pytest.approx(other.fun, rel=1e-6)
    assert weights_of(answer) == pytest.approx(other.x, abs=1e-4)


def test_minimum_variance_with_groups_and_bounds_is_what_another_solver_finds():
    _, covariance, _ = us20_moments()

    answer = optimise(us20(objective="minimum_variance", constraints=MIXED))

    names = us20()["symbols"]
    oil = np.array([float(name in ("CVX", "RRC", "XOM")) for name in names])
    other = minimize(
        lambda w: w @ covariance @ w, np.full(20, 0.05), jac=lambda w: 2 * covariance @ w, method="SLSQP",
        bounds=[(0.05, 0.3) if name == "AAPL" else (0, 0.15) for name in names],
        constraints=[
            {"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones(20)},
            {"type": "ineq", "fun": lambda w: oil @ w - 0.1, "jac": lambda w: oil},
            {"type": "ineq", "fun": lambda w: 0.2 - oil @ w, "jac": lambda w: -oil},
        ],
        options={"ftol": 1e-15, "maxiter": 2_000},
    )  # fmt: skip
    assert answer["value"]["value"] == pytest.approx(other.fun, rel=1e-6)
    assert weights_of(answer) == pytest.approx(other.x, abs=1e-4)


def test_maximum_sharpe_of_twenty_shares_is_what_another_solver_finds():
    mean, covariance, _ = us20_moments()
    excess = mean - (1.02 ** (1 / 252) - 1) * 252

    answer = optimise(us20(objective="maximum_sharpe", risk_free=0.02))

    def ratio(w: Array) -> float:
        return float(-(excess @ w) / np.sqrt(w @ covariance @ w))

    def slope(w: Array) -> Array:
        deviation = np.sqrt(w @ covariance @ w)
        return np.asarray(-excess / deviation + (excess @ w) * (covariance @ w) / deviation**3)

    other = slsqp(ratio, slope)
    assert answer["value"]["value"] == pytest.approx(-other.fun, rel=1e-6)
    assert weights_of(answer) == pytest.approx(other.x, abs=1e-4)
    assert answer["sharpe"]["value"] == pytest.approx(answer["value"]["value"], rel=1e-8)


def test_a_target_return_is_reached_at_the_variance_that_another_solver_finds():
    mean, covariance, _ = us20_moments()

    answer = optimise(us20(objective="target_return", target=0.25))

    least = {"type": "ineq", "fun": lambda w: mean @ w - 0.25, "jac": lambda w: mean}
    other = slsqp(lambda w: w @ covariance @ w, lambda w: 2 * covariance @ w, least)
    assert answer["value"]["value"] == pytest.approx(other.fun, rel=1e-6)
    assert weights_of(answer) == pytest.approx(other.x, abs=1e-4)
    assert answer["expected_return"]["value"] == pytest.approx(0.25, abs=1e-7)


def test_a_target_volatility_has_the_return_that_another_solver_finds():
    mean, covariance, _ = us20_moments()

    answer = optimise(us20(objective="target_volatility", target=0.2))

    most = {
        "type": "ineq",
        "fun": lambda w: 0.04 - w @ covariance @ w,
        "jac": lambda w: -2 * covariance @ w,
    }
    other = slsqp(lambda w: -(mean @ w), lambda w: -mean, most)
    assert answer["value"]["value"] == pytest.approx(-other.fun, rel=1e-6)
    assert weights_of(answer) == pytest.approx(other.x, abs=1e-4)
    assert answer["volatility"]["value"] == pytest.approx(0.2, abs=1e-7)


@pytest.mark.parametrize("above", [-1e-8, 0.0, 1e-8, 1e-6])
def test_the_least_volatility_may_be_the_target(above: float):
    mean, covariance, _ = us20_moments()
    moments, frame = moments_of(covariance, mean), frame_of(20)
    calmest = minimum_variance(moments, frame)

    found = target_volatility(moments, frame, float(np.sqrt(calmest.value)) * (1 + above))

    assert found.weights == pytest.approx(calmest.weights, abs=5e-3)
    assert found.value == pytest.approx(mean @ found.weights, rel=1e-6)


def test_minimum_cvar_is_what_the_simplex_finds():
    _, _, returns = us20_moments()
    scenarios = returns.shape[0]

    answer = optimise(us20(objective="minimum_cvar", confidence=0.95))

    cost = np.concatenate([np.zeros(20), [1.0], np.full(scenarios, 1 / (0.05 * scenarios))])
    losses = np.hstack([-returns, -np.ones((scenarios, 1)), -np.eye(scenarios)])
    other = linprog(
        cost, A_ub=losses, b_ub=np.zeros(scenarios), A_eq=[[1.0] * 20 + [0.0] * (scenarios + 1)], b_eq=[1.0],
        bounds=[(0, None)] * 20 + [(None, None)] + [(0, None)] * scenarios,
    )  # fmt: skip
    assert answer["value"]["value"] == pytest.approx(other.fun, rel=1e-6)
    assert weights_of(answer) == pytest.approx(other.x[:20], abs=1e-4)


def test_the_cvar_is_the_mean_of_the_worst_returns():
    _, _, returns = us20_moments()

    answer = optimise(us20(objective="minimum_cvar", confidence=0.95))

    worst = np.sort(returns @ weights_of(answer))[:50]
    assert answer["value"]["value"] == pytest.approx(-worst.mean(), rel=1e-8)


def test_a_leverage_limits_the_sum_of_long_and_short_positions():
    answer = optimise(us20(objective="minimum_variance", constraints={"long_only": False, "leverage": 1.2}))

    assert np.abs(weights_of(answer)).sum() == pytest.approx(1.2, abs=1e-7)
    assert weights_of(answer).min() < -0.01
    assert {limit["name"] for limit in answer["binding"]} == {"total", "leverage"}


def test_a_shadow_price_is_what_a_little_more_room_changes():
    def at(leverage: float, objective: str) -> dict[str, Any]:
        return optimise(us20(objective=objective, constraints={"long_only": False, "leverage": leverage}))

    for objective in ("minimum_variance", "maximum_sharpe", "minimum_cvar"):
        told = next(limit for limit in at(1.5, objective)["binding"] if limit["name"] == "leverage")
        moved = (at(1.501, objective)["value"]["value"] - at(1.499, objective)["value"]["value"]) / 0.002
        assert told["shadow_price"] == pytest.approx(moved, rel=2e-2), objective


def test_lower_limits_have_shadow_prices_too():
    def at(least: float) -> dict[str, Any]:
        return optimise(us20(objective="minimum_variance", constraints={"bounds": {"AMD": {"min": least}}}))

    told = next(limit for limit in at(0.1)["binding"] if limit["name"] == "bounds.AMD.min")
    moved = (at(0.1001)["value"]["value"] - at(0.0999)["value"]["value"]) / 0.0002
    assert told["asset"] == "AMD"
    assert told["shadow_price"] == pytest.approx(moved, rel=1e-4)


def test_a_turnover_is_counted_from_what_is_held():
    answer = optimise(us20(objective="minimum_variance", constraints={"turnover": 0.2}, current={"AAPL": 1.0}))

    assert answer["turnover"] == pytest.approx(0.2, abs=1e-7)
    assert answer["weights"]["AAPL"] == pytest.approx(0.9, abs=1e-7)


def test_what_is_not_invested_is_cash_at_the_risk_free_rate():
    answer = optimise(
        us20(objective="minimum_variance", constraints={"total": {"min": 0.6, "max": 0.8}}, risk_free=0.03)
    )

    mean, _, _ = us20_moments()
    rate = (1.03 ** (1 / 252) - 1) * 252
    assert answer["cash"] == pytest.approx(0.4, abs=1e-7)
    assert answer["expected_return"]["value"] == pytest.approx(mean @ weights_of(answer) + 0.4 * rate, rel=1e-6)


@pytest.mark.parametrize("spike", [1e5, 1e6, 1e7])
def test_one_close_that_is_far_too_high_leaves_the_sharpe_ratio_of_the_others(spike: float):
    mean = np.array([0.69, spike, 0.04, 0.29, -0.12, 0.1])
    own = np.array([0.47, spike, 0.59, 0.52, 0.61, 0.63])
    together = np.full((6, 6), 0.6)
    together[1] = together[:, 1] = 0.01
    np.fill_diagonal(together, 1.0)

    found = maximum_sharpe(moments_of(np.outer(own, own) * together, mean), frame_of(6))

    # The others return too little for how they move with the first: it is a portfolio of two.
    pair = np.linalg.solve(together[:2, :2], mean[:2] / own[:2])
    best = pair / own[:2]
    assert found.weights == pytest.approx([*(best / best.sum()), 0.0, 0.0, 0.0, 0.0], rel=1e-9)
    assert found.value == pytest.approx(np.sqrt(pair @ (mean[:2] / own[:2])), rel=1e-9)


def test_nothing_that_beats_the_risk_free_rate_has_no_sharpe_ratio():
    covariance = np.diag([0.04, 0.09])

    for mean in ([-0.01, 0.0], [0.0, 0.0], [-0.01, -0.02]):
        with pytest.raises(NotComputable, match="no asset is expected to beat the risk-free rate"):
            maximum_sharpe(moments_of(covariance, np.array(mean)), frame_of(2))


def test_constraints_may_keep_a_portfolio_below_the_risk_free_rate():
    limits = Constraints(bounds={"0": Limits(max=0.1)})

    with pytest.raises(NotComputable, match="no portfolio within the constraints"):
        maximum_sharpe(moments_of(np.diag([0.04, 0.09]), np.array([0.02, -0.05])), frame_of(2, limits))


def test_a_sharpe_ratio_that_no_finite_weights_reach_asks_for_a_leverage():
    # The best ratio of these three is short of the sum: at weights that sum to less than 0.
    moments = moments_of(np.diag([0.01, 0.04, 0.04]), np.array([-0.05, 0.02, 0.01]))

    with pytest.raises(NotComputable, match=r"not reached by finite weights: set constraints\.leverage"):
        maximum_sharpe(moments, frame_of(3, FREE))


def test_a_return_without_end_asks_for_a_leverage():
    with pytest.raises(BadInput, match=r"constraints\.leverage: without it, or bounds of all assets"):
        maximum_return(moments_of(np.diag([0.04, 0.09]), np.array([0.02, 0.05])), frame_of(2, FREE))


@settings(max_examples=40, deadline=None)
@given(covariances())
def test_the_minimum_variance_meets_the_conditions_of_an_optimum(covariance: Array):
    found = minimum_variance(moments_of(covariance), frame_of(covariance.shape[0]))

    slope = covariance @ found.weights
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-7)
    assert found.weights.min() >= -1e-7
    # No asset could lower the variance, and those that are held cannot be told apart.
    assert slope.min() >= found.value * (1 - 1e-4)
    assert found.weights @ slope == pytest.approx(found.value, rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(covariances(least=4), st.floats(0.3, 0.9), st.floats(1.1, 2.0), st.integers(0, 2**32 - 1))
def test_every_limit_is_kept_to_a_ten_millionth(covariance: Array, most: float, leverage: float, seed: int):
    size: int = covariance.shape[0]
    current = np.full(size, 1 / size)
    limits = Constraints(
        long_only=False, max_position=most, leverage=leverage, turnover=1.0,
        groups=(Group(name="half", assets=("0", "1"), limits=Limits(min=-0.2, max=0.6)),),
    )  # fmt: skip
    mean = np.random.default_rng(seed).normal(0.05, 0.1, size)
    moments, frame = moments_of(covariance, mean), frame_of(size, limits, current)
    best = maximum_return(moments, frame)
    calmest = minimum_variance(moments, frame)
    between = float(best.value + mean @ calmest.weights) / 2

    for weights in (
        calmest.weights,
        best.weights,
        target_return(moments, frame, between).weights,
        target_volatility(moments, frame, float(np.sqrt(calmest.value)) * 1.2).weights,
    ):
        assert weights.sum() == pytest.approx(1.0, abs=1e-7)
        assert np.abs(weights).max() <= most + 1e-7
        assert np.abs(weights).sum() <= leverage + 1e-7
        assert np.abs(weights - current).sum() <= 1.0 + 1e-7
        assert -0.2 - 1e-7 <= weights[:2].sum() <= 0.6 + 1e-7


@settings(max_examples=30, deadline=None)
@given(covariances(least=3), st.integers(0, 2**32 - 1))
def test_the_order_of_assets_does_not_matter(covariance: Array, seed: int):
    generator = np.random.default_rng(seed)
    size: int = covariance.shape[0]
    mean, order = generator.uniform(0.01, 0.2, size), generator.permutation(size)
    frame = frame_of(size)

    for optimum in (minimum_variance, maximum_sharpe):
        found = optimum(moments_of(covariance, mean), frame)
        turned = optimum(moments_of(covariance[np.ix_(order, order)], mean[order]), frame)
        assert turned.value == pytest.approx(found.value, rel=1e-6)
        assert turned.weights == pytest.approx(found.weights[order], abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(covariances(), st.floats(1e-4, 1e4))
def test_scaled_covariances_have_scaled_variances_at_the_same_weights(covariance: Array, factor: float):
    frame = frame_of(covariance.shape[0])

    found, scaled = (minimum_variance(moments_of(covariance * by), frame) for by in (1.0, factor))

    assert scaled.value == pytest.approx(found.value * factor, rel=1e-6)
    assert scaled.weights == pytest.approx(found.weights, abs=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.9, 0.95, 0.99]))
def test_no_portfolio_at_random_has_a_lower_cvar(seed: int, confidence: float):
    generator = np.random.default_rng(seed)
    excess = generator.standard_t(4, size=(200, 5)) * 0.01
    base = moments_of(np.cov(excess, rowvar=False))
    moments = type(base)(
        mean=base.mean, covariance=base.covariance, excess=excess, risk_free=0.0, periods=252
    )  # fmt: skip

    found = minimum_cvar(moments, frame_of(5), confidence)

    def cvar(weights: Array) -> float:
        losses = np.sort(-excess @ weights)[::-1]
        count = (1 - confidence) * 200
        whole = int(count + 1e-9)
        return float((losses[:whole].sum() + (count - whole) * losses[whole]) / count)

    assert found.value == pytest.approx(cvar(found.weights), rel=1e-6)
    assert all(cvar(weights) >= found.value - 1e-9 for weights in generator.dirichlet(np.ones(5), 50))
