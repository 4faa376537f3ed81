"""Engines of both databases: how connections are opened, what transactions begin with, which connections live."""

from __future__ import annotations

import os
import sqlite3
import time
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, ExceptionContext
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from gateway.core.embedded import embedded_link

CONNECT_S = 10.0
"""How long a connection to PostgreSQL is waited for: well within the time of an operation, which is told then."""
BUSY_MS = 15_000
"""How long a SQLite transaction waits for another process's."""
IDLE_S = 1.0
"""A connection to PostgreSQL that was used within this time is not asked whether it lives."""
WRITES = "marketgate_writes"
"""The option of a connection whose transactions change something."""
GLANCES = "marketgate_glances"
"""The option of a connection whose statements each stand alone."""
_USED = "marketgate_used"
_EXACT = Context(prec=10_000)
"""Wide enough that no sum of money is ever rounded."""


def make_engine(url: URL) -> AsyncEngine:
    """An engine whose SQLite transactions begin where ours do."""
    if url.get_backend_name() != "sqlite":
        served = create_async_engine(
            url, pool_size=10, max_overflow=10, pool_timeout=CONNECT_S, hide_parameters=True,
            connect_args={"timeout": CONNECT_S},
        )  # fmt: skip
        event.listen(served.sync_engine, "checkin", _note_use)
        event.listen(served.sync_engine, "checkout", _check_alive)
        event.listen(served.sync_engine, "handle_error", _without_values)
        return served
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # For nobody else to read; the files beside it are made with the rights of this one.
        os.close(os.open(url.database, os.O_CREAT | os.O_RDWR, 0o600))
    # The driver's own notion of transactions commits before DDL; ours begin and end by SQL alone.
    connect = {"isolation_level": None, "timeout": BUSY_MS / 1000, "async_creator_fn": embedded_link}
    engine = create_async_engine(url, connect_args=connect, hide_parameters=True)
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _note_use(_: Any, record: ConnectionPoolEntry) -> None:
    record.info[_USED] = time.monotonic()


def _check_alive(connection: Any, record: ConnectionPoolEntry, _: Any) -> None:
    """Raises what makes the pool open a new connection. To ask costs three ways there and back, and the end of a
    connection is mostly told: only one that has rested is asked."""
    used = record.info.get(_USED)
    if used is None:
        return
    try:
        if not connection.driver_connection.is_closed() and time.monotonic() - used > IDLE_S:
            connection.ping()
    except connection.dbapi.Error as error:
        raise InvalidatePoolError from error
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError


def _without_values(context: ExceptionContext) -> None:
    """`hide_parameters` knows nothing of the row that the server shows in an error's detail, which tracebacks print."""
    error: BaseException | None = context.original_exception
    while error is not None:
        for told in ("detail", "context"):
            if isinstance(getattr(error, told, None), str):
                setattr(error, told, None)
        error = error.__cause__


def _prepare(connection: Any, _: Any) -> None:
    def on_thread(raw: sqlite3.Connection) -> None:
        raw.create_collation("exact_decimal", _compare)
        raw.create_aggregate("exact_sum", 1, _ExactSum)  # type: ignore[arg-type]

    def prepare(driver: Any) -> Any:
        return driver._execute(on_thread, driver._conn)

    connection.run_async(prepare)
    cursor = connection.cursor()
    # FULL: what was acknowledged survives the loss of power, not only of the process.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get(GLANCES):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(WRITES) else "BEGIN")


def _compare(left: str, right: str) -> int:
    a, b = Decimal(left), Decimal(right)
    return (a > b) - (a < b)


class _ExactSum:
    """SQLite's `exact_sum`: the sum of decimals as text, null for none."""

    def __init__(self) -> None:
        self._sum: Decimal | None = None

    def step(self, value: str | None) -> None:
        if value is not None:
            self._sum = Decimal(value) if self._sum is None else _EXACT.add(self._sum, Decimal(value))

    def finalize(self) -> str | None:
        return None if self._sum is None else format(self._sum, "f")
