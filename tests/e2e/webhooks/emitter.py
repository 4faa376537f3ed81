"""A process that makes things happen and sends webhooks meanwhile, as a gateway does: `emit([FILE, COUNT])`.

It writes the id of each event to the file once its transaction is committed: that is acknowledged.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import uvloop

from gateway.app import build_gateway, own_workers
from gateway.core.ports import Outbox
from gateway.core.settings import load_settings
from gateway.core.working import working
from schema.events import ProviderDegraded
from tests.plugins.webhooks.delivery.office import TENANT

PAUSE_S = 0.01


async def main(acknowledged: int, left: int) -> None:
    gateway = build_gateway(load_settings(dotenv=None).settings)
    host, outbox = gateway.host, gateway.host.service(Outbox)
    async with working(host, own_workers(gateway)):
        for _ in range(left):
            event = ProviderDegraded(
                provider="kraken", capability="quotes", state="OPEN", reason="test", since=host.clock.now()
            )
            async with host.store.write() as tx:
                id = outbox.emit_to(tx, event, (TENANT,))
            os.write(acknowledged, f"{id}\n".encode())
            await asyncio.sleep(PAUSE_S)
        await asyncio.Event().wait()


def emit(arguments: list[str]) -> None:
    """What is left of so many events."""
    path = Path(arguments[0])
    with path.open("ab", buffering=0) as file:
        uvloop.run(main(file.fileno(), int(arguments[1]) - path.read_bytes().count(b"\n")))
