"""What is asked below a list is paid for as often as the list may be long."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_object_type,
)

from gateway.edge.cost import PriceList
from gateway.edge.graphqlcore import core_schema
from schema.words.options import MOST_CONTRACTS
from tests.house import own_schema

SCHEMA = core_schema(own_schema())
PRICES = PriceList(SCHEMA)


def is_list(kind: GraphQLOutputType) -> bool:
    return is_list_type(get_nullable_type(kind))


def below(kind: GraphQLOutputType, seen: frozenset[GraphQLObjectType]) -> Iterator[tuple[str, str, GraphQLField]]:
    """Fields that cost something of their own, and lists, on the way down; not behind a field that says how often."""
    named = get_named_type(kind)
    if not is_object_type(named) or named in seen:
        return
    for name, field in named.fields.items():
        yield named.name, name, field
        if PRICES.facts_of(named.name, name).times is None:
            yield from below(field.type, seen | {named})


def unpaid(parent: str, name: str, field: GraphQLField) -> list[str]:
    """What could be asked of every row of a list that does not say how long it may be."""
    if not is_list(field.type) or PRICES.facts_of(parent, name).times is not None:
        return []
    costs = {(kind, inner): PRICES.facts_of(kind, inner).cost for kind, inner, _ in below(field.type, frozenset())}
    return [f"{parent}.{name}: {kind}.{inner}" for (kind, inner), cost in costs.items() if cost != 0]


def test_what_is_asked_of_every_row_of_a_list_is_paid_for_as_often() -> None:
    assert SCHEMA.query_type is not None
    found = []
    for name, field in SCHEMA.query_type.fields.items():
        if PRICES.facts_of("Query", name).times is None:
            found += unpaid("Query", name, field)
            for kind, inner, nested in below(field.type, frozenset()):
                found += unpaid(kind, inner, nested)

    assert found == []


def test_a_chain_is_paid_for_as_the_longest() -> None:
    stated = PRICES.facts_of("OptionChain", "contracts")

    assert stated.times is not None
    assert (stated.cost, stated.times({})) == (0, MOST_CONTRACTS)
