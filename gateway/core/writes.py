"""Writes as values: what is done to a table with rows that are given later. See `gateway.core.waiting`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, Column, ColumnElement, Table, delete, select, update
from sqlalchemy.sql.dml import UpdateBase

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert

Source = Mapping[str, ColumnElement[Any]]
"""Where values come from, by column."""


def insert_of(dialect: str, table: Table) -> Insert:
    """An INSERT that has `on_conflict_do_nothing` and `on_conflict_do_update`, the same on both databases."""
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert

        return insert(table)
    from sqlalchemy.dialects.sqlite import insert as embedded

    return embedded(table)  # type: ignore[return-value]


class Write(ABC):
    """What is done to a table with rows that are given later, as mappings by column. Made once, for a module."""

    def __init__(self, table: Table, keys: Sequence[str], names: Sequence[str]) -> None:
        self.table, self.keys, self.names = table, tuple(keys), tuple(names)
        if arrays := [name for name in self.names if isinstance(plain(table.c[name]), ARRAY)]:
            raise TypeError(f"{table.name}: rows with arrays ({', '.join(arrays)}) cannot wait")

    @abstractmethod
    def statement(self, dialect: str, source: Source) -> UpdateBase:
        """Of one row on SQLite, of all rows of a source on PostgreSQL."""


class Insertion(Write):
    """New rows, with all columns of their table."""

    def __init__(self, table: Table) -> None:
        super().__init__(table, (), [each.name for each in table.c])

    def statement(self, dialect: str, source: Source) -> UpdateBase:
        """See `Write`."""
        return _insert(dialect, self.table, source)


class Upsert(Write):
    """Rows with all columns of their table, new or in place of those with the same keys, which a unique index has.

    In no tenant's table is another tenant's row replaced.
    """

    def __init__(self, table: Table, *keys: str) -> None:
        self._unique = keys
        self._owner = tuple(name for name in ("tenant_id",) if name in table.c and name not in keys)
        super().__init__(table, (*keys, *self._owner), [each.name for each in table.c])

    def statement(self, dialect: str, source: Source) -> UpdateBase:
        """See `Write`."""
        made = _insert(dialect, self.table, source)
        new = {name: made.excluded[name] for name in self.names if name not in self.keys}
        same = [self.table.c[name] == made.excluded[name] for name in self._owner]
        return made.on_conflict_do_update(index_elements=self._unique, set_=new, where=same[0] if same else None)


class Addition(Write):
    """Whole numbers by keys, which a unique index has: new, or added to what is there. It answers the sums."""

    def __init__(self, table: Table, *keys: str) -> None:
        self._unique = keys
        super().__init__(table, (), [each.name for each in table.c])

    def statement(self, dialect: str, source: Source) -> UpdateBase:
        """See `Write`."""
        made = _insert(dialect, self.table, source)
        sums = {name: self.table.c[name] + made.excluded[name] for name in self.names if name not in self._unique}
        return made.on_conflict_do_update(index_elements=self._unique, set_=sums).returning(*self.table.c)


class Change(Write):
    """Some columns of the rows that have these keys."""

    def __init__(self, table: Table, keys: Sequence[str], columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        super().__init__(table, keys, (*columns, *keys))

    def statement(self, dialect: str, source: Source) -> UpdateBase:
        """See `Write`."""
        return update(self.table).where(*_same(self, source)).values({name: source[name] for name in self._columns})


class Removal(Write):
    """The rows that have these keys."""

    def __init__(self, table: Table, *keys: str) -> None:
        super().__init__(table, keys, keys)

    def statement(self, dialect: str, source: Source) -> UpdateBase:
        """See `Write`."""
        return delete(self.table).where(*_same(self, source))


Silent = Insertion | Upsert | Change | Removal
"""What answers nothing, and may wait."""


def plain(given: Column[Any]) -> object:
    """A column's type, or what one of our own stands for."""
    return getattr(given.type, "impl", given.type)


def _insert(dialect: str, table: Table, source: Source) -> Insert:
    made = insert_of(dialect, table)
    if dialect == "postgresql":
        return made.from_select(list(source), select(*source.values()), include_defaults=False)
    return made.values(dict(source))


def _same(write: Write, source: Source) -> list[ColumnElement[bool]]:
    return [write.table.c[name] == source[name] for name in write.keys]
