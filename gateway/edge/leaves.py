"""How compiled selections write scalars and enums: exactly as the schema does, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from inspect import iscoroutine
from math import isfinite
from typing import Any, NoReturn

from graphql import GraphQLEnumType, GraphQLScalarType, Undefined

PLAIN = frozenset({str, int, float, bool, Decimal, datetime, date})

Write = Callable[[Any], Any]


class Unsure(Exception):
    """The compiled form does not know this value; the reference code completes it."""


def give_up(value: object = None) -> NoReturn:
    """Leave a value to the reference code; nobody will await what the compiled form got."""
    if iscoroutine(value):
        value.close()
    raise Unsure


def writer(kind: GraphQLScalarType | GraphQLEnumType) -> Write:
    """A function from a value that is not None to its JSON form; raises for whatever is not plainly right."""
    if isinstance(kind, GraphQLEnumType):
        return _enum(kind)
    known: Write | None = {
        "String": _text, "ID": _text, "Int": _int, "Boolean": _boolean, "Float": _float,
    }.get(kind.name)  # fmt: skip
    return known or _scalar(kind)


def _text(value: Any) -> Any:
    return value if value.__class__ is str else give_up(value)


def _boolean(value: Any) -> Any:
    return value if value.__class__ is bool else give_up(value)


def _int(value: Any) -> Any:
    return value if value.__class__ is int and -(2**31) <= value < 2**31 else give_up(value)


def _float(value: Any) -> Any:
    return value if value.__class__ is float and isfinite(value) else give_up(value)


def _scalar(kind: GraphQLScalarType) -> Write:
    coerce = kind.coerce_output_value

    def write(value: Any) -> Any:
        if value.__class__ not in PLAIN:
            give_up(value)
        written = coerce(value)
        return give_up() if written is None or written is Undefined else written

    return write


def _enum(kind: GraphQLEnumType) -> Write:
    cls = getattr(kind, "wrapped_cls", None)
    if cls is None:
        return give_up
    names = {member: kind.coerce_output_value(member) for member in cls if member.value in _values(kind)}

    def write(value: Any) -> Any:
        return names[value] if value.__class__ is cls else give_up(value)

    return write


def _values(kind: GraphQLEnumType) -> list[Any]:
    return [getattr(value.value, "value", value.value) for value in kind.values.values()]
