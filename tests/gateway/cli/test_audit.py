"""`marketgate audit` on both databases."""

from __future__ import annotations

import asyncio
import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.core.store import Store
from plugins.accounts.audit.sealer import Sealer
from tests.gateway.cli.conftest import Run
from tests.gateway.doubles import ROOT_SECRET
from tests.house import open_house


@pytest.fixture
def local(command: Run, database: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("MARKETGATE_DATABASE_URL", database)
    monkeypatch.setenv("MARKETGATE_SECRET_KEY", ROOT_SECRET)
    return command


def seal(database: str, folder: Path) -> None:
    async def run() -> None:
        async with open_house(database, folder) as house:
            await house.host.service(Sealer).seal()

    asyncio.run(run())


def tamper(database: str, statement: str) -> None:
    async def run() -> None:
        store = Store(database)
        async with store.write() as tx:
            await tx.run(text(statement))
        await store.close()

    asyncio.run(run())


def test_a_whole_trail_verifies_and_lines_that_wait_are_told_apart(local: Run, database: str, tmp_path: Path):
    id = next(csv.DictReader(StringIO(local("tenants", "create", "Acme", "--csv").out)))["id"]
    local("operators", "create", "night")
    seal(database, tmp_path)
    local("tenants", "plan", id, "pro")

    ended = local("audit", "verify", "--csv")

    rows = list(csv.DictReader(StringIO(ended.out)))
    assert (ended.code, ended.err) == (0, "")
    assert [(row["tenant"], row["result"], row["lines"], row["unsealed"]) for row in rows] == [
        ("(outside every tenant)", "whole", "1", "0"), (id, "whole", "1", "1"),
    ]  # fmt: skip
    assert rows[0]["oldestUnsealedSeconds"] == ""
    assert 0 <= int(rows[1]["oldestUnsealedSeconds"]) < 600


def test_a_trail_that_was_tampered_with_is_nothing_and_says_where(local: Run, database: str, tmp_path: Path):
    for name in ("night", "day"):
        local("operators", "create", name)
    seal(database, tmp_path)
    tamper(database, "UPDATE accounts_audit SET actor = 'nobody' WHERE sequence = 2")

    ended = local("audit", "verify", "--json")
    other = local("audit", "verify", "--tenant", "ten_other")

    (found,) = json.loads(ended.out)["audit"]
    assert (ended.code, found["result"], found["tenant"]) == (4, "broken", "")
    assert ended.err.startswith("marketgate: (outside every tenant): line 2 (audit_")
    assert ended.err.endswith(") was changed, or the line before it: its hash differs\n")
    assert (other.code, other.out, other.err) == (
        4, "", "marketgate: there is no tenant ten_other: `marketgate tenants list` lists them\n"
    )  # fmt: skip


def test_a_tenant_without_any_trail_is_broken(local: Run, database: str, tmp_path: Path):
    acme, other = (
        next(csv.DictReader(StringIO(local("tenants", "create", name, "--csv").out)))["id"] for name in ("Acme", "Beta")
    )
    seal(database, tmp_path)
    for table in ("accounts_audit", "accounts_audit_segments"):
        tamper(database, f"DELETE FROM {table} WHERE tenant_id = '{acme}'")

    ended, alone, whole = (
        local("audit", "verify", *more, "--json") for more in ((), ("--tenant", acme), ("--tenant", other))
    )

    told = f"marketgate: {acme}: its trail is gone: the line of its making, at least, was removed\n"
    found = {each["tenant"]: each["result"] for each in json.loads(ended.out)["audit"]}
    assert (found[acme], found[other]) == ("broken", "whole")
    assert [(each.code, each.err) for each in (ended, alone, whole)] == [(4, told), (4, told), (0, "")]


def test_another_root_secret_does_not_vouch_for_the_trail(
    local: Run, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    local("operators", "create", "night")
    seal(database, tmp_path)
    monkeypatch.setenv("MARKETGATE_SECRET_KEY", "another root secret, which is long enough for anybody")

    ended = local("audit", "verify")

    assert (ended.code, ended.err) == (
        4, "marketgate: (outside every tenant): the segment of line 1 has a broken signature\n"
    )  # fmt: skip


def test_a_trail_is_exported_line_by_line_within_a_range(local: Run, database: str):
    made = local("tenants", "create", "Acme", "--csv")
    id = next(csv.DictReader(StringIO(made.out)))["id"]
    local("tenants", "plan", id, "pro")

    whole = local("audit", "export", "--tenant", id)
    none = local("audit", "export", "--tenant", id, "--until", "2020-01-01")
    nobody = local("audit", "export", "--tenant", "ten_nobody")

    found = [json.loads(line) for line in whole.lines]
    assert [(line["action"], line["tenant"], line["after"].get("plan")) for line in found] == [
        ("tenant.created", id, "free"), ("tenant.plan_set", id, "pro")
    ]  # fmt: skip
    assert (none.code, none.out, nobody.code) == (4, "", 4)
    assert nobody.err == (
        "marketgate: there is no line of ten_nobody in this range: `marketgate audit verify` lists who has some\n"
    )
