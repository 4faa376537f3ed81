"""Prices: what an operation costs and needs is known before it runs, and is what a plain recount says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
import strawberry
from graphql import (
    FragmentDefinitionNode,
    GraphQLSchema,
    OperationDefinitionNode,
    get_argument_values,
    get_named_type,
    get_variable_values,
    parse,
)
from graphql.execution.collect_fields import FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.edge.cost import MissingFacts, Price, PriceList
from gateway.edge.documents import Document, DocumentReader
from gateway.edge.execute import ANY_OPERATION
from gateway.edge.limits import EdgeSettings
from schema.scopes import Scope
from tests.gateway.edge.shop import Coin, Mutation, Query, Share

SCHEMA: GraphQLSchema = strawberry.Schema(Query, Mutation, types=[Coin, Share])._schema
PRICES = PriceList(SCHEMA)


def read(source: str) -> Document:
    reader = DocumentReader(SCHEMA, EdgeSettings(introspection=True))
    return reader.read(source, None, ANY_OPERATION)


def price(source: str, variables: dict[str, Any] | None = None) -> Price:
    document = read(source)
    return PRICES.price(document, document.operations[0], variables)


def test_a_field_costs_its_points_and_an_operation_at_least_one():
    assert price("{ dear }").cost == 50
    assert price("{ free }").cost == 1
    assert price("{ __typename }").cost == 1


def test_what_is_below_a_page_counts_as_often_as_the_page_is_long():
    found = price("{ coins(first: 5) { price candles(last: 300) peers(first: 3) { price } } }")

    assert found.cost == 1 + 5 * (1 + 4 + 3)


def test_defaults_are_filled_in():
    assert price("{ coins { price } }").cost == 21


def test_variables_are_put_in_and_their_defaults_too():
    source = "query ($n: Int = 3) { coins(first: $n) { price } }"

    assert [price(source, given).cost for given in ({}, {"n": 10}, {"n": 0})] == [4, 11, 1]


def test_points_are_told_by_root_field():
    found = price("{ a: plain b: plain coins(first: 2) { price } free }")

    assert found.fields == {"plain": 2, "coins": 3, "free": 0}
    assert found.cost == 5


def test_the_same_key_selected_twice_counts_once_and_its_selections_are_merged():
    source = "{ coin { price } coin { price name } ...More } fragment More on Query { coin { candles(last: 100) } }"

    assert price(source).cost == 1 + 1 + 2


def test_another_key_is_another_field():
    assert price("{ coin { price again: price } other: coin { price } }").cost == 5


@pytest.mark.parametrize(
    ("directive", "cost", "needs"),
    [
        ("@skip(if: true)", 1, set()),
        ("@skip(if: false)", 50, {Scope.MARKET_READ}),
        ("@include(if: true)", 50, {Scope.MARKET_READ}),
        ("@include(if: false)", 1, set()),
        ("@skip(if: true) @include(if: true)", 1, set()),
    ],
)
def test_a_skipped_field_costs_and_needs_nothing(directive, cost, needs):
    found = price(f"{{ free dear {directive} }}")

    assert (found.cost, set(found.needs)) == (cost, needs)


def test_directives_follow_the_variables_of_each_run():
    document = read("query ($all: Boolean!) { free ... on Query @include(if: $all) { dear } }")
    operation = document.operations[0]

    found = [PRICES.price(document, operation, {"all": wanted}) for wanted in (True, False, True)]

    assert [each.cost for each in found] == [50, 1, 50]
    assert found[0] is found[2]


def test_of_an_abstract_type_the_dearest_kind_is_paid_and_every_need_stands():
    found = price("{ thing { id ... on Coin { candles(last: 900) history } ... on Share { dividend } } }")

    assert found.cost == 1 + 10
    assert found.needs == {Scope.AUDIT_READ: "thing.history", Scope.BILLING_READ: "thing.dividend"}


def test_a_need_is_told_with_the_first_field_that_has_it():
    found = price("{ free coin { peers { history } history } plain }")

    assert found.needs == {Scope.MARKET_READ: "coin", Scope.AUDIT_READ: "coin.peers.history"}


def test_a_field_for_people_only_is_named():
    assert price("{ free own }").person == "own"
    assert price("{ free }").person is None


def test_calls_of_a_root_field_are_counted_under_all_their_keys():
    found = price('{ a: login(name: "x") b: login(name: "y") login free }')

    assert {name: asked.times for name, asked in found.asked.items()} == {"login": 3, "free": 1}


def test_introspection_costs_a_point_whatever_is_below_it():
    assert price("{ __schema { types { name fields { name args { name } } } } }").cost == 1


def test_malformed_variables_cost_the_least_for_nothing_will_run():
    source = "query ($n: Int!) { coins(first: $n) { price } dear }"

    assert [price(source, given).cost for given in ({"n": "many"}, {}, {"n": 2})] == [1, 1, 53]


def test_a_nested_argument_that_breaks_costs_a_point_and_the_rest_its_price():
    found = price("query ($n: Int) { coins(first: $n) { price } dear }", {"n": None})

    assert found.cost == 51


def test_an_operation_without_variables_is_worked_out_once():
    document = read("{ coins(first: 3) { price } }")

    found = [PRICES.price(document, document.operations[0], None) for _ in range(2)]

    assert found[0] is found[1]


def test_each_operation_of_a_document_has_its_own_price():
    reader = DocumentReader(SCHEMA, EdgeSettings())
    document = reader.read("query A { dear } query B { plain }", "A", ANY_OPERATION)

    assert [PRICES.price(document, each, None).cost for each in document.operations] == [50, 1]


def test_choices_of_switches_are_kept_within_a_bound():
    names = "abcdefg"
    declared = ", ".join(f"${n}: Boolean!" for n in names)
    document = read(f"query ({declared}) {{ free {' '.join(f'{n}: plain @skip(if: ${n})' for n in names)} }}")
    operation = document.operations[0]

    found = [
        PRICES.price(document, operation, {n: bool(number >> place & 1) for place, n in enumerate(names)}).cost
        for number in range(2 ** len(names))
    ]

    assert found == [max(1, 7 - number.bit_count()) for number in range(2 ** len(names))]
    (kept,) = document.notes.values()
    assert len(kept.tariffs) <= 32


def test_a_selection_below_nested_interfaces_is_worked_out_once_for_each_kind():
    source = "{ thing { ...T } } fragment T on Thing { id ... on Coin { " + "peers(first: 1) { " * 8
    source += "price" + " }" * 8 + " } }"

    assert price(source).cost == 2


def test_a_root_field_without_facts_stops_the_start():
    @strawberry.type(name="Query")
    class Bare:
        quote: str = "x"
        depth: str = "y"

    with pytest.raises(MissingFacts) as caught:
        PriceList(strawberry.Schema(Bare)._schema)

    assert str(caught.value) == (
        "Query.quote, Query.depth: give each `metadata=facts(…)` (schema/facts.py), so that it has a cost and a need"
    )


# --- The same as a plain recount, which collects fields with the executor's own functions


@dataclass
class Recount:
    """Walks every possible answer, without any memory."""

    document: Document
    values: VariableValues
    needs: set[Scope] = field(default_factory=set)

    def __post_init__(self) -> None:
        found = [d for d in self.document.tree.definitions if isinstance(d, FragmentDefinitionNode)]
        self.fragments = {d.name.value: FragmentDetails(d) for d in found}
        self.operation = self.document.operations[0]

    def cost(self) -> int:
        root = SCHEMA.get_root_type(self.operation.operation)
        assert root is not None
        grouped = collect_fields(SCHEMA, self.fragments, self.values, root, self.operation).grouped_field_set
        return max(1, sum(self.field(root, details) for details in grouped.values()))

    def field(self, parent: Any, details: Any) -> int:
        name = details[0].node.name.value
        if name == "__typename":
            return 0
        found = parent.fields[name]
        stated = PRICES.facts_of(parent.name, name)
        if stated.needs:
            self.needs.add(stated.needs)
        arguments = get_argument_values(found, details[0].node, self.values)
        own = stated.cost if isinstance(stated.cost, int) else stated.cost(arguments)
        times = 1 if stated.times is None else stated.times(arguments)
        kind = get_named_type(found.type)
        kinds = SCHEMA.get_possible_types(kind) if kind.name == "Thing" else [kind]
        below = [self.below(each, details) for each in kinds if hasattr(each, "fields")]
        return own + times * max(below, default=0)

    def below(self, kind: Any, details: Any) -> int:
        grouped = collect_subfields(SCHEMA, self.fragments, self.values, self.operation, kind, details)
        return sum(self.field(kind, each) for each in grouped.grouped_field_set.values())


def switched() -> st.SearchStrategy[str]:
    return st.sampled_from(["", "", "", " @skip(if: $s)", " @include(if: $s)", " @include(if: $t)", " @skip(if: true)"])


def amount() -> st.SearchStrategy[str]:
    return st.sampled_from(["$n", "$m", "0", "1", "7", "100"])


COIN_LEAVES = st.sampled_from(["price", "name", "again: price", "history", "__typename", "...OfCoin"])
CANDLES = st.builds("c{0}: candles(last: {0}){1}".format, st.sampled_from(["0", "150", "900"]), switched())
LEAF = st.builds("{}{}".format, COIN_LEAVES, switched()) | CANDLES | st.just("d: candles(last: $n)")


def coin_fields() -> st.SearchStrategy[str]:
    def deeper(inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        block = st.lists(inside, min_size=1, max_size=3).map(" ".join)
        return st.one_of(
            st.builds("p{0}: peers(first: {0}) {{ {1} }}".format, st.sampled_from(["0", "2", "5"]), block),
            st.builds("q: peers(first: $m){} {{ {} }}".format, switched(), block),
            st.builds("... on Coin{} {{ {} }}".format, switched(), block),
            st.builds("... on Thing {{ id ... on Share {{ dividend }} ... on Coin {{ {} }} }}".format, block),
        )

    return st.recursive(LEAF, deeper, max_leaves=8)


def documents() -> st.SearchStrategy[str]:
    block = st.lists(coin_fields(), min_size=1, max_size=4).map(" ".join)
    root = st.one_of(
        st.sampled_from(["free", "plain", "dear", "x: plain", "__typename", "...OfQuery"]),
        st.builds("coins(first: $n){} {{ {} }}".format, switched(), block),
        st.builds("coin{} {{ {} }}".format, switched(), block),
        st.builds("thing {{ id ... on Coin{} {{ {} }} ... on Share {{ dividend }} }}".format, switched(), block),
        st.builds("... on Query{} {{ coin {{ {} }} }}".format, switched(), block),
    )
    spread = st.lists(coin_fields().filter(lambda text: "..." not in text), min_size=1, max_size=2).map(" ".join)
    return st.builds(
        "query ($n: Int! = 3, $m: Int! = 2, $s: Boolean! = false, $t: Boolean! = true) {{ {} }} "
        "fragment OfCoin on Coin {{ name {} }} fragment OfQuery on Query {{ coin {{ price }} dear }}".format,
        st.lists(root, min_size=1, max_size=5).map(" ".join), spread,
    )  # fmt: skip


FIRST = st.integers(0, 50)


@given(documents(), FIRST, FIRST, st.booleans(), st.booleans())
@example(
    "query ($n: Int!, $m: Int!, $s: Boolean!, $t: Boolean!) { coins(first: $n) { q: peers(first: $m) { price } } }",
    4, 5, False, True,
)  # fmt: skip
def test_a_price_is_what_a_plain_recount_says_and_grows_with_the_page(source, n, m, s, t):
    tree = parse(source)
    operation = tree.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    document = Document(hash=source, length=len(source), tokens=1, tree=tree, operations=(operation,))

    def priced(first: int) -> Price:
        return PRICES.price(document, operation, {"n": first, "m": m, "s": s, "t": t})

    values = get_variable_values(SCHEMA, operation.variable_definitions or (), {"n": n, "m": m, "s": s, "t": t})
    assert isinstance(values, VariableValues)
    recount = Recount(document, values)

    found = priced(n)

    assert (found.cost, set(found.needs)) == (recount.cost(), recount.needs)
    assert 1 <= found.cost <= priced(n + 1).cost
