"""A process is killed in the middle of a job: another one does it, once its lease has run out."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import update

from gateway.core.identity import LOCAL
from gateway.core.store import Store
from plugins.jobs.rows import JobRow
from plugins.jobs.store import JobStore
from plugins.jobs.tables import jobs
from tests.e2e.jobs.office import work
from tests.e2e.webhooks.killing import Killable

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


async def until_written(file: Path) -> str:
    async with asyncio.timeout(60):
        while not file.exists() or not file.read_text():  # noqa: ASYNC110, ASYNC240 - another process's doing
            await asyncio.sleep(0.05)
    return file.read_text()  # noqa: ASYNC240


async def row_of(store: Store, id: str) -> JobRow:
    async with store.read() as tx:
        found = await JobStore().find(tx, LOCAL.tenant, id)
    assert found is not None
    return found


async def test_a_job_outlives_the_process_that_works_on_it(database: str, tmp_path: Path):
    file, store = tmp_path / "begun", Store(database)

    with Killable(work, [str(file), "hang"], database, str(tmp_path)).running():
        id = await until_written(file)
    left = await row_of(store, id)
    async with store.write() as tx:
        await tx.run(update(jobs).values(leased_until=LONG_AGO))
    with Killable(work, [str(file), "do"], database, str(tmp_path)).running():
        async with asyncio.timeout(60):
            while (done := await row_of(store, id)).state == "RUNNING":  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(0.05)
    await store.close()

    assert (left.state, left.tries, left.result) == ("RUNNING", 1, None)
    assert (done.state, done.tries, done.result) == ("SUCCEEDED", 2, '{"value":7,"warnings":[]}')
