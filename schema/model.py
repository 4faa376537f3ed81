"""`@model`: one frozen, slotted, keyword-only dataclass that is also a GraphQL object type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass
from typing import Any, TypeVar, dataclass_transform

import strawberry

Made = TypeVar("Made", bound=type)

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


def computed(
    resolver: Callable[..., Any],
    description: str,
    *,
    name: str | None = None,
    metadata: Mapping[Any, Any] | None = None,
) -> Any:
    """A GraphQL field that is worked out at the read; assign it without an annotation."""
    return strawberry.field(resolver=resolver, description=description, name=name, metadata=metadata)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(described, strawberry.field))
def model(description: str, *, implements: Sequence[type] = (), name: str | None = None) -> Callable[[Made], Made]:
    """Make a class a frozen value and a GraphQL type at once; *name* is GraphQL's where it differs from the class's.

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
        return frozen  # type: ignore[no-any-return]

    return make
