"""A plugin's history: its tables, and the folder of its migrations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import MetaData


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A plugin's tables and the folder of its migrations."""

    plugin: str
    metadata: MetaData
    folder: Path

    @property
    def version_table(self) -> str:
        """Where its revision stands."""
        return f"{self.plugin}_migrations"


def check_tables(histories: Sequence[History]) -> None:
    """RuntimeError for a table that could be taken for another plugin's, or that points to one."""
    owners = {history.version_table: history.plugin for history in histories}
    for history in histories:
        for other in histories:
            if other.plugin.startswith(f"{history.plugin}_"):
                raise RuntimeError(f"plugin {other.plugin}: its tables would look like {history.plugin}'s; rename it")
        for table in history.metadata.tables.values():
            if not table.name.startswith(f"{history.plugin}_"):
                raise RuntimeError(
                    f"plugin {history.plugin}: the table {table.name} must be called {history.plugin}_{table.name}"
                )
            if table.name in owners:
                raise RuntimeError(f"the table {table.name} is defined by {owners[table.name]} and {history.plugin}")
            owners[table.name] = history.plugin
            for key in table.foreign_keys:
                target = key.target_fullname.partition(".")[0]
                if target not in history.metadata.tables:
                    raise RuntimeError(
                        f"plugin {history.plugin}: {table.name} points to {target}, which is another plugin's; "
                        "keep its id without a foreign key"
                    )
