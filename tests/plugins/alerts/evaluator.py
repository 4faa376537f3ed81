"""An evaluator as a process of its own, to be killed: prices come by its standard input, line by line.

`PRICE…` are prices of the instruments, in their order; the answer is printed once all that followed is written.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from plugins.alerts.evaluation.engine import Engine
from schema.symbols import crypto
from tests.gateway.doubles import NOON, ManualClock
from tests.gateway.live.handlines import HandLines
from tests.house import open_house

VENUE = "bitstamp"
INSTRUMENTS = tuple(crypto(f"A{number}", "USD") for number in range(10))


async def main(database: str, folder: str, life: int) -> None:
    """Until its input ends. Each life begins when the leases of the one before are over."""
    lines, clock = HandLines(), ManualClock(NOON + timedelta(seconds=5 * life))
    loop = asyncio.get_running_loop()
    async with open_house(database, Path(folder), lines=lines, clock=clock) as house:
        engine = house.host.service(Engine)
        await engine.look()
        say(f"ready {engine.count}")
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            for instrument, price in zip(INSTRUMENTS, line.split(), strict=True):
                lines.price(VENUE, price, instrument=instrument)
            for _ in range(100):
                await asyncio.sleep(0)
            await engine.writer.settled()
            say("done")
        await engine.close()


def say(told: str) -> None:
    """To whoever started it."""
    sys.stdout.write(f"{told}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
