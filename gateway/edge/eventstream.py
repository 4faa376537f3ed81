"""Subscriptions over HTTP: Server-Sent Events (graphql-sse, distinct connections) and multipart (subscriptionSpec=1.0).

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

import structlog
from graphql import OperationType
from starlette.types import Receive, Scope, Send

from gateway.core.identity import Principal
from gateway.edge.begun import begin
from gateway.edge.body import parse_json, read_body
from gateway.edge.errors import Refused
from gateway.edge.execute import (
    ANY_OPERATION,
    Executor,
    OperationRequest,
    OperationResult,
    PreparedOperation,
    RequestFacts,
    refused_result,
)
from gateway.edge.leaving import while_there
from gateway.edge.limits import EdgeSettings
from gateway.edge.listener import Listener
from gateway.edge.negotiation import GRAPHQL_RESPONSE, check_content_encoding, check_content_type
from gateway.edge.operation import resumed_after
from gateway.edge.replies import Reply, encode, send_reply
from gateway.edge.whole import NARROW

LOG = structlog.get_logger(__name__)
HEAD_S = 0.5
"""How long the head waits for the first message: until it is sent a refusal has a status of its own."""
_NOT_AT_ALL = re.compile(r"q=0(\.0{0,3})?")
PLAIN = [(b"cache-control", b"no-store"), (b"vary", b"Accept"), (b"x-accel-buffering", b"no")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """How messages are written: what stands before the first one, around each, and after the last."""

    media: bytes
    start: bytes
    beat: bytes
    last: bytes
    event: Callable[[bytes], bytes]
    fatal: Callable[[bytes], bytes]
    """An error of the stream itself, which ends it."""


def _event(payload: bytes) -> bytes:
    return b"event: next\ndata: " + payload + b"\n\n"


def _part(body: bytes) -> bytes:
    # The boundary follows at once: parsers take a part for whole when they see it.
    return b"\r\nContent-Type: application/json\r\n\r\n" + body + b"\r\n--graphql"


SSE = Framing(
    media=b"text/event-stream; charset=utf-8", start=b":\n\n", beat=b":\n\n", last=b"event: complete\ndata:\n\n",
    event=_event, fatal=_event,
)  # fmt: skip
MULTIPART = Framing(
    media=b'multipart/mixed; boundary="graphql"; subscriptionSpec="1.0"', start=b"--graphql", beat=_part(b"{}"),
    last=b"--\r\n", event=lambda payload: _part(b'{"payload":' + payload + b"}"),
    fatal=lambda payload: _part(b'{"payload":null,' + payload[1:]),
)  # fmt: skip


def framing_of(accept: str | None) -> Framing | None:
    """How the caller wants messages, where it names one of the two ways; None for a plain answer."""
    if accept is None or ("text/event-stream" not in accept and "multipart/mixed" not in accept):
        return None
    for media in accept.lower().split(","):
        kind, *parameters = (part.strip().replace('"', "") for part in media.split(";"))
        if any(_NOT_AT_ALL.fullmatch(each) for each in parameters):
            continue
        if kind == "text/event-stream":
            return SSE
        if kind == "multipart/mixed" and "subscriptionspec=1.0" in parameters:
            return MULTIPART
    return None


class EventStreams:
    """Answers a request with the messages of its operation, each as soon as it is there."""

    def __init__(self, executor: Executor, settings: EdgeSettings) -> None:
        self._executor, self._settings = executor, settings

    async def answer(
        self, framing: Framing, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str],
        facts: RequestFacts, asked: Callable[[], OperationRequest] | None = None,
    ) -> None:  # fmt: skip
        """Until the operation, its credential, this process or the client ends it; ClientGone where that left early.

        *asked* reads the operation of a GET, which changes nothing.
        """
        stream = _Stream(framing, send, self._settings)
        try:
            request = await self._posted(receive, headers) if asked is None else asked()
            principal = await self._executor.identify(facts)
            try:
                allowed = ANY_OPERATION if asked is None else ANY_OPERATION - {OperationType.MUTATION}
                prepared = await self._executor.prepared(request, allowed, facts, principal)
                resumed_after(prepared)
            except Refused as refused:
                raise await self._executor.charged(refused, facts, principal) from None
        except Refused as refused:
            await stream.close(refused_result(refused, facts.request_id))
            return
        if prepared.operation.operation is OperationType.SUBSCRIPTION:
            # Who does not read must show soon: the machine would hold megabytes for it.
            scope.get("extensions", {}).get(NARROW, _nothing)()
            await self._listen(stream, prepared, facts, principal, receive)
        else:
            await self._once(stream, prepared, facts, principal, receive)

    async def _posted(self, receive: Receive, headers: Mapping[str, str]) -> OperationRequest:
        check_content_type(headers.get("content-type"))
        check_content_encoding(headers.get("content-encoding"))
        settings = self._settings
        text = await read_body(receive, headers, most=settings.max_body_bytes, timeout_s=settings.body_timeout_s)
        return OperationRequest.of(parse_json(text, "request body"))

    async def _once(
        self, stream: _Stream, prepared: PreparedOperation, facts: RequestFacts, principal: Principal, receive: Receive
    ) -> None:
        """A query or mutation is a stream of one message; a mutation goes on without its client."""
        running = self._executor.run(prepared, facts, principal)
        waits, result = begin(running)
        if waits and prepared.is_mutation:
            result = await result
        elif waits:
            with while_there(receive):
                result = await result
        await stream.close(result)

    async def _listen(
        self, stream: _Stream, prepared: PreparedOperation, facts: RequestFacts, principal: Principal, receive: Receive
    ) -> None:
        ended, why = asyncio.Event(), list[str]()

        def end(reason: str) -> None:
            why.append(reason)
            ended.set()

        unwatch = self._executor.gate.watch(principal, end)
        names: dict[str, asyncio.Task[object]] = {
            "work": asyncio.create_task(self._carry(stream, prepared, facts, principal), name="stream"),
            "beat": asyncio.create_task(stream.beat(), name="stream.beat"),
            "left": asyncio.create_task(_left(receive), name="stream.left"),
            "ended": asyncio.create_task(ended.wait(), name="stream.ended"),
            "away": asyncio.create_task(self._executor.leaving.wait(), name="stream.away"),
        }
        try:
            await asyncio.wait(names.values(), return_when=asyncio.FIRST_COMPLETED)
        finally:
            unwatch()
            for task in names.values():
                task.cancel()
            await asyncio.gather(*names.values(), return_exceptions=True)
        work = names["work"]
        if names["left"].done() and not names["left"].cancelled():
            return
        if why:
            refused = Refused("UNAUTHENTICATED", why[0], status=401)
            await stream.close(refused_result(refused, facts.request_id), fatal=True)
        elif work.done() and not work.cancelled() and work.exception() is None:
            await stream.close(work.result())  # type: ignore[arg-type]
        else:
            if work.done() and not work.cancelled() and not isinstance(work.exception(), TimeoutError | OSError):
                LOG.error("stream_failed", exc_info=work.exception())
            # Without the word that it is complete: the client comes again, elsewhere.
            await stream.abandon()

    async def _carry(
        self, stream: _Stream, prepared: PreparedOperation, facts: RequestFacts, principal: Principal
    ) -> OperationResult | None:
        """Write all messages; what the operation ended with, where that is to be told."""
        executor = self._executor
        key = None if executor.sharing is None else await executor.sharing.key(prepared, principal)
        if key is not None:
            return await executor.listen(prepared, facts, principal, key, partial(Listener, stream.write))
        async with aclosing(executor.subscribe(prepared, facts, principal)) as results:
            async for result in results:
                if not result.executed:
                    return result
                await stream.write(encode(result.body()))
                await asyncio.sleep(0)
        return None


class _Stream:
    """The answer as it is written; its head goes out with the first message, or a little later without one."""

    def __init__(self, framing: Framing, send: Send, settings: EdgeSettings) -> None:
        self._framing, self._send, self._settings = framing, send, settings
        self._begun = False
        self._turn = asyncio.Lock()

    async def write(self, payload: bytes) -> None:
        """One message."""
        await self._put(self._framing.event(payload))

    async def beat(self) -> None:
        """The head in time, and then signs of life."""
        await asyncio.sleep(HEAD_S)
        await self._put(b"")
        while True:
            await asyncio.sleep(self._settings.socket_ping_s)
            await self._put(self._framing.beat)

    async def close(self, last: OperationResult | None, *, fatal: bool = False) -> None:
        """The end: a refusal has its status where nothing was sent before it.

        But for an operation that cannot be executed as it is: graphql-sse tells that in the stream.
        """
        in_stream = self._framing is SSE and last is not None and last.status == 400 and last.well_formed
        if last is not None and not last.executed and not self._begun and not in_stream:
            await _refuse(self._send, last)
            return
        if last is not None:
            frame = self._framing.fatal if fatal else self._framing.event
            await self._put(frame(encode(last.body())))
        await self._put(self._framing.last)
        await self.abandon()

    async def abandon(self) -> None:
        """No more of it."""
        await self._put(b"")
        await self._send({"type": "http.response.body", "body": b""})

    async def _put(self, data: bytes) -> None:
        async with self._turn, asyncio.timeout(self._settings.socket_send_s):
            if not self._begun:
                self._begun = True
                headers = [(b"content-type", self._framing.media), *PLAIN]
                await self._send({"type": "http.response.start", "status": 200, "headers": headers})
                data = self._framing.start + data
            if data:
                await self._send({"type": "http.response.body", "body": data, "more_body": True})


def _nothing() -> None:
    """Where the server has no way to do it."""


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(send: Send, result: OperationResult) -> None:
    body = encode(result.body())
    await send_reply(send, Reply(status=result.status, media=GRAPHQL_RESPONSE, body=body, headers=result.headers))
