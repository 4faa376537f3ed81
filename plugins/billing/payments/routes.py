"""`POST /billing/stripe`: what the payment provider tells. Believed by its signature alone, so it needs no session."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.core.contract import Host
from gateway.core.payments import PaymentForged
from plugins.billing.payments.desk import PaymentDesk

PATH = "/billing/stripe"
LARGEST = 256 * 1024


def routes(host: Host) -> Sequence[BaseRoute]:
    """The one route; 404 where payments are off."""

    async def receive(request: Request) -> Response:
        desk = host.service(PaymentDesk)
        if desk.port is None:
            return _answer(404, "payments are off")
        try:
            body = await _bounded(request)
        except ClientDisconnect:
            return _answer(400, "the body did not arrive")
        if body is None:
            return _answer(413, "the body is too large")
        try:
            news = desk.port.news(body, request.headers.get("stripe-signature", ""))
        except PaymentForged:
            return _answer(400, "the signature does not fit")
        changed = news is not None and await desk.learn(news)
        return JSONResponse({"received": True, "changed": changed})

    return [Route(PATH, receive, methods=["POST"])]


async def _bounded(request: Request) -> bytes | None:
    """The body; None where it is larger than any message."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            return None
    return bytes(body)


def _answer(status: int, error: str) -> Response:
    return JSONResponse({"error": error}, status)
