"""Everything printed in the docs is run: queries on the offline market, commands as processes, links on disk."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^ *```(\w+)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
BIN = Path(sys.executable).parent


def blocks(language: str) -> list[tuple[str, str]]:
    return [
        (page.name, body)
        for page in PAGES
        for kind, body in FENCE.findall(page.read_text(encoding="utf-8"))
        if kind == language
    ]


def commands() -> list[tuple[str, str]]:
    found = []
    for page, body in blocks("sh"):
        found += [(page, line.strip()) for line in body.splitlines() if line.strip()]
    return found


QUERIES = blocks("graphql")
COMMANDS = commands()
ASKING = [(page, line) for page, line in COMMANDS if line.startswith("marketgate ") and "provider new" not in line]


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    """A gateway process on the offline market, started as `make run` starts it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, "MARKETGATE_ENV": "development", "MARKETGATE_PORT": str(port)}
    with subprocess.Popen([str(BIN / "marketgate"), "serve"], env=env, stderr=subprocess.PIPE, cwd=ROOT) as process:
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def wait_for(port: int) -> None:
    for _ in range(400):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("the gateway did not start")


def test_there_are_queries_and_commands_to_run() -> None:
    assert len(QUERIES) >= 4
    assert len(ASKING) >= 4


@pytest.mark.parametrize(("page", "query"), QUERIES)
def test_a_printed_query_answers_without_errors(gateway: str, page: str, query: str) -> None:
    body = json.dumps({"query": query}).encode()
    asked = urllib.request.Request(f"{gateway}/graphql", body, {"content-type": "application/json"})

    answer = json.loads(urllib.request.urlopen(asked).read())

    assert "errors" not in answer
    assert None not in answer["data"].values()


@pytest.mark.parametrize(("page", "line"), ASKING)
def test_a_printed_command_succeeds(page: str, line: str) -> None:
    env = {**os.environ, "MARKETGATE_ENV": "development"}
    if line.startswith("marketgate provider check"):
        line = "marketgate provider check providers/crypto/kraken.py"

    done = subprocess.run([str(BIN / "marketgate"), *shlex.split(line)[1:]], env=env, cwd=ROOT, capture_output=True)

    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout


def test_the_printed_curl_call_gets_a_price(gateway: str) -> None:
    (line,) = [line for _, line in COMMANDS if line.startswith("curl ")]

    done = subprocess.run(shlex.split(line.replace("http://127.0.0.1:8000", gateway)), capture_output=True, check=True)

    assert json.loads(done.stdout)["data"]["quote"]["price"].replace(".", "").isdigit()


def test_every_printed_make_verb_exists() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    verbs = set(re.findall(r"`make ([a-z]+)", text)) | {line.split()[-1] for _, line in COMMANDS if "make " in line}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert {verb for verb in verbs if not re.search(rf"^{verb}:", makefile, re.MULTILINE)} == set()
    assert {"run", "test", "check", "bench", "gen", "setup"} <= verbs


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    targets = [target for target in LINK.findall(page.read_text(encoding="utf-8")) if target != "NNNN-title.md"]

    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_make_run_prints_a_page_that_answers() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, "MARKETGATE_PORT": str(port)}
    # Settings that a shell around this test may hold for `make` itself must not reach the inner one.
    env = {name: value for name, value in env.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    with subprocess.Popen(
        ["make", "run"], env=env, cwd=ROOT, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as run:
        try:
            wait_for(port)
            page = urllib.request.urlopen(f"http://127.0.0.1:{port}/")
        finally:
            os.killpg(run.pid, signal.SIGTERM)
            told = run.communicate(timeout=20)[0].decode()

    assert page.status == 200
    assert f"http://127.0.0.1:{port}" in told
    assert "SIMULATED" in told
