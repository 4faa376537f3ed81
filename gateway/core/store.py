"""The database: an engine, transactions that are short and whole, exact column types, tables with a tenant.

Embedded it is one SQLite file (WAL), in production PostgreSQL; statements are SQLAlchemy Core and run on both.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from sqlalchemy import JSON, TIMESTAMP, Column, Executable, Index, MetaData, Numeric, Table, Text, event
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert

from gateway.core.databasecounts import waited, watch
from gateway.core.engines import GLANCES, WRITES, make_engine
from gateway.core.questions import Questions
from gateway.core.rowmaking import maker
from gateway.core.turns import Turns
from gateway.core.waiting import WAITING, Waiting, send_first
from gateway.core.writes import Addition, Silent, insert_of
from schema.errors import DatabaseUnavailable

R = TypeVar("R")

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"

log = structlog.get_logger(__name__)


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal of any size, bit for bit: NUMERIC on PostgreSQL; on SQLite text that compares and sorts as a number.

    On SQLite `sum()` would be a float: `exact_sum(column)` is exact on both.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Numeric(asdecimal=True))
        return dialect.type_descriptor(Text(collation="exact_decimal"))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, Decimal) or not value.is_finite():
            raise TypeError(f"an exact decimal column takes finite decimals only, not {value!r}")
        return value if dialect.name == "postgresql" else format(value, "f")

    def result_processor(self, dialect: Dialect, coltype: Any) -> Callable[[Any], Decimal | None] | None:
        """At first hand, as rows have dozens of them: the driver of PostgreSQL makes decimals itself."""
        return None if dialect.name == "postgresql" else _decimal


class Instant(TypeDecorator[datetime]):
    """An aware UTC time to the microsecond; on SQLite text of one width, which sorts by time."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("a time without zone says nothing: give aware UTC")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.isoformat(timespec="microseconds")

    def result_processor(self, dialect: Dialect, coltype: Any) -> Callable[[Any], datetime | None] | None:
        """At first hand: the driver of PostgreSQL makes times in UTC itself."""
        return None if dialect.name == "postgresql" else _instant


class Document(TypeDecorator[Any]):
    """A document of plain values: JSONB on PostgreSQL, text on SQLite. A dialect is imported where it is spoken."""

    impl = JSON
    cache_ok = True

    def __init__(self, *, none_as_null: bool = False) -> None:
        super().__init__(none_as_null=none_as_null)
        self.none_as_null = none_as_null

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return dialect.type_descriptor(JSON(none_as_null=self.none_as_null))
        from sqlalchemy.dialects.postgresql import JSONB

        return dialect.type_descriptor(JSONB(none_as_null=self.none_as_null))


Json = Document()
RareJson = Document(none_as_null=True)
"""Where most rows have none: NULL is not parsed, a document that is `null` would be."""


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def _instant(value: Any) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def tenant_table(name: str, metadata: MetaData, *items: Any) -> Table:
    """A table whose every row belongs to one tenant; its store's methods take the tenant and compare it."""
    column = Column("tenant_id", Text, nullable=False)
    return Table(name, metadata, column, *items, Index(f"ix_{name}_tenant", "tenant_id"), info={"scope": "tenant"})


def shared_table(name: str, metadata: MetaData, *items: Any, why: str) -> Table:
    """A table whose rows belong to no tenant; *why* is what the contract suite and its reader are told."""
    return Table(name, metadata, *items, info={"scope": "shared", "why": why})


def unique_where(name: str, *columns: str, where: str) -> Index:
    """A unique index of some rows. Its condition is for migrations: SQLAlchemy's way imports both dialects."""
    return Index(name, *columns, unique=True, info={"where": where})


def new_id(kind: str) -> str:
    """An opaque identifier such as `key_0v7m…`: a kind, and 100 random bits."""
    # One draw: each asks the system.
    bits = secrets.randbits(100)
    return f"{kind}_" + "".join([_ALPHABET[bits >> shift & 31] for shift in range(0, 100, 5)])


class Tx:
    """One transaction. What was changed is there for all, or nothing is."""

    def __init__(self, connection: AsyncConnection, waiting: Waiting | None = None) -> None:
        self.connection = connection
        self._waiting = waiting
        self.after: list[Callable[[], Awaitable[None] | None]] = []
        self.deeds: dict[object, Callable[[], Awaitable[None]]] = {}
        self.kept: dict[object, Any] = {}
        """What belongs to this transaction, by who keeps it."""

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.connection.dialect.name

    def insert(self, table: Table) -> Insert:
        """An INSERT that has `on_conflict_do_nothing` and `on_conflict_do_update`, the same on both databases."""
        return insert_of(self.dialect, table)

    def later(self, write: Silent, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write these before the transaction's next statement, and before its commit, in one way with all that waits.

        What is wrong with it is told there. On PostgreSQL a write sees nothing of what one to another table does that
        waits beside it.
        """
        self._writing().add(write, rows)

    async def added(self, write: Addition, rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
        """Write these now, in one way with all that waits; the rows as they are then."""
        return await self.connection.run_sync(self._writing().ask, write, rows)

    def tell(self, channel: str, message: str) -> None:
        """PostgreSQL's NOTIFY, which goes with what waits; heard with the commit."""
        self._writing().tell(channel, message)

    def _writing(self) -> Waiting:
        if self._waiting is None:
            raise RuntimeError("nothing is written here: open the transaction with `write`")
        return self._waiting

    async def run(self, statement: Executable, values: Sequence[Mapping[str, Any]] | None = None) -> int:
        """Execute; the number of rows that were changed."""
        result = await self.connection.execute(statement, list(values) if values is not None else None)
        return result.rowcount

    async def all(self, statement: Executable, kind: type[R], /, **given: Any) -> list[R]:
        """Rows as values: the columns' names are the names of the dataclass's fields.

        *given*, here and below, are values of the statement's `bindparam`s: one that is made once and asked often
        costs half of one that is made for each question.
        """
        result = await self.connection.execute(statement, given)
        make = maker(kind, tuple(result.keys()))
        return [make(row) for row in result]

    async def first(self, statement: Executable, kind: type[R], /, **given: Any) -> R | None:
        """The first row as a value."""
        result = await self.connection.execute(statement, given)
        make, row = maker(kind, tuple(result.keys())), result.first()
        return None if row is None else make(row)

    async def answers(self, questions: Questions, /, **given: Any) -> dict[str, list[Any]]:
        """The rows of several questions, by their names, in one way."""
        return questions.read(await self.connection.execute(questions.statement(self.dialect), given))

    async def value(self, statement: Executable, /, **given: Any) -> Any:
        """The first column of the first row; None without one."""
        return (await self.connection.execute(statement, given)).scalar()

    async def values(self, statement: Executable, /, **given: Any) -> list[Any]:
        """The first column of all rows."""
        return list((await self.connection.execute(statement, given)).scalars())

    def at_last(self, key: object, deed: Callable[[], Awaitable[None]]) -> None:
        """Do this as the transaction's last statements, once a key: what locks rows that many transactions want."""
        self.deeds.setdefault(key, deed)

    def then(self, job: Callable[[], Awaitable[None] | None]) -> None:
        """Do this once the transaction is committed, never if it is not: tell other processes, drop a cached copy."""
        self.after.append(job)


class Store:
    """The one way to the database; connects at the first use."""

    def __init__(self, url: str) -> None:
        self.url = database_url(url)
        self._engine: AsyncEngine | None = None
        self._variants: dict[str, AsyncEngine] = {}
        """The engine with an option, by its name."""
        self._writing, self._turns = asyncio.Lock(), Turns()
        self._telling: set[asyncio.Task[None]] = set()

    @property
    def embedded(self) -> bool:
        """Whether it is a file of this machine's, with one writer at a time."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def engine(self) -> AsyncEngine:
        """Made at the first use."""
        if self._engine is None:
            self._engine = make_engine(self.url)
            # Before it is watched: a statement's time is its own.
            event.listen(self._engine.sync_engine, "before_cursor_execute", send_first)
            watch(self._engine)
        return self._engine

    def _with(self, option: str, value: object) -> AsyncEngine:
        found = self._variants.get(option)
        if found is None:
            found = self._variants[option] = self.engine.execution_options(**{option: value})
        return found

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        """One view of the data; writes are refused or lost."""
        async with _connected(self.engine) as connection, connection.begin() as transaction:
            yield Tx(connection)
            await transaction.rollback()

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[Tx]:
        """A few small questions, each with its own view of the data: no transaction is begun and ended for them, which
        costs as much as two more. Nothing is written, locked or streamed here."""
        engine = self._with(GLANCES, True) if self.embedded else self._with("isolation_level", "AUTOCOMMIT")
        async with _connected(engine) as connection:
            yield Tx(connection)

    @asynccontextmanager
    async def write(self, *turns: str, rebuilding: bool = False) -> AsyncIterator[Tx]:
        """Committed at the end, undone by any exception; on SQLite writers of a process queue up fairly.

        *turns* name what is locked in it: those of this process that lock the same wait before they take a connection,
        so that many of one kind leave the connections to others.
        *rebuilding* is for migrations: SQLite changes a table by dropping it, which must not reach the tables that
        point to it. References are checked as a whole at the end instead.
        """
        after: list[Callable[[], Awaitable[None] | None]] = []
        telling: asyncio.Task[None] | None = None
        try:
            one = waited("writer", self._writing) if self.embedded else nullcontext()
            async with self._turns.of(turns), one:
                engine = self._with(WRITES, True)
                loose = _unreferenced if rebuilding and self.embedded else nullcontext
                async with _connected(engine) as connection, loose(connection), connection.begin() as transaction:
                    waiting = Waiting(connection.dialect)
                    tx = Tx(await connection.execution_options(**{WAITING: waiting}), waiting)
                    yield tx
                    for deed in tuple(tx.deeds.values()):
                        await deed()
                    await connection.run_sync(waiting.send)
                    if rebuilding and self.embedded:
                        await _check_references(connection)

                    async def commit() -> None:
                        await transaction.commit()
                        after.extend(tx.after)

                    await _unbroken(commit())
        finally:
            # Once it is committed others are told, even if the operation that wanted it is cancelled.
            if after:
                telling = asyncio.create_task(_tell(after), name="store.after")
                self._telling.add(telling)
                telling.add_done_callback(self._telling.discard)
        if telling is not None:
            await asyncio.shield(telling)

    async def close(self) -> None:
        """Let go of connections, once everything is told that is to be told."""
        await asyncio.gather(*self._telling)
        if self._engine is not None:
            await self._engine.dispose()
            self._engine = None
            self._variants.clear()


@asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection; DatabaseUnavailable where there is none to be had, or where it is lost."""
    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(waited("connection", engine.connect()))
        except Exception as error:
            log.warning("database_unavailable", reason=f"{type(error).__name__}: {error}"[:200])
            raise DatabaseUnavailable from error
        try:
            yield connection
        except DBAPIError as error:
            if not (error.connection_invalidated or _is_busy(error.orig)):
                raise
            log.warning("database_lost", reason=str(error.orig)[:200])
            raise DatabaseUnavailable from error


def _is_busy(error: BaseException | None) -> bool:
    """Whether another process has kept SQLite's one place for writers for longer than is waited."""
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


async def _unbroken(work: Awaitable[None]) -> None:
    """Cancelling takes effect once it is done: half a commit would be nobody's knowledge."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


async def _tell(jobs: Sequence[Callable[[], Awaitable[None] | None]]) -> None:
    """All at once: none waits for another's network, and one that breaks stops no other."""

    async def done(job: Callable[[], Awaitable[None] | None]) -> None:
        try:
            waiting = job()
            if waiting is not None:
                await waiting
        except Exception:
            log.exception("after_commit_failed")

    await asyncio.gather(*(done(job) for job in jobs))


@asynccontextmanager
async def _unreferenced(connection: AsyncConnection) -> AsyncIterator[None]:
    """SQLite without foreign keys; the switch works outside a transaction only."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    await driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        await driver.execute("PRAGMA foreign_keys=ON")


async def _check_references(connection: AsyncConnection) -> None:
    broken: Any = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).first()
    if broken is not None:
        raise RuntimeError(f"a row of {broken[0]} would point to nothing in {broken[2]}")


def database_url(text: str) -> URL:
    """The URL with the asynchronous driver; ValueError says what is wrong."""
    url = make_url(text)
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
    name = drivers.get(url.drivername.partition("+")[0])
    if name is None:
        raise ValueError(f"{url.drivername!r} is not served: use postgresql://… or sqlite:///…")
    return url.set(drivername=name)


class exact_sum(FunctionElement[Decimal]):
    """The exact sum of an ExactDecimal column: `sum` on PostgreSQL, our own aggregate on SQLite."""

    name = "exact_sum"
    type = ExactDecimal()
    inherit_cache = True


@compiles(exact_sum)
def _on_sqlite(element: exact_sum, compiler: SQLCompiler, **options: Any) -> str:
    return f"exact_sum({compiler.process(element.clauses, **options)})"


@compiles(exact_sum, "postgresql")
def _on_postgresql(element: exact_sum, compiler: SQLCompiler, **options: Any) -> str:
    return f"sum({compiler.process(element.clauses, **options)})"
