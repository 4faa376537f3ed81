"""One connection that listens to as many of Redis's channels as a process has streams. It comes back by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from gateway.core.redis import BACKOFF, DEAD_S, SILENCE_S, SOCKET_S, pool

KEEPER = "marketgate-live"
"""A channel that nobody uses: so the connection listens from its start."""

Take = Callable[[bytes], None]

log = structlog.get_logger(__name__)


class Listening:
    """Handlers are called at once, in the order in which Redis tells."""

    def __init__(self, url: str) -> None:
        self._redis = Redis(connection_pool=pool(url, listening=True))
        self._handlers: dict[str, Take] = {}
        self._pubsub: PubSub | None = None
        self._confirmed: dict[str, asyncio.Event] = {}
        self._task: asyncio.Task[None] | None = None
        self.returned: list[Callable[[], None]] = []
        """Called when it listens again after it did not: what was said meanwhile is lost."""

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="live.listen")

    async def close(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._redis.aclose(close_connection_pool=True)

    async def listen(self, channel: str, take: Take) -> None:
        """From the return on nothing is missed; where Redis is gone it returns all the same, after a moment."""
        self._handlers[channel] = take
        event = self._confirmed[channel] = asyncio.Event()
        try:
            async with asyncio.timeout(SOCKET_S):
                if self._pubsub is not None:
                    await self._pubsub.subscribe(channel)
                await event.wait()
        except Exception as fault:  # noqa: BLE001 - the loop that listens finds out, and subscribes to all of them again
            log.debug("live_listen_failed", channel=channel, reason=str(fault)[:200])

    async def forget(self, channel: str) -> None:
        """Listen no more."""
        self._handlers.pop(channel, None)
        self._confirmed.pop(channel, None)
        if self._pubsub is not None:
            try:
                async with asyncio.timeout(SOCKET_S):
                    await self._pubsub.unsubscribe(channel)
            except Exception as fault:  # noqa: BLE001 - as above
                log.debug("live_forget_failed", channel=channel, reason=str(fault)[:200])

    async def _run(self) -> None:
        """For ever: whatever breaks, it begins again."""
        pause, most = BACKOFF
        again = False
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(KEEPER)
                    self._pubsub = pubsub
                    if self._handlers:
                        await pubsub.subscribe(*self._handlers)
                    if again:
                        self._tell()
                    again, pause = True, BACKOFF[0]
                    await self._hear(pubsub)
            except Exception as fault:  # noqa: BLE001 - logged, and nothing may end it
                log.warning("live_disconnected", reason=f"{type(fault).__name__}: {fault}"[:300])
            finally:
                self._pubsub = None
            await asyncio.sleep(pause)
            pause = min(2 * pause, most)

    def _tell(self) -> None:
        for handler in tuple(self.returned):
            handler()

    async def _hear(self, pubsub: PubSub) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            found = await pubsub.get_message(timeout=SILENCE_S)
            if found is not None:
                last = loop.time()
                self._take(found)
            elif loop.time() - last > DEAD_S:
                raise TimeoutError("Redis does not answer")
            else:
                async with asyncio.timeout(SOCKET_S):
                    await pubsub.ping()

    def _take(self, found: dict[str, object]) -> None:
        channel = found["channel"].decode() if isinstance(found["channel"], bytes) else ""
        if found["type"] == "subscribe" and channel in self._confirmed:
            self._confirmed[channel].set()
        take = self._handlers.get(channel)
        if found["type"] == "message" and take is not None:
            data = found["data"]
            try:
                take(data if isinstance(data, bytes) else b"")
            except Exception:
                log.exception("live_handler_failed", channel=channel)
