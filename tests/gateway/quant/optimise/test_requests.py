"""Requests as other processes send them: answers, conventions, bad input, sizes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from gateway.core.quant.covariance import ESTIMATORS
from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.tasks_optimise import OBJECTIVES, frontier, optimise
from schema.errors import BadInput
from tests.gateway.quant.optimise.problems import us20

MEANS = {"expected_returns": {"S0000": 0.01, "S0001": 0.05, "S0002": 0.1}}
SPAN = {"count": 1000, "start": "2019-01-10", "end": "2022-12-28"}


def simulated(assets: int, returns: int, seed: int = 7) -> dict[str, Any]:
    """A request over made-up assets with two common factors."""
    generator = np.random.default_rng(seed)
    common = generator.normal(0.0003, 0.008, size=(returns, 2)) @ generator.normal(1, 0.5, size=(2, assets))
    moves = common + generator.normal(0, 0.01, size=(returns, assets))
    closes = 100 * np.cumprod(1 + np.vstack([np.zeros(assets), moves]), axis=0)
    days = np.datetime64("1990-01-01") + np.arange(returns + 1)
    return {
        "symbols": [f"S{index:04}" for index in range(assets)], "dates": [str(day) for day in days],
        "closes": closes.T.tolist(), "periods_per_year": 252,
    }  # fmt: skip


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_answers_in_one_shape(objective: str):
    answer = optimise(us20(objective=objective, target=0.2))

    assert list(answer) == [
        "objective", "weights", "cash", "value", "expected_return", "volatility", "sharpe", "risk_contributions",
        "turnover", "binding", "solver", "heuristic", "dropped", "warnings",
    ]  # fmt: skip
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert sum(answer["weights"].values()) == pytest.approx(1.0, abs=1e-7)
    assert sum(answer["risk_contributions"].values()) == pytest.approx(1.0, abs=1e-12)
    assert set(answer["solver"]) == {"name", "status", "iterations", "gap"}
    assert answer["solver"]["gap"] < 1e-7
    assert (answer["turnover"], answer["heuristic"], answer["warnings"]) == (None, None, [])
    for name in ("value", "expected_return", "volatility", "sharpe"):
        assert {key: answer[name][key] for key in SPAN} == SPAN
    assert answer["volatility"]["ddof"] == 1
    assert answer["volatility"]["periods_per_year"] == 252


def test_a_number_of_assets_is_met_by_a_heuristic_that_says_so():
    answer = optimise(us20(objective="minimum_variance", constraints={"max_assets": 5}))
    relaxed = optimise(us20(objective="minimum_variance"))

    assert sum(abs(weight) > 1e-6 for weight in answer["weights"].values()) == 5
    assert answer["heuristic"] == (
        "heuristic: the relaxed optimum's 5 largest positions were kept and the rest solved again without"
    )
    assert answer["value"]["value"] > relaxed["value"]["value"]
    assert optimise(us20(objective="minimum_variance", constraints={"max_assets": 20}))["heuristic"] is None


def test_an_asset_that_must_be_held_is_among_the_few():
    limits = {"max_assets": 3, "bounds": {"AMD": {"min": 0.02}}}

    answer = optimise(us20(objective="minimum_variance", constraints=limits))

    assert answer["weights"]["AMD"] == pytest.approx(0.02, abs=1e-7)
    assert sum(abs(weight) > 1e-6 for weight in answer["weights"].values()) == 3


@pytest.mark.parametrize(
    ("objective", "target", "told"),
    [
        ("target_return", -50.0, "The target does not bind: the least variance returns more, -5000 % are asked for."),
        ("target_volatility", 50.0, "The target does not bind: the highest return has less risk than 5000 %."),
        ("target_return", 0.08, None),
        ("target_volatility", 0.17, None),
    ],
)
def test_a_target_that_does_not_bind_is_told_of(objective: str, target: float, told: str | None):
    answer = optimise({**simulated(3, 60), "objective": objective, "target": target, **MEANS})

    assert answer["warnings"] == ([] if told is None else [told])
    assert [each["name"] for each in answer["binding"]].count(objective) == (told is None)


def test_a_singular_covariance_gets_a_ridge_and_a_warning():
    request = us20(objective="minimum_variance")
    twice = {**request, "symbols": [*request["symbols"], "KO2"], "closes": [*request["closes"], request["closes"][9]]}

    answer = optimise(twice)

    assert request["symbols"][9] == "KO"
    assert answer["weights"]["KO"] == pytest.approx(answer["weights"]["KO2"], abs=1e-4)
    assert answer["warnings"] == [
        "The covariance of 21 assets from 1000 returns is singular: a millionth of itself was added to each variance, "
        "so the weights are one choice among equals."
    ]


def test_the_least_cvar_of_few_returns_has_no_warning_of_a_covariance_that_it_does_not_use():
    answer = optimise({**simulated(30, 20), "objective": "minimum_cvar"})

    assert answer["warnings"] == []


def test_fewer_returns_than_assets_are_told():
    answer = optimise({**simulated(30, 20), "objective": "minimum_variance"})

    assert answer["warnings"][0].startswith("The covariance of 30 assets from 20 returns is singular")
    assert sum(answer["weights"].values()) == pytest.approx(1.0, abs=1e-7)


@pytest.mark.parametrize(
    ("name", "method", "ddof"),
    [
        ("sample", "sample", 1),
        ("ewma", "exponentially weighted, λ = 0.94, zero mean", None),
        ("ledoit_wolf_identity", "Ledoit-Wolf to a multiple of the identity, n = T - 1", 1),
    ],
)
def test_every_estimator_of_risk_may_be_asked_for_and_is_named(name: str, method: str, ddof: int | None):
    answer = optimise(us20(objective="minimum_variance", covariance=name))

    returns = np.array(us20()["closes"]).T
    estimated = ESTIMATORS[name](returns[1:] / returns[:-1] - 1).values * 252
    weights = np.array(list(answer["weights"].values()))
    assert answer["value"]["value"] == pytest.approx(weights @ estimated @ weights, rel=1e-8)
    assert (answer["volatility"]["method"], answer["volatility"]["ddof"]) == (f"√(w'Σw), covariance {method}", ddof)


def test_expected_returns_may_be_given():
    views = dict.fromkeys(us20()["symbols"], 0.05) | {"KO": 0.12}

    answer = optimise(us20(objective="target_return", target=0.1, expected_returns=views))

    assert answer["expected_return"]["value"] == pytest.approx(0.1, abs=1e-7)
    assert answer["weights"]["KO"] == pytest.approx(5 / 7, abs=1e-6)
    assert answer["expected_return"]["method"].startswith("expected returns as given")


def test_dates_without_a_close_are_refused_or_reported():
    request = us20(objective="minimum_variance")
    closes = [list(series) for series in request["closes"]]
    closes[3][500] = None

    with pytest.raises(NotComputable, match=f"no close of BBY on {request['dates'][500]}"):
        optimise({**request, "closes": closes})
    answer = optimise({**request, "closes": closes, "missing": "drop_rows"})
    assert answer["dropped"] == [request["dates"][500]]
    assert answer["value"]["count"] == 999


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"objective": None}, "objective: None is not known; there are minimum_variance,"),
        ({"symbols": None}, "symbols: is not a list of names"),
        ({"closes": "x"}, "closes: is missing, or is not a list"),
        ({"objective": "target_return"}, "target: is missing: this objective needs it"),
        ({"objective": "target_volatility", "target": 0}, "target: is a volatility, and must be above 0 (got 0)"),
        ({"objective": "target_volatility", "target": 1e308}, "target: 1e+308 a year is beyond 100: 0.08 is 8 %"),
        ({"objective": "target_return", "target": -101}, "target: -101 a year is beyond 100"),
        ({"expected_returns": dict.fromkeys(us20()["symbols"], 1e308)}, "expected_returns.AAPL: 1e+308 a year is"),
        ({"objective": "minimum_cvar", "confidence": 1.0}, "confidence: must be from 0.5 to below 1 (got 1)"),
        ({"covariance": "best"}, "covariance: 'best' is not offered"),
        ({"risk_free": 70}, "risk_free: must be above -1 and below 10: 0.03 is 3 % a year"),
        ({"expected_returns": {"AAPL": 0.1}}, "expected_returns.AMD: is missing"),
        ({"current": {"XXX": 0.1}}, "current.XXX: is not among the symbols"),
        ({"current": {"KO": float("inf")}}, "current.KO: is not a finite number"),
        ({"constraints": {"turnover": 0.1}}, "current: is missing: a turnover is counted from the weights held now"),
        ({"constraints": {"bounds": {"XXX": {"max": 1}}}}, "constraints.bounds.XXX: is not among the assets"),
        ({"constraints": {"default": {"min": 2, "max": 1}}}, "constraints.default: min 2 is above max 1"),
    ],
)
def test_bad_input_names_the_field(more: dict[str, Any], told: str):
    with pytest.raises(BadInput) as refused:
        optimise(us20(**{"objective": "minimum_variance", **more}))

    assert refused.value.message.startswith(told)


def test_duplicate_assets_are_refused():
    request = us20(objective="minimum_variance")

    with pytest.raises(BadInput, match="symbols: AAPL stands there twice"):
        optimise({**request, "symbols": ["AAPL", *request["symbols"][:-1]]})


def test_an_asset_that_never_moves_is_named():
    request = us20(objective="minimum_variance")
    closes = [*request["closes"][:-1], [50.0] * 1001]

    with pytest.raises(NotComputable, match="XOM: the returns never change"):
        optimise({**request, "closes": closes})


def test_one_asset_is_held_whole():
    request = us20()
    alone = {**request, "symbols": ["AAPL"], "closes": request["closes"][:1]}

    for objective in ("minimum_variance", "risk_parity", "hierarchical_risk_parity", "minimum_cvar"):
        answer = optimise({**alone, "objective": objective})
        assert answer["weights"] == {"AAPL": pytest.approx(1.0, abs=1e-7)}, objective


def test_the_frontier_rises_from_the_calmest_to_the_richest():
    answer = frontier(us20(points=15))

    points = answer["points"]
    returns = [point["expected_return"] for point in points]
    volatilities = [point["volatility"] for point in points]
    calmest = optimise(us20(objective="minimum_variance"))
    assert len(points) == 15
    assert volatilities[0] == pytest.approx(calmest["volatility"]["value"], rel=1e-8)
    assert volatilities == sorted(volatilities)
    assert np.diff(returns) == pytest.approx(np.full(14, (returns[-1] - returns[0]) / 14), rel=1e-4)
    # The richest is the share with the highest mean alone.
    assert max(points[-1]["weights"].values()) == pytest.approx(1.0, abs=1e-5)
    assert {key: answer[key] for key in SPAN} == SPAN
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer


def test_each_point_of_the_frontier_is_an_optimum_of_its_return():
    for point in frontier(us20(points=5, constraints={"max_position": 0.25}))["points"][1:-1]:
        again = optimise(
            us20(objective="target_return", target=point["expected_return"], constraints={"max_position": 0.25})
        )
        assert again["volatility"]["value"] == pytest.approx(point["volatility"], rel=1e-6)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"points": 1}, "points: is not a whole number from 2 to 100 (got 1)"),
        ({"points": True}, "points: is not a whole number from 2 to 100 (got True)"),
        ({"constraints": {"max_assets": 3}}, "constraints.max_assets: is met by a heuristic"),
        ({"constraints": {"long_only": False}}, "constraints.leverage: without it, or bounds of all assets"),
    ],
)
def test_a_frontier_that_cannot_be_is_refused(more: dict[str, Any], told: str):
    with pytest.raises(BadInput) as refused:
        frontier(us20(**more))

    assert refused.value.message.startswith(told)


def test_a_frontier_of_equal_returns_is_one_point():
    answer = frontier(us20(expected_returns=dict.fromkeys(us20()["symbols"], 0.05)))

    assert len(answer["points"]) == 1
    assert answer["warnings"] == ["The least variance has the highest expected return too: the frontier is one point."]


def test_more_than_a_thousand_assets_are_refused():
    many = {"symbols": [str(index) for index in range(1001)], "dates": [], "closes": []}

    with pytest.raises(BadInput, match="symbols: has 1001 assets; 1000 are allowed"):
        optimise({**many, "objective": "minimum_variance"})


def test_too_many_scenarios_and_too_long_a_frontier_are_refused():
    large = simulated(120, 5_001)

    with pytest.raises(BadInput, match="closes: 600,120 are more than the 600,000 that minimum_cvar takes"):
        optimise({**large, "objective": "minimum_cvar"})
    with pytest.raises(BadInput, match="points: 100 points of 300 assets are too many"):
        frontier({**simulated(300, 5), "points": 100})


def test_neither_constraints_nor_rebalancing_load_numpy():
    code = (
        "import sys, gateway.core.quant.tasks_optimise as tasks, gateway.core.quant.optimise.constraints as c\n"
        "c.Constraints.from_json({})\n"
        "tasks.rebalance({'currency': 'USD', 'weights': {'A': 1}, 'prices': {'A': '2'}, 'cash': '10'})\n"
        "print([name for name in ('numpy', 'scipy', 'clarabel', 'pandas') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
