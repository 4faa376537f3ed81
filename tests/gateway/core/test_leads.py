"""Parts that processes share out: whoever gives one up says so, though the database was away meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from gateway.core.leads import Leads, LeaseRows
from gateway.core.store import Instant, Store, Tx
from schema.errors import DatabaseUnavailable
from tests.gateway.doubles import NOON, ManualClock

TABLES = MetaData()
leases = Table(
    "probe_leases", TABLES,
    Column("shard", Integer, primary_key=True), Column("holder", Text), Column("until", Instant),
)  # fmt: skip
evaluators = Table("probe_evaluators", TABLES, Column("holder", Text, primary_key=True), Column("until", Instant))
NONE, FIRST, LAST = frozenset[int](), frozenset({0, 1}), frozenset({2, 3})


class Falters(LeaseRows):
    """Releases nothing as long as the database is away."""

    away = False

    async def release(self, tx: Tx, shards: Collection[int], holder: str) -> None:
        if self.away:
            raise DatabaseUnavailable
        await super().release(tx, shards, holder)


@pytest.fixture
async def store(sqlite_url: str) -> AsyncIterator[Store]:
    made = Store(sqlite_url)
    async with made.write() as tx:
        await tx.connection.run_sync(TABLES.create_all)
    yield made
    await made.close()


async def _failed(store: Store, clock: ManualClock) -> tuple[Leads, Leads]:
    """Of two that share four parts; the first was to release the last two as the other joined, and the database was
    away."""
    rows, left = Falters(leases, evaluators), list[frozenset[int]]()
    one, other = (Leads(store, clock, each, 4) for each in (rows, LeaseRows(leases, evaluators)))

    async def leaving(shards: frozenset[int]) -> None:
        left.append(shards)

    assert await one.renew(leaving) == (FIRST | LAST, NONE)
    assert await other.renew() == (NONE, NONE)
    rows.away = True
    with pytest.raises(DatabaseUnavailable):
        await one.renew(leaving)
    rows.away = False
    assert (one.shards, left) == (FIRST, [LAST])
    clock.turn(1)
    return one, other


async def test_parts_whose_release_failed_are_told_as_lost_with_the_next_look_and_once(store: Store):
    clock = ManualClock(NOON)
    one, other = await _failed(store, clock)

    told = [await one.renew(), await one.renew()]
    clock.turn(2.5)
    taken = await other.renew()

    assert told == [(NONE, LAST), (NONE, NONE)]
    assert taken == (LAST, NONE)


async def test_parts_whose_release_failed_and_that_come_back_are_told_as_lost_and_as_gained(store: Store):
    one, other = await _failed(store, ManualClock(NOON))
    async with store.write() as tx:
        await LeaseRows(leases, evaluators).leave(tx, other._holder)

    told = [await one.renew(), await one.renew()]

    assert told == [(LAST, LAST), (NONE, NONE)]
