"""Compiled selections answer what graphql-core answers, byte for byte, over documents that nobody wrote."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import orjson
import pytest
from graphql import ExecutionResult, OperationDefinitionNode, execute, parse, subscribe, validate
from graphql.execution import Executor
from graphql.execution.collect_fields import CollectedFields, FieldDetails
from graphql.validation import OverlappingFieldsCanBeMergedRule
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.edge.compiled import CompiledExecutor, Selections
from gateway.edge.shelves import Kept
from tests.gateway.edge.bazaar import BAZAAR, Visit, documents

KEPT = Kept()
LOOP = asyncio.new_event_loop()
MANY = settings(max_examples=1200, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def told(result: Any) -> bytes:
    return orjson.dumps([result.data, [error.formatted for error in result.errors or ()]])


def run(document: Any, variables: dict[str, Any], selections: Selections | None) -> tuple[bytes, list[str]]:
    """The answer of the compiled form, or of the reference without selections, and what was called."""
    visit = Visit()
    cls: Any = CompiledExecutor if selections else StrawberryGraphQLCoreExecutionContext
    more: Any = {"selections": selections} if selections else {}
    result: Any = execute(
        BAZAAR, document, context_value=visit, variable_values=variables, executor_class=cls, **more
    )  # fmt: skip
    if not isinstance(result, ExecutionResult):
        result = LOOP.run_until_complete(result)
    return told(result), visit.calls


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
    return document if not validate(BAZAAR, document, [OverlappingFieldsCanBeMergedRule]) else None


@MANY
@given(documents("query"), st.booleans())
def test_queries_are_answered_as_graphql_core_answers_them(text: str, on: bool) -> None:
    document, selections = valid(text), Selections(KEPT)
    if document is None:
        return

    for switch in (on, not on, on):
        assert run(document, {"on": switch}, selections) == run(document, {"on": switch}, None)


@MANY
@given(documents("mutation"))
def test_mutations_are_answered_alike_and_run_once(text: str) -> None:
    document, selections = valid(text), Selections(KEPT)
    if document is None:
        return

    assert run(document, {}, selections) == run(document, {}, None)


@settings(MANY, max_examples=300)
@given(documents("subscription"))
def test_every_tick_of_a_subscription_is_answered_alike_also_after_one_that_failed(text: str) -> None:
    document = valid(text)
    if document is None:
        return

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


def test_what_is_kept_is_dropped_all_at_once_when_it_grows_too_much() -> None:
    kept = Kept(most=10)
    first, second = kept.shelf(), kept.shelf()
    values = [object() for _ in range(4)]

    for value in values[:3]:
        kept.keep(first, value, "text", 3)
    kept.keep(second, values[3], "text", 3)

    assert first == {}
    assert second == {id(values[3]): (values[3], "text")}


def test_the_library_is_as_the_compiled_form_needs_it() -> None:
    names = ["self", "return_type", "field_details_list", "info", "path", "result", "position_context"]

    assert list(inspect.signature(Executor.complete_value).parameters) == names
    assert list(inspect.signature(Executor.collect_subfields).parameters) == names[:1] + names[1:3]
    assert issubclass(StrawberryGraphQLCoreExecutionContext, Executor)
    assert FieldDetails._fields == ("node", "defer_usage", "fragment_variable_values")
    assert CollectedFields._fields[0] == "grouped_field_set"
    assert [type(each) for each in parse("{ a }").definitions] == [OperationDefinitionNode]
