"""The gateway as its own process, killed and started again on the same database."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.market.process import COMMAND, environment, free_port, wait_until_ready
from tests.e2e.market.process import Gateway as Process
from tests.forked import Forked
from tests.gateway.doubles import ROOT_SECRET

KEY = re.compile(r"\bmg_dev_[0-9A-Za-z]+_[0-9A-Za-z]+\b")
LINK = re.compile(r"http://\S+/sign-in\?token=\S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A process and the development key that it printed."""

    process: Forked
    client: httpx.Client
    file: Path

    @property
    def output(self) -> str:
        """What it printed and logged so far."""
        return self.file.read_text(errors="replace")

    @property
    def key(self) -> str:
        """The development organisation's key."""
        found = KEY.search(self.output)
        assert found, self.output
        return found.group()

    def wait_for_key(self) -> None:
        """It is printed once the process serves, a moment after it is ready."""
        deadline = time.monotonic() + 20
        while not KEY.search(self.output):
            assert time.monotonic() < deadline, self.output
            time.sleep(0.02)

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """The whole response, asked with the development key."""
        sent = {"query": query, "variables": variables}
        response = self.client.post("/graphql", json=sent, headers={"x-api-key": self.key})
        return dict(response.json())

    def kill(self) -> None:
        """No warning, no clean-up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=60)


@contextmanager
def running(folder: Path, database: str, **settings: str) -> Iterator[Running]:
    """A development process on a database; whatever is left of it is ended."""
    port, file = free_port(), folder / f"gateway-{free_port()}.log"
    given = {"ENV": "development", "DATABASE_URL": database, "SECRET_KEY": ROOT_SECRET, **settings}
    with file.open("wb") as log:
        process = Forked(COMMAND, env=environment(folder, port, given), cwd=folder, stdout=log, stderr=log)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20.0, trust_env=False) as client:
        try:
            wait_until_ready(Process(url=str(client.base_url), client=client, process=process, file=file))
            found = Running(process=process, client=client, file=file)
            found.wait_for_key()
            yield found
        finally:
            process.kill()
            process.wait(timeout=60)
