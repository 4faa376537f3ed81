"""Filters of events: names, families of names, everything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.eventfilters import MOST, BadFilter, expanded, matches

NAMES = ["apikey.created", "apikey.revoked", "price.alert.triggered", "price.alert", "pricey.alert"]
part = st.text("ab_", min_size=1, max_size=3).map(lambda text: f"x{text}")
name = st.lists(part, min_size=2, max_size=4).map(".".join)


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (["apikey.created"], {"apikey.created"}),
        (["apikey.*"], {"apikey.created", "apikey.revoked"}),
        (["price.*"], {"price.alert.triggered", "price.alert"}),
        (["price.alert.*"], {"price.alert.triggered"}),
        (["price.alert"], {"price.alert"}),
        (["*"], set(NAMES)),
        (["apikey.created", "apikey.*"], {"apikey.created", "apikey.revoked"}),
        ([], set()),
    ],
)
def test_patterns_are_names_families_or_everything(patterns: list[str], found: set[str]) -> None:
    assert expanded(patterns, NAMES) == found


@pytest.mark.parametrize(
    "pattern",
    ["", " ", "**", "*.created", "apikey*", "apikey.", ".created", "apikey.*.x", "APIKEY.created", "apikey.created ",
     "a" * 5_000, "apikey.%", "apikey._", "apikey\n", "order.filled"],
)  # fmt: skip
def test_what_matches_nothing_is_refused_with_its_place(pattern: str) -> None:
    with pytest.raises(BadFilter) as refused:
        expanded(["apikey.*", pattern], NAMES)

    assert (refused.value.index, len(str(refused.value)) < 200) == (1, True)


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one() -> None:
    with pytest.raises(BadFilter, match=r"did you mean apikey\.created"):
        expanded(["apikey.create"], NAMES)


def test_a_filter_has_a_bounded_number_of_patterns() -> None:
    with pytest.raises(BadFilter, match="more than 100"):
        expanded(["*"] * (MOST + 1), NAMES)


@given(name, st.data())
def test_every_family_of_a_name_matches_it_and_nothing_outside(whole: str, data: st.DataObject) -> None:
    parts = whole.split(".")
    depth = data.draw(st.integers(1, len(parts) - 1))
    family = ".".join(parts[:depth]) + ".*"

    assert matches(family, whole)
    assert not matches(family, "y" + whole)
    assert not matches(family, ".".join(parts[:depth]))
