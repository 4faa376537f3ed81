"""What statuses mean, and that no key that went out comes back in an error or a log, over a real HTTP server."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
import structlog

from gateway.core.secrets import Redactor
from gateway.core.upstream import NetworkTransport
from providers.contract import header, query
from schema.errors import (
    Blocked,
    NotCovered,
    Overloaded,
    Throttled,
    Timeout,
    Unauthorized,
    UnknownInstrument,
    UpstreamError,
)
from tests.gateway.core.loopback import PRICE, Upstream, http, ok, refused, request
from tests.gateway.doubles import fallen, pairs, venue, world

STATUSES: list[tuple[str, type[UpstreamError], str]] = [
    ("400 Bad Request", NotCovered, "NOT_COVERED"),
    ("401 Unauthorized", Unauthorized, "PROVIDER_MISCONFIGURED"),
    ("403 Forbidden", Unauthorized, "PROVIDER_MISCONFIGURED"),
    ("404 Not Found", UnknownInstrument, "UNKNOWN_INSTRUMENT"),
    ("408 Request Timeout", Timeout, "UPSTREAM_UNAVAILABLE"),
    ("418 I'm a teapot", Throttled, "UPSTREAM_THROTTLED"),
    ("429 Too Many Requests", Throttled, "UPSTREAM_THROTTLED"),
    ("451 Unavailable", Blocked, "NOT_COVERED"),
    ("500 Internal Server Error", Overloaded, "UPSTREAM_UNAVAILABLE"),
    ("503 Service Unavailable", Overloaded, "UPSTREAM_UNAVAILABLE"),
]

KEY = "s3cr3t/key+with=signs&more"


@pytest.mark.parametrize(("status", "kind", "code"), STATUSES)
@pytest.mark.parametrize("place", ["header", "query"])
async def test_what_a_status_means_and_that_the_key_it_echoes_is_masked(
    upstream: Upstream, transport: NetworkTransport, status: str, kind: type[UpstreamError], code: str, place: str
) -> None:
    part = header("x-key", template="Bearer {}") if place == "header" else query("apikey")
    port = http(upstream, transport, credentials=(part,), key={"key": KEY})
    upstream.answers["/alpha/v1/x"] = lambda call: ok(
        f"{call.target} {call.headers.get('x-key', '')} is refused {KEY}".encode(), status
    )

    error = await refused(port.get("/x", {"a": "b"}))

    assert (type(error), error.code) == (kind, code)
    assert_no_part_of_the_key(error)
    sent = upstream.calls[0]
    if place == "header":
        assert (sent.headers["x-key"], sent.target) == (f"Bearer {KEY}", "/alpha/v1/x?a=b")
    else:
        assert parse_qsl(urlsplit(sent.target).query) == [("a", "b"), ("apikey", KEY)]


async def test_a_page_that_says_not_found_is_no_word_about_the_instrument(
    upstream: Upstream, transport: NetworkTransport
) -> None:
    upstream.answers["/alpha/v1/x"] = ok(b"\n <!doctype html><title>404</title>", "404 Not Found")
    upstream.answers["/alpha/v1/y"] = ok(b"", "404 Not Found")
    port = http(upstream, transport)

    assert type(await refused(port.get("/x"))) is NotCovered
    assert type(await refused(port.get("/y"))) is UnknownInstrument


def assert_no_part_of_the_key(error: UpstreamError) -> None:
    for shown in (error.detail, str(error), repr(error), str(error.extensions())):
        assert "s3cr3t" not in shown
        assert "signs" not in shown


@pytest.mark.parametrize("before", [0, 5, 30, 45, 55, 60, 150, 180, 190, 195, 300])
@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request"])
@pytest.mark.parametrize("form", ["text", "json", "escaped", "field"])
async def test_no_part_of_a_key_survives_where_an_excerpt_cuts_it(
    upstream: Upstream, transport: NetworkTransport, before: int, status: str, form: str
) -> None:
    port = http(upstream, transport, credentials=(query("apikey"),), key={"key": KEY})
    pad = "x" * before
    upstream.answers["/alpha/v1/x"] = ok(
        {
            "text": f"{pad}{KEY}",
            "json": json.dumps({"message": f"{pad}{KEY}"}),
            "escaped": json.dumps({"message": f"{pad}{KEY}"}).replace("/", "\\/"),
            "field": json.dumps({"price": f"{pad}{KEY}"}),
        }[form].encode(),
        status,
    )

    async def read() -> None:
        (await port.get("/x")).decimal("price")

    assert_no_part_of_the_key(await refused(read()))


async def test_no_log_line_and_no_event_shows_a_key(upstream: Upstream, transport: NetworkTransport) -> None:
    w = world(
        venue("alpha", credentials=(query("apikey"),)), keys={"alpha": {"key": KEY}}, transport=transport,
        base=upstream.base,
    )  # fmt: skip
    upstream.answers["/alpha/api/quotes"] = b"garbage\r\n\r\nconnection: close"

    with structlog.testing.capture_logs() as lines:
        await w.refused()

        upstream.answers["/alpha/api/quotes"] = ok(f"no {KEY}".encode(), "500 Oops")
        for item in pairs(5):
            await w.refused(item)

    assert "s3cr3t" not in f"{lines} {w.events}"
    assert [line["event"] for line in lines] == []
    assert w.events[0][3] == "HTTP 500: no ***"


async def test_a_key_that_no_header_can_carry_is_a_misconfiguration(
    upstream: Upstream, transport: NetworkTransport
) -> None:
    for bad in ("s3cr3t\nsigns", "s3cr3t\u2026signs"):
        port = http(upstream, transport, credentials=(header("x-key"),), key={"key": bad})

        error = await refused(port.get("/x"))

        assert isinstance(error, Unauthorized)
        assert error.detail == "its key cannot be sent: it holds characters that a header may not have"
    assert upstream.calls == []


async def test_an_optional_key_is_sent_when_it_is_there(upstream: Upstream, transport: NetworkTransport) -> None:
    upstream.answers["/alpha/v1/x"] = ok()
    part = header("x-key", required=False)
    await http(upstream, transport, credentials=(part,)).get("/x")
    await http(upstream, transport, credentials=(part,), key={"key": KEY}).get("/x")

    assert [call.headers.get("x-key") for call in upstream.calls] == [None, KEY]


async def test_an_unsafe_symbol_stays_inside_its_parameter(upstream: Upstream, transport: NetworkTransport) -> None:
    upstream.answers["/alpha/v1/x"] = ok()

    await http(upstream, transport).get("/x", {"s": "A&apikey=1#?/ü\r\nhost: x"})

    assert parse_qsl(urlsplit(upstream.calls[0].target).query) == [("s", "A&apikey=1#?/ü\r\nhost: x")]
    assert upstream.calls[0].headers["host"] == f"127.0.0.1:{upstream.port}"


async def test_failover_over_real_replies(upstream: Upstream, transport: NetworkTransport) -> None:
    w = world(*(venue(name, priority=n) for n, name in enumerate(("alpha", "beta", "gamma"))), transport=transport,
              base=upstream.base)  # fmt: skip
    upstream.answers = {
        "/alpha/api/quotes": ok(b"slow down", "429 Too Many Requests", retry_after="9"),
        "/beta/api/quotes": None,
        "/gamma/api/quotes": ok(b'{"BTC-USD": {"price": ' + PRICE.encode() + b"}}"),
    }

    found = await w.quote()

    assert fallen(found) == [("alpha", "UPSTREAM_THROTTLED"), ("beta", "UPSTREAM_UNAVAILABLE")]
    assert found.provenance.fallback_from[0].retry_after_ms == 9000
    assert str(found.value.price) == PRICE


async def test_requests_are_values() -> None:
    one = request("http://127.0.0.1/")

    assert replace(one, url="http://127.0.0.1/") == one
    assert Redactor((KEY,))(f"a {KEY} b") == "a *** b"
