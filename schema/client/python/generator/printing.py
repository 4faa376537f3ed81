"""Python's words for what was selected: enums, inputs, models, operations, and the methods of both clients."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLType,
    OperationDefinitionNode,
    OperationType,
    is_required_input_field,
    print_ast,
    type_from_ast,
)

from generator.reading import Member, Model, Selections, Unsupported, name_of, snake

SCALARS = {
    "String": "str", "ID": "str", "Cursor": "str", "Int": "int", "Float": "float", "Boolean": "bool",
    "Decimal": "Decimal", "DateTime": "datetime", "Date": "date",
}  # fmt: skip
READERS = {"Decimal": "Decimal", "DateTime": "moment", "Date": "date.fromisoformat", "Float": "float"}
MARK = "# Written by `make gen` from schema.graphql and operations/*.graphql; edit there.\n"


def enums_module(found: Selections) -> str:
    """`enums.py`."""
    lines = ['"""The enums of the operations."""', "", "from marketgate_client.wire import OpenEnum", ""]
    for _, enum in sorted(found.enums.items()):
        lines += ["", f"class {enum.name}(OpenEnum):", *_doc(enum.description, 4)]
        for name, value in enum.values.items():
            lines.append(f'    {name} = "{name}"')
            lines += _doc(value.description, 4)
        lines.append("")
    return MARK + "\n".join(lines)


def inputs_module(found: Selections) -> str:
    """`inputs.py`."""
    lines = ['"""The input objects of the operations."""', "", *_imports(found)]
    lines += ["from marketgate_client.wire import UNSET, Input, Unset", ""]
    for _, given in sorted(found.inputs.items()):
        lines += ["", "@dataclass(frozen=True, slots=True, kw_only=True)", f"class {given.name}(Input):"]
        lines += _doc(given.description, 4)
        for name, each in given.fields.items():
            attribute = snake(name)
            needed = is_required_input_field(each)
            hint = argument_hint(each.type)
            if not needed:
                some = hint.removesuffix(" | None")
                hint = f"{some} | Unset{hint[len(some) :]} = UNSET"
            lines.append(f"    {attribute}: {hint}")
            lines += _doc(each.description, 4)
        lines += [f"    _names: ClassVar[Mapping[str, str]] = { {snake(name): name for name in given.fields}!r}", ""]
    return MARK + "\n".join(lines)


def models_module(found: Selections) -> str:
    """`models.py`."""
    lines = ['"""The answers of the operations: a class for each selection."""', "", *_imports(found)]
    lines += ["from marketgate_client.wire import moment", ""]
    for model in found.models.values():
        lines += [*_model(model), ""]
    return MARK + "\n".join(lines)


def operations_module(found: Selections) -> str:
    """`operations.py`: documents with the readers of their answers."""
    lines = ['"""The operations: their documents, and how their answers are read."""', "", *_imports(found)]
    lines += ["from marketgate_client.wire import Operation", "from marketgate_client.generated import models", ""]
    for operation in found.operations:
        root, name = found.root(operation), name_of(operation)
        document = "\n\n".join(print_ast(each) for each in (operation, *found.needed(operation)))
        lines += [
            f"{snake(name).upper()}: Operation[{hint_of(root, 'models.')}] = Operation(",
            f'    name="{name}",', f'    field="{root.key}",',
            f"    read=lambda value: {reading(root.type, root.cls and 'models.' + root.cls, 'value', 0)},",
            *([] if isinstance(root.type, GraphQLNonNull) else ["    nullable=True,"]),
            *(["    writes=True,"] if operation.operation is OperationType.MUTATION else []),
            '    document="""\\', document, '""",', ")", "",
        ]  # fmt: skip
    return MARK + "\n".join(lines)


def methods_module(found: Selections, asynchronous: bool) -> str:
    """`methods.py` or `asyncmethods.py`: what a client inherits."""
    stream, kind = ("AsyncStream", "async def") if asynchronous else ("Stream", "def")
    lines = ['"""The typed questions of a client."""', "", *_imports(found)]
    lines += [
        "from abc import ABC, abstractmethod", "from typing import TypeVar",
        f"from marketgate_client.streams import {stream}", "from marketgate_client.wire import Operation",
        "from marketgate_client.generated import models, operations", "",
        'T = TypeVar("T")', "", "",
        f"class {'AsyncQuestions' if asynchronous else 'Questions'}(ABC):",
        '    """One method for each operation; what is None is left to the gateway\'s defaults."""', "",
        "    @abstractmethod",
        f"    {kind} _ask(self, operation: Operation[T], variables: Mapping[str, object]) -> T: ...", "",
        "    @abstractmethod",
        "    def _stream(",
        "        self, operation: Operation[T], variables: Mapping[str, object], after: str | None",
        f"    ) -> {stream}[T]: ...", "",
    ]  # fmt: skip
    for operation in found.operations:
        lines += [*_method(found, operation, stream, asynchronous), ""]
    return MARK + "\n".join(lines)


def exports_module(found: Selections) -> str:
    """`__init__.py`."""
    enums, inputs = sorted(found.enums), sorted(found.inputs)
    lines = [
        '"""Models, enums and inputs that the operations use."""', "",
        f"from marketgate_client.generated.enums import {', '.join(enums)}",
        f"from marketgate_client.generated.inputs import {', '.join(inputs)}",
        f"from marketgate_client.generated.models import {', '.join(sorted(found.models))}", "",
        f"__all__ = {sorted([*enums, *inputs, *found.models])!r}",
    ]  # fmt: skip
    return MARK + "\n".join(lines) + "\n"


def hint_of(member: Member, prefix: str = "") -> str:
    """The annotation of an answer."""
    return _hint(member.type, prefix + member.cls if member.cls else None, sequence="tuple[{}, ...]")


def argument_hint(type: GraphQLType) -> str:
    """The annotation of an argument: enums are taken as texts, too."""
    return _hint(type, None, sequence="Sequence[{}]", enum="{} | str")


def reading(type: GraphQLType, cls: str | None, value: str, depth: int) -> str:
    """An expression that reads *value*, an expression for the JSON of *type*."""
    if isinstance(type, GraphQLNonNull):
        return _reading_some(type.of_type, cls, value, depth)
    name = f"v{depth}"
    some = _reading_some(type, cls, name, depth + 1)
    return value if some == name else f"None if ({name} := {value}) is None else {some}"


def _reading_some(type: GraphQLType, cls: str | None, value: str, depth: int) -> str:
    match type:
        case GraphQLList():
            each = f"e{depth}"
            read = reading(type.of_type, cls, each, depth + 1)
            return f"tuple({value})" if read == each else f"tuple([{read} for {each} in {value}])"
        case GraphQLEnumType():
            return f"enums.{type.name}({value})"
        case GraphQLScalarType():
            reader = READERS.get(type.name)
            return f"{reader}({value})" if reader else value
    return f"{cls}.read({value})"


def _hint(type: GraphQLType, cls: str | None, *, sequence: str, enum: str = "{}") -> str:
    match type:
        case GraphQLNonNull():
            return _hint_some(type.of_type, cls, sequence, enum)
    return _hint_some(type, cls, sequence, enum) + " | None"


def _hint_some(type: GraphQLType, cls: str | None, sequence: str, enum: str) -> str:
    match type:
        case GraphQLList():
            return sequence.format(_hint(type.of_type, cls, sequence=sequence, enum=enum))
        case GraphQLEnumType():
            return enum.format(f"enums.{type.name}")
        case GraphQLScalarType():
            return SCALARS[type.name]
        case GraphQLInputObjectType():
            return f"inputs.{type.name}"
    if cls is None:
        raise Unsupported(f"{type} has no class")
    return cls


def _model(model: Model) -> Iterator[str]:
    yield from ["", "@dataclass(frozen=True, slots=True, kw_only=True)", f"class {model.name}:"]
    yield from _doc(model.description, 4)
    yield ""
    for member in model.members:
        yield f"    {member.name}: {hint_of(member)}"
        yield from _doc(member.description, 4)
    yield from ["", "    @classmethod", f"    def read(cls, value: Any) -> {model.name}:", "        return cls("]
    for member in model.members:
        found = reading(member.type, member.cls, f'value["{member.key}"]', 0)
        yield f"            {member.name}={found},"
    yield "        )"


def _method(found: Selections, operation: OperationDefinitionNode, stream: str, asynchronous: bool) -> Iterator[str]:
    root, name = found.root(operation), name_of(operation)
    live = operation.operation is OperationType.SUBSCRIPTION
    needed, others, passed = ["self"], list[str](), list[str]()
    for variable in operation.variable_definitions or ():
        type, key = type_from_ast(found.schema, variable.type), variable.variable.name.value
        assert type is not None  # The document is valid.
        found.ask(type)
        attribute, hint = snake(key), argument_hint(type)
        passed.append(f'"{key}": {attribute}')
        (needed if isinstance(type, GraphQLNonNull) else others).append(
            f"{attribute}: {hint}" + ("" if isinstance(type, GraphQLNonNull) else " = None")
        )
    if live:
        others.append("after: str | None = None")
    arguments = ", ".join([*needed, *(["*", *others] if others else [])])
    answer = hint_of(root, "models.")
    kind = "async def" if asynchronous and not live else "def"
    yield f"    {kind} {snake(name)}({arguments}) -> {f'{stream}[{answer}]' if live else answer}:"
    yield from _doc(root.description, 8)
    call = f"operations.{snake(name).upper()}, {{{', '.join(passed)}}}"
    if live:
        yield f"        return self._stream({call}, after)"
    else:
        yield f"        return {'await ' if asynchronous else ''}self._ask({call})"


def _doc(text: str | None, indent: int) -> list[str]:
    if not text:
        return []
    flat = " ".join(text.split()).replace("\\", "\\\\").replace('"""', "'''")
    if flat.endswith('"'):
        flat += " "
    wrapped = textwrap.wrap(flat, 110 - indent, break_long_words=False, break_on_hyphens=False)
    body = wrapped[0] if len(wrapped) == 1 else "\n".join([*wrapped, ""])
    return textwrap.indent(f'"""{body}"""', " " * indent).split("\n")


def _imports(found: Selections) -> list[str]:
    """More than a module needs: ruff takes out what it does not use."""
    return [
        "from __future__ import annotations", "", "from collections.abc import Mapping, Sequence",
        "from dataclasses import dataclass", "from datetime import date, datetime", "from decimal import Decimal",
        "from typing import Any, ClassVar", "", "from marketgate_client.generated import enums, inputs",
    ]  # fmt: skip
