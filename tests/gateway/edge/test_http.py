"""The rows of the GraphQL-over-HTTP specification, one by one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
ALIVE = {"query": "{ hello }"}


@dataclass(kw_only=True)
class Row:
    name: str
    method: str = "POST"
    body: Any = None
    params: dict[str, str] | None = None
    accept: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    status: int
    media: str
    code: str | None = None
    has_data: bool = False


def both(name: str, *, strict: int, lenient: int, **row: Any) -> list[Row]:
    """One row for each media type."""
    return [
        Row(name=f"{name}, GraphQL type", accept=GRAPHQL, media=GRAPHQL, status=strict, **row),
        Row(name=f"{name}, JSON type", accept=JSON, media=JSON, status=lenient, **row),
    ]


SEVERAL = "query A { hello } query B { hello }"
REQUIRED = "query($name: String!) { hello(name: $name) }"
MUTATION = 'mutation { note(text: "x") }'
BAD, INVALID, UNPARSED = "BAD_REQUEST", "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"
UNRESOLVED, INPUT = "OPERATION_RESOLUTION_FAILURE", "BAD_USER_INPUT"

ROWS = [
    *both("query by POST", body={"query": "{ hello }"}, strict=200, lenient=200, has_data=True),
    *both("query by GET", method="GET", params={"query": "{ hello }"}, strict=200, lenient=200, has_data=True),
    *both(
        "variables by GET",
        method="GET",
        params={"query": REQUIRED, "variables": '{"name": "x"}', "operationName": ""},
        strict=200,
        lenient=200,
        has_data=True,
    ),
    *both("mutation by POST", body={"query": MUTATION}, strict=200, lenient=200, has_data=True),
    *both(
        "mutation by GET", method="GET", params={"query": MUTATION}, strict=405, lenient=405, code="METHOD_NOT_ALLOWED"
    ),
    *both(
        "field error",
        body={"query": "{ expected }"},
        strict=200,
        lenient=200,
        code="AMBIGUOUS_INSTRUMENT",
        has_data=True,
    ),
    *both(
        "data is null", body={"query": "{ brokenRequired }"}, strict=200, lenient=200, code="INTERNAL", has_data=True
    ),
    *both("syntax error", body={"query": "{"}, strict=400, lenient=200, code=UNPARSED),
    *both("empty document", body={"query": ""}, strict=400, lenient=200, code=UNPARSED),
    *both("unknown field", body={"query": "{ nothing }"}, strict=400, lenient=200, code=INVALID),
    *both("variable missing", body={"query": REQUIRED}, strict=400, lenient=200, code=INPUT),
    *both("variable null", body={"query": REQUIRED, "variables": {"name": None}}, strict=400, lenient=200, code=INPUT),
    *both("variable wrong", body={"query": REQUIRED, "variables": {"name": 7}}, strict=400, lenient=200, code=INPUT),
    *both("several operations", body={"query": SEVERAL}, strict=400, lenient=200, code=UNRESOLVED),
    *both("named operation", body={"query": SEVERAL, "operationName": "B"}, strict=200, lenient=200, has_data=True),
    *both("unknown operation", body={"query": SEVERAL, "operationName": "C"}, strict=400, lenient=200, code=UNRESOLVED),
    *both("fragments only", body={"query": "fragment F on Query { hello }"}, strict=400, lenient=200, code=UNRESOLVED),
    *both("query missing", body={"qeury": "{ hello }"}, strict=400, lenient=400, code=BAD),
    *both("query missing by GET", method="GET", params={}, strict=400, lenient=400, code=BAD),
    *both("query is null", body={"query": None}, strict=400, lenient=400, code=BAD),
    *both("query is a number", body={"query": 7}, strict=400, lenient=400, code=BAD),
    *both("query is an object", body={"query": {}}, strict=400, lenient=400, code=BAD),
    *both("query is a list", body={"query": ["{ hello }"]}, strict=400, lenient=400, code=BAD),
    *both("operationName is a number", body={**ALIVE, "operationName": 7}, strict=400, lenient=400, code=BAD),
    *both("operationName is a list", body={**ALIVE, "operationName": []}, strict=400, lenient=400, code=BAD),
    *both("operationName is false", body={**ALIVE, "operationName": False}, strict=400, lenient=400, code=BAD),
    *both("variables are a list", body={**ALIVE, "variables": [7]}, strict=400, lenient=400, code=BAD),
    *both("variables are a string", body={**ALIVE, "variables": "{}"}, strict=400, lenient=400, code=BAD),
    *both("variables are zero", body={**ALIVE, "variables": 0}, strict=400, lenient=400, code=BAD),
    *both("extensions are a string", body={**ALIVE, "extensions": "x"}, strict=400, lenient=400, code=BAD),
    *both(
        "optional parameters are null",
        body={**ALIVE, "operationName": None, "variables": None, "extensions": None},
        strict=200,
        lenient=200,
        has_data=True,
    ),
    *both("unknown parameters", body={**ALIVE, "id": 1}, strict=200, lenient=200, has_data=True),
    *both(
        "subscription by POST",
        body={"query": "subscription { ticks }"},
        strict=400,
        lenient=400,
        code="SUBSCRIPTION_NOT_SUPPORTED",
    ),
    *both("PUT", method="PUT", body=ALIVE, strict=405, lenient=405, code="METHOD_NOT_ALLOWED"),
    *both("DELETE", method="DELETE", strict=405, lenient=405, code="METHOD_NOT_ALLOWED"),
    Row(name="no Accept", body=ALIVE, status=200, media=JSON, has_data=True),
    Row(name="empty Accept", accept="", body=ALIVE, status=200, media=JSON, has_data=True),
    Row(name="any Accept", accept="*/*", body=ALIVE, status=200, media=JSON, has_data=True),
    Row(name="any application", accept="application/*", body=ALIVE, status=200, media=JSON, has_data=True),
    Row(name="equal weights", accept=f"{JSON}, {GRAPHQL}", body=ALIVE, status=200, media=GRAPHQL, has_data=True),
    Row(name="JSON preferred", accept=f"{GRAPHQL};q=0.5, {JSON}", body=ALIVE, status=200, media=JSON, has_data=True),
    Row(
        name="with charset",
        accept=f"{GRAPHQL}; charset=utf-8, {JSON}; charset=utf-8",
        body=ALIVE,
        status=200,
        media=GRAPHQL,
        has_data=True,
    ),
    Row(
        name="GraphQL type before anything",
        accept=f"{GRAPHQL}, */*;q=0.1",
        body=ALIVE,
        status=200,
        media=GRAPHQL,
        has_data=True,
    ),
    Row(name="anything but JSON", accept=f"{JSON};q=0, */*", body=ALIVE, status=200, media=GRAPHQL, has_data=True),
    Row(name="HTML only", accept="text/html", body=ALIVE, status=406, media=JSON, code="NOT_ACCEPTABLE"),
    Row(name="nonsense weight", accept=f"{JSON};q=x", body=ALIVE, status=406, media=JSON, code="NOT_ACCEPTABLE"),
    Row(
        name="charset in capitals",
        body=ALIVE,
        headers={"content-type": "application/json; charset=UTF-8"},
        status=200,
        media=JSON,
        has_data=True,
    ),
    Row(
        name="quoted charset",
        body=ALIVE,
        headers={"content-type": 'Application/JSON;charset="utf-8"'},
        status=200,
        media=JSON,
        has_data=True,
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_a_row_of_the_specification(row: Row, connect):
    client = connect()
    headers = dict(row.headers)
    if row.accept is not None:
        headers["accept"] = row.accept
    content = None
    if row.body is not None:
        content = json.dumps(row.body).encode()
        headers.setdefault("content-type", JSON)

    answer = await client.request(row.method, "/graphql", content=content, params=row.params, headers=headers)

    assert answer.status_code == row.status, answer.text
    assert answer.headers["content-type"] == f"{row.media}; charset=utf-8"
    body = answer.json()
    assert ("data" in body) is row.has_data
    assert [error["extensions"]["code"] for error in body.get("errors", [])] == ([row.code] if row.code else [])
    assert body["extensions"] == {"requestId": answer.headers["x-request-id"]}
    await assert_alive(client)


async def assert_alive(client: httpx.AsyncClient) -> None:
    answer = await client.post("/graphql", json=ALIVE)
    assert (answer.status_code, answer.json()["data"]) == (200, {"hello": "hello world"})


async def test_a_mutation_by_get_names_the_way_out_and_does_nothing(connect, world):
    answer = await connect().get("/graphql", params={"query": MUTATION})

    assert answer.headers["allow"] == "POST"
    assert answer.json()["errors"][0]["message"] == "A mutation must be sent by POST; GET is for queries only."
    assert world.calls == []


async def test_a_named_query_beside_a_mutation_may_be_asked_by_get(connect, world):
    document = 'query Q { hello } mutation M { note(text: "x") }'

    query = await connect().get("/graphql", params={"query": document, "operationName": "Q"})
    mutation = await connect().get("/graphql", params={"query": document, "operationName": "M"})

    assert query.json()["data"] == {"hello": "hello world"}
    assert mutation.status_code == 405
    assert world.calls == ["hello world"]


async def test_a_subscription_names_the_way_to_stream(connect):
    answer = await connect().post("/graphql", json={"query": "subscription { ticks }"})

    message = answer.json()["errors"][0]["message"]
    assert "graphql-transport-ws" in message
    assert "Accept: text/event-stream" in message


async def test_options_says_what_is_allowed(connect):
    answer = await connect().options("/graphql")

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["allow"] == "GET, POST, OPTIONS"
    assert "content-length" not in answer.headers


async def test_head_is_not_allowed(connect):
    answer = await connect().head("/graphql", params={"query": "{ hello }"})

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST, OPTIONS")


async def test_the_exact_path_is_served_without_a_redirect(connect):
    client = connect()

    assert (await client.post("/graphql", json=ALIVE)).status_code == 200
    missing = await client.post("/graphql/", json=ALIVE)
    assert (missing.status_code, missing.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")


async def test_answers_are_not_stored_and_vary_by_what_is_accepted(connect):
    answer = await connect().post("/graphql", json=ALIVE)

    assert answer.headers["cache-control"] == "no-store"
    assert "Accept" in answer.headers["vary"]


async def test_the_context_gets_the_facts_of_the_request(connect, world):
    await connect().post("/graphql", json=ALIVE, headers={"x-request-id": "abc-1", "x-api-key": "k", "dnt": "1"})

    [facts] = world.facts
    assert (facts.request_id, facts.transport, facts.client_ip) == ("abc-1", "http", "127.0.0.1")
    assert facts.headers["x-api-key"] == "k"
    assert "dnt" not in facts.headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec-fetch-mode": "cors", "sec-fetch-site": "cross-site"}, 200),
        ({"sec-fetch-mode": "no-cors", "sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-mode": "navigate", "sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-mode": "navigate", "sec-fetch-site": "none"}, 200),
        ({"sec-fetch-mode": "no-cors", "sec-fetch-site": "same-site", "x-requested-with": "fetch"}, 200),
        ({"sec-fetch-mode": "no-cors", "apollo-require-preflight": "1"}, 200),
        ({"cookie": "session=1"}, 403),
        ({"cookie": "session=1", "graphql-require-preflight": "1"}, 200),
        ({"cookie": "session=1", "content-type": "application/json"}, 200),
    ],
)
async def test_a_get_that_another_site_could_cause_is_refused(headers, status, connect, world):
    answer = await connect().get("/graphql", params={"query": "{ hello }"}, headers=headers)

    assert answer.status_code == status
    assert world.calls == ([] if status == 403 else ["hello world"])


async def test_a_person_is_sent_to_the_console_where_it_is_on(connect):
    accept = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}

    on = await connect(console=True).get("/graphql?query=%7Bhello%7D", headers=accept)
    off = await connect(console=False).get("/graphql", headers=accept)

    assert (on.status_code, on.headers["location"]) == (303, "/console?query=%7Bhello%7D")
    assert (off.status_code, off.headers["content-type"]) == (400, "application/json; charset=utf-8")


async def test_a_batch_keeps_the_order_and_answers_every_item(connect):
    items: list[object] = [
        {"query": '{ later(name: "first") }'},
        {"query": "{ nothing }"},
        7,
        {"query": "{ hello }"},
    ]

    answer = await connect().post("/graphql", json=items)

    assert answer.status_code == 200
    first, invalid, malformed, last = answer.json()
    assert first["data"] == {"later": "first"}
    assert [e["extensions"]["code"] for e in invalid["errors"]] == ["GRAPHQL_VALIDATION_FAILED"]
    assert [e["extensions"]["code"] for e in malformed["errors"]] == ["BAD_REQUEST"]
    assert last["data"] == {"hello": "hello world"}
    assert all(item["extensions"]["requestId"] == answer.headers["x-request-id"] for item in (first, invalid, last))


async def test_mutations_of_a_batch_run_one_after_the_other(connect, world):
    items = [{"query": f'mutation {{ note(text: "{text}") }}'} for text in "ab"]

    await connect().post("/graphql", json=items)

    assert world.calls == ["note begins a", "note ends a", "note begins b", "note ends b"]


@pytest.mark.parametrize("count", [0, 11])
async def test_a_batch_is_bounded(count, connect, world):
    answer = await connect().post("/graphql", json=[ALIVE] * count)

    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["message"] == f"A batch holds 1 to 10 requests, not {count}."
    assert error["extensions"]["code"] == "BATCH_LIMIT_EXCEEDED"
    assert world.calls == []


async def test_an_answer_that_is_no_json_is_a_masked_fault(connect):
    answer = await connect().post("/graphql", json={"query": "{ odd }"})

    assert answer.status_code == 500
    assert [error["message"] for error in answer.json()["errors"]] == ["Internal error"]
    assert "data" not in answer.json()
