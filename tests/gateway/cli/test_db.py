"""`marketgate db` on both databases, and what a serving process says of a database that does not fit."""

from __future__ import annotations

import json
import signal
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from gateway.core.store import database_url
from gateway.domains import histories
from tests.gateway.cli.conftest import Run, announced, rest, started
from tests.gateway.doubles import ROOT_SECRET
from tests.house import own_plugins

HISTORIES = histories(own_plugins())
NAMES = [history.plugin for history in HISTORIES]
NEWEST = {each.plugin: max(path.name[:4] for path in each.folder.glob("[0-9]*.py")) for each in HISTORIES}
CLOSED = "postgresql://ada:hidden-password@127.0.0.1:9/marketgate"


@pytest.fixture
def bare(bare_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MARKETGATE_DATABASE_URL", bare_database)
    return bare_database


def test_upgrade_makes_all_tables_and_the_second_time_nothing(command: Run, bare: str):
    before, first, again, after = command("db", "check"), *(command("db", "upgrade") for _ in range(2)), command(
        "db", "check"
    )  # fmt: skip

    assert (before.code, before.lines[0]) == (
        4, f"{NAMES[0]} is at nothing, this release needs 0001: run marketgate db upgrade"
    )  # fmt: skip
    assert (first.code, first.lines, first.err) == (
        0,
        [f"{name}\tnothing -> {NEWEST[name]}" for name in NAMES],
        "",
    )
    assert (again.code, again.lines) == (0, [f"{name}\tis at {NEWEST[name]}" for name in NAMES])
    assert (after.code, after.lines) == (0, [f"the database fits this release: {', '.join(NAMES)}"])


def test_one_plugin_goes_back_and_the_others_stay(command: Run, bare: str):
    command("db", "upgrade")

    unsure, fits = command("db", "downgrade", "watchlists", "base"), command("db", "check")
    back, check = command("db", "downgrade", "watchlists", "base", "--yes"), command("db", "check")

    assert (unsure.code, unsure.out, fits.code) == (2, "", 0)
    assert unsure.err == (
        "marketgate: this drops tables or columns of watchlists with all their rows: give --yes if you mean it\n"
    )
    assert (back.code, back.lines) == (0, ["watchlists\t0001 -> nothing"])
    assert (check.code, check.lines) == (
        4, ["watchlists is at nothing, this release needs 0001: run marketgate db upgrade"]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            ("nobody", "base"),
            f"marketgate: 'nobody' is no plugin with tables: write one of {', '.join(sorted(NAMES))}\n",
        ),
        (
            ("accounts", "9999"),
            "marketgate: accounts: Can't locate revision identified by '9999'; nothing was changed\n",
        ),
    ],
)
def test_a_plugin_or_revision_that_is_not_there_is_usage(
    command: Run, bare: str, line: tuple[str, str], told: str
):  # fmt: skip
    command("db", "upgrade")

    ended = command("db", "downgrade", *line, "--yes")

    assert (ended.code, ended.out, ended.err) == (2, "", told)
    assert command("db", "check").code == 0


def test_tables_that_differ_are_told_in_words(command: Run, sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MARKETGATE_DATABASE_URL", sqlite_url)
    engine = create_engine(database_url(sqlite_url).set(drivername="sqlite"))
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE accounts_operator_keys"))
        connection.execute(text("CREATE TABLE accounts_forgotten (id TEXT)"))
    engine.dispose()

    ended = command("db", "check")

    assert (ended.code, sorted(ended.lines)) == (
        3,
        [
            "accounts: the table accounts_forgotten is there and should not be",
            "accounts: the table accounts_operator_keys is missing",
        ],
    )


def test_a_database_that_cannot_be_reached_is_one_line_without_its_password(
    command: Run, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MARKETGATE_DATABASE_URL", CLOSED)

    for line in (("db", "upgrade"), ("db", "check"), ("serve", "--port", "0"), ("tenants", "list")):
        ended = command(*line)
        assert (ended.code, ended.out) == (4, "")
        assert ended.err.startswith(
            "marketgate: the database postgresql://ada:***@127.0.0.1:9/marketgate cannot be used ("
        )
        assert len(ended.err.splitlines()) == 1


def test_a_setting_that_is_wrong_is_named(command: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MARKETGATE_DATABASE_URL", "mysql://ada:hidden-password@127.0.0.1/x")

    ended = command("db", "upgrade")

    assert (ended.code, ended.err) == (
        2, "marketgate: MARKETGATE_DATABASE_URL: must be postgresql://user:password@host/name or sqlite:///file; "
        "write @ in a password as %40, / as %2F\n",
    )  # fmt: skip


def test_production_does_not_migrate_but_refuses_to_start(bare_database: str, tmp_path: Path):
    settings = {
        "MARKETGATE_ENV": "production", "MARKETGATE_DATABASE_URL": bare_database, "MARKETGATE_SECRET_KEY": ROOT_SECRET,
        "MARKETGATE_DATA_DIR": str(tmp_path),
    }  # fmt: skip
    process = started("serve", "--port", "0", **settings)

    out, err = rest(process)

    assert (process.returncode, out) == (4, "")
    assert err.startswith("marketgate: the database does not fit this release: outbox is at nothing, ")
    assert err.count("run marketgate db upgrade") == len(NAMES)
    url = database_url(bare_database)
    engine = create_engine(url.set(drivername="sqlite")) if url.get_backend_name() == "sqlite" else None
    if engine is not None:
        assert inspect(engine).get_table_names() == []
        engine.dispose()


def test_readiness_says_what_the_database_lacks(sqlite_url: str, tmp_path: Path):
    process = started(
        "serve", "--port", "0", MARKETGATE_DATABASE_URL=sqlite_url, MARKETGATE_DATA_DIR=str(tmp_path),
        MARKETGATE_LOG_LEVEL="error",
    )  # fmt: skip
    url = announced(process)
    engine = create_engine(database_url(sqlite_url).set(drivername="sqlite"))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM watchlists_migrations"))
    engine.dispose()

    with pytest.raises(urllib.error.HTTPError) as refused, urllib.request.urlopen(f"{url}/readyz"):
        pass
    process.send_signal(signal.SIGTERM)
    rest(process)

    assert refused.value.code == 503
    assert json.load(refused.value)["missing"] == [
        "watchlists is at nothing, this release needs 0001: run marketgate db upgrade"
    ]
