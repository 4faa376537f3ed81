"""What no stream tells is asked for beside the work: no order waits for a slow source."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import datetime

import structlog

from gateway.core.clock import Clock
from plugins.trading.markets.marks import Marks
from plugins.trading.markets.priced import Priced
from schema.provenance import FeedDelay

WAITS_S = 0.5
"""So long an answer is waited for, by whoever asks for it meanwhile."""
OLD_S = 30.0
"""At last so long what is answered stands, where its prices are old."""
MOST = 50_000
"""Prices and rates that are known; those of the oldest answer go first."""
KEPT_S, SWEEPS_S = 2 * OLD_S, 10.0
"""So long an answer is known at least, that one knows how often it was old; so often what nobody is told any more is
forgotten."""

LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Known:
    """What was answered, and when (monotonic)."""

    marks: Marks
    at: float
    old: int
    """How often in a row some of its prices were old."""
    until: float
    """So long it is known."""

    @property
    def size(self) -> int:
        """Prices and rates, and what says why one is missing; never none."""
        return max(len(self.marks.prices) + len(self.marks.rates) + len(self.marks.failures), 1)

    def stands(self, stands_s: float, lacks_s: float) -> float:
        """So long it does; longer each time where its prices are old, while nobody needs them at once."""
        if self.marks.failures or (self.old and lacks_s <= stands_s):
            return lacks_s
        return min(lacks_s * 2 ** min(self.old - 1, 9), max(OLD_S, lacks_s)) if self.old else stands_s


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
        """The oldest first."""
        self._size, self._sweeps = 0, clock.monotonic() + SWEEPS_S
        self._tasks: dict[Hashable, tuple[asyncio.Task[None], float]] = {}
        """Each with until when it is waited for (of the loop)."""

    def __len__(self) -> int:
        """Answers that are known."""
        return len(self._known)

    async def of(
        self, key: Hashable, ask: Callable[[], Awaitable[Marks]], *, stands_s: float, lacks_s: float, lasts_s: float
    ) -> Marks | None:  # fmt: skip
        """An answer, which is asked for anew once it has *stood* for so long, and where it *lacks* something, or is
        old, for so long; None where there is none yet that is not older than it *lasts*."""
        self._sweep()
        known = self._known.get(key)
        if known is not None and self._clock.monotonic() - known.at < known.stands(stands_s, lacks_s):
            return known.marks
        now = asyncio.get_running_loop().time()
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(self._ask(key, ask, lasts_s), name="trading.asking"), now + WAITS_S
        task, until = self._tasks[key]
        if until > now:
            await asyncio.wait({task}, timeout=until - now)
            known = self._known.get(key)
        return known.marks if known is not None and self._clock.monotonic() - known.at <= lasts_s else None

    async def close(self) -> None:
        """Nothing more is waited for."""
        tasks = [task for task, _ in self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, key: Hashable, ask: Callable[[], Awaitable[Marks]], lasts_s: float) -> None:
        try:
            marks = await ask()
        except Exception:
            LOG.exception("trading_not_asked")
            return
        finally:
            self._tasks.pop(key, None)
        before = self._forget(key)
        old = any(each.stale for each in marks.prices.values())
        times = 1 + (before.old if before else 0) if old else 0
        at = self._clock.monotonic()
        self._known[key] = known = _Known(marks, at, times, at + max(lasts_s, KEPT_S))
        self._size += known.size
        while self._size > MOST and len(self._known) > 1:
            self._forget(next(iter(self._known)))

    def _forget(self, key: Hashable) -> _Known | None:
        known = self._known.pop(key, None)
        self._size -= known.size if known else 0
        return known

    def _sweep(self) -> None:
        now = self._clock.monotonic()
        if now < self._sweeps:
            return
        self._sweeps = now + SWEEPS_S
        for key in [key for key, known in self._known.items() if known.until < now]:
            self._forget(key)
