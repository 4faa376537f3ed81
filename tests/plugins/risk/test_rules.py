"""Constraints as a value: what is stored is read back, and what is checked the optimiser takes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.quant.optimise.constraints import Constraints
from plugins.risk.constraints.rules import Bound, Group, Rules, checked, plain, read_rules, request_of
from schema.errors import BadInput
from schema.words.problems import Refused

SYMBOLS = ("equity:AAPL", "equity:MSFT", "crypto:BTC/USD", "crypto:ETH/USD")
WEIGHT = st.one_of(st.none(), st.floats(-2, 2, allow_nan=False).map(lambda value: round(value, 4)))
BOUND = st.builds(Bound, symbol=st.sampled_from(SYMBOLS), minimum=WEIGHT, maximum=WEIGHT)
GROUP = st.builds(
    Group, name=st.sampled_from(("Tech", "Coins")), symbols=st.sets(st.sampled_from(SYMBOLS), min_size=1).map(tuple),
    minimum=WEIGHT, maximum=WEIGHT,
)  # fmt: skip
RULES = st.builds(
    Rules, minimum=WEIGHT, maximum=WEIGHT, position=WEIGHT, bounds=st.lists(BOUND, max_size=3).map(tuple),
    groups=st.lists(GROUP, max_size=2).map(tuple), short=st.booleans(), leverage=WEIGHT, turnover=WEIGHT,
    cardinality=st.one_of(st.none(), st.integers(-1, 5)),
)  # fmt: skip


@given(rules=RULES)
def test_what_is_stored_is_read_back(rules: Rules):
    assert read_rules(json.loads(json.dumps(plain(rules)))) == rules


@given(rules=RULES)
def test_what_is_checked_the_optimiser_takes(rules: Rules):
    try:
        told, warnings = request_of(checked(rules), SYMBOLS)
    except Refused:
        return

    read = Constraints.from_json(told)
    read.check_assets(SYMBOLS)
    assert warnings == []
    assert read.long_only is not rules.short
    assert (read.leverage, read.turnover, read.max_assets) == (rules.leverage, rules.turnover, rules.cardinality)


@pytest.mark.parametrize(
    "rules",
    [
        Rules(short=True, maximum=-0.1, least_total=-2.0, greatest_total=-1.0),
        Rules(position=0.2, cardinality=5, groups=(Group(name="Tech", symbols=SYMBOLS[:2], minimum=0.4),)),
        Rules(position=1 / 3, cardinality=3),
        Rules(maximum=0.0, bounds=(Bound(symbol=SYMBOLS[0], maximum=1.0),)),
    ],
)
def test_what_can_just_hold_is_taken(rules: Rules):
    assert checked(rules) == rules


def test_rules_about_others_are_left_out_and_named_and_a_group_that_must_weigh_something_is_refused():
    rules = Rules(
        bounds=(Bound(symbol="equity:AAPL", maximum=0.1), Bound(symbol="crypto:BTC/USD", maximum=0.2)),
        groups=(Group(name="Coins", symbols=("crypto:BTC/USD", "equity:AAPL"), maximum=0.5),),
    )
    must = Rules(groups=(Group(name="Coins", symbols=("crypto:BTC/USD",), minimum=0.1),))

    told, warnings = request_of(rules, ["equity:AAPL"])

    assert told == {
        "long_only": True, "bounds": {"equity:AAPL": {"max": 0.1}},
        "groups": [{"name": "Coins", "assets": ["equity:AAPL"], "max": 0.5}], "total": {"min": 1.0, "max": 1.0},
    }  # fmt: skip
    assert warnings == ["constraints: crypto:BTC/USD is not among the assets and was left out"]
    with pytest.raises(BadInput, match=r"groups\.Coins: none of its symbols is among the assets"):
        request_of(must, ["equity:AAPL"])


def test_a_weight_beyond_all_reason_is_told_of_its_own_field():
    endless = float("inf")
    cases = [
        (Rules(maximum=endless), ("maxWeight",)),
        (Rules(minimum=endless), ("minWeight",)),
        (Rules(greatest_total=101.0), ("maxTotal",)),
        (Rules(least_total=-endless), ("minTotal",)),
        (Rules(bounds=(Bound(symbol=SYMBOLS[0], maximum=endless),)), ("bounds", "0", "max")),
        (Rules(groups=(Group(name="Tech", symbols=SYMBOLS[:1], maximum=endless),)), ("groups", "0", "max")),
        (Rules(minimum=0.5, maximum=0.4), ("minWeight",)),
        (Rules(bounds=(Bound(symbol=SYMBOLS[0], minimum=0.5, maximum=0.4),)), ("bounds", "0")),
    ]

    told = []
    for rules, _ in cases:
        with pytest.raises(Refused) as refused:
            checked(rules)
        told.append(tuple(refused.value.field))

    assert told == [field for _, field in cases]
