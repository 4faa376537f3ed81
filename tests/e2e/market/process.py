"""The gateway as its own process, its log read at the end."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from gateway.core.settings import Settings
from tests.forked import Forked, run
from tests.furnished import furnish
from tests.gateway.doubles import ROOT_SECRET

START_SECONDS = 120.0
DATABASE = "marketgate.sqlite3"
COMMAND = ["serve"]
# What a log never holds: an unmasked fault, an adapter's own defect, a task nobody looked after.
DEFECTS = ("Traceback", "internal_error", "adapter_defect", "was never retrieved", "never awaited")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A running process."""

    url: str
    client: httpx.Client
    process: Forked
    file: Path
    key: str = ""
    """Of an organisation that nothing limits; `client` sends it."""

    @property
    def log(self) -> str:
        """What it wrote to stderr so far."""
        return self.file.read_text(errors="replace")

    def send(self, query: str, variables: Mapping[str, object] | None = None) -> dict[str, Any]:
        """The whole response of one operation."""
        response = self.client.post("/graphql", json={"query": query, "variables": variables})
        assert response.status_code == 200, response.text
        return dict(response.json())

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """The data of an operation that must not fail."""
        answer = self.send(query, variables)
        assert "errors" not in answer, answer["errors"]
        return dict(answer["data"])

    def refusal(self, query: str, **variables: object) -> dict[str, Any]:
        """The one error of an operation that must fail."""
        errors = self.send(query, variables)["errors"]
        assert len(errors) == 1, errors
        return {"message": errors[0]["message"], **errors[0]["extensions"]}


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[Gateway]:
    """Start, wait until it is ready, and see afterwards that nothing broke inside."""
    port, file = free_port(), folder / "gateway.log"
    made, key = furnished(settings.get("ENV", "production"))
    if not (database := folder / DATABASE).exists():
        shutil.copy(made, database)
    with file.open("wb") as log:
        process = Forked(COMMAND, env=environment(folder, port, settings), cwd=folder, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    headers = {"x-api-key": key}
    with httpx.Client(base_url=url, headers=headers, timeout=40.0, trust_env=False) as client:
        gateway = Gateway(url=url, key=key, client=client, process=process, file=file)
        try:
            wait_until_ready(gateway)
            yield gateway
            assert process.poll() is None, gateway.log
        finally:
            process.terminate()
            process.wait(timeout=60)
    found = [defect for defect in DEFECTS if defect in gateway.log]
    assert not found, f"{found} in the log:\n{gateway.log[-8000:]}"


def environment(folder: Path, port: int, settings: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the developer's own settings goes along."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("MARKETGATE_")}
    usual = {"PORT": str(port), "DATA_DIR": str(folder), "SECRET_KEY": ROOT_SECRET}
    return {**own, **{f"MARKETGATE_{name}": value for name, value in {**usual, **settings}.items()}}


@cache
def furnished(env: str) -> tuple[Path, str]:
    """An embedded database with all tables, made once (production does not make its own), and a key of it."""
    path = Path(tempfile.mkdtemp(prefix="marketgate")) / DATABASE
    given = {"env": env, "database_url": f"sqlite:///{path}", "secret_key": ROOT_SECRET, "data_dir": path.parent}
    return path, furnish(Settings.model_validate(given))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(gateway: Gateway) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert gateway.process.poll() is None, gateway.log
        try:
            if gateway.client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.02)
    raise AssertionError(f"not ready after {START_SECONDS} s:\n{gateway.log}")


def refused_start(folder: Path, **settings: str) -> tuple[int, str]:
    """Exit code and stderr of a start that must not happen."""
    ended = run(COMMAND, env=environment(folder, free_port(), settings), cwd=folder, timeout=START_SECONDS)
    return ended.returncode, ended.stderr
