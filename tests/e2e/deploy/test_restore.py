"""A backup that is taken under load, a database that is lost, and the second that it comes back to."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from gateway.cli.app import run
from gateway.core import telemetry
from gateway.core.ports import Act, Audit
from gateway.core.store import Store, new_id
from plugins.accounts.audit.sealer import Sealer
from plugins.watchlists.tables import lists
from tests.e2e.deploy.postgres import Machine, machine
from tests.gateway.doubles import ROOT_SECRET
from tests.house import House, migrate, open_house

TENANT = "ten_restored"
A_SECOND, A_MOMENT = timedelta(seconds=1), timedelta(milliseconds=5)


@pytest.fixture
def server() -> Iterator[Machine]:
    with machine() as made:
        yield made


async def write(house: House, number: int) -> None:
    """One act: a row and its line of the audit trail."""
    now = house.clock.now()
    id = new_id("list")
    row = {"id": id, "owner": "usr_1", "name": f"{number}", "symbols": [], "created_at": now, "changed_at": now}
    async with house.store.write() as tx:
        await tx.run(lists.insert().values(tenant_id=TENANT, **row))
        act = Act(
            tenant=TENANT, action="watchlist.created", target=id, after={"name": f"{number}"}, before=None,
            actor="usr_1", actor_kind="user", client_ip=None, request_id=None,
        )  # fmt: skip
        await house.host.service(Audit).record(tx, act)


async def database_time(store: Store) -> datetime:
    async with store.read() as tx:
        found: datetime = await tx.value(text("SELECT clock_timestamp()"))
    return found.astimezone(UTC)


async def lived(server: Machine, folder: Path) -> tuple[datetime, int, int]:
    """Write without a pause while the backup is taken, choose a second, write on; the second, what was committed by
    then, and in all."""
    written, over = 0, asyncio.Event()
    async with open_house(server.url, folder) as house:

        async def load() -> None:
            nonlocal written
            while not over.is_set():
                await write(house, written)
                written += 1
                if written % 20 == 0:
                    await house.host.service(Sealer).seal()

        loading = asyncio.create_task(load())
        for _ in range(2):
            await asyncio.to_thread(server.run, "env", "KEEP=1", "backup.sh")
        over.set()
        await loading
        begun = written
        await write(house, written)
        await house.host.service(Sealer).seal()
        before = written + 1
        chosen = (await database_time(house.store)).replace(microsecond=0) + A_SECOND
        async with house.store.read() as tx:
            await tx.run(text("SELECT pg_sleep_until(:chosen)").bindparams(chosen=chosen + A_MOMENT))
        for number in range(before, before + 5):
            await write(house, number)
        await house.host.service(Sealer).seal()
        assert begun > 20, "there was no load to speak of"
        async with house.store.read() as tx:
            segment = await tx.value(text("SELECT pg_walfile_name(pg_current_wal_lsn())"))
            await tx.value(text("SELECT pg_switch_wal()::text"))
        await asyncio.to_thread(wait_for, server.backups / "wal" / segment)
    return chosen, before, before + 5


def wait_for(path: Path) -> None:
    end = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} was never archived"
        time.sleep(0.02)


async def numbers(url: str) -> tuple[list[int], int]:
    """Which rows are there, and how many lines of the audit trail."""
    store = Store(url)
    async with store.read() as tx:
        found = await tx.values(select(lists.c.name).where(lists.c.tenant_id == TENANT))
        lines = await tx.value(text("SELECT count(*) FROM accounts_audit WHERE tenant_id = 'ten_restored'"))
    await store.close()
    return sorted(map(int, found)), int(lines)


def test_a_lost_database_comes_back_as_it_was_at_a_chosen_second(server, tmp_path, monkeypatch, capsys):
    lost, restored = server.folder / "lost", server.folder / "restored"
    server.make(lost)
    server.start(lost)
    migrate(server.url)
    chosen, before, written = asyncio.run(lived(server, tmp_path))
    assert asyncio.run(numbers(server.url)) == (list(range(written)), written)

    # Of the first backup nothing is left, neither itself nor the part of the archive that only it would need.
    assert len(list((server.backups / "base").iterdir())) == 1
    assert "000000010000000000000001" not in {path.name for path in (server.backups / "wal").iterdir()}

    server.destroy(lost)
    server.run("restore.sh", chosen.isoformat(), restored)
    server.start(restored)

    assert asyncio.run(numbers(server.url)) == (list(range(before)), before)
    monkeypatch.setenv("MARKETGATE_DATABASE_URL", server.url)
    monkeypatch.setenv("MARKETGATE_SECRET_KEY", ROOT_SECRET)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(telemetry, "configure_logging", lambda *_: None)
    code = run(["audit", "verify", "--csv"])
    told = capsys.readouterr().out.splitlines()
    assert (code, told[1]) == (0, f"{TENANT},whole,{before},0,0,")


def sql(server: Machine, command: str) -> str:
    return server.run("psql", "-AtX", "--command", command, "postgres").stdout.strip()


def wait_until_it_serves(server: Machine) -> None:
    sql(server, "DO $$ BEGIN WHILE pg_is_in_recovery() LOOP PERFORM pg_sleep(0.02); END LOOP; END $$")


def chosen_after(server: Machine, number: int) -> str:
    """Write a number; a second with that number and nothing after it, and the archive beyond it."""
    sql(server, f"INSERT INTO numbers VALUES ({number})")
    second = sql(server, "SELECT date_trunc('second', clock_timestamp()) + '1 s'")
    sql(server, f"SELECT pg_sleep_until('{second}'::timestamptz + '5 ms')")
    return second


def end(server: Machine, data: Path) -> None:
    """With all that was written in the archive; what is restored next is written to in another second."""
    sql(server, "SELECT pg_sleep_until(date_trunc('second', clock_timestamp()) + '1 s')")
    segment = sql(server, "SELECT pg_walfile_name(pg_current_wal_lsn())")
    sql(server, "SELECT pg_switch_wal()")
    wait_for(server.backups / "wal" / segment)
    server.destroy(data)


def test_a_restore_after_a_restore_goes_by_the_timeline_that_lived_at_the_second(server):
    first, second, third, fourth = (server.folder / name for name in ("first", "second", "third", "fourth"))
    server.make(first)
    server.start(first)
    sql(server, "CREATE TABLE numbers (n int)")
    server.run("backup.sh")
    early = chosen_after(server, 1)
    sql(server, "INSERT INTO numbers VALUES (2)")
    abandoned = server.run("backup.sh").stdout.strip()
    late = chosen_after(server, 3)
    sql(server, "INSERT INTO numbers VALUES (4)")
    end(server, first)

    def restored(time: str, data: Path, *more: str) -> tuple[str, str]:
        told = server.run("restore.sh", time, data, *more).stdout.strip()
        server.start(data)
        # It reads before it has opened for writing.
        wait_until_it_serves(server)
        return told, sql(server, "SELECT string_agg(n::text, ' ' ORDER BY n) FROM numbers")

    _, found = restored(early, second)
    assert found == "1"
    after = chosen_after(server, 100)
    sql(server, "INSERT INTO numbers VALUES (101)")
    end(server, second)
    told, found = restored(late, third)
    assert (found, "on timeline 1, then the archive up to" in told) == ("1 2 3", True)
    server.destroy(third)
    # The newest base backup before that second is of what was given up.
    told, found = restored(after, fourth)
    assert (found, "on timeline 2" in told, Path(abandoned).name in told) == ("1 100", True, False)
    end(server, fourth)

    # Nothing was committed after now.
    never = server.run("date", "--utc", "+%F %T+00").stdout.strip()
    ended = server.run("restore.sh", never, server.folder / "never", "1", check=False)
    assert ended.returncode == 1
    assert "FATAL:  recovery ended before configured recovery target was reached" in ended.stdout
    assert "was not reached from" in ended.stdout
    assert restored("latest", server.folder / "latest")[1] == "1 100"


def archive_of(server: Machine, *files: tuple[str, str]) -> None:
    """Empty files of the archive, and when each was written."""
    for name, written in files:
        path = server.backups / "wal" / name
        path.touch()
        instant = datetime.fromisoformat(written).timestamp()
        os.utime(path, (instant, instant))


def test_a_second_that_two_timelines_were_written_at_is_asked_for(server):
    archive_of(
        server, ("000000010000000000000001", "2026-01-02T13:00Z"), ("00000002.history", "2026-01-02T11:00Z"),
        ("000000020000000000000001", "2026-01-02T12:30Z"), ("00000003.history", "2026-01-02T14:00Z"),
    )  # fmt: skip

    def told(*given: str) -> str:
        found: str = server.run("restore.sh", given[0], server.folder / "new", *given[1:], check=False).stdout.strip()
        return found

    assert told("2026-01-02 12:00Z") == (
        "timelines 1 2 were both written to at 2026-01-02 12:00:00+00: say which as TIMELINE"
    )
    none = "no base backup on timeline {} was whole by {}: 0 are younger, 0 do not lead there"
    assert told("2026-01-02 12:00Z", "2") == none.format(2, "2026-01-02 12:00:00+00")
    assert told("2026-01-02 10:59:59Z") == none.format(1, "2026-01-02 10:59:59+00")
    # The second one was a trial beside the first, which went on.
    assert told("2026-01-02 12:45Z") == none.format(1, "2026-01-02 12:45:00+00")
    assert told("latest") == none.format(3, "the end of the archive")
    assert told("2026-01-02 12:00Z", "4") == "the archive has no timeline 4, only 1 2 3"
    assert not (server.folder / "new").exists()


def test_the_latest_state_is_found_behind_a_backup_that_was_taken_after_a_restore(server):
    first, second, third = (server.folder / name for name in ("first", "second", "third"))
    server.make(first)
    server.start(first)
    sql(server, "CREATE TABLE numbers (n int)")
    server.run("backup.sh")
    early = chosen_after(server, 1)
    sql(server, "INSERT INTO numbers VALUES (2)")
    end(server, first)
    server.run("restore.sh", early, second)
    server.start(second)
    wait_until_it_serves(server)
    # It carries the second that was restored to in its settings.
    server.run("backup.sh")
    sql(server, "INSERT INTO numbers VALUES (100)")
    end(server, second)

    server.run("restore.sh", "latest", third)

    server.start(third)
    wait_until_it_serves(server)
    assert sql(server, "SELECT string_agg(n::text, ' ' ORDER BY n) FROM numbers") == "1 100"


def test_a_gap_in_the_archive_is_not_its_end(server):
    first = server.folder / "first"
    server.make(first)
    server.start(first)
    sql(server, "CREATE TABLE numbers (n int)")
    server.run("backup.sh")
    names = []
    for number in (1, 2, 3):
        sql(server, f"INSERT INTO numbers VALUES ({number})")
        names.append(sql(server, "SELECT pg_walfile_name(pg_current_wal_lsn())"))
        sql(server, "SELECT pg_switch_wal()")
        wait_for(server.backups / "wal" / names[-1])
    server.destroy(first)
    (server.backups / "wal" / names[1]).unlink()

    ended = server.run("restore.sh", "latest", server.folder / "second", check=False)

    assert (ended.returncode, f"has a gap: {names[1]} is not there" in ended.stdout) == (1, True)


def test_a_backup_keeps_what_the_backup_needs_that_begins_lowest_though_it_is_not_the_oldest(server):
    manifest = '{"Timeline": %s, "Start-LSN": "%s", "End-LSN": "0/F000000"}\n'
    for name, timeline, start in (("20200101T000000Z", 1, "0/9000028"), ("20200102T000000Z", 2, "0/5000028")):
        (server.backups / "base" / name).mkdir()
        (server.backups / "base" / name / "backup_manifest").write_text(manifest % (timeline, start))
    for name in ("000000010000000000000004", "000000020000000000000005", "000000010000000000000009"):
        (server.backups / "wal" / name).write_bytes(bytes(16 << 20))
    taking = server.folder / "scripts" / "pg_basebackup"
    taking.write_text(
        '#!/bin/bash\nmkdir "$3" && gzip </dev/null >"$3/base.tar.gz"\n'
        f"""echo '{manifest % (2, "0/B000028")}' >"$3/backup_manifest"\n"""
    )
    taking.chmod(0o755)

    server.run("env", "KEEP=3", "backup.sh")

    assert sorted(path.name for path in (server.backups / "wal").iterdir()) == [
        "000000010000000000000009", "000000020000000000000005",
    ]  # fmt: skip


def test_scripts_refuse_what_would_lose_or_mislead(server):
    full = server.folder / "full"
    server.own(full)
    (full / "PG_VERSION").touch()
    older = server.backups / "base" / "20200102T120000Z"
    older.mkdir()
    segment = server.folder / "segment"
    segment.write_text("one")

    def told(*command: str | Path) -> tuple[int, str]:
        ended = server.run(*command, check=False)
        return ended.returncode, ended.stdout.strip()

    assert told("restore.sh", "2020-01-02 12:00:00+00", full) == (1, f"{full} is not empty: move it away first")
    assert told("restore.sh", "2020-01-02 11:59:59+00", server.folder / "new") == (
        1,
        "no base backup on timeline 1 was whole by 2020-01-02 11:59:59+00: 1 are younger, 0 do not lead there",
    )  # fmt: skip
    for odd in ("half past", "", "  ", "Z", "12", "2026-11-29", "-1 hour", "@1796000000", "2026-02-30 12:00Z"):
        assert told("restore.sh", odd, server.folder / "new") == (
            2, f"'{odd}' is no time: write it like '2026-11-29 12:00:00+00', or latest",
        )  # fmt: skip
    assert told("restore.sh", "2099-01-01 00:00:00+00", server.folder / "new") == (
        2, "2099-01-01 00:00:00+00 is still to come: there is nothing of it to restore",
    )  # fmt: skip
    assert not (server.folder / "new").exists()
    assert told("archive.sh", segment, "000000010000000000000001") == (0, "")
    assert told("archive.sh", segment, "000000010000000000000001") == (0, "")
    segment.write_text("two")
    code, words = told("archive.sh", segment, "000000010000000000000001")
    assert (code, words.endswith("differs: does another server archive into this folder?")) == (1, True)
    assert (server.backups / "wal" / "000000010000000000000001").read_text() == "one"
