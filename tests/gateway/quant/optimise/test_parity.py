"""Portfolios that divide risk: by budgets, and along a tree of correlations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.quant.observations import Array
from gateway.core.quant.optimise.boundedparity import BEYOND, Box, bounded_risk_parity
from gateway.core.quant.optimise.hierarchical import hierarchical_risk_parity
from gateway.core.quant.optimise.riskparity import risk_contributions, risk_parity
from gateway.core.quant.refusals import Infeasible, NotComputable
from gateway.core.quant.tasks_optimise import optimise
from schema.errors import BadInput
from tests.gateway.quant.optimise.problems import covariances, us20, us20_moments


def test_uncorrelated_assets_are_held_by_the_inverse_of_their_volatility():
    found = risk_parity(np.diag([0.04, 0.16, 0.01]), np.full(3, 1 / 3))

    assert found.weights == pytest.approx(np.array([5, 2.5, 10]) / 17.5, abs=1e-12)


def test_two_assets_share_the_risk_whatever_their_correlation():
    found = risk_parity(np.array([[0.04, -0.03], [-0.03, 0.09]]), np.full(2, 0.5))

    assert found.weights == pytest.approx([0.6, 0.4], abs=1e-10)


@settings(max_examples=60, deadline=None)
@given(covariances(), st.integers(0, 2**32 - 1))
def test_contributions_are_the_budgets(covariance: Array, seed: int):
    size = covariance.shape[0]
    budgets = np.random.default_rng(seed).dirichlet(np.full(size, 2.0)) * 0.9 + 0.1 / size

    for given_ones in (np.full(size, 1 / size), budgets):
        found = risk_parity(covariance, given_ones)
        assert risk_contributions(covariance, found.weights) == pytest.approx(given_ones, abs=1e-8)
        assert found.weights.sum() == pytest.approx(1.0, abs=1e-12)
        assert found.weights.min() > 0


@settings(max_examples=30, deadline=None)
@given(covariances(), st.floats(1e-6, 1e6), st.integers(0, 2**32 - 1))
def test_risk_parity_knows_neither_scale_nor_order(covariance: Array, factor: float, seed: int):
    size = covariance.shape[0]
    order, budgets = np.random.default_rng(seed).permutation(size), np.full(size, 1 / size)

    found = risk_parity(covariance, budgets).weights

    assert risk_parity(covariance * factor, budgets).weights == pytest.approx(found, abs=1e-9)
    assert risk_parity(covariance[np.ix_(order, order)], budgets).weights == pytest.approx(found[order], abs=1e-9)


def test_twenty_shares_contribute_what_they_were_given():
    names = us20()["symbols"]
    budgets = {name: 0.24 if name == "KO" else 0.04 for name in names}

    answer = optimise(us20(objective="risk_parity", budgets=budgets))

    assert answer["risk_contributions"] == pytest.approx(budgets, abs=1e-9)
    assert answer["solver"]["name"] == "newton"


def test_assets_that_hedge_each_other_completely_have_no_risk_parity():
    with pytest.raises(NotComputable, match="hedge each other completely"):
        risk_parity(np.array([[0.04, -0.06], [-0.06, 0.09]]), np.full(2, 0.5))


def naive_hrp(covariance: Array) -> Array:
    """López de Prado's algorithm once more: merges by the closest pair of members, without scipy."""
    size = covariance.shape[0]
    deviations = np.sqrt(np.diag(covariance))
    distance = np.sqrt(np.maximum(1 - covariance / np.outer(deviations, deviations), 0) / 2)
    clusters = {index: [index] for index in range(size)}
    for number in range(size, 2 * size - 1):
        pairs = [
            (min(distance[i, j] for i in clusters[a] for j in clusters[b]), a, b)
            for a in clusters
            for b in clusters
            if a < b
        ]
        _, left, right = min(pairs)
        clusters[number] = clusters.pop(left) + clusters.pop(right)
    (leaves,) = clusters.values()
    weights = np.ones(size)

    def variance(items: list[int]) -> float:
        part = covariance[np.ix_(items, items)]
        inverse = 1 / np.diag(part) / (1 / np.diag(part)).sum()
        return float(inverse @ part @ inverse)

    def divide(items: list[int]) -> None:
        if len(items) > 1:
            first, second = items[: len(items) // 2], items[len(items) // 2 :]
            share = 1 - variance(first) / (variance(first) + variance(second))
            weights[first] *= share
            weights[second] *= 1 - share
            divide(first)
            divide(second)

    divide(leaves)
    return weights


@settings(max_examples=40, deadline=None)
@given(covariances())
def test_hrp_is_the_published_algorithm(covariance: Array):
    found = hierarchical_risk_parity(covariance)

    assert found.weights == pytest.approx(naive_hrp(covariance), abs=1e-12)
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-12)


def test_hrp_of_twenty_shares_does_not_depend_on_their_order():
    request = us20(objective="hierarchical_risk_parity")
    turned = {**request, "symbols": request["symbols"][::-1], "closes": request["closes"][::-1]}

    found = optimise(request)["weights"]

    assert optimise(turned)["weights"] == pytest.approx(found, abs=1e-12)
    assert list(found.values()) == pytest.approx(naive_hrp(us20_moments()[1]), abs=1e-10)


def test_hrp_of_two_assets_is_inverse_variance():
    found = hierarchical_risk_parity(np.array([[0.04, 0.01], [0.01, 0.16]]))

    assert found.weights == pytest.approx([0.8, 0.2], abs=1e-12)


@pytest.mark.parametrize("objective", ["risk_parity", "hierarchical_risk_parity"])
def test_what_divides_risk_keeps_no_limit_but_the_sum(objective: str):
    half = optimise(us20(objective=objective, constraints={"total": 0.5}))

    assert sum(half["weights"].values()) == pytest.approx(0.5, abs=1e-12)
    with pytest.raises(
        BadInput, match=rf"constraints\.leverage: is not kept by {objective}, which takes .*the sum of all"
    ):
        optimise(us20(objective=objective, constraints={"leverage": 0.9}))
    with pytest.raises(BadInput, match=r"constraints\.total: must be one sum above 0"):
        optimise(us20(objective=objective, constraints={"total": {"min": 0.2, "max": 0.9}}))


@pytest.mark.parametrize(
    ("budgets", "told"),
    [
        ({"AAPL": 1.0}, r"budgets\.AMD: is missing"),
        ({"XXX": 1.0}, r"budgets\.XXX: is not among the symbols"),
        ("zero", r"budgets\.KO: must be above 0"),
        ("most", r"budgets: sum to 1\.2, not to 1"),
    ],
)
def test_budgets_that_cannot_be_are_refused(budgets: object, told: str):
    names = us20()["symbols"]
    made = {
        "zero": {name: 0.0 if name == "KO" else 1 / 19 for name in names},
        "most": dict.fromkeys(names, 0.06),
    }

    with pytest.raises(BadInput, match=told):
        optimise(us20(objective="risk_parity", budgets=made.get(str(budgets), budgets)))


def box_of(lowest: list[float], highest: list[float]) -> Box:
    names = [str(index) for index in range(len(lowest))]
    return Box(
        lowest=np.array(lowest), highest=np.array(highest), lower_names=[f"{name}.min" for name in names],
        upper_names=[f"{name}.max" for name in names],
    )  # fmt: skip


def test_a_cap_leaves_the_other_assets_in_the_ratio_of_their_budgets():
    # Without it 5 : 2.5 : 10, by the inverse of the volatilities.
    found = bounded_risk_parity(
        np.diag([0.04, 0.16, 0.01]), np.full(3, 1 / 3), box_of([0, 0, 0], [np.inf, np.inf, 0.4]), 1.0
    )

    assert found.weights == pytest.approx([0.4, 0.2, 0.4], abs=1e-9)
    assert [(limit.name, limit.asset, limit.shadow_price) for limit in found.binding] == [("2.max", 2, None)]


def test_bounds_that_hold_nothing_leave_risk_parity_as_it_is():
    _, covariance, _ = us20_moments()
    budgets = np.full(20, 0.05)

    found = bounded_risk_parity(covariance, budgets, box_of([0.01] * 20, [0.2] * 20), 1.0)

    assert found.weights.tolist() == risk_parity(covariance, budgets).weights.tolist()
    assert found.binding == ()


@settings(max_examples=25, deadline=None)
@given(covariances(least=3), st.integers(0, 2**32 - 1))
def test_within_bounds_the_free_assets_stand_as_their_budgets_and_the_others_press_against_their_bounds(
    covariance: Array, seed: int
):
    size = covariance.shape[0]
    budgets = np.random.default_rng(seed).dirichlet(np.full(size, 5.0)) * 0.9 + 0.1 / size
    plain = risk_parity(covariance, budgets).weights
    cap, floor = max(0.7 * plain.max(), 1.1 / size), 0.2 / size

    try:
        found = bounded_risk_parity(covariance, budgets, box_of([floor] * size, [cap] * size), 1.0)
    except NotComputable as refused:
        if refused.message != BEYOND:
            raise
        return

    weights = found.weights
    assert weights.sum() == pytest.approx(1.0, abs=1e-9)
    assert floor - 1e-9 <= weights.min() <= weights.max() <= cap + 1e-9
    levels = weights * (covariance @ weights) / budgets
    free = (weights > floor + 1e-9) & (weights < cap - 1e-9)
    if free.any():
        level = levels[free].mean()
        assert levels[free] == pytest.approx(level, rel=1e-6)
        assert (levels[weights >= cap - 1e-9] <= level * (1 + 1e-5)).all()
        assert (levels[weights <= floor + 1e-9] >= level * (1 - 1e-5)).all()


def test_risk_parity_of_twenty_shares_keeps_to_bounds_and_names_those_that_hold():
    answer = optimise(
        us20(objective="risk_parity", constraints={"max_position": 0.06, "bounds": {"AMD": {"min": 0.04}}})
    )

    weights = answer["weights"]
    assert sum(weights.values()) == pytest.approx(1.0, abs=1e-9)
    assert max(weights.values()) == 0.06
    assert weights["AMD"] == 0.04
    assert {(limit["name"], limit["shadow_price"]) for limit in answer["binding"]} == {
        ("bounds.AMD.min", None), ("max_position", None),
    }  # fmt: skip
    assert ("bounds.AMD.min", "AMD") in {(limit["name"], limit["asset"]) for limit in answer["binding"]}
    assert answer["warnings"] == [
        "Bounds hold some weights: the parts of the risk of the others stand to each other as their budgets."
    ]


def test_bounds_that_collide_with_the_sum_are_named_by_risk_parity_too():
    with pytest.raises(Infeasible) as refused:
        optimise(us20(objective="risk_parity", constraints={"max_position": 0.04}))

    assert refused.value.constraints == ("total", "max_position")


def test_what_must_not_be_held_is_no_asset_of_risk_parity():
    with pytest.raises(BadInput, match=r"constraints\.bounds\.KO\.max: of KO must be above 0 for risk_parity: leave"):
        optimise(us20(objective="risk_parity", constraints={"bounds": {"KO": {"max": 0.0}}}))
