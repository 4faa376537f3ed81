"""How many bytes an answer holds in memory: an estimate that looks at a few rows of each column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from operator import attrgetter
from sys import getsizeof
from types import NoneType
from typing import Any

from schema.provenance import Provenance
from schema.symbols import InstrumentId

LOOKED_AT = 8
"""Rows of a column whose size is measured; the others are taken to be like them."""
SMALL_INT = 257
"""The interpreter holds smaller numbers itself."""

Weigher = Callable[[Any], int]


def size_of(value: Any) -> int:
    """Bytes of a value and what only it holds; enums, small numbers and stamps that items share cost nothing."""
    return _weigher(value.__class__)(value)


@cache
def _weigher(kind: type[Any]) -> Weigher:
    """How values of a kind are weighed: found out once, for an answer has many of few kinds."""
    if issubclass(kind, NoneType | bool | Enum | type):
        return _nothing
    if issubclass(kind, int):
        return _whole
    if issubclass(kind, str | bytes | float | Decimal | datetime | date | timedelta):
        return getsizeof
    if issubclass(kind, tuple | list):
        return lambda value: getsizeof(value) + _rows(value)
    if issubclass(kind, frozenset | set):
        return lambda value: getsizeof(value) + _rows(tuple(value))
    if issubclass(kind, Mapping):
        return lambda value: getsizeof(value) + _rows(tuple(value)) + _rows(tuple(value.values()))
    return _of_parts(kind) if is_dataclass(kind) else getsizeof


def _of_parts(kind: type[Any]) -> Weigher:
    names = [each.name for each in fields(kind)]
    # Of one name alone `attrgetter` would make no tuple.
    read: Callable[[Any], Iterable[Any]] = (
        attrgetter(*names) if len(names) > 1 else lambda value: [getattr(value, name) for name in names]
    )
    return lambda value: getsizeof(value) + sum([_part(part.__class__)(part) for part in read(value)])


@cache
def _part(kind: type) -> Weigher:
    """Every row of an answer names one instrument, and one stamp is shared by all."""
    costs_nothing = issubclass(kind, Provenance | InstrumentId)
    return _nothing if costs_nothing else _weigher(kind)


def _nothing(_: Any) -> int:
    return 0


def _whole(value: int) -> int:
    return 0 if -5 <= value < SMALL_INT else getsizeof(value)


def _rows(column: tuple[Any, ...] | list[Any]) -> int:
    if len(column) <= LOOKED_AT:
        return sum([size_of(each) for each in column])
    step = len(column) // LOOKED_AT
    seen = [size_of(column[at * step]) for at in range(LOOKED_AT)]
    return round(sum(seen) / LOOKED_AT * len(column))
