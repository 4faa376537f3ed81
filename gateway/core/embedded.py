"""A connection to SQLite of which nothing is left open where its transaction ends, however that came about."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import Any
from weakref import WeakSet


class EmbeddedConnection(sqlite3.Connection):
    """Ends what is still open of a cancelled read before it commits, rolls back or closes.

    A statement that is not read to its end keeps its view of the data, and what it has locked, until it is collected:
    the next transaction would see the past and could write nothing. https://www.sqlite.org/isolation.html
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._statements: WeakSet[sqlite3.Cursor] = WeakSet()

    def cursor(self, factory: Any = sqlite3.Cursor) -> Any:
        """A statement to be."""
        made = super().cursor(factory)
        self._statements.add(made)
        return made

    def commit(self) -> None:
        """For all to see."""
        self._end()
        super().commit()

    def rollback(self) -> None:
        """As if it had not been."""
        self._end()
        super().rollback()

    def close(self) -> None:
        """With nothing left, or SQLite would keep it open: https://www.sqlite.org/c3ref/close.html."""
        with suppress(sqlite3.Error):
            self.rollback()
        super().close()

    def _end(self) -> None:
        for statement in tuple(self._statements):
            statement.close()
        self._statements.clear()
