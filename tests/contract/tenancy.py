"""Values for any argument of the schema, with another tenant's ids wherever an id may stand."""

from __future__ import annotations

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
)

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


def names_an_object(name: str, kind: GraphQLInputType) -> bool:
    """Whether an argument or input field takes the id of something."""
    return get_named_type(kind).name == "ID" or name in ("id", "userId", "organisationId") or name.endswith("Id")


def value_for(name: str, kind: GraphQLInputType, id: str) -> Any:
    """A value of the type; *id* wherever an object is named."""
    if isinstance(kind, GraphQLNonNull):
        return value_for(name, kind.of_type, id)
    if names_an_object(name, kind):
        return [id] if isinstance(kind, GraphQLList) else id
    if name in NAMED:
        return NAMED[name]
    if isinstance(kind, GraphQLList):
        return [value_for(name, kind.of_type, id)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        fields = {n: f for n, f in kind.fields.items() if n != "idempotencyKey"}
        if kind.is_one_of:
            fields = dict(list(fields.items())[:1])
        return {n: value_for(n, f.type, id) for n, f in fields.items()}
    return SAMPLES.get(get_named_type(kind).name, "walked")


def takes_an_object(field: GraphQLField) -> bool:
    """Whether any argument, or any field of an input, names an object."""
    return any(_deep(name, argument.type) for name, argument in field.args.items())


def _deep(name: str, kind: GraphQLInputType) -> bool:
    named = get_named_type(kind)
    if names_an_object(name, kind):
        return True
    return isinstance(named, GraphQLInputObjectType) and any(_deep(n, f.type) for n, f in named.fields.items())


def document_of(root: str, name: str, field: GraphQLField, id: str) -> tuple[str, dict[str, Any]]:
    """An operation that asks one root field for all its leaves, three levels deep."""
    wanted: dict[str, GraphQLArgument] = {
        n: a for n, a in field.args.items() if is_required_argument(a) or _deep(n, a.type) or n in ("first",)
    }
    variables = {n: value_for(n, a.type, id) for n, a in wanted.items()}
    declared = ", ".join(f"${n}: {a.type}" for n, a in wanted.items())
    passed = ", ".join(f"{n}: ${n}" for n in wanted)
    head = f"{root} Walk{f'({declared})' if declared else ''}"
    return f"{head} {{ {name}{f'({passed})' if passed else ''}{selection(field, 4)} }}", variables


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


def ids_of(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Every identifier in rows of tables."""
    return sorted({row["id"] for row in rows if row.get("id")})
