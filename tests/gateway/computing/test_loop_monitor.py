"""The monitor sees what holds a loop up."""

from __future__ import annotations

import asyncio
import time

from tests.loopmonitor import MOST_S, watched_loop


async def test_what_computes_on_the_loop_is_seen_and_what_waits_is_not():
    async with watched_loop() as stalls:
        until = time.thread_time() + 0.05
        while time.thread_time() < until:
            pass
        await asyncio.sleep(0.01)
    async with watched_loop() as calm:
        await asyncio.sleep(0.05)

    assert stalls.busiest >= 0.05
    assert stalls.longest >= 0.04
    assert calm.busiest < MOST_S
