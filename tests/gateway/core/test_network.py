"""The network transport against a real HTTP server on loopback."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import tracemalloc
import zlib
from decimal import Decimal
from typing import Any

import brotli
import pytest

from gateway.core.access import CONCURRENT
from gateway.core.upstream import NetworkTransport
from schema.errors import (
    ConnectionFailed,
    Malformed,
    Timeout,
)
from tests.gateway.core.loopback import (
    LIMIT,
    PATIENCE,
    PRICE,
    SHORT,
    Call,
    Upstream,
    chunked,
    http,
    ok,
    refused,
    request,
)
from tests.gateway.doubles import BTC, pairs, venue, world


async def test_a_price_keeps_every_digit_from_the_socket_to_the_answer(
    upstream: Upstream, transport: NetworkTransport
) -> None:
    w = world(venue("alpha"), transport=transport, base=upstream.base)
    upstream.answers["/alpha/api/quotes"] = ok(b'{"BTC-USD": {"price": ' + PRICE.encode() + b"}}")

    found = await w.quote(BTC)

    assert str(found.value.price) == PRICE
    assert upstream.calls[0].target == "/alpha/api/quotes?symbols=BTC-USD"
    assert found.provenance.latency_ms is not None


async def test_all_hosts_of_a_provider_go_to_the_base_with_path_and_query_as_they_are(
    upstream: Upstream, transport: NetworkTransport
) -> None:
    port = http(upstream, transport)
    upstream.answers = {"/alpha/v1/ticker": ok(), "/alpha/v9/deep/book": ok()}

    await port.get("/ticker", {"symbols": '["BTCUSDT","ETHUSDT"]', "limit": 5})
    await port.get("/deep/book", host="data")

    assert [call.target for call in upstream.calls] == [
        # A comma may stand for itself in a query.
        "/alpha/v1/ticker?symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D&limit=5",
        "/alpha/v9/deep/book",
    ]
    assert upstream.calls[0].headers["user-agent"] == "marketgate-test"
    assert upstream.calls[0].headers["host"] == f"127.0.0.1:{upstream.port}"


async def test_a_base_with_a_path_and_a_slash_at_its_end_is_kept(
    upstream: Upstream, transport: NetworkTransport
) -> None:
    port = http(upstream, transport)
    port.base = f"{upstream.base}/proxy/"
    upstream.answers["/proxy/alpha/v1/x"] = ok()

    await port.get("/x")

    assert upstream.calls[0].target == "/proxy/alpha/v1/x"


async def test_a_body_is_sent_as_json(upstream: Upstream, transport: NetworkTransport) -> None:
    upstream.answers["/alpha/v1/rpc"] = ok(b'{"ok": true}')

    await http(upstream, transport).post("/rpc", {"id": 1, "size": Decimal("0.10")})

    assert upstream.calls[0].body == b'{"id":1,"size":0.10}'
    assert upstream.calls[0].headers["content-type"] == "application/json"


ENCODED = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "br": brotli.compress,
    "deflate": zlib.compress,
    "identity": bytes,
    "": bytes,
}


@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("whole", [True, False])
async def test_bodies_are_decoded(upstream: Upstream, transport: NetworkTransport, encoding: str, whole: bool) -> None:
    body = json.dumps({"price": PRICE, "pad": ["x" * 1000] * 300}).encode()
    sent = ENCODED[encoding](body)
    facts: dict[str, Any] = {"content_encoding": encoding} if encoding else {}
    pieces = [sent[n : n + 997] for n in range(0, len(sent), 997)]
    upstream.answers["/"] = ok(sent, **facts) if whole else chunked(*pieces, **facts)

    found = await transport.send(request(f"{upstream.base}/"))

    assert (found.status, found.content) == (200, body)


async def test_a_raw_deflate_stream_and_gzip_in_members_are_read_too(
    upstream: Upstream, transport: NetworkTransport
) -> None:
    raw = zlib.compressobj(wbits=-15)
    upstream.answers["/raw"] = ok(raw.compress(b"[1, 2]") + raw.flush(), content_encoding="deflate")
    upstream.answers["/members"] = ok(gzip.compress(b"[1, ", mtime=0) + gzip.compress(b"2]"), content_encoding="gzip")

    for path in ("/raw", "/members"):
        assert (await transport.send(request(upstream.base + path))).content == b"[1, 2]"


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (ok(b"no gzip", content_encoding="gzip"), "the body is not gzip as its headers say"),
        (ok(b"no br", content_encoding="br"), "the body is not br as its headers say"),
        (ok(gzip.compress(b"{}" * 999, mtime=0)[:-20], content_encoding="gzip"), "the gzip body ends too early"),
        (ok(brotli.compress(b"{}" * 999)[:-3], content_encoding="br"), "the br body ends too early"),
        (ok(b"{}", content_encoding="zstd"), "the body is in an encoding that was not asked for: zstd"),
        (ok(b"x" * (LIMIT + 1)), f"the body is larger than {LIMIT} bytes"),
        (chunked(*[b"x" * 100_000] * 11), f"the body is larger than {LIMIT} bytes"),
        (
            ok(gzip.compress(bytes(LIMIT + 1), mtime=0), content_encoding="gzip"),
            f"the body is larger than {LIMIT} bytes",
        ),
    ],
)
async def test_a_body_that_is_not_what_it_says_is_malformed(
    upstream: Upstream, transport: NetworkTransport, sent: bytes, message: str
) -> None:
    upstream.answers["/"] = sent

    error = await refused(transport.send(request(f"{upstream.base}/")))

    assert isinstance(error, Malformed)
    assert error.detail == message


@pytest.mark.parametrize("encoding", ["gzip", "br"])
async def test_a_small_body_that_would_become_a_huge_one_never_fills_the_memory(
    upstream: Upstream, transport: NetworkTransport, encoding: str
) -> None:
    huge = bytes(64 * LIMIT)
    sent = gzip.compress(huge, 9, mtime=0) if encoding == "gzip" else brotli.compress(huge, quality=5)
    del huge
    upstream.answers["/"] = ok(sent, content_encoding=encoding)
    upstream.answers["/warm"] = ok()
    await transport.send(request(f"{upstream.base}/warm"))

    tracemalloc.start()
    error = await refused(transport.send(request(f"{upstream.base}/")))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert error.detail == f"the body is larger than {LIMIT} bytes"
    assert peak < 6 * LIMIT


async def test_a_body_at_the_limit_is_read(upstream: Upstream, transport: NetworkTransport) -> None:
    upstream.answers["/"] = ok(gzip.compress(b"0" * LIMIT, mtime=0), content_encoding="gzip")

    assert len((await transport.send(request(f"{upstream.base}/"))).content) == LIMIT


async def test_a_redirect_is_not_followed(upstream: Upstream, transport: NetworkTransport) -> None:
    upstream.answers = {"/alpha/v1/x": ok(b"", "302 Found", location=f"{upstream.base}/elsewhere"), "/elsewhere": ok()}

    error = await refused(http(upstream, transport).get("/x"))

    assert isinstance(error, Malformed)
    assert error.detail == "HTTP 302: a redirect, which is never followed"
    assert [call.target for call in upstream.calls] == ["/alpha/v1/x"]


@pytest.mark.parametrize(
    "sent",
    [
        ok(b""),
        b"HTTP/1.1 204 No Content\r\n\r\n",
        ok(b"\xff\xfe{}"),
        ok(b'{"a": "\xff"}'),
        ok(b"<html>busy</html>", content_type="text/html"),
        ok(b'{"a": 1'),
        ok(b"NaN"),
        ok(b"[" * 100_000),
        ok(b"1" * 5000),
    ],
)
async def test_what_is_no_json_is_malformed(upstream: Upstream, transport: NetworkTransport, sent: bytes) -> None:
    upstream.answers["/alpha/v1/x"] = sent

    error = await refused(http(upstream, transport).get("/x"))

    assert isinstance(error, Malformed)
    assert error.detail.startswith("$ is not JSON (got b'")
    assert len(error.detail) < 400


BROKEN = {
    "reset before the reply": None,
    "end before the reply": b"connection: close",
    "reset in the body": lambda call: b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{",
    "chunked without its end": chunked(b"{}", end=b"connection: close")[:-1],
    "no chunk sizes": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzzz\r\nconnection: close",
    "no status line": b"garbage\r\n\r\nconnection: close",
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01connection: close\r\n\r\n",
    "a status that is no number": b"HTTP/1.1 abc OK\r\nconnection: close\r\n\r\n",
    "endless headers": b"HTTP/1.1 200 OK\r\nconnection: close\r\nx: " + b"y" * 300_000 + b"\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
}


@pytest.mark.parametrize("fault", BROKEN)
async def test_a_broken_exchange_is_a_typed_error(upstream: Upstream, transport: NetworkTransport, fault: str) -> None:
    upstream.answers["/"] = BROKEN[fault]

    error = await refused(transport.send(request(f"{upstream.base}/", params=(("apikey", "hunter22"),))))

    assert isinstance(error, ConnectionFailed | Malformed)
    assert "127.0.0.1" not in error.detail
    assert "hunter22" not in error.detail
    assert len(error.detail) < 200


@pytest.mark.parametrize("fault", ["no status line", "no HTTP at all", "endless headers", "two lengths"])
async def test_a_reply_that_is_not_http_is_called_so(
    upstream: Upstream, transport: NetworkTransport, fault: str
) -> None:
    upstream.answers["/"] = BROKEN[fault]

    error = await refused(transport.send(request(f"{upstream.base}/")))

    assert isinstance(error, Malformed)
    assert error.detail == "the reply is not HTTP"


async def test_a_closed_port_is_a_refused_connection(transport: NetworkTransport) -> None:
    error = await refused(transport.send(request(f"http://127.0.0.1:{closed_port()}/")))

    assert isinstance(error, ConnectionFailed)
    assert error.detail == "connection refused"


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_a_provider_on_a_closed_port_is_replaced_by_the_next(transport: NetworkTransport) -> None:
    # One base serves all providers, so the second one is simulated by a method of its own.
    async def answer(ask: Any) -> Any:
        from schema.words.quotes import PriceType, Quote

        return [Quote(instrument=item, price=Decimal(7), price_type=PriceType.LAST) for item in ask.instruments]

    w = world(
        venue("alpha"), venue("beta", priority=20, quotes=answer), transport=transport,
        base=f"http://127.0.0.1:{closed_port()}",
    )  # fmt: skip

    found = await w.quote()

    (failure,) = found.provenance.fallback_from
    assert (failure.provider, failure.code, failure.message) == ("alpha", "UPSTREAM_UNAVAILABLE", "connection refused")


async def test_a_silent_upstream_times_out_at_the_callers_deadline_and_is_hung_up_on(
    upstream: Upstream, transport: NetworkTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.core.pipeline.FLIGHT_LEAST", SHORT)

    w = world(venue("alpha"), transport=transport, base=upstream.base)
    upstream.answers["/alpha/api/quotes"] = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"
    started = asyncio.get_running_loop().time()

    error = await w.refused(timeout=SHORT)

    assert error.attempts[0].message.startswith("no answer")
    assert asyncio.get_running_loop().time() - started < 10
    await asyncio.wait_for(upstream.gone.wait(), PATIENCE)


async def test_the_transports_own_backstop_is_a_time_out(
    upstream: Upstream, transport: NetworkTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.core.upstream.BACKSTOP", 0.05)
    upstream.answers["/"] = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"

    assert isinstance(await refused(transport.send(request(f"{upstream.base}/"))), Timeout)


async def test_connections_are_kept_and_shared(upstream: Upstream, transport: NetworkTransport) -> None:
    upstream.answers["/"] = ok()

    for _ in range(20):
        await transport.send(request(f"{upstream.base}/"))

    assert (len(upstream.calls), upstream.connections) == (20, 1)


async def test_each_provider_has_connections_of_its_own(upstream: Upstream, transport: NetworkTransport) -> None:
    upstream.answers["/"] = ok()

    for provider in ("alpha", "beta", "alpha", "beta"):
        await transport.send(request(f"{upstream.base}/", provider=provider))

    assert upstream.connections == 2


async def test_a_reply_that_was_refused_does_not_spoil_the_next(
    upstream: Upstream, transport: NetworkTransport
) -> None:
    upstream.answers = {"/large": ok(b"x" * (3 * LIMIT)), "/": ok(b"[7]")}

    await refused(transport.send(request(f"{upstream.base}/large")))

    assert (await transport.send(request(f"{upstream.base}/"))).content == b"[7]"


async def test_a_server_that_hangs_up_after_each_reply_costs_no_failure(
    upstream: Upstream, transport: NetworkTransport
) -> None:
    upstream.answers["/"] = ok(connection="close")

    for _ in range(10):
        assert (await transport.send(request(f"{upstream.base}/"))).status == 200

    assert upstream.connections == 10


async def test_a_hundred_requests_at_once_travel_at_once(upstream: Upstream, transport: NetworkTransport) -> None:
    arrived = asyncio.Event()

    async def together(_: Call) -> bytes:
        if upstream.open == 100:
            arrived.set()
        await asyncio.wait_for(arrived.wait(), 10)
        return ok()

    upstream.answers["/"] = together

    found = await asyncio.gather(*(transport.send(request(f"{upstream.base}/")) for _ in range(100)))

    assert [each.status for each in found] == [200] * 100
    assert upstream.most_at_once == 100


async def test_a_batch_of_quotes_over_the_wire(upstream: Upstream, transport: NetworkTransport) -> None:
    w = world(venue("alpha", max_batch=1), transport=transport, base=upstream.base)

    def answer(call: Call) -> bytes:
        symbol = call.target.partition("symbols=")[2]
        return ok(json.dumps({symbol: {"price": PRICE}}).encode())

    upstream.answers["/alpha/api/quotes"] = answer

    found = await w.quotes(*pairs(100))

    assert {str(each.value.price) for each in found.values()} == {PRICE}  # type: ignore[union-attr]
    assert upstream.connections <= CONCURRENT


async def test_long_headers_as_some_upstreams_send_them_are_read(
    upstream: Upstream, transport: NetworkTransport
) -> None:
    upstream.answers["/"] = ok(b"{}", content_security_policy="default-src " + "a" * 20_000, retry_after="5")

    assert (await transport.send(request(f"{upstream.base}/"))).headers["retry-after"] == "5"


async def test_an_upstreams_cookies_are_not_sent_back(upstream: Upstream, transport: NetworkTransport) -> None:
    upstream.answers["/"] = ok(set_cookie="session=of-another-tenant; Path=/")

    for _ in range(2):
        await transport.send(request(f"{upstream.base}/"))

    assert "cookie" not in upstream.calls[1].headers


async def test_closing_lets_go_of_all_connections(upstream: Upstream) -> None:
    transport = NetworkTransport()
    upstream.answers["/"] = ok()
    await transport.send(request(f"{upstream.base}/"))

    await transport.close()

    await asyncio.wait_for(upstream.gone.wait(), PATIENCE)
    assert (await transport.send(request(f"{upstream.base}/"))).status == 200
    await transport.close()
