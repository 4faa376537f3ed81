"""Which operations' answers may be kept as bytes, and by which key: known once a document, from its fields' facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from enum import Enum
from math import inf
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)
from graphql.execution.values import VariableValues, get_variable_values
from graphql.language import Visitor, visit

from gateway.edge.documents import Document
from gateway.edge.graphqlcore import once_a_schema
from schema.facts import FACTS, Facts, Shared, is_per_read


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """With whom an operation's answer may be shared at the most, and for how many seconds at the most."""

    shared: Shared = Shared.NONE
    fresh_for: float = inf


NOT_KEPT = Keeping()


class Keepings:
    """The rules of all operations of a schema. Unsaid is NONE: whoever states nothing has nothing kept."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._roots = _facts_of(schema.query_type) if schema.query_type else {}
        self._streams = _facts_of(schema.subscription_type) if schema.subscription_type else {}
        self._per_read = _read_afresh_in(schema)

    def of(self, document: Document, operation: OperationDefinitionNode) -> Keeping:
        """The rule of an operation, kept with its document."""
        key = ("keeping", operation.name.value if operation.name else None)
        found: Keeping | None = document.notes.get(key)
        if found is None:
            found = document.notes[key] = self._judge(document, operation)
        return found

    def streams(self, document: Document, operation: OperationDefinitionNode) -> Shared:
        """With whom a subscription's messages may be shared: what belongs to a read is the same for one message."""
        return min((each.shared for each in self._facts(document, operation, self._streams)), default=Shared.NONE)

    def variables(
        self, document: Document, operation: OperationDefinitionNode, given: Mapping[str, Any] | None
    ) -> tuple[Any, ...] | None:
        """The coerced variables as part of a key: what is left out equals its default. None where there is no key."""
        declared = operation.variable_definitions
        if not declared:
            return ()
        values = get_variable_values(self._schema, declared, dict(given or {}), 1)
        return frozen_items(values.coerced) if isinstance(values, VariableValues) else None

    def _judge(self, document: Document, operation: OperationDefinitionNode) -> Keeping:
        if operation.operation is not OperationType.QUERY or self._reads_afresh(document):
            return NOT_KEPT
        facts = self._facts(document, operation, self._roots)
        if not facts:
            return NOT_KEPT
        return Keeping(
            shared=min(each.shared for each in facts),
            fresh_for=min((each.fresh_for for each in facts if each.fresh_for is not None), default=inf),
        )

    def _facts(
        self, document: Document, operation: OperationDefinitionNode, roots: Mapping[str, Facts]
    ) -> list[Facts]:  # fmt: skip
        """Of the operation's root fields."""
        fragments = {d.name.value: d for d in document.tree.definitions if isinstance(d, FragmentDefinitionNode)}
        names = set(_roots(operation.selection_set, fragments)) - {"__typename"}
        return [roots.get(name) or Facts() for name in names]

    def _reads_afresh(self, document: Document) -> bool:
        """Whether any field of the document, included or not, is one of a read."""
        found = False

        class Fields(Visitor):
            """Sees every field."""

            def enter_field(inner, node: FieldNode, *_: Any) -> None:
                nonlocal found
                found = found or node.name.value in self._per_read

        visit(document.tree, Fields())
        return found


def frozen_items(values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Values as a key, sorted by name; None where one of them is of a kind whose sameness is not known."""
    try:
        return tuple((name, _frozen(values[name])) for name in sorted(values))
    except TypeError:
        return None


def _frozen(value: Any) -> Any:
    """Told apart by kind: 1, 1.0 and true are equal in Python and not in GraphQL; 1.0 and 1.00 echo differently."""
    if value is None or isinstance(value, str):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, bool | int | float | Decimal | date | time):
        return (type(value).__name__, str(value))
    if isinstance(value, Enum):
        return ("enum", value.name)
    if isinstance(value, list | tuple):
        return ("list", tuple(map(_frozen, value)))
    if isinstance(value, dict):
        return ("object", tuple((str(name), _frozen(value[name])) for name in sorted(value)))
    raise TypeError(type(value).__name__)


def _roots(selected: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[str]:
    """Names of root fields, those of fragments included, each fragment once."""
    pending, seen = [selected], set[str]()
    while pending:
        for selection in pending.pop().selections:
            if isinstance(selection, FieldNode):
                yield selection.name.value
            elif isinstance(selection, InlineFragmentNode):
                pending.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
                seen.add(selection.name.value)
                pending.append(fragments[selection.name.value].selection_set)


@once_a_schema
def _read_afresh_in(schema: GraphQLSchema) -> frozenset[str]:
    """Names of fields whose values belong to the read. Any field of such a name is taken for one."""
    return frozenset(
        name
        for kind in schema.type_map.values()
        if isinstance(kind, GraphQLObjectType)
        for name, found in kind.fields.items()
        if is_per_read(_resolver(found.extensions.get("strawberry-definition")))
    )


def _facts_of(kind: GraphQLObjectType) -> dict[str, Facts]:
    found = {
        name: getattr(each.extensions.get("strawberry-definition"), "metadata", {}).get(FACTS)
        for name, each in kind.fields.items()
    }
    return {name: facts for name, facts in found.items() if facts is not None}


def _resolver(definition: Any) -> object:
    return getattr(getattr(definition, "base_resolver", None), "wrapped_func", None)
