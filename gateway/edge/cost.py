"""What an operation costs and needs, known before it runs: compiled once a document from the facts of its fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_object_type,
)
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values
from graphql.language import Visitor, visit

from gateway.edge.documents import Document
from gateway.edge.graphqlcore import once_a_schema
from schema.facts import FACTS, Facts
from schema.scopes import Scope

LEAST = 1
MOST_TARIFFS = 32
"""Of one operation: one for each combination of the variables in its `@skip` and `@include`."""
NO_FACTS = Facts(cost=0)
META = frozenset({"__typename", "__schema", "__type"})
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")

Amount = int | Callable[[VariableValues], int]
"""Points that are known, or a function of the variables."""


class MissingFacts(RuntimeError):
    """Root fields whose authors have not said what they cost and need."""

    def __init__(self, names: Iterable[str]) -> None:
        listed = ", ".join(names)
        super().__init__(f"{listed}: give each `metadata=facts(…)` (schema/facts.py), so that it has a cost and a need")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A root field of an operation, and under how many keys it is selected."""

    facts: Facts
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one run of an operation costs, and what its caller must be."""

    cost: int
    fields: Mapping[str, int]
    """Points by root field."""
    needs: Mapping[Scope, str]
    """Each scope with the first field that needs it."""
    person: str | None
    """The first field that only a signed-in person may ask."""
    asked: Mapping[str, Asked]
    """Root fields by name."""
    counted: tuple[tuple[str, Asked], ...] = ()
    """Those of them that have a limit of their own."""


@dataclass(slots=True, kw_only=True)
class Tariff:
    """A compiled operation: what does not depend on variables is worked out already."""

    amounts: list[tuple[str, Amount]] = field(default_factory=list)
    needs: dict[Scope, str] = field(default_factory=dict)
    person: str | None = None
    asked: dict[str, Asked] = field(default_factory=dict)
    constant: Price | None = None

    def price(self, variables: VariableValues) -> Price:
        """With the variables put in."""
        fields: dict[str, int] = {}
        for name, amount in self.amounts:
            fields[name] = fields.get(name, 0) + (amount if isinstance(amount, int) else amount(variables))
        return self.of(0 if self._free else max(LEAST, sum(fields.values())), fields)

    @property
    def _free(self) -> bool:
        """Whether all that is asked costs nothing and is bounded by a limit of its own instead."""
        facts = [asked.facts for asked in self.asked.values()]
        return bool(facts) and all(each.cost == 0 and each.per_minute is not None for each in facts)

    def of(self, cost: int, fields: Mapping[str, int]) -> Price:
        """The price of this operation once its points are known."""
        counted = tuple((name, asked) for name, asked in self.asked.items() if _is_counted(asked.facts))
        return Price(
            cost=cost, fields=fields, needs=self.needs, person=self.person, asked=self.asked, counted=counted
        )  # fmt: skip


@dataclass(slots=True, kw_only=True)
class _Operation:
    """What is kept of an operation with its document."""

    switches: tuple[str, ...]
    tariffs: dict[tuple[object, ...], Tariff] = field(default_factory=dict)


_NO_VARIABLES = VariableValues({}, {})


class PriceList:
    """The facts of all fields of a schema; MissingFacts where a root field has none."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._facts = _facts_in(schema)
        roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
        missing = [f"{r.name}.{name}" for r in roots if r for name in r.fields if (r.name, name) not in self._facts]
        if missing:
            raise MissingFacts(missing)
        self._open = META | {
            name for r in roots if r for name in r.fields if _is_open(self._facts[r.name, name])
        }  # fmt: skip

    def price(
        self, document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any] | None
    ) -> Price:
        """What the operation costs with these variables; the least where they are malformed, for then nothing runs."""
        kept = self._operation(document, operation)
        if not kept.switches and (tariff := kept.tariffs.get(())) is not None and tariff.constant is not None:
            return tariff.constant
        values = get_variable_values(self._schema, operation.variable_definitions or (), dict(variables or {}), 1)
        if not isinstance(values, VariableValues):
            return Price(cost=LEAST, fields={}, needs={}, person=None, asked={})
        key = tuple(values.coerced.get(name) for name in kept.switches)
        tariff = kept.tariffs.get(key)
        if tariff is None:
            if len(kept.tariffs) >= MOST_TARIFFS:
                kept.tariffs.clear()
            tariff = kept.tariffs[key] = self._compile(document, operation, values)
        return tariff.constant or tariff.price(values)

    def facts_of(self, kind: str, name: str) -> Facts:
        """What is stated of a field; nothing for most nested ones."""
        return self._facts.get((kind, name), NO_FACTS)

    def may_be_open(self, source: str) -> bool:
        """Whether a text names a root field that needs nothing of its caller; what names none has no such operation."""
        return any(name in self._open for name in _NAME.findall(source))

    def _operation(self, document: Document, operation: OperationDefinitionNode) -> _Operation:
        key = ("price", operation.name.value if operation.name else None)
        kept: _Operation | None = document.notes.get(key)
        if kept is None:
            kept = document.notes[key] = _Operation(switches=_switches(document, operation))
        return kept

    def _compile(self, document: Document, operation: OperationDefinitionNode, values: VariableValues) -> Tariff:
        tariff = Tariff()
        root = self._schema.get_root_type(operation.operation)
        if root is not None:
            _Compiler(self, self._schema, document, values, tariff).root(root, operation.selection_set)
        if all(isinstance(amount, int) for _, amount in tariff.amounts):
            tariff.constant = tariff.price(_NO_VARIABLES)
        return tariff


class _Compiler:
    """Walks the selections of one operation as the executor merges them, for one choice of its switches."""

    def __init__(
        self, prices: PriceList, schema: GraphQLSchema, document: Document, values: VariableValues, tariff: Tariff
    ) -> None:
        self._prices, self._schema, self._values, self._tariff = prices, schema, values, tariff
        self._fragments = {
            found.name.value: found
            for found in document.tree.definitions
            if isinstance(found, FragmentDefinitionNode)
        }  # fmt: skip
        self._below: dict[tuple[str, tuple[int, ...]], Amount] = {}

    def root(self, kind: GraphQLObjectType, selected: SelectionSetNode) -> None:
        """Fill the tariff."""
        for nodes in self._collect(kind, [selected]).values():
            name = nodes[0].name.value
            self._tariff.amounts.append((name, self._field(kind, nodes, "")))
            asked = self._tariff.asked.get(name)
            facts = self._prices.facts_of(kind.name, name)
            self._tariff.asked[name] = Asked(facts=facts, times=asked.times + 1 if asked else 1)

    def _field(self, parent: GraphQLObjectType, nodes: list[FieldNode], path: str) -> Amount:
        name = nodes[0].name.value
        if name.startswith("__"):
            return 0 if name == "__typename" else 1
        found, facts = parent.fields[name], self._prices.facts_of(parent.name, name)
        path = f"{path}.{name}" if path else name
        for scope in facts.scopes:
            self._tariff.needs.setdefault(scope, path)
        if facts.person and self._tariff.person is None:
            self._tariff.person = path
        selected = [node.selection_set for node in nodes if node.selection_set]
        below = self._selections(get_named_type(found.type), selected, path) if selected else 0
        if isinstance(facts.cost, int) and facts.times is None:
            return _sum([max(0, facts.cost), below])
        if not _uses_variables(nodes[0]):
            return _reckon(facts, found, nodes[0], below, _NO_VARIABLES)
        return lambda values: _points(_reckon(facts, found, nodes[0], below, values), values)

    def _selections(self, kind: object, selected: list[SelectionSetNode], path: str) -> Amount:
        """What is selected below a field; of an abstract type the dearest of what it may turn out to be."""
        if is_object_type(kind):
            return self._object(kind, selected, path)
        if is_abstract_type(kind):
            return _dearest([self._object(each, selected, path) for each in self._possible(kind)])
        return 0

    def _possible(self, kind: GraphQLAbstractType) -> Iterable[GraphQLObjectType]:
        return self._schema.get_possible_types(kind)

    def _object(self, kind: GraphQLObjectType, selected: list[SelectionSetNode], path: str) -> Amount:
        # One selection below an interface may be met under many types: each pair is worked out once.
        key = (kind.name, tuple(map(id, selected)))
        if key not in self._below:
            fields = self._collect(kind, selected).values()
            self._below[key] = _sum([self._field(kind, nodes, path) for nodes in fields])
        return self._below[key]

    def _collect(self, kind: GraphQLObjectType, selected: Iterable[SelectionSetNode]) -> dict[str, list[FieldNode]]:
        """Fields by their key in the answer, as the executor collects them."""
        found: dict[str, list[FieldNode]] = {}
        seen: set[str] = set()

        def walk(selections: SelectionSetNode) -> None:
            for selection in selections.selections:
                if not self._included(selection):
                    continue
                if isinstance(selection, FieldNode):
                    found.setdefault((selection.alias or selection.name).value, []).append(selection)
                elif isinstance(selection, InlineFragmentNode):
                    if self._applies(selection, kind):
                        walk(selection.selection_set)
                elif isinstance(selection, FragmentSpreadNode):
                    fragment = self._fragments[selection.name.value]
                    if selection.name.value not in seen and self._applies(fragment, kind):
                        seen.add(selection.name.value)
                        walk(fragment.selection_set)

        for each in selected:
            walk(each)
        return found

    def _applies(self, fragment: InlineFragmentNode | FragmentDefinitionNode, kind: GraphQLObjectType) -> bool:
        if fragment.type_condition is None:
            return True
        condition = self._schema.type_map.get(fragment.type_condition.name.value)
        return condition is kind or (is_abstract_type(condition) and self._schema.is_sub_type(condition, kind))

    def _included(self, selection: SelectionNode) -> bool:
        for directive in selection.directives or ():
            name = directive.name.value
            if name in ("skip", "include"):
                (condition,) = directive.arguments or ()
                if self._switched(condition.value) is (name == "skip"):
                    return False
        return True

    def _switched(self, value: object) -> object:
        """A literal's truth or a variable's; None, which breaks the execution, leaves the field in the price."""
        if isinstance(value, VariableNode):
            return self._values.coerced.get(value.name.value)
        return getattr(value, "value", None)


def _is_open(facts: Facts) -> bool:
    return not facts.scopes and not facts.person


def _is_counted(facts: Facts) -> bool:
    return facts.per_minute is not None or facts.anonymous_per_minute is not None


@once_a_schema
def _facts_in(schema: GraphQLSchema) -> Mapping[tuple[str, str], Facts]:
    """By the names of a type and its field."""
    return {
        (kind.name, name): found
        for kind in schema.type_map.values()
        if isinstance(kind, GraphQLObjectType)
        for name, each in kind.fields.items()
        if (found := _facts_of(each)) is not None
    }


def _facts_of(found: GraphQLField) -> Facts | None:
    definition = found.extensions.get("strawberry-definition")
    return getattr(definition, "metadata", {}).get(FACTS)


def _switches(document: Document, operation: OperationDefinitionNode) -> tuple[str, ...]:
    """The variables in `@skip` and `@include` of the document, if the operation declares them."""
    declared = {each.variable.name.value for each in operation.variable_definitions or ()}
    found: set[str] = set()

    class Switches(Visitor):
        """Sees every directive."""

        def enter_directive(self, node: Any, *_: Any) -> None:
            if node.name.value in ("skip", "include"):
                found.update(a.value.name.value for a in node.arguments if isinstance(a.value, VariableNode))

    if declared:
        visit(document.tree, Switches())
    return tuple(sorted(found & declared))


def _uses_variables(node: FieldNode) -> bool:
    found = False

    class Variables(Visitor):
        """Looks for one in the arguments."""

        def enter_variable(self, *_: Any) -> None:
            nonlocal found
            found = True

    for argument in node.arguments or ():
        visit(argument, Variables())
    return found


def _reckon(facts: Facts, found: GraphQLField, node: FieldNode, below: Amount, values: VariableValues) -> Amount:
    """The field's own points and those below it, as often as the page is long."""
    try:
        arguments = get_argument_values(found, node, values)
    except GraphQLError:
        # The executor meets the same error: the field is null and nothing below it runs.
        return LEAST
    own = facts.cost if isinstance(facts.cost, int) else facts.cost(arguments)
    times = 1 if facts.times is None else facts.times(arguments)
    return _sum([max(0, own), _product(max(0, times), below)])


def _points(amount: Amount, values: VariableValues) -> int:
    return amount if isinstance(amount, int) else amount(values)


def _sum(parts: list[Amount]) -> Amount:
    fixed = sum(part for part in parts if isinstance(part, int))
    moving = [part for part in parts if not isinstance(part, int)]
    return (lambda values: fixed + sum(part(values) for part in moving)) if moving else fixed


def _product(times: int, amount: Amount) -> Amount:
    return times * amount if isinstance(amount, int) else lambda values: times * amount(values)


def _dearest(parts: list[Amount]) -> Amount:
    fixed = max((part for part in parts if isinstance(part, int)), default=0)
    moving = [part for part in parts if not isinstance(part, int)]
    return (lambda values: max(fixed, *(part(values) for part in moving))) if moving else fixed
