"""A process that does nothing but produce, on the simulated exchange: candles of a second."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path

from gateway.app import build_gateway, start
from gateway.core.ports import Interests
from gateway.core.settings import Settings
from plugins.events.producers import leases
from plugins.events.producers.desk import ProducerDesk
from tests.forked import CONTEXT
from tests.gateway.doubles import ROOT_SECRET
from tests.house import own_plugins, own_schema

TENANT, SUBJECT = "ten_acme", "crypto:BTC/USD#S1"
LOOK_S = 0.1


class Always:
    """gateway.core.ports.Interests: one tenant, one channel."""

    async def wanted(self, types: Collection[str]) -> Mapping[str, Mapping[str, frozenset[str]]]:
        return {"candle.closed": {SUBJECT: frozenset({TENANT})}}


class Process:
    """Begun at once."""

    def __init__(self, database: str, folder: Path) -> None:
        self.log = folder / f"producer-{len(list(folder.iterdir()))}.log"
        self.log.touch()
        self._process = CONTEXT.Process(target=_run, args=(database, str(folder), str(self.log)))
        self._process.start()

    @property
    def lives(self) -> bool:
        return self._process.exitcode is None

    def kill(self) -> None:
        """No warning, no clean-up."""
        if self.lives and self._process.pid is not None:
            os.kill(self._process.pid, signal.SIGKILL)
        self._process.join(timeout=30)


def _run(database: str, folder: str, log: str) -> None:
    with open(log, "a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        asyncio.run(_produce(database, Path(folder)))
    sys.exit(0)


async def _produce(database: str, folder: Path) -> None:
    # A test cannot wait as long as a fleet.
    leases.LEASE, leases.RENEW = timedelta(seconds=1.5), timedelta(seconds=0.3)
    settings = Settings(
        env="development", data_dir=folder, database_url=database, secret_key=ROOT_SECRET, providers=("sandbox",)
    )
    gateway = build_gateway(settings, found=own_plugins(), schema=own_schema())
    gateway.host.services[Interests] = Always()
    await start(gateway)
    desk = gateway.host.service(ProducerDesk)
    while True:
        await desk.look()
        await asyncio.sleep(LOOK_S)
