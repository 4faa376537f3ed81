"""Queries that need no executor answer as those that have one, and hand over where something waits or fails."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
import strawberry
from graphql import ExecutionResult, execute, parse
from hypothesis import HealthCheck, given, settings
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.edge.begun import begin
from gateway.edge.execute import QUERY_ONLY, Executor, OperationRequest, PreparedOperation
from gateway.edge.limits import EdgeSettings
from tests.gateway.edge.bazaar import BAZAAR, SCHEMA, Visit, documents

LOOP = asyncio.new_event_loop()
EDGE = Executor(SCHEMA, settings=EdgeSettings(development=True), context_for=lambda *_: Visit())
SLOW = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def told(result: Any) -> bytes:
    return orjson.dumps([result.data, [error.formatted for error in result.errors or ()]])


async def landed(found: Any) -> Any:
    return found if isinstance(found, ExecutionResult) else await found


def prepared(text: str, edge: Executor = EDGE) -> PreparedOperation:
    return edge.prepare(OperationRequest(query=text), QUERY_ONLY)


def ours(asked: PreparedOperation) -> tuple[bytes, list[str]]:
    visit = Visit()

    async def answer() -> Any:
        return await landed(EDGE._start(asked, visit))

    return told(LOOP.run_until_complete(answer())), visit.calls


def theirs(text: str) -> tuple[bytes, list[str]]:
    visit = Visit()

    async def answer() -> Any:
        cls: Any = StrawberryGraphQLCoreExecutionContext
        return await landed(execute(BAZAAR, parse(text), context_value=visit, executor_class=cls))

    return told(LOOP.run_until_complete(answer())), visit.calls


def goes_straight(asked: PreparedOperation) -> bool:
    return id(asked.operation) in EDGE._selections(asked.document).straight


@SLOW
@given(documents("query", bare=True))
def test_queries_without_variables_are_answered_as_graphql_core_answers_them(text: str) -> None:
    asked, expected = prepared(text), theirs(text)

    assert [ours(asked) for _ in range(3)] == [expected] * 3


@pytest.mark.parametrize(
    ("query", "straight"),
    [
        ("{ fruit { name price } }", True),
        ("{ soon(n: 3) { seeds { name } } }", True),
        ("{ a: fruit { name } b: fruit { name } }", False),
        ("{ __typename fruit { name } }", False),
        ("query ($n: Int) { fruit(n: $n) { name } }", False),
        ("{ fruit { later } }", False),
        ("{ named { name } }", False),
    ],
)
def test_what_has_one_compiled_root_and_no_variables_goes_straight(query: str, straight: bool) -> None:
    asked = prepared(query)
    ours(asked)

    assert goes_straight(asked) is straight
    assert ours(asked) == theirs(query)


@pytest.mark.parametrize(
    "query", ["{ fruit(n: 9) { name } }", "{ fruit(n: 4) { wrong price } }", "{ fruit { failing } }"]
)
def test_what_went_straight_and_cannot_go_on_is_resolved_once_and_told_by_graphql_core(query: str) -> None:
    asked = prepared(query)

    assert [ours(asked), ours(asked)] == [theirs(query)] * 2


@strawberry.type
class Mood:
    seen: str


@strawberry.type
class Query:
    @strawberry.field
    async def moody(info: strawberry.Info[Any, None]) -> Mood:
        info.context.append("called")
        if "wait" in info.context:
            await asyncio.sleep(0)
        if "fail" in info.context:
            raise ValueError("no")
        return Mood(seen=str(info.input_extensions))


MOODY = Executor(strawberry.Schema(Query), settings=EdgeSettings(), context_for=lambda *_: [])


async def moody(*moods: str, extensions: dict[str, Any] | None = None) -> tuple[Any, list[Any], bool]:
    """The data, the errors, and whether it was there at once; called once and once only."""
    asked = MOODY.prepare(OperationRequest(query="{ moody { seen } }", extensions=extensions), QUERY_ONLY)
    context = [*moods]
    found = MOODY._start(asked, context)
    result = await landed(found)
    assert context.count("called") == 1
    return result.data, [(e.message, e.path, e.locations) for e in result.errors or ()], found is result


async def test_a_resolver_that_waits_or_fails_on_the_straight_way_is_called_once() -> None:
    await moody()
    failed = ("no", ["moody"], [(1, 3)])

    assert await moody() == ({"moody": {"seen": "None"}}, [], True)
    assert await moody("wait") == ({"moody": {"seen": "None"}}, [], False)
    assert await moody("fail") == (None, [failed], True)
    assert await moody("wait", "fail") == (None, [failed], False)


async def test_extensions_are_those_of_the_request_and_nothing_is_kept_of_a_caller() -> None:
    asked = MOODY.prepare(OperationRequest(query="{ moody { seen } }"), QUERY_ONLY)
    await moody("secret")

    assert await moody(extensions={"a": 1}) == ({"moody": {"seen": "{'a': 1}"}}, [], True)
    assert await moody() == ({"moody": {"seen": "None"}}, [], True)
    [kept] = MOODY._selections(asked.document).straight.values()
    assert "secret" not in str((kept.before, kept.after))


async def test_what_waits_goes_on_in_the_task_that_began_it() -> None:
    async def work() -> Any:
        first = asyncio.current_task()
        await asyncio.sleep(0)
        return first is asyncio.current_task()

    waits, rest = begin(work())

    assert waits
    assert await rest
    assert begin(landed(ExecutionResult({}, None))) == (False, ExecutionResult({}, None))
