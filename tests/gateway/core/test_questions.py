"""Questions that are asked together are answered as each would have been alone, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, Integer, MetaData, Table, Text, bindparam, func, select

from gateway.core.questions import Questions
from gateway.core.store import ExactDecimal, Instant, Json, Store, exact_sum
from gateway.core.writes import Insertion

TABLES = MetaData()
things = Table(
    "probe_things", TABLES,
    Column("key", Text, primary_key=True), Column("more", Text), Column("amount", ExactDecimal), Column("at", Instant),
    Column("data", Json), Column("open", Boolean), Column("count", Integer),
)  # fmt: skip
parts = Table("probe_parts", TABLES, Column("n", Integer, primary_key=True), Column("of", Text), Column("at", Instant))
NOON = datetime(2026, 11, 20, 12, 0, 0, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    key: str
    more: str | None
    amount: Decimal | None
    at: datetime | None
    data: Any
    open: bool | None
    count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    n: int
    of: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    amount: Decimal
    number: int


FULL = Thing(key="full", more="x", amount=Decimal("1.10"), at=NOON, data={"a": [None, 1]}, open=True, count=3)
BARE = Thing(key="bare", more=None, amount=None, at=None, data=None, open=None, count=None)
FEW = Thing(
    key="few", more="x", amount=Decimal("-0.100000000000000000000000001"), at=None, data=[], open=False, count=0
)
PARTS = [Part(n=1, of="full", at=NOON), Part(n=2, of=None, at=None)]
SUMS = select(exact_sum(things.c.amount).label("amount"), func.count().label("number")).where(things.c.more == "x")
MANY: tuple[tuple[str, Any, type], ...] = (
    ("parts", select(parts).where(parts.c.n >= bindparam("least")), Part), ("sums", SUMS.group_by(things.c.more), Sum),
    ("things", select(things).where(things.c.key.in_(bindparam("keys", expanding=True))), Thing),
)  # fmt: skip


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    made = Store(database)
    async with made.write() as tx:
        await tx.connection.run_sync(TABLES.create_all)
        rows: list[dict[str, Any]] = [
            {name: getattr(row, name) for name in Thing.__slots__} for row in (FULL, BARE, FEW)
        ]
        tx.later(Insertion(things), rows)
        tx.later(Insertion(parts), [{name: getattr(row, name) for name in Part.__slots__} for row in PARTS])
    yield made
    async with made.write() as tx:
        await tx.connection.run_sync(TABLES.drop_all)
    await made.close()


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
async def test_each_is_answered_with_rows_of_its_own_in_whatever_order_they_are_asked(store: Store, order: list[int]):
    asked = Questions(**{MANY[at][0]: MANY[at][1:] for at in order})

    async with store.read() as tx:
        found = await tx.answers(asked, least=1, keys=["full", "bare", "few"])

    assert list(found) == [MANY[at][0] for at in order]
    assert sorted(found["parts"], key=lambda row: row.n) == PARTS
    assert sorted(found["things"], key=lambda row: row.key) == [BARE, FEW, FULL]
    assert found["sums"] == [Sum(amount=Decimal("0.999999999999999999999999999"), number=2)]


async def test_what_has_no_rows_is_answered_with_none(store: Store):
    asked = Questions(**{name: (question, kind) for name, question, kind in MANY})

    async with store.glance() as tx:
        found = await tx.answers(asked, least=3, keys=[])

    assert (found["parts"], found["things"], len(found["sums"])) == ([], [], 1)


async def test_one_alone_may_be_asked(store: Store):
    async with store.glance() as tx:
        assert await tx.answers(Questions(parts=(select(parts).where(parts.c.n == 2), Part))) == {"parts": [PARTS[1]]}
