"""A lower and an upper limit, read from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from schema.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`min` ≤ x ≤ `max`, in fractions of the portfolio's value; None where that side is open."""

    min: float | None = None
    max: float | None = None

    def to_json(self) -> dict[str, float]:
        """Only the sides that are set."""
        return {side: value for side, value in (("min", self.min), ("max", self.max)) if value is not None}


def read_limits(value: object, field: str) -> Limits:
    """From `{"min": 0.1, "max": 0.4}`, either of them optional, or one number for both."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        exact = read_number(value, field)
        return Limits(min=exact, max=exact)
    sides = read_mapping(value, field, ("min", "max"))
    lowest = read_optional(sides.get("min"), f"{field}.min")
    highest = read_optional(sides.get("max"), f"{field}.max")
    if lowest is not None and highest is not None and lowest > highest:
        raise BadInput(field, f"min {lowest:g} is above max {highest:g}: swap or widen them")
    return Limits(min=lowest, max=highest)


def read_mapping(value: object, field: str, known: tuple[str, ...] | None = None) -> Mapping[str, object]:
    """A JSON object; where its keys are `known`, none besides them."""
    if not isinstance(value, Mapping):
        raise BadInput(field, f"is not an object (got {value!r:.60})")
    for key in value:
        if not isinstance(key, str) or (known is not None and key not in known):
            raise BadInput(f"{field}.{key}", f"is not known; there are {', '.join(known or ())}")
    return value


def read_optional(value: object, field: str) -> float | None:
    """A finite number, or None."""
    return None if value is None else read_number(value, field)


def read_number(value: object, field: str) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise BadInput(field, f"is not a finite number (got {value!r:.60})")
    return float(value)


def read_names(value: object, field: str) -> tuple[str, ...]:
    """A list of names, each once, at least one."""
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) and name for name in value):
        raise BadInput(field, "is not a list of names")
    twice = next((name for name in value if value.count(name) > 1), None) if len(value) != len(set(value)) else None
    if twice is not None:
        raise BadInput(field, f"{twice} stands there twice: name it once")
    if not value:
        raise BadInput(field, "is empty: name at least one asset")
    return tuple(value)
