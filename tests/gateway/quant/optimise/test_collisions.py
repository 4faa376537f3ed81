"""Which constraints collide: no more than must, and all that must."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.quant.optimise.collisions import collision
from gateway.core.quant.optimise.constraints import Constraints
from gateway.core.quant.optimise.limits import Limits
from gateway.core.quant.optimise.portfolios import minimum_variance
from gateway.core.quant.refusals import Infeasible
from gateway.core.quant.tasks_optimise import optimise
from tests.gateway.quant.optimise.problems import frame_of, moments_of, us20

TECH = {"name": "tech", "assets": ["AAPL", "MSFT", "AMD"]}


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({"constraints": {"max_position": 0.04}}, ("total", "max_position")),
        ({"constraints": {"default": {"max": 0.04}}}, ("total", "default.max")),
        ({"constraints": {"default": {"min": 0.06}}}, ("total", "default.min")),
        (
            {"constraints": {"bounds": {"AAPL": {"min": 0.5}, "KO": {"min": 0.6}, "XOM": {"min": 0.01, "max": 0.9}}}},
            ("total", "long_only", "bounds.AAPL.min", "bounds.KO.min"),
        ),
        (
            {"constraints": {"groups": [{**TECH, "min": 0.5}], "max_position": 0.1}},
            ("max_position", "groups.tech.min"),
        ),
        (
            {"constraints": {"groups": [{**TECH, "max": 0.1}], "bounds": {"AAPL": {"min": 0.2}}}},
            ("long_only", "bounds.AAPL.min", "groups.tech.max"),
        ),
        ({"constraints": {"long_only": False, "leverage": 0.8}}, ("total", "leverage")),
        ({"constraints": {"turnover": 0.1, "max_position": 0.5}, "current": {"KO": 1.0}}, ("max_position", "turnover")),
        ({"objective": "target_return", "target": 0.9}, ("total", "long_only", "target_return")),
        ({"objective": "maximum_sharpe", "constraints": {"max_position": 0.04}}, ("total", "max_position")),
        ({"objective": "minimum_cvar", "constraints": {"max_position": 0.04}}, ("total", "max_position")),
        (
            {"objective": "target_volatility", "target": 0.17, "constraints": {"max_position": 0.1}},
            ("target_volatility", "total", "max_position"),
        ),
        ({"objective": "target_volatility", "target": 0.1}, ("target_volatility", "total")),
        (
            {"objective": "target_volatility", "target": 0.2, "constraints": {"max_position": 0.04}},
            ("total", "max_position"),
        ),
    ],
)
def test_those_that_collide_are_named_and_no_others(more: dict[str, Any], names: tuple[str, ...]):
    with pytest.raises(Infeasible) as refused:
        optimise(us20(**{"objective": "minimum_variance", **more}))

    assert sorted(refused.value.constraints) == sorted(names)


def test_the_message_has_the_limits_as_they_were_given():
    with pytest.raises(Infeasible) as refused:
        optimise(us20(objective="minimum_variance", constraints={"max_position": 0.04}))

    told = "No portfolio satisfies all of these: total 1, max_position 0.04. Loosen or remove one."
    assert refused.value.message == told


def test_long_positions_are_no_reason_where_the_sum_of_absolute_weights_is_too_much():
    limits = {"leverage": 1.0, "bounds": {"AAPL": {"min": 0.6}, "KO": {"min": 0.6}}, "total": {"min": 0.5, "max": 2}}

    with pytest.raises(Infeasible) as refused:
        optimise(us20(objective="minimum_variance", constraints=limits))

    assert sorted(refused.value.constraints) == ["bounds.AAPL.min", "bounds.KO.min", "leverage"]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 8))
def test_none_of_those_that_are_named_can_be_spared(seed: int, size: int):
    generator = np.random.default_rng(seed)
    bounds = {
        str(index): Limits(min=float(low), max=float(low + generator.uniform(0, 0.3)))
        for index, low in enumerate(generator.uniform(-0.2, 0.5, size))
    }
    limits = Constraints(long_only=False, bounds=bounds, leverage=float(generator.uniform(0.8, 1.5)))
    frame = frame_of(size, limits)

    refused = collision(frame.blocks, frame.size)

    if refused is None:
        found = minimum_variance(moments_of(np.eye(size)), frame)
        assert found.weights.sum() == pytest.approx(1.0, abs=1e-7)
        return
    everything = {name for block in frame.blocks for name in block.names if name}
    for spared in refused.constraints:
        gone = frozenset(everything - set(refused.constraints) | {spared})
        assert collision([block.without(gone) for block in frame.blocks], frame.size) is None, spared
    gone = frozenset(everything - set(refused.constraints))
    assert collision([block.without(gone) for block in frame.blocks], frame.size) is not None
