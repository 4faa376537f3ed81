"""Where each plugin's tables stand. Alembic, which only moving them needs, is 10 MB that a plain start leaves alone."""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import column, select, table
from sqlalchemy.engine import Connection

from gateway.core.migrations.histories import History
from gateway.core.store import Store

WAY_OUT = "run marketgate db upgrade"
STATED = re.compile(r"^(revision|down_revision)\b[^=\n]*=[ \t]*(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a plugin's tables are and where this release expects them; None is before the first migration."""

    plugin: str
    at: str | None
    head: str | None
    known: bool = True

    @property
    def lacking(self) -> str | None:
        """What keeps this release from working with them, in words."""
        if self.at == self.head:
            return None
        if not self.known:
            told = "which a newer release made: start that release, or downgrade with it first"
            return f"{self.plugin} is at {self.at}, {told}"
        return f"{self.plugin} is at {self.at or 'nothing'}, this release needs {self.head}: {WAY_OUT}"


async def standings(store: Store, histories: Sequence[History]) -> list[Standing]:
    """Where each plugin's tables are; quick."""

    def job(connection: Connection) -> list[Standing]:
        return [standing_of(connection, history) for history in histories]

    async with store.read() as tx:
        return await tx.connection.run_sync(job)


def standing_of(connection: Connection, history: History) -> Standing:
    """Where one plugin's tables are."""
    at, before = revision_of(connection, history), revisions(history.folder)
    heads = sorted(before.keys() - before.values())
    if len(heads) > 1:
        raise RuntimeError(f"plugin {history.plugin}: its history is not a line, it ends in {' and '.join(heads)}")
    return Standing(
        plugin=history.plugin, at=at, head=heads[0] if heads else None, known=at is None or at in before
    )  # fmt: skip


def revision_of(connection: Connection, history: History) -> str | None:
    """The revision that the plugin's version table holds."""
    if not connection.dialect.has_table(connection, history.version_table):
        return None
    return connection.execute(select(column("version_num")).select_from(table(history.version_table))).scalar()


def revisions(folder: Path) -> dict[str, str | None]:
    """Each revision of a folder and the one before it, as its files state them; nothing of them is run."""
    stated = [dict(STATED.findall(file.read_text(encoding="utf-8"))) for file in folder.glob("*.py")]
    return {
        literal_eval(each["revision"]): literal_eval(each.get("down_revision", "None"))
        for each in stated
        if "revision" in each
    }
