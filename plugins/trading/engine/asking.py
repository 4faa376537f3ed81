"""What no stream tells is asked for beside the work: no order waits for a slow source."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import datetime

import structlog

from gateway.core.clock import Clock
from plugins.trading.markets.marks import Marks
from plugins.trading.markets.prices import Priced
from schema.provenance import FeedDelay

WAITS_S = 0.5
"""So long who asks first waits for the answer."""
MOST = 1_000

LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Known:
    """What was answered, and when (monotonic)."""

    marks: Marks
    at: float


def decides(priced: Priced, told: datetime | None) -> bool:
    """Whether an account is closed by a price that was asked for beside a stream, whose newest message is as of
    *told*: only by one that ages, of a feed that is not late by design, and that is no older than this message."""
    stamp = priced.tick.as_of
    if priced.provenance.delay is not FeedDelay.REALTIME or stamp is None:
        return False
    return told is None or stamp >= told


class Asker:
    """Of one process; what was answered last is told while it is asked again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[Hashable, _Known] = {}
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}

    async def of(
        self, key: Hashable, ask: Callable[[], Awaitable[Marks]], *, stands_s: float, lacks_s: float, lasts_s: float
    ) -> Marks | None:  # fmt: skip
        """An answer, which is asked for anew once it has *stood* for so long, and where it *lacks* something, for so
        long; None where there is none yet that is not older than it *lasts*."""
        known = self._known.get(key)
        if known is not None and self._clock.monotonic() - known.at < (lacks_s if known.marks.failures else stands_s):
            return known.marks
        if key not in self._tasks:
            task = self._tasks[key] = asyncio.create_task(self._ask(key, ask), name="trading.asking")
            await asyncio.wait({task}, timeout=WAITS_S)
            known = self._known.get(key)
        return known.marks if known is not None and self._clock.monotonic() - known.at <= lasts_s else None

    async def close(self) -> None:
        """Nothing more is waited for."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, key: Hashable, ask: Callable[[], Awaitable[Marks]]) -> None:
        try:
            marks = await ask()
        except Exception:
            LOG.exception("trading_not_asked")
            return
        finally:
            self._tasks.pop(key, None)
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[key] = _Known(marks, self._clock.monotonic())
