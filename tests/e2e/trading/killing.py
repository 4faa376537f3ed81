"""Order flow while the gateway is killed again and again: what was acknowledged is neither lost nor there twice.

`python -m tests.e2e.trading.killing sqlite|postgresql OPERATIONS CLIENTS KILLS` prints what came of it; the suite runs
a smaller one.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sys
import time
from contextlib import ExitStack

from tests.e2e.trading.dealing import PATIENCE_S, Server, Trial, deal
from tests.e2e.trading.wholeness import check
from tests.servers import postgresql, scratch


async def run(trial: Trial, server: Server, kills: int) -> list[str]:
    """All that is wrong; nothing."""
    server.start()
    try:
        await server.ready()
        await deal(trial, server, _kill(trial, server, kills))
    finally:
        server.kill()
    return await check(trial)


async def _kill(trial: Trial, server: Server, kills: int) -> None:
    """By progress: a process that starts while the machine is busy would be killed before it did anything."""
    chance = random.Random(trial.seed)
    for count in sorted(chance.sample(range(1, trial.operations), kills)):
        until = time.monotonic() + PATIENCE_S
        while trial.done < count:
            await asyncio.sleep(0.01)
            assert time.monotonic() < until
        await asyncio.sleep(chance.uniform(0.0, 0.1))
        server.kill()
        server.start()
        await server.ready()


def main(kind: str, operations: int, clients: int, kills: int) -> None:
    """One trial."""
    with ExitStack() as stack:
        folder = scratch("mgkill")
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        url = f"sqlite:///{folder / 'marketgate.sqlite3'}"
        if kind == "postgresql":
            url = stack.enter_context(postgresql())
        trial = Trial(database=url, folder=folder, operations=operations, clients=clients, tells=True)
        found = asyncio.run(run(trial, Server(trial), kills))
    unanswered = trial.outcomes["again: no answer"]
    sys.stdout.write(
        f"{kind}: {trial.done} operations by {clients} clients, {kills} kills in {trial.took_s:.0f} s: "
        f"{len(trial.placed)} orders, {len(trial.booked)} bookings, {len(trial.fills)} fills acknowledged, "
        f"{unanswered} times no answer; lost, doubled or wrong: {len(found)}\n"
    )
    for each in found[:20]:
        sys.stdout.write(f"  WRONG {each}\n")
    sys.exit(bool(found))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
