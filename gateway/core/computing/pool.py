"""The pool of worker processes; see `gateway.core.ports.Computing`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateway.core.clock import Clock
from gateway.core.computing.fairqueue import FairQueue
from gateway.core.computing.process import LESS, WorkerProcess
from gateway.core.computing.refusals import ComputingFailed
from gateway.core.computing.threads import beside
from gateway.core.contract import Worker
from gateway.core.metrics import counter, gauge, histogram
from schema.errors import DeadlineExceeded, MarketgateError

ALLOWED = "gateway.core.quant."
"""What the names of tasks begin with."""
MOST_WAITING = 100
"""Computations of one tenant."""
IDLE_S, LOOK_S = 300.0, 60.0
GRACE_S = 1.0
"""What runs for nobody any more may end by itself within this time: a new process costs more than most tasks."""
STOPPING = "The gateway is stopping: ask again in a moment."

WAITING = gauge("marketgate_computing_waiting", "Computations that wait for a process.", "task")
RUNNING = gauge("marketgate_computing_running", "Computations that run.", "task")
SECONDS = histogram("marketgate_computing_seconds", "Time of a computation in its process, its start included.", "task")
ENDED = counter("marketgate_computing_ended", "Computations by how they ended: answered, refused, failed, cut.", "task",
                "how")  # fmt: skip


@dataclass(eq=False, slots=True)
class _Entry:
    tenant: str
    task: str
    given: tuple[Any, ...]
    answer: asyncio.Future[Any]
    deadline: float

    @property
    def label(self) -> str:
        return self.task.rpartition(".")[2]


class ProcessPool:
    """Serves `Computing`: processes start at the first use, one task at a time each, and end when nobody needs them."""

    def __init__(
        self, *, clock: Clock, memory_mb: int, processes: int | None = None, allowed: str = ALLOWED,
        most_waiting: int = MOST_WAITING, make: Callable[[int], WorkerProcess] = WorkerProcess,
    ) -> None:  # fmt: skip
        self._clock, self._memory_mb, self._allowed, self._make = clock, memory_mb, allowed, make
        self._processes = processes or os.cpu_count() or 1
        self._queue: FairQueue[_Entry] = FairQueue(most_waiting)
        self._idle: list[tuple[WorkerProcess, float]] = []
        self._busy: dict[WorkerProcess, asyncio.Task[None]] = {}
        self._closed = False

    @property
    def pids(self) -> list[int]:
        """Numbers of the processes that live."""
        found = [*self._busy, *(process for process, _ in self._idle)]
        return [process.pid for process in found if process.pid is not None and process.alive]

    async def run(self, tenant: str, task: str, *given: Any, timeout_s: float = 30.0) -> Any:
        """See `Computing`; the time is counted from now, with that in the queue."""
        if not task.startswith(self._allowed):
            raise ValueError(f"{task}: tasks begin with {self._allowed}")
        if self._closed:
            raise ComputingFailed(STOPPING)
        loop = asyncio.get_running_loop()
        entry = _Entry(tenant, task, given, loop.create_future(), loop.time() + timeout_s)
        self._queue.add(tenant, entry)
        WAITING.labels(entry.label).inc()
        self._dispatch()
        try:
            async with asyncio.timeout_at(entry.deadline):
                return await entry.answer
        except TimeoutError:
            raise DeadlineExceeded(f"It was not computed in {timeout_s:g} s: {LESS}.") from None
        finally:
            if self._queue.remove(tenant, entry):
                WAITING.labels(entry.label).dec()

    def worker(self) -> Worker:
        """Ends idle processes."""
        return Worker(name="computing.idle", every=LOOK_S, run=self.reap)

    async def reap(self) -> None:
        """End processes that had nothing to do for long."""
        since = self._clock.monotonic() - IDLE_S
        old = [process for process, last in self._idle if last <= since]
        self._idle = [each for each in self._idle if each[1] > since]
        await asyncio.gather(*(beside(process.end, "computing.end") for process in old))

    async def close(self) -> None:
        """End all processes; what waits or runs fails."""
        self._closed = True
        while (entry := self._next()) is not None:
            _settle(entry, ComputingFailed(STOPPING))
        for process in self._busy:
            process.kill()
        await asyncio.gather(*self._busy.values())
        idle, self._idle = self._idle, []
        await asyncio.gather(*(beside(process.end, "computing.end") for process, _ in idle))

    def _dispatch(self) -> None:
        """Give processes that are free what waits."""
        while len(self._busy) < self._processes and (entry := self._next()) is not None:
            process = self._free()
            self._busy[process] = asyncio.create_task(self._serve(entry, process), name=f"computing.{entry.label}")

    def _next(self) -> _Entry | None:
        while (found := self._queue.take()) is not None:
            tenant, entry = found
            WAITING.labels(entry.label).dec()
            if not entry.answer.done():
                return entry
            self._queue.done(tenant)
        return None

    def _free(self) -> WorkerProcess:
        """The one that was busy last, so that the others may end."""
        while self._idle:
            process, _ = self._idle.pop()
            if process.alive:
                return process
        return self._make(self._memory_mb)

    async def _serve(self, entry: _Entry, process: WorkerProcess) -> None:
        try:
            with RUNNING.labels(entry.label).track_inprogress(), SECONDS.labels(entry.label).time():
                await self._compute(entry, process)
        finally:
            if process.alive:
                self._idle.append((process, self._clock.monotonic()))
            else:
                await beside(process.end, "computing.end")
            del self._busy[process]
            self._queue.done(entry.tenant)
            self._dispatch()

    async def _compute(self, entry: _Entry, process: WorkerProcess) -> None:
        loop = asyncio.get_running_loop()
        computing = beside(partial(process.compute, entry.task, entry.given), f"computing.{entry.label}")
        await asyncio.wait({computing, entry.answer}, return_when=asyncio.FIRST_COMPLETED)
        if not computing.done():
            left = max(entry.deadline - loop.time(), 0.0)
            await asyncio.wait({computing}, timeout=min(left, GRACE_S))
            if not computing.done():
                process.kill()
                await asyncio.wait({computing})
        error = computing.exception()
        if self._closed and isinstance(error, ComputingFailed):
            error = ComputingFailed(STOPPING)
        ENDED.labels(entry.label, _how(entry, error)).inc()
        _settle(entry, error, None if error else computing.result())


def _how(entry: _Entry, error: BaseException | None) -> str:
    if entry.answer.cancelled():
        return "cut"
    if error is None:
        return "answered"
    return "refused" if isinstance(error, MarketgateError) and not isinstance(error, ComputingFailed) else "failed"


def _settle(entry: _Entry, error: BaseException | None, value: Any = None) -> None:
    if entry.answer.done():
        return
    if error is not None:
        entry.answer.set_exception(error)
    else:
        entry.answer.set_result(value)
