"""`@model`: one frozen, slotted, keyword-only dataclass that is also a GraphQL object type; `@choices`: an enum."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar, cast, dataclass_transform, get_type_hints

import strawberry
from strawberry.types.field import StrawberryField

Made = TypeVar("Made", bound=type)
Chosen = TypeVar("Chosen", bound=type[Enum])

DIRECT = "marketgate.direct"
"""The key of `Direct` or `Columns` in a computed field's metadata."""

DEFINITION = "__strawberry_definition__"
"""The attribute by which Strawberry knows a type."""

KEPT: set[type] = set()
"""Models whose values are held and shown again and again."""


class Definition:
    """What Strawberry knows of a model, worked out at the first look: importing the words costs dataclasses alone."""

    __slots__ = ("_make", "_model", "_under_way")

    def __init__(self, model: type, make: Callable[[], Any]) -> None:
        self._model = model
        self._make = make
        self._under_way = False

    def __get__(self, instance: object, owner: type) -> Any:
        """The definition, which takes this object's place.

        Models that name each other meet here again. Strawberry takes a NameError for a name that is not defined yet,
        and looks the type of that field up when it needs it.
        """
        if self._under_way:
            raise NameError(self._model.__name__)
        self._under_way = True
        try:
            made = self._make()
        finally:
            self._under_way = False
        setattr(self._model, DEFINITION, made)
        return made


def described(
    description: str,
    *,
    default: Any = MISSING,
    name: str | None = None,
    metadata: Mapping[Any, Any] | None = None,
) -> Any:
    """A plain attribute of a model that GraphQL shows under its camel-cased name (or *name*)."""
    return strawberry.field(description=description, default=default, name=name, metadata=metadata)


def choices(description: str, *, name: str | None = None, **members: str) -> Callable[[Chosen], Chosen]:
    """Make an enum a GraphQL one; *members* are the words for each of its values, by name.

    Strawberry's own way, `enum_value`, has no place in a StrEnum: its values must be texts. Raises TypeError where
    words and values do not go together.
    """

    def make(cls: Chosen) -> Chosen:
        if members.keys() != cls.__members__.keys():
            raise TypeError(f"{cls.__name__}: {sorted(members.keys() ^ cls.__members__.keys())} without value or words")
        strawberry.enum(cls, description=description, name=name)
        for value in getattr(cls, DEFINITION).values:
            value.description = members[value.name]
        return cls

    return make


@dataclass(frozen=True, slots=True)
class Direct:
    """The short form of a computed field whose resolver takes `info`, for selections that are compiled.

    `read` gets the root, the operation's context and the GraphQL names selected below, and answers what the resolver
    would; an awaitable or an exception leaves the field to the resolver. Where no more than `lasting` is selected, the
    answer follows from the root alone and may be kept with it.
    """

    read: Callable[[Any, Any, frozenset[str]], Any]
    lasting: frozenset[str] = frozenset()


NAMED = frozenset({"id", "__typename"})
"""What of another object its id alone tells."""


def named(make: Callable[[Any], Any]) -> Direct:
    """The short form of a field that leads to another object: made of its id where no more of it is selected."""

    def read(root: Any, _: Any, selected: frozenset[str]) -> Any:
        if not selected <= NAMED:
            raise LookupError("the object is looked for by the field's resolver")
        return make(root)

    return Direct(read, lasting=NAMED)


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

    Strawberry drops the options of a dataclass that it is given ready-made and builds an ordinary one of its own:
    it reads a copy of the class, when the first schema is built.
    """

    def make(cls: Made) -> Made:
        written = {key: value for key, value in vars(cls).items() if key not in ("__dict__", "__weakref__")}
        for attribute, field in written.items():
            if isinstance(field, StrawberryField):
                _as_python_has_it(cls, attribute, field)
        frozen: Any = dataclass(frozen=True, kw_only=True, slots=True)(cls)

        def define() -> Any:
            # A frozen base would not let Strawberry's own copy be: its fields stand in the copy.
            bases = tuple(base for base in cls.__bases__ if not is_dataclass(base))
            copied = type(cls.__name__, bases, _with_inherited(cls, written))
            # A name that only type checkers import stays a text, which Strawberry looks up when it needs it.
            with suppress(NameError):
                hints = get_type_hints(copied, include_extras=True)
                copied.__annotations__ = {attribute: hints[attribute] for attribute in copied.__annotations__}
            strawberry.type(copied, description=description, name=name)
            definition = getattr(copied, DEFINITION)
            definition.interfaces = [getattr(face, DEFINITION) for face in implements]
            # Nothing holds on to the copy.
            definition.origin = frozen
            for field in definition.fields:
                field.origin = frozen if field.origin is copied else field.origin
            return definition

        setattr(frozen, DEFINITION, Definition(frozen, define))
        if kept:
            KEPT.add(frozen)
        return frozen  # type: ignore[no-any-return]

    return make


def _with_inherited(cls: type, written: Mapping[str, Any]) -> dict[str, Any]:
    """What is written in a class, behind the fields of the dataclasses that it builds on."""
    namespace: dict[str, Any] = {}
    hints: dict[str, Any] = {}
    for base in reversed(cls.__mro__[1:]):
        if "__dataclass_fields__" in vars(base):
            named = get_type_hints(base, include_extras=True)
            for field in fields(base):
                inherited = cast(StrawberryField, copy(field))
                # What the dataclass noted is a text, which means something in the base's module alone.
                inherited.type_annotation = None
                hints[field.name], namespace[field.name] = named[field.name], inherited
    return {**namespace, **written, "__annotations__": {**hints, **written.get("__annotations__", {})}}


def _as_python_has_it(cls: type, attribute: str, field: StrawberryField) -> None:
    """A computed field is its resolver, a plain one its default, if it has one."""
    if field.base_resolver is not None:
        setattr(cls, attribute, field.base_resolver.wrapped_func)
    elif field.default is MISSING:
        delattr(cls, attribute)
    else:
        setattr(cls, attribute, field.default)
