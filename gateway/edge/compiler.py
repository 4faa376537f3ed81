"""Turns a selection into one Python function: from a model value straight to its JSON form.

The source of a function holds indices and the attribute names of our own classes, never a text of the document:
response keys, classes and writers are constants beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from inspect import signature
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails
from strawberry.types.field import StrawberryField

from gateway.edge.leaves import Unsure, give_up, writer
from gateway.edge.shelves import Kept
from schema.model import DIRECT, KEPT, Columns, Direct

DEFINITION = "strawberry-definition"
LONG = 32
"""Elements from which a column is worth keeping."""
ROW = 4
"""What a row weighs among the texts that are kept."""
Run = Callable[[Any, Any], Any]
"""From a root field's value and the operation's context to JSON data; any exception means: ask the reference code."""


@dataclass(slots=True)
class Part:
    """The expression of one value, and whether it follows from the root value alone."""

    code: str
    lasting: bool


@dataclass(slots=True)
class Source:
    """The functions made so far, and the constants that they name."""

    lines: list[str] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    reads: int = 0
    names: int = 0

    def name(self, letter: str = "t") -> str:
        self.names += 1
        return f"{letter}{self.names}"

    def constant(self, value: Any) -> str:
        name = self.name("k")
        self.constants[name] = value
        return name


def sequence(value: Any) -> Any:
    """Lists and tuples are walked here; everything else that GraphQL may iterate is left to it."""
    return value if value.__class__ is tuple or value.__class__ is list else give_up(value)


def compile_value(executor: Executor[Any], kind: Any, details: list[FieldDetails], kept: Kept) -> Run | None:
    """A function for what a root field resolves to; None where something selected cannot be compiled."""
    maker = _Maker(executor, kept)
    try:
        part = maker.value(kind, "v", details)
    except Unsure:
        return None
    source = maker.source
    lines = [*source.lines, "def run(v, c):", f" m = [{', '.join(['{}'] * source.reads)}]", f" return {part.code}"]
    made = {**source.constants, "give_up": give_up, "sequence": sequence, "keep": kept.keep}
    exec(compile("\n".join(lines), "<selection>", "exec"), made)  # noqa: S102 - the source holds nothing of a document
    run: Run = made["run"]
    return run


class _Maker:
    def __init__(self, executor: Executor[Any], kept: Kept) -> None:
        self._executor, self._kept = executor, kept
        self.source = Source()

    def value(self, kind: Any, given: str, details: list[FieldDetails]) -> Part:
        """*given* is an expression that is evaluated once."""
        if is_non_null_type(kind):
            return self._present(kind.of_type, given, details)
        name = self.source.name()
        part = self._present(kind, name, details)
        return Part(f"(None if ({name} := {given}) is None else {part.code})", part.lasting)

    def _present(self, kind: Any, given: str, details: list[FieldDetails]) -> Part:
        """Everything that is made here raises where *given* is None."""
        if is_leaf_type(kind):
            return Part(f"{self.source.constant(writer(kind))}({given})", lasting=True)
        if is_list_type(kind):
            return self._list(kind.of_type, given, details)
        if is_object_type(kind):
            function, lasting = self._object(kind, details)
            return Part(f"{function}({given}, c, m)", lasting)
        raise Unsure

    def _list(self, kind: Any, given: str, details: list[FieldDetails]) -> Part:
        """Never lasting: a list may be filled later."""
        inner = kind.of_type if is_non_null_type(kind) else kind
        item = self.source.name()
        part = self._present(inner, item, details)
        each = part.code if inner is not kind else f"None if {item} is None else {part.code}"
        if is_leaf_type(inner):
            return Part(f"{self._column(item, each)}({given})", lasting=False)
        return Part(f"[{each} for {item} in sequence({given})]", lasting=False)

    def _column(self, item: str, each: str) -> str:
        """Long tuples are columns of frozen values, which keep their texts."""
        function, shelf = self.source.name("f"), self.source.constant(self._kept.shelf())
        self.source.lines += [
            f"def {function}(v):",
            f" if v.__class__ is not tuple or len(v) < {LONG}:",
            f"  return [{each} for {item} in sequence(v)]",
            f" e = {shelf}.get(id(v))",
            " if e is not None and e[0] is v:",
            "  return e[1]",
            f" return keep({shelf}, v, [{each} for {item} in v], len(v))",
        ]
        return function

    def _object(self, kind: GraphQLObjectType, details: list[FieldDetails]) -> tuple[str, bool]:
        cls = _class_of(kind)
        grouped = self._executor.collect_subfields(kind, details).grouped_field_set
        parts = [(self.source.constant(key), self._field(kind, list(found))) for key, found in grouped.items()]
        function, lasting = self.source.name("f"), all(part.lasting for _, part in parts)
        known = self.source.constant(cls)
        self.source.lines += [f"def {function}(v, c, m):", f" if v.__class__ is not {known}: give_up(v)"]
        if cls not in KEPT or not any(part.lasting for _, part in parts):
            self.source.lines.append(f" return {_shown(parts)}")
            return function, lasting
        self._kept_object(parts, lasting=lasting)
        return function, lasting

    def _kept_object(self, parts: Sequence[tuple[str, Part]], *, lasting: bool) -> None:
        """What follows from a frozen value alone is made once; the rest is made once an operation."""
        shelf = self.source.constant(self._kept.shelf())
        held = [(key, part if part.lasting else Part("None", lasting=True)) for key, part in parts]
        lines = []
        if not lasting:
            lines += [f" s = m[{self.source.reads}]", " e = s.get(id(v))", " if e is not None and e[0] is v:",
                      "  return e[1]"]  # fmt: skip
            self.source.reads += 1
        lines += [f" e = {shelf}.get(id(v))", " if e is not None and e[0] is v:", "  d = e[1]", " else:",
                  f"  d = keep({shelf}, v, {_shown(held)}, {len(parts) + 4})"]  # fmt: skip
        if not lasting:
            lines.append(" d = d.copy()")
            lines += [f" d[{key}] = {part.code}" for key, part in parts if not part.lasting]
            lines.append(" s[id(v)] = (v, d)")
        self.source.lines += [*lines, " return d"]

    def _field(self, parent: GraphQLObjectType, details: list[FieldDetails]) -> Part:
        first = details[0]
        name = first.node.name.value
        if name == "__typename":
            return Part(self.source.constant(parent.name), lasting=True)
        found = self._executor.schema.get_field(parent, name)
        if found is None or found.args or any(each.fragment_variable_values for each in details):
            raise Unsure
        return self._read(found, details)

    def _read(self, found: GraphQLField, details: list[FieldDetails]) -> Part:
        told = (found.extensions or {}).get(DEFINITION)
        if not isinstance(told, StrawberryField) or told.extensions or told.permission_classes:
            raise Unsure
        if told.base_resolver is None:
            if told.default_resolver is not getattr or not told.python_name.isidentifier():
                raise Unsure
            return self.value(found.type, f"v.{told.python_name}", details)
        direct = told.metadata.get(DIRECT)
        if isinstance(direct, Direct):
            return self._direct(direct, found, details)
        if isinstance(direct, Columns):
            return self._rows(direct, found.type, details)
        call: Any = told.base_resolver.wrapped_func
        given = list(signature(call).parameters)
        if told.is_async or given not in ([], ["root"]):
            raise Unsure
        return self.value(found.type, f"{self.source.constant(call)}({'v' if given else ''})", details)

    def _direct(self, direct: Direct, found: GraphQLField, details: list[FieldDetails]) -> Part:
        selected = self._selected(found.type, details)
        call, names = self.source.constant(direct.read), self.source.constant(selected)
        part = self.value(found.type, f"{call}(v, c, {names})", details)
        lasting = part.lasting and bool(selected) and selected <= direct.lasting
        return Part(part.code, lasting)

    def _rows(self, columns: Columns, kind: Any, details: list[FieldDetails]) -> Part:
        """Rows from columns without an object a row; only leaves have a column."""
        row = get_named_type(kind)
        grouped = self._executor.collect_subfields(row, details).grouped_field_set
        keys, items, read = [], [], []
        for key, found in grouped.items():
            field = self._executor.schema.get_field(row, found[0].node.name.value)
            told = ((field and field.extensions) or {}).get(DEFINITION)
            if (
                field is None
                or told is None
                or told.base_resolver is not None
                or not is_leaf_type(get_named_type(field.type))
            ):
                raise Unsure
            inner, item = self.source.name(), self.source.name()
            leaf = field.type.of_type if is_non_null_type(field.type) else field.type
            each = self._present(leaf, inner, list(found)).code
            each = each if leaf is not field.type else f"None if {inner} is None else {each}"
            keys.append(f"{self.source.constant(key)}: {item}")
            items.append(item)
            read.append(f"{self._column(inner, each)}(d[{self.source.constant(told.python_name)}])")
        function, call = self.source.name("f"), self.source.constant(columns.of)
        whole, shelf = [self.source.name() for _ in items], self.source.constant(self._kept.shelf())
        # Long columns are the very same lists as before, as long as they are kept; so are the rows of all of them.
        same = " and ".join(f"e[1][{index}] is {name}" for index, name in enumerate(whole))
        self.source.lines += [
            f"def {function}(v):",
            f" d = {call}(v)",
            f" {', '.join(whole)}, = {', '.join(read)},",
            f" e = {shelf}.get(id({whole[0]}))",
            f" if e is not None and {same}:",
            "  return e[1][-1]",
            f" r = [{{{', '.join(keys)}}} for {', '.join(items)}, in zip({', '.join(whole)}, strict=True)]",
            f" if len(r) >= {LONG}:",
            f"  keep({shelf}, {whole[0]}, ({', '.join(whole)}, r), {ROW} * len(r))",
            " return r",
        ]
        return Part(f"{function}(v)", lasting=False)

    def _selected(self, kind: Any, details: list[FieldDetails]) -> frozenset[str]:
        kind = get_named_type(kind)
        if not is_object_type(kind):
            return frozenset()
        grouped = self._executor.collect_subfields(kind, details).grouped_field_set
        return frozenset(found[0].node.name.value for found in grouped.values())


def _shown(parts: Sequence[tuple[str, Part]]) -> str:
    return "{" + ", ".join(f"{key}: {part.code}" for key, part in parts) + "}"


def _class_of(kind: GraphQLObjectType) -> type:
    told = (kind.extensions or {}).get(DEFINITION)
    origin = getattr(told, "origin", None)
    if not isinstance(origin, type):
        raise Unsure
    return origin
