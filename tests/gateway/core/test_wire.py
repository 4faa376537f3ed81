"""What the network transport puts on the wire, how often, and whom it trusts."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from yarl import URL

from gateway.core.httpclient import address_of
from gateway.core.upstream import NetworkTransport
from providers.contract import header
from schema.errors import ConnectionFailed, Malformed, Unauthorized, UpstreamError
from tests.gateway.core.loopback import PATIENCE, SHORT, Call, Upstream, http, ok, refused, request
from tests.gateway.doubles import venue, world

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
TRICKY = st.text(st.sampled_from("aZ9 /%2F.;,:@!$'()*+=~?&#[]{}|^`\\\"<>é€"), max_size=30)
PAIRS = st.lists(st.tuples(TEXT | TRICKY, TEXT | TRICKY), unique_by=lambda pair: pair[0], max_size=4)


@settings(max_examples=1000)
@given(TEXT | TRICKY, PAIRS)
def test_an_address_is_encoded_as_httpx_would(path: str, pairs: list[tuple[str, str]]) -> None:
    # The two part ways only where an address ends in a dot segment, which httpx takes for the folder's own name.
    assume(not {".", ".."} & set(re.split("[/?#]", path)))
    url = f"https://api.example/v1/{path}"

    sent = address_of(request(url, params=tuple(pairs[:2]), secret_params=tuple(pairs[2:])))

    # aiohttp leaves a few characters of a query as they are that httpx escapes; both read them alike.
    assert sent.raw_path_qs == URL(str(httpx.Request("GET", url, params=tuple(pairs) or None).url)).raw_path_qs


@pytest.mark.parametrize(
    "url", ["https://x.example/a\nb", "https://x.example/\x7f", "https://[::1/", "https://x:port/"]
)
def test_what_is_no_url_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(Malformed) as caught:
        address_of(request(url, secret_params=(("key", "hunter22"),)))

    assert caught.value.detail == "its address is not a URL"


async def test_a_request_has_these_headers_and_no_others(upstream: Upstream, transport: NetworkTransport) -> None:
    upstream.answers["/"] = ok()

    await transport.send(request(f"{upstream.base}/", headers={"accept-encoding": "gzip, br", "user-agent": "m"}))
    await transport.send(request(f"{upstream.base}/", method="POST", body=b"[1]", headers={"content-type": "a/b"}))

    usual = {"host": f"127.0.0.1:{upstream.port}", "accept": "*/*", "connection": "keep-alive"}
    got, posted = (call.headers for call in upstream.calls)
    assert got == {**usual, "accept-encoding": "gzip, br", "user-agent": "m"}
    assert {name: posted[name] for name in ("content-type", "content-length")} == {
        "content-type": "a/b", "content-length": "3",
    }  # fmt: skip


async def test_a_header_that_comes_twice_is_one_and_need_not_be_utf8(
    upstream: Upstream, transport: NetworkTransport
) -> None:
    upstream.answers["/"] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nX-A: caf\xe9\r\nx-a: caf\xc3\xa9\r\n\r\n{}"

    assert (await transport.send(request(f"{upstream.base}/"))).headers["x-a"] == "café, café"


async def test_proxies_of_the_environment_are_not_used(
    upstream: Upstream, transport: NetworkTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    upstream.answers["/"] = ok()

    assert (await transport.send(request(f"{upstream.base}/"))).status == 200


def spoilt_after(fine: int) -> Callable[[Call], bytes | None]:
    """Answers so often, then resets every connection that asks."""
    left = [fine]

    def answer(_: Call) -> bytes | None:
        left[0] -= 1
        return ok() if left[0] >= 0 else None

    return answer


@pytest.mark.parametrize("fine", [0, 1, 3], ids=["a new connection", "a kept one", "an old one"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_connection_that_ends_costs_one_request(
    upstream: Upstream, transport: NetworkTransport, fine: int, method: str
) -> None:
    upstream.answers["/"] = spoilt_after(fine)
    for _ in range(fine):
        await transport.send(request(f"{upstream.base}/"))

    error = await refused(transport.send(request(f"{upstream.base}/", method=method, body=b"{}")))

    assert isinstance(error, ConnectionFailed)
    assert len(upstream.calls) == fine + 1


async def test_only_the_retry_budget_asks_again(upstream: Upstream, transport: NetworkTransport) -> None:
    w = world(venue("alpha"), transport=transport, base=upstream.base)
    upstream.answers["/alpha/api/quotes"] = spoilt_after(0)

    await w.refused()

    assert len(upstream.calls) == 2


DRIPS = {
    "the status line": b"HTTP/1.1 200 ",
    "a header": b"HTTP/1.1 200 OK\r\nx: ",
    "the body": b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{",
    "the chunks": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
}


@pytest.mark.parametrize("where", DRIPS)
async def test_a_dripped_reply_ends_at_the_callers_deadline(
    transport: NetworkTransport, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr("gateway.core.pipeline.FLIGHT_LEAST", SHORT)
    dripping: list[asyncio.Task[None] | None] = []

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        dripping.append(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
        writer.write(DRIPS[where])
        piece = b"1\r\nx\r\n" if where == "the chunks" else b"x"
        while not (reader.at_eof() or writer.is_closing()):
            writer.write(piece)
            await asyncio.sleep(0.002)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    w = world(venue("alpha"), transport=transport, base=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")

    error = await w.refused(timeout=SHORT)

    assert error.attempts[0].code == "UPSTREAM_UNAVAILABLE"
    server.close()
    # Each ends when its client hangs up.
    await asyncio.wait_for(asyncio.gather(*filter(None, dripping)), PATIENCE)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of an authority that nobody knows, for 127.0.0.1; with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "nobody")])
    start = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = tmp_path / "certificate.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*form))
    return path


@pytest.fixture
async def encrypted(upstream: Upstream, certificate: Path) -> AsyncIterator[str]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0, ssl=context)
    upstream.answers["/"] = ok()
    yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    server.close()


async def test_a_certificate_that_nobody_knows_is_refused_before_anything_is_sent(
    upstream: Upstream, transport: NetworkTransport, encrypted: str
) -> None:
    error = await refused(transport.send(request(encrypted)))

    assert isinstance(error, ConnectionFailed)
    assert error.detail == "no TLS connection could be made"
    assert upstream.calls == []


async def test_an_authority_that_the_environment_names_is_trusted(
    transport: NetworkTransport, encrypted: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    assert (await transport.send(request(encrypted))).status == 200


async def test_a_key_is_looked_at_again_after_it_was_refused(upstream: Upstream, transport: NetworkTransport) -> None:
    port = http(upstream, transport, credentials=(header("x-key"),), key={"key": "line\nbreak"})
    upstream.answers["/alpha/v1/x"] = ok()

    async def ask() -> Any:
        return await port.get("/x")

    errors: list[UpstreamError] = [await refused(ask()) for _ in range(2)]

    assert [type(error) for error in errors] == [Unauthorized, Unauthorized]
    assert upstream.calls == []
