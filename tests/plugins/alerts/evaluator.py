"""An evaluator as a process of its own, to be killed: prices come by a pipe, all instruments' at once.

It says how many alerts it watches, and after each price that all which followed is written.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from schema.symbols import crypto
from tests.gateway.doubles import NOON, ManualClock
from tests.gateway.live.handlines import HandLines

VENUE = "bitstamp"
INSTRUMENTS = tuple(crypto(f"A{number}", "USD") for number in range(10))


def live(database: str, folder: str, life: int, pipe: Connection[Any, Any]) -> None:
    """Until it is killed. Each life begins when the leases of the one before are over."""
    asyncio.run(_live(database, folder, life, pipe))


async def _live(database: str, folder: str, life: int, pipe: Connection[Any, Any]) -> None:
    from plugins.alerts.evaluation.engine import Engine
    from tests.house import open_house

    lines, clock = HandLines(), ManualClock(NOON + timedelta(seconds=5 * life))
    async with open_house(database, Path(folder), lines=lines, clock=clock) as house:
        engine = house.host.service(Engine)
        await engine.look()
        pipe.send(engine.count)
        while True:
            price = await asyncio.to_thread(pipe.recv)
            for instrument in INSTRUMENTS:
                lines.price(VENUE, price, instrument=instrument)
            for _ in range(100):
                await asyncio.sleep(0)
            await engine.writer.settled()
            pipe.send(price)
