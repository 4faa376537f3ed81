"""What a `marketgate worker` answers where it is given a port: its figures, and that it lives."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.core.settings import Settings
from gateway.edge.http import headers_of
from gateway.edge.metrics import is_near, shown
from gateway.edge.middleware.security_headers import SecurityHeaders


def figures_app(settings: Settings) -> Starlette:
    """`/metrics` for the operator's networks, `/healthz` for everybody."""

    async def metrics(request: Request) -> Response:
        if not is_near(request, headers_of(request.scope), settings.metrics_networks):
            raise HTTPException(404)
        return shown()

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    routes = [Route("/metrics", metrics), Route("/healthz", healthz)]
    return Starlette(routes=routes, middleware=[Middleware(SecurityHeaders)])
