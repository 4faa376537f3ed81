"""The suite itself cannot reach the network, whatever the way; loopback and Unix sockets stay open."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import NetworkBlocked

# From the ranges reserved for documentation: nobody answers there even if the guard were missing.
OUTSIDE = ("192.0.2.1", 443)
OUTSIDE_V6 = ("2001:db8::1", 443, 0, 0)


def test_a_connection_to_an_outside_address_is_refused_by_name(refused_connections: list[str]) -> None:
    with socket.socket() as sock, pytest.raises(NetworkBlocked, match=r"socket\.connect for 192\.0\.2\.1:443"):
        sock.connect(OUTSIDE)

    assert refused_connections == ["192.0.2.1:443"]
    refused_connections.clear()


def test_every_way_out_is_refused(refused_connections: list[str]) -> None:
    with socket.socket() as sock, pytest.raises(NetworkBlocked):
        sock.connect_ex(OUTSIDE)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, pytest.raises(NetworkBlocked):
        sock.sendto(b"?", OUTSIDE)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, pytest.raises(NetworkBlocked):
        sock.sendmsg([b"?"], [], 0, OUTSIDE)
    with socket.socket(socket.AF_INET6) as sock, pytest.raises(NetworkBlocked):
        sock.connect(OUTSIDE_V6)

    assert refused_connections == ["192.0.2.1:443", "192.0.2.1:443", "192.0.2.1:443", "2001:db8::1:443"]
    refused_connections.clear()


def test_an_outside_name_is_not_even_looked_up(refused_connections: list[str]) -> None:
    with pytest.raises(NetworkBlocked, match=r"socket\.getaddrinfo for prices\.example"):
        socket.getaddrinfo("prices.example", 443)
    with pytest.raises(NetworkBlocked, match=r"socket\.gethostbyname for prices\.example"):
        socket.gethostbyname("prices.example")

    assert refused_connections == ["prices.example", "prices.example"]
    refused_connections.clear()


async def test_the_http_client_does_not_take_the_refusal_for_a_dead_upstream(refused_connections: list[str]) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(NetworkBlocked, match=r"192\.0\.2\.1:443"):
            await session.get("https://192.0.2.1/")
        with pytest.raises(NetworkBlocked, match=r"prices\.example"):
            await session.get("https://prices.example/")

    assert refused_connections == ["192.0.2.1:443", "prices.example"]
    refused_connections.clear()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_loopback_carries_bytes_both_ways(host: str) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(4))
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(host, server.sockets[0].getsockname()[1])
        writer.write(b"ping")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()

    assert answer == b"ping"


def test_unix_sockets_stay_open(tmp_path: Path) -> None:
    path = str(tmp_path / "gate")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen()

        client.connect(path)
        client.sendall(b"ping")
        accepted, _ = server.accept()

        with accepted:
            assert accepted.recv(4) == b"ping"


def test_a_swallowed_refusal_still_fails_the_test(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    pytester.makeconftest("from tests.conftest import pytest_configure, refused_connections")
    pytester.makepyfile(
        """
        import contextlib, socket

        def test_swallows():
            with contextlib.suppress(Exception), socket.socket() as sock:
                sock.connect(("192.0.2.1", 443))
        """
    )

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*reached for the network: 192.0.2.1:443*"])
