"""The edge as one Starlette application: routes, and the layers around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus

import strawberry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from gateway.core.identity import Principal
from gateway.edge.errors import error_of, stamp
from gateway.edge.execute import Executor, RequestFacts
from gateway.edge.front import Front
from gateway.edge.gate import Gate
from gateway.edge.health import Health, Readiness, health_routes
from gateway.edge.http import GraphQLEndpoint
from gateway.edge.limits import EdgeSettings
from gateway.edge.metrics import metrics_routes
from gateway.edge.middleware.access_log import AccessLog
from gateway.edge.middleware.compression import Compression
from gateway.edge.middleware.fault_barrier import FaultBarrier
from gateway.edge.middleware.first_line import limited
from gateway.edge.middleware.proxies import TrustedProxies
from gateway.edge.middleware.request_id import RequestId
from gateway.edge.middleware.security_headers import SecurityHeaders
from gateway.edge.pages import page_routes
from gateway.edge.persisted import SharedDocuments
from gateway.edge.replies import encode
from gateway.edge.responses import ResponseCache
from gateway.edge.sharing import Sharing
from gateway.edge.shedding import Shedding, SheddingExecutor
from gateway.edge.websocket import WebSocketEndpoint
from gateway.edge.whole import AtOnce

ALLOWED_HEADERS = (
    "Accept", "Authorization", "Content-Type", "X-Api-Key", "X-Csrf-Token", "X-Request-Id",
    "X-Requested-With", "Marketgate-Cost",
    "GraphQL-Require-Preflight", "Apollo-Require-Preflight", "Traceparent", "If-None-Match",
)  # fmt: skip
EXPOSED_HEADERS = ("X-Request-Id", "Marketgate-Mode", "Retry-After", "RateLimit", "RateLimit-Policy", "ETag", "Age")


def build_edge(
    *,
    schema: strawberry.Schema,
    settings: EdgeSettings,
    context_for: Callable[[RequestFacts, Principal], object],
    gate: Gate | None = None,
    responses: ResponseCache | None = None,
    persisted: SharedDocuments | None = None,
    sharing: Sharing | None = None,
    shedding: Shedding | None = None,
    readiness: Readiness,
    health: Health,
    extra_routes: Sequence[BaseRoute] = (),
    lifespan: Lifespan[Starlette] | None = None,
) -> Starlette:
    """Everything a browser or client can reach; `extra_routes` come from plugins and telemetry."""
    executor = SheddingExecutor(
        schema, settings=settings, context_for=context_for, gate=gate, responses=responses, persisted=persisted,
        sharing=sharing,
    )  # fmt: skip
    executor.shedding = shedding or Shedding()
    routes: list[BaseRoute] = [
        Route("/graphql", GraphQLEndpoint(executor, settings)),
        WebSocketRoute("/graphql", WebSocketEndpoint(executor, settings)),
    ]
    routes += [
        *health_routes(_unless_draining(executor, readiness), health),
        *metrics_routes(executor.identify, settings),
        *page_routes(settings),
        *limited(extra_routes, settings.plain_per_minute),
    ]
    app = Edge(
        routes=routes,
        middleware=layers(settings),
        exception_handlers={HTTPException: _http_error},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.executor = executor
    app.put_in_front(executor, settings)
    return app


class Edge(Starlette):
    """The application, which plain GraphQL requests need not pass through as a whole."""

    front: ASGIApp | None = None
    at_once: AtOnce | None = None
    """For a server that can answer while it reads."""

    def put_in_front(self, executor: Executor, settings: EdgeSettings) -> None:
        """Let the front see requests first, from whoever sent them to the proxies."""
        self.at_once = front = Front(super().__call__, executor=executor, settings=settings, extra=everywhere(settings))
        self.front = TrustedProxies(front, settings.trusted_proxies) if settings.trusted_proxies else front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.front or super().__call__)(scope, receive, send)


def everywhere(settings: EdgeSettings) -> dict[str, str]:
    """Headers that every answer has beside the security headers."""
    return {} if settings.mode == "live" else {"Marketgate-Mode": settings.mode}


def layers(settings: EdgeSettings) -> list[Middleware]:
    """The middleware, outermost first: every answer has an id and its headers, also those of the inner layers."""
    stack = [
        Middleware(TrustedProxies, trusted=settings.trusted_proxies),
        Middleware(RequestId),
        Middleware(SecurityHeaders, extra=everywhere(settings)),
        Middleware(AccessLog),
    ]
    if settings.cors_origins:
        cors = Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=("GET", "POST"),
            allow_headers=ALLOWED_HEADERS,
            expose_headers=EXPOSED_HEADERS,
            # Never together with `*`: any page could then act as whoever is signed in here.
            allow_credentials="*" not in settings.cors_origins,
        )
        stack.append(cors)
    return [*stack, Middleware(Compression), Middleware(FaultBarrier)]


def _unless_draining(executor: Executor, readiness: Readiness) -> Readiness:
    """The same, but a process that drains is not ready whatever else is there."""

    async def missing() -> Sequence[str]:
        return ["this process is about to end"] if executor.draining else await readiness()

    return missing


async def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    code = HTTPStatus(error.status_code).name
    message = "Nothing is here; GraphQL is at /graphql." if error.status_code == 404 else str(error.detail)
    request_id = str(request.scope.get("state", {}).get("request_id", ""))
    body = {"errors": stamp([error_of(code, message)], request_id), "extensions": {"requestId": request_id}}
    return Response(encode(body), error.status_code, error.headers, "application/json")
