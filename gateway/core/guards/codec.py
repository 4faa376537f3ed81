"""Values as plain ones and back, exactly: compiled from the fields of their types, checked on the way in."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec

from schema.provenance import Provenance

PLAIN = (str, int, bool, float, Decimal, datetime, date, timedelta)


class Stamps:
    """The provenances of one frame, each written once: items that shared one share it again."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.read: list[Provenance] = []
        self._at: dict[int, int] = {}

    def write(self, provenance: Provenance) -> int:
        """Its number."""
        at = self._at.get(id(provenance))
        if at is None:
            row = STAMP.pack(provenance, self)
            at = self._at[id(provenance)] = len(self.rows)
            self.rows.append(row)
        return at

    def load(self, rows: list[Any]) -> None:
        """The provenances of a frame, in the order of their numbers."""
        for row in rows:
            self.read.append(STAMP.unpack(row, self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How values of one type travel. `plain` means that they go as they are; `told` describes the type to the end."""

    wire: Any
    told: str
    pack: Callable[[Any, Stamps], Any]
    unpack: Callable[[Any, Stamps], Any]
    plain: bool = False


def plan(kind: Any) -> Plan:
    """TypeError for a type that has no exact form on the wire."""
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return plan(typing.get_args(kind)[0])
    if isinstance(kind, typing.NewType):
        return plan(kind.__supertype__)
    if kind is Provenance:
        return Plan(
            wire=int, told="stamp", pack=lambda value, stamps: stamps.write(value),
            unpack=lambda row, stamps: stamps.read[row],
        )  # fmt: skip
    if origin in (typing.Union, types.UnionType):
        return _optional(typing.get_args(kind), kind)
    if origin in (tuple, list):
        return _rows(kind, origin)
    if isinstance(kind, type) and is_dataclass(kind):
        return _record(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _same(kind, f"{kind.__name__}({','.join(str(each.value) for each in kind)})")
    if kind in PLAIN:
        return _same(kind, kind.__name__)
    raise TypeError(f"{kind!r} has no form on the wire")


def _same(kind: Any, told: str) -> Plan:
    return Plan(wire=kind, told=told, pack=lambda v, _: v, unpack=lambda v, _: v, plain=True)


def _optional(parts: tuple[Any, ...], kind: Any) -> Plan:
    given = [part for part in parts if part is not type(None)]
    if len(given) != 1 or len(parts) != 2:
        raise TypeError(f"{kind!r} may be several things")
    inner = plan(given[0])
    wire = inner.wire | None if not isinstance(inner.wire, str) else inner.wire
    if inner.plain:
        return _same(wire, f"{inner.told}?")
    return Plan(
        wire=wire, told=f"{inner.told}?",
        pack=lambda v, stamps: None if v is None else inner.pack(v, stamps),
        unpack=lambda v, stamps: None if v is None else inner.unpack(v, stamps),
    )  # fmt: skip


def _rows(kind: Any, origin: Any) -> Plan:
    parts = typing.get_args(kind)
    if not parts or (origin is tuple and (len(parts) != 2 or parts[1] is not Ellipsis)):
        raise TypeError(f"{kind!r} does not say what its rows are")
    inner = plan(parts[0])
    told, wire = f"[{inner.told}]", (tuple[inner.wire, ...] if origin is tuple else list[inner.wire])  # type: ignore[name-defined]
    if inner.plain:
        return _same(wire, told)
    return Plan(
        wire=wire, told=told, pack=lambda v, stamps: [inner.pack(each, stamps) for each in v],
        unpack=lambda v, stamps: origin(inner.unpack(each, stamps) for each in v),
    )  # fmt: skip


@lru_cache(maxsize=256)
def _record(kind: type) -> Plan:
    hints = typing.get_type_hints(kind)
    names = [each.name for each in fields(kind) if each.init]
    plans = [plan(hints[name]) for name in names]
    row = msgspec.defstruct(
        kind.__name__, [(name, each.wire) for name, each in zip(names, plans, strict=True)], array_like=True
    )
    told = f"{kind.__name__}({','.join(f'{n}:{each.told}' for n, each in zip(names, plans, strict=True))})"

    def get(value: Any) -> tuple[Any, ...]:
        return tuple(getattr(value, name) for name in names)

    def pack(value: Any, stamps: Stamps) -> Any:
        # An array shows what a class hides: a subclass has another form and must not pass for this one.
        if type(value) is not kind:
            raise TypeError(f"{type(value).__name__} is not {kind.__name__}")
        return [each.pack(part, stamps) for each, part in zip(plans, get(value), strict=True)]

    def unpack(value: Any, stamps: Stamps) -> Any:
        return kind(**{n: each.unpack(getattr(value, n), stamps) for n, each in zip(names, plans, strict=True)})

    return Plan(wire=row, told=told, pack=pack, unpack=unpack)


STAMP = _record(Provenance)


def fingerprint(told: str) -> bytes:
    """Eight bytes that change with the form of an answer or of its stamp."""
    return blake2b(f"{told} {STAMP.told}".encode(), digest_size=8).digest()


def canonical(item: Any) -> str:
    """An ask's item as text, the same in every process: its type, then its fields in their order."""
    found = plan(type(item))
    return f"{type(item).__name__}{msgspec.json.encode(found.pack(item, Stamps())).decode()}"


def read_item(kind: type, text: str) -> Any:
    """The item that `canonical` wrote; ValueError (msgspec's are such) for anything else."""
    if not text.startswith(kind.__name__):
        raise ValueError(f"not a {kind.__name__}: {text[:40]!r}")
    found = plan(kind)
    return found.unpack(msgspec.json.decode(text[len(kind.__name__) :].encode(), type=found.wire), Stamps())
