"""Workers: work that a serving process does again and again, and once more at its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from gateway.core.clock import Clock
from gateway.core.contract import Host, Worker
from gateway.core.metrics import gauge
from gateway.core.strangers import gathered

log = structlog.get_logger(__name__)

ELSEWHERE = gauge(
    "marketgate_workers_elsewhere",
    "1 where this process leaves what any may do to a `marketgate worker`, else 0.",
)
LONGEST_FINISH = 5.0
"""Seconds that a worker may take for its last writes."""


@asynccontextmanager
async def working(host: Host, own: Sequence[Worker] = (), *, elsewhere: bool = False) -> AsyncIterator[None]:
    """The core's *own* workers and the plugins', for as long as the process serves; without those that run anywhere
    where others of the fleet do their work (*elsewhere*)."""
    workers = [*own, *gathered(host, "workers", lambda plugin: plugin.workers)]
    if elsewhere:
        workers = [worker for worker in workers if not worker.anywhere]
    ELSEWHERE.set(elsewhere)
    tasks = [asyncio.create_task(_again_and_again(worker, host.clock), name=worker.name) for worker in workers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(_finish(worker) for worker in workers))


async def _finish(worker: Worker) -> None:
    if worker.finish is not None:
        try:
            async with asyncio.timeout(LONGEST_FINISH):
                await worker.finish()
        except Exception:
            log.exception("worker_not_finished", worker=worker.name)


async def _again_and_again(worker: Worker, clock: Clock) -> None:
    while True:
        try:
            await worker.run()
        except Exception:
            log.exception("worker_failed", worker=worker.name)
        await clock.sleep(worker.every)
