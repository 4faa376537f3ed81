"""Variables and batches that would cost too much are refused before anything walks through them."""

from __future__ import annotations

import orjson
import pytest

from gateway.edge.errors import Refused
from gateway.edge.limits import EdgeSettings, check_variables

SETTINGS = EdgeSettings()
HELLO = "query ($n: String) { hello(name: $n) }"


def deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


WIDE = {
    "a list of 20,000": ({"n": ["x"] * 20_000}, "variables"),
    "20,000 variables": ({f"v{n}": 1 for n in range(20_000)}, "variables"),
    "lists of lists": ({"n": [["x"] * 100 for _ in range(200)]}, "variables"),
    "nested deeply": ({"n": deep(500)}, "variableDepth"),
}


@pytest.mark.parametrize("name", WIDE)
async def test_wide_and_deep_variables_are_refused_by_name_and_nothing_runs(name, connect, world):
    variables, limit = WIDE[name]

    answer = await connect().post("/graphql", json={"query": HELLO, "variables": variables})

    [error] = answer.json()["errors"]
    assert (error["extensions"]["code"], error["extensions"]["limit"]) == ("LIMIT_EXCEEDED", limit)
    assert world.calls == []


async def test_what_is_not_read_of_the_variables_counts_too(connect, world):
    answer = await connect().post("/graphql", json={"query": "{ hello }", "variables": {"unused": [1] * 20_000}})

    assert answer.json()["errors"][0]["extensions"]["limit"] == "variables"
    assert world.calls == []


def test_the_walk_stops_at_the_first_value_too_many():
    class Counted(list[int]):
        visited = 0

        def __iter__(self):
            Counted.visited += 1
            return super().__iter__()

    lists = [Counted([1] * 1_000) for _ in range(1_000)]

    with pytest.raises(Refused):
        check_variables({"n": lists}, SETTINGS)

    assert Counted.visited <= SETTINGS.max_variables // 1_000


@pytest.mark.parametrize("variables", [None, {}, {"n": "x"}, {"n": ["x"] * 5_000}, {"n": deep(15)}])
def test_ordinary_variables_fit(variables):
    check_variables(variables, SETTINGS)


async def test_the_documents_of_a_batch_have_one_bound_together(connect, world):
    items = [{"query": f"query Q{n} {{" + ' hello(name: "x")' * 190 + " hello" * 1_000 + "}"} for n in range(10)]

    refused = await connect().post(
        "/graphql", content=orjson.dumps(items), headers={"content-type": "application/json"}
    )

    [error] = refused.json()["errors"]
    assert (error["extensions"]["code"], error["extensions"]["limit"]) == ("LIMIT_EXCEEDED", "batchTokens")
    assert world.calls == []


async def test_one_document_ten_times_counts_once(connect):
    document = "{" + " ".join(f"a{n}: hello" for n in range(200)) + "}"

    answer = await connect().post("/graphql", json=[{"query": document}] * 10)

    assert [len(each["data"]) for each in answer.json()] == [200] * 10
