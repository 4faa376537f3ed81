"""The archive of a process: files in a folder, or none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Column, Delete, Table

from gateway.core.archive import files
from gateway.core.archive.port import Archived, put_back
from gateway.core.clock import Clock
from gateway.core.contract import Host, Plugin
from gateway.core.store import Tx


class Shelf:
    """Serves `Archive`."""

    def __init__(self, folder: Path | None, clock: Clock) -> None:
        self._folder, self._clock = folder, clock

    async def remove(self, tx: Tx, old: Delete, at: Column[Any]) -> int:
        """See `Archive`."""
        if self._folder is None:
            return await tx.run(old)
        table = cast(Table, old.table)
        result = await tx.connection.execute(old.returning(*table.columns))
        rows: Sequence[Mapping[str, Any]] = [dict(row) for row in result.mappings()]
        if rows:
            await asyncio.to_thread(files.write, self._folder, table, at.name, rows, self._clock.now())
        return len(rows)


def archived(plugins: Sequence[Plugin]) -> dict[str, Archived]:
    """What of all plugins is archived, by the table's name."""
    return {each.table.name: each for plugin in plugins for each in plugin.archived}


def read(file: files.Kept, known: Mapping[str, Archived]) -> tuple[Archived, list[dict[str, Any]]]:
    """Whose rows a file holds, and the rows; BadArchive where this release cannot bring them back."""
    table = file.manifest.table
    if table not in known:
        raise files.BadArchive(f"{file.path}: no table {table} is archived by this release")
    return known[table], files.rows_of(file, known[table].table)


async def restore(host: Host, file: files.Kept, known: Mapping[str, Archived]) -> int:
    """How many of a file's rows were not there, and are now: all of them, or an error and none.

    BadArchive where the file is not what was written, NotRestored where its rows do not fit.
    """
    of, rows = await asyncio.to_thread(read, file, known)
    async with host.store.write() as tx:
        return await (of.restore(host, tx, rows) if of.restore else put_back(tx, of.table, rows))
