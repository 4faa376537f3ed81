"""What is counted of the database: its pool, waiting for it, statements."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from time import perf_counter
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from gateway.core.metrics import Readings, histogram
from gateway.core.waiting import KIND, TOGETHER

T = TypeVar("T")
POOL = Readings("marketgate_db_pool_connections", "Connections of the pool: in use, idle, and the most of it.", "state")
WAITED = histogram(
    "marketgate_db_wait_seconds", "Seconds until a transaction had a connection, or on SQLite the place to write.",
    "place",
)  # fmt: skip
STATEMENTS = histogram("marketgate_db_statement_seconds", "Seconds of a statement, by its kind.", "kind")
_WAITS = {place: WAITED.labels(place) for place in ("connection", "writer")}
_KINDS = {kind: STATEMENTS.labels(kind) for kind in ("select", "insert", "update", "delete", TOGETHER, "other")}


def watch(engine: AsyncEngine) -> None:
    """Count an engine's statements, and read its pool from now on."""
    event.listen(engine.sync_engine, "before_cursor_execute", _begin)
    event.listen(engine.sync_engine, "after_cursor_execute", _end)
    pool = engine.pool
    if isinstance(pool, QueuePool):
        POOL.watch(pool.checkedout, "in_use")
        POOL.watch(pool.checkedin, "idle")
        # An embedded database's is as large as it has to be.
        POOL.watch(lambda: pool.size() + max(pool._max_overflow, 0), "most")


@asynccontextmanager
async def waited(place: str, way: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    """Enter, and count how long that took."""
    began = perf_counter()
    async with way as entered:
        _WAITS[place].observe(perf_counter() - began)
        yield entered


def _begin(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
    if context is not None:
        context.marketgate_began = perf_counter()


def _end(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
    began = getattr(context, "marketgate_began", None)
    if began is not None:
        kind = context.execution_options.get(KIND) or statement[:6].lower()
        _KINDS.get(kind, _KINDS["other"]).observe(perf_counter() - began)
