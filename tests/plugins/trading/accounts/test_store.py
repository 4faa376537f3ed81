"""SQL of accounts: one at a time, on both databases; who sees which."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from gateway.core.store import Store
from plugins.trading.accounts.store import AccountStore, MemberStore
from plugins.trading.store import TradingStore
from tests.plugins.trading.rowsof import account

ROWS = AccountStore()


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    made = Store(database)
    async with made.write() as tx:
        await ROWS.add(tx, "org_a", account())
    yield made
    await made.close()


async def test_changes_of_one_account_at_one_time_are_made_one_after_the_other(store: Store):
    async def change() -> None:
        async with store.write() as tx:
            row = await ROWS.lock(tx, "org_a", "tacc_1")
            assert row is not None
            await asyncio.sleep(0)
            await ROWS.change(tx, "org_a", "tacc_1", replace(row, version=row.version + 1))

    await asyncio.gather(*(change() for _ in range(8)))

    async with store.read() as tx:
        row = await ROWS.find(tx, "org_a", "tacc_1")
        assert row is not None
        assert row.version == 9
        assert await ROWS.find(tx, "org_b", "tacc_1") is None


async def test_one_key_that_comes_many_times_at_once_makes_one_account(store: Store):
    async def make(number: int) -> str:
        async with store.write() as tx:
            await ROWS.hold(tx, "org_a")
            held = await ROWS.with_key(tx, "org_a", "k1")
            if held is None:
                held = account(id=f"tacc_k{number}", idempotency_key="k1")
                await ROWS.add(tx, "org_a", held)
            return held.id

    found = await asyncio.gather(*(make(number) for number in range(8)))

    assert len(set(found)) == 1
    async with store.read() as tx:
        assert await ROWS.count(tx, "org_a") == 2


async def test_a_page_shows_shared_ones_ones_own_and_those_one_takes_part_in(store: Store):
    async with store.write() as tx:
        await ROWS.add(tx, "org_a", account(id="tacc_2", owner="user_tim"))
        await ROWS.add(tx, "org_a", account(id="tacc_3", shared=True))
        await ROWS.add(tx, "org_a", account(id="tacc_4"))
        await ROWS.add(tx, "org_a", account(id="tacc_5", deleted_at=account().created_at))
        await MemberStore().set(tx, "org_a", "tacc_4", "user_tim", "VIEWER")
        await MemberStore().set(tx, "org_b", "tacc_1", "user_tim", "TRADER")

    async with store.read() as tx:
        mine = await ROWS.page(tx, "org_a", 9, seen_by=("user_tim",), every=False, behind=None)
        every = await ROWS.page(tx, "org_a", 9, seen_by=(), every=True, behind=None)
        rest = await ROWS.page(tx, "org_a", 9, seen_by=(), every=True, behind=(every[1].created_at, every[1].id))
        count = await ROWS.count(tx, "org_a")
    async with store.write() as tx:
        await TradingStore().erase(tx, "org_a")
        whole = await TradingStore().whole(tx, "org_a")

    assert [row.id for row in mine] == ["tacc_2", "tacc_3", "tacc_4"]
    assert [row.id for row in every] == ["tacc_1", "tacc_2", "tacc_3", "tacc_4"]
    assert [row.id for row in rest] == ["tacc_3", "tacc_4"]
    assert count == 4
    assert not any(whole.values())


async def test_of_two_that_tell_at_once_which_account_at_its_broker_it_is_the_first_is_kept(store: Store):
    async def claim(told: str) -> str | None:
        async with store.write() as tx:
            return await ROWS.claim(tx, "org_a", "tacc_1", told)

    found = await asyncio.gather(claim("one"), claim("other"))

    async with store.write() as tx:
        kept = await ROWS.find(tx, "org_a", "tacc_1")
        assert kept is not None
        assert set(found) == {kept.broker_account}
        assert await ROWS.claim(tx, "org_b", "tacc_1", "theirs") is None
