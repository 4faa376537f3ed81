"""One worker process as the gateway sees it. What waits here is called in threads, which let the loop run on."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from contextlib import suppress
from threading import Lock
from typing import IO, Any, NamedTuple, cast

import structlog

from gateway.core.computing.refusals import ComputingFailed, TaskFailed
from gateway.core.computing.wire import How, Told
from gateway.core.settings import without_settings

LESS = "ask for fewer instruments, a shorter range or a longer interval"
SINGLE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Processes are what runs side by side; threads within each would only take turns with each other."""

log = structlog.get_logger(__name__)


class _Started(NamedTuple):
    process: subprocess.Popen[bytes]
    requests: IO[bytes]
    answers: IO[bytes]


class WorkerProcess:
    """Started by its first task, does one at a time; for good once it has ended."""

    def __init__(self, memory_mb: int) -> None:
        self._memory_mb = memory_mb
        self._started: _Started | None = None
        self._doomed, self._lock = False, Lock()

    @property
    def pid(self) -> int | None:
        """Its number, once it is started."""
        return None if self._started is None else self._started.process.pid

    @property
    def alive(self) -> bool:
        """Whether it can take a task."""
        return not self._doomed and (self._started is None or self._started.process.poll() is None)

    def compute(self, task: str, given: tuple[Any, ...]) -> Any:
        """Wait for the answer; what the task raises, ComputingFailed where the process ends without one."""
        try:
            started = self._start()
            # Large values pass in frames; each lets the other threads run.
            pickle.dump((task, given), started.requests, pickle.HIGHEST_PROTOCOL)
            started.requests.flush()
            how, what = pickle.load(started.answers)  # noqa: S301 - from a process of ours
        except (EOFError, OSError, pickle.UnpicklingError):
            raise self._died(task) from None
        except BaseException:
            self.end()
            raise
        return self._read(task, How(how), what)

    def kill(self) -> None:
        """Without waiting; who waits for an answer hears of it."""
        with self._lock:
            self._doomed = True
            if self._started is not None:
                self._started.process.kill()

    def end(self) -> int:
        """Kill it and wait until it is gone; the code that it ended with."""
        self.kill()
        if self._started is None:
            return 0
        code = self._started.process.wait()
        for pipe in (self._started.requests, self._started.answers):
            with suppress(OSError):
                pipe.close()
        return code

    def _start(self) -> _Started:
        with self._lock:
            if self._doomed:
                raise EOFError
            if self._started is None:
                process = subprocess.Popen(  # noqa: S603 - this interpreter, a module of ours
                    [sys.executable, "-P", "-m", "gateway.core.computing.worker", str(self._memory_mb)],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    env=without_settings(**SINGLE, PYTHONPATH=os.pathsep.join(filter(None, sys.path))),
                )  # fmt: skip
                self._started = _Started(process, cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout))
            return self._started

    def _died(self, task: str) -> ComputingFailed:
        wanted, code = self._doomed, self.end()
        if not wanted:
            log.error("computing_process_died", task=task, code=code)
        if code == -signal.SIGKILL:
            return ComputingFailed(f"The process that computed it was killed, most likely for lack of memory: {LESS}.")
        return ComputingFailed("The process that computed it has crashed: the log says more. Other input may do.")

    def _read(self, task: str, how: How, what: Any) -> Any:
        if how is How.VALUE:
            return what
        if how is How.REFUSED:
            raise Told(*what).error()
        if how is How.NO_MEMORY:
            # What is left of its memory is in pieces.
            self.end()
            raise ComputingFailed(f"It needs more than the {self._memory_mb} MiB that a computation may use: {LESS}.")
        log.error("computing_task_failed", task=task, traceback=what)
        raise TaskFailed(f"{task} has failed: {what.strip().splitlines()[-1]}")
