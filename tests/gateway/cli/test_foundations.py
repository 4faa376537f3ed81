"""What the doctor says of secrets, the database and Redis."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tests.gateway.cli.conftest import Ended, Run
from tests.gateway.doubles import ROOT_SECRET

NAMES = ("secrets", "database", "redis")


@pytest.fixture
def doctor(command: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Away from a gateway that serves on this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MARKETGATE_PORT", str(probe.getsockname()[1]))

    def run(**settings: str) -> Ended:
        for name, value in settings.items():
            monkeypatch.setenv(f"MARKETGATE_{name}", value)
        return command("doctor", "--json")

    return run


def found(ended: Ended) -> dict[str, tuple[str, str]]:
    listed = json.loads(ended.out)["checks"]
    return {each["check"]: (each["result"], each["detail"]) for each in listed if each["check"] in NAMES}


def test_a_production_that_lacks_everything_is_told_what(doctor: Run, tmp_path: Path):
    ended = doctor(ENV="production", DATA_DIR=str(tmp_path / "state"))

    checks = found(ended)
    place = f"sqlite:///{tmp_path}/state/marketgate.sqlite3"
    assert ended.code == 4
    assert checks["secrets"] == (
        "fail",
        "MARKETGATE_SECRET_KEY: is not set: production needs a root secret of 32 bytes or more; `openssl rand -base64 "
        "48` makes one",
    )
    assert checks["database"] == ("fail", f"{place} is not there: run marketgate db upgrade")
    assert checks["redis"][0] == "note"
    assert not (tmp_path / "state").exists()


def test_a_production_that_has_everything_is_well(doctor: Run, database: str, redis_url: str):
    ended = doctor(ENV="production", DATABASE_URL=database, REDIS_URL=redis_url, SECRET_KEY=ROOT_SECRET)

    checks = found(ended)
    assert ended.code == 0
    assert {name: result for name, (result, _) in checks.items()} == dict.fromkeys(NAMES, "ok")
    assert checks["database"][1].endswith(" has the tables of this release")


def test_a_database_without_tables_and_a_redis_that_is_gone(doctor: Run, bare_database: str):
    if bare_database.startswith("sqlite"):
        Path(bare_database.removeprefix("sqlite:///")).touch()

    ended = doctor(
        ENV="production", DATABASE_URL=bare_database, REDIS_URL="redis://:hidden@127.0.0.1:9/0", SECRET_KEY=ROOT_SECRET
    )

    checks = found(ended)
    assert (ended.code, checks["database"][0], checks["redis"][0]) == (4, "fail", "warn")
    assert checks["database"][1].startswith("outbox is at nothing, this release needs 0001: run marketgate db upgrade")
    assert "hidden" not in ended.out + ended.err


def test_a_database_that_cannot_be_reached_fails_without_showing_its_password(doctor: Run):
    ended = doctor(DATABASE_URL="postgresql://ada:hidden-password@127.0.0.1:9/marketgate")

    result, detail = found(ended)["database"]
    assert (ended.code, result) == (4, "fail")
    assert detail.startswith("the database postgresql://ada:***@127.0.0.1:9/marketgate cannot be used (")
    assert "hidden-password" not in ended.out + ended.err


def test_a_secret_of_development_and_one_that_is_still_there_after_a_rotation_are_told(doctor: Run):
    rotating = found(doctor(SECRET_KEY=ROOT_SECRET, SECRET_KEY_PREVIOUS=ROOT_SECRET[::-1]))["secrets"]
    development = found(doctor(ENV="production", SECRET_KEY="development-" + ROOT_SECRET))["secrets"]

    assert rotating == ("note", "MARKETGATE_SECRET_KEY_PREVIOUS is set: take it away once the rotation is over")
    assert development[0] == "fail"
    assert "is a development secret" in development[1]
