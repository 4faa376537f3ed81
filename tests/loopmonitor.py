"""How long an event loop stood still while something ran."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.collecting import loosen, settle

STEP_S = 0.001
MOST_S = 0.03
"""What a test allows. The goal is 10 ms; a busy machine adds to it, and what is wrong stands for ten times as long."""


@dataclass
class Stalls:
    """The longest time, in seconds, that nothing else could run; complete once the block is left.

    `longest` is what a client would see: other processes and threads are in it too, so assert it of the best of several
    runs. `busiest` is how long the loop's own thread computed in one go, whatever else the machine does.
    """

    longest: float = 0.0
    busiest: float = 0.0


@asynccontextmanager
async def watched_loop() -> AsyncIterator[Stalls]:
    """Measure while the block runs: `async with watched_loop() as stalls: …`, then `assert stalls.busiest < MOST_S`.

    Collections of garbage are kept out of it: they belong to whatever the test process held before.
    """
    stalls = Stalls()
    stop = asyncio.Event()
    settle()
    watching = asyncio.create_task(_watch(stalls, stop))
    await asyncio.sleep(0)
    try:
        yield stalls
    finally:
        stop.set()
        await watching
        gc.unfreeze()
        loosen()


async def _watch(stalls: Stalls, stop: asyncio.Event) -> None:
    while not stop.is_set():
        before, computed = time.perf_counter(), time.thread_time()
        await asyncio.sleep(STEP_S)
        stalls.longest = max(stalls.longest, time.perf_counter() - before - STEP_S)
        stalls.busiest = max(stalls.busiest, time.thread_time() - computed)
