"""Compiled selections answer what graphql-core answers, byte for byte, over documents that nobody wrote."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
import strawberry
from graphql import ExecutionResult, GraphQLSchema, OperationDefinitionNode, execute, parse, subscribe, validate
from graphql.execution import Executor
from graphql.execution.collect_fields import CollectedFields, FieldDetails
from graphql.validation import OverlappingFieldsCanBeMergedRule
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import get_arguments

from gateway.edge.compiled import CompiledExecutor, Selections
from gateway.edge.graphqlcore import core_schema
from gateway.edge.shelves import Kept
from tests.gateway.edge.bazaar import BAZAAR, Visit, documents

KEPT = Kept()
DOCUMENTS: dict[str, Any] = {}
LOOP = asyncio.new_event_loop()
MANY = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def told(result: Any) -> bytes:
    return orjson.dumps([result.data, [error.formatted for error in result.errors or ()]])


def run(document: Any, variables: dict[str, Any], selections: Selections | None) -> tuple[bytes, list[str]]:
    """The answer of the compiled form, or of the reference without selections, and what was called."""
    visit = Visit()
    cls: Any = CompiledExecutor if selections else StrawberryGraphQLCoreExecutionContext
    more: Any = {"selections": selections, "at_once": True} if selections else {}

    async def answer() -> Any:
        given: Any = execute(
            BAZAAR, document, context_value=visit, variable_values=variables, executor_class=cls, **more
        )  # fmt: skip
        return given if isinstance(given, ExecutionResult) else await given

    return told(LOOP.run_until_complete(answer())), visit.calls


def ticks(document: Any, selections: Selections | None) -> list[bytes]:
    async def read() -> list[bytes]:
        cls: Any = CompiledExecutor if selections else StrawberryGraphQLCoreExecutionContext
        more: Any = {"selections": selections} if selections else {}
        stream: Any = subscribe(BAZAAR, document, context_value=Visit(), executor_class=cls, **more)
        stream = await stream if inspect.isawaitable(stream) else stream
        return [told(stream)] if isinstance(stream, ExecutionResult) else [told(each) async for each in stream]

    return LOOP.run_until_complete(read())


def valid(text: str) -> Any:
    document = parse(text)
    assert validate(BAZAAR, document, [OverlappingFieldsCanBeMergedRule]) == []
    return document


@MANY
@given(documents("query"), st.booleans())
def test_queries_are_answered_as_graphql_core_answers_them(text: str, on: bool) -> None:
    document, selections = valid(text), Selections(KEPT)

    for switch in (on, not on, on):
        assert run(document, {"on": switch}, selections) == run(document, {"on": switch}, None)


@MANY
@given(documents("mutation"))
def test_mutations_are_answered_alike_and_run_once(text: str) -> None:
    document, selections = valid(text), Selections(KEPT)

    assert run(document, {}, selections) == run(document, {}, None)


@settings(MANY, max_examples=150)
@given(documents("subscription"))
def test_every_tick_of_a_subscription_is_answered_alike_also_after_one_that_failed(text: str) -> None:
    document = valid(text)

    assert ticks(document, Selections(KEPT)) == ticks(document, None)


@pytest.mark.parametrize(
    ("query", "compiled"),
    [
        ("{ fruit { name price doubled times seeds { name } } }", True),
        ("{ stall { fruits { name tags matrix } } }", True),
        ("{ soon { a: name ... on Fruit { b: name } } }", True),
        ("{ fruit { later } }", False),
        ("{ fruit { sliced } }", False),
        ("{ stall { keeper { name } } }", False),
        ("{ named { name } }", False),
    ],
)
def test_what_waits_or_takes_arguments_or_is_abstract_is_left_to_graphql_core(query: str, compiled: bool) -> None:
    selections = Selections(KEPT)

    run(parse(query), {}, selections)

    (form,) = selections.runs.values()
    assert (form is not None) is compiled


def test_a_value_that_fails_in_the_compiled_form_is_resolved_once_and_told_with_path_and_place() -> None:
    answer, calls = run(parse("{ fruit(n: 3) { seeds { failing name } } }"), {}, Selections(KEPT))

    assert calls == ["fruit 3"]
    data, errors = orjson.loads(answer)
    assert data == {"fruit": {"seeds": [{"failing": None, "name": "pear"}, None, {"failing": None, "name": "nut"}]}}
    assert errors == [
        {
            "message": "pear is rotten",
            "locations": [{"line": 1, "column": 25}],
            "path": ["fruit", "seeds", 0, "failing"],
        },
        {
            "message": "nut is rotten",
            "locations": [{"line": 1, "column": 25}],
            "path": ["fruit", "seeds", 2, "failing"],
        },
    ]


def test_the_only_root_of_a_query_is_run_at_once_and_waits_in_its_own_task() -> None:
    @strawberry.type
    class Query:
        @strawberry.field
        async def here(names: list[str]) -> list[str]:
            names.append("end")
            return names

        @strawberry.field
        async def slow(info: strawberry.Info[Any, Any], long: bool) -> str:
            async with asyncio.timeout(0 if long else None):
                await asyncio.get_running_loop().create_future() if long else await asyncio.sleep(0)
            return str(asyncio.current_task() is info.context)

    schema, selections = core_schema(strawberry.Schema(Query)), Selections(KEPT)

    def ask(query: str) -> Any:
        return execute(
            schema, DOCUMENTS.setdefault(query, parse(query)), context_value=asyncio.current_task(),
            executor_class=CompiledExecutor, selections=selections, at_once=True,
        )  # fmt: skip

    async def answers() -> list[Any]:
        at_once = [ask('{ here(names: ["a"]) }') for _ in range(2)]
        return [*at_once, await ask("{ slow(long: false) }"), await ask("{ slow(long: true) }")]

    here, again, slow, late = LOOP.run_until_complete(answers())

    assert here.data == again.data == {"here": ["a", "end"]}
    assert slow.data == {"slow": "True"}
    assert (late.data, type(late.errors[0].original_error), late.errors[0].path) == (None, TimeoutError, ["slow"])


def test_cancellation_reaches_a_resolver_that_was_begun_at_once() -> None:
    seen: list[str] = []

    @strawberry.type
    class Query:
        @strawberry.field
        async def slow() -> str:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                seen.append("left")
            return ""

    schema, document, selections = core_schema(strawberry.Schema(Query)), parse("{ slow }"), Selections(KEPT)

    async def ask() -> Any:
        more: Any = {"selections": selections, "at_once": True}
        return await execute(schema, document, executor_class=CompiledExecutor, **more)  # type: ignore[misc]

    async def cancelled() -> bool:
        task = asyncio.ensure_future(ask())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert LOOP.run_until_complete(cancelled())
    assert seen == ["left"]


def test_what_is_kept_is_dropped_all_at_once_when_it_grows_too_much() -> None:
    kept = Kept(most=10)
    first, second = kept.shelf(), kept.shelf()
    values = [object() for _ in range(4)]

    for value in values[:3]:
        kept.keep(first, value, "text", 3)
    kept.keep(second, values[3], "text", 3)

    assert first == {}
    assert second == {id(values[3]): (values[3], "text")}


def test_strawberry_is_as_the_edge_reaches_below_it() -> None:
    """What has no public name: the schema below, how arguments are converted, what a resolver's `info` is made of."""

    @strawberry.type
    class Query:
        @strawberry.field
        def here(info: strawberry.Info[Any, Any]) -> str:
            seen.append(info)
            return ""

    seen: list[Any] = []
    schema = strawberry.Schema(Query)
    core = core_schema(schema)
    assert type(core) is GraphQLSchema
    assert core.extensions["strawberry-definition"] is schema
    assert schema.config.info_class is strawberry.Info
    assert isinstance(schema.schema_converter.scalar_registry, Mapping)

    execute(core, parse("{ here }"), context_value="c", executor_class=CompiledExecutor)

    [info] = seen
    assert [each.name for each in dataclasses.fields(strawberry.Info)] == ["_raw_info", "_field"]
    assert info._raw_info._fields == (
        "field_name", "field_nodes", "return_type", "parent_type", "path", "schema", "fragments", "root_value",
        "operation", "variable_values", "context", "is_awaitable", "abort_signal", "async_helpers",
        "operation_extensions",
    )  # fmt: skip


def test_the_library_is_as_the_compiled_form_needs_it() -> None:
    names = ["self", "return_type", "field_details_list", "info", "path", "result", "position_context"]

    assert list(inspect.signature(Executor.complete_value).parameters) == names
    assert list(inspect.signature(Executor.complete_awaitable_value).parameters) == names
    assert list(inspect.signature(Executor.execute_field).parameters) == [
        "self", "parent_type", "source", "field_details_list", "path", "position_context"
    ]  # fmt: skip
    assert list(inspect.signature(Executor.handle_field_error).parameters) == [
        "self", "raw_error", "return_type", "field_details_list", "path"
    ]  # fmt: skip
    assert list(inspect.signature(Executor.execute_root_grouped_field_set).parameters) == [
        "self", "root_type", "root_value", "grouped_field_set", "serially", "position_context"
    ]  # fmt: skip
    assert list(inspect.signature(get_arguments).parameters) == [
        "field", "source", "info", "kwargs", "config", "scalar_registry"
    ]  # fmt: skip
    assert list(inspect.signature(Executor.collect_subfields).parameters) == names[:1] + names[1:3]
    assert issubclass(StrawberryGraphQLCoreExecutionContext, Executor)
    parts = [
        "schema", "document", "root_value", "context_value", "raw_variable_values", "operation_name", "field_resolver",
        "type_resolver", "subscribe_field_resolver",
    ]  # fmt: skip
    assert list(inspect.signature(Executor.build).parameters)[:9] == parts
    assert {"is_awaitable", "hide_suggestions"} <= set(inspect.signature(Executor.build).parameters)
    assert list(inspect.signature(Executor.__init__).parameters)[:11] == [
        "self", "schema", "fragment_definitions", "fragments", "root_value", "context_value", "operation",
        "variable_values", "field_resolver", "type_resolver", "subscribe_field_resolver",
    ]  # fmt: skip
    assert {"is_awaitable", "hide_suggestions"} <= set(inspect.signature(Executor.__init__).parameters)
    assert FieldDetails._fields == ("node", "defer_usage", "fragment_variable_values")
    assert CollectedFields._fields[0] == "grouped_field_set"
    assert [type(each) for each in parse("{ a }").definitions] == [OperationDefinitionNode]
