"""SQLite's connection is asked seldom, and whatever a statement has to tell comes back whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, func, select, text

from gateway.core.embedded import FIRST_ROWS, EmbeddedLink
from gateway.core.store import Store

numbers = Table("numbers", MetaData(), Column("n", Integer, primary_key=True))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    made = Store(f"sqlite:///{tmp_path / 'one.sqlite3'}")
    async with made.write() as tx:
        await tx.run(text("CREATE TABLE numbers (n INTEGER PRIMARY KEY)"))
    yield made
    await made.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Callable[..., Any]]:
    """What the threads of connections were asked to do."""
    done: list[Callable[..., Any]] = []
    real = EmbeddedLink._execute

    async def counted(self: EmbeddedLink, fn: Any, *args: Any, **kwargs: Any) -> Any:
        done.append(fn)
        return await real(self, fn, *args, **kwargs)

    monkeypatch.setattr(EmbeddedLink, "_execute", counted)
    return done


async def put(store: Store, count: int) -> None:
    async with store.write() as tx:
        await tx.run(numbers.insert(), [{"n": each} for each in range(count)])


async def test_the_thread_is_asked_once_for_a_statement_with_its_rows(store: Store, asked: list[Any]):
    async with store.write() as tx:
        await tx.run(numbers.insert().values(n=1))
        found = await tx.values(select(numbers.c.n))

    # BEGIN, two statements, COMMIT; nothing for giving the connection back.
    assert (found, len(asked)) == ([1], 4)


async def test_what_is_undone_is_asked_for_once(store: Store, asked: list[Any]):
    async with store.read() as tx:
        await tx.values(select(numbers.c.n))

    assert len(asked) == 3


@pytest.mark.parametrize("count", [1, FIRST_ROWS - 1, FIRST_ROWS, FIRST_ROWS + 1, 3 * FIRST_ROWS])
async def test_all_rows_come_however_many_they_are(store: Store, count: int):
    await put(store, count)

    async with store.read() as tx:
        found = await tx.values(select(numbers.c.n).order_by(numbers.c.n))

    assert found == list(range(count))


@pytest.mark.parametrize("size", [1, FIRST_ROWS - 1, FIRST_ROWS, FIRST_ROWS + 1, 100])
async def test_streamed_rows_come_in_their_order_in_parts_of_any_size(store: Store, size: int):
    await put(store, 80)

    parts = []
    async with store.read() as tx:
        wanted = select(numbers.c.n).order_by(numbers.c.n).execution_options(yield_per=size)
        async with tx.connection.stream(wanted) as rows:
            while part := await rows.fetchmany(size):
                parts.append([row.n for row in part])

    assert [len(part) for part in parts[:-1]] == [size] * (80 // size - (80 % size == 0))
    assert [n for part in parts for n in part] == list(range(80))


async def test_a_statement_that_changes_and_tells_counts_its_rows(store: Store):
    await put(store, 40)

    async with store.write() as tx:
        changed = await tx.connection.execute(numbers.update().values(n=numbers.c.n + 100).returning(numbers.c.n))
        told = sorted(changed.scalars())
        gone = await tx.run(numbers.delete().where(numbers.c.n >= 110))

    assert (told, gone) == (list(range(100, 140)), 30)


async def test_a_glance_asks_for_its_statements_and_nothing_else(store: Store, asked: list[Any]):
    await put(store, 1)
    asked.clear()

    async with store.glance() as tx:
        found = [await tx.values(select(numbers.c.n)) for _ in range(2)]

    assert (found, len(asked)) == ([[0], [0]], 2)


async def test_a_glance_that_is_cancelled_leaves_nothing_open(store: Store):
    await put(store, 2 * FIRST_ROWS)

    for turns in range(12):
        looking = asyncio.create_task(look(store))
        for _ in range(turns):
            await asyncio.sleep(0)
        looking.cancel()
        await asyncio.wait({looking})
        async with store.write() as tx:
            await tx.run(numbers.update().where(numbers.c.n == turns).values(n=1000 + turns))
        async with store.glance() as tx:
            assert await tx.value(select(func.max(numbers.c.n))) == 1000 + turns


async def look(store: Store) -> None:
    async with store.glance() as tx:
        await tx.values(select(numbers.c.n))


async def test_what_nobody_waited_for_is_undone_all_the_same(store: Store):
    async with store.engine.connect() as connection:
        link: Any = (await connection.get_raw_connection()).driver_connection
        beginning = asyncio.create_task(link.execute("BEGIN IMMEDIATE"))
        await asyncio.sleep(0)
        beginning.cancel()
        await asyncio.wait({beginning})

        await link.rollback()
        in_transaction = link.in_transaction

    assert (beginning.cancelled(), in_transaction) == (True, False)
