"""Constraints as JSON: what is read, what is refused and how it is named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.quant.optimise.constraints import WHOLE, Constraints, Group
from gateway.core.quant.optimise.limits import Limits
from schema.errors import BadInput

EVERYTHING = {
    "long_only": False,
    "default": {"min": -0.1, "max": 0.3},
    "bounds": {"AAPL": {"min": 0.05}, "MSFT": {"max": 0.2}},
    "max_position": 0.25,
    "groups": [{"name": "technology", "assets": ["AAPL", "MSFT"], "min": 0.1, "max": 0.4}],
    "total": {"min": 0.9, "max": 1.0},
    "leverage": 1.6,
    "turnover": 0.0,
    "max_assets": 10,
}


def test_everything_that_can_be_said_comes_back():
    read = Constraints.from_json(EVERYTHING)

    assert read.to_json() == EVERYTHING
    assert read.groups == (Group(name="technology", assets=("AAPL", "MSFT"), limits=Limits(min=0.1, max=0.4)),)
    assert Constraints.from_json(read.to_json()) == read


def test_nothing_said_is_long_only_and_fully_invested():
    read = Constraints.from_json({"max_assets": None})

    assert read == Constraints()
    assert read.long_only
    assert read.total == WHOLE
    assert read.to_json() == {}


def test_one_number_is_both_limits():
    assert Constraints.from_json({"total": 0.8}).total == Limits(min=0.8, max=0.8)


limits = st.tuples(st.none() | st.floats(-2, 0), st.none() | st.floats(0, 2)).map(
    lambda pair: {side: value for side, value in zip(("min", "max"), pair, strict=True) if value is not None}
)


@given(
    st.fixed_dictionaries(
        {"long_only": st.just(False)},
        optional={
            "default": limits,
            "bounds": st.dictionaries(st.text(min_size=1, max_size=5), limits, max_size=4),
            "total": limits,
            "leverage": st.floats(0.1, 5),
            "turnover": st.floats(0, 2),
            "max_assets": st.integers(1, 50),
        },
    )
)
def test_what_is_told_is_what_was_read(given_one: dict[str, Any]):
    read = Constraints.from_json(given_one)

    assert Constraints.from_json(read.to_json()) == read


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([], "constraints: is not an object (got [])"),
        ({"lever": 2}, "constraints.lever: is not known; there are long_only, default, bounds,"),
        ({"long_only": 1}, "constraints.long_only: is neither true nor false"),
        ({"default": {"min": 0.3, "max": 0.2}}, "constraints.default: min 0.3 is above max 0.2: swap or widen them"),
        ({"bounds": {"AAPL": {"min": 1, "max": 0}}}, "constraints.bounds.AAPL: min 1 is above max 0"),
        ({"bounds": {"AAPL": {"least": 1}}}, "constraints.bounds.AAPL.least: is not known; there are min, max"),
        ({"bounds": {"AAPL": {"max": "x"}}}, "constraints.bounds.AAPL.max: is not a finite number (got 'x')"),
        ({"bounds": {"AAPL": {"max": float("nan")}}}, "constraints.bounds.AAPL.max: is not a finite number (got nan)"),
        ({"bounds": {"AAPL": {"min": -0.1}}}, "constraints.bounds.AAPL.min: is below 0 in a long-only portfolio"),
        ({"default": {"min": -0.1}}, "constraints.default.min: is below 0 in a long-only portfolio"),
        ({"total": {"max": -1}}, "constraints.total.max: is below 0 in a long-only portfolio"),
        ({"max_position": 0}, "constraints.max_position: must be above 0 (got 0)"),
        ({"leverage": -1}, "constraints.leverage: must be above 0 (got -1)"),
        ({"turnover": -0.1}, "constraints.turnover: must not be negative (got -0.1)"),
        ({"max_assets": 0}, "constraints.max_assets: is not a whole number from 1 (got 0)"),
        ({"max_assets": 2.5}, "constraints.max_assets: is not a whole number from 1 (got 2.5)"),
        ({"groups": {}}, "constraints.groups: is not a list of groups"),
        ({"groups": [{"assets": ["A"], "max": 1}]}, "constraints.groups[0].name: is missing: name the group"),
        ({"groups": [{"name": "g", "assets": ["A"]}]}, "constraints.groups[0]: group 'g' has neither min nor max"),
        ({"groups": [{"name": "g", "assets": [], "max": 1}]}, "constraints.groups[0].assets: is empty"),
        ({"groups": [{"name": "g", "assets": ["A", "A"], "max": 1}]}, "constraints.groups[0].assets: A stands there"),
        ({"groups": [{"name": "g", "assets": "A", "max": 1}]}, "constraints.groups[0].assets: is not a list of names"),
        ({"groups": [{"name": "g", "assets": ["A"], "max": -1}]}, "constraints.groups.g.max: is below 0"),
        (
            {"groups": [{"name": "g", "assets": ["A"], "max": 1}, {"name": "g", "assets": ["B"], "max": 1}]},
            "constraints.groups[1].name: 'g' is taken",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(value: object, told: str):
    with pytest.raises(BadInput) as refused:
        Constraints.from_json(value)

    assert refused.value.message.startswith(told)


def test_assets_that_are_not_there_are_named():
    bound = Constraints.from_json({"bounds": {"XXX": {"max": 0.1}}})
    group = Constraints.from_json({"groups": [{"name": "g", "assets": ["AAPL", "YYY"], "max": 0.1}]})

    with pytest.raises(BadInput, match=r"^constraints\.bounds\.XXX: is not among the assets"):
        bound.check_assets(["AAPL"])
    with pytest.raises(BadInput, match=r"^constraints\.groups\.g\.assets: YYY not among the assets"):
        group.check_assets(["AAPL"])
