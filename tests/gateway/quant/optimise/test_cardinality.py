"""A greatest number of positions: kept exactly, found where there is one, and refused only where none can be."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.quant.refusals import Infeasible, NotComputable
from gateway.core.quant.tasks_optimise import optimise
from tests.gateway.quant.optimise.problems import us20

FOUR = ("AAPL", "JNJ", "KO", "RRC")
LARGEST = "heuristic: the relaxed optimum's {} largest positions were kept and the rest solved again without"
ALLOWED = (
    "heuristic: of the choices of {} that the constraints allow, the one with most of the relaxed optimum was kept"
)
REST = " and the rest solved again without"


def four(**constraints: Any) -> dict[str, Any]:
    request = us20()
    at = [request["symbols"].index(symbol) for symbol in FOUR]
    return {
        **request, "symbols": list(FOUR), "closes": [request["closes"][index] for index in at],
        "objective": "minimum_variance", "constraints": constraints,
    }  # fmt: skip


def held(answer: dict[str, Any]) -> dict[str, float]:
    return {symbol: round(weight, 9) for symbol, weight in answer["weights"].items() if weight != 0.0}


@pytest.mark.parametrize(
    ("constraints", "weights"),
    [
        (
            {"default": {"max": 0.9}, "groups": [{"name": "g", "assets": ["RRC"], "min": 0.15}]},
            {"JNJ": 0.85, "RRC": 0.15},
        ),
        (
            {"default": {"max": 0.2}, "bounds": {"JNJ": {"max": 0.35}, "KO": {"max": 0.3}, "RRC": {"max": 0.8}}},
            {"JNJ": 0.35, "RRC": 0.65},
        ),
        ({"bounds": {"AAPL": {"min": 0.1, "max": 0.1}}}, {"AAPL": 0.1, "JNJ": 0.9}),
    ],
)
def test_of_a_few_assets_the_best_two_are_found(constraints: dict[str, Any], weights: dict[str, float]):
    answer = optimise(four(max_assets=2, **constraints))

    assert held(answer) == weights
    assert answer["heuristic"] is None


@pytest.mark.parametrize(
    ("constraints", "names"),
    [
        ({"default": {"max": 0.4}}, ["default.max", "max_assets", "total"]),
        (
            {"default": {"max": 0.1}, "bounds": {"RRC": {"max": 0.85}}},
            ["bounds.RRC.max", "default.max", "max_assets", "total"],
        ),
        (
            {"groups": [{"name": name, "assets": [name], "min": 0.1} for name in FOUR[:3]]},
            ["groups.AAPL.min", "groups.JNJ.min", "groups.KO.min", "max_assets"],
        ),
    ],
)
def test_where_no_two_can_be_that_is_proven_and_those_that_collide_are_named(
    constraints: dict[str, Any], names: list[str]
):
    with pytest.raises(Infeasible, match=r"^No portfolio satisfies all of these: ") as refused:
        optimise(four(max_assets=2, **constraints))

    assert sorted(refused.value.constraints) == names


@pytest.mark.parametrize(
    ("constraints", "symbol", "least"),
    [
        ({"groups": [{"name": "g", "assets": ["AMD", "RRC"], "min": 0.15}]}, "AMD", 0.15),
        ({"default": {"max": 0.1}, "bounds": {"AMD": {"max": 0.8}, "KO": {"max": 0.25}}}, "AMD", 0.6),
        ({"long_only": False, "leverage": 1.5, "groups": [{"name": "g", "assets": ["AMD"], "max": -0.1}]}, "AMD", -0.1),
    ],
)
def test_of_many_assets_a_choice_that_the_constraints_allow_is_found(
    constraints: dict[str, Any], symbol: str, least: float
):
    answer = optimise(us20(objective="minimum_variance", constraints={"max_assets": 3, **constraints}))

    assert len(held(answer)) == 3
    assert answer["weights"][symbol] >= least - 1e-9
    assert answer["heuristic"].startswith(ALLOWED.format(3))


@pytest.mark.parametrize("objective", ["minimum_variance", "maximum_sharpe", "minimum_cvar", "target_return"])
def test_what_is_not_chosen_weighs_exactly_nothing(objective: str):
    answer = optimise(us20(objective=objective, target=0.2, constraints={"max_assets": 3}))

    assert len(held(answer)) == 3
    assert [weight for weight in answer["weights"].values() if 0 < abs(weight) < 1e-3] == []
    assert answer["heuristic"] in (LARGEST.format(3), ALLOWED.format(3) + REST)


def test_what_is_within_the_number_anyway_is_no_heuristic():
    answer = optimise(us20(objective="minimum_variance", constraints={"max_assets": 8}))

    assert len(held(answer)) == 7
    assert answer["heuristic"] is None


def test_a_risk_that_the_largest_cannot_keep_to_is_looked_for_among_the_calmest():
    asked = {"objective": "target_volatility", "target": 0.182, "constraints": {"max_assets": 3}}

    answer = optimise(us20(**asked))

    assert len(held(answer)) == 3
    assert answer["volatility"]["value"] == pytest.approx(0.182, rel=1e-8)
    assert answer["heuristic"].startswith("heuristic: the calmest portfolio's 3 largest positions were kept")


def test_a_heuristic_that_finds_nothing_says_that_nothing_is_proven():
    with pytest.raises(
        NotComputable, match="found no portfolio of 3 positions, which does not prove that there is none: allow more"
    ):
        optimise(us20(objective="target_volatility", target=0.174, constraints={"max_assets": 3}))


def test_a_risk_that_no_choice_of_a_few_keeps_to_is_no_collision_of_constraints():
    least = optimise(four())["volatility"]["value"]
    asked = {**four(max_assets=2), "objective": "target_volatility", "target": least * 1.0001}

    with pytest.raises(NotComputable, match="No choice of 2 positions reaches the objective"):
        optimise(asked)


def test_many_choices_that_cannot_be_are_refused_with_the_names_that_collide():
    with pytest.raises(Infeasible) as refused:
        optimise(us20(objective="minimum_variance", constraints={"max_assets": 3, "max_position": 0.3}))

    told = "No portfolio satisfies all of these: total 1, max_position 0.3, max_assets. Loosen or remove one."
    assert refused.value.message == told
    assert refused.value.constraints == ("total", "max_position", "max_assets")
