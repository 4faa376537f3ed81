"""The one place that reaches below Strawberry, to graphql-core's schema (docs/adr/0011-compiled-selections.md)."""

from __future__ import annotations

import strawberry
from graphql import GraphQLSchema


def core_schema(schema: strawberry.Schema) -> GraphQLSchema:
    """What Strawberry built; it has no public name."""
    found: GraphQLSchema = schema._schema
    return found
