"""A newcomer's way through the README, with exactly what it prints and the PATH that a newcomer has, in a fresh copy of
nothing but the repository: the files as they are, committed or not.

In CI (MARKETGATE_TEST_NO_SKIPS=1) the copy sets up an environment of its own, as a newcomer's does; on a desk, where
that would be half a minute of every run, it takes the one that runs the suite.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.contract.printed import ROOT, blocks_of
from tests.gateway.cli.gateways import Local
from tests.skips import none_allowed

KEY = re.compile(r"\bmg_dev_\w+_\w+\b")
SET_UP_S = 150.0
WHOLE = none_allowed()
ENVIRONMENT = Path(sys.executable).parents[1]
UNREACHABLE = re.compile(
    r"^npm (?:ERR!|error) .*(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH)"
    r"|^WARNING: Retrying .*(?:NewConnectionError|NameResolutionError)",
    re.MULTILINE,
)
"""What npm and pip say of a registry; the same words of the gateway or of a client are a failure."""


@dataclass
class Newcomer:
    """What is on the screen of somebody who reads the README beside a running gateway."""

    copy: Path
    blocks: list[tuple[str, str]]
    url: str
    told: str
    """What `make run` has printed."""
    env: dict[str, str]
    hook: str = ""
    """The id of an endpoint, once there is one."""
    receiver: str = ""
    """Where webhooks are to go instead of port 3000."""

    @property
    def key(self) -> str:
        """The key among it."""
        return str(KEY.findall(self.told)[0])

    def printed(self, label: str) -> str:
        """What `make run` has printed behind a label."""
        (found,) = re.findall(rf"^{label} +(.+)$", self.told, re.MULTILINE)
        return str(found)

    def block(self, kind: str, beginning: str) -> str:
        """The one printed block of a language that begins so."""
        (found,) = [body for each, body in self.blocks if each == kind and body.startswith(beginning)]
        return self.mine(found)

    def line(self, beginning: str, *, holding: str = "") -> str:
        """The one printed command that begins so."""
        lines = [line for kind, body in self.blocks if kind == "sh" for line in body.splitlines()]
        (found,) = [line for line in lines if line.startswith(beginning) and holding in line]
        return self.mine(found)

    def mine(self, text: str) -> str:
        """With this machine's ports, key and endpoint."""
        text = text.replace("http://127.0.0.1:8000", self.url).replace("http://127.0.0.1:3000", self.receiver)
        return text.replace("mg_…", self.key).replace("hook_…", self.hook)

    def shell(self, line: str, folder: Path | None = None) -> str:
        """What a command prints in a shell."""
        done = subprocess.run(
            ["bash", "-c", line], cwd=folder or self.copy, env=self.env, capture_output=True, text=True,
            check=False, timeout=SET_UP_S,
        )  # fmt: skip
        unreachable(done.stderr)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    def ask(self, query: str) -> dict[str, Any]:
        """The data of a printed operation."""
        sent = {"content-type": "application/json", "x-api-key": self.key}
        body = json.dumps({"query": query}).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/graphql", body, sent)) as answer:
            return dict(json.loads(answer.read())["data"])


def unreachable(told: str) -> None:
    if UNREACHABLE.search(told):
        pytest.skip("a registry cannot be reached")


@pytest.mark.parametrize(
    ("told", "means"),
    [
        ("npm error network request to https://a.test/vite failed, reason: connect ECONNREFUSED 127.0.0.1:4873", True),
        ("npm error code ENOTFOUND", True),
        ("WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError(...)': /simple/pip/", True),
        ("[cause]: Error: connect ECONNREFUSED 127.0.0.1:8001", False),
        ("marketgate: http://127.0.0.1:8001/graphql cannot be reached (Name or service not known)", False),
    ],
)
def test_only_what_installs_packages_speaks_of_a_registry(told: str, means: bool) -> None:
    assert bool(UNREACHABLE.search(f"first\n{told}\n")) is means


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a clone of the sources as they are would hold."""
    folder = tmp_path_factory.mktemp("clone")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=False)
    if names.returncode:
        pytest.skip("these sources are no clone")
    for name in filter(None, names.stdout.split("\0")):
        if (source := ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name, follow_symlinks=False)
    return folder


@pytest.fixture(scope="module")
def newcomer(copy: Path) -> Iterator[Newcomer]:
    """Beside a gateway that the README's first command has set up and started."""
    blocks = blocks_of((copy / "README.md").read_text(encoding="utf-8"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Settings that a shell around this test may hold for `make` itself must not reach the inner one.
    left_out = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARGS", "VENV", "PYTHONPATH", "VIRTUAL_ENV")
    here = str(ENVIRONMENT / "bin")
    env = {name: value for name, value in os.environ.items() if name not in left_out}
    env |= {"MARKETGATE_PORT": str(port), "MARKETGATE_DATA_DIR": str(copy / "state"), "NO_PROXY": "127.0.0.1"}
    env |= {"PATH": os.pathsep.join(each for each in env["PATH"].split(os.pathsep) if each != here)}
    if not WHOLE:
        (copy / ".venv").symlink_to(ENVIRONMENT)
        env |= {"PYTHONPATH": f"{copy}:{copy / 'schema' / 'client' / 'python'}"}
        leave_alone(copy, env)
    (first,) = [body.strip() for kind, body in blocks[:1] if kind == "sh"]
    assert first == "make run"
    # The Python that runs the suite is one that the project takes; which one PATH has is the machine's affair.
    command = [*shlex.split(first), f"PYTHON={sys.executable}"]
    with subprocess.Popen(
        command, cwd=copy, env=env, text=True, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        lines: Queue[str] = Queue()
        reader = Thread(target=pass_on, args=(process.stdout, lines))
        reader.start()
        try:
            yield Newcomer(copy, blocks, f"http://127.0.0.1:{port}", told_by(lines), env)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            # To the end of what is told: only then may it be closed.
            reader.join()


def leave_alone(copy: Path, env: dict[str, str]) -> None:
    """Nothing in the copy is newer than the environment, so that make does not install it there."""
    for path in (copy / "pyproject.toml", *(copy / "requirements").iterdir()):
        os.utime(path, (0, 0))
    planned = subprocess.run(["make", "-n", "run"], cwd=copy, env=env, capture_output=True, text=True, check=True)
    assert "install" not in planned.stdout, "the environment is older than the sources: make setup"


def pass_on(out: Iterable[str], lines: Queue[str]) -> None:
    """Also what nobody waits for any more: a full pipe would stop the gateway."""
    for line in chain(out, [""]):
        lines.put(line)


def told_by(lines: Queue[str]) -> str:
    """What the gateway prints, once it is there."""
    told = ""
    while line := lines.get(timeout=SET_UP_S):
        told += line
        if line.startswith("Mode "):
            return told
    unreachable(told)
    raise AssertionError(told)


def test_the_readme_leads_from_a_clone_to_a_price_a_stream_a_webhook_and_both_clients(
    newcomer: Newcomer, tmp_path: Path
) -> None:
    price = re.compile(r"\d+\.\d+")

    # What `make run` prints.
    for label in ("With curl", "With its CLI"):
        assert price.search(newcomer.shell(newcomer.printed(label)))

    # A query.
    anonymous = newcomer.shell(newcomer.line("curl", holding="BTC/USD"))
    assert price.fullmatch(json.loads(anonymous)["data"]["quote"]["price"])
    keyed = newcomer.shell(newcomer.line("curl", holding="x-api-key"))
    assert json.loads(keyed)["data"]["viewer"]["tenant"]["name"] == "Development"

    # A subscription.
    watched = newcomer.shell(newcomer.line(".venv/bin/marketgate watch"))
    assert len(watched.splitlines()) >= 3
    assert "BTC/USD" in watched

    # A webhook.
    with Local.open() as local:
        newcomer.receiver = local.url
        made = newcomer.ask(newcomer.block("graphql", "mutation Hook"))["webhookEndpointCreate"]
        newcomer.hook = made["webhookEndpoint"]["id"]
        newcomer.shell(newcomer.line(".venv/bin/marketgate webhooks trigger"))
        headers, body = local.next()
    assert Webhook(made["secret"]).verify(body, headers)["type"] == "apikey.created"
    woken = newcomer.ask(newcomer.block("graphql", "mutation Wake"))["alertCreate"]
    assert woken["userErrors"] == []

    # The clients.
    install = newcomer.line(".venv/bin/python -m pip install")
    if WHOLE:
        newcomer.shell(install)
    (tmp_path / "first.py").write_text(newcomer.block("python", "from decimal"))
    assert price.match(newcomer.shell(f"{install.split()[0]} {tmp_path / 'first.py'}"))
    if shutil.which("npm") is None:
        pytest.skip("no npm on this machine")
    newcomer.shell(newcomer.line("cd schema/client/typescript"))
    archive = newcomer.copy / "schema/client/typescript/marketgate-client-0.1.0.tgz"
    shutil.copy(archive, tmp_path)
    newcomer.shell(newcomer.line("npm install"), tmp_path)
    (tmp_path / "first.mjs").write_text(newcomer.block("ts", "import { CandlesDocument"))
    assert re.match(r"[\d,]+\.\d+ USD sandbox\n\[", newcomer.shell("node first.mjs", tmp_path))
