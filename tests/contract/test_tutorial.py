"""docs/tutorial.md from its first line to its last: one gateway, and all that is printed in the order of the page."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.contract.printed import ROOT, blocks_of, blocks_of_clients
from tests.forked import Forked, run

PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
STEPS = [(kind, body) for kind, body in blocks_of(PAGE) if body not in blocks_of_clients()]
SOON_S = 30.0
KEY = re.compile(r"\bmg_dev_\w+_\w+\b")
WEBHOOK_PORT = "3000"
# The first makes the environment and starts the gateway, as the fixture does; the last would ask the real world.
NOT_RUN = {'export PATH="$PWD/.venv/bin:$PATH"', "make run", "MARKETGATE_UPSTREAMS=live make run"}


@dataclass
class Newcomer:
    """What somebody has on their screen who follows the page."""

    url: str
    key: str
    folder: Path
    port: int
    told: dict[str, str] = field(default_factory=dict)
    """What the page leaves open, from the answers: a secret, an account."""
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def completed(self, text: str) -> str:
        """With what was told before in place of what the page leaves open."""
        for prefix, value in self.told.items():
            text = text.replace(f"{prefix}…", value)
        return text.replace(f":{WEBHOOK_PORT}/", f":{self.port}/").replace(f" {WEBHOOK_PORT}", f" {self.port}")

    def ask(self, query: str, **headers: str) -> Any:
        body = json.dumps({"query": self.completed(query)}).encode()
        sent = {"content-type": "application/json", "x-api-key": self.key, **headers}
        return urllib.request.urlopen(urllib.request.Request(f"{self.url}/graphql", body, sent))

    def answered(self, query: str) -> dict[str, Any]:
        with self.ask(query) as answer:
            told = json.loads(answer.read())
        assert "errors" not in told, told
        for value in told["data"].values():
            assert value is not None
            assert not value.get("userErrors"), value
        return dict(told["data"])


def wait_for(path: Path, pattern: str) -> str:
    """What a file holds once it matches."""
    end = time.monotonic() + SOON_S
    while time.monotonic() < end:
        if found := re.search(pattern, path.read_text()):
            return found.group()
        time.sleep(0.02)
    raise TimeoutError(f"{pattern}: {path.read_text()[-500:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    port, out = free_port(), tmp_path / "out"
    env = {
        **os.environ, "MARKETGATE_ENV": "development", "MARKETGATE_PORT": str(port),
        "MARKETGATE_DATA_DIR": str(tmp_path / "data"),
    }  # fmt: skip
    with out.open("wb") as file:
        gateway = Forked(["serve"], env=env, cwd=ROOT, stdout=file, stderr=file)
    person = Newcomer(f"http://127.0.0.1:{port}", wait_for(out, KEY.pattern), tmp_path, free_port())
    try:
        yield person
    finally:
        for process in person.started:
            process.kill()
            process.wait()
        gateway.kill()
        gateway.wait()


def test_the_tutorial_works_from_its_first_line_to_its_last(newcomer: Newcomer):
    """One test, because each step stands on those before it."""
    done = [step(newcomer, kind, body) for kind, body in STEPS]

    assert done.count("graphql") == 11
    assert done.count("sh") == 6
    assert wait_for(newcomer.folder / "received", r"price.alert.triggered price crosses above 1\n")


def step(newcomer: Newcomer, kind: str, body: str) -> str:
    """Do what the page says next."""
    if kind == "python":
        (newcomer.folder / "receiver.py").write_text(body)
    elif kind == "graphql" and body.startswith("subscription"):
        with newcomer.ask(body, accept="text/event-stream") as stream:
            data = next(line for line in stream if line.startswith(b"data: "))
        assert "errors" not in json.loads(data.removeprefix(b"data: "))
    elif kind == "graphql":
        remember(newcomer, newcomer.answered(body))
    else:
        assert kind == "sh"
        for line in filter(None, body.splitlines()):
            command(newcomer, newcomer.completed(line))
    return kind


def remember(newcomer: Newcomer, data: dict[str, Any]) -> None:
    hook, account = data.get("webhookEndpointCreate"), data.get("tradingAccountCreate")
    newcomer.told |= {"whsec_": hook["secret"]} if hook else {"tacc_": account["account"]["id"]} if account else {}
    if failures := data.get("quotes", {}).get("failures"):
        page = urllib.request.urlopen(newcomer.url + failures[0]["docs"])
        assert "<h1>" in page.read().decode()
    if order := data.get("orderPlace"):
        assert order["order"]["status"] == "FILLED"


def command(newcomer: Newcomer, line: str) -> None:
    if line in NOT_RUN:
        return
    if line.startswith("marketgate "):
        env = {**os.environ, "MARKETGATE_ENV": "development"}
        ended = run(shlex.split(line)[1:], env=env, cwd=ROOT)
        assert (ended.returncode, bool(ended.stdout)) == (0, True), ended.stderr
        return
    setting, python, *words = shlex.split(line)
    name, _, path = setting.partition("=")
    assert (name, python, words[0]) == ("PYTHONPATH", "python", "receiver.py")
    with (newcomer.folder / "received").open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=newcomer.folder, env={**os.environ, name: str(ROOT / path)}, stdout=file, stderr=subprocess.STDOUT,
        )  # fmt: skip
    newcomer.started.append(process)
    end = time.monotonic() + SOON_S
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", newcomer.port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError((newcomer.folder / "received").read_text())
