"""`/metrics`: Prometheus's text, for the operator's networks and the operator's keys. Never limited, never cached."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.core.identity import CallerKind, Principal, Scope
from gateway.core.metrics import exposition
from gateway.core.telemetrysettings import IpNetwork
from gateway.edge.errors import Refused, stamp
from gateway.edge.execute import RequestFacts
from gateway.edge.http import facts_of, headers_of
from gateway.edge.limits import EdgeSettings
from gateway.edge.middleware.proxies import read_address
from gateway.edge.replies import encode

NO_STORE = {"Cache-Control": "no-store"}
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
CREDENTIALS = ("authorization", "x-api-key")

Identify = Callable[[RequestFacts], Awaitable[Principal]]


def metrics_routes(identify: Identify, settings: EdgeSettings) -> list[Route]:
    """The one route; whom it is not for finds nothing there."""

    async def metrics(request: Request) -> Response:
        headers = headers_of(request.scope)
        if not is_near(request, headers, settings.metrics_networks, proxied=bool(settings.trusted_proxies)):
            try:
                await _check_operator(identify, facts_of(request.scope, headers, settings.public_origin))
            except Refused as refused:
                request_id = str(request.scope.get("state", {}).get("request_id", ""))
                body = {"errors": stamp(refused.errors, request_id), "extensions": {"requestId": request_id}}
                return Response(encode(body), refused.status, {**NO_STORE, **refused.headers}, "application/json")
        return shown()

    return [Route("/metrics", metrics, methods=["GET"])]


def shown() -> Response:
    """All figures."""
    return Response(exposition(), 200, {**NO_STORE, "Content-Type": CONTENT_TYPE_LATEST})


def is_near(
    request: Request, headers: Mapping[str, str], networks: Collection[IpNetwork], *, proxied: bool = False
) -> bool:
    """Whether the caller's own address is in the networks; behind a proxy that is not known it is the proxy's."""
    if not proxied and any(name in headers for name in FORWARDED):
        return False
    address = read_address(request.client.host) if request.client else None
    return address is not None and any(address in network for network in networks)


async def _check_operator(identify: Identify, facts: RequestFacts) -> None:
    if not any(name in facts.headers for name in CREDENTIALS):
        raise HTTPException(404)
    caller = await identify(facts)
    if caller.kind is not CallerKind.OPERATOR or not caller.may(Scope.OPERATOR_READ):
        raise Refused("FORBIDDEN", "Metrics are for operators' keys, and for the operator's networks.", status=403)
