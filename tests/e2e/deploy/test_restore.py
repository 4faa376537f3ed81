"""A backup that is taken under load, a database that is lost, and the second that it comes back to."""

from __future__ import annotations

import asyncio
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
        1, "no base backup was whole by 2020-01-02 11:59:59+00: 1 are younger",
    )  # fmt: skip
    for odd in ("half past", "", "  ", "Z"):
        assert told("restore.sh", odd, server.folder / "new") == (
            2, f"'{odd}' is no time: write it like '2026-11-29 12:00:00+00'",
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
