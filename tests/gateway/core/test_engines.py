"""Connections to PostgreSQL that have ended are replaced before anybody is served by them, and seldom asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection

from gateway.core.store import Store

_OWN = text("SELECT pg_backend_pid()")


@pytest.fixture
async def store(postgresql_url: str) -> AsyncIterator[Store]:
    made = Store(postgresql_url)
    yield made
    await made.close()


@pytest.fixture
def pings(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Connections that were asked whether they live."""
    asked: list[object] = []
    real = AsyncAdapt_asyncpg_connection.ping

    def counted(self: AsyncAdapt_asyncpg_connection) -> None:
        asked.append(self)
        real(self)

    monkeypatch.setattr(AsyncAdapt_asyncpg_connection, "ping", counted)
    return asked


async def process_of(store: Store) -> int:
    async with store.read() as tx:
        return int(await tx.value(_OWN))


async def end(process: int, url: str) -> None:
    other = Store(url)
    async with other.read() as tx:
        await tx.value(text(f"SELECT pg_terminate_backend({process}, 5000)"))
    await other.close()


async def test_a_connection_that_was_just_used_is_not_asked_whether_it_lives(store: Store, pings: list[object]):
    first = await process_of(store)

    again = await process_of(store)

    assert (again, pings) == (first, [])


async def test_a_connection_that_has_rested_is_asked(store: Store, pings: list[object], monkeypatch):
    first = await process_of(store)
    monkeypatch.setattr("gateway.core.engines.IDLE_S", -1)

    again = await process_of(store)

    assert (again, len(pings)) == (first, 1)


async def test_a_connection_that_was_ended_is_replaced_without_a_question(
    store: Store, pings: list[object], postgresql_url: str
):
    first = await process_of(store)
    await end(first, postgresql_url)

    assert await process_of(store) != first
    assert pings == []


async def test_a_connection_that_does_not_answer_is_replaced(store: Store, monkeypatch):
    first = await process_of(store)
    monkeypatch.setattr("gateway.core.engines.IDLE_S", -1)

    def silent(self: Any) -> None:
        raise self.dbapi.InterfaceError("connection is closed")

    monkeypatch.setattr(AsyncAdapt_asyncpg_connection, "ping", silent)

    assert await process_of(store) != first


async def test_a_glance_leaves_a_connection_that_begins_transactions(store: Store):
    async with store.glance() as tx:
        first = await tx.value(_OWN)
    with pytest.raises(ZeroDivisionError):
        await break_off(store)
    async with store.read() as tx:
        again, kept = await tx.value(_OWN), await tx.value(text("SELECT to_regclass('never')"))

    assert (again, kept) == (first, None)


async def break_off(store: Store) -> None:
    async with store.write() as tx:
        await tx.run(text("CREATE TABLE never (a INTEGER)"))
        raise ZeroDivisionError


async def test_each_question_of_a_glance_sees_what_was_committed_before_it(store: Store):
    async with store.glance() as tx:
        begun = [await tx.value(text("SELECT txid_current()")) for _ in range(2)]

    assert begun[0] != begun[1]
