"""The command line in this process over the real offline market, and a gateway that really listens on loopback."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from websockets.sync.server import ServerConnection, serve

from gateway.cli.app import run
from gateway.core import telemetry
from tests.house import schema_for
from tests.planted import PLANTED, shown_in

ROOT = Path(__file__).parents[3]
Run = Callable[..., "Ended"]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The data's lines."""
        return self.out.splitlines()


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs `marketgate ...` with the settings of `make run`, away from any `.env`."""
    monkeypatch.setenv("MARKETGATE_ENV", "development")
    monkeypatch.chdir(tmp_path)
    # Loggers are one per process, and other tests listen to theirs.
    monkeypatch.setattr(telemetry, "configure_logging", lambda *_: None)
    # Each command would build the schema anew, which is most of its time.
    monkeypatch.setattr("gateway.app.build_schema", schema_for)

    def invoke(*arguments: str) -> Ended:
        capsys.readouterr()
        with capture_logs():
            code = run(arguments)
        out, err = capsys.readouterr()
        return Ended(code, out, err)

    return invoke


def started(*arguments: str, **settings: str) -> subprocess.Popen[str]:
    """A process of its own, with local state of its own unless a folder is given."""
    given = {"MARKETGATE_ENV": "development", "PYTHONPATH": str(ROOT), **settings}
    given.setdefault("MARKETGATE_OTLP_HEADERS", f"x-planted={PLANTED[1]}")
    given.setdefault("MARKETGATE_DATA_DIR", tempfile.mkdtemp(prefix="marketgate"))
    environment = {**os.environ, **given}
    # A shell that starts the suite in the background has it ignore interrupts, and children inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "gateway", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment, cwd=ROOT / "tests",
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, before)


def announced(process: subprocess.Popen[str]) -> str:
    """The address that a serving process prints first."""
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.fullmatch(r"Marketgate +(http://127\.0\.0\.1:\d+)/\n", line)
    assert found, line
    return found[1]


def rest(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What else it prints until it ends. `communicate` would lose what stands in the buffer behind a read line."""
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout as stdout, process.stderr as stderr:
        printed = stdout.read(), stderr.read()
    process.wait()
    assert shown_in("".join(printed)) == []
    return printed


@pytest.fixture(scope="session")
def gateway_url() -> Iterator[str]:
    """A gateway over HTTP."""
    process = started("serve", "--port", "0", MARKETGATE_LOG_LEVEL="error")
    yield announced(process)
    process.terminate()
    process.communicate()


Script = Callable[[ServerConnection, dict[str, Any]], None]


@pytest.fixture
def scripted() -> Iterator[Callable[..., tuple[str, list[dict[str, Any]]]]]:
    """A gateway that plays one script a connection, and keeps what it was subscribed to with and the key."""
    servers = []

    def start(*scripts: Script) -> tuple[str, list[dict[str, Any]]]:
        seen: list[dict[str, Any]] = []
        left = list(scripts)

        def handle(socket: ServerConnection) -> None:
            assert json.loads(socket.recv())["type"] == "connection_init"
            socket.send(json.dumps({"type": "connection_ack"}))
            asked = json.loads(socket.recv())["payload"]
            assert socket.request is not None
            seen.append({**asked, "key": socket.request.headers.get("x-api-key")})
            left.pop(0)(socket, asked)

        server = serve(handle, "127.0.0.1", 0, subprotocols=["graphql-transport-ws"])  # type: ignore[list-item]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.socket.getsockname()[1]}", seen

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
