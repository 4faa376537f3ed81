"""What plugins know of the archive: a way to remove old rows, and how theirs come back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Column, Delete, Table

from gateway.core.store import Tx

if TYPE_CHECKING:
    from gateway.core.contract import Host

AT_ONCE = 500
"""Rows of one statement: SQLite takes 32,766 values."""

Rows = Sequence[Mapping[str, Any]]


class Archive(Protocol):
    """Removes what is too old."""

    async def remove(self, tx: Tx, old: Delete, at: Column[Any]) -> int:
        """Run a deletion; how many rows went.

        Where an archive is set they are in a file, synced, before the transaction can end; *at* is when they happened.
        A transaction that fails afterwards leaves its rows in both places, and bringing them back adds none twice.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """A table whose old rows are archived."""

    table: Table
    days: str
    """The setting that says for how long they are kept."""
    restore: Callable[[Host, Tx, Rows], Awaitable[int]] | None = None
    """Puts rows back, and answers how many were not there; NotRestored where they do not fit. None: as they are."""


class NotRestored(Exception):
    """Rows of an archive do not fit what is in the database; the message says why."""


async def put_back(tx: Tx, table: Table, rows: Rows) -> int:
    """Rows as they were; those that are there stay as they are, and are not counted."""
    added = 0
    keys = table.primary_key.columns
    for start in range(0, len(rows), AT_ONCE):
        some = [dict(row) for row in rows[start : start + AT_ONCE]]
        made = tx.insert(table).values(some).on_conflict_do_nothing().returning(*keys)
        added += len((await tx.connection.execute(made)).all())
    return added
