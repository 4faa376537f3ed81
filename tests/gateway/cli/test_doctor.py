"""`marketgate doctor` over the real offline market, in this process."""

from __future__ import annotations

import json
import socket

import pytest

from tests.contract.suite import PROVIDERS
from tests.gateway.cli.conftest import Run

KEYED = {name for name, cls in PROVIDERS.items() if cls.profile.credentials}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def checks(out: str) -> dict[str, str]:
    return {check["check"]: check["result"] for check in json.loads(out)["checks"]}


def test_the_doctor_finds_nothing_wrong_with_the_offline_market(command: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MARKETGATE_PORT", str(free_port()))

    ended = command("doctor", "--json")

    assert (ended.code, ended.err) == (0, "")
    assert checks(ended.out) == {
        "marketgate": "ok", "python": "ok", "packages": "ok", "settings": "ok", "mode": "note", "port": "ok",
        "secrets": "note", "database": "note", "redis": "note",
        "providers": "ok", "recordings": "ok", **{f"provider {name}": "note" for name in KEYED},
    }  # fmt: skip


def test_the_doctor_fails_where_the_port_is_taken(command: Run, monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("MARKETGATE_PORT", str(taken.getsockname()[1]))

        ended = command("doctor", "--json")

    assert (ended.code, checks(ended.out)["port"]) == (4, "fail")


def test_the_doctor_warns_of_a_setting_that_is_none(command: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MARKETGATE_PORT", str(free_port()))
    monkeypatch.setenv("MARKETGATE_UPSTREAM", "live")

    ended = command("doctor")

    assert ended.code == 3
    assert "settings\twarn\tMARKETGATE_UPSTREAM is not a setting; did you mean MARKETGATE_UPSTREAMS?" in ended.lines


def test_the_doctor_names_a_wrong_setting_and_ends_like_the_server(command: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MARKETGATE_ENV", "testing")

    ended = command("doctor", "--json")

    assert (ended.code, checks(ended.out)["settings"]) == (2, "fail")


def test_the_doctor_asks_upstreams_only_in_live_mode_and_when_told(command: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MARKETGATE_PORT", str(free_port()))
    monkeypatch.setenv("MARKETGATE_UPSTREAMS", "live")
    monkeypatch.setenv("MARKETGATE_UPSTREAM_BASE", f"http://127.0.0.1:{free_port()}")

    quiet, online = command("doctor", "--json"), command("doctor", "--online", "--json")

    assert (quiet.code, checks(quiet.out)["upstreams"]) == (0, "note")
    assert (online.code, checks(online.out)["upstreams"]) == (4, "fail")
    assert checks(online.out)["upstream kraken"] == "warn"
    assert "upstream alphavantage" not in checks(online.out)
