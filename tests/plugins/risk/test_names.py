"""What an optimiser refuses, by the names of the inputs of those who ask."""

from __future__ import annotations

import pytest

from gateway.core.quant.refusals import Infeasible
from plugins.risk.optimising.refusals import in_callers_words, name_of
from schema.errors import BadInput

NAMES = [
    ("max_position", "maxPosition"), ("max_assets", "cardinality"), ("long_only", "short"),
    ("default.min", "minWeight"), ("default.max", "maxWeight"), ("total.min", "minTotal"), ("total.max", "maxTotal"),
    ("total", "total"), ("target_return", "target"), ("target_volatility", "target"), ("leverage", "leverage"),
    ("turnover", "turnover"), ("bounds.equity:AAPL.min", "bounds.equity:AAPL.min"),
    ("groups.max_position.max", "groups.max_position.max"), ("groups.long_only", "groups.long_only"),
]  # fmt: skip


@pytest.mark.parametrize(("own", "callers"), NAMES)
def test_a_constraint_is_called_as_its_input_is(own: str, callers: str):
    assert name_of(own) == callers


def test_constraints_that_collide_are_named_by_their_inputs_and_groups_by_their_own_names():
    told = "These collide: total 1, long_only, groups.max_position.max 0.1, max_position 0.04. Loosen one."

    error = in_callers_words(Infeasible(told, ("total", "long_only", "groups.max_position.max", "max_position")))

    assert error.constraints == ("total", "short", "groups.max_position.max", "maxPosition")
    assert error.message == (
        "These collide: total 1, short false, groups.max_position.max 0.1, maxPosition 0.04. Loosen one."
    )


def test_the_heuristic_is_called_by_its_input_though_it_does_not_collide():
    error = in_callers_words(Infeasible("The heuristic of max_assets keeps the 3 largest.", ("total",)))

    assert error.message == "The heuristic of cardinality keeps the 3 largest."


@pytest.mark.parametrize(
    ("own", "field", "message"),
    [
        (BadInput("constraints.max_position", "must be above 0"), "constraints.maxPosition", "must be above 0"),
        (BadInput("constraints.default.min", "is wrong"), "constraints.minWeight", "is wrong"),
        (
            BadInput("constraints.groups.max_position.max", "is wrong"),
            "constraints.groups.max_position.max",
            "is wrong",
        ),
        (BadInput("risk_free", "is no annual rate"), "riskFree", "is no annual rate"),
        (BadInput("budgets", "is not kept by risk_parity"), "budgets", "is not kept by RISK_PARITY"),
        (BadInput("closes", "are too many"), "symbols", "are too many"),
    ],
)
def test_bad_input_is_told_of_the_callers_own_field(own: BadInput, field: str, message: str):
    error = in_callers_words(own)

    assert (error.field, error.message) == (field, f"{field}: {message}")
