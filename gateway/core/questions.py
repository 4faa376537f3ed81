"""Questions as values: several of them are one statement, and one way to the database and back.

Each way costs more than most questions do, and all of them see one view of the data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Integer, Select, cast, literal_column, union_all

from gateway.core.rowmaking import maker

_NULL = "NULL"


class Questions:
    """Selects that are asked together, each with the class of its rows, whose fields are named as its columns are.

    Made once, for a module; what they are asked with are `bindparam`s. Their rows come in no order.
    """

    def __init__(self, **asked: tuple[Select[Any], type]) -> None:
        self._names = tuple(asked)
        self._selects = tuple(select for select, _ in asked.values())
        self._kinds: list[Any] = []
        self._places = [self._placed(list(select.selected_columns)) for select in self._selects]
        self._makers = [
            _placed_maker(kind, tuple(column.name for column in select.selected_columns), places)
            for (select, kind), places in zip(asked.values(), self._places, strict=True)
        ]
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
        for row in map(tuple, rows):
            found[row[0]].append(self._makers[row[0]](row))
        return dict(zip(self._names, found, strict=True))

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


def _placed_maker(kind: type, names: tuple[str, ...], places: Sequence[int]) -> Callable[[Sequence[Any]], Any]:
    """What takes the values of a question from where they stand in a row."""
    make: Callable[[Sequence[Any]], Any] = maker(kind, names)
    if len(places) == 1:
        return lambda row: make((row[places[0]],))
    take = itemgetter(*places)
    return lambda row: make(take(row))
