"""Writes that wait go together, and leave behind what each would have left alone, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    delete,
    event,
    insert,
    select,
    text,
)  # fmt: skip
from sqlalchemy.exc import DBAPIError, IntegrityError

from gateway.core.store import ExactDecimal, Instant, Json, RareJson, Store, Tx, tenant_table
from gateway.core.writes import Addition, Change, Insertion, Removal, Upsert
from schema.errors import DatabaseUnavailable

TABLES = MetaData()
things = tenant_table(
    "probe_things", TABLES,
    Column("key", Text, primary_key=True), Column("amount", ExactDecimal), Column("at", Instant),
    Column("data", Json), Column("open", Boolean), Column("count", Integer), Column("large", BigInteger),
    Column("rare", RareJson),
)  # fmt: skip
parts = Table("probe_parts", TABLES, Column("n", Integer, primary_key=True), Column("of", ForeignKey(things.c.key)))
sums = Table("probe_sums", TABLES, Column("of", Text, primary_key=True), Column("n", Integer))
ADDED = Addition(sums, "of")
NEW, PUT, GONE = Insertion(things), Upsert(things, "key"), Removal(things, "tenant_id", "key")
COUNTED, PARTS = Change(things, ("tenant_id", "key"), ("count", "data")), Insertion(parts)

characters = st.characters(codec="utf-8", exclude_characters="\x00")
documents = st.none() | st.dictionaries(
    st.text(characters, max_size=5), st.none() | st.booleans() | st.text(characters)
)
rows_of_any_kind = st.lists(
    st.fixed_dictionaries({
        "tenant_id": st.just("a"), "key": st.text(characters, max_size=8),
        "amount": st.none() | st.decimals(allow_nan=False, allow_infinity=False),
        "at": st.none() | st.datetimes(timezones=st.just(UTC)), "data": documents | st.lists(documents, max_size=2),
        "open": st.none() | st.booleans(), "count": st.none() | st.integers(-(2**31), 2**31 - 1),
        "large": st.none() | st.integers(-(2**63), 2**63 - 1), "rare": documents,
    }),
    unique_by=lambda row: str(row["key"]), max_size=6,
)  # fmt: skip


def thing(key: str, count: int = 0, tenant: str = "a", **more: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("amount", "at", "data", "open", "large", "rare"))
    return {**empty, "tenant_id": tenant, "key": key, "count": count, **more}


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    made = Store(database)
    async with made.write() as tx:
        await tx.connection.run_sync(TABLES.create_all)
    yield made
    async with made.write() as tx:
        await tx.connection.run_sync(TABLES.drop_all)
    await made.close()


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if not statement.startswith("BEGIN"):
            asked.append(statement)

    event.listen(store.engine.sync_engine, "before_cursor_execute", note)
    yield asked
    event.remove(store.engine.sync_engine, "before_cursor_execute", note)


async def raw(tx: Tx, table: Table = things) -> list[tuple[Any, ...]]:
    """As the database has it, read by no type of ours."""
    names = ", ".join(f'CAST("{each.name}" AS TEXT)' for each in table.c)
    wanted = text(f"SELECT {names} FROM {table.name} ORDER BY 1, 2")
    return [tuple(row) for row in await tx.connection.execute(wanted)]


async def numbers(store: Store) -> list[int]:
    async with store.read() as tx:
        return await tx.values(select(parts.c.n).order_by(parts.c.n))


async def counts(store: Store) -> dict[str, int]:
    async with store.read() as tx:
        found = await tx.connection.execute(select(things.c.key, things.c.count))
        return {row[0]: row[1] for row in found}


async def test_no_document_is_null_where_most_rows_have_none(store: Store):
    async with store.write() as tx:
        tx.later(NEW, [thing("a"), thing("b", rare={"a": None})])
        await tx.run(things.insert().values(thing("c")))

    async with store.read() as tx:
        found = [tuple(row) for row in await tx.connection.execute(select(things.c.key, things.c.data, things.c.rare))]
        null = await tx.values(select(things.c.key).where(things.c.rare.is_(None)).order_by(things.c.key))
        document = await tx.values(select(things.c.key).where(things.c.data.is_(None)))
    assert sorted(found) == [("a", None, None), ("b", None, {"a": None}), ("c", None, None)]
    assert (null, document) == (["a", "c"], [])


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=rows_of_any_kind, data=documents)
async def test_rows_that_went_together_are_what_they_are_one_by_one(
    store: Store, rows: list[dict[str, Any]], data: Any
) -> None:
    changed = [{**row, "count": 7, "data": data} for row in rows[::2]]
    async with store.write() as tx:
        for row in rows:
            await tx.run(insert(things), [row])
        for row in changed:
            await tx.run(things.update().where(things.c.key == row["key"]).values(count=7, data=data))
        alone = await raw(tx)

        await tx.run(delete(things))
        tx.later(NEW, rows)
        tx.later(COUNTED, changed)
        together = await raw(tx)
        tx.later(PUT, [{**row, "amount": None, "at": None, "open": None, "large": None} for row in rows])
        tx.later(PUT, [*rows, *changed])
        put = await raw(tx)
        tx.later(GONE, rows)
        left = await raw(tx)

    assert (together, put, left) == (alone, alone, [])


async def test_all_that_waits_goes_in_one_way_before_the_next_statement_and_before_the_commit(store: Store):
    with statements(store) as asked:
        async with store.write() as tx:
            tx.later(NEW, [thing("x"), thing("y", 1)])
            tx.later(PARTS, [{"n": 1, "of": "x"}])
            tx.later(PARTS, [{"n": 2, "of": "y"}])
            assert asked == []
            found = await tx.values(select(parts.c.n).order_by(parts.c.n))
            tx.later(PARTS, [{"n": 3, "of": "y"}])
            tx.later(COUNTED, [thing("x", 5)])

    first, looked, last = asked
    assert ("probe_things" in first, "probe_parts" in first, looked[:6], found) == (True, True, "SELECT", [1, 2])
    assert ("probe_things" in last, "probe_parts" in last) == (True, True)
    assert (await counts(store), await numbers(store)) == ({"x": 5, "y": 1}, [1, 2, 3])


async def test_its_text_is_the_same_however_many_rows_there_are_but_one(store: Store):
    with statements(store) as asked:
        for first, count in ((0, 3), (3, 2), (5, 10_000)):
            async with store.write() as tx:
                tx.later(NEW, [thing(f"{number:05}", number) for number in range(first, first + count)])

    assert len(set(asked)) == 1
    assert await counts(store) == {f"{number:05}": number for number in range(10_005)}


@pytest.mark.parametrize("write", [PUT, COUNTED], ids=["new", "looked-for"])
async def test_one_row_is_given_by_itself(store: Store, write: Upsert | Change):
    with statements(store) as asked:
        for keys in (["x"], ["x", "y"]):
            async with store.write() as tx:
                tx.later(write, [thing(key, 2) for key in keys])

    assert [statement.count("unnest") for statement in asked] == ([0, 0] if store.embedded else [0, 1])


async def test_without_rows_nothing_is_asked(store: Store):
    with statements(store) as asked:
        async with store.write() as tx:
            tx.later(NEW, [])
            tx.later(GONE, [])

    assert asked == []


async def test_different_writes_to_one_table_go_one_after_the_other(store: Store):
    async with store.write() as tx:
        tx.later(NEW, [thing("x", 1), thing("y", 1), thing("z", 1)])
        tx.later(COUNTED, [thing("x", 2), thing("y", 2)])
        tx.later(GONE, [thing("y"), thing("y")])
        tx.later(PUT, [thing("x", 3), thing("w", 3)])
        tx.later(COUNTED, [thing("w", 4)])

    assert await counts(store) == {"x": 3, "z": 1, "w": 4}


async def test_of_what_is_written_twice_in_one_way_the_last_counts(store: Store):
    async with store.write() as tx:
        tx.later(PUT, [thing("x", 1), thing("x", 2), thing("y", 1)])
        tx.later(PARTS, [{"n": 1, "of": "y"}])
        tx.later(PUT, [thing("y", 3)])

    assert await counts(store) == {"x": 2, "y": 3}


async def test_what_is_added_to_answers_its_sums_in_one_way_with_what_waits(store: Store):
    async with store.write() as tx:
        first = await tx.added(ADDED, [{"of": "a", "n": 2}])

    with statements(store) as asked:
        async with store.write() as tx:
            tx.later(NEW, [thing("x"), thing("y")])
            tx.later(COUNTED, [thing("x", 4)])
            second = await tx.added(ADDED, [{"of": "a", "n": 3}, {"of": "b", "n": 5}])
            nothing = await tx.added(ADDED, [])

    assert (first, sorted(second), nothing) == ([("a", 2)], [("a", 5), ("b", 5)], [])
    # Two writes to one table take two ways on PostgreSQL.
    assert (len(asked), await counts(store)) == (1 if store.embedded else 2, {"x": 4, "y": 0})


async def test_another_tenants_row_is_neither_replaced_nor_changed_nor_removed(store: Store):
    async with store.write() as tx:
        tx.later(NEW, [thing("x", 1, "b")])

    async with store.write() as tx:
        tx.later(PUT, [thing("x", 2)])
        tx.later(COUNTED, [thing("x", 3)])
        tx.later(GONE, [thing("x")])

    assert await counts(store) == {"x": 1}


def twice(tx: Tx) -> None:
    tx.later(PARTS, [{"n": 9, "of": None}])
    tx.later(NEW, [thing("there")])


def orphan(tx: Tx) -> None:
    tx.later(NEW, [thing("new")])
    tx.later(PARTS, [{"n": 1, "of": "nobody"}])


@pytest.mark.parametrize("wrong", [twice, orphan])
@pytest.mark.parametrize("at_the_end", [True, False])
async def test_what_is_wrong_is_told_as_the_databases_refusal_and_nothing_is_kept(
    store: Store, wrong: Callable[[Tx], None], at_the_end: bool
) -> None:
    async with store.write() as tx:
        tx.later(NEW, [thing("there", 1)])

    async def go() -> None:
        async with store.write() as tx:
            await tx.run(insert(things), [thing("before")])
            wrong(tx)
            if not at_the_end:
                await tx.values(select(things.c.key))

    with pytest.raises(IntegrityError):
        await go()

    assert (await counts(store), await numbers(store)) == ({"there": 1}, [])


@pytest.mark.parametrize("at_the_end", [True, False])
async def test_a_connection_that_is_lost_while_something_waits_is_told_as_such(
    postgresql_url: str, at_the_end: bool
) -> None:
    store = Store(postgresql_url)

    async def cut_off() -> None:
        async with store.write() as tx:
            process = await tx.value(text("SELECT pg_backend_pid()"))
            tx.later(Removal(things, "key"), [thing("x")])
            async with store.read() as other:
                await other.value(text(f"SELECT pg_terminate_backend({process}, 5000)"))
            if not at_the_end:
                await tx.value(text("SELECT 1"))

    with pytest.raises(DatabaseUnavailable):
        await cut_off()

    await store.close()


async def test_who_goes_on_after_a_write_that_failed_keeps_nothing(store: Store):
    async def go() -> None:
        async with store.write() as tx:
            tx.later(PARTS, [{"n": 1, "of": None}])
            tx.later(NEW, [thing("x"), thing("x")])
            with pytest.raises(IntegrityError):
                await tx.value(select(things.c.key))

    with pytest.raises(RuntimeError, match="a write of this transaction has failed"):
        await go()

    assert await numbers(store) == []


async def test_a_trigger_that_refuses_is_heard(store: Store):
    async with store.write() as tx:
        tx.later(NEW, [thing("x")])
        if store.embedded:
            refuses = "BEGIN SELECT RAISE(ABORT, 'never changed'); END"
        else:
            body = "BEGIN RAISE EXCEPTION 'never changed'; END"
            await tx.run(text(f"CREATE FUNCTION pg_temp.probe_refuse() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"))
            refuses = "EXECUTE FUNCTION pg_temp.probe_refuse()"
        await tx.run(text(f"CREATE TRIGGER probe_never BEFORE UPDATE ON probe_things FOR EACH ROW {refuses}"))

    async def go() -> None:
        async with store.write() as tx:
            tx.later(COUNTED, [thing("x", 2)])

    with pytest.raises(DBAPIError, match="never changed"):
        await go()

    assert await counts(store) == {"x": 0}


async def test_an_exception_drops_what_waits(store: Store):
    async def fail() -> None:
        async with store.write() as tx:
            tx.later(NEW, [thing("x")])
            raise LookupError

    with statements(store) as asked, pytest.raises(LookupError):
        await fail()

    assert (asked, await counts(store)) == ([], {})


@pytest.mark.parametrize("turns", range(8))
async def test_a_write_that_is_cancelled_is_there_whole_or_not_at_all(store: Store, turns: int):
    async def go() -> None:
        async with store.write() as tx:
            tx.later(NEW, [thing(str(number)) for number in range(50)])
            tx.later(PARTS, [{"n": number, "of": str(number)} for number in range(50)])

    writing = asyncio.create_task(go())
    for _ in range(turns * 2):
        await asyncio.sleep(0)
    writing.cancel()
    await asyncio.wait({writing})

    async with store.write() as tx:
        tx.later(NEW, [thing("after")])
    found = len(await counts(store)), len(await numbers(store))
    assert found == (51, 50) or (writing.cancelled() and found == (1, 0))


async def test_a_value_that_a_column_does_not_take_is_refused_where_it_is_given(store: Store):
    async with store.write() as tx:
        with pytest.raises(TypeError, match="finite decimals only"):
            tx.later(NEW, [thing("x", amount=Decimal("NaN"))])
        with pytest.raises(TypeError, match="give aware UTC"):
            tx.later(NEW, [thing("x", at=datetime(2026, 11, 20))])  # noqa: DTZ001 - what is refused

    assert await counts(store) == {}


async def test_nothing_waits_where_nothing_is_written(store: Store):
    async with store.read() as tx, store.glance() as glance:
        for each in (tx, glance):
            with pytest.raises(RuntimeError, match="open the transaction with `write`"):
                each.later(NEW, [thing("x")])


def test_a_table_with_an_array_is_refused():
    table = Table("probe_arrays", MetaData(), Column("n", Integer), Column("many", ARRAY(Integer)))

    with pytest.raises(TypeError, match=r"probe_arrays: rows with arrays \(many\) cannot wait"):
        Insertion(table)
