"""Runs each plugin's linear history with its own version table, all in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.engine import Connection

from gateway.core.migrations.differences import in_words
from gateway.core.migrations.histories import History
from gateway.core.migrations.readiness import MigrationFailed
from gateway.core.migrations.standing import revision_of, standing_of
from gateway.core.store import Store

LOCK = 0x6D6172_6B6574
"""Key of the advisory lock that lets one process migrate at a time."""

T = TypeVar("T")


class UnknownRevision(Exception):
    """There is no such revision in the plugin's history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What was done to a plugin's tables."""

    plugin: str
    before: str | None
    after: str | None


async def upgrade(store: Store, histories: Sequence[History]) -> list[Step]:
    """Bring every plugin to its newest revision; all of it or nothing. MigrationFailed names the plugin."""

    def job(connection: Connection) -> list[Step]:
        return [_moved(connection, history, "head", command.upgrade) for history in histories]

    return await _run(store, job)


async def downgrade(store: Store, history: History, revision: str) -> Step:
    """Bring one plugin back to a revision; `base` removes its tables. UnknownRevision where there is none such."""
    return await _run(store, lambda connection: _moved(connection, history, revision, command.downgrade))


async def check(store: Store, histories: Sequence[History]) -> list[str]:
    """What the database lacks, in words; empty when it is as the code expects."""

    def job(connection: Connection) -> list[str]:
        return [found for history in histories for found in _check(connection, history)]

    async with store.read() as tx:
        return await tx.connection.run_sync(job)


async def _run(store: Store, job: Callable[[Connection], T]) -> T:
    """In one transaction that no other process's can overlap."""
    async with store.write(rebuilding=True) as tx:
        if tx.dialect == "postgresql":
            await tx.connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        return await tx.connection.run_sync(job)


def _moved(connection: Connection, history: History, revision: str, move: Callable[[Config, str], None]) -> Step:
    before = revision_of(connection, history)
    try:
        move(config(history, connection), revision)
    except CommandError as error:
        raise UnknownRevision(f"{history.plugin}: {error}") from None
    except Exception as error:
        told = str(error).partition("\n")[0]
        raise MigrationFailed(f"{history.plugin}: {type(error).__name__}: {told}; nothing was changed") from error
    return Step(plugin=history.plugin, before=before, after=revision_of(connection, history))


def _check(connection: Connection, history: History) -> list[str]:
    lacking = standing_of(connection, history).lacking
    if lacking is not None:
        return [lacking]
    context = MigrationContext.configure(
        connection, opts={
            "version_table": history.version_table, "target_metadata": history.metadata, "compare_type": True,
            "include_name": names_of(history),
        },
    )  # fmt: skip
    return [f"{history.plugin}: {told}" for told in in_words(compare_metadata(context, history.metadata))]


def names_of(history: History) -> Any:
    """Alembic's filter: only what begins with the plugin's name is compared."""
    own = f"{history.plugin}_"

    def include(name: str | None, kind: str, _: Any) -> bool:
        if kind != "table":
            return True
        return name in history.metadata.tables or (str(name).startswith(own) and name != history.version_table)

    return include


def config(history: History, connection: Connection) -> Config:
    """Alembic's configuration of one history."""
    found = Config()
    found.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    found.set_main_option("version_locations", str(history.folder).replace("%", "%%"))
    found.set_main_option("path_separator", "newline")
    found.attributes.update(
        connection=connection, metadata=history.metadata, version_table=history.version_table,
        include_name=names_of(history),
    )  # fmt: skip
    return found
