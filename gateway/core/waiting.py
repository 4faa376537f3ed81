"""Writes that wait: what nobody reads the result of goes to the database in one way, with what is written beside it.

Each way there and back costs more than most statements. Those that wait go before the next statement that does not,
and before the commit: SQLite runs them one after the other, PostgreSQL as one statement with one view of the data.
There a write must not depend on what one to another table does; of one table, different writes go one after the other.
https://www.postgresql.org/docs/current/queries-with.html#QUERIES-WITH-MODIFYING
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, JSON, Column, Select, Table, Text, bindparam, cast, column, func, literal_column, select
from sqlalchemy.engine import Connection, CursorResult, Dialect
from sqlalchemy.types import TypeEngine

from gateway.core.embedded import Together
from gateway.core.writes import Addition, Source, Write, plain

WAITING = "marketgate_waiting"
"""The option of a connection that holds what waits."""
KIND = "marketgate_kind"
"""The option of a statement that says as what it is counted."""
TOGETHER = "together"
MOST_PLANS = 500
"""Combinations of writes whose statement is kept."""

Values = tuple[Any, ...]
Shape = tuple[tuple[Write, bool], ...]
"""Writes that go together, and which of them have one row, which is given by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """A write for one kind of database."""

    names: tuple[str, ...]
    """In the order in which its values are given."""
    binds: tuple[Callable[[Any], Any] | None, ...]
    """What makes of each value what the driver takes."""
    keys: tuple[int, ...]
    sql: str
    """Of one row: for SQLite."""

    def values(self, row: Mapping[str, Any]) -> Values:
        """As the driver takes them."""
        pairs = zip(self.names, self.binds, strict=True)
        return tuple([row[name] if bind is None else bind(row[name]) for name, bind in pairs])

    def last(self, rows: list[Values]) -> list[Values]:
        """The last one of each key: one statement changes a row once, and a later one sets all that an earlier did."""
        return list({tuple([row[at] for at in self.keys]): row for row in rows}.values()) if self.keys else rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """The one statement of several writes on PostgreSQL, whose text does not depend on how many rows there are."""

    sql: str
    order: tuple[str, ...]
    """The names of its parameters."""


_FORMS: dict[tuple[str, Write], _Form] = {}
_PLANS: dict[tuple[Shape, bool, bool], _Plan] = {}


class Waiting:
    """The writes of one transaction that were not sent yet."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._rows: list[tuple[Write, list[Values]]] = []
        self._told: list[tuple[str, str]] = []
        self._lost = False

    def add(self, write: Write, rows: Sequence[Mapping[str, Any]]) -> None:
        """Rows of a write, behind those that wait already."""
        if rows:
            form = _form(write, self._dialect)
            self._rows.append((write, [form.values(row) for row in rows]))

    def tell(self, channel: str, message: str) -> None:
        """Who listens to a channel of PostgreSQL's hears it with the commit."""
        self._told.append((channel, message))

    def send(self, connection: Connection) -> None:
        """All of it, now; nothing waits from then on. Where that failed, nothing more of the transaction is kept."""
        self._check()
        if self._rows or self._told:
            told, self._told = self._told, []
            self._go(connection, told)

    def ask(self, connection: Connection, write: Addition, rows: Sequence[Mapping[str, Any]]) -> list[Values]:
        """The same in one way with rows of another write, for what they answer: all columns of the table."""
        self._check()
        if not rows:
            return []
        self.add(write, rows)
        return self._go(connection, [], answers=True)

    def _check(self) -> None:
        if self._lost:
            raise RuntimeError("a write of this transaction has failed: let its exception end it")

    def _go(self, connection: Connection, told: list[tuple[str, str]], *, answers: bool = False) -> list[Values]:
        rows, self._rows = self._rows, []
        try:
            if self._dialect.name == "postgresql":
                for last, each in _rounds(rows):
                    result = _run(connection, *self._planned(each, told if last else [], answers=answers and last))
            else:
                sql = Together([_form(write, self._dialect).sql for write, _ in rows], answers=answers)
                result = _run(connection, sql, tuple([values for _, values in rows]))
            return [tuple(row) for row in result] if answers else []
        except BaseException:
            self._lost = True
            raise

    def _planned(
        self, rows: Mapping[Write, list[Values]], told: list[tuple[str, str]], *, answers: bool
    ) -> tuple[str, Values]:
        given: dict[str, Any] = {}
        shape: list[tuple[Write, bool]] = []
        for number, (write, values) in enumerate(rows.items()):
            form = _form(write, self._dialect)
            once = form.last(values)
            # An array for each column costs the driver more than the row; and PostgreSQL takes one for ten rows, and
            # would rather read the whole of a new table than look for so many.
            alone = len(once) == 1
            columns = once[0] if alone else [list(each) for each in zip(*once, strict=True)]
            given |= {f"{number}_{name}": each for name, each in zip(form.names, columns, strict=True)}
            shape.append((write, alone))
        if told:
            given |= {"channel": [each for each, _ in told], "message": [each for _, each in told]}
        plan = _plan(tuple(shape), self._dialect, telling=bool(told), answers=answers)
        return plan.sql, tuple([given[name] for name in plan.order])


def send_first(connection: Connection, *_: Any) -> None:
    """Before any statement of a transaction: what waits in it, which the statement may look at."""
    waiting = connection.get_execution_options().get(WAITING)
    if waiting is not None:
        waiting.send(connection)


def _run(connection: Connection, sql: str, values: Values) -> CursorResult[Any]:
    return connection.exec_driver_sql(sql, values, execution_options={KIND: TOGETHER})


def _rounds(waiting: Sequence[tuple[Write, list[Values]]]) -> list[tuple[bool, dict[Write, list[Values]]]]:
    """What may go in one statement each: two writes to one table may not. Which is the last one is told."""
    rounds: list[dict[Write, list[Values]]] = [{}]
    writes: dict[Table, Write] = {}
    for write, rows in waiting:
        if writes.setdefault(write.table, write) is not write:
            rounds.append({})
            writes = {write.table: write}
        rounds[-1].setdefault(write, []).extend(rows)
    return [(each is rounds[-1], each) for each in rounds]


def _form(write: Write, dialect: Dialect) -> _Form:
    found = _FORMS.get((dialect.name, write))
    if found is None:
        made: Any = write.statement(dialect.name, _row(write, 0)).compile(dialect=dialect)
        names = tuple(made.positiontup or ()) if dialect.name == "sqlite" else write.names
        names = tuple(name.removeprefix("0_") for name in names)
        binds = tuple(write.table.c[each].type.dialect_impl(dialect).bind_processor(dialect) for each in names)
        keys = tuple(names.index(each) for each in write.keys)
        found = _FORMS[dialect.name, write] = _Form(names=names, binds=binds, keys=keys, sql=made.string)
    return found


def _plan(shape: Shape, dialect: Dialect, *, telling: bool, answers: bool) -> _Plan:
    found = _PLANS.get((shape, telling, answers))
    if found is None:
        parts = [
            write.statement(dialect.name, (_row if alone else _unnested)(write, number)).cte(f"w{number}")
            for number, (write, alone) in enumerate(shape)
        ]
        last: Select[Any] = _told() if telling else select(parts[-1]) if answers else select(literal_column("1"))
        made: Any = last.add_cte(*parts).compile(dialect=dialect)
        if len(_PLANS) >= MOST_PLANS:
            _PLANS.clear()
        found = _PLANS[shape, telling, answers] = _Plan(sql=made.string, order=tuple(made.positiontup))
    return found


def _told() -> Select[Any]:
    arrays = [bindparam(name, type_=ARRAY(Text)) for name in ("channel", "message")]
    told = func.unnest(*arrays).table_valued(column("channel", Text), column("message", Text)).render_derived()
    return select(func.pg_notify(told.c.channel, told.c.message))


def _row(write: Write, number: int) -> Source:
    return {name: bindparam(f"{number}_{name}", type_=write.table.c[name].type) for name in write.names}


def _unnested(write: Write, number: int) -> Source:
    """Rows of as many arrays as there are columns."""
    kinds = {name: _carried(write.table.c[name]) for name in write.names}
    arrays = [bindparam(f"{number}_{name}", type_=ARRAY(kind)) for name, kind in kinds.items()]
    rows = func.unnest(*arrays).table_valued(*[column(name, kind) for name, kind in kinds.items()])
    given = rows.render_derived().c
    return {
        name: given[name] if kind is write.table.c[name].type else cast(given[name], write.table.c[name].type)
        for name, kind in kinds.items()
    }


def _carried(given: Column[Any]) -> TypeEngine[Any]:
    """As what a column's values travel: documents as the text that they are bound as."""
    return Text() if isinstance(plain(given), JSON) else given.type
