"""Executes within spans: operations and their root fields."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from graphql import GraphQLError, GraphQLObjectType, OperationType
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import Path

from gateway.core.identity import Principal
from gateway.core.tracing import CURRENT, TRACES, Span, code_of, current, event, span
from gateway.edge.compiled import CompiledExecutor
from gateway.edge.errors import FormattedError
from gateway.edge.execute import OperationResult, PreparedOperation, RequestFacts
from gateway.edge.gate import Admission
from gateway.edge.requesttraces import facts_of, trusted
from gateway.edge.shedding import SheddingExecutor


class TracedFields(CompiledExecutor):
    """Resolves each root field within a span."""

    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, field_details_list: list[FieldDetails], path: Path,
        position_context: Any,
    ) -> Any:  # fmt: skip
        """See graphql-core. What streams tell later is of no operation's trace."""
        tracer, name = TRACES.tracer, field_details_list[0].node.name.value
        if path.prev is not None or tracer is None or CURRENT.get() is None:
            return super().execute_field(parent_type, source, field_details_list, path, position_context)
        made = tracer.begin(f"resolve {name}", "internal", CURRENT.get(), {"marketgate.field": name})
        try:
            with current(made):
                found = super().execute_field(parent_type, source, field_details_list, path, position_context)
        except BaseException:
            made.end()
            raise
        if self.is_awaitable(found):
            return _rest(found, made)
        made.end()
        return found

    def handle_field_error(self, raw_error: Exception, *rest: Any) -> None:
        """See graphql-core."""
        made, cause = CURRENT.get(), raw_error
        while isinstance(cause, GraphQLError) and cause.original_error is not None:
            cause = cause.original_error
        if made is not None:
            made.fail(code_of(cause))
        super().handle_field_error(raw_error, *rest)

    def _learn(self, *_: Any) -> None:
        """What goes straight would pass the spans by."""


class TracedExecutor(SheddingExecutor):
    """Executes within spans; an edge is built with it where something is traced."""

    executing = TracedFields

    async def run(self, prepared: PreparedOperation, facts: RequestFacts, principal: Principal) -> OperationResult:
        """See `Executor`."""
        with self._span(prepared, facts, principal) as made:
            result = await super().run(prepared, facts, principal)
            if made is not None:
                made.set("marketgate.kept", result.entry is not None and result.data is None)
                _tell_errors(made, result.errors)
        return result

    async def _admit(
        self, prepared: PreparedOperation, principal: Principal, facts: RequestFacts
    ) -> Admission | OperationResult:
        if prepared.operation.operation is not OperationType.SUBSCRIPTION:
            admission = await super()._admit(prepared, principal, facts)
            _tell_limits(admission)
            return admission
        # Of a stream its start: the rest may take days.
        with self._span(prepared, facts, principal) as made:
            admission = await super()._admit(prepared, principal, facts)
            _tell_limits(admission)
            if made is not None and isinstance(admission, OperationResult):
                _tell_errors(made, admission.errors)
        return admission

    def _span(
        self, prepared: PreparedOperation, facts: RequestFacts, principal: Principal
    ) -> AbstractContextManager[Span | None]:
        parent, under = facts.headers.get("traceparent"), CURRENT.get()
        if parent is not None and not trusted(facts.client_ip, self._settings.trace_networks):
            parent = None
        return span(
            prepared.operation.operation.value, "internal" if under else "server", parent=parent,
            transport=facts.transport, facts=facts_of(prepared, principal, facts.request_id),
        )  # fmt: skip


async def _rest(found: Awaitable[Any], made: Span) -> Any:
    try:
        with current(made):
            return await found
    finally:
        made.end()


def _tell_limits(admission: Admission | OperationResult) -> None:
    if isinstance(admission, OperationResult):
        codes = [str(error["extensions"]["code"]) for error in admission.errors or ()]
        event("limits", outcome=codes[0] if codes else "price only")
    else:
        event("limits", outcome="admitted", cost=admission.told.cost if admission.told else None)


def _tell_errors(made: Span, errors: Sequence[FormattedError] | None) -> None:
    if errors:
        made.set("marketgate.errors", len(errors))
        made.fail(str(errors[0]["extensions"]["code"]))
