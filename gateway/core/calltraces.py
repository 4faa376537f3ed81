"""Spans of upstream calls: one around each call with what its guards decided, one around each request of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from gateway.core.tracing import TRACES, Span, code_of, span
from schema.errors import BudgetReached, CircuitOpen, QuotaReached, UpstreamError

if TYPE_CHECKING:
    from gateway.core.access import Lane
    from gateway.core.upstream import RawReply, RawStream, Request, StreamTransport, Transport

T = TypeVar("T")
Attempt = Callable[..., Coroutine[Any, Any, T]]
GUARDS: dict[type[UpstreamError], str] = {CircuitOpen: "breaker", QuotaReached: "quota", BudgetReached: "limit"}
"""Who refuses a call before anything is sent."""


def traced_call(attempt: Attempt[T]) -> Attempt[T]:
    """A span around each attempt; while nothing is traced it is the attempt itself."""

    @wraps(attempt)
    def made(pipeline: Any, lane: Lane, *rest: Any) -> Coroutine[Any, Any, T]:
        call = attempt(pipeline, lane, *rest)
        return call if TRACES.tracer is None else _within(call, lane, rest[2])

    return made


async def _within(call: Awaitable[T], lane: Lane, chunk: Sequence[Any]) -> T:
    capability = lane.answer.capability.name
    with span(
        f"call {lane.id}", provider=lane.id, capability=capability, items=len(chunk), own_key=lane.own,
        breaker=lane.breaker.state.value.lower(),
    ) as traced:  # fmt: skip
        found = await call
        if traced is not None:
            _tell(traced, found)
        return found


def _tell(traced: Span, found: object) -> None:
    if not isinstance(found, UpstreamError):
        traced.set("marketgate.outcome", "answered")
        return
    traced.set("marketgate.outcome", code_of(found))
    guard = GUARDS.get(type(found))
    if guard is not None:
        traced.event("refused", guard=guard, retry_after_s=found.retry_after)
    traced.fail(code_of(found))


def traced(transport: Transport) -> Transport:
    """The same with a span around each exchange, where anything is traced."""
    from gateway.core.upstream import StreamTransport

    if TRACES.tracer is None:
        return transport
    if isinstance(transport, StreamTransport):
        return TracedStreams(transport, transport)
    return TracedTransport(transport)


class TracedTransport:
    """Tells host and path as an adapter wrote it: keys stand in the query, in headers, or where a path is filled in."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def send(self, request: Request) -> RawReply:
        """See `Transport`."""
        with span(request.method, "client", provider=request.provider) as made:
            _name(made, request)
            reply = await self._transport.send(request)
            if made is not None:
                made.set("http.response.status_code", reply.status)
                made.set("http.response.body.size", len(reply.content))
                made.set("marketgate.recorded", None if reply.recorded is None else reply.recorded.value)
            return reply

    async def close(self) -> None:
        """See `Transport`."""
        await self._transport.close()


class TracedStreams(TracedTransport):
    """The same over a transport that hands on a body as it comes."""

    def __init__(self, transport: Transport, streams: StreamTransport) -> None:
        super().__init__(transport)
        self._streams = streams

    @asynccontextmanager
    async def open_stream(self, request: Request) -> AsyncIterator[RawStream]:
        """See `StreamTransport`. The span is over once the head is there: bodies may go on for minutes."""
        async with AsyncExitStack() as stack:
            with span(request.method, "client", provider=request.provider) as made:
                _name(made, request)
                reply = await stack.enter_async_context(self._streams.open_stream(request))
                if made is not None:
                    made.set("http.response.status_code", reply.status)
            yield reply


def _name(made: Span | None, request: Request) -> None:
    if made is not None:
        made.set("http.request.method", request.method)
        made.set("server.address", urlsplit(request.url).hostname)
        made.set("url.path", request.path)
