"""The one place that reaches below Strawberry, to graphql-core's schema (docs/adr/0011-compiled-selections.md)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

import strawberry
from graphql import GraphQLSchema

T = TypeVar("T")


def core_schema(schema: strawberry.Schema) -> GraphQLSchema:
    """What Strawberry built; it has no public name."""
    found: GraphQLSchema = schema._schema
    return found


def once_a_schema(find: Callable[[GraphQLSchema], T]) -> Callable[[GraphQLSchema], T]:
    """What is found in a schema, which never changes once it is built. It must not hold on to the schema."""
    known: WeakKeyDictionary[GraphQLSchema, T] = WeakKeyDictionary()

    @wraps(find)
    def found(schema: GraphQLSchema) -> T:
        if schema not in known:
            known[schema] = find(schema)
        return known[schema]

    return found
