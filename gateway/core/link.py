"""The guards' way to Redis: asked within a short time-out, left alone for a while after it failed, back by itself.

Loaded only where Redis is set. The bus has connections of its own (`gateway/core/redis.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog
from redis.asyncio import Redis

from gateway.core.clock import Clock
from gateway.core.redis import FAULTS, pool

WAIT_S = 0.05
"""The longest that a guard waits for an answer."""
FAIR_S = 0.01
"""Who had less time than this left for an answer cannot say that there is none."""
PAUSE_S = 2.0
"""How long Redis is left alone after it failed to answer; then one question tries, not all of them."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


class RedisLink:
    """One per process. A question that is not answered in time has the answer that the asker gives for that case."""

    def __init__(self, url: str, clock: Clock, *, wait_s: float = WAIT_S) -> None:
        self._redis: Redis = Redis(connection_pool=pool(url))
        self._clock, self.wait_s = clock, wait_s
        self._paused_until: float | None = None
        self._returned: list[Callable[[], None]] = []

    @property
    def available(self) -> bool:
        """Whether a question would be asked now."""
        return self._paused_until is None or self._clock.monotonic() >= self._paused_until

    def on_return(self, handler: Callable[[], None]) -> None:
        """Call *handler* when Redis answers again after it did not: it may be an empty one."""
        self._returned.append(handler)

    async def ask(self, question: Callable[[Redis], Awaitable[T]], *, otherwise: T, wait_s: float | None = None) -> T:
        """What Redis answers; *otherwise* while it is gone, slow or confused. Never raises for its sake.

        Whoever is cancelled meanwhile gets no answer.
        """
        now = self._clock.monotonic()
        if self._paused_until is not None:
            if now < self._paused_until:
                return otherwise
            self._paused_until = now + PAUSE_S
        try:
            with _heeded():
                async with asyncio.timeout(self.wait_s if wait_s is None else wait_s) as limit:
                    answer = await question(self._redis)
        except FAULTS as fault:
            if wait_s is None or wait_s >= FAIR_S or not limit.expired():
                self._went_away(fault)
            return otherwise
        if self._paused_until is not None:
            self._came_back()
        return answer

    async def close(self) -> None:
        """Let go of connections."""
        await self._redis.aclose(close_connection_pool=True)

    def _went_away(self, fault: BaseException) -> None:
        if self._paused_until is None:
            log.warning("redis_away", reason=f"{type(fault).__name__}: {fault}"[:300])
        self._paused_until = self._clock.monotonic() + PAUSE_S

    def _came_back(self) -> None:
        self._paused_until = None
        log.info("redis_back")
        for handler in self._returned:
            try:
                handler()
            except Exception:
                log.exception("redis_handler_failed")


@contextmanager
def _heeded() -> Iterator[None]:
    """Whoever is cancelled inside is cancelled at its end, at the latest.

    The library sends within `asyncio.wait_for`, which on Python 3.11 forgets a cancel that comes when the bytes have
    just left. Connections that listen send without it.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    try:
        yield
    finally:
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError
