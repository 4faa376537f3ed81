"""Root fields whose arguments hold no variable: read once a document, and run at once as far as nothing waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from types import CoroutineType
from typing import Any, cast

from graphql import FieldNode, GraphQLField, GraphQLObjectType, VariableNode, Visitor, visit
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.values import get_argument_values
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema_converter import get_arguments
from strawberry.types.field import StrawberryField

from gateway.edge.begun import Begun, begin
from gateway.edge.compiler import DEFINITION

PLAIN = (str, int, float, bool, type(None), Decimal, datetime, date, timedelta, Enum)
"""What no resolver can change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """One root field of a document: what to call, and with what."""

    field: GraphQLField
    call: Callable[..., Any]
    arguments: dict[str, Any]
    lists: tuple[str, ...]
    """Arguments that every call gets a copy of."""
    info: Callable[[Any], Any]
    info_name: str | None

    def start(self, info: Any) -> Begun:
        """Call the resolver, and run it in this task until it has ended or waits for the first time."""
        given = self.arguments.copy()
        for name in self.lists:
            given[name] = given[name].copy()
        if self.info_name is not None:
            given[self.info_name] = self.info(info)
        result = self.call(**given)
        if result.__class__ is not CoroutineType:
            return optimized_is_awaitable(result), result
        return begin(result)


def root_of(executor: Executor[Any], parent: GraphQLObjectType, details: FieldDetails) -> Root | None:
    """None where the arguments depend on variables, or where the library does more than to call the resolver."""
    node = details.node
    found = executor.schema.get_field(parent, node.name.value)
    told = ((found and found.extensions) or {}).get(DEFINITION)
    schema = (executor.schema.extensions or {}).get(DEFINITION)
    if found is None or not isinstance(told, StrawberryField) or schema is None:
        return None
    resolver = told.base_resolver
    if resolver is None or told.extensions or told.permission_classes or schema.exception_handlers:
        return None
    if resolver.self_parameter or resolver.parent_parameter or resolver.root_parameter:
        return None
    if details.fragment_variable_values or _has_variables(node):
        return None
    values = get_argument_values(found, node, executor.variable_values, None, executor.hide_suggestions)
    converter, name = schema.schema_converter, resolver.info_parameter.name if resolver.info_parameter else None
    _, given = get_arguments(
        field=told, source=None, info=cast(Any, None), kwargs=values, config=schema.config,
        scalar_registry=converter.scalar_registry,
    )  # fmt: skip
    if name is not None:
        given.pop(name, None)
    lists = tuple(key for key, value in given.items() if value.__class__ is list)
    if not all(_lasts(value) for value in given.values()):
        return None
    make = schema.config.info_class
    return Root(
        field=found, call=cast("Callable[..., Any]", resolver.wrapped_func), arguments=given, lists=lists,
        info=lambda raw: make(_raw_info=raw, _field=told), info_name=name,
    )  # fmt: skip


def _lasts(value: Any) -> bool:
    """Whether a value can be given to every call, lists as copies."""
    return isinstance(value, PLAIN) or (value.__class__ is list and all(isinstance(each, PLAIN) for each in value))


def _has_variables(node: FieldNode) -> bool:
    found = _Variables()
    for argument in node.arguments or ():
        visit(argument, found)
    return found.any


class _Variables(Visitor):
    any = False

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.any = True
