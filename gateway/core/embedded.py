"""SQLite, seldom asked and never left half read: the connection, and the way to the thread that it lives on."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Self
from weakref import WeakSet

import aiosqlite

FIRST_ROWS = 32
"""Rows that come back with their statement; what has more is read on as its reader wants."""


class Together(str):
    """Statements that are run one after the other in one way to the thread.

    In place of one's values come the rows of each, in a tuple. None of them answers anything, but the last one may.
    """

    parts: tuple[str, ...]
    answers: bool
    __slots__ = ("answers", "parts")

    def __new__(cls, parts: Sequence[str], *, answers: bool = False) -> Self:
        """As a text it is all of them."""
        made = super().__new__(cls, ";\n".join(parts))
        made.parts, made.answers = tuple(parts), answers
        return made


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


class EmbeddedLink(aiosqlite.Connection):
    """The way to a connection's thread. Each way there and back costs more than most statements: one takes one, with
    its rows, and the end of no transaction takes none."""

    def __init__(self, opened: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(opened, FIRST_ROWS)
        # It is nobody's to wait for when the process ends.
        self._thread.daemon = True
        self._unheard = False
        """Whether something was sent that is not known to be done."""

    def cursor(self) -> Any:
        """A statement to be; the thread is not asked yet."""
        return _Statement(self)

    async def commit(self) -> None:
        """For all to see."""
        await self._end(self._conn.commit)

    async def rollback(self) -> None:
        """As if it had not been."""
        await self._end(self._conn.rollback)

    async def _end(self, how: Callable[[], None]) -> None:
        if self._unheard or self._conn.in_transaction:
            await self._execute(how)

    async def _execute(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        self._unheard = True
        way: Any = super()
        done = await way._execute(fn, *args, **kwargs)
        # What was sent before is done before.
        self._unheard = False
        return done


def embedded_link(path: str, **how: Any) -> EmbeddedLink:
    """A connection to a file, to be awaited; what else `sqlite3.connect` takes."""
    return EmbeddedLink(partial(sqlite3.connect, path, factory=EmbeddedConnection, **how))


class _Statement:
    """A cursor, as SQLAlchemy's dialect wants it of aiosqlite."""

    arraysize = 1

    def __init__(self, link: EmbeddedLink) -> None:
        self._link = link
        self._rows: list[Any] = []
        self._more: sqlite3.Cursor | None = None
        """Where there are more rows than have come."""
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Any = ()) -> Self:
        """Run it."""
        if isinstance(sql, Together):
            self._rows, self.description = await self._link._execute(self._all, sql, parameters)
            return self
        return await self._run(lambda cursor: cursor.execute(sql, parameters))

    async def executemany(self, sql: str, parameters: Any) -> Self:
        """Run it for each of some."""
        return await self._run(lambda cursor: cursor.executemany(sql, parameters))

    async def fetchall(self) -> list[Any]:
        """All rows that are left."""
        rows, self._rows = self._rows, []
        if self._more is not None:
            rows += await self._link._execute(self._more.fetchall)
            await self.close()
        return rows

    async def fetchmany(self, size: int = arraysize) -> list[Any]:
        """So many of them, or what is left."""
        rows, self._rows = self._rows[:size], self._rows[size:]
        if self._more is not None and len(rows) < size:
            rows += await self._link._execute(self._more.fetchmany, size - len(rows))
        return rows

    async def fetchone(self) -> Any:
        """One of them; None where none is left."""
        return next(iter(await self.fetchmany(1)), None)

    async def close(self) -> None:
        """The rest is not wanted."""
        self._rows = []
        if self._more is not None:
            more, self._more = self._more, None
            await self._link._execute(more.close)

    async def _run(self, how: Callable[[sqlite3.Cursor], object]) -> Self:
        cursor, self._rows = await self._link._execute(self._begin, how)
        self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
        self._more = cursor if len(self._rows) == FIRST_ROWS else None
        return self

    def _begin(self, how: Callable[[sqlite3.Cursor], object]) -> tuple[sqlite3.Cursor, list[Any]]:
        """On the thread."""
        cursor = self._link._conn.cursor()
        how(cursor)
        rows = cursor.fetchmany(FIRST_ROWS) if cursor.description else []
        if len(rows) < FIRST_ROWS:
            cursor.close()
        return cursor, rows

    def _all(self, sql: Together, rows: Sequence[Sequence[Any]]) -> tuple[list[Any], Any]:
        """On the thread."""
        cursor, answers = self._link._conn.cursor(), list[Any]()
        for number, (part, values) in enumerate(zip(sql.parts, rows, strict=True), start=1):
            if sql.answers and number == len(sql.parts):
                # Many at once may answer nothing.
                for each in values:
                    answers += cursor.execute(part, each).fetchall()
            else:
                cursor.executemany(part, values)
        cursor.close()
        return answers, cursor.description
