"""How many bytes an answer holds in memory: an estimate that looks at a few rows of each column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from sys import getsizeof
from typing import Any, cast

from schema.provenance import Provenance
from schema.symbols import InstrumentId

LOOKED_AT = 8
"""Rows of a column whose size is measured; the others are taken to be like them."""
SMALL_INT = 257
"""The interpreter holds smaller numbers itself."""


def size_of(value: Any) -> int:
    """Bytes of a value and what only it holds; enums, small numbers and stamps that items share cost nothing."""
    if value is None or isinstance(value, bool | Enum | type):
        return 0
    if isinstance(value, int):
        return 0 if -5 <= value < SMALL_INT else getsizeof(value)
    if isinstance(value, str | bytes | float | Decimal | datetime | date | timedelta):
        return getsizeof(value)
    if isinstance(value, tuple | list | frozenset | set):
        return getsizeof(value) + _rows(tuple(value) if isinstance(value, frozenset | set) else value)
    if isinstance(value, Mapping):
        return getsizeof(value) + _rows(tuple(value)) + _rows(tuple(value.values()))
    kind: type = type(value)
    if is_dataclass(kind):
        parts: list[int] = [_part(getattr(value, name)) for name in _names(kind)]
        return getsizeof(value) + sum(parts)
    return getsizeof(value)


def _part(value: Any) -> int:
    """Every row of an answer names one instrument, and one stamp is shared by all."""
    return 0 if isinstance(value, Provenance | InstrumentId) else size_of(value)


def _rows(column: tuple[Any, ...] | list[Any]) -> int:
    if len(column) <= LOOKED_AT:
        return sum(size_of(each) for each in column)
    step = len(column) // LOOKED_AT
    seen = [size_of(column[at * step]) for at in range(LOOKED_AT)]
    return round(sum(seen) / LOOKED_AT * len(column))


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(each.name for each in fields(cast(Any, kind)))
