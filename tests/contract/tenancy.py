"""Values for any argument of the schema, with another tenant's ids wherever an id may stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)
from strawberry.schema_directives import OneOf

MOST_AT_ONCE, MOST_SELECTED = 50, 9_000
_WORD = re.compile(r"\w+")
SAMPLES: dict[str, Any] = {
    "String": "walked",
    "Int": 1,
    "Float": 1.0,
    "Boolean": True,
    "Decimal": "1",
    "DateTime": "2026-11-20T00:00:00Z",
    "Date": "2026-11-20",
}
NAMED: dict[str, Any] = {
    "symbol": "BTC/USD",
    "symbols": ["BTC/USD"],
    "email": "walker@example.com",
    "scopes": ["market:read"],
    "provider": "kraken",
    "interval": "H1",
    "first": 5,
    "networks": ["10.0.0.0/8"],
    "origins": ["https://app.example.com"],
    "plan": "free",
    "currency": "USD",
    "base": "USD",
    "source": "USD",
    "target": "EUR",
    "depth": 5,
    "ttlSeconds": 60,
    "start": "2026-11-19T00:00:00Z",
    "since": "2026-11-19T00:00:00Z",
    "end": "2026-11-21T00:00:00Z",
    "until": "2026-11-21T00:00:00Z",
}
"""Plausible values, so that a refusal is about the tenant and not about the input."""

TYPED: dict[tuple[str, str], Any] = {
    ("start", "Date"): "2026-11-01",
    ("end", "Date"): "2026-11-19",
    ("source", "FillSource"): "QUOTES",
    ("target", "Float"): 0.1,
    ("from", "String"): "USD",
    ("to", "String"): "EUR",
    ("points", "Int"): 5,
}
"""By the name and the type."""
ALWAYS = frozenset({"quantity"})
"""What inputs need that do not say so: one of several fields."""


def takes_one(kind: GraphQLInputObjectType) -> bool:
    """Whether exactly one field of an input may be given. Strawberry tells it by a directive of its own."""
    told = kind.extensions.get("strawberry-definition")
    return kind.is_one_of or any(isinstance(each, OneOf) for each in getattr(told, "directives", ()))


def names_an_object(name: str, kind: GraphQLInputType) -> bool:
    """Whether an argument or input field takes the id of something."""
    return get_named_type(kind).name == "ID" or name in ("id", "userId", "organisationId") or name.endswith("Id")


def value_for(name: str, kind: GraphQLInputType, id: str, *, lean: bool = False) -> Any:
    """A value of the type; *id* wherever an object is named. A *lean* one has no more than that and what it must."""
    if isinstance(kind, GraphQLNonNull):
        return value_for(name, kind.of_type, id, lean=lean)
    if names_an_object(name, kind):
        return [id] if isinstance(kind, GraphQLList) else id
    if (known := (name, get_named_type(kind).name)) in TYPED:
        return TYPED[known]
    if name in NAMED:
        return NAMED[name]
    if isinstance(kind, GraphQLList):
        return [value_for(name, kind.of_type, id, lean=lean)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        fields = {n: f for n, f in kind.fields.items() if n != "idempotencyKey"}
        if takes_one(kind):
            # What names an object, where anything does.
            fields = dict(sorted(fields.items(), key=lambda field: not _deep(field[0], field[1].type))[:1])
        if lean and not takes_one(kind):
            fields = {n: f for n, f in fields.items() if is_required_input_field(f) or _deep(n, f.type) or n in ALWAYS}
        return {n: value_for(n, f.type, id, lean=lean) for n, f in fields.items()}
    return SAMPLES.get(get_named_type(kind).name, "walked")


def takes_an_object(field: GraphQLField) -> bool:
    """Whether any argument, or any field of an input, names an object."""
    return any(_deep(name, argument.type) for name, argument in field.args.items())


def _deep(name: str, kind: GraphQLInputType) -> bool:
    named = get_named_type(kind)
    if names_an_object(name, kind):
        return True
    return isinstance(named, GraphQLInputObjectType) and any(_deep(n, f.type) for n, f in named.fields.items())


def document_of(
    root: str, name: str, field: GraphQLField, ids: Sequence[str], *, lean: bool = False, bare: bool = False
) -> tuple[str, dict[str, Any]]:
    """An operation that asks one root field once with each id, as `r0`, `r1`, …, for all its leaves, four levels
    deep; a *bare* one asks for those of the first level."""
    wanted: dict[str, GraphQLArgument] = {
        n: a for n, a in field.args.items() if is_required_argument(a) or _deep(n, a.type) or n in ("first",)
    }
    chosen = selection(field, 1 if bare else 4)
    variables: dict[str, Any] = {}
    declared: list[str] = []
    asked: list[str] = []
    for number, id in enumerate(ids):
        variables |= {f"{n}{number}": value_for(n, a.type, id, lean=lean) for n, a in wanted.items()}
        declared += [f"${n}{number}: {a.type}" for n, a in wanted.items()]
        passed = _bracketed([f"{n}: ${n}{number}" for n in wanted])
        asked.append(f"r{number}: {name}{passed}{' { ...Told }' if chosen else ''}")
    told = f" fragment Told on {get_named_type(field.type).name}{chosen}" if chosen else ""
    return f"{root} Walk{_bracketed(declared)} {{ {' '.join(asked)} }}{told}", variables


def _bracketed(parts: Sequence[str]) -> str:
    return f"({', '.join(parts)})" if parts else ""


def at_once(field: GraphQLField) -> int:
    """How many times an operation may ask a field without being too large."""
    return max(1, min(MOST_AT_ONCE, MOST_SELECTED // max(1, len(_WORD.findall(selection(field, 4))))))


def selection(field: GraphQLField, depth: int) -> str:
    """`{ … }` with everything that needs no argument, or nothing for a leaf."""
    kind = get_named_type(field.type)
    if is_leaf_type(kind):
        return ""
    if not isinstance(kind, GraphQLObjectType):
        return " { __typename id }" if "id" in getattr(kind, "fields", {}) else " { __typename }"
    return " { " + " ".join(_inner(kind, depth)) + " }"


def _inner(kind: GraphQLObjectType, depth: int) -> Iterator[str]:
    yield "__typename"
    for name, field in kind.fields.items():
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        if is_leaf_type(get_named_type(field.type)):
            yield name
        elif depth > 1:
            yield name + selection(field, depth - 1)
