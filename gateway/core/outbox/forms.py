"""Events as text and back, exactly: JSON by the names of their fields.

Events are kept for longer than a release lives: what is read may have been written by an older one, which knew fewer
fields, or by a newer one, which knows more. A field that is missing has its default, an unknown one is passed over.
"""

from __future__ import annotations

import types
import typing
from dataclasses import fields, is_dataclass
from typing import Any

import msgspec

from schema.events import Event
from schema.provenance import Provenance


class Unreadable(ValueError):
    """A stored event whose type has changed since, other than by fields that have a default."""


def written(event: Event) -> str:
    """All fields of an event and of what it holds."""
    return msgspec.json.encode(event).decode()


def read(kind: type[Event], text: str) -> Event:
    """The event that was written; Unreadable where its type has another form now."""
    try:
        if text.startswith("["):
            return msgspec.convert(_named(kind, *msgspec.json.decode(text)), type=kind)
        return msgspec.json.decode(text, type=kind)
    except (msgspec.MsgspecError, ValueError, TypeError, IndexError) as error:
        raise Unreadable(f"{kind.name}: {error}") from None


def _named(kind: Any, row: Any, stamps: list[Any]) -> Any:
    """What was written before fields had names: each object is a list of its fields in their order, a provenance the
    number of one of *stamps*."""
    if row is None:
        return None
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _named(parts[0], row, stamps)
    if origin in (typing.Union, types.UnionType):
        return _named(next(part for part in parts if part is not type(None)), row, stamps)
    if origin in (tuple, list):
        return [_named(parts[0], each, stamps) for each in row]
    if kind is Provenance and isinstance(row, int):
        return _named(kind, stamps[row], stamps)
    if not is_dataclass(kind):
        return row
    hints = typing.get_type_hints(kind)
    names = [field.name for field in fields(kind) if field.init]
    return {name: _named(hints[name], each, stamps) for name, each in zip(names, row, strict=False)}
