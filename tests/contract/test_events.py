"""The catalogue of events: every type is described, has a sample, is printed as GraphQL prints it, never shrinks."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    ExecutionResult,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    execute,
    parse,
    validate,
)
from jsonschema import Draft202012Validator

from gateway.core.identity import TENANT_SCOPES, Principal
from gateway.core.outbox.forms import read, written
from gateway.core.ports import EventPrinter, Outbox
from gateway.domains import EVENT_NAME, catalog_of
from gateway.edge import eventprinting
from gateway.edge.execute import OperationRequest, RequestFacts
from gateway.edge.graphqlcore import core_schema
from gateway.eventpage import sampled
from schema.events import EPOCH, Event
from tests.contract.eventshapes import breaches, current, fields_of, kept
from tests.gateway.outbox.positional import positional
from tests.house import House, open_house, own_plugins, own_schema

CATALOG = catalog_of(own_plugins())
TENANT = "ten_acme"
READER = Principal(tenant=TENANT, user="usr_1", scopes=frozenset(TENANT_SCOPES))
KINDS = pytest.mark.parametrize("kind", CATALOG.values(), ids=CATALOG)


@pytest.fixture
async def house(sqlite_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(sqlite_url, tmp_path) as opened:
        yield opened


def same_shape(schema: Mapping[str, Any], value: Any, path: str = "") -> list[str]:
    """Where a value has other fields than its schema names."""
    if isinstance(value, list):
        return [each for n, item in enumerate(value) for each in same_shape(schema["items"], item, f"{path}[{n}]")]
    if not isinstance(value, dict):
        return []
    wrong = [f"{path}.{name}" for name in value.keys() ^ schema["properties"].keys()]
    return wrong + [
        each
        for name, inner in schema["properties"].items()
        for each in same_shape(inner, value[name], f"{path}.{name}")
    ]


@KINDS
def test_a_type_says_what_it_is(kind: type[Event]):
    assert EVENT_NAME.fullmatch(kind.name)
    assert kind.version >= 1
    assert kind.about.endswith(".")
    assert kind.__doc__
    fields = own_schema().schema_converter.type_map[kind.__name__].definition.fields  # type: ignore[union-attr]
    assert [field.python_name for field in fields if not field.description] == []
    # Of two fields with one name GraphQL shows the last.
    names = [field.graphql_name or field.python_name for field in fields]
    assert sorted(names) == sorted(set(names))


@KINDS
def test_a_sample_is_whole_and_survives_being_stored(kind: type[Event]):
    sample = kind.sample()

    assert (sample.id, sample.occurred_at, sample.sequence) == ("", EPOCH, "")
    assert type(sample) is kind
    assert isinstance(sample.subject, str)
    assert not kind.market or sample.subject
    assert read(kind, written(sampled(kind))) == sampled(kind)
    assert read(kind, positional(sampled(kind))) == sampled(kind)


@KINDS
async def test_what_is_printed_is_what_its_json_schema_says(kind: type[Event], house: House):
    printer = house.host.service(EventPrinter)
    schema = printer.json_schema(kind)

    printed = await printer.printed(sampled(kind))

    Draft202012Validator.check_schema(schema)
    assert [error.message for error in Draft202012Validator(schema).iter_errors(printed)] == []
    assert same_shape(schema, printed) == []
    assert (printed["type"], printed["version"], printed["mode"]) == (kind.name, kind.version, kind.sample().mode.value)
    assert (printed["id"], printed["occurredAt"]) == ("evt_0v7m4q1z8t3x6n9b2k5c", "2026-11-20T12:00:01Z")


@KINDS
async def test_printing_asks_no_resolver_that_waits(kind: type[Event], house: House, monkeypatch: pytest.MonkeyPatch):
    printer = house.host.service(EventPrinter)
    monkeypatch.setattr(eventprinting, "execute", None)

    assert (await printer.printed(sampled(kind)))["type"] == kind.name


@KINDS
async def test_a_json_schema_refuses_what_lacks_a_field_or_has_another_type(kind: type[Event], house: House):
    printer = house.host.service(EventPrinter)
    schema, printed = printer.json_schema(kind), await printer.printed(sampled(kind))

    passed = []
    for name in printed:
        without = {key: value for key, value in printed.items() if key != name}
        wrong = {**copy.deepcopy(printed), name: {"another": "thing"} if not isinstance(printed[name], dict) else 1}
        passed += [name for spoilt in (without, wrong) if Draft202012Validator(schema).is_valid(spoilt)]

    assert passed == []


@KINDS
async def test_what_is_printed_is_what_a_client_gets_that_selects_all_of_it(kind: type[Event], house: House):
    printer, event = house.host.service(EventPrinter), sampled(kind)
    real = core_schema(own_schema())
    face = real.get_type("Event")
    assert isinstance(face, GraphQLInterfaceType)
    root = GraphQLObjectType("Query", {"event": GraphQLField(face)})
    schema = GraphQLSchema(query=root, types=list(real.get_possible_types(face)))
    document = parse(f"{{ event {{ __typename ... on {kind.__name__} {printer.selection(kind)} }} }}")
    context = replace(house.context(), now=event.occurred_at)

    assert validate(schema, document) == []
    result = execute(schema, document, root_value={"event": event}, context_value=context)
    found = result if isinstance(result, ExecutionResult) else await result

    assert found.errors is None
    assert found.data == {"event": {"__typename": kind.__name__, **await printer.printed(event)}}


@KINDS
async def test_what_is_delivered_is_what_events_answer(kind: type[Event], house: House):
    outbox, printer = house.host.service(Outbox), house.host.service(EventPrinter)
    async with house.store.write() as tx:
        event = replace(kind.sample(), occurred_at=house.clock.now())
        id = outbox.emit_to(tx, event, [TENANT]) if kind.market else outbox.emit(tx, event, tenant=TENANT)
    async with house.store.read() as tx:
        (name, data, _) = (await outbox.printed(tx, [id]))[id]
    selected = f"... on {kind.__name__} {printer.selection(kind)}"
    document = f'{{ events(types: ["{kind.name}"], first: 1) {{ nodes {{ {selected} }} }} }}'
    request, facts = OperationRequest(query=document), RequestFacts(request_id="req_test", transport="http")

    body = (await house.executor.execute(request, facts, principal=READER)).body()

    assert name == kind.name
    assert body == {"data": {"events": {"nodes": [json.loads(data)]}}, "extensions": body["extensions"]}


def test_versions_only_grow():
    assert breaches(kept(), current()) == []


def test_what_is_new_is_kept_from_now_on():
    """Else it could go unnoticed: `python -m tests.contract.eventshapes`."""
    assert kept() == current()


def test_a_field_that_goes_or_changes_is_found_and_a_new_one_is_none_of_these():
    old = {"version": 1, "market": False, "graphqlType": "A", "fields": {"id": "string", "n": "integer"}}

    def now(**changed: Any) -> list[str]:
        return breaches({"a.b": old}, {"a.b": {**old, **changed}})

    assert now(fields={**old["fields"], "more": "string"}) == []  # type: ignore[dict-item]
    assert now(version=2) == []
    assert now(version=0) == ["a.b: version 1 became 0"]
    assert now(fields={"id": "string"}) == ["a.b: n is gone"]
    assert now(fields={"id": "string", "n": "integer | null"}) == ["a.b: n was integer, is integer | null"]
    assert now(market=True, graphqlType="B") == ["a.b: market False became True", "a.b: graphqlType 'A' became 'B'"]
    assert breaches({"a.b": old}, {}) == ["a.b is gone"]


def test_shapes_reach_into_objects_and_lists():
    schema = {
        "properties": {
            "price": {"type": ["string", "null"], "pattern": "x"},
            "at": {"type": "string", "format": "date-time"},
            "kind": {"type": "string", "enum": ["A"]},
            "lines": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        }
    }

    assert dict(fields_of(schema)) == {
        "price": "string | null (decimal)", "at": "string (date-time)", "kind": "string (enum)", "lines": "array",
        "lines[]": "object", "lines[].n": "integer",
    }  # fmt: skip
