"""`marketgate …`, or a program of tests, as a process of its own, forked from one that has imported it: a start costs
a sixth of the CPU.

What a fresh interpreter does is seen by the tests of `tests/gateway/cli` and of the documentation, which start some.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import IO

CONTEXT: ForkServerContext = get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.preloaded"])
Program = Callable[[list[str]], None]
"""Takes its arguments, and is found in its module by its name."""


def marketgate(arguments: list[str]) -> None:
    """The command line."""
    sys.argv = ["marketgate", *arguments]
    from gateway.__main__ import main

    main()


class Forked:
    """As much of `subprocess.Popen` as the tests use."""

    def __init__(
        self, arguments: Sequence[str], *, env: Mapping[str, str], cwd: Path, stdout: IO[bytes], stderr: IO[bytes],
        program: Program = marketgate,
    ) -> None:  # fmt: skip
        # A connection is what multiprocessing hands a descriptor over as.
        out, err = (Connection(os.dup(file.fileno()), readable=False) for file in (stdout, stderr))
        self._process = CONTEXT.Process(target=_run, args=(program, list(arguments), dict(env), str(cwd), out, err))
        self._process.start()
        out.close()
        err.close()

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """How it ended, negative for a signal; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """How it ended; TimeoutExpired where it has not."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("marketgate", timeout or 0.0)
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        """To a process that may have ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def run(arguments: Sequence[str], *, env: Mapping[str, str], cwd: Path, timeout: float = 120.0) -> Ended:
    """Until it ends by itself."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = Forked(arguments, env=env, cwd=cwd, stdout=out, stderr=err)
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        out.seek(0)
        err.seek(0)
        return Ended(code, out.read().decode(), err.read().decode())


def _run(
    program: Program, arguments: list[str], env: dict[str, str], cwd: str, out: Connection, err: Connection
) -> None:  # fmt: skip
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    out.close()
    err.close()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    program(arguments)
