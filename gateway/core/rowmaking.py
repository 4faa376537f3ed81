"""Rows as values. Classes with slots are filled slot by slot: that costs a third of calling them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import lru_cache
from types import MemberDescriptorType
from typing import Any, TypeVar

R = TypeVar("R")
Make = Callable[[Sequence[Any]], R]


def maker(kind: type[R], names: tuple[str, ...]) -> Make[R]:
    """What makes a value of a dataclass of the values of its fields, in the order of these names; TypeError, as of the
    class itself, where one is missing or unknown."""
    asked: Any = kind
    made: Make[R] = _maker(asked, names)
    return made


@lru_cache(maxsize=2_048)
def _maker(kind: Any, names: tuple[str, ...]) -> Make[Any]:
    slots = [getattr(kind, name, None) for name in names]
    filled = {each.name for each in fields(kind)} == {*names} and not hasattr(kind, "__post_init__")
    if not filled or not all(isinstance(each, MemberDescriptorType) for each in slots):
        return lambda row: kind(**dict(zip(names, row, strict=True)))
    puts = tuple(slot.__set__ for slot in slots if slot is not None)

    def made(row: Sequence[Any]) -> Any:
        value = object.__new__(kind)
        for put, each in zip(puts, row, strict=True):
            put(value, each)
        return value

    return made
