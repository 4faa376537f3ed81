"""Rows become values of their class, as if it had been called."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, field
from typing import Any

import pytest

from gateway.core.rowmaking import maker


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    key: str
    size: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Child(Thing):
    more: str | None = None


@dataclass(frozen=True, kw_only=True)
class Open:
    key: str
    size: int = field(default=3)


@dataclass(slots=True, kw_only=True)
class Checked:
    size: int

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError(f"{self.size} is below zero")


@pytest.mark.parametrize("kind", [Thing, Open])
def test_a_row_is_a_value_whatever_the_order_of_its_columns(kind: type[Any]):
    made = maker(kind, ("size", "key"))((5, "a"))

    assert made == kind(key="a", size=5)
    assert hash(made) == hash(kind(key="a", size=5))
    assert repr(made) == repr(kind(key="a", size=5))


def test_fields_of_a_parent_are_filled_too():
    assert maker(Child, ("key", "size", "more"))(("a", 5, None)) == Child(key="a", size=5)


def test_what_is_frozen_stays_so():
    made = maker(Thing, ("key", "size"))(("a", 5))

    with pytest.raises(FrozenInstanceError):
        made.size = 6  # type: ignore[misc]


def test_what_no_column_gives_has_its_default():
    assert maker(Thing, ("key",))(("a",)) == Thing(key="a", size=3)


def test_missing_and_unknown_columns_are_refused():
    with pytest.raises(TypeError, match="key"):
        maker(Thing, ("size",))((5,))
    with pytest.raises(TypeError, match="colour"):
        maker(Thing, ("key", "size", "colour"))(("a", 5, "red"))
    with pytest.raises(ValueError, match="shorter"):
        maker(Thing, ("key", "size"))(("a",))


def test_what_a_class_checks_of_its_values_is_checked():
    with pytest.raises(ValueError, match="-1 is below zero"):
        maker(Checked, ("size",))((-1,))
