"""Events in their outer form: all scalars, objects within, cut at other nodes' ids, as GraphQL prints them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    execute,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    parse,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import collect_fields

from gateway.core.contract import Context
from gateway.edge.compiler import Run, compile_value
from gateway.edge.shelves import Kept
from schema.events import Event

NODE = "Node"
SCALARS: dict[str, dict[str, Any]] = {
    "ID": {"type": "string"},
    "String": {"type": "string"},
    "Int": {"type": "integer"},
    "Float": {"type": "number"},
    "Boolean": {"type": "boolean"},
    "Decimal": {"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$"},
    "DateTime": {"type": "string", "format": "date-time"},
    "Date": {"type": "string", "format": "date"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """How one type of events is printed."""

    schema: GraphQLSchema
    document: DocumentNode
    run: Run | None
    """The same in one call; None where something in it has to be asked for."""


class SchemaPrinter:
    """Serves `EventPrinter`."""

    def __init__(self, schema: GraphQLSchema, backstage: Callable[[], Context]) -> None:
        self._schema, self._backstage, self._kept = schema, backstage, Kept()
        self._made: dict[type[Event], _Form] = {}

    async def printed(self, event: Event) -> dict[str, Any]:
        """See `EventPrinter`. What belongs to a read belongs to the instant of the event."""
        form, context = self._form(type(event)), replace(self._backstage(), now=event.occurred_at)
        if form.run is not None:
            try:
                return dict(form.run(event, context))
            except Exception:  # noqa: BLE001, S110 - whatever it is, the reference code comes to it again and tells it
                pass
        result = execute(form.schema, form.document, root_value={"event": event}, context_value=context)
        if isinstance(result, Awaitable):
            result = await result
        if not isinstance(result, ExecutionResult) or result.errors or result.data is None:
            raise ValueError(f"{event.name} cannot be printed: {getattr(result, 'errors', result)}")
        return dict(result.data["event"])

    def selection(self, kind: type[Event]) -> str:
        """See `EventPrinter`."""
        return self._selected(self._type_of(kind), ())

    def json_schema(self, kind: type[Event]) -> dict[str, Any]:
        """See `EventPrinter`."""
        told = self._object(self._type_of(kind), ())
        told["properties"]["type"]["const"] = kind.name
        told["properties"]["version"]["const"] = kind.version
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": kind.name, **told}

    def _form(self, kind: type[Event]) -> _Form:
        found = self._made.get(kind)
        if found is None:
            root = GraphQLObjectType("Print", {"event": GraphQLField(GraphQLNonNull(self._type_of(kind)))})
            document = parse("{ event " + self.selection(kind) + " }", no_location=True)
            schema = GraphQLSchema(query=root)
            run = self._run(Executor.build(schema, document), root)
            found = self._made[kind] = _Form(schema=schema, document=document, run=run)
        return found

    def _run(self, executor: Executor[Any] | list[GraphQLError], root: GraphQLObjectType) -> Run | None:
        if not isinstance(executor, Executor):
            raise TypeError(f"events cannot be printed: {executor}")
        known = executor.schema, executor.fragments, executor.variable_values
        roots = collect_fields(*known, root, executor.operation).grouped_field_set
        return compile_value(executor, root.fields["event"].type, list(roots["event"]), self._kept)

    def _type_of(self, kind: type[Event]) -> GraphQLObjectType:
        found = self._schema.get_type(kind.__name__)
        if not isinstance(found, GraphQLObjectType):
            raise TypeError(f"{kind.__name__} is no type of the schema")
        return found

    @cached_property
    def _node(self) -> GraphQLInterfaceType | None:
        found = self._schema.get_type(NODE)
        return found if isinstance(found, GraphQLInterfaceType) else None

    def _parts(self, kind: GraphQLObjectType, path: tuple[str, ...]) -> dict[str, GraphQLField]:
        """Fields that need no arguments and lead to no type that they come from; of another node its id."""
        if path and self._node in kind.interfaces:
            return {"id": kind.fields["id"]}
        found = {}
        for name, field in kind.fields.items():
            inner = get_named_type(field.type)
            if not field.args and (is_leaf_type(inner) or (_is_object(inner) and inner.name not in (*path, kind.name))):
                found[name] = field
        return found

    def _selected(self, kind: GraphQLObjectType, path: tuple[str, ...]) -> str:
        told = []
        for name, field in self._parts(kind, path).items():
            inner = get_named_type(field.type)
            within = self._selected(inner, (*path, kind.name)) if isinstance(inner, GraphQLObjectType) else ""
            told.append(f"{name} {within}".rstrip())
        return "{ " + " ".join(told) + " }"

    def _object(self, kind: GraphQLObjectType, path: tuple[str, ...]) -> dict[str, Any]:
        parts = self._parts(kind, path)
        properties = {
            name: {"description": field.description or "", **self._value(field.type, (*path, kind.name))}
            for name, field in parts.items()
        }
        return {"type": "object", "properties": properties, "required": list(parts), "description": kind.description}

    def _value(self, kind: Any, path: tuple[str, ...]) -> dict[str, Any]:
        if is_non_null_type(kind):
            return self._required(kind.of_type, path)
        told = self._required(kind, path)
        if "enum" in told:
            return {**told, "type": ["string", "null"], "enum": [*told["enum"], None]}
        if "type" in told:
            return {**told, "type": [told["type"], "null"]}
        return told

    def _required(self, kind: Any, path: tuple[str, ...]) -> dict[str, Any]:
        if is_list_type(kind):
            return {"type": "array", "items": self._value(kind.of_type, path)}
        if isinstance(kind, GraphQLEnumType):
            return {"type": "string", "enum": list(kind.values)}
        if isinstance(kind, GraphQLObjectType):
            return self._object(kind, path)
        return dict(SCALARS.get(kind.name, {}))


def _is_object(kind: Any) -> bool:
    return isinstance(kind, GraphQLObjectType)
