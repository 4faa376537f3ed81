"""Liveness, readiness and the health report; never limited, never cached."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway import __version__
from gateway.core.settings import Settings
from gateway.edge.replies import encode
from schema.words.registry import ProviderInfo

NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """What `/health` says; each provider is a mapping with id, name, status, reason and whatever else is known."""

    status: str
    mode: str
    env: str
    version: str
    providers: Sequence[Mapping[str, object]] = ()


def report_of(settings: Settings, providers: Iterable[ProviderInfo]) -> HealthReport:
    """The process lives; each provider's condition is listed."""
    return HealthReport(
        status="ok",
        mode=settings.mode,
        env=settings.env,
        version=__version__,
        providers=[
            {
                "id": provider.id,
                "name": provider.name,
                "status": provider.status.value,
                "reason": provider.status_reason,
                "breaker": provider.health.breaker.value,
                "errorRate": provider.health.error_rate,
                "p95Ms": provider.health.p95_ms,
            }
            for provider in providers
        ],
    )


# What is still missing before traffic may come; empty when ready.
Readiness = Callable[[], Awaitable[Sequence[str]]]
Health = Callable[[], HealthReport]


def health_routes(readiness: Readiness, health: Health) -> list[Route]:
    """`/livez`, `/readyz` and `/health`."""

    async def livez(_: Request) -> Response:
        return _json({"status": "ok"})

    async def readyz(_: Request) -> Response:
        missing = list(await readiness())
        return _json({"status": "unready", "missing": missing}, 503) if missing else _json({"status": "ok"})

    async def report(_: Request) -> Response:
        return _json(asdict(health()))

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/health", report)]


def _json(content: object, status: int = 200) -> Response:
    return Response(encode(content), status, NO_STORE, "application/json")
