"""What is wrong with an answer that its types do not say: order, ranges, naive times, floats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from typing import Any


def unsound(value: Any, path: str = "$") -> Iterator[str]:
    """Floats, naive or foreign times, numbers that are none, and lists, which could be changed."""
    if isinstance(value, float):
        yield f"{path} is the float {value!r}, not a Decimal"
    elif isinstance(value, Decimal):
        if not value.is_finite():
            yield f"{path} is {value}, not a number"
    elif isinstance(value, datetime):
        if value.utcoffset() != timedelta(0):
            yield f"{path} is {value.isoformat()}, not in UTC"
    elif isinstance(value, dict):
        yield f"{path} is a dict, not a word"
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            if field.name != "provenance":
                yield from unsound(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, tuple | list) and not isinstance(value, Enum):
        for index, each in enumerate(value):
            yield from unsound(each, f"{path}[{index}]")


def ascending(name: str, values: Sequence[Any], *, unique: bool = False) -> Iterator[str]:
    """In order, and without a repetition where they must be *unique*."""
    for index, (one, other) in enumerate(pairwise(values)):
        if one > other or (unique and one == other):
            yield f"{name}[{index + 1}] is {other}, after {one}"


def newest_first(name: str, values: Sequence[datetime | None]) -> Iterator[str]:
    """Descending; what has no time may stand anywhere."""
    known = [value for value in values if value is not None]
    for one, other in pairwise(known):
        if one < other:
            yield f"{name} {other.isoformat()} stands behind {one.isoformat()}: the newest come first"


def not_negative(path: str, **values: Decimal | int | None) -> Iterator[str]:
    """Amounts, sizes and counts."""
    for name, value in values.items():
        if value is not None and value < 0:
            yield f"{path}{name} is {value}, below zero"


def positive(path: str, **values: Decimal | int | None) -> Iterator[str]:
    """Prices and supplies that are written as nothing where they are not known."""
    for name, value in values.items():
        if value is not None and value <= 0:
            yield f"{path}{name} is {value}: unknown is None"


def within(path: str, low: int, high: int, **values: Decimal | int | None) -> Iterator[str]:
    """Shares, percentages and indices."""
    for name, value in values.items():
        if value is not None and not low <= value <= high:
            yield f"{path}{name} is {value}, outside {low} to {high}"


def unique(name: str, values: Sequence[Any]) -> Iterator[str]:
    """Identities."""
    if len(set(values)) != len(values):
        yield f"{name} are not unique"


def in_range(name: str, values: Sequence[Any], start: Any, end: Any) -> Iterator[str]:
    """Inside of the half-open range that was asked for; None leaves a side open."""
    for value in values:
        if (start is not None and value < start) or (end is not None and value >= end):
            yield f"{name} {value} is outside of [{start}, {end})"
