"""Weights beside 0: swept away where nothing is lost by it, and only there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.quant.observations import Array
from gateway.core.quant.optimise.constraints import Constraints
from gateway.core.quant.optimise.dust import SMALLEST, Aim, swept
from gateway.core.quant.optimise.limits import Limits
from gateway.core.quant.optimise.portfolios import minimum_variance, target_return, target_volatility
from gateway.core.quant.tasks_optimise import optimise
from tests.gateway.quant.optimise.problems import covariances, frame_of, moments_of, us20

ANY = Limits(min=0.0, max=1.0)


@pytest.mark.parametrize("objective", ["minimum_variance", "minimum_cvar"])
@pytest.mark.parametrize(
    "more",
    [
        {"constraints": {"total": {"min": 0.0, "max": 1.0}}},
        {"constraints": {"total": {"min": 0.0, "max": 1.0}, "long_only": False, "leverage": 1.5}},
        {"constraints": {"total": {"min": 0.0, "max": 1.0}, "turnover": 0.5}, "current": {"KO": 0.3}},
    ],
)
def test_where_nothing_must_be_invested_the_least_risk_is_exactly_none(objective: str, more: dict[str, Any]):
    answer = optimise(us20(objective=objective, **more))

    assert set(answer["weights"].values()) == {0.0}
    assert (answer["cash"], answer["value"]["value"], answer["sharpe"]) == (1.0, 0.0, None)


@pytest.mark.parametrize(
    ("objective", "more"),
    [
        ("minimum_variance", {}),
        ("maximum_sharpe", {}),
        ("minimum_cvar", {}),
        ("target_return", {"target": 0.1}),
        ("target_volatility", {"target": 0.15}),
    ],
)
def test_no_objective_leaves_weights_beside_zero(objective: str, more: dict[str, Any]):
    limits = {"total": {"min": 0.0, "max": 1.0}}

    weights = optimise(us20(objective=objective, constraints=limits, **more))["weights"].values()

    assert [weight for weight in weights if 0 < abs(weight) <= SMALLEST] == []


def test_a_weight_that_a_bound_asks_for_stays_however_small():
    limits = Constraints(bounds={"0": Limits(min=1e-5)}, total=ANY)

    found = minimum_variance(moments_of(np.diag([0.04, 0.09])), frame_of(2, limits))

    assert found.weights[0] >= 1e-5


def test_beside_a_bound_the_others_are_swept_away():
    limits = Constraints(bounds={"0": Limits(min=0.1)}, total=ANY)

    found = minimum_variance(moments_of(np.diag([0.04, 0.09])), frame_of(2, limits))

    assert found.weights.tolist() == [0.1, 0.0]


def test_a_weight_that_lowers_the_risk_stays_however_small():
    covariance = np.array([[1.0, 0.0], [0.0, 1e-4]])

    aim = Aim(value=lambda weights: float(weights @ covariance @ weights), unit=1e-4)
    weights = np.array([5e-5, 0.99995])

    assert swept(weights, frame_of(2), aim) is weights


def test_what_is_swept_away_goes_to_the_others():
    aim = Aim(value=lambda weights: 0.0, unit=1.0)

    left = swept(np.array([1e-5, 0.25, 0.74999]), frame_of(3), aim)

    assert left == pytest.approx([0.0, 0.25 * (1 + 1e-5 / 0.99999), 0.74999 * (1 + 1e-5 / 0.99999)], abs=1e-15)


@settings(max_examples=30, deadline=None)
@given(covariances(least=3), st.integers(0, 2**32 - 1))
def test_swept_portfolios_keep_their_constraints_and_their_value(covariance: Array, seed: int):
    size: int = covariance.shape[0]
    mean = np.random.default_rng(seed).normal(0.05, 0.1, size)
    limits = Constraints(long_only=False, total=ANY, leverage=1.5, turnover=1.2, max_position=0.5)
    moments, frame = moments_of(covariance, mean), frame_of(size, limits, np.full(size, 1 / size))
    wanted, most = float(mean.max()) * 0.3, float(np.sqrt(np.diag(covariance)).min())

    reached = target_return(moments, frame, wanted)
    risky = target_volatility(moments, frame, most)

    for weights in (reached.weights, risky.weights):
        assert frame.miss(weights) <= 1e-7
    assert float(mean @ reached.weights) >= wanted - 1e-7
    assert float(np.sqrt(risky.weights @ covariance @ risky.weights)) <= most + 1e-7
