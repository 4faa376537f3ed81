"""The executor class: a root field's value becomes JSON in one pass, by a function that is compiled once a document."""

from __future__ import annotations

from typing import Any

from graphql import (
    GraphQLResolveInfo,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    get_named_type,
    is_object_type,
    visit,
)
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import AwaitableOrValue, Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.edge.compiler import Run, compile_value
from gateway.edge.shelves import Kept

MOST_FORMS = 64
"""Compiled forms of one document: operations, root fields and values of `@skip` and `@include` multiply."""


class Selections:
    """The compiled forms of one document."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self.runs: dict[tuple[Any, ...], Run | None] = {}
        self.switches: dict[int, tuple[str, ...]] = {}


class CompiledExecutor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor, but for the completion of what root fields resolve to.

    Where the compiled form cannot go on, the same value is completed by graphql-core: no resolver of a root runs
    twice, and errors have the paths and places that they always have.
    """

    def __init__(self, *args: Any, selections: Selections | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._selections = selections

    def complete_value(
        self,
        return_type: Any,
        field_details_list: list[FieldDetails],
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> AwaitableOrValue[Any]:
        """See graphql-core; a non-null root comes here a second time for its inner type, which is not tried again."""
        if path.prev is None and return_type is info.return_type and result is not None:
            run = self._run(return_type, field_details_list, info, path)
            if run is not None:
                try:
                    return run(result, self.context_value)
                except Exception:  # noqa: BLE001, S110 - whatever it is, the reference code comes to it again and tells it
                    pass
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)

    def _run(self, kind: Any, details: list[FieldDetails], info: GraphQLResolveInfo[Any], path: Path) -> Run | None:
        selections = self._selections
        if selections is None:
            return None
        operation, values = self.operation, self.variable_values.coerced
        switches = selections.switches.get(id(operation))
        if switches is None:
            switches = selections.switches[id(operation)] = self._switches(operation)
        key = (id(operation), path.key, *[values.get(name) for name in switches])
        try:
            return selections.runs[key]
        except KeyError:
            made = None
            if is_object_type(get_named_type(kind)) and info.parent_type is self.schema.get_root_type(
                operation.operation
            ):
                made = compile_value(self, kind, details, selections.kept)
            if len(selections.runs) >= MOST_FORMS:
                selections.runs.clear()
            selections.runs[key] = made
            return made

    def _switches(self, operation: OperationDefinitionNode) -> tuple[str, ...]:
        """Variables that `@skip` and `@include` read: what is selected depends on their values alone."""
        found = _Switches()
        for node in (operation, *self.fragment_definitions.values()):
            visit(node, found)
        return tuple(sorted(found.names))


class _Switches(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: Any, *_: Any) -> None:
        for argument in node.arguments or ():
            if isinstance(argument.value, VariableNode):
                self.names.add(argument.value.name.value)
