"""Names are resolved once, what was checked is what is connected to, and the name stays the name."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.core.clock import SystemClock
from gateway.core.egress import pool
from gateway.core.egress.addresses import Reach
from gateway.core.egress.port import AddressNotAllowed, BadUrl
from gateway.core.ports import Unreachable
from tests.gateway.core.loopback import Upstream, ok
from tests.gateway.core.receivers import LOOPBACK, Names, egress, posted, receiver
from tests.gateway.core.test_egress_urls import INWARD

HERE, THERE = "127.0.0.1", "127.0.0.2"
"""The one may be reached, the other may not, and somebody listens at both."""


async def inside(writer: asyncio.StreamWriter) -> None:
    writer.write(ok(b"secret of the house", connection="close"))
    await writer.drain()


async def test_a_name_that_resolves_inward_is_refused():
    addresses = [host.strip("[]") for host in INWARD if host[0] in "[0123456789" and "arpa" not in host]
    names = Names(**{f"n{number}_example": [[address]] for number, address in enumerate(addresses)})
    told = "its host name has no address of the public internet"

    async with egress(names, networks=()) as way:
        for number, _ in enumerate(addresses):
            with pytest.raises(AddressNotAllowed, match=told):
                await way.resolve(f"https://n{number}.example/")
            with pytest.raises(AddressNotAllowed, match=told):
                await posted(way, f"https://n{number}.example/")

    assert len(names.asked) == 2 * len(addresses) > 100


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
async def test_a_name_with_a_public_address_resolves(address: str):
    async with egress(Names(good_example=[["10.0.0.1", address]]), networks=()) as way:
        await way.resolve("https://good.example/hook")


async def test_a_name_that_nobody_knows_is_unreachable():
    async with egress() as way:
        with pytest.raises(Unreachable, match=r"^nobody\.example: its host name cannot be resolved$"):
            await way.resolve("https://nobody.example/")
        with pytest.raises(Unreachable, match=r"^nobody\.example: its host name cannot be resolved$"):
            await posted(way, "https://nobody.example/")


async def test_a_literal_is_resolved_by_nobody():
    names = Names()

    async with egress(names) as way:
        await way.resolve("http://127.0.0.1:9000/")
        with pytest.raises(BadUrl):
            await way.resolve("http://127.0.0.2:9000/")

    assert names.asked == []


async def test_a_public_address_is_not_reached_by_plain_http_whatever_a_name_resolves_to():
    async with egress(Names(evil_example=[["93.184.215.14"]])) as way:
        with pytest.raises(AddressNotAllowed, match="has no address of an allowed network, and others are reached by"):
            await posted(way, "http://evil.example:9000/")
        with pytest.raises(AddressNotAllowed, match="has no address of an allowed network, and others are reached by"):
            await way.resolve("http://evil.example:9000/")


async def test_the_second_answer_of_a_name_that_turns_inward_is_not_believed(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pool, "NAMES_KEPT_S", 0)
    upstream.answers["/"] = ok(b"hello", connection="close")
    names = Names(rebind_example=[[HERE], [THERE]])

    async with receiver(inside, THERE, port=upstream.port) as port, egress(names) as way:
        first = await posted(way, f"http://rebind.example:{port}/")
        with pytest.raises(AddressNotAllowed):
            await posted(way, f"http://rebind.example:{port}/")

    assert (first.body, names.asked) == (b"hello", ["rebind.example"] * 2)


async def test_a_name_is_not_asked_again_between_its_check_and_its_connection(upstream: Upstream):
    upstream.answers["/"] = ok(b"hello", connection="close")
    names = Names(rebind_example=[[HERE], [THERE]])

    async with receiver(inside, THERE, port=upstream.port) as port, egress(names) as way:
        found = [await posted(way, f"http://rebind.example:{port}/") for _ in range(3)]

    assert [each.body for each in found] == [b"hello"] * 3
    assert (upstream.connections, names.asked) == (3, ["rebind.example"])


async def test_of_several_addresses_only_those_that_were_checked_are_tried(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pool, "NAMES_KEPT_S", 0)
    upstream.answers["/"] = ok(b"hello", connection="close")
    mixed: list[Sequence[str]] = [[THERE, HERE], [HERE, THERE], ["::1", THERE, HERE], ["fe80::1%lo", HERE]]

    async with receiver(inside, THERE, port=upstream.port) as port, egress(Names(both_example=mixed)) as way:
        found = [await posted(way, f"http://both.example:{port}/") for _ in mixed]

    assert [each.body for each in found] == [b"hello"] * 4


@pytest.mark.parametrize("literal", [THERE, "[::1]", "[::ffff:127.0.0.1]", "[::127.0.0.1]"])
async def test_an_address_literal_that_asks_no_resolver_stops_at_the_socket(literal: str):
    reach = Reach(LOOPBACK)
    session = pool.open_session(reach, Names(), public=True, kept=1)

    with pytest.raises(aiohttp.ClientConnectorError) as refused:
        await session.post(f"http://{literal}:9/")
    await session.close()

    assert isinstance(refused.value.os_error, pool.Inward)


async def test_names_of_allowed_networks_are_reached_by_http_on_any_port(upstream: Upstream):
    upstream.answers["/"] = ok(b"hello")

    async with egress(Names(localhost=[["::1", HERE]])) as way:
        found = await posted(way, f"http://localhost:{upstream.port}/")

    assert found.status == 200
    assert upstream.calls[0].headers["host"] == f"localhost:{upstream.port}"


# --- TLS


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption()))
    return cert_file, key_file


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ssl.SSLContext, list[str | None]]:
    """A server's TLS for hooks.example that the gateway trusts, and the names that were asked of it."""
    cert_file, key_file = certificate(tmp_path, "hooks.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(cert_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_file, key_file)
    asked: list[str | None] = []
    context.sni_callback = lambda _, name, __: asked.append(name)
    return context, asked


async def test_the_name_stays_the_name_in_the_handshake_and_in_the_host_header(
    served: tuple[ssl.SSLContext, list[str | None]],
):
    context, asked = served

    async with receiver(inside, ssl=context) as port, egress(Names(hooks_example=[[HERE]])) as way:
        found = await posted(way, f"https://hooks.example:{port}/")

    assert (found.status, asked) == (200, ["hooks.example"])


@pytest.mark.parametrize("host", ["other.example", HERE])
async def test_a_certificate_for_another_name_is_refused(served: tuple[ssl.SSLContext, list[str | None]], host: str):
    context, _ = served

    async with receiver(inside, ssl=context) as port, egress(Names(other_example=[[HERE]])) as way:
        with pytest.raises(Unreachable, match=rf"^{host}: no TLS connection could be made$"):
            await posted(way, f"https://{host}:{port}/")


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(tmp_path, "hooks.example"))

    async with receiver(inside, ssl=context) as port, egress(Names(hooks_example=[[HERE]])) as way:
        with pytest.raises(Unreachable, match=r"^hooks\.example: no TLS connection could be made$"):
            await posted(way, f"https://hooks.example:{port}/")


def test_a_network_that_is_named_is_reached_and_nothing_beside_it():
    reach = Reach((ip_network("10.1.0.0/16"), ip_network("fd00:1::/32")))
    chosen: Any = reach.chosen(["10.1.2.3", "10.2.0.1", "fd00:1::1", "fd00:2::1", "::ffff:10.1.0.1"], public=False)

    assert list(map(str, chosen)) == ["10.1.2.3", "fd00:1::1"]
    assert SystemClock().now().tzinfo is UTC
