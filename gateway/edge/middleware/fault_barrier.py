"""The last resort: an exception that reaches it becomes a masked 500 with the headers of every other answer."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.edge.errors import Faults, stamp
from gateway.edge.negotiation import JSON
from gateway.edge.replies import Reply, encode, send_reply


class FaultBarrier:
    """Answers for a handler that failed; once an answer has begun only closing the connection is left."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except Exception as fault:
            if begun:
                raise
            await send_reply(send, failed(fault, str(scope.get("state", {}).get("request_id", ""))))


def failed(fault: Exception, request_id: str) -> Reply:
    """The answer of a handler that failed; the log has the fault."""
    errors = stamp([Faults(request_id=request_id).mask(fault)], request_id)
    body = encode({"errors": errors, "extensions": {"requestId": request_id}})
    return Reply(status=500, media=JSON, body=body)
