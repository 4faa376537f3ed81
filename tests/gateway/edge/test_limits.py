"""Documents that would cost too much are refused before validation, ordinary ones fit."""

from __future__ import annotations

import pytest
import strawberry
from graphql import get_introspection_query, parse
from strawberry.tools import create_type

from gateway.edge.errors import Refused
from gateway.edge.limits import EdgeSettings, check_document, check_source

SETTINGS = EdgeSettings()


def weigh(query: str) -> None:
    check_source(query, SETTINGS)
    check_document(parse(query), SETTINGS)


def nested(depth: int) -> str:
    return "{ row " + "{ child " * (depth - 2) + "{ number }" + "}" * (depth - 1)


def rows(count: int) -> str:
    return "{" + " ".join(f"a{number}: row {{ number }}" for number in range(count)) + "}"


def laughs(levels: int, width: int) -> str:
    """Fragments that expand to width ** levels fields."""
    parts = [f"query {{ row {{ ...F{levels} }} }} fragment F0 on Row {{ number }}"]
    for level in range(1, levels + 1):
        spreads = " ".join(f"f{i} {{ ...F{level - 1} }}" for i in range(width))
        parts.append(f"fragment F{level} on Row {{ {spreads} }}")
    return " ".join(parts)


def woven(count: int, width: int) -> str:
    """Fragments that each spread so many of the others: validation compares them all pairwise."""
    parts = ["{ row { ...F0 } }"]
    for number in range(count):
        spreads = " ".join(f"...F{other}" for other in range(number + 1, min(number + 1 + width, count)))
        parts.append(f"fragment F{number} on Row {{ number {spreads} }}")
    return " ".join(parts)


TOO_MUCH = {
    "100 fragments that spread 30 others each": (woven(100, 30), "fragmentSpreads"),
    "60 fragments that spread 10 others each": (woven(60, 10), "fragmentSpreads"),
    "10,000 aliases": ("{" + " ".join(f"a{n}: hello" for n in range(10_000)) + "}", "tokens"),
    "501 aliases": ("{ row {" + " ".join(f"a{n}: number" for n in range(501)) + "} }", "aliases"),
    "251 root fields": (rows(251), "rootFields"),
    "depth 1,000": (nested(1_000), "depth"),
    "depth 21": (nested(21), "depth"),
    "depth through fragments": (
        "{ row { ...F10 } } fragment F0 on Row { child { number } } "
        + " ".join(f"fragment F{n} on Row {{ child {{ child {{ ...F{n - 1} }} }} }}" for n in range(1, 11)),
        "depth",
    ),
    "3,000 equal fields": ("{" + " hello" * 3_000 + "}", "duplicates"),
    "500 equal objects": ("{" + " row { number child { number } }" * 500 + "}", "duplicates"),
    "equal fields in a fragment nobody uses": (
        "{ hello } fragment F on Query {" + " row { number }" * 500 + "}",
        "duplicates",
    ),
    "equal fields below equal objects": ("{" + (" row {" + " number" * 60 + "}") * 4 + "}", "duplicates"),
    "1,000 directives": ("{ hello" + " @include(if: true)" * 1_000 + "}", "directives"),
    "expanding fragments": (laughs(8, 6), "selections"),
    "10,000 symbols": ("{ hello(name: [" + ",".join('"S"' for _ in range(10_000)) + "]) }", "tokens"),
    "100,000 brackets": ("{ hello(name: " + "[" * 100_000, "tokens"),
    "667 input fields": ("{ hello(name: {" + " a: 1" * 667 + "}) }", "argumentTokens"),
    "arguments that never end": ("{ hello(name: [" + "1 " * 2_000, "argumentTokens"),
    "400 variables with defaults": ("query (" + "$v: Int = 1 " * 400 + ") { hello }", "argumentTokens"),
    "10,000 comments": ("# x\n" * 10_000 + "{ hello }", "tokens"),
    "half a megabyte of commas": ("{ hello" + "," * 500_000 + "}", "bytes"),
    "half a megabyte of white space": ("{ hello" + " \n" * 250_000 + "}", "bytes"),
    "half a megabyte of one comment": ("{ hello #" + "x" * 500_000 + "\n}", "bytes"),
    "100 kB of letters of two bytes": ('{ hello(name: "' + "é" * 60_000 + '") }', "bytes"),
    "51 operations": (" ".join(f"query Q{n} {{ hello }}" for n in range(51)), "operations"),
    "201 fragments": ("{ hello }" + " ".join(f"fragment F{n} on Query {{ hello }}" for n in range(201)), "fragments"),
    "aliases in a fragment": (
        "{ ...F } fragment F on Query {" + " ".join(f"a{n}: hello" for n in range(501)) + "}",
        "aliases",
    ),
    "aliases in fragments that multiply": (
        "{"
        + " ".join(f"r{n}: row {{ ...F }}" for n in range(60))
        + "} fragment F on Row {"
        + " ".join(f"a{n}: number" for n in range(10))
        + "}",
        "aliases",
    ),
    "directives of a variable": ("query ($v: Int" + " @skip(if: true)" * 251 + ") { hello }", "directives"),
    "directives in a fragment": (
        "{ ...F } fragment F on Query { hello" + " @skip(if: false)" * 251 + "}",
        "directives",
    ),
}


@pytest.mark.parametrize("name", TOO_MUCH)
async def test_a_document_beyond_a_limit_is_refused_by_its_name(name, connect, world):
    query, limit = TOO_MUCH[name]
    client = connect()

    answer = await client.post(
        "/graphql", json={"query": query}, headers={"accept": "application/graphql-response+json"}
    )

    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert (error["extensions"]["code"], error["extensions"]["limit"]) == ("LIMIT_EXCEEDED", limit)
    assert world.calls == []
    assert (await client.post("/graphql", json={"query": "{ hello }"})).json()["data"] == {"hello": "hello world"}


UNPARSED = ("501 aliases", "3,000 equal fields", "1,000 directives", "667 input fields", "depth 1,000")


@pytest.mark.parametrize("name", UNPARSED)
def test_what_one_scan_finds_is_never_parsed(name):
    query, limit = TOO_MUCH[name]

    with pytest.raises(Refused) as refused:
        check_source(query, SETTINGS)

    assert refused.value.errors[0]["extensions"]["limit"] == limit


@pytest.mark.parametrize("name", TOO_MUCH)
def test_no_document_beyond_a_limit_reaches_validation(name):
    query, limit = TOO_MUCH[name]

    with pytest.raises(Refused) as refused:
        weigh(query)

    assert refused.value.errors[0]["extensions"]["limit"] == limit


FITTING = {
    "the deepest": nested(20),
    "250 root fields": rows(250),
    "500 aliases": "{ row {" + " ".join(f"a{n}: number" for n in range(500)) + "} }",
    "a watchlist of 250 wide quotes": "{"
    + " ".join(f"a{n}: row {{ {' '.join('abcdefghijkl')} }}" for n in range(250))
    + "}",
    "introspection": get_introspection_query(specified_by_url=True, input_value_deprecation=True),
    "100 components that each ask for the same": "{ row {" + " ...F" * 100 + "} } fragment F on Row { number }",
    "250 quotes with a variable each": "query ("
    + " ".join(f"$v{n}: String!" for n in range(250))
    + ") {"
    + " ".join(f"a{n}: hello(name: $v{n})" for n in range(250))
    + "}",
    "one name in many places that are no fields of one selection": "{"
    + " ".join(f"row{n}: row {{ number row: number ...row @include(if: true) }}" for n in range(240))
    + "} fragment row on row { number }",
    "equal names behind a comment": "{" + " ".join(f"a{n}: # hello\n hello" for n in range(240)) + "}",
    "braces in arguments": "{ hello(name: " + "{a: " * 50 + "1" + "}" * 50 + ") }",
    "braces and tokens in strings": '{ hello(name: "' + "{ a b c " * 5_000 + '") }',
    "a block string": '{ hello(name: """' + '{ "a" \\""" ' * 5_000 + '""") }',
}


@pytest.mark.parametrize("name", FITTING)
def test_an_ordinary_document_fits(name):
    weigh(FITTING[name])


@pytest.mark.parametrize(
    "query",
    [
        "{ row { ...A } } fragment A on Row { child { ...A } }",
        "{ row { ...A } } fragment A on Row { child { ...B } } fragment B on Row { child { ...A } }",
        "{ row { ...A } } fragment A on Row { ...A number }",
        "{ hello } fragment A on Row { child { a: child { ...A } b: child { ...A } } }",
    ],
)
async def test_a_circular_fragment_is_named(query, connect):
    answer = await connect().post("/graphql", json={"query": query})

    codes = {error["extensions"]["code"] for error in answer.json()["errors"]}
    assert codes == {"GRAPHQL_VALIDATION_FAILED"}
    assert "Cannot spread fragment 'A' within itself" in answer.json()["errors"][0]["message"]


def test_a_fragment_used_at_two_depths_is_no_circle():
    query = "{ row { child { ...F } ...F } } fragment F on Row { child { number } }"

    weigh(query)


HOSTILE = {
    "quotes": ('"' * 200_000, True),
    "escaped block quotes": ('"""\\' * 20_000, False),
    "back slashes": ('"""' + "\\" * 90_000, False),
    "hashes": ("#" * 90_000, False),
    "digits": ("9" * 200_000, True),
    "dots": ("." * 7_000, False),
    "brackets": ("[" * 200_000, True),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_text_is_scanned_once_and_refused(name, connect):
    """A pattern that tries each character again at every other one would take minutes here."""
    text, too_many = HOSTILE[name]

    answer = await connect().post("/graphql", json={"query": text})

    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == ("LIMIT_EXCEEDED" if too_many else "GRAPHQL_PARSE_FAILED")


async def test_the_full_introspection_of_a_thousand_types_is_answered(connect):
    fields = []
    for number in range(1_000):
        leaf = strawberry.field(resolver=lambda: 1, graphql_type=int)
        made = create_type(f"Kind{number}", [_named(leaf, "value")])
        fields.append(_named(strawberry.field(resolver=lambda: None, graphql_type=made | None), f"kind{number}"))
    schema = strawberry.Schema(query=create_type("Query", fields))

    answer = await connect(schema=schema, introspection=True).post(
        "/graphql", json={"query": get_introspection_query()}
    )

    names = {kind["name"] for kind in answer.json()["data"]["__schema"]["types"]}
    assert {f"Kind{number}" for number in range(1_000)} <= names


def _named(made, name: str):
    made.python_name = name
    return made


def test_twenty_fragments_that_spread_all_the_others_fit() -> None:
    weigh(woven(20, 20))
