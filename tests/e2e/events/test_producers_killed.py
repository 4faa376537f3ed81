"""Producers that are killed without warning: every candle that closes is told once, in order, none is left out."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import datetime, timedelta
from pathlib import Path

from gateway.core.store import Store
from tests.e2e.events.producing import TENANT, Process
from tests.told import told

ROUNDS = 3
SECOND = timedelta(seconds=1)


def opened(database: str) -> list[datetime]:
    """Open times of the candles that were told, in the order of the log."""

    async def read() -> list[datetime]:
        store = Store(database)
        found = await told(store, TENANT, "candle.closed")
        await store.close()
        return [datetime.fromisoformat(each["candle"]["openTime"]) for each in found]

    return asyncio.run(read())


def wait_for(database: str, count: int, producers: list[Process]) -> None:
    deadline = time.monotonic() + 60
    while len(opened(database)) < count:
        assert time.monotonic() < deadline, "\n".join(each.log.read_text()[-3000:] for each in producers)
        assert all(each.lives for each in producers), "\n".join(each.log.read_text()[-3000:] for each in producers)
        time.sleep(0.05)


def test_whoever_is_killed_each_candle_is_told_once_and_in_order(database: str, tmp_path: Path):
    generator, counts = random.Random(7), [0]
    producers = [Process(database, tmp_path)]
    try:
        wait_for(database, 2, producers)
        for _ in range(ROUNDS):
            producers.append(Process(database, tmp_path))
            time.sleep(generator.uniform(0.2, 1.2))
            producers.pop(0).kill()
            counts.append(len(opened(database)))
            wait_for(database, counts[-1] + 2, producers)
    finally:
        for each in producers:
            each.kill()

    found = opened(database)
    assert found == [found[0] + SECOND * n for n in range(len(found))]
    # Each of the killed had told something, and was taken over from.
    assert sorted(set(counts)) == counts
