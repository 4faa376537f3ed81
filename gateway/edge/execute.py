"""The one way to execute an operation: every transport comes through here, so none can miss a limit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any, TypeGuard, cast

import strawberry
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, OperationType, execute
from graphql.execution import Executor as CoreExecution
from strawberry.execution import optimized_is_awaitable

from gateway.core.contract import Context
from gateway.core.identity import Principal
from gateway.edge.broadcasts import Broadcasts
from gateway.edge.compiled import CompiledExecutor, Selections
from gateway.edge.documents import Document, DocumentReader
from gateway.edge.errors import (
    Faults,
    Refused,
    expected,
    format_errors,
    masked,
    refuse,
    stamp,
    turned_away,
    words_of,
)
from gateway.edge.gate import Admission, Gate, OpenGate
from gateway.edge.graphqlcore import core_schema
from gateway.edge.limits import EdgeSettings
from gateway.edge.listener import Listener
from gateway.edge.operation import OperationRequest as OperationRequest
from gateway.edge.operation import OperationResult as OperationResult
from gateway.edge.operation import PreparedOperation as PreparedOperation
from gateway.edge.operation import RequestFacts as RequestFacts
from gateway.edge.operation import refused_result as refused_result
from gateway.edge.operation import resumed_after
from gateway.edge.persisted import SharedDocuments
from gateway.edge.preparing import Preparing
from gateway.edge.replies import encode
from gateway.edge.responses import HIT, MISS, Entry, Place, ResponseCache
from gateway.edge.sharing import Execution, Sharing
from gateway.edge.shelves import Kept
from gateway.edge.streams import SourceFailed, responses
from schema.errors import MarketgateError, Refusal

QUERY_ONLY = frozenset({OperationType.QUERY})
QUERY_AND_MUTATION = frozenset({OperationType.QUERY, OperationType.MUTATION})
ANY_OPERATION = frozenset(OperationType)

# Strawberry's test knows plain values at once; it is typed more loosely than graphql-core asks.
_is_awaitable = cast("Callable[[Any], TypeGuard[Awaitable[Any]]]", optimized_is_awaitable)


class Executor(Preparing):
    """Executes documents read once against a Strawberry schema, within the limits of the settings.

    graphql-core is called directly: Strawberry's own `execute` parses and validates anew, and cannot hide the
    suggestions that give names away. Schema extensions would be passed over, so a schema that has some is refused.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        settings: EdgeSettings,
        context_for: Callable[[RequestFacts, Principal], object],
        gate: Gate | None = None,
        responses: ResponseCache | None = None,
        persisted: SharedDocuments | None = None,
        sharing: Sharing | None = None,
    ) -> None:
        if schema.extensions or schema.directives:
            raise TypeError("the edge executes documents itself: Strawberry extensions and directives would not run")
        self._schema: GraphQLSchema = core_schema(schema)
        super().__init__(DocumentReader(self._schema, settings), settings, gate or OpenGate(), persisted)
        self._kept = Kept()
        self.sharing, self.broadcasts = sharing, Broadcasts()
        self.leaving = asyncio.Event()
        """Set when this process is going away: answers without an end are ended."""
        self.draining = False
        """Whether this process is still serving but wants no more callers: balancers are told."""
        self._context_for = context_for
        self.responses = responses

    async def execute(
        self,
        request: OperationRequest,
        facts: RequestFacts,
        allowed: frozenset[OperationType] = QUERY_AND_MUTATION,
        principal: Principal | None = None,
    ) -> OperationResult:
        """Answer one request; nothing but cancellation escapes."""
        try:
            principal = principal or await self.identify(facts)
        except Refused as refused:
            return refused_result(refused, facts.request_id)
        try:
            prepared = await self.prepared(request, allowed, facts, principal)
        except Refused as refused:
            return refused_result(await self.charged(refused, facts, principal), facts.request_id)
        return await self.run(prepared, facts, principal)

    async def identify(self, facts: RequestFacts) -> Principal:
        """Who asks, once per request or connection; raises Refused."""
        try:
            return self.gate.recognise(facts) or await self.gate.identify(facts)
        except Refusal as refusal:
            raise turned_away(refusal) from None
        except Exception as fault:  # noqa: BLE001 - whatever it is, the caller gets a masked answer
            raise masked(fault, Faults(request_id=facts.request_id)) from None

    async def charged(self, refused: Refused, facts: RequestFacts, principal: Principal) -> Refused:
        """What is answered to a request that `prepare` refused, once the gate has charged for it."""
        try:
            return await self.gate.charge_refused(refused, principal, facts)
        except Refusal as refusal:
            return turned_away(refusal)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the caller gets a masked answer
            return masked(fault, Faults(request_id=facts.request_id))

    async def run(self, prepared: PreparedOperation, facts: RequestFacts, principal: Principal) -> OperationResult:
        """Execute a prepared operation within its time, if the caller may."""
        faults = Faults(request_id=facts.request_id)
        admission = await self._admit(prepared, principal, facts)
        if isinstance(admission, OperationResult):
            return admission
        if self.persisted is not None:
            self.persisted.share(prepared)
        context = result = None
        try:
            responses, entry = self.responses, None
            place = None if responses is None else await responses.place(prepared, principal)
            if responses is not None and place is not None:
                entry = responses.find(place) or await responses.landed(place)
            if place is not None and entry is not None:
                result = _kept(place, entry, faults)
            elif place is not None and responses is not None:
                context = self._context_for(facts, principal)
                with responses.flying(place):
                    MISS.inc()
                    result = await self._execute(prepared, context, faults, facts.waited_s)
                    result = self._keep_answer(place, result, context)
            else:
                context = self._context_for(facts, principal)
                result = await self._execute(prepared, context, faults, facts.waited_s)
                if prepared.is_mutation and responses is not None:
                    await responses.changed(principal.tenant)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
            result = self._failure(error, faults)
        finally:
            admission.release(context, result is None or bool(result.errors) or not result.executed)
        result.extensions.update(admission.extensions)
        told = admission.headers
        result.headers = {**told, **result.headers} if result.headers else told
        result.cookies = getattr(context, "cookies", ())
        return result

    def _keep_answer(self, place: Place, result: OperationResult, context: object) -> OperationResult:
        """Keep an answer that may be kept."""
        log = context.market.log if isinstance(context, Context) and not context.cookies else None
        if log is None or not log.shared or result.errors or not result.executed or self.responses is None:
            return result
        entry = self.responses.keep(place, lambda: encode(result.data), log)
        return result if entry is None else replace(result, place=place, entry=entry)

    async def subscribe(
        self, prepared: PreparedOperation, facts: RequestFacts, principal: Principal
    ) -> AsyncGenerator[OperationResult]:
        """Open a stream: admitted once, one result an event. A result that is not executed is the last one.

        Close the iterator (`aclosing`) to end the stream; what was taken for it is given back then.
        """
        after = resumed_after(prepared)
        admission = await self._admit(prepared, principal, facts)
        if isinstance(admission, OperationResult):
            yield admission
            return
        context, failed = None, True
        try:
            context = self._context_for(facts, principal)
            if isinstance(context, Context):
                context.market.after = after
            told: Mapping[str, object] = admission.extensions
            async with aclosing(self._stream(prepared, context, facts, principal)) as results:
                async for result in results:
                    failed = bool(result.errors)
                    yield replace(result, extensions={**result.extensions, **told})
                    told = {}
        finally:
            admission.release(context, failed)

    async def listen(
        self,
        prepared: PreparedOperation,
        facts: RequestFacts,
        principal: Principal,
        key: Hashable,
        make: Callable[[Mapping[str, object]], Listener],
    ) -> OperationResult | None:
        """A stream whose execution is shared by all of one *key*, until its end; what it ended with, where it was told.

        Who comes back with a cursor that the shared one does not hold any more has another one until it is there again.
        """
        after = resumed_after(prepared)
        admission = await self._admit(prepared, principal, facts)
        if isinstance(admission, OperationResult):
            return admission
        failed = True
        ear = make({"requestId": facts.request_id, **admission.extensions})
        ear.owner = principal.tenant
        try:
            source = partial(self._source, prepared, facts, principal, after)
            while True:
                self.broadcasts.join(key, ear, after, source)
                last = await ear.pump()
                if not ear.parted():
                    failed = last is not None
                    return last
        finally:
            if ear.broadcast is not None:
                ear.broadcast.leave(ear)
            admission.release(None, failed)

    def _source(
        self, prepared: PreparedOperation, facts: RequestFacts, principal: Principal, after: str | None
    ) -> Execution:  # fmt: skip
        context = self._context_for(facts, principal)
        if isinstance(context, Context):
            context.market.after = after
        return Execution(context, lambda made: self._stream(prepared, made, facts, principal))

    async def _admit(
        self, prepared: PreparedOperation, principal: Principal, facts: RequestFacts
    ) -> Admission | OperationResult:
        """What the gate says; an answer where the operation is not to run."""
        try:
            admission = self.gate.admit_now(prepared, principal, facts)
            if admission is None:
                admission = await self.gate.admit(prepared, principal, facts)
        except Refused as refused:
            return refused_result(refused, facts.request_id)
        except Refusal as refusal:
            told = turned_away(refusal)
            if not self._reader.keeps(prepared.document):
                # It was read for nothing.
                told = await self.charged(told, facts, principal)
            return refused_result(told, facts.request_id)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the caller gets a masked answer
            return refused_result(masked(fault, Faults(request_id=facts.request_id)), facts.request_id)
        self._keep(prepared)
        if admission.price_only:
            extensions = {"requestId": facts.request_id, **admission.extensions}
            return OperationResult(executed=False, extensions=extensions, headers=admission.headers)
        return admission

    async def _execute(
        self, prepared: PreparedOperation, context: object, faults: Faults, waited_s: float
    ) -> OperationResult:
        try:
            ends = asyncio.get_running_loop().time() + self._settings.operation_timeout_s - waited_s
            result = self._start(prepared, context)
            if not isinstance(result, ExecutionResult):
                async with asyncio.timeout_at(ends):
                    result = await result
            return self._finish(result, faults, prepared)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
            return self._failure(error, faults)

    async def _stream(
        self, prepared: PreparedOperation, context: object, facts: RequestFacts, principal: Principal
    ) -> AsyncGenerator[OperationResult]:
        try:
            execution = self._build(prepared, context)
            events = responses(
                execution, lambda: self._context_for(facts, principal), self._settings.operation_timeout_s
            )
            async with aclosing(events) as results:
                async for result in results:
                    yield self._finish(result, Faults(request_id=facts.request_id), prepared)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
            yield self._failure(error, Faults(request_id=facts.request_id))

    def _failure(self, error: Exception, faults: Faults) -> OperationResult:
        """The answer that an exception means; only expected ones are told."""
        if isinstance(error, SourceFailed):
            formatted = format_errors(error.errors, faults)
            return refused_result(Refused("INTERNAL", "", well_formed=True, errors=formatted), faults.request_id)
        if isinstance(error, TimeoutError):
            error = self._late()
        elif isinstance(error, MarketgateError):
            error = expected(error)
        elif not isinstance(error, Refused):
            error = masked(error, faults)
        return refused_result(error, faults.request_id)

    def _start(self, prepared: PreparedOperation, context: object) -> ExecutionResult | Awaitable[ExecutionResult]:
        if not prepared.operation.variable_definitions:
            return self._known(prepared, context)
        return execute(
            self._schema,
            prepared.document.tree,
            context_value=context,
            variable_values=prepared.request.variables,
            operation_name=prepared.request.operation_name or None,
            executor_class=CompiledExecutor,
            is_awaitable=_is_awaitable,
            hide_suggestions=not self._settings.development,
            operation_extensions=prepared.request.extensions,
            selections=self._selections(prepared.document),
            at_once=True,
        )

    def _known(self, prepared: PreparedOperation, context: object) -> ExecutionResult | Awaitable[ExecutionResult]:
        """Without variables every execution is built alike: from the parts of the first."""
        notes, key = prepared.document.notes, (CompiledExecutor, id(prepared.operation))
        make: Callable[..., CompiledExecutor] | None = notes.get(key)
        if make is None:
            built = cast(CompiledExecutor, self._build(prepared, None))
            make = notes[key] = partial(
                CompiledExecutor, built.schema, built.fragment_definitions, built.fragments, None,
                operation=built.operation, variable_values=built.variable_values, field_resolver=built.field_resolver,
                type_resolver=built.type_resolver, subscribe_field_resolver=built.subscribe_field_resolver,
                is_awaitable=_is_awaitable, hide_suggestions=built.hide_suggestions,
                selections=self._selections(prepared.document), at_once=True,
            )  # fmt: skip
        straight, begun = self._selections(prepared.document).straight.get(id(prepared.operation)), None
        if straight is not None:
            data, begun = straight.answer(context, prepared.request.extensions)
            if data is not None:
                return ExecutionResult(data, None)
        execution = make(context_value=context, operation_extensions=prepared.request.extensions, begun=begun)
        return cast("ExecutionResult | Awaitable[ExecutionResult]", execution.execute_operation())

    def _selections(self, document: Document) -> Selections:
        found: Selections | None = document.notes.get(Selections)
        if found is None:
            found = document.notes[Selections] = Selections(self._kept)
        return found

    def _build(self, prepared: PreparedOperation, context: object) -> CoreExecution[Any]:
        execution = CompiledExecutor.build(
            self._schema,
            prepared.document.tree,
            context_value=context,
            raw_variable_values=prepared.request.variables,
            operation_name=prepared.request.operation_name or None,
            is_awaitable=_is_awaitable,
            hide_suggestions=not self._settings.development,
            operation_extensions=prepared.request.extensions,
            selections=self._selections(prepared.document),
        )
        if isinstance(execution, list):
            raise self._unusable(execution, prepared)
        return execution

    def _unusable(self, errors: Sequence[GraphQLError], prepared: PreparedOperation) -> Refused:
        """Variables that do not fit; in production in the caller's own words only."""
        words: Collection[str] | None = None
        if not self._settings.development:
            loc = prepared.document.tree.loc
            words = words_of(loc.source.body if loc else "", repr(prepared.request.variables))
        return refuse("BAD_USER_INPUT", errors, self._schema, words)

    def _finish(self, result: ExecutionResult, faults: Faults, prepared: PreparedOperation) -> OperationResult:
        extensions: dict[str, object] = {"requestId": faults.request_id}
        errors = result.errors
        if not errors:
            return OperationResult(executed=True, data=result.data, extensions=extensions)
        # Field errors have a path; errors without one stopped the operation before it began.
        if result.data is None and all(error.path is None for error in errors):
            raise self._unusable(errors, prepared)
        formatted = stamp(format_errors(errors, faults), faults.request_id)
        return OperationResult(executed=True, data=result.data, errors=formatted, extensions=extensions)

    def _late(self) -> Refused:
        seconds = self._settings.operation_timeout_s
        return Refused(
            "DEADLINE_EXCEEDED", f"The operation took longer than {seconds:g} s.", status=504, well_formed=True
        )


def _kept(place: Place, entry: Entry, faults: Faults) -> OperationResult:
    """The answer as the response cache has it."""
    HIT.inc()
    extensions: dict[str, object] = {"requestId": faults.request_id}
    return OperationResult(executed=True, extensions=extensions, place=place, entry=entry)
