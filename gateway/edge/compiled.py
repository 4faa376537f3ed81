"""The executor class: a root field's value becomes JSON in one pass, by a function that is compiled once a document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphql import (
    GraphQLObjectType,
    GraphQLResolveInfo,
    OperationDefinitionNode,
    OperationType,
    Undefined,
    VariableNode,
    Visitor,
    get_named_type,
    is_leaf_type,
    is_non_null_type,
    is_object_type,
    visit,
)
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import AwaitableOrValue, Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.edge.begun import Begun
from gateway.edge.compiler import Run, compile_value
from gateway.edge.roots import Root, root_of
from gateway.edge.shelves import Kept
from gateway.edge.straight import Straight

MOST_FORMS = 64
"""Compiled forms of one document: operations, root fields and values of `@skip` and `@include` multiply."""


class Selections:
    """The compiled forms of one document."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self.runs: dict[tuple[Any, ...], Run | None] = {}
        self.switches: dict[int, tuple[str, ...]] = {}
        self.roots: dict[int, Root | None] = {}
        """By the identity of the field's node, which the document holds."""
        self.straight: dict[int, Straight] = {}
        """By the identity of the operation; of those without variables."""


class CompiledExecutor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor, but for the completion of what root fields resolve to.

    Where the compiled form cannot go on, the same value is completed by graphql-core: no resolver of a root runs
    twice, and errors have the paths and places that they always have.
    """

    def __init__(
        self, *args: Any, selections: Selections | None = None, at_once: bool = False,
        begun: Callable[[], Begun] | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        self._selections = selections
        # How far the only root field came before there was an executor.
        self._begun = begun
        # Whether the task that executes is the one that will wait for the result.
        self._at_once = at_once

    def execute_root_grouped_field_set(
        self, root_type: Any, root_value: Any, grouped_field_set: Any, serially: bool, position_context: Any
    ) -> AwaitableOrValue[dict[str, Any]]:
        """See graphql-core; of several fields each waits in a task of its own, and none may begin in another."""
        self._at_once = self._at_once and len(grouped_field_set) == 1
        return super().execute_root_grouped_field_set(
            root_type, root_value, grouped_field_set, serially, position_context
        )

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_details_list: list[FieldDetails],
        path: Path,
        position_context: Any,
    ) -> Any:
        """See graphql-core; a query's only root field is run at once, and to its end if nothing waits."""
        root = self._root(parent_type, field_details_list) if self._at_once and path.prev is None else None
        if root is None:
            return super().execute_field(parent_type, source, field_details_list, path, position_context)
        nodes, kind = [each.node for each in field_details_list], root.field.type
        info = self.build_resolve_info(root.field, nodes, parent_type, path)
        try:
            waits, result = root.start(info) if self._begun is None else self._begun()
            if waits:
                return self.complete_awaitable_value(kind, field_details_list, info, path, result, position_context)
            completed = self.complete_value(kind, field_details_list, info, path, result, position_context)
        except Exception as error:  # noqa: BLE001 - every error is told at its field, as graphql-core does
            self.handle_field_error(error, kind, field_details_list, path)
            return None
        if self.is_awaitable(completed):
            return self._completed(completed, kind, field_details_list, path)
        self._learn(root, field_details_list, info, path)
        return completed

    def _learn(self, root: Root, details: list[FieldDetails], info: GraphQLResolveInfo[Any], path: Path) -> None:
        """What was answered without waiting, and compiled, goes straight the next time."""
        selections, operation = self._selections, self.operation
        if selections is None or operation.variable_definitions or id(operation) in selections.straight:
            return
        run = self._run(root.field.type, details, info, path)
        if run is not None:
            selections.straight[id(operation)] = Straight.of(root, info, str(path.key), run)

    async def _completed(self, completed: Any, kind: Any, details: list[FieldDetails], path: Path) -> Any:
        try:
            return await completed
        except Exception as error:  # noqa: BLE001 - every error is told at its field, as graphql-core does
            self.handle_field_error(error, kind, details, path)

    def _root(self, parent: GraphQLObjectType, details: list[FieldDetails]) -> Root | None:
        selections, node = self._selections, details[0].node
        if selections is None or self.operation.operation is not OperationType.QUERY:
            return None
        try:
            return selections.roots[id(node)]
        except KeyError:
            try:
                found = root_of(self, parent, details[0])
            except Exception:  # noqa: BLE001 - arguments that do not fit: the reference code comes to them and tells it
                found = None
            selections.roots[id(node)] = found
            return found

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

    def complete_list_value(
        self,
        return_type: Any,
        field_details_list: list[FieldDetails],
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> AwaitableOrValue[list[Any]]:
        """See graphql-core; a list of leaves is written in one go, and where one does not fit graphql-core tells it."""
        written = _leaves(return_type.of_type, result) if isinstance(result, list | tuple) else None
        if written is not None:
            return written
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)

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


def _leaves(kind: Any, values: Sequence[Any]) -> list[Any] | None:
    """JSON values of a list whose items are leaves; None where they are not, or where one of them does not fit."""
    nullable = not is_non_null_type(kind)
    leaf = kind if nullable else kind.of_type
    if not is_leaf_type(leaf):
        return None
    write = leaf.coerce_output_value
    try:
        written = [None if value is None else write(value) for value in values]
    except Exception:  # noqa: BLE001 - an item that waits, or that is none of this type
        return None
    odd = sum(each is None or each is Undefined for each in written)
    return written if odd == (sum(value is None for value in values) if nullable else 0) else None


class _Switches(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: Any, *_: Any) -> None:
        for argument in node.arguments or ():
            if isinstance(argument.value, VariableNode):
                self.names.add(argument.value.name.value)
