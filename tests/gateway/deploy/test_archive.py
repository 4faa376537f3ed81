"""Old rows are in files before they are gone, and come back as they were: on both databases."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, delete, select

from gateway.cli.app import run
from gateway.core import telemetry
from gateway.core.archive import files
from gateway.core.archive.shelf import archived, read, restore
from gateway.core.contract import NotRestored
from gateway.core.ports import Act, Archive, Audit
from gateway.domains import load_plugins
from plugins.accounts.audit.desk import AuditDesk
from plugins.accounts.audit.sealer import Sealer
from plugins.accounts.tables import audit
from plugins.billing.invoices.desk import InvoiceDesk
from plugins.billing.tables import subscriptions, usage_fields, usage_providers
from plugins.billing.usage.clearing import Clearing as UsageClearing
from plugins.webhooks.delivery.clearing import Clearing
from plugins.webhooks.tables import attempts, deliveries
from tests.gateway.doubles import ROOT_SECRET
from tests.house import House, open_house, schema_for

TENANT = "ten_1"


@pytest.fixture
async def keeping(database: str, tmp_path: Path) -> AsyncIterator[House]:
    """A gateway that archives."""
    async with open_house(database, tmp_path, archive_dir=tmp_path / "archive", usage_days=40) as house:
        yield house


async def all_of(house: House, table: Table) -> list[dict[str, Any]]:
    async with house.store.read() as tx:
        rows = (await tx.connection.execute(select(table).order_by(*table.primary_key.columns))).mappings()
        return [dict(row) for row in rows]


async def put(house: House, table: Table, *rows: dict[str, Any]) -> None:
    async with house.store.write() as tx:
        for row in rows:
            await tx.run(table.insert().values(tenant_id=TENANT, **row))


def in_files(folder: Path) -> dict[str, int]:
    """How many rows of each table."""
    counts: dict[str, int] = {}
    for path in files.found(folder / "archive"):
        manifest = files.opened(path).manifest
        counts[manifest.table] = counts.get(manifest.table, 0) + manifest.count
    return counts


async def bring_back(house: House, folder: Path) -> list[int]:
    known = archived(house.host.plugins)
    opened = [files.opened(path) for path in files.found(folder / "archive")]
    return [await restore(house.host, each, known) for each in opened]


def delivery(id: str, settled: datetime | None) -> dict[str, Any]:
    made = datetime(2025, 1, 1, tzinfo=UTC)
    return {
        "id": id, "endpoint_id": "hook_1", "event_id": f"evt_{id}", "event_type": "price.alert.fired",
        "status": "FAILED", "attempts": 1, "created_at": made, "settled_at": settled, "last_status": 503,
        "last_error": "503 — nicht verfügbar",
    }  # fmt: skip


# --- Deliveries


async def test_deliveries_are_in_a_file_before_they_are_gone_and_come_back_as_they_were(keeping, tmp_path):
    now = keeping.clock.now()
    old, young = now - timedelta(days=31), now - timedelta(days=29)
    await put(keeping, deliveries, delivery("a", old), delivery("b", young), delivery("c", None))
    tried = {"number": 1, "url": "https://example.com/", "response_status": 503, "latency_ms": 7}
    await put(keeping, attempts, {"delivery_id": "a", "at": old, **tried}, {"delivery_id": "b", "at": young, **tried})
    before = await all_of(keeping, deliveries), await all_of(keeping, attempts)

    await Clearing(keeping.host).run()

    left = await all_of(keeping, deliveries), await all_of(keeping, attempts)
    assert left == (before[0][1:], before[1][1:])
    assert in_files(tmp_path) == {"webhooks_attempts": 1, "webhooks_deliveries": 1}
    assert await bring_back(keeping, tmp_path) == [1, 1]
    assert (await all_of(keeping, deliveries), await all_of(keeping, attempts)) == before
    assert await bring_back(keeping, tmp_path) == [0, 0]
    # Gone once more they are the very same files.
    await Clearing(keeping.host).run()
    assert in_files(tmp_path) == {"webhooks_attempts": 1, "webhooks_deliveries": 1}


async def test_where_no_file_can_be_written_nothing_is_removed(keeping, tmp_path):
    await put(keeping, deliveries, delivery("a", keeping.clock.now() - timedelta(days=31)))
    (tmp_path / "archive").write_text("in the way")

    with pytest.raises(OSError, match="archive"):
        await Clearing(keeping.host).run()

    assert [row["id"] for row in await all_of(keeping, deliveries)] == ["a"]


async def test_rows_of_a_transaction_that_fails_stay_and_are_the_same_file_the_next_time(keeping, tmp_path):
    await put(keeping, deliveries, delivery("a", keeping.clock.now() - timedelta(days=31)))
    archive = keeping.host.service(Archive)

    async def killed() -> None:
        async with keeping.store.write() as tx:
            assert await archive.remove(tx, delete(deliveries), deliveries.c.settled_at) == 1
            raise RuntimeError("before it commits")

    with pytest.raises(RuntimeError):
        await killed()

    written = files.found(tmp_path / "archive")
    assert (len(written), len(await all_of(keeping, deliveries))) == (1, 1)
    assert await bring_back(keeping, tmp_path) == [0]
    keeping.clock.turn(60)
    await Clearing(keeping.host).run()
    assert files.found(tmp_path / "archive") == written
    assert await bring_back(keeping, tmp_path) == [1]


async def test_a_file_that_was_changed_is_refused_and_nothing_comes_back(keeping, tmp_path):
    await put(keeping, deliveries, delivery("a", keeping.clock.now() - timedelta(days=31)))
    await Clearing(keeping.host).run()
    (path,) = files.found(tmp_path / "archive")
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"503", b"200")))

    with pytest.raises(files.BadArchive, match="SHA-256 differs"):
        await bring_back(keeping, tmp_path)

    assert await all_of(keeping, deliveries) == []


async def test_characters_that_part_lines_elsewhere_part_no_rows(keeping, tmp_path):
    told = "a\u2028b\u2029c\u0085d\x0be\x1cf\ng"
    row = {**delivery("a", keeping.clock.now() - timedelta(days=31)), "last_error": told}
    await put(keeping, deliveries, row, {**row, "id": "b", "event_id": "evt_b"})
    before = await all_of(keeping, deliveries)
    await Clearing(keeping.host).run()

    assert await bring_back(keeping, tmp_path) == [2]

    assert await all_of(keeping, deliveries) == before


# --- The audit trail


async def acted(house: House, count: int) -> None:
    for number in range(count):
        async with house.store.write() as tx:
            act = Act(
                tenant=TENANT, action="alert.created", target=f"alert_{number}", before=None, after={"n": "é"},
                actor="usr_1", actor_kind="user", client_ip=None, request_id=None,
            )  # fmt: skip
            await house.host.service(Audit).record(tx, act)
    await house.host.service(Sealer).seal()


async def verdict(house: House) -> tuple[int, int, list[str]]:
    (found,) = await house.host.service(AuditDesk).verify(TENANT)
    return found.lines, found.checkpoints, found.problems


async def test_archived_lines_of_the_audit_trail_come_back_into_an_unbroken_chain(keeping, tmp_path):
    await acted(keeping, 3)
    keeping.clock.turn(86_400)
    await acted(keeping, 2)
    before = await all_of(keeping, audit)
    keeping.clock.turn(364.5 * 86_400)

    await keeping.host.service(Sealer).retain()

    assert (await verdict(keeping), in_files(tmp_path)) == ((2, 1, []), {"accounts_audit": 3})
    assert await bring_back(keeping, tmp_path) == [3]
    assert await all_of(keeping, audit) == before
    assert await verdict(keeping) == (5, 0, [])
    assert await bring_back(keeping, tmp_path) == [0]


async def test_lines_that_are_not_those_that_were_signed_for_do_not_come_back(keeping, tmp_path):
    await acted(keeping, 3)
    keeping.clock.turn(366 * 86_400)
    await keeping.host.service(Sealer).retain()
    (path,) = files.found(tmp_path / "archive")
    # Whoever forges the lines can forge the manifest as well, but not the signed end of the chain.
    forged = gzip.compress(gzip.decompress(path.read_bytes()).replace(b"alert_1", b"alert_9"))
    path.write_bytes(forged)
    manifest = files.manifest_of(path)
    told = {**json.loads(manifest.read_text()), "sha256": hashlib.sha256(forged).hexdigest()}
    manifest.write_text(json.dumps(told))

    with pytest.raises(NotRestored, match="lines 1 to 3 of ten_1 are not those that their segment was signed for"):
        await bring_back(keeping, tmp_path)

    assert (await all_of(keeping, audit), await verdict(keeping)) == ([], (0, 1, []))


# --- Usage


async def test_usage_is_archived_only_once_it_is_invoiced(keeping, tmp_path):
    counted = {"key_id": "", "operations": 5, "points": 10, "calls": 1, "hits": 4, "errors": 0}
    now = keeping.clock.now()
    old, older = now - timedelta(days=41), now - timedelta(days=75)
    for hour in (older, old, now):
        hour = hour.replace(minute=0, second=0, microsecond=0)
        await put(keeping, usage_fields, {"hour": hour, "field": "", **counted})
        await put(keeping, usage_providers, {"hour": hour, "provider": "kraken", **counted})
    period = {
        "id": "sub_1", "plan": "free", "monthly_price": Decimal(0), "currency": "USD", "included_points": 0,
        "started_at": older - timedelta(days=40), "point_price": None,
    }  # fmt: skip
    await put(keeping, subscriptions, period)
    before = await all_of(keeping, usage_fields)

    await UsageClearing(keeping.host).run()
    open_still = in_files(tmp_path), len(await all_of(keeping, usage_fields))
    await keeping.host.service(InvoiceDesk).close_due()
    await UsageClearing(keeping.host).run()

    assert open_still == ({}, 3)
    assert in_files(tmp_path) == {"billing_usage_fields": 2, "billing_usage_providers": 2}
    assert await all_of(keeping, usage_fields) == before[-1:]
    assert sum(await bring_back(keeping, tmp_path)) == 4
    assert await all_of(keeping, usage_fields) == before


# --- Files that nobody wrote like this

ROW = {
    "tenant_id": TENANT, "hour": "2026-01-01T00:00:00+00:00", "key_id": "k", "field": "quote", "operations": 1,
    "points": 1, "calls": 1, "hits": 0, "errors": 0,
}  # fmt: skip
WITHOUT_HITS = {name: value for name, value in ROW.items() if name != "hits"}


def packed(*rows: object) -> bytes:
    return gzip.compress("".join(f"{json.dumps(row)}\n" for row in rows).encode(), mtime=0)


def damaged(folder: Path, data: bytes, **told: Any) -> Path:
    """A file whose SHA-256 fits, whatever is in it."""
    path = folder / "billing_usage_fields" / "2026-01" / f"a{files.DATA}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    manifest = {
        "format": 1, "table": "billing_usage_fields", "count": 1, "first": ROW["hour"], "last": ROW["hour"],
        "sha256": hashlib.sha256(data).hexdigest(), "columns": list(ROW), "made_at": ROW["hour"], **told,
    }  # fmt: skip
    files.manifest_of(path).write_text(json.dumps(manifest))
    return path


DAMAGES: list[tuple[bytes, dict[str, Any], str]] = [
    (b"hello", {}, "a.jsonl.gz is not UTF-8 packed by gzip (Not a gzipped file"),
    (packed(ROW)[:-6], {}, "a.jsonl.gz is not UTF-8 packed by gzip (Compressed file ended before the end"),
    (packed(ROW)[:10] + b"\x07" * 20, {}, "a.jsonl.gz is not UTF-8 packed by gzip (Error -3"),
    (gzip.compress(b"\xff\xfe\n"), {}, "a.jsonl.gz is not UTF-8 packed by gzip ('utf-8' codec can't decode"),
    (gzip.compress(b"{x\n"), {}, "a.jsonl.gz: line 1 is no row of billing_usage_fields (Expecting property name"),
    (packed([1]), {}, "line 1 is no row of billing_usage_fields (it is no object)"),
    (gzip.compress(b"[" * 100_000), {}, "line 1 is no row of billing_usage_fields (maximum recursion depth"),
    (packed({**ROW, "evil": 1}), {}, "(its columns are not the manifest's: evil)"),
    (packed(WITHOUT_HITS), {}, "(its columns are not the manifest's: hits)"),
    (packed(WITHOUT_HITS), {"columns": list(WITHOUT_HITS)}, "lacks columns that this release needs: hits"),
    (packed(ROW, {**ROW, "hour": "soon"}), {"count": 2}, 'line 2 is no row of billing_usage_fields (hour cannot'),
    (packed({**ROW, "hour": "2026-01-01T00:00:00"}), {}, '(hour cannot be "2026-01-01T00:00:00")'),
    (packed({**ROW, "operations": "abc"}), {}, '(operations cannot be "abc")'),
    (packed({**ROW, "operations": True}), {}, "(operations cannot be true)"),
    (packed({**ROW, "field": None}), {}, "(field cannot be null)"),
    (packed(ROW), {"count": 2}, "a.jsonl.gz holds 1 rows, and its manifest says 2"),
    (packed(ROW), {"count": "1"}, "a.json is no manifest of an archive (ValueError: count is '1')"),
    (packed(ROW), {"first": "nonsense"}, "a.json is no manifest of an archive (ValueError: Invalid isoformat string"),
    (packed(ROW), {"last": "2026-01-01T00:00:00"}, "(ValueError: last has no offset from UTC)"),
    (packed(ROW), {"table": ["a"]}, "a.json is no manifest of an archive (TypeError: table and sha256 are texts)"),
    (packed(ROW), {"columns": "hour"}, "(TypeError: columns is a list of names)"),
    (packed(ROW), {"table": "accounts_users"}, "no table accounts_users is archived by this release"),
    (packed(ROW), {"format": "1"}, "a.json has format '1', and this release reads 1"),
]  # fmt: skip


def test_every_kind_of_damage_is_told_with_the_files_name_and_what_is_wrong(tmp_path):
    known = archived(load_plugins())
    for data, told, wrong in DAMAGES:
        path = damaged(tmp_path, data, **told)

        with pytest.raises(files.BadArchive) as refused:
            read(files.opened(path), known)

        assert str(refused.value).startswith(str(path.parent)), wrong
        assert wrong in str(refused.value)
    assert read(files.opened(damaged(tmp_path, packed(ROW))), known)[1] == [
        {**ROW, "hour": datetime(2026, 1, 1, tzinfo=UTC)}
    ]


@pytest.mark.parametrize("path", [".", "..", "/", "notes.txt"])
def test_what_is_no_file_of_an_archive_is_told_so(path):
    with pytest.raises(files.BadArchive, match=r"is no file of an archive: those end in \.jsonl\.gz or \.json"):
        files.opened(Path(path))


# --- The command


def test_the_command_lists_checks_and_restores(database, tmp_path, monkeypatch, capsys):
    async def live() -> None:
        async with open_house(database, tmp_path, archive_dir=tmp_path / "archive") as house:
            long_ago = datetime(2020, 1, 1, tzinfo=UTC)
            await put(house, deliveries, delivery("a", long_ago), delivery("b", long_ago))
            await Clearing(house.host).run()

    asyncio.run(live())
    for name, value in (("DATABASE_URL", database), ("SECRET_KEY", ROOT_SECRET), ("ARCHIVE_DIR", tmp_path / "archive")):
        monkeypatch.setenv(f"MARKETGATE_{name}", str(value))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(telemetry, "configure_logging", lambda *_: None)
    monkeypatch.setattr("gateway.app.build_schema", schema_for)

    def command(*arguments: str) -> tuple[int, str, str]:
        code = run(["archive", *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    folders = [path for path in (tmp_path / "archive").rglob("*") if path.is_dir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
    code, listed, _ = command("list", "--check", "--json")
    (found,) = json.loads(listed)["archive"]
    assert (code, found["table"], found["rows"]) == (0, "webhooks_deliveries", 2)

    code, out, err = command("restore", found["file"])
    assert (code, out) == (0, f"webhooks_deliveries\t2 of 2 rows were not there\t{found['file']}\n")
    assert "MARKETGATE_DELIVERY_DAYS (30) are removed within the hour again" in err
    assert command("restore", found["file"])[1].startswith("webhooks_deliveries\t0 of 2 rows were not there")

    manifest = files.manifest_of(Path(found["file"]))
    manifest.rename(tmp_path / "manifest")
    lost = (
        f"{manifest} is missing: the file was never finished and its rows are in the database, or its manifest is lost"
    )
    assert command("list", "--check")[::2] == (4, f"marketgate: {lost}\n")
    (tmp_path / "manifest").rename(manifest)
    Path(found["file"]).write_bytes(b"something else")
    code, _, err = command("list", "--check")
    assert (code, "its SHA-256 differs from the manifest's" in err) == (4, True)
    assert command("restore", found["file"])[0] == 4
    assert command("restore", str(tmp_path / "nothing.jsonl.gz"))[0] == 4
    monkeypatch.setenv("MARKETGATE_ARCHIVE_DIR", str(tmp_path / "elsewhere"))
    nowhere = f"there is no folder {tmp_path / 'elsewhere'}: nothing was archived yet, or it is elsewhere"
    assert command("list") == (4, "", f"marketgate: MARKETGATE_ARCHIVE_DIR: {nowhere}\n")
    monkeypatch.setenv("MARKETGATE_ARCHIVE_DIR", str(tmp_path / "archive"))
    bad = damaged(tmp_path / "archive", packed([1]))
    for words in (("restore", str(bad)), ("list", "--check")):
        code, _, err = command(*words)
        assert (code, f"{bad}: line 1 is no row of billing_usage_fields (it is no object)" in err) == (4, True)
