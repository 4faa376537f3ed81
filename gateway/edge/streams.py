"""Subscriptions by graphql-core: a source of events, each executed with a context of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Sequence
from contextlib import aclosing
from typing import Any, cast

from graphql import ExecutionResult, GraphQLError, create_source_event_stream, execute_subscription_event
from graphql.execution import Executor as Execution


class SourceFailed(Exception):
    """A subscription's resolver gave no source of events."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


async def responses(
    execution: Execution[Any], context_for_event: Callable[[], object], timeout_s: float
) -> AsyncGenerator[ExecutionResult]:
    """One result an event; opening the source and executing an event have the time of an operation each.

    What an event's resolvers cache or count stays with that event, and its `now` is the event's.
    """
    async with asyncio.timeout(timeout_s):
        source = await _source(execution)
    async with aclosing(cast(Any, aiter(source))) as events:
        async for event in events:
            each = execution.build_per_event_executor(event)
            each.context_value = context_for_event()
            result = execute_subscription_event(each)
            if not isinstance(result, ExecutionResult):
                async with asyncio.timeout(timeout_s):
                    result = await result
            yield result


async def _source(execution: Execution[Any]) -> AsyncIterable[Any]:
    found = create_source_event_stream(execution)
    if not isinstance(found, ExecutionResult | AsyncIterable):
        found = await found
    if isinstance(found, ExecutionResult):
        raise SourceFailed(found.errors or ())
    return found
