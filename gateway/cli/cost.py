"""`marketgate cost`: what the operations of a GraphQL file cost and need, without running them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema, OperationDefinitionNode, get_variable_values

from gateway.cli.outcome import Code, Stop, say, usage
from gateway.cli.output import Column, Form, Table, write
from gateway.edge.cost import Price, PriceList
from gateway.edge.documents import Document, DocumentReader
from gateway.edge.errors import Refused
from gateway.edge.execute import ANY_OPERATION
from gateway.edge.limits import EdgeSettings

COLUMNS = (
    Column("operation", "operation"), Column("field", "field"), Column("points", "points"),
    Column("needs", "needs", text=True),
)  # fmt: skip
TOTAL = "total"
PERSON = "a signed-in person"


def run(file: str, *, variables: str | None, operation: str | None, form: Form) -> Code:
    """Price each operation, or the one that is named."""
    from gateway.domains import build_schema, load_plugins

    source, given = _text(file), _variables(variables)
    schema = build_schema(load_plugins())._schema
    prices = PriceList(schema)
    document = _document(schema, source, operation)
    chosen = document.operations if operation is None else (document.operation(operation),)
    found: list[tuple[OperationDefinitionNode, Price]] = []
    for each in chosen:
        fault = _fault(schema, each, given)
        if fault is None:
            found.append((each, prices.price(document, each, given)))
        else:
            say(f"{_name(each)}: {fault}")
    write(
        form,
        {"operations": [_told(*each) for each in found]},
        Table(COLUMNS, [row for f in found for row in _rows(*f)]),
    )
    if not found:
        return Code.USAGE
    return Code.ALL if len(found) == len(chosen) else Code.PARTIAL


def _text(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise usage(f"{file} cannot be read ({getattr(error, 'strerror', None) or type(error).__name__})") from None


def _variables(given: str | None) -> dict[str, Any]:
    """A JSON object, or a file that holds one."""
    if given is None:
        return {}
    text = given if given.lstrip().startswith("{") else _text(given)
    try:
        found = json.loads(text)
    except ValueError as error:
        raise usage(f"--variables: is not JSON ({error})") from None
    if not isinstance(found, dict):
        raise usage('--variables: must be a JSON object, such as {"first": 20}')
    return found


def _document(schema: GraphQLSchema, source: str, operation: str | None) -> Document:
    reader = DocumentReader(schema, EdgeSettings(introspection=True))
    try:
        # A file may hold several operations: which one is looked up here does not matter to its validity.
        return reader.read(source, operation or _first_name(source), ANY_OPERATION)
    except Refused as refused:
        raise Stop("; ".join(_placed(error) for error in refused.errors), Code.USAGE) from None


def _first_name(source: str) -> str | None:
    from graphql import GraphQLSyntaxError, parse

    try:
        operations = [d for d in parse(source).definitions if isinstance(d, OperationDefinitionNode)]
    except GraphQLSyntaxError:
        return None
    return operations[0].name.value if len(operations) > 1 and operations[0].name else None


def _placed(error: Mapping[str, Any]) -> str:
    where = error.get("locations")
    return f"line {where[0]['line']}: {error['message']}" if where else str(error["message"])


def _fault(schema: GraphQLSchema, operation: OperationDefinitionNode, given: dict[str, Any]) -> str | None:
    values = get_variable_values(schema, operation.variable_definitions or (), given, 3)
    return "; ".join(fault.message for fault in values) if isinstance(values, list) else None


def _told(operation: OperationDefinitionNode, price: Price) -> dict[str, object]:
    return {
        "name": operation.name.value if operation.name else None, "kind": operation.operation.value,
        "points": price.cost, "fields": dict(price.fields), "scopes": sorted(price.needs),
        "person": price.person is not None,
    }  # fmt: skip


def _rows(operation: OperationDefinitionNode, price: Price) -> list[tuple[object, ...]]:
    name = _name(operation)
    needs = [*sorted(price.needs), *([PERSON] if price.person else [])]
    fields = [(name, field, points, None) for field, points in price.fields.items()]
    return [*fields, (name, TOTAL, price.cost, " ".join(needs) or None)]


def _name(operation: OperationDefinitionNode) -> str:
    return operation.name.value if operation.name else operation.operation.value
