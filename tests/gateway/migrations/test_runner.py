"""Migrations run whole or not at all, one process at a time."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Column, ForeignKey, MetaData, Table, Text, inspect, text

from gateway.app import build_gateway
from gateway.core.contract import Plugin
from gateway.core.migrations import runner
from gateway.core.migrations.histories import History, check_tables
from gateway.core.migrations.readiness import MigrationFailed, fit
from gateway.core.migrations.runner import Step, UnknownRevision, check, downgrade, upgrade
from gateway.core.migrations.standing import standings
from gateway.core.settings import Settings
from gateway.core.store import Store
from tests.forked import Forked

HEAD = "import sqlalchemy as sa\nfrom alembic import op\n\nrevision = {revision!r}\ndown_revision = {before!r}\n\n\n"
NOTES = """
def upgrade():
    op.create_table("scratch_notes", sa.Column("id", sa.Text(), primary_key=True))
    note = sa.ForeignKey("scratch_notes.id", ondelete="CASCADE")
    op.create_table("scratch_lines", sa.Column("note", sa.Text(), note))

def downgrade():
    op.drop_table("scratch_lines")
    op.drop_table("scratch_notes")
"""
HALF = """
def upgrade():
    op.create_table("scratch_more", sa.Column("id", sa.Text()))
    op.execute("INSERT INTO scratch_more VALUES ('x')")
    op.execute("INSERT INTO no_such_table VALUES (1)")
"""
STRICTER = """
def upgrade():
    with op.batch_alter_table("scratch_notes") as batch:
        batch.add_column(sa.Column("words", sa.Text(), nullable=False, server_default=""))

def downgrade():
    with op.batch_alter_table("scratch_notes") as batch:
        batch.drop_column("words")
"""


@pytest.fixture
async def store(bare_database: str) -> AsyncIterator[Store]:
    made = Store(bare_database)
    yield made
    await made.close()


def history(folder: Path, *bodies: str, tables: MetaData | None = None) -> History:
    """A plugin whose migrations are these, numbered from 0001."""
    for number, body in enumerate(bodies, 1):
        before = f"{number - 1:04}" if number > 1 else None
        written = HEAD.format(revision=f"{number:04}", before=before) + body
        (folder / f"{number:04}_step.py").write_text(written)
    return History(plugin="scratch", metadata=tables or MetaData(), folder=folder)


async def tables_of(store: Store) -> list[str]:
    async with store.read() as tx:
        return sorted(await tx.connection.run_sync(lambda connection: inspect(connection).get_table_names()))


async def rows(store: Store, statement: str) -> Sequence[object]:
    async with store.read() as tx:
        return await tx.values(text(statement))


async def test_a_migration_that_fails_in_the_middle_leaves_nothing_behind(store: Store, tmp_path: Path):
    failing = history(tmp_path, NOTES, HALF)

    with pytest.raises(MigrationFailed, match=r"^scratch: .*no_such_table.*; nothing was changed$"):
        await upgrade(store, [failing])

    assert await tables_of(store) == []


async def test_what_was_there_before_a_failed_migration_stays(store: Store, tmp_path: Path):
    await upgrade(store, [history(tmp_path, NOTES)])
    async with store.write() as tx:
        await tx.run(text("INSERT INTO scratch_notes VALUES ('kept')"))

    with pytest.raises(MigrationFailed):
        await upgrade(store, [history(tmp_path, NOTES, HALF)])

    (standing,) = await standings(store, [history(tmp_path, NOTES, HALF)])
    assert (standing.at, await tables_of(store)) == ("0001", ["scratch_lines", "scratch_migrations", "scratch_notes"])
    assert await rows(store, "SELECT id FROM scratch_notes") == ["kept"]
    assert standing.lacking == "scratch is at 0001, this release needs 0002: run marketgate db upgrade"


async def test_changing_a_table_keeps_the_rows_that_point_to_it(store: Store, tmp_path: Path):
    await upgrade(store, [history(tmp_path, NOTES)])
    async with store.write() as tx:
        await tx.run(text("INSERT INTO scratch_notes VALUES ('a')"))
        await tx.run(text("INSERT INTO scratch_lines VALUES ('a')"))

    await upgrade(store, [history(tmp_path, NOTES, STRICTER)])
    await downgrade(store, history(tmp_path, NOTES, STRICTER), "0001")

    assert await rows(store, "SELECT note FROM scratch_lines") == ["a"]
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        async with store.write() as tx:
            await tx.run(text("INSERT INTO scratch_lines VALUES ('points to nothing')"))


async def test_a_revision_of_a_newer_release_and_one_that_never_was_are_told(store: Store, tmp_path: Path):
    await upgrade(store, [history(tmp_path, NOTES, STRICTER)])
    (tmp_path / "0002_step.py").unlink()
    older = history(tmp_path, NOTES)

    (standing,) = await standings(store, [older])
    with pytest.raises(UnknownRevision, match="scratch: Can't locate revision"):
        await downgrade(store, older, "0001")

    assert standing.lacking == (
        "scratch is at 0002, which a newer release made: start that release, or downgrade with it first"
    )


async def test_a_database_that_fits_is_left_alone_and_any_other_is_migrated(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    made = history(tmp_path, NOTES)
    moved: list[str] = []

    async def counted(_: Store, histories: Sequence[History]) -> list[Step]:
        moved.extend(each.plugin for each in histories)
        return await upgrade(store, histories)

    monkeypatch.setattr(runner, "upgrade", counted)

    await fit(store, [made])
    await fit(store, [made])

    assert moved == ["scratch"]
    assert await tables_of(store) == ["scratch_lines", "scratch_migrations", "scratch_notes"]


async def test_a_history_that_is_not_a_line_is_told(store: Store, tmp_path: Path):
    forked = history(tmp_path, NOTES, STRICTER)
    (tmp_path / "0003_step.py").write_text(HEAD.format(revision="0003", before="0001") + STRICTER)

    with pytest.raises(RuntimeError, match=r"^plugin scratch: its history is not a line, it ends in 0002 and 0003$"):
        await standings(store, [forked])


async def test_drift_is_told_in_words(store: Store, tmp_path: Path):
    tables = MetaData()
    Table("scratch_notes", tables, Column("id", Text, primary_key=True), Column("words", Text))
    Table("scratch_lost", tables, Column("id", Text, primary_key=True))
    made = history(tmp_path, NOTES, tables=tables)
    await upgrade(store, [made])

    found = await check(store, [made])

    assert sorted(found) == [
        "scratch: the column scratch_notes.words is missing", "scratch: the table scratch_lines is there and should "
        "not be", "scratch: the table scratch_lost is missing",
    ]  # fmt: skip


def test_processes_that_start_at_once_all_come_up(bare_database: str, tmp_path: Path):
    env = {**os.environ, "MARKETGATE_DATABASE_URL": bare_database, "MARKETGATE_DATA_DIR": str(tmp_path)}

    with ExitStack() as stack:
        texts = [tmp_path / f"{number}.txt" for number in range(3)]
        files = [stack.enter_context(text.open("wb")) for text in texts]
        started = [Forked(["db", "upgrade"], env=env, cwd=tmp_path, stdout=file, stderr=file) for file in files]
        ended = [process.wait(60.0) for process in started]

    told = "".join(text.read_text() for text in texts)
    assert ended == [0, 0, 0], told
    assert told.count("accounts\tnothing -> 0001\n") == 1


def test_a_table_with_anothers_name_stops_the_start(tmp_path: Path):
    metadata = MetaData()
    Table("notes", metadata, Column("id", Text))

    with pytest.raises(RuntimeError, match="plugin scratch: the table notes must be called scratch_notes"):
        build_gateway(
            Settings(env="development", data_dir=tmp_path),
            found=[Plugin(name="scratch", tables=metadata, migrations=tmp_path)],
        )


def test_a_table_that_points_to_another_plugins_stops_the_start(tmp_path: Path):
    metadata, other = MetaData(), MetaData()
    Table("scratch_notes", metadata, Column("id", Text), Column("user_id", Text, ForeignKey("accounts_users.id")))

    with pytest.raises(RuntimeError, match="scratch_notes points to accounts_users, which is another plugin's"):
        check_tables(
            [
                History(plugin="scratch", metadata=metadata, folder=tmp_path),
                History(plugin="other", metadata=other, folder=tmp_path),
            ]
        )


def test_a_plugin_whose_tables_would_look_like_anothers_stops_the_start(tmp_path: Path):
    names = ("scratch", "scratch_pad")

    with pytest.raises(RuntimeError, match="plugin scratch_pad: its tables would look like scratch's; rename it"):
        check_tables([History(plugin=name, metadata=MetaData(), folder=tmp_path) for name in names])
