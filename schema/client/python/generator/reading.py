"""What the operations select: classes of answers, the enums and inputs they need, in the order to print them."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    print_ast,
)

Composite = GraphQLObjectType | GraphQLInterfaceType
ANSWERED = frozenset({
    "quote", "consensus", "candles", "orderBook", "trades", "instrument", "fxRates", "convert", "fundingRate",
    "companyProfile", "marketStatus", "news",
})  # fmt: skip
"""Root fields that are null beside an error only: the error is raised, and nobody has to ask for null."""


class Unsupported(Exception):
    """An operation that this generator has no Python for; the message says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An attribute of a class: its name here, its key in the answer, its GraphQL type, the class of what it holds."""

    name: str
    key: str
    type: GraphQLOutputType
    cls: str | None
    description: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A class of answers."""

    name: str
    description: str | None
    members: tuple[Member, ...]


@dataclass(slots=True)
class Selections:
    """Walks the operations once; `models` are in an order in which each stands behind what it uses."""

    schema: GraphQLSchema
    document: DocumentNode
    models: dict[str, Model] = field(default_factory=dict)
    enums: dict[str, GraphQLEnumType] = field(default_factory=dict)
    inputs: dict[str, GraphQLInputObjectType] = field(default_factory=dict)
    fragments: dict[str, FragmentDefinitionNode] = field(default_factory=dict)
    _selected: dict[str, set[str]] = field(default_factory=dict)
    _roots: dict[str, Member] = field(default_factory=dict)
    _origins: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for definition in self.document.definitions:
            if isinstance(definition, FragmentDefinitionNode):
                self.fragments[definition.name.value] = definition
                self._count(definition.selection_set, self._conditioned(definition))
        for operation in self.operations:
            self._count(operation.selection_set, self._root(operation))

    @property
    def operations(self) -> list[OperationDefinitionNode]:
        """In the order of the files and within them."""
        return [each for each in self.document.definitions if isinstance(each, OperationDefinitionNode)]

    def root(self, operation: OperationDefinitionNode) -> Member:
        """An operation's only root field; all classes of its answer are in `models` afterwards."""
        name = name_of(operation)
        if name not in self._roots:
            self._roots[name] = self._read_root(operation)
        return self._roots[name]

    def _read_root(self, operation: OperationDefinitionNode) -> Member:
        selections = operation.selection_set.selections
        if len(selections) != 1 or not isinstance(selections[0], FieldNode):
            raise Unsupported(f"{name_of(operation)} has not one root field")
        member = self._member(self._root(operation), selections[0], name_of(operation), "")
        if selections[0].name.value in ANSWERED and not isinstance(member.type, GraphQLNonNull):
            return replace(member, type=GraphQLNonNull(member.type))
        return member

    def needed(self, operation: OperationDefinitionNode) -> list[FragmentDefinitionNode]:
        """All fragments that a document needs beside its operation, by name."""
        found: dict[str, FragmentDefinitionNode] = {}
        todo = list(_spreads(operation.selection_set))
        while todo:
            if (name := todo.pop()) not in found:
                found[name] = self.fragments[name]
                todo += _spreads(self.fragments[name].selection_set)
        return [found[name] for name in sorted(found)]

    def ask(self, type: GraphQLType) -> None:
        """Take along what a variable's type is made of."""
        match _named_type(type):
            case GraphQLEnumType() as enum:
                self.enums[enum.name] = enum
            case GraphQLInputObjectType() as given if given.name not in self.inputs:
                self.inputs[given.name] = given
                for each in given.fields.values():
                    self.ask(each.type)

    def _root(self, operation: OperationDefinitionNode) -> Composite:
        root = self.schema.get_root_type(operation.operation)
        assert root is not None  # The document is valid.
        return root

    def _conditioned(self, fragment: FragmentDefinitionNode) -> Composite:
        return _composite(self.schema.type_map[fragment.type_condition.name.value])

    def _count(self, selected: SelectionSetNode, owner: Composite) -> None:
        for each in selected.selections:
            if isinstance(each, FieldNode) and each.selection_set is not None:
                inner = _composite(_named_type(owner.fields[each.name.value].type))
                if _only_spread(each.selection_set) is None:
                    self._selected.setdefault(inner.name, set()).add(print_ast(each.selection_set))
                self._count(each.selection_set, inner)

    def _member(self, owner: Composite, node: FieldNode, path: str, prefix: str) -> Member:
        """*path* names the class of a root field, *prefix* the class that any other field is in."""
        found = owner.fields[node.name.value]
        key = (node.alias or node.name).value
        inner, cls = _named_type(found.type), None
        if isinstance(inner, GraphQLEnumType):
            self.enums[inner.name] = inner
        if node.selection_set is not None:
            cls = self._class(_composite(inner), node.selection_set, path or prefix + key[0].upper() + key[1:])
        return Member(name=snake(key), key=key, type=found.type, cls=cls, description=found.description)

    def _class(self, type: Composite, selected: SelectionSetNode, path: str) -> str:
        spread = _only_spread(selected)
        if spread is not None:
            fragment = self.fragments[spread]
            return self._named(spread, "fragment", self._conditioned(fragment), fragment.selection_set)
        if type.name not in self.fragments and len(self._selected[type.name]) == 1:
            return self._named(type.name, "type", type, selected)
        return self._named(path, f"{type.name} {print_ast(selected)}", type, selected)

    def _named(self, name: str, origin: str, type: Composite, selected: SelectionSetNode) -> str:
        """The class of that name, made where there is none; *origin* tells one from another that is called alike."""
        if self._origins.setdefault(name, origin) != origin:
            raise Unsupported(f"two classes would be called {name}: rename an operation or a fragment")
        if name not in self.models:
            members = tuple(self._members(type, selected, name))
            if len({each.name for each in members}) != len(members):
                raise Unsupported(f"{name} has two attributes of one name")
            self.models[name] = Model(name=name, description=type.description, members=members)
        return name

    def _members(self, type: Composite, selected: SelectionSetNode, prefix: str) -> Iterator[Member]:
        for each in selected.selections:
            match each:
                case FieldNode():
                    yield self._member(type, each, "", prefix)
                case FragmentSpreadNode():
                    yield from self._members(type, self.fragments[each.name.value].selection_set, prefix)
                case _:
                    raise Unsupported(f"{prefix} selects by type: ask the fields that all types have")


def snake(name: str) -> str:
    """`max_age_ms` of `maxAgeMs`; a word of Python's own gets an underscore."""
    found = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
    return found + "_" if keyword.iskeyword(found) else found


def name_of(operation: OperationDefinitionNode) -> str:
    """An operation's name; Unsupported where it has none."""
    if operation.name is None:
        raise Unsupported("an operation has no name")
    return operation.name.value


def _named_type(type: GraphQLType) -> GraphQLNamedType:
    return get_named_type(type)


def _composite(type: GraphQLNamedType) -> Composite:
    if not isinstance(type, GraphQLObjectType | GraphQLInterfaceType):
        raise Unsupported(f"{type.name} is a union: ask the fields that all types have")
    return type


def _only_spread(selected: SelectionSetNode) -> str | None:
    match tuple(selected.selections):
        case (FragmentSpreadNode() as spread,):
            return spread.name.value
    return None


def _spreads(selected: SelectionSetNode) -> Iterator[str]:
    for each in selected.selections:
        if isinstance(each, FragmentSpreadNode):
            yield each.name.value
        elif isinstance(each, FieldNode | InlineFragmentNode) and each.selection_set is not None:
            yield from _spreads(each.selection_set)
