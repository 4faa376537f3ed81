"""A process of Node that runs what tests write, with the installed client at hand."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

DRIVER = Path(__file__).with_name("driver.mjs")
PATIENCE_S = 20.0


class Thrown(Exception):
    """What the code threw; `fault` is a GatewayError's."""

    def __init__(self, name: str, message: str, fault: Mapping[str, Any] | None, data: Any) -> None:
        super().__init__(message)
        self.name, self.fault, self.data = name, fault, data


class Node:
    """One process; see driver.mjs for what the code finds."""

    def __init__(self, folder: Path) -> None:
        shutil.copy(DRIVER, folder / "tests.mjs")
        self.process = subprocess.Popen(
            ["node", "--no-warnings", "tests.mjs"],
            cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, body: str, *, on: Mapping[str, Callable[[], object]] | None = None, **given: object) -> Any:
        """What the body of an async function returns, or Thrown; its `await told("name")` calls `on["name"]`."""
        late = threading.Timer(PATIENCE_S, self.process.kill)
        late.start()
        try:
            return self._run({"body": body, "given": given}, on or {})
        finally:
            late.cancel()

    def close(self) -> None:
        """Let the process end by itself: what keeps it alive after its last line is the client's fault."""
        try:
            self.process.communicate(timeout=10)
        finally:
            self.process.kill()

    def _run(self, call: object, on: Mapping[str, Callable[[], object]]) -> Any:
        self._say(call)
        while "told" in (answer := self._hear()):
            on[answer["told"]]()
            self._say("done")
        if "thrown" in answer:
            raise Thrown(**answer["thrown"])
        return answer["value"]

    def _say(self, word: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(word) + "\n")
        self.process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"Node said nothing for {PATIENCE_S} s, or ended"
        return dict(json.loads(line))
