"""In production no refusal names a field, argument, type or value of the schema that the document did not name."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, OperationType

from gateway.edge.errors import Refused
from gateway.edge.execute import Executor, OperationRequest, RequestFacts
from gateway.edge.limits import EdgeSettings
from tests.house import own_schema

WORD = re.compile(r"\w+")
BUILT_IN = frozenset(
    ["Query", "Mutation", "Subscription", "String", "Int", "Float", "Boolean", "ID", "skip", "include"]
)

WRONG = {
    "a field nearly right": "{ quot(symbol: 1) { price } }",
    "a nested field nearly right": '{ quote(symbol: "x") { pric } }',
    "a field of nothing like it": "{ zzz }",
    "an argument nearly right": '{ quote(symbo: "x") { price } }',
    "an argument missing": "{ quote { price } }",
    "a list of arguments missing": "{ quotes { nodes { price } } }",
    "an argument of a wrong type": "{ quote(symbol: 7) { price } }",
    "a value that is none of an enumeration": '{ quote(symbol: "x", assetClass: CRYPT) { price } }',
    "a text for an enumeration": '{ quote(symbol: "x", assetClass: "CRYPTO") { price } }',
    "an input field nearly right": '{ quote(symbol: "x", route: {provider: ["okx"]}) { price } }',
    "an input field of a wrong type": '{ quote(symbol: "x", route: {timeoutMs: "soon"}) { price } }',
    "no selection": '{ quote(symbol: "x") }',
    "a selection of a leaf": '{ quote(symbol: "x") { price { value } } }',
    "a fragment on a type nearly right": "{ ...F } fragment F on Quer { __typename }",
    "a fragment on a type that is none": '{ quote(symbol: "x") { ... on Quot { price } } }',
    "a fragment on a leaf": '{ quote(symbol: "x") { ... on String { price } } }',
    "a fragment that can never apply": '{ quote(symbol: "x") { ... on Query { __typename } } }',
    "a variable of a type nearly right": "query ($r: RouteInpu) { __typename }",
    "a variable of a type for answers": "query ($r: Query) { __typename }",
    "a variable where another type belongs": "query ($s: Int) { quote(symbol: $s) { price } }",
    "a directive nearly right": "{ __typename @skp(if: true) }",
    "an argument of a directive nearly right": "{ __typename @skip(iff: true) }",
    "a directive without its argument": "{ __typename @skip }",
    "a mutation nearly right": "mutation { apiKeyCreat(input: {}) { apiKey { id } } }",
    "an input without its fields": "mutation { apiKeyCreate(input: {}) { userErrors { message } } }",
    "a subscription nearly right": "subscription { quot { price } }",
    "two fields that conflict": '{ a: quote(symbol: "x") { price } a: quote(symbol: "y") { price } }',
    "introspection": "{ __schema { types { name } } }",
    "introspection of a type": '{ __type(name: "Quote") { name } }',
}
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|; its values are .*")


@cache
def schema() -> Any:
    return own_schema()


@cache
def names() -> frozenset[str]:
    """Everything in the schema that has a name."""
    found: set[str] = set()
    for kind in schema()._schema.type_map.values():
        found.add(kind.name)
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            found.update(kind.fields)
            for field in kind.fields.values():
                found.update(getattr(field, "args", None) or ())
        if isinstance(kind, GraphQLEnumType):
            found.update(kind.values)
    return frozenset(found)


def told_by(query: str, *, development: bool = False) -> str:
    settings = EdgeSettings(development=development)
    executor = Executor(schema(), settings=settings, context_for=lambda facts, principal: None)
    with pytest.raises(Refused) as refused:
        executor.prepare(OperationRequest(query=query), frozenset(OperationType))
    return "\n".join(error["message"] for error in refused.value.errors)


@pytest.mark.parametrize("what", WRONG)
def test_no_suggestion_is_made_in_production(what):
    assert "Did you mean" not in told_by(WRONG[what])


@pytest.mark.parametrize("what", WRONG)
def test_no_name_is_told_that_the_document_does_not_hold(what):
    message = told_by(WRONG[what])

    quoted = " ".join(QUOTED.findall(message))
    leaked = {word for word in WORD.findall(quoted) if word in names()} - set(WORD.findall(WRONG[what])) - BUILT_IN
    types = {word for word in WORD.findall(message) if word in names() and word[0].isupper()}
    assert leaked == set()
    assert types - set(WORD.findall(WRONG[what])) - BUILT_IN == set()


def test_in_development_suggestions_are_made():
    assert "Did you mean" in told_by("{ quot(symbol: 1) { price } }", development=True)


UNFIT: dict[str, tuple[str, dict[str, Any]]] = {
    "a missing variable": ("query ($s: String!) { quote(symbol: $s) { price } }", {}),
    "an input field nearly right": (
        'query ($r: RouteInput) { quote(symbol: "x", route: $r) { price } }', {"r": {"provider": ["okx"]}},
    ),
    "a value that is none of an enumeration": (
        'query ($c: AssetClass) { quote(symbol: "x", assetClass: $c) { price } }', {"c": "CRYPT"},
    ),
    "an input without its fields": (
        "mutation ($i: ApiKeyCreateInput!) { apiKeyCreate(input: $i) { userErrors { message } } }", {"i": {}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", UNFIT)
async def test_no_name_is_told_for_variables_that_do_not_fit(what):
    query, variables = UNFIT[what]
    executor = Executor(schema(), settings=EdgeSettings(), context_for=lambda facts, principal: None)

    result = await executor.execute(
        OperationRequest(query=query, variables=variables), RequestFacts(request_id="r", transport="http")
    )

    assert result.errors is not None
    message = "\n".join(error["message"] for error in result.errors)
    quoted = set(WORD.findall(" ".join(QUOTED.findall(message))))
    assert (result.executed, {error["extensions"]["code"] for error in result.errors}) == (False, {"BAD_USER_INPUT"})
    assert {word for word in quoted if word in names()} - set(WORD.findall(query + repr(variables))) - BUILT_IN == set()
    assert "Did you mean" not in message
