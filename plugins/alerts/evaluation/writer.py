"""The one writer of a process: a firing, its event and where the alert stands then are one transaction.

Whoever writes an arming's firing first has told it; a second evaluator, or the same one after it was killed, finds the
row there and tells nothing. What is moved while a transaction is under way goes with the next one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import strawberry
import structlog
from sqlalchemy.exc import DBAPIError

from gateway.core.contract import Host
from gateway.core.ports import Outbox
from gateway.core.store import new_id
from plugins.alerts.evaluation.ladder import Act
from plugins.alerts.evaluation.occasions import Occasion, event_of
from plugins.alerts.store import EvaluationDirectory, Firing

AT_ONCE = 500
"""Moves of one transaction."""
PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)

LOG = structlog.get_logger(__name__)


class Writer:
    """Takes moves at any pace, and writes them in their order."""

    def __init__(self, host: Host, doubted: Callable[[Collection[str]], None]) -> None:
        self._host, self._rows, self._doubted = host, EvaluationDirectory(), doubted
        self._waiting: deque[Occasion] = deque()
        self._providers: dict[str, str] = {}
        self._news, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None
        self.fired = 0
        """Firings that this process has told."""

    def put(self, occasions: Iterable[Occasion], providers: Mapping[str, str]) -> None:
        """Alerts that moved, and who tells the numbers of measures from now on."""
        self._waiting.extend(occasions)
        self._providers.update(providers)
        if self._waiting or self._providers:
            self._idle.clear()
            self._news.set()
            if self._task is None:
                self._task = asyncio.create_task(self._run(), name="alerts.writer")

    async def settled(self) -> None:
        """Until everything that was put is written."""
        await self._idle.wait()

    async def close(self) -> None:
        """Write no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting or self._providers:
                batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                providers, self._providers = self._providers, {}
                await self._surely(batch, providers)
            self._idle.set()

    async def _surely(self, batch: Sequence[Occasion], providers: Mapping[str, str]) -> None:
        """Again and again: a database may be away for a while. What cannot be told stands in nobody's way."""
        failures = 0
        while True:
            try:
                await self._write(batch, providers)
            except Exception as error:
                LOG.exception("alerts_not_written", count=len(batch))
                broken = not isinstance(error, DBAPIError | OSError)
                if broken and len(batch) > 1:
                    for each in batch:
                        await self._surely([each], providers)
                    return
                if broken:
                    return
                await self._host.clock.sleep(PAUSES_S[min(failures, len(PAUSES_S) - 1)])
                failures += 1
            else:
                return

    async def _write(self, batch: Sequence[Occasion], providers: Mapping[str, str]) -> None:
        events = {id(each): await event_of(self._host, each) for each in batch if each.act is Act.FIRED}
        outbox, told, doubted = self._host.service(Outbox), 0, set()
        async with self._host.store.write() as tx:
            if providers:
                await self._rows.told_by(tx, providers)
            ids = {each.watched.row.id for each in batch}
            generations = await self._rows.generations(tx, ids) if ids else {}
            valid = [each for each in batch if generations.get(each.watched.row.id) == each.watched.row.generation]
            fired = {each: _firing(each) for each in valid if each.act is Act.FIRED}
            new = await self._rows.fire(tx, list(fired.values())) if fired else set()
            for each, firing in fired.items():
                if (firing.alert_id, firing.arm) in new:
                    outbox.emit(
                        tx, replace(events[id(each)], id=strawberry.ID(firing.event_id)), tenant=firing.tenant_id
                    )
                    told += 1
                else:
                    doubted.add(firing.alert_id)
            last = {each.watched.row.id: each for each in valid if each.watched.row.id not in doubted}
            if last:
                await self._rows.settle(tx, [_stand(each) for each in last.values()])
        self.fired += told
        if doubted:
            self._doubted(doubted)


def _firing(occasion: Occasion) -> Firing:
    row = occasion.watched.row
    return Firing(tenant_id=row.tenant_id, alert_id=row.id, arm=occasion.arm, event_id=new_id("evt"), at=occasion.at)


def _stand(occasion: Occasion) -> dict[str, object]:
    watched = occasion.watched
    return {
        "alert": watched.row.id, "of": watched.row.generation, "new_state": occasion.state.value,
        "new_arm": occasion.arm, "new_active": occasion.active, "new_last_triggered_at": watched.rung.fired_at,
        "new_seen_at": occasion.seen_at or watched.row.seen_at,
    }  # fmt: skip
