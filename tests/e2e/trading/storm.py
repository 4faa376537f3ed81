"""Random operations by many clients against one gateway process: afterwards all accounts are whole.

`python -m tests.e2e.trading.storm sqlite|postgresql OPERATIONS CLIENTS` prints what came of it, and on the way every
30 s how far it is. The suite runs a smaller one.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from contextlib import ExitStack

from tests.e2e.trading.dealing import Server, Trial, deal
from tests.e2e.trading.wholeness import check
from tests.servers import postgresql, scratch


async def run(trial: Trial, server: Server) -> list[str]:
    """All that is wrong; nothing."""
    server.start()
    try:
        await server.ready()
        await deal(trial, server)
    finally:
        server.kill()
    return await check(trial)


def main(kind: str, operations: int, clients: int) -> None:
    """One storm."""
    with ExitStack() as stack:
        folder = scratch("mgstorm")
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        url = f"sqlite:///{folder / 'marketgate.sqlite3'}"
        if kind == "postgresql":
            url = stack.enter_context(postgresql())
        trial = Trial(database=url, folder=folder, operations=operations, clients=clients, tells=True)
        found = asyncio.run(run(trial, Server(trial)))
    sys.stdout.write(
        f"{kind}: {trial.done} operations by {clients} clients in {trial.took_s:.0f} s: {len(trial.placed)} orders, "
        f"{len(trial.grouped)} groups, "
        f"{len(trial.made)} hedges and schedules, {len(trial.booked)} bookings, {len(trial.fills)} fills "
        f"acknowledged; wrong: {len(found)}\n"
    )
    for outcome, count in trial.outcomes.most_common():
        sys.stdout.write(f"  {outcome}: {count}\n")
    for each in found[:20]:
        sys.stdout.write(f"  WRONG {each}\n")
    sys.exit(bool(found))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:4]))
