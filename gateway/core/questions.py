"""Questions as values: several of them are one statement, and one way to the database and back.

Each way costs more than most questions do, and all of them see one view of the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Integer, Select, cast, literal_column, union_all

_NULL = "NULL"


class Questions:
    """Selects that are asked together, each with the class of its rows, whose fields are named as its columns are.

    Made once, for a module; what they are asked with are `bindparam`s. Their rows come in no order.
    """

    def __init__(self, **asked: tuple[Select[Any], type]) -> None:
        self._asked = {name: (select.selected_columns, kind) for name, (select, kind) in asked.items()}
        self._selects = tuple(select for select, _ in asked.values())
        self._kinds: list[Any] = []
        self._places = [self._placed(list(select.selected_columns)) for select in self._selects]
        self._statements: dict[str, CompoundSelect[Any]] = {}

    def statement(self, dialect: str) -> CompoundSelect[Any]:
        """All of them: the number of the question, then the values of its row, with those of one type in one column."""
        found = self._statements.get(dialect)
        if found is None:
            parts = [self._part(number, dialect) for number in range(len(self._selects))]
            found = self._statements[dialect] = union_all(*parts)
        return found

    def read(self, rows: Iterable[Sequence[Any]]) -> dict[str, list[Any]]:
        """The rows of each question, by its name."""
        found: list[list[Any]] = [[] for _ in self._selects]
        forms = [
            (kind, [column.name for column in columns], places)
            for (columns, kind), places in zip(self._asked.values(), self._places, strict=True)
        ]
        for row in rows:
            kind, names, places = forms[row[0]]
            found[row[0]].append(kind(**{name: row[at] for name, at in zip(names, places, strict=True)}))
        return dict(zip(self._asked, found, strict=True))

    def _placed(self, columns: Sequence[ColumnElement[Any]]) -> list[int]:
        """Where the values of a question stand in a row: each takes the first column of its type that is free."""
        places, taken = [], set[int]()
        for column in columns:
            free = (at for at, kind in enumerate(self._kinds) if at not in taken and type(kind) is type(column.type))
            at = next(free, len(self._kinds))
            if at == len(self._kinds):
                self._kinds.append(column.type)
            taken.add(at)
            places.append(at + 1)
        return places

    def _part(self, number: int, dialect: str) -> Select[Any]:
        select = self._selects[number]
        given = dict(zip(self._places[number], select.selected_columns, strict=True))
        values = [given.get(at, self._nothing(kind, number, dialect)) for at, kind in enumerate(self._kinds, start=1)]
        named = [value.label(f"c{at}") for at, value in enumerate(values, start=1)]
        return select.with_only_columns(literal_column(str(number), Integer).label("c0"), *named)

    def _nothing(self, kind: Any, number: int, dialect: str) -> ColumnElement[Any]:
        """PostgreSQL takes the types of all rows from the first question."""
        null = literal_column(_NULL, kind)
        return cast(null, kind) if dialect == "postgresql" and not number else null
