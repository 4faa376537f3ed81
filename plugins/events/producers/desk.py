"""The producers of a process: one for each subject that it holds, begun and ended as endpoints ask."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from gateway.core.contract import Host
from gateway.core.ports import Interests
from plugins.events.producers.candles import CandleProducer
from plugins.events.producers.conditions import ConditionProducer
from plugins.events.producers.leases import Leases
from plugins.events.producers.news import NewsProducer
from plugins.events.producers.outliers import OutlierProducer
from plugins.events.producers.stage import Producer, Stage
from plugins.events.producers.store import ProducedDirectory, WatchDirectory
from plugins.events.producers.wanted import ASKED_FOR, Bars, Conditions, Headlines, Subject, Wanted
from schema.errors import MarketgateError

PAUSES = (5.0, 30.0, 120.0, 300.0)
"""Until a producer that failed is tried again; the last one again and again."""
KEPT, LAPSED = timedelta(days=3), timedelta(days=1)

log = structlog.get_logger(__name__)


class ProducerDesk:
    """One a process."""

    def __init__(self, host: Host) -> None:
        self._host, self.stage = host, Stage(host=host)
        self.leases = Leases(host.store, host.clock)
        self.conditions = ConditionProducer(host, self.stage)
        self.running: dict[str, asyncio.Task[None]] = {}

    async def look(self) -> None:
        """Begin what is asked for and free, end what nobody asks for any more."""
        interests = self._host.services.get(Interests)
        if interests is None:
            return
        self.stage.wanted = Wanted(await interests.wanted(ASKED_FOR))
        await self.conditions.look()
        subjects = self.stage.wanted.subjects()
        held = await self.leases.hold(subjects)
        await self._end(self.running.keys() - held)
        for key in sorted(held - self.running.keys()):
            task = asyncio.create_task(self._produce(key, subjects[key]), name=f"producing {key}")
            self.running[key] = task

    async def _end(self, keys: set[str]) -> None:
        ending = [self.running.pop(key) for key in keys]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    async def _produce(self, key: str, subject: Subject) -> None:
        """A producer that breaks ends no other: it is begun anew after a while, from where it was."""
        failures = 0
        while True:
            began = self._host.clock.monotonic()
            try:
                await self._producer(key, subject).run()
            except MarketgateError as error:
                log.warning("producer_waits", subject=key, reason=error.message)
            except Exception:
                log.exception("producer_failed", subject=key)
            if self._host.clock.monotonic() - began > PAUSES[-1]:
                failures = 0
            await self._host.clock.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
            failures += 1

    def _producer(self, key: str, subject: Subject) -> Producer:
        if isinstance(subject, Bars):
            return CandleProducer(self.stage, key, subject)
        if isinstance(subject, Headlines):
            return NewsProducer(self.stage, key, subject)
        if isinstance(subject, Conditions):
            return self.conditions
        return OutlierProducer(self.stage, key, subject)

    async def tidy(self) -> None:
        """Forget what was told long ago, and subjects that nobody has held for a day."""
        now = self._host.clock.now()
        async with self._host.store.write() as tx:
            await ProducedDirectory().tidy(tx, now - KEPT)
            await WatchDirectory().tidy(tx, now - LAPSED)

    async def close(self) -> None:
        """Others take over."""
        await self._end(set(self.running))
        await self.leases.let_go()
