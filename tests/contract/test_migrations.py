"""Every plugin's tables: their histories lead to what the code expects and back, and each says whose its rows are."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Table, inspect

from gateway.core.migrations.histories import History, check_tables
from gateway.core.migrations.runner import check, downgrade, upgrade
from gateway.core.migrations.standing import standings
from gateway.core.store import Store
from gateway.domains import histories
from tests.house import own_plugins

HISTORIES = histories(own_plugins())
TABLES = [table for history in HISTORIES for table in history.metadata.sorted_tables]


@pytest.fixture
async def nothing(bare_database: str) -> AsyncIterator[Store]:
    """A database without any table."""
    store = Store(bare_database)
    yield store
    await store.close()


async def tables_of(store: Store) -> list[str]:
    async with store.read() as tx:
        return sorted(await tx.connection.run_sync(lambda connection: inspect(connection).get_table_names()))


async def test_all_histories_lead_to_the_tables_of_the_code_and_back(nothing: Store):
    made = await upgrade(nothing, HISTORIES)
    differences = await check(nothing, HISTORIES)
    there = await tables_of(nothing)
    for history in HISTORIES:
        await downgrade(nothing, history, "base")
    left = await tables_of(nothing)
    await upgrade(nothing, HISTORIES)

    assert [(step.plugin, step.before) for step in made] == [(history.plugin, None) for history in HISTORIES]
    assert differences == []
    assert set(there) == {table.name for table in TABLES} | {history.version_table for history in HISTORIES}
    assert left == sorted(history.version_table for history in HISTORIES)
    assert await check(nothing, HISTORIES) == []
    assert {standing.lacking for standing in await standings(nothing, HISTORIES)} == {None}


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.plugin)
async def test_a_plugins_tables_go_and_come_without_the_others(nothing: Store, history: History):
    await upgrade(nothing, [history])
    alone = await check(nothing, [history])
    await downgrade(nothing, history, "base")
    left = await tables_of(nothing)
    await upgrade(nothing, [history])

    assert (alone, left, await check(nothing, [history])) == ([], [history.version_table], [])


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_says_whose_its_rows_are(table: Table):
    scope = table.info.get("scope")

    assert scope in ("tenant", "shared"), f"{table.name}: make it with tenant_table or shared_table"
    if scope == "tenant":
        assert not table.c.tenant_id.nullable
    else:
        assert len(table.info["why"]) > 10
        assert "tenant_id" not in table.c


def test_no_table_could_be_anothers_and_none_points_across_plugins():
    check_tables(HISTORIES)


def test_every_plugin_with_tables_has_a_history():
    without = [p.name for p in own_plugins() if p.tables is not None and p.migrations is None]

    assert without == []
