"""Shared ground of every test: no network but loopback, no settings from the developer's shell, repeatable examples."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Iterator

import hypothesis
import pytest

ADDRESSED = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
LOOKED_UP = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
GUARDED = ADDRESSED | LOOKED_UP

refused: list[str] = []


class NetworkBlocked(Exception):
    """A test reached for the network. No OSError or RuntimeError, so that no failover takes it for a dead upstream."""


def refuse_network(event: str, args: tuple[object, ...]) -> None:
    """An audit hook sees what a patched socket class misses: saved references and other C callers of the module."""
    if event not in GUARDED:
        return
    target = outside_lookup(args[0]) if event in LOOKED_UP else outside_address(args[0], args[1])
    if target is not None:
        refused.append(target)
        raise NetworkBlocked(f"tests may reach loopback only, this one called {event} for {target}")


def outside_address(sock: object, address: object) -> str | None:
    """The address, if the socket speaks IP and the address is not loopback; a connected datagram carries none."""
    if getattr(sock, "family", None) not in (socket.AF_INET, socket.AF_INET6) or not isinstance(address, tuple):
        return None
    host = text(address[0])
    return None if host == "localhost" or is_loopback(host) else f"{host}:{address[1]}"


def outside_lookup(host: object) -> str | None:
    """The name, if resolving it would ask a name server: literals and localhost do not."""
    name = text(host)
    if name in ("", "localhost") or name.endswith(".localhost") or literal(name) is not None:
        return None
    return name


def is_loopback(host: str) -> bool:
    address = literal(host)
    mapped = getattr(address, "ipv4_mapped", None)
    return address is not None and (mapped or address).is_loopback


def literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def text(host: object) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")


def pytest_configure() -> None:
    sys.addaudithook(refuse_network)
    # A gateway under test starts from defaults; MARKETGATE_TEST_* says where real servers for tests are.
    for name in list(os.environ):
        if name.startswith("MARKETGATE_") and not name.startswith("MARKETGATE_TEST_"):
            del os.environ[name]
    hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
    hypothesis.settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def refused_connections() -> Iterator[list[str]]:
    """What this test tried to reach. It fails at its end even when the code under test swallowed the refusal."""
    refused.clear()
    yield refused
    if refused:
        pytest.fail(f"reached for the network: {', '.join(refused)}")
