"""Shared ground of every test: no network but loopback, no settings from the developer's shell, repeatable examples."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.collecting import settle, settle_again
from tests.planted import shown_in
from tests.skips import pytest_sessionfinish, pytest_terminal_summary  # noqa: F401 - hooks

if TYPE_CHECKING:
    from tests.cleaning import Cleaner
    from tests.house import House

ADDRESSED = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
LOOKED_UP = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
GUARDED = ADDRESSED | LOOKED_UP

refused: list[str] = []


class NetworkBlocked(Exception):
    """A test reached for the network. No OSError or RuntimeError, so that no failover takes it for a dead upstream."""


def refuse_network(event: str, args: tuple[object, ...], guarded: frozenset[str] = GUARDED) -> None:
    """An audit hook sees what a patched socket class misses: saved references and other C callers of the module."""
    if event not in guarded:
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


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Imports and parameters stay: to look through them for garbage while they are made is a fifth of that time."""
    from providers import collector_resting

    with collector_resting():
        found = yield
    settle()
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Whatever was printed or logged during a test, none of the planted secrets is in it."""
    report = yield
    found = shown_in("".join(text for _, text in report.sections))
    if found:
        report.outcome, report.longrepr = "failed", f"what the test printed shows {', '.join(map(repr, found))}"
    return report


@pytest.hookimpl(trylast=True)
def pytest_runtest_logfinish() -> None:
    settle_again()


@pytest.fixture(autouse=True)
def refused_connections() -> Iterator[list[str]]:
    """What this test tried to reach. It fails at its end even when the code under test swallowed the refusal."""
    refused.clear()
    yield refused
    if refused:
        pytest.fail(f"reached for the network: {', '.join(refused)}")


# --- Real servers, started at the first use, one of each per test process


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL database with all tables."""
    from tests.house import migrate
    from tests.servers import postgresql

    with postgresql() as url:
        migrate(url)
        yield url


@pytest.fixture(scope="session")
def postgresql_cleaner(postgresql_url: str) -> Iterator[Cleaner]:
    """Empties that database."""
    from tests.cleaning import cleaner

    with cleaner(postgresql_url) as made:
        yield made


@pytest.fixture
def empty_postgresql_url(postgresql_url: str, postgresql_cleaner: Cleaner) -> str:
    """The same database, with nothing in its tables."""
    postgresql_cleaner.clean()
    return postgresql_url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, to be copied."""
    from tests.house import migrate

    path = tmp_path_factory.mktemp("template") / "empty.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """URL of a Redis-protocol server."""
    from tests.servers import valkey

    with valkey() as url:
        yield url


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The same, with nothing in it."""
    import redis

    client = redis.Redis.from_url(redis_server)
    client.flushdb()
    client.close()
    return redis_server


@pytest.fixture
def sqlite_url(sqlite_template: Path) -> Iterator[str]:
    """A migrated, empty SQLite file."""
    from tests.servers import scratch

    folder = scratch("mgsqlite")
    copied = folder / "marketgate.sqlite3"
    shutil.copy(sqlite_template, copied)
    yield f"sqlite:///{copied}"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """URL of a migrated, empty database: every test that takes it runs on both."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    return str(request.getfixturevalue("empty_postgresql_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without any table, on both."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare.sqlite3'}"
        return
    from tests.servers import fresh_database

    with fresh_database(str(request.getfixturevalue("postgresql_url"))) as url:
        yield url


@pytest.fixture
async def house(database: str, tmp_path: Path) -> AsyncIterator[House]:
    """A whole gateway on either database, its clock turned by hand."""
    from tests.house import open_house

    async with open_house(database, tmp_path) as opened:
        yield opened
