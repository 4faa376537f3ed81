"""Optima are exact whatever the spread of the risks: stablecoins beside coins, a close that was mispriced."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gateway.core.quant.observations import Array
from gateway.core.quant.optimise.constraints import Constraints
from gateway.core.quant.optimise.limits import Limits
from gateway.core.quant.optimise.portfolios import (
    maximum_sharpe,
    minimum_cvar,
    minimum_variance,
    target_return,
    target_volatility,
)
from gateway.core.quant.tasks_optimise import optimise
from tests.gateway.quant.optimise.exact import least_variance
from tests.gateway.quant.optimise.problems import frame_of, moments_of, us20


@st.composite
def spread_covariances(draw: st.DrawFn, most: int = 4) -> Array:
    """Positive definite, variances from 1e-10 to 1."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.integers(2, most))
    factors = generator.normal(size=(size, size + draw(st.integers(1, 10))))
    raw = factors @ factors.T
    deviations = np.sqrt(np.diag(raw))
    volatilities = 10 ** generator.uniform(-5, 0, size)
    return np.asarray(raw / np.outer(deviations, deviations) * np.outer(volatilities, volatilities))


def means(seed: int, size: int) -> Array:
    return np.random.default_rng(seed).uniform(0.01, 0.2, size)


@settings(max_examples=25, deadline=None)
@given(spread_covariances())
def test_the_least_variance_is_that_of_exact_fractions(covariance: Array):
    variance, weights = least_variance(covariance)

    found = minimum_variance(moments_of(covariance), frame_of(covariance.shape[0]))

    assert found.value == pytest.approx(variance, rel=1e-9)
    assert found.weights == pytest.approx(weights, abs=1e-8)
    assert (found.weights >= 0).all()


@settings(max_examples=15, deadline=None)
@given(spread_covariances(), st.integers(0, 2**32 - 1), st.floats(0.05, 0.95))
def test_a_target_return_has_the_variance_of_exact_fractions(covariance: Array, seed: int, share: float):
    mean = means(seed, covariance.shape[0])
    target = float(share * mean.max() + (1 - share) * mean.min())
    variance, weights = least_variance(covariance, mean, target)

    found = target_return(moments_of(covariance, mean), frame_of(mean.size), target)

    assert found.value == pytest.approx(variance, rel=1e-8)
    assert found.weights == pytest.approx(weights, abs=1e-7)


@settings(max_examples=15, deadline=None)
@given(spread_covariances(), st.integers(0, 2**32 - 1))
def test_the_other_optima_are_on_the_frontier_of_exact_fractions(covariance: Array, seed: int):
    mean = means(seed, covariance.shape[0])
    moments, frame = moments_of(covariance, mean), frame_of(mean.size)
    richest = float(covariance[mean.argmax(), mean.argmax()])
    between = float(np.sqrt(np.sqrt(minimum_variance(moments, frame).value * richest)))

    best = maximum_sharpe(moments, frame)
    risky = target_volatility(moments, frame, between)

    for found in (best, risky):
        variance, weights = least_variance(covariance, mean, min(float(mean @ found.weights), float(mean.max())))
        assert found.weights @ covariance @ found.weights == pytest.approx(variance, rel=1e-8)
        assert found.weights == pytest.approx(weights, abs=1e-6)
    if risky.value < mean.max() - 1e-9:
        assert risky.weights @ covariance @ risky.weights == pytest.approx(between**2, rel=1e-6)


def test_stablecoins_beside_coins_have_the_least_variance_of_a_year():
    generator = np.random.default_rng(4)
    deviations = np.array([1e-5, 3e-5, 1e-4, 0.05, 0.2])
    returns = generator.normal(size=(365, 5)) * deviations
    covariance = np.cov(returns, rowvar=False) * 365
    variance, weights = least_variance(covariance)

    found = minimum_variance(moments_of(covariance), frame_of(5))

    assert found.value == pytest.approx(variance, rel=1e-12)
    assert found.weights == pytest.approx(weights, abs=1e-12)


@pytest.mark.parametrize("factor", [1.0, 1e2, 1e3, 1e5])
def test_one_mispriced_close_costs_the_others_nothing(factor: float):
    request = us20(objective="minimum_variance")
    closes = [list(series) for series in request["closes"]]
    closes[4][500] *= factor

    answer = optimise({**request, "closes": closes})

    weights = np.array(list(answer["weights"].values()))
    prices = np.array(closes).T
    covariance = np.cov(prices[1:] / prices[:-1] - 1, rowvar=False) * 252
    slope, value = covariance @ weights, float(weights @ covariance @ weights)
    assert answer["value"]["value"] == pytest.approx(value, rel=1e-12)
    assert slope[weights > 0] == pytest.approx(np.full((weights > 0).sum(), value), rel=1e-8)
    assert (slope[weights == 0] >= value).all()


def test_stablecoins_beside_coins_have_the_least_cvar_that_the_simplex_finds():
    generator = np.random.default_rng(4)
    excess = generator.normal(size=(200, 5)) * np.array([1e-5, 3e-5, 1e-4, 0.05, 0.2])
    moments = replace(moments_of(np.cov(excess, rowvar=False)), excess=excess)

    found = minimum_cvar(moments, frame_of(5), 0.95)

    cost = np.concatenate([np.zeros(5), [1.0], np.full(200, 1 / (0.05 * 200))])
    losses = np.hstack([-excess * 1e5, -np.ones((200, 1)), -np.eye(200)])
    other = linprog(
        cost, A_ub=losses, b_ub=np.zeros(200), A_eq=[[1.0] * 5 + [0.0] * 201], b_eq=[1.0],
        bounds=[(0, None)] * 5 + [(None, None)] + [(0, None)] * 200,
    )  # fmt: skip
    assert found.value == pytest.approx(other.fun / 1e5, rel=1e-9)
    assert found.weights == pytest.approx(other.x[:5], abs=1e-8)


def test_a_coin_that_must_be_held_leaves_the_stablecoins_their_optimum():
    covariance = np.diag([1e-10, 4e-10, 0.04])
    limits = Constraints(bounds={"2": Limits(min=0.1, max=0.1)})

    found = minimum_variance(moments_of(covariance), frame_of(3, limits))

    assert found.weights == pytest.approx([0.72, 0.18, 0.1], abs=1e-9)


LIMITED: list[dict[str, Any]] = [
    {"leverage": 1.3},
    {"leverage": 1.3, "turnover": 0.9},
    {"turnover": 0.5, "max_position": 0.6},
    {"leverage": 1.2, "turnover": 1.5, "default": Limits(min=-0.2, max=0.5), "total": Limits(min=0.9, max=1.0)},
]


@settings(max_examples=25, deadline=None)
@given(spread_covariances(most=10), st.integers(0, 2**32 - 1), st.sampled_from(LIMITED))
def test_absolute_limits_are_kept_exactly_and_no_neighbour_is_better(
    covariance: Array, seed: int, limited: dict[str, Any]
):
    generator, size = np.random.default_rng(seed), covariance.shape[0]
    current = (generator.dirichlet(np.ones(size)) + 1 / size) / 2
    frame = frame_of(size, Constraints(long_only=False, **limited), current)

    found = minimum_variance(moments_of(covariance), frame)

    assert frame.miss(found.weights) <= 1e-12
    slope = covariance @ found.weights
    for other in (current, *generator.dirichlet(np.ones(size), 20)):
        # By convexity no allowed portfolio is downhill of the optimum.
        if frame.miss(other) <= 1e-12:
            assert float(slope @ (other - found.weights)) >= -1e-10 * found.value


def test_shadow_prices_are_right_where_risks_are_far_apart():
    covariance = np.diag([1e-10, 4e-10, 0.04])

    def at(least: float) -> Any:
        return minimum_variance(moments_of(covariance), frame_of(3, Constraints(bounds={"1": Limits(min=least)})))

    told = next(limit for limit in at(0.5).binding if limit.name == "bounds.1.min")
    assert told.shadow_price == pytest.approx((at(0.5001).value - at(0.4999).value) / 0.0002, rel=1e-6)
