"""The network transport against a real HTTP server on loopback."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import brotli
import pytest
import structlog

from gateway.core.secrets import Redactor
from gateway.core.upstream import NetworkTransport, Request, UpstreamHttp
from providers.contract import Credential, Licence, Profile, header, query
from schema.errors import (
    Blocked,
    ConnectionFailed,
    Malformed,
    NotCovered,
    Overloaded,
    Throttled,
    Timeout,
    Unauthorized,
    UnknownInstrument,
    UpstreamError,
)
from schema.symbols import AssetClass
from tests.gateway.doubles import BTC, ManualClock, fallen, pairs, venue, world

LIMIT = 1_000_000
PRICE = "91234.123456789012345"

Answer = Callable[["Call"], bytes]


@dataclass
class Call:
    """One request as the server saw it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass
class Upstream:
    """A tiny HTTP/1.1 server: answers are raw bytes, by path; None of them closes the connection."""

    answers: dict[str, Any] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    most_at_once: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            while await self._one(reader, writer, number):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.gone.set()
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.calls.append(Call(method, target, headers, body, number))
        answer = self.answers[target.partition("?")[0]]
        self.open += 1
        self.most_at_once = max(self.open, self.most_at_once)
        try:
            sent = answer(self.calls[-1]) if callable(answer) else answer
            if isinstance(sent, Awaitable):
                sent = await sent
        finally:
            self.open -= 1
        if sent is None:  # a reset, not an orderly end
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            return False
        writer.write(sent)
        await writer.drain()
        return b"connection: close" not in sent[:400].lower()


def ok(body: bytes = b"{}", status: str = "200 OK", **headers: str) -> bytes:
    """A complete reply."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n", **headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", "transfer-encoding: chunked"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    parts = b"".join(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" for chunk in chunks)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + parts + end


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    made = Upstream()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


@pytest.fixture
async def transport() -> AsyncIterator[NetworkTransport]:
    made = NetworkTransport(largest_body=LIMIT)
    yield made
    await made.close()
    await asyncio.sleep(0)


def request(url: str, **facts: Any) -> Request:
    plain: dict[str, Any] = {
        "provider": "alpha", "method": "GET", "host": "", "path": "/", "params": (), "url": url, "secret_params": (),
        "headers": MappingProxyType({"accept-encoding": "gzip, br"}), "body": None,
    }  # fmt: skip
    return Request(**{**plain, **facts})


def http(upstream: Upstream, transport: NetworkTransport, **facts: Any) -> UpstreamHttp:
    credentials: tuple[Credential, ...] = facts.pop("credentials", ())
    profile = Profile(
        id="alpha", name="Alpha", base_url="https://api.alpha.example/v1", docs="", asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note=""), hosts={"data": "https://data.alpha.example/v9"}, credentials=credentials,
        headers={"user-agent": "marketgate-test"},
    )  # fmt: skip
    return UpstreamHttp(profile=profile, transport=transport, clock=ManualClock(), base=upstream.base, **facts)


async def refused(call: Awaitable[Any]) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await call
    return caught.value


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

    assert json.loads(upstream.calls[0].body) == {"id": 1, "size": "0.10"}
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
    monkeypatch.setattr("gateway.core.pipeline.FLIGHT_LEAST", 0.05)

    w = world(venue("alpha"), transport=transport, base=upstream.base)
    upstream.answers["/alpha/api/quotes"] = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"
    started = asyncio.get_running_loop().time()

    error = await w.refused(timeout=0.05)

    assert error.attempts[0].message.startswith("no answer")
    assert asyncio.get_running_loop().time() - started < 1.0
    await asyncio.wait_for(upstream.gone.wait(), 1.0)


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
    assert upstream.connections <= 16


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

    await asyncio.wait_for(upstream.gone.wait(), 1.0)
    assert (await transport.send(request(f"{upstream.base}/"))).status == 200
    await transport.close()


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
