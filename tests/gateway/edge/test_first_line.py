"""The limit in front of plain routes of plugins: by address and route, in our error's shape."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from gateway.edge.health import HealthReport
from gateway.edge.limits import EdgeSettings
from gateway.edge.routes import build_edge
from tests.gateway.edge.conftest import SCHEMA, World

Dial = Callable[[str], httpx.AsyncClient]


class Plain:
    """An ASGI application as an endpoint: it has no name that slowapi could ask for."""

    async def __call__(self, scope, receive, send):
        await PlainTextResponse("raw")(scope, receive, send)


@pytest.fixture
def app(tmp_path) -> Starlette:
    asked: list[str] = []

    async def sign_in(request: Request) -> Response:
        asked.append("sign-in")
        return PlainTextResponse(str(len(asked)))

    async def ready() -> list[str]:
        return []

    routes = [Route("/sign-in", sign_in), Route("/raw", Plain()), Mount("/files", Plain())]
    return build_edge(
        schema=SCHEMA, settings=EdgeSettings(static=tmp_path / "none", plain_per_minute=3),
        context_for=lambda *_: World(), readiness=ready, extra_routes=routes,
        health=lambda: HealthReport(status="ok", mode="live", env="test", version="1", providers=[]),
    )  # fmt: skip


@pytest.fixture
def dial(app: Starlette) -> Dial:
    def make(ip: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=app, client=(ip, 1)), base_url="http://edge.test")

    return make


async def test_one_address_may_ask_a_route_so_often_and_is_told_when_again(dial):
    async with dial("192.0.2.1") as client:
        found = [await client.get("/sign-in") for _ in range(4)]

    assert [reply.text for reply in found[:3]] == ["1", "2", "3"]
    refused = found[3]
    wait = int(refused.headers["Retry-After"])
    assert (refused.status_code, refused.headers["content-type"]) == (429, "application/json; charset=utf-8")
    assert 1 <= wait <= 60
    assert refused.json() == {
        "errors": [
            {
                "message": f"/sign-in may be asked 3 times a minute: try again in {wait} s.",
                "extensions": {
                    "code": "RATE_LIMITED", "limit": "/sign-in", "retryAfterMs": wait * 1000,
                    "docs": "/docs/errors/RATE_LIMITED", "requestId": refused.headers["x-request-id"],
                },
            }
        ],
        "extensions": {"requestId": refused.headers["x-request-id"]},
    }  # fmt: skip


async def test_addresses_and_routes_are_counted_apart_and_an_ipv6_network_as_one(dial):
    async with dial("2001:db8::1") as client:
        for _ in range(4):
            last = await client.get("/sign-in")
        other_route = await client.get("/raw")
    async with dial("2001:db8::ffff") as neighbour, dial("192.0.2.7") as stranger:
        near, far = await neighbour.get("/sign-in"), await stranger.get("/sign-in")

    assert [reply.status_code for reply in (last, other_route, near, far)] == [429, 200, 429, 200]


async def test_probes_the_endpoint_and_mounts_are_not_limited(dial):
    async with dial("192.0.2.1") as client:
        for path in ("/livez", "/readyz", "/files/x"):
            assert [(await client.get(path)).status_code for _ in range(8)] == [200] * 8
        found = [await client.post("/graphql", json={"query": "{ __typename }"}) for _ in range(8)]

    assert [reply.status_code for reply in found] == [200] * 8


async def test_an_asgi_endpoint_is_limited_like_a_function(dial):
    async with dial("192.0.2.1") as client:
        assert [(await client.get("/raw")).status_code for _ in range(4)] == [200, 200, 200, 429]
