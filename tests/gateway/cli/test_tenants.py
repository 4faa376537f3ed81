"""`marketgate tenants` and `operators`, on the database directly and against a serving gateway."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
from collections.abc import AsyncIterator, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.core.store import Store
from plugins.accounts.tables import audit, operator_keys, organisations
from tests.gateway.cli.conftest import Ended, Run, announced, rest, started
from tests.house import House, open_house
from tests.plugins.accounts.operator.office import tenant_with_key

FILE = """\
# Customers
- external_id: crm-1
  name: Acme
  plan: pro
  owner_email: owner@example.com

- {external_id: crm-2, name: Beta, plan: free, status: suspended, status_reason: unpaid}
"""
WRONG = """\
- external_id: 7
  name: Acme
  plan: pro
- just a text
- {external_id: crm-2, plan: free, colour: blue, status: asleep}
"""


@pytest.fixture
def local(command: Run, database: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Commands on the database, whichever it is."""
    monkeypatch.setenv("MARKETGATE_DATABASE_URL", database)
    return command


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "tenants.yaml"
    written.write_text(FILE)
    return written


def rows(ended: Ended) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(ended.out), delimiter="\t"))


def stored(database: str, *columns: Any) -> list[tuple[Any, ...]]:
    async def read() -> list[tuple[Any, ...]]:
        store = Store(database)
        async with store.read() as tx:
            found = [tuple(row) for row in await tx.connection.execute(select(*columns))]
        await store.close()
        return found

    return asyncio.run(read())


def test_a_tenant_is_made_listed_suspended_resumed_and_re_planned(local: Run, database: str):
    made = local("tenants", "create", "Acme", "--plan", "pro", "--owner", "a@example.com", "--external-id", "crm-1")
    id = rows(made)[0]["id"]
    suspended = local("tenants", "suspend", id, "--reason", "unpaid")
    listed = local("tenants", "list", "--status", "suspended", "--json")
    resumed = local("tenants", "resume", id)
    planned = local("tenants", "plan", id, "free")

    assert [each.code for each in (made, suspended, listed, resumed, planned)] == [0] * 5
    (node,) = json.loads(listed.out)["tenants"]["nodes"]
    assert (node["id"], node["statusReason"], node["members"], node["externalId"]) == (id, "unpaid", 1, "crm-1")
    assert (rows(resumed)[0]["status"], rows(planned)[0]["plan"]) == ("ACTIVE", "free")
    assert {line[:2] for line in stored(database, audit.c.actor, audit.c.tenant_id)} == {("command line", id)}
    assert sorted(line[0] for line in stored(database, audit.c.action)) == [
        "tenant.created", "tenant.plan_set", "tenant.resumed", "tenant.suspended",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        (("suspend", "ten_nobody", "--reason", "r"), 4, "ten_nobody: There is no organisation with this id: "),
        (("create", "Acme", "--plan", "gold"), 2, "Acme: There is no plan 'gold': `plans` lists them."),
        (("create", "Acme", "--owner", "nobody"), 2, "Acme: "),
        (
            ("list", "--status", "asleep"),
            2,
            "--status: 'asleep' is not known: write one of active, suspended, deleting",
        ),
        (("list", "--url", "http://127.0.0.1:9"), 2, "--url needs an operator's key: give it with --api-key or "),
    ],
)
def test_what_cannot_be_done_is_one_line(local: Run, database: str, line: tuple[str, ...], code: int, told: str):
    ended = local("tenants", *line)

    assert (ended.code, ended.out) == (code, "")
    assert ended.err.startswith(f"marketgate: {told}")
    assert len(ended.err.splitlines()) == 1
    assert stored(database, organisations.c.id) == []


def test_a_file_is_rehearsed_applied_and_found_as_it_says(local: Run, database: str, file: Path):
    rehearsed = local("tenants", "apply", str(file), "--dry-run")
    before = stored(database, organisations.c.id)
    applied, again = (local("tenants", "apply", str(file)) for _ in range(2))

    assert [(row["change"], row["externalId"], row["differences"]) for row in rows(rehearsed)] == [
        ("create", "crm-1", "name=Acme; plan=pro; owner=owner@example.com"),
        ("create", "crm-2", "name=Beta; plan=free; status=suspended; reason=unpaid"),
    ]
    assert rehearsed.err == (
        "marketgate: to be created: 2, to be changed: 0, as the file says: 0, not in the file and untouched: 0\n"
    )
    assert before == []
    assert (applied.code, [row["change"] for row in rows(again)]) == (0, ["unchanged", "unchanged"])
    assert again.err == "marketgate: created: 0, changed: 0, as the file says: 2, not in the file and untouched: 0\n"
    assert sorted(stored(database, organisations.c.external_id, organisations.c.status)) == [
        ("crm-1", "active"), ("crm-2", "suspended")
    ]  # fmt: skip


def test_changes_are_shown_with_what_was_there(local: Run, file: Path):
    local("tenants", "apply", str(file))
    local("tenants", "create", "Other")
    file.write_text(FILE.replace("pro", "free").replace("status: suspended, status_reason: unpaid", "status: active"))

    ended = local("tenants", "apply", str(file))

    assert [(row["change"], row["differences"]) for row in rows(ended)] == [
        ("change", "plan: pro -> free"), ("change", "status: suspended -> active")
    ]  # fmt: skip
    assert ended.err == "marketgate: created: 0, changed: 2, as the file says: 0, not in the file and untouched: 1\n"


def test_every_wrong_row_is_named_by_its_line_and_nothing_is_applied(local: Run, database: str, file: Path):
    file.write_text(FILE + WRONG)

    ended = local("tenants", "apply", str(file))

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        f"marketgate: {file}: line 8: external_id must be a text: put 7 in quotes",
        f"marketgate: {file}: line 11: is no tenant: write external_id, name and plan",
        f"marketgate: {file}: line 12: 'colour' is not known: write external_id, name, plan, owner_email, status, "
        "status_reason",
        f"marketgate: {file}: line 12: name is missing",
        f"marketgate: {file}: line 12: status: 'asleep' is not known: write active or suspended",
        f"marketgate: {file}: 5 faults; nothing was changed",
    ]
    assert stored(database, organisations.c.id) == []


def test_a_row_that_the_gateway_refuses_is_named_by_its_line_too(local: Run, database: str, file: Path):
    file.write_text(FILE.replace("plan: free", "plan: gold"))

    ended = local("tenants", "apply", str(file))

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        f"marketgate: {file}: line 7: plan: There is no plan 'gold': `plans` lists them.",
        f"marketgate: {file}: 1 fault; nothing was changed",
    ]
    assert stored(database, organisations.c.id) == []


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("t.json", "[", "is not JSON ("), ("t.json", "{}", "must hold a list of tenants"),
        ("t.json", '[{"name": "a", "name": "b"}]', "is not JSON ('name' stands twice in one entry)"),
        ("t.yaml", "a: [", "is not YAML ("), ("t.yaml", "name: x", "must hold a list of tenants"),
        ("t.yaml", "- {name: a, name: b}", "line 1: 'name' stands twice in one entry"),
        ("t.yaml", "", "holds no tenant"),
        ("t.yaml", "- !!python/object:os.system {}", "line 1: external_id is missing"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_told(command: Run, tmp_path: Path, name: str, text: str, told: str):
    written = tmp_path / name
    written.write_text(text)

    ended = command("tenants", "apply", str(written))

    assert (ended.code, ended.out) == (2, "")
    assert f"{written}: {told}" in ended.err


def test_a_json_file_names_its_rows_by_number(command: Run, tmp_path: Path):
    written = tmp_path / "tenants.json"
    written.write_text('[\n\t{"external_id": "a", "name": "A", "plan": "free"},\n\t{"external_id": "b"}\n]')

    ended = command("tenants", "apply", str(written))

    assert f"{written}: entry 2: name is missing" in ended.err


def test_two_hundred_tenants_come_from_one_file(local: Run, tmp_path: Path, database: str):
    written = tmp_path / "many.json"
    written.write_text(json.dumps([{"external_id": f"c{n}", "name": f"T {n}", "plan": "free"} for n in range(200)]))

    first, again = (local("tenants", "apply", str(written), "--json") for _ in range(2))
    listed = local("tenants", "list", "--csv")

    assert {each["kind"] for each in json.loads(first.out)["tenantsApply"]["changes"]} == {"CREATED"}
    assert {each["kind"] for each in json.loads(again.out)["tenantsApply"]["changes"]} == {"UNCHANGED"}
    assert len(listed.lines) == 201


def test_an_operators_key_is_printed_once_listed_without_it_and_revoked(local: Run, database: str):
    made = local("operators", "create", "night", "--role", "auditor", "--network", "10.0.0.0/8", "--network", "::1")
    (digest, id) = stored(database, operator_keys.c.digest, operator_keys.c.id)[0]
    listed = local("operators", "list")
    revoked = local("operators", "revoke", id)
    unknown = local("operators", "revoke", "opk_nobody")

    (secret,) = made.lines
    assert secret.startswith("mgop_dev_")
    assert made.err == f"marketgate: {id} is shown this once: keep it where secrets are kept\n"
    (row,) = rows(listed)
    assert (row["name"], row["role"], row["networks"], row["revokedAt"]) == (
        "night",
        "AUDITOR",
        "10.0.0.0/8 ::1/128",
        "",
    )
    assert secret not in listed.out
    assert digest not in listed.out
    assert rows(revoked)[0]["revokedAt"] != ""
    assert (unknown.code, unknown.err) == (
        4, "marketgate: opk_nobody: There is no operator's key with this id: `operatorKeys` lists them.\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (("--role", "king"), "--role: 'king' is not known: write operator or auditor"),
        (("--network", "home"), "n: 'home' is no network: write it like 203.0.113.0/24, 203.0.113.7 or 2001:db8::/32."),
        (("--expires", "2020-01-01"), "n: The key would have expired already: give a later time."),
    ],
)
def test_an_operators_key_that_cannot_be_is_refused(local: Run, database: str, line: tuple[str, str], told: str):
    ended = local("operators", "create", "n", *line)

    assert (ended.code, ended.out, ended.err) == (2, "", f"marketgate: {told}\n")
    assert stored(database, operator_keys.c.id) == []


@pytest.fixture
async def serving(database: str, tmp_path: Path) -> AsyncIterator[House]:
    """A process without Redis on the database that the commands use."""
    async with open_house(database, tmp_path / "serving") as opened:
        yield opened


async def test_a_serving_process_without_redis_notices_what_the_command_line_did(local: Run, serving: House):
    tenant, key = await tenant_with_key(serving)
    quote = '{ quote(symbol: "BTC/USD") { price } }'
    before = await serving.ask(quote, key=key)

    await asyncio.to_thread(local, "tenants", "suspend", tenant, "--reason", "unpaid")
    serving.clock.turn(10)
    after = await serving.ask(quote, key=key)

    assert "errors" not in before
    assert after["errors"][0]["extensions"]["code"] == "TENANT_SUSPENDED"


@pytest.fixture
def far(sqlite_url: str, tmp_path: Path) -> Iterator[str]:
    """A gateway over HTTP on a database of its own."""
    process = started(
        "serve", "--port", "0", MARKETGATE_DATABASE_URL=sqlite_url, MARKETGATE_DATA_DIR=str(tmp_path / "far"),
        MARKETGATE_LOG_LEVEL="error",
    )  # fmt: skip
    yield announced(process)
    process.send_signal(signal.SIGTERM)
    rest(process)


def test_the_same_is_done_far_away_with_an_operators_key(
    command: Run, far: str, sqlite_url: str, tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MARKETGATE_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("MARKETGATE_DATA_DIR", str(tmp_path / "far"))
    (key,) = command("operators", "create", "far").lines
    (auditor,) = command("operators", "create", "reader", "--role", "auditor").lines
    monkeypatch.setenv("MARKETGATE_DATABASE_URL", f"sqlite:///{tmp_path}/elsewhere.sqlite3")

    applied = command("tenants", "apply", str(file), "--url", far, "--api-key", key)
    listed = command("tenants", "list", "--search", "crm-", "--url", far, "--api-key", auditor)
    refused = command("tenants", "create", "x", "--url", far, "--api-key", auditor)
    unknown = command("tenants", "list", "--url", far, "--api-key", "mgop_dev_aaaaaaaaaaaa_" + "b" * 43)

    assert (applied.code, [row["externalId"] for row in rows(listed)]) == (0, ["crm-1", "crm-2"])
    assert (refused.code, refused.out, "operator:write" in refused.err) == (4, "", True)
    assert (unknown.code, "UNAUTHENTICATED" in unknown.err) == (4, True)
    assert {line[0] for line in stored(sqlite_url, audit.c.actor) if line[0] not in ("command line", "system")} == {
        line[0] for line in stored(sqlite_url, operator_keys.c.id, operator_keys.c.name) if line[1] == "far"
    }
