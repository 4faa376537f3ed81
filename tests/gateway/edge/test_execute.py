"""The executor, as every transport uses it: errors, time, cancellation, what stays hidden."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import strawberry
from strawberry.extensions import SchemaExtension
from structlog.testing import capture_logs

from gateway.edge.execute import Executor, OperationRequest, RequestFacts
from gateway.edge.limits import EdgeSettings
from schema.errors import BadInput
from tests.gateway.edge.conftest import SCHEMA, World

FACTS = RequestFacts(request_id="r-1", transport="http")


def executor(world: World, settings: EdgeSettings | None = None) -> Executor:
    return Executor(SCHEMA, settings=settings or EdgeSettings(), context_for=lambda *_: world)


def ask(query: str, **variables: object) -> OperationRequest:
    return OperationRequest(query=query, variables=variables or None)


async def test_an_expected_failure_is_shown_with_all_it_knows(world):
    result = await executor(world).execute(ask("{ expected }"), FACTS)

    assert result.body() == {
        "errors": [
            {
                "message": "'BTC' may mean crypto:BTC/USD, equity:BTC: write one of these, or give assetClass",
                "extensions": {
                    "code": "AMBIGUOUS_INSTRUMENT",
                    "docs": "/docs/errors/AMBIGUOUS_INSTRUMENT",
                    "symbol": "BTC",
                    "candidates": ["crypto:BTC/USD", "equity:BTC"],
                    "requestId": "r-1",
                },
                "locations": [{"line": 1, "column": 3}],
                "path": ["expected"],
            }
        ],
        "data": {"expected": None},
        "extensions": {"requestId": "r-1"},
    }


async def test_an_internal_fault_is_masked_by_an_id_that_the_log_has(world):
    with capture_logs() as logs:
        result = await executor(world).execute(ask("{ broken hello }"), FACTS)

    assert result.data == {"broken": None, "hello": "hello world"}
    [error] = result.errors or []
    assert error["message"] == "Internal error"
    assert error["path"] == ["broken"]
    assert set(error["extensions"]) == {"code", "docs", "errorId", "requestId"}
    assert "hunter2" not in str(result.body())
    [line] = logs
    assert (line["event"], line["log_level"], line["request_id"]) == ("internal_error", "error", "r-1")
    assert line["error_id"] == error["extensions"]["errorId"]
    assert str(line["exc_info"]) == "the password is hunter2"


async def test_a_thousand_faults_of_one_operation_write_five_lines(world):
    with capture_logs() as logs:
        result = await executor(world).execute(ask("{ rows(count: 1000) { failing } }"), FACTS)

    assert len(result.errors or []) == 1000
    assert len({str(error["extensions"]["errorId"]) for error in result.errors or []}) == 1
    assert len(logs) == 5


async def test_a_value_that_cannot_be_printed_is_an_internal_fault():
    def resolve_number() -> int:
        return "a secret, not a number"  # type: ignore[return-value]

    @strawberry.type
    class Query:
        number: int | None = strawberry.field(resolver=resolve_number)

    made = Executor(strawberry.Schema(query=Query), settings=EdgeSettings(), context_for=lambda *_: None)

    result = await made.execute(ask("{ number }"), FACTS)

    assert [error["message"] for error in result.errors or []] == ["Internal error"]


async def test_an_argument_refused_at_run_time_is_the_callers_error(world):
    result = await executor(world).execute(ask('query($n: String = "x") { hello(name: $n) }', n=None), FACTS)

    [error] = result.errors or []
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert result.executed
    assert world.calls == []


async def test_an_operation_that_takes_too_long_is_cancelled(world):
    settings = EdgeSettings(operation_timeout_s=0.01)

    result = await executor(world, settings).execute(ask("{ never }"), FACTS)

    assert (result.executed, result.status, result.well_formed) == (False, 504, True)
    [error] = result.errors or []
    assert error["message"] == "The operation took longer than 0.01 s."
    assert error["extensions"]["code"] == "DEADLINE_EXCEEDED"
    assert world.calls == ["cancelled"]


@pytest.mark.parametrize(("accept", "status"), [("application/json", 200), ("application/graphql-response+json", 504)])
async def test_the_deadline_shows_in_the_status_of_the_graphql_type(accept, status, connect):
    client = connect(operation_timeout_s=0.01)

    answer = await client.post("/graphql", json={"query": "{ never }"}, headers={"accept": accept})

    assert answer.status_code == status
    assert "data" not in answer.json()


async def test_a_cancelled_caller_cancels_the_resolvers_and_the_executor_goes_on(world):
    made = executor(world)
    task = asyncio.create_task(made.execute(ask("{ hello never }"), FACTS))
    await world.begun.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert world.calls == ["hello world", "cancelled"]
    assert (await made.execute(ask("{ hello }"), FACTS)).data == {"hello": "hello world"}


async def test_a_context_that_refuses_the_caller_is_a_request_error():
    def refuse(*_: object) -> object:
        raise BadInput("key", "unknown API key")

    result = await Executor(SCHEMA, settings=EdgeSettings(), context_for=refuse).execute(ask("{ hello }"), FACTS)

    assert (result.executed, result.status) == (False, 400)
    assert [error["message"] for error in result.errors or []] == ["key: unknown API key"]


async def test_a_context_that_fails_is_masked():
    def fail(*_: object) -> object:
        raise RuntimeError("hunter2")

    result = await Executor(SCHEMA, settings=EdgeSettings(), context_for=fail).execute(ask("{ hello }"), FACTS)

    assert (result.status, result.well_formed) == (500, False)
    assert [error["message"] for error in result.errors or []] == ["Internal error"]


def test_a_schema_with_strawberry_extensions_is_refused():
    schema = strawberry.Schema(query=SCHEMA.query, extensions=[SchemaExtension])

    with pytest.raises(TypeError, match="would not run"):
        Executor(schema, settings=EdgeSettings(), context_for=lambda *_: None)


ALMOST = {
    "field": ("{ helo }", {}),
    "argument": ('{ hello(nam: "x") }', {}),
    "type": ("{ ...F } fragment F on Qery { hello }", {}),
    "variable type": ("query($r: RangeInpt) { hello }", {}),
    "input field": ("{ width(range: {lowst: 1}) }", {}),
    "input field in a variable": ("query($r: RangeInput!) { width(range: $r) }", {"r": {"lowst": 1}}),
}


@pytest.mark.parametrize("name", ALMOST)
async def test_suggestions_give_no_names_away_in_production(name, world):
    query, variables = ALMOST[name]

    hidden = await executor(world).execute(ask(query, **variables), FACTS)
    shown = await executor(world, EdgeSettings(development=True)).execute(ask(query, **variables), FACTS)

    assert not hidden.executed
    assert not shown.executed
    assert "Did you mean" not in str(hidden.errors)
    assert "Did you mean" in str(shown.errors)


@pytest.mark.parametrize("query", ["{ __schema { types { name } } }", '{ __type(name: "Query") { name } }'])
async def test_introspection_is_off_unless_it_is_set(query, world):
    off = await executor(world).execute(ask(query), FACTS)
    on = await executor(world, replace(EdgeSettings(), introspection=True)).execute(ask(query), FACTS)

    assert {error["extensions"]["code"] for error in off.errors or []} == {"GRAPHQL_VALIDATION_FAILED"}
    assert not off.executed
    assert (on.executed, on.errors) == (True, None)


async def test_the_name_of_a_type_may_be_asked_in_production(world):
    result = await executor(world).execute(ask("{ __typename }"), FACTS)

    assert result.data == {"__typename": "Query"}
