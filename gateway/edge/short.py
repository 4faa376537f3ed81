"""What all layers do with a plain GraphQL request, in one step: each wrapper around an answer costs its share.

The layers stay what they are for everything else; a test holds the two to the same answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter

from starlette.types import Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

from gateway.edge.body import ClientGone
from gateway.edge.errors import Refused
from gateway.edge.execute import RequestFacts
from gateway.edge.http import GraphQLEndpoint, facts_of, headers_of
from gateway.edge.limits import EdgeSettings
from gateway.edge.middleware import access_log, request_id
from gateway.edge.middleware.compression import accepted, is_packable, packed_by, packed_head
from gateway.edge.middleware.fault_barrier import failed
from gateway.edge.middleware.security_headers import STRICT_TRANSPORT, secured
from gateway.edge.replies import FINAL, Reply, head_of
from gateway.edge.requesttraces import TRACE, request_span, tell_status
from gateway.edge.whole import EXTENSION, Header, Whole, lines_of

GONE = 499
"""The client left before there was an answer."""
LEFT = "the handler is closed"


class Short:
    """The layers as one."""

    def __init__(self, endpoint: GraphQLEndpoint, settings: EdgeSettings, extra: Mapping[str, str]) -> None:
        self._endpoint, self._settings = endpoint, settings
        plain = secured(extra)
        self._everywhere = {False: plain, True: [*plain, STRICT_TRANSPORT]}
        self._lines = {tls: lines_of(headers) for tls, headers in self._everywhere.items()}

    def lines(self, scope: Scope) -> bytes:
        """The headers of every answer, as they are written."""
        return self._lines[scope.get("scheme") == "https"]

    async def send(
        self, scope: Scope, send: Send, status: int, headers: list[Header], body: Sequence[bytes]
    ) -> None:  # fmt: skip
        """Send an answer with the headers of every answer; *headers* name the request."""
        tls = scope.get("scheme") == "https"
        extensions = scope.get("extensions")
        whole: Whole | None = extensions.get(EXTENSION) if extensions else None
        if whole is None or not whole(status, self._lines[tls], headers, body):
            headers = [*headers, *self._everywhere[tls]]
            try:
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": b"".join(body)})
            except (OSError, RuntimeError) as error:
                # What uvloop says of a client that has left; any other RuntimeError is a fault of ours.
                if isinstance(error, RuntimeError) and LEFT not in str(error):
                    raise

    async def answer(
        self, scope: Scope, receive: Receive, send: Send, body: bytes | Refused | None
    ) -> tuple[Reply, RequestFacts] | None:
        """Execute and send; what was sent, None where the client left."""
        started, status, size = perf_counter(), GONE, 0
        headers = headers_of(scope)
        name = request_id.sane(headers.get("x-request-id", "").encode("latin-1")) or request_id.new_id()
        scope.setdefault("state", {})["request_id"] = name
        tokens = bind_contextvars(request_id=name)
        with request_span(scope, self._settings.trace_networks) as traced:
            try:
                facts = facts_of(scope, headers, self._settings.public_origin)
                try:
                    reply = await self._endpoint.reply(scope, receive, headers, facts, body)
                except ClientGone:
                    return None
                except Exception as fault:  # noqa: BLE001 - the caller gets a masked answer
                    reply = failed(fault, name)
                head, content = await _packed(scope, reply)
                status, size = reply.status, len(content)
                sent = [*head["headers"], (request_id.HEADER, name.encode())]
                if traced is not None and traced.traceparent:
                    sent.append((TRACE, traced.traceparent.encode()))
                await self.send(scope, send, status, sent, (content,))
                return reply, facts
            finally:
                tell_status(traced, status)
                access_log.note(scope, status, size, started)
                reset_contextvars(**tokens)


async def _packed(scope: Scope, reply: Reply) -> tuple[Message, bytes]:
    """Head and body, packed where that is worth it."""
    head = head_of(reply)
    coding = None if head[FINAL] else accepted(scope)
    if coding is None or not is_packable(head, reply.body):
        return head, reply.body
    content = await packed_by(coding[1], reply.body)
    return dict(packed_head(head, coding[0], len(content))), content
