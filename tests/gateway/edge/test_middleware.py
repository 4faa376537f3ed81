"""The layers around every answer."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from structlog.testing import capture_logs

from gateway.edge.limits import EdgeSettings
from gateway.edge.middleware.security_headers import HEADERS
from gateway.edge.routes import layers

HELLO = {"query": "{ hello }"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/livez", 200),
        ("GET", "/nothing", 404),
        ("GET", "/graphql", 400),
        ("PUT", "/graphql", 405),
        ("OPTIONS", "/graphql", 204),
    ],
)
async def test_every_answer_has_an_id_and_the_security_headers(method, path, status, connect):
    answer = await connect(mode="recorded").request(method, path)

    assert answer.status_code == status
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert answer.headers["marketgate-mode"] == "recorded"
    assert len(answer.headers["x-request-id"]) == 32
    assert "strict-transport-security" not in answer.headers


def test_the_pages_may_load_nothing_from_elsewhere():
    assert HEADERS["Content-Security-Policy"] == (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "worker-src 'self' blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )


async def test_a_live_gateway_names_no_mode(connect):
    assert "marketgate-mode" not in (await connect(mode="live").get("/livez")).headers


async def test_https_answers_ask_for_https(build):
    transport = httpx.ASGITransport(app=build())
    async with httpx.AsyncClient(transport=transport, base_url="https://edge.test") as client:
        answer = await client.get("/livez")

    assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"


@pytest.mark.parametrize("given", ["abc-1", "0af7651916cd43dd8448eb211c80319c", "a.b_c~d:e/f+g=", "x" * 128])
async def test_a_sane_request_id_is_kept(given, connect):
    answer = await connect().post("/graphql", json=HELLO, headers={"x-request-id": given})

    assert answer.headers["x-request-id"] == given
    assert answer.json()["extensions"] == {"requestId": given}


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "a\tb", "<script>", "é", '"'])
async def test_any_other_request_id_is_replaced(given, connect):
    answer = await connect().post("/graphql", json=HELLO, headers={"x-request-id": given.encode()})

    assert len(answer.headers["x-request-id"]) == 32
    assert answer.json()["extensions"] == {"requestId": answer.headers["x-request-id"]}


async def test_the_access_log_has_no_query_string(connect):
    with capture_logs() as logs:
        await connect().get("/graphql", params={"query": "{ hello }", "token": "hunter2"})

    [line] = [entry for entry in logs if entry["event"] == "request"]
    assert {name: line[name] for name in ("log_level", "method", "path", "status", "client")} == {
        "log_level": "info",
        "method": "GET",
        "path": "/graphql",
        "status": 200,
        "client": "127.0.0.1",
    }
    assert line["bytes"] > 0
    assert "hunter2" not in str(line)


async def test_probes_are_logged_at_debug_level(connect):
    with capture_logs() as logs:
        await connect().get("/livez")

    assert [entry["log_level"] for entry in logs] == ["debug"]


LONG = {"query": "query($n: String!) { hello(name: $n) }", "variables": {"n": "x" * 2_000}}


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("gzip;q=0.5, br;q=0", "gzip"),
        ("gzip; q=0.0", None),
        ("identity", None),
        ("deflate", None),
    ],
)
async def test_long_answers_are_packed_as_the_caller_takes_them(accepted, coding, connect):
    answer = await connect().post("/graphql", json=LONG, headers={"accept-encoding": accepted})

    assert answer.headers.get("content-encoding") == coding
    assert answer.json()["data"] == {"hello": "hello " + "x" * 2_000}
    varies = {name.strip().lower() for name in answer.headers["vary"].split(",")}
    assert varies == ({"accept"} if coding is None else {"accept", "accept-encoding"})


async def test_a_very_long_answer_is_packed_too(connect):
    long = {**LONG, "variables": {"n": "x" * 200_000}}

    answer = await connect().post("/graphql", json=long, headers={"accept-encoding": "br"})

    assert answer.headers["content-encoding"] == "br"
    assert int(answer.headers["content-length"]) < 1_000
    assert answer.json()["data"] == {"hello": "hello " + "x" * 200_000}


async def test_short_answers_are_not_packed(connect):
    answer = await connect().post("/graphql", json=HELLO, headers={"accept-encoding": "gzip, br"})

    assert "content-encoding" not in answer.headers


async def test_an_answer_in_parts_passes_as_it_is():
    async def parts():
        for _ in range(3):
            yield b"x" * 2_000

    async def stream(_: Request) -> StreamingResponse:
        return StreamingResponse(parts(), media_type="text/plain")

    app = Starlette(routes=[Route("/", stream)], middleware=layers(EdgeSettings()))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://edge.test") as client:
        answer = await client.get("/", headers={"accept-encoding": "br"})

    assert "content-encoding" not in answer.headers
    assert answer.content == b"x" * 6_000


async def test_only_named_origins_may_ask_from_a_browser(connect):
    client = connect(cors_origins=("https://app.example",))
    preflight = {"access-control-request-method": "POST", "access-control-request-headers": "content-type,x-api-key"}

    known = await client.options("/graphql", headers={"origin": "https://app.example", **preflight})
    unknown = await client.options("/graphql", headers={"origin": "https://evil.example", **preflight})
    asked = await client.post("/graphql", json=HELLO, headers={"origin": "https://app.example"})

    assert (known.status_code, known.headers["access-control-allow-origin"]) == (200, "https://app.example")
    assert unknown.status_code == 400
    assert "access-control-allow-origin" not in unknown.headers
    assert asked.headers["access-control-allow-origin"] == "https://app.example"
    assert "X-Request-Id" in asked.headers["access-control-expose-headers"]


async def test_without_settings_no_origin_is_allowed(connect):
    answer = await connect().post("/graphql", json=HELLO, headers={"origin": "https://app.example"})

    assert "access-control-allow-origin" not in answer.headers


async def fail(_: Request) -> PlainTextResponse:
    raise RuntimeError("hunter2")


async def fail_late(_: Request) -> StreamingResponse:
    async def parts():
        yield b"begun"
        raise RuntimeError("hunter2")

    return StreamingResponse(parts())


def failing() -> httpx.AsyncClient:
    app = Starlette(routes=[Route("/fail", fail), Route("/late", fail_late)], middleware=layers(EdgeSettings()))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://edge.test")


async def test_a_failing_route_answers_a_masked_500_with_all_headers():
    with capture_logs() as logs:
        async with failing() as client:
            answer = await client.get("/fail")

    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    [error] = answer.json()["errors"]
    assert error["extensions"]["requestId"] == answer.headers["x-request-id"]
    assert answer.headers["x-frame-options"] == "DENY"
    [line] = [entry for entry in logs if entry["event"] == "internal_error"]
    assert line["error_id"] == error["extensions"]["errorId"]


async def test_an_answer_that_fails_half_way_is_cut_off():
    async with failing() as client:
        with pytest.raises(RuntimeError, match="hunter2"):
            await client.get("/late")


@pytest.mark.parametrize(("origins", "allowed"), [(("https://app.example",), "true"), (("*",), None)])
async def test_cookies_may_come_along_from_named_origins_and_never_from_all(connect, origins, allowed):
    preflight = {"access-control-request-method": "POST", "origin": "https://app.example"}

    answer = await connect(cors_origins=origins).options("/graphql", headers=preflight)

    assert (answer.status_code, answer.headers.get("access-control-allow-credentials")) == (200, allowed)
