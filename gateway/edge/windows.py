"""Sliding windows of a minute: how much was taken under a key. In memory, or in Redis for all processes together."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import floor, inf
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from gateway.core.clock import Clock

if TYPE_CHECKING:
    from redis.asyncio import BlockingConnectionPool

SPAN = 60
MOST_KEYS = 100_000
MOMENT_S = 0.01
"""Added to a wait: at its very end what was asked for would still not fit."""
WAIT_S = 0.1
"""The longest that an operation waits for Redis."""
PAUSE_S = 3.0
"""How long Redis is left alone after it failed to answer."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a window holds after a look at it."""

    taken: bool
    remaining: int
    resets_in: float
    """Seconds until all of it is there again."""
    retry_in: float
    """Seconds until what was asked for would fit; infinite for what never fits."""


class Windows(Protocol):
    """Counters by key. Of the span before the present one, as much counts as still lies within the last minute."""

    async def take(self, key: str, most: int, amount: int) -> Left:
        """Take *amount* of at most *most* a minute, or nothing."""

    async def look(self, key: str, most: int, amount: int = 0) -> Left:
        """The same without taking; `taken` says whether it would have been possible."""

    async def close(self) -> None:
        """Let go of connections."""


def left_of(*, before: int, since: int, ends_in: float, most: int, amount: int, taken: bool) -> Left:
    """*before* was taken in the span before, *since* in the present one, which ends in so many seconds."""
    share = ends_in / SPAN
    whole = ends_in + SPAN * (1 - 1 / since) if since else ends_in - SPAN / before if before else 0.0
    if taken:
        wait = 0.0
    elif amount > most:
        wait = inf
    elif since + amount > most:
        # The present span must have become the one before, and have left the window by so much.
        wait = ends_in + SPAN * (1 - (most - amount + 1) / since) + MOMENT_S
    else:
        wait = ends_in - SPAN * (most - amount - since + 1) / before + MOMENT_S
    remaining = max(0, most - floor(before * share) - since)
    # Rounded, so that what is a whole second is one.
    return Left(
        taken=taken, remaining=remaining, resets_in=max(0.0, round(whole, 6)), retry_in=max(0.0, round(wait, 6))
    )


@dataclass(slots=True)
class _Count:
    span: int
    since: int = 0
    before: int = 0

    def turn(self, span: int) -> None:
        """Move on to the present span."""
        if span != self.span:
            self.before = self.since if span == self.span + 1 else 0
            self.span, self.since = span, 0


class MemoryWindows:
    """Counters of this process, by its own clock; the keys used longest ago are forgotten beyond a bound."""

    def __init__(self, clock: Clock, most_keys: int = MOST_KEYS) -> None:
        self._clock, self._most_keys = clock, most_keys
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    async def take(self, key: str, most: int, amount: int) -> Left:
        """See `Windows`."""
        return self._reckon(key, most, amount, take=True)

    async def look(self, key: str, most: int, amount: int = 0) -> Left:
        """See `Windows`."""
        return self._reckon(key, most, amount, take=False)

    async def close(self) -> None:
        """Nothing to let go of."""

    def add(self, key: str, amount: int) -> None:
        """Count what was taken elsewhere, so that this process knows it when it is on its own."""
        self._count(key)[0].since += amount

    def _reckon(self, key: str, most: int, amount: int, *, take: bool) -> Left:
        count, ends_in = self._count(key)
        fits = floor(count.before * ends_in / SPAN) + count.since + amount <= most
        if fits and take:
            count.since += amount
        return left_of(
            before=count.before, since=count.since, ends_in=ends_in, most=most, amount=amount, taken=fits
        )  # fmt: skip

    def _count(self, key: str) -> tuple[_Count, float]:
        now = self._clock.monotonic()
        span = int(now // SPAN)
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = _Count(span)
            if len(self._counts) > self._most_keys:
                self._counts.popitem(last=False)
        else:
            self._counts.move_to_end(key)
            count.turn(span)
        return count, SPAN - now % SPAN


class RedisWindows:
    """Counters of all processes, by the server's clock."""

    def __init__(self, pool: BlockingConnectionPool) -> None:
        from limits import RateLimitItemPerMinute
        from limits.aio.storage import RedisStorage
        from limits.aio.strategies import SlidingWindowCounterRateLimiter

        # The pool knows the address; the one given here is only looked at.
        given: dict[str, Any] = {"connection_pool": pool}
        self._storage = RedisStorage(
            "async+redis://localhost:6379", implementation="redispy", key_prefix="marketgate", **given
        )  # fmt: skip
        self._pool, self._item = pool, RateLimitItemPerMinute
        self._strategy = SlidingWindowCounterRateLimiter(self._storage)

    async def take(self, key: str, most: int, amount: int) -> Left:
        """See `Windows`."""
        taken = await self._strategy.hit(self._item(most), key, cost=amount)
        return await self._left(key, most, amount, taken=taken)

    async def look(self, key: str, most: int, amount: int = 0) -> Left:
        """See `Windows`."""
        return await self._left(key, most, amount, taken=None)

    async def close(self) -> None:
        """See `Windows`."""
        await self._pool.disconnect()

    async def _left(self, key: str, most: int, amount: int, *, taken: bool | None) -> Left:
        before, before_s, since, since_s = await self._storage.get_sliding_window(self._item(most).key_for(key), SPAN)
        # A key lives for its own span and the one after it.
        ends_in = before_s if before_s else max(0.0, since_s - SPAN) or float(SPAN)
        if taken is None:
            taken = floor(before * ends_in / SPAN) + since + amount <= most
        return left_of(before=before, since=since, ends_in=ends_in, most=most, amount=amount, taken=taken)


class SharedWindows:
    """Redis's counters while it answers in time; without it each process counts for itself, from what it knows."""

    def __init__(self, shared: Windows, clock: Clock, faults: tuple[type[BaseException], ...]) -> None:
        self._shared, self._clock, self._faults = shared, clock, faults
        self._own = MemoryWindows(clock)
        self._paused_until: float | None = None

    async def take(self, key: str, most: int, amount: int) -> Left:
        """See `Windows`."""
        left = await self._asked(lambda: self._shared.take(key, most, amount))
        if left is None:
            return await self._own.take(key, most, amount)
        if left.taken:
            self._own.add(key, amount)
        return left

    async def look(self, key: str, most: int, amount: int = 0) -> Left:
        """See `Windows`."""
        left = await self._asked(lambda: self._shared.look(key, most, amount))
        return left or await self._own.look(key, most, amount)

    async def close(self) -> None:
        """See `Windows`."""
        await self._shared.close()

    async def _asked(self, question: Callable[[], Awaitable[Left]]) -> Left | None:
        """The shared answer; None while Redis is left alone. After a pause one operation tries, not all of them."""
        now = self._clock.monotonic()
        if self._paused_until is not None:
            if now < self._paused_until:
                return None
            self._paused_until = now + PAUSE_S
        try:
            async with asyncio.timeout(WAIT_S):
                left = await question()
        except self._faults as fault:
            if self._paused_until is None:
                log.warning("limits_not_shared", reason=f"{type(fault).__name__}: {fault}"[:300])
            self._paused_until = self._clock.monotonic() + PAUSE_S
            return None
        if self._paused_until is not None:
            self._paused_until = None
            log.info("limits_shared_again")
        return left
