"""A failing archive of PostgreSQL's log is told."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from gateway.core.store import Store
from gateway.core.walarchive import ASKED, watching
from tests.gateway.telemetry.test_endings import value


@pytest.fixture
async def store(postgresql_url: str):
    opened = Store(postgresql_url)
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    ("archived", "failed", "told"),
    [
        ("NULL", "NULL", False), ("now()", "NULL", False), ("NULL", "now()", True),
        ("now()", "now() - interval '1 second'", False), ("now() - interval '1 second'", "now()", True),
    ],
)  # fmt: skip
async def test_it_fails_as_long_as_the_last_try_has_failed(store: Store, archived: str, failed: str, told: bool):
    times = f"SELECT ({archived})::timestamptz AS last_archived_time, ({failed})::timestamptz AS last_failed_time"
    asked = ASKED.replace("pg_stat_archiver", f"({times}) AS told")

    async with store.read() as tx:
        assert await tx.value(text(asked)) is told


async def test_where_nothing_is_archived_nothing_fails(store: Store, sqlite_url: str):
    worker = watching(store)
    assert worker is not None

    await worker.run()

    assert value("marketgate_db_archive_fails") == 0
    embedded = Store(sqlite_url)
    assert watching(embedded) is None
    await embedded.close()
