"""`@model`: one frozen, slotted, keyword-only dataclass that is also a GraphQL object type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass
from typing import Any, TypeVar, dataclass_transform

import strawberry

Made = TypeVar("Made", bound=type)

DIRECT = "marketgate.direct"
"""The key of `Direct` or `Columns` in a computed field's metadata."""

KEPT: set[type] = set()
"""Models whose values are held and shown again and again."""

_GENERATED = ("__init__", "__repr__", "__eq__", "__hash__", "__match_args__")


def described(
    description: str,
    *,
    default: Any = MISSING,
    name: str | None = None,
    metadata: Mapping[Any, Any] | None = None,
) -> Any:
    """A plain attribute of a model that GraphQL shows under its camel-cased name (or *name*)."""
    return strawberry.field(description=description, default=default, name=name, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Direct:
    """The short form of a computed field whose resolver takes `info`, for selections that are compiled.

    `read` gets the root, the operation's context and the GraphQL names selected below, and answers what the resolver
    would; None or an awaitable leave the field to the resolver. Where no more than `lasting` is selected, the answer
    follows from the root alone and may be kept with it.
    """

    read: Callable[[Any, Any, frozenset[str]], Any]
    lasting: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Columns:
    """The short form of a computed list of objects held as columns: tuples by attribute name, of one length."""

    of: Callable[[Any], Mapping[str, tuple[Any, ...]]]


def computed(
    resolver: Callable[..., Any],
    description: str,
    *,
    name: str | None = None,
    metadata: Mapping[Any, Any] | None = None,
    direct: Direct | Columns | None = None,
) -> Any:
    """A GraphQL field that is worked out at the read; assign it without an annotation.

    What a resolver that takes nothing but `root` answers must follow from the root alone: it may be kept with it.
    """
    told = {**(metadata or {}), **({DIRECT: direct} if direct else {})}
    return strawberry.field(resolver=resolver, description=description, name=name, metadata=told)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(described, strawberry.field))
def model(
    description: str, *, implements: Sequence[type] = (), name: str | None = None, kept: bool = False
) -> Callable[[Made], Made]:
    """Make a class a frozen value and a GraphQL type at once; *name* is GraphQL's where it differs from the class's.

    *kept* says that a value is held and shown again and again: its JSON form is worth keeping with it.

    Strawberry builds an ordinary dataclass and drops the options of one that it is given ready-made,
    so the frozen form is generated anew over the fields that it has understood.
    """

    def make(cls: Made) -> Made:
        typed: Any = strawberry.type(cls, description=description, name=name)
        definition = typed.__strawberry_definition__
        definition.interfaces = [face.__strawberry_definition__ for face in implements]  # type: ignore[attr-defined]
        for generated in _GENERATED:
            delattr(typed, generated)
        frozen: Any = dataclass(frozen=True, kw_only=True, slots=True)(typed)
        definition.origin = frozen
        if kept:
            KEPT.add(frozen)
        return frozen  # type: ignore[no-any-return]

    return make
