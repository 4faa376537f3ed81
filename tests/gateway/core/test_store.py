"""The store on both databases: exact numbers, instants, whole transactions."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Column, MetaData, Text, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from gateway.core.store import ExactDecimal, Instant, Json, Store, exact_sum, tenant_table
from schema.errors import DatabaseUnavailable

TABLES = MetaData()
lines = tenant_table(
    "probe_lines", TABLES,
    Column("id", Text, primary_key=True), Column("amount", ExactDecimal), Column("at", Instant), Column("data", Json),
)  # fmt: skip
WEI = Decimal("123456789012345678901234567890.000000000000000001")


@dataclass(frozen=True, slots=True)
class Line:
    """A row."""

    id: str
    amount: Decimal | None
    at: datetime | None


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    made = Store(database)
    async with made.write() as tx:
        await tx.connection.run_sync(TABLES.create_all)
    yield made
    async with made.write() as tx:
        await tx.connection.run_sync(TABLES.drop_all)
    await made.close()


async def put(store: Store, *amounts: str) -> None:
    async with store.write() as tx:
        for number, amount in enumerate(amounts):
            await tx.run(lines.insert().values(id=str(number), tenant_id="a", amount=Decimal(amount)))


async def test_decimals_keep_every_digit_and_their_order(store: Store):
    await put(store, "9.5", "10.000000000000000001", "-3", "0.00000000000000000000000000001", str(WEI))

    async with store.read() as tx:
        ordered = await tx.values(select(lines.c.amount).order_by(lines.c.amount))
        above = await tx.values(select(lines.c.id).where(lines.c.amount > Decimal("9.9")).order_by(lines.c.id))

    assert ordered == [Decimal("-3"), Decimal("1E-29"), Decimal("9.5"), Decimal("10.000000000000000001"), WEI]
    assert above == ["1", "4"]


async def test_sums_are_exact(store: Store):
    await put(store, "0.1", "0.2", str(WEI), f"-{WEI}", "1E-20")

    async with store.read() as tx:
        total = await tx.value(select(exact_sum(lines.c.amount)))
        nothing = await tx.value(select(exact_sum(lines.c.amount)).where(lines.c.id == "none"))

    assert (total, nothing) == (Decimal("0.30000000000000000001"), None)


async def test_instants_come_back_in_utc_and_sort_by_time(store: Store):
    noon = datetime(2026, 11, 20, 12, 0, 0, 1, tzinfo=UTC)
    earlier = datetime(2026, 11, 20, 12, 59, tzinfo=timezone(timedelta(hours=1)))
    async with store.write() as tx:
        for name, at in (("late", noon), ("early", earlier)):
            await tx.run(lines.insert().values(id=name, tenant_id="a", at=at))

    async with store.read() as tx:
        found = await tx.all(select(lines.c.id, lines.c.amount, lines.c.at).order_by(lines.c.at), Line)

    assert found == [Line("early", None, datetime(2026, 11, 20, 11, 59, tzinfo=UTC)), Line("late", None, noon)]


async def test_a_time_without_zone_and_a_number_that_is_none_are_refused(store: Store):
    for values in ({"at": datetime(2026, 1, 1)}, {"amount": Decimal("NaN")}):  # noqa: DTZ001
        with pytest.raises(Exception, match=r"time without zone|finite decimals"):
            async with store.write() as tx:
                await tx.run(lines.insert().values(id="x", tenant_id="a", **values))

    async with store.read() as tx:
        assert await tx.values(select(lines.c.id)) == []


async def test_an_exception_undoes_everything_and_calls_nobody(store: Store):
    told: list[str] = []

    async def fail() -> None:
        async with store.write() as tx:
            await tx.run(lines.insert().values(id="x", tenant_id="a"))
            tx.then(lambda: told.append("committed"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()

    async with store.read() as tx:
        assert (await tx.values(select(lines.c.id)), told) == ([], [])


async def test_what_is_to_be_told_is_told_after_the_commit(store: Store):
    seen: list[list[str]] = []

    async def look() -> None:
        async with store.read() as tx:
            seen.append(await tx.values(select(lines.c.id)))

    async with store.write() as tx:
        tx.then(look)
        await tx.run(lines.insert().values(id="x", tenant_id="a"))

    assert seen == [["x"]]


async def test_what_is_told_waits_for_nothing_else_that_is_told_and_survives_what_breaks(store: Store):
    told, both = [], asyncio.Barrier(2)

    async def meet() -> None:
        await both.wait()
        told.append("met")

    def broken() -> None:
        raise ValueError("broken")

    async with store.write() as tx:
        for job in (broken, meet, meet):
            tx.then(job)

    assert told == ["met", "met"]


async def test_a_cancelled_operation_whose_change_is_committed_still_tells(store: Store):
    told, begun, go = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def tell() -> None:
        begun.set()
        await go.wait()
        told.set()

    async def change() -> None:
        async with store.write() as tx:
            tx.then(tell)

    changing = asyncio.create_task(change())
    await begun.wait()
    changing.cancel()
    await asyncio.wait({changing})
    go.set()
    await asyncio.wait_for(told.wait(), 10)

    assert changing.cancelled()


async def test_cancelling_a_commit_takes_effect_after_it_and_others_are_told(store: Store):
    for steps in range(12):
        told: list[int] = []

        async def change(amount: int, told: list[int] = told) -> None:
            async with store.write() as tx:
                await tx.run(lines.insert().values(id=str(amount), tenant_id="a"))
                tx.then(lambda: told.append(amount))

        changing = asyncio.create_task(change(steps))
        for _ in range(steps * 3):
            await asyncio.sleep(0)
        await asyncio.sleep(0.0005 * steps)
        changing.cancel()
        await asyncio.wait({changing})
        await asyncio.sleep(0.01)

        async with store.read() as tx:
            kept = await tx.values(select(lines.c.id).where(lines.c.id == str(steps)))
        assert [str(each) for each in told] == kept


async def test_a_change_that_is_cancelled_while_it_reads_keeps_no_other_writer_waiting(tmp_path: Path):
    path = tmp_path / "held.sqlite3"
    store = Store(f"sqlite:///{path}")
    reads, cancelled = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def held(value: str) -> str:
        loop.call_soon_threadsafe(reads.set)
        assert cancelled.wait(10)
        return value

    async def change() -> None:
        async with store.write() as tx:
            driver = (await tx.connection.get_raw_connection()).driver_connection
            assert driver is not None
            await driver.create_function("held", 1, held)
            # After the first of two rows the statement is still open.
            await tx.connection.execute(text("SELECT held('a') UNION ALL SELECT held('b')"))

    # An open statement keeps what it has locked until it is collected, however late that is.
    gc.disable()
    try:
        changing = asyncio.create_task(change())
        await asyncio.wait_for(reads.wait(), 10)
        changing.cancel()
        cancelled.set()
        await asyncio.wait({changing})
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        other.close()
    finally:
        gc.enable()

    assert changing.cancelled()
    await store.close()


async def test_readers_that_are_cancelled_leave_no_old_view_and_no_lock_behind(store: Store):
    await put(store, *("1" * 40))
    seen: list[Decimal] = []

    async def read(pause: int) -> None:
        async with store.read() as tx:
            statement = select(lines.c.amount).execution_options(yield_per=2)
            async with tx.connection.stream(statement) as rows:
                while await rows.fetchmany(2):
                    for _ in range(pause):
                        await asyncio.sleep(0)

    # An open statement keeps its view until it is collected, however late that is.
    gc.disable()
    try:
        for turn in range(12):
            reading = [asyncio.create_task(read(pause)) for pause in (0, 1, 1, 200, 200)]
            await asyncio.sleep(0.002 * turn)
            for task in reading:
                task.cancel()
            await asyncio.wait(reading)
            amount = Decimal(turn)
            async with store.write() as tx:
                await tx.run(lines.update().where(lines.c.id == "0").values(amount=amount))
            for _ in range(6):
                async with store.read() as tx:
                    seen.append(await tx.value(select(lines.c.amount).where(lines.c.id == "0")) - amount)
    finally:
        gc.enable()

    assert seen == [Decimal(0)] * 72


async def test_the_second_of_two_equal_inserts_changes_nothing(store: Store):
    changed = []
    async with store.write() as tx:
        for _ in range(2):
            row = tx.insert(lines).values(id="x", tenant_id="a").on_conflict_do_nothing()
            changed.append(await tx.run(row))

    assert changed == [1, 0]


def modes_in(folder: Path) -> dict[str, int]:
    return {each.name: each.stat().st_mode & 0o777 for each in folder.iterdir()}


async def test_the_file_and_those_beside_it_are_for_nobody_else_to_read(tmp_path: Path):
    store = Store(f"sqlite:///{tmp_path / 'kept.sqlite3'}")
    async with store.write() as tx:
        await tx.run(text("CREATE TABLE t (a INTEGER)"))

    modes = modes_in(tmp_path)
    await store.close()

    assert modes["kept.sqlite3"] == 0o600
    assert set(modes.values()) == {0o600}


async def test_a_database_that_cannot_be_reached_is_told_as_such():
    away = Store("postgresql://nobody@127.0.0.1:1/none")

    with pytest.raises(DatabaseUnavailable) as caught:
        async with away.read():
            raise AssertionError("there is no database")

    assert caught.value.extensions()["retryAfterMs"] == 1000
    assert isinstance(caught.value, OSError)
    await away.close()


async def test_who_waits_too_long_for_a_connection_is_told_to_try_again(postgresql_url: str):
    store = Store(postgresql_url)
    store._engine = create_async_engine(store.url, pool_size=1, max_overflow=0, pool_timeout=0.01)

    async with store.read():
        with pytest.raises(DatabaseUnavailable):
            async with store.read():
                raise AssertionError("there is one connection")

    await store.close()


async def test_many_that_lock_the_same_leave_the_connections_to_others(store: Store):
    gate, order = asyncio.Event(), list[str]()

    async def first() -> None:
        async with store.write("one") as tx:
            await tx.run(lines.insert().values(id="1", tenant_id="a"))
            if not store.embedded:
                await gate.wait()
            order.append("first")

    async def same(number: int) -> None:
        async with store.write("one", "three") as tx:
            await tx.run(lines.update().values(data=number))
            order.append("same")

    async def other() -> None:
        async with store.write("two") as tx:
            await tx.run(lines.insert().values(id="2", tenant_id="a"))
            order.append("other")
        gate.set()

    await asyncio.wait_for(asyncio.gather(first(), *(same(number) for number in range(40)), other()), 30)

    assert order == (["first", "other"] if store.embedded else ["other", "first"]) + ["same"] * 40


async def test_a_connection_that_is_lost_within_a_transaction_is_told_as_such(postgresql_url: str):
    store = Store(postgresql_url)

    async def cut_off() -> None:
        async with store.write() as tx:
            process = await tx.value(text("SELECT pg_backend_pid()"))
            async with store.read() as other:
                await other.value(text(f"SELECT pg_terminate_backend({process})"))
            await tx.value(text("SELECT 1"))

    with pytest.raises(DatabaseUnavailable):
        await cut_off()

    async with store.read() as tx:
        assert await tx.value(text("SELECT 1")) == 1
    await store.close()


async def test_a_writer_who_waits_for_too_long_is_told_to_try_again(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("gateway.core.engines.BUSY_MS", 10)
    first, second = Store(f"sqlite:///{tmp_path}/a.db"), Store(f"sqlite:///{tmp_path}/a.db")

    async with first.write() as tx:
        await tx.connection.run_sync(TABLES.create_all)
        with pytest.raises(DatabaseUnavailable):
            async with second.write():
                raise AssertionError("the first one writes")

    await first.close()
    await second.close()


async def test_an_error_of_the_body_is_not_the_databases(tmp_path: Path):
    store = Store(f"sqlite:///{tmp_path}/a.db")

    with pytest.raises(TimeoutError) as caught:
        async with store.write():
            raise TimeoutError("an upstream's")

    assert not isinstance(caught.value, DatabaseUnavailable)
    await store.close()
