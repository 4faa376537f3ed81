"""The seam to Redis: connections that give up soon, and the bus between processes. Loaded only where Redis is set."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import msgspec
import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.core.bus import Handler, LocalBus, Message

CONNECT_S = SOCKET_S = 0.5
"""The library's defaults would hold an operation for seconds, or for ever."""
SILENCE_S = 2.0
"""After that long without a message the bus asks whether the connection lives."""
DEAD_S = 2 * SILENCE_S
PAUSE_S = 2.0
"""How long nothing is sent after a failure: nobody waits again for a Redis that hangs."""
BACKOFF = (0.05, 2.0)
MOST_CONNECTIONS = 32
PREFIX = "marketgate:"

FAULTS = (RedisError, OSError, TimeoutError)
"""What a Redis that is gone, slow or confused raises."""

log = structlog.get_logger(__name__)


def pool(url: str, *, listening: bool = False) -> BlockingConnectionPool:
    """Connections with short time-outs; a listening one may be silent, so its reads have none.

    Who finds all of them in use waits for one: the library's usual pool would refuse.
    """
    return BlockingConnectionPool.from_url(
        url, max_connections=MOST_CONNECTIONS, timeout=SOCKET_S, socket_connect_timeout=CONNECT_S,
        socket_timeout=None if listening else SOCKET_S, socket_keepalive=True,
        retry=Retry(NoBackoff(), 0 if listening else 1),
    )  # fmt: skip


class RedisBus:
    """Topics as Redis channels: one connection listens to all of them. Handlers here are called at once."""

    def __init__(self, url: str) -> None:
        self._origin = uuid4().hex
        self._local = LocalBus()
        self._gaps: list[Callable[[], None]] = []
        self._sending, self._listening = (
            Redis(connection_pool=pool(url)),
            Redis(connection_pool=pool(url, listening=True)),
        )
        self._heard = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._outbox: list[tuple[str, bytes]] = []
        self._sender: asyncio.Task[None] | None = None
        self._paused_until = 0.0
        self._told_of_outage = False
        self.lost = 0

    @property
    def connected(self) -> bool:
        """Whether other processes are heard now."""
        return self._heard.is_set()

    def subscribe(self, topic: str, handler: Handler) -> Callable[[], None]:
        """See `Bus`."""
        return self._local.subscribe(topic, handler)

    def on_gap(self, handler: Callable[[], None]) -> Callable[[], None]:
        """Called whenever the connection is there again: nobody knows what was said meanwhile."""
        self._gaps.append(handler)
        return lambda: self._gaps.remove(handler)

    async def publish(self, topic: str, message: Message) -> None:
        """See `Bus`. Others hear nothing of it while Redis is gone.

        Whoever publishes waits for one sending at most, whatever others have sent; cancelling it stops no message.
        """
        frame = msgspec.json.encode({"origin": self._origin, "message": message})
        self._local.deliver(topic, message)
        if asyncio.get_running_loop().time() < self._paused_until:
            self.lost += 1
            return
        self._outbox.append((PREFIX + topic, frame))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send(), name="bus.send")
        await asyncio.wait({self._sender}, timeout=SOCKET_S)

    async def start(self) -> None:
        """Begin to listen; a Redis that is not there holds up nobody for long."""
        self._task = asyncio.create_task(self._listen(), name="bus")
        with suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_S):
                await self._heard.wait()

    async def close(self) -> None:
        """Stop listening, and send what waits."""
        if self._sender is not None:
            await asyncio.wait({self._sender}, timeout=SOCKET_S)
        for task in (self._task, self._sender):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        for client in (self._sending, self._listening):
            await client.aclose(close_connection_pool=True)

    async def _send(self) -> None:
        """Until nothing waits: everything that does goes out together, in its order."""
        while self._outbox:
            frames, self._outbox = self._outbox, []
            try:
                async with asyncio.timeout(SOCKET_S), self._sending.pipeline(transaction=False) as line:
                    for channel, frame in frames:
                        line.execute_command("PUBLISH", channel, frame)
                    await line.execute()
            except Exception as fault:  # noqa: BLE001 - logged, and nothing may end it
                self._paused_until = asyncio.get_running_loop().time() + PAUSE_S
                self.lost += len(frames) + len(self._outbox)
                self._outbox.clear()
                self._outage(fault)

    async def _listen(self) -> None:
        """For ever: whatever breaks, it begins again."""
        pause, most = BACKOFF
        while True:
            try:
                await self._hear()
            except Exception as fault:  # noqa: BLE001 - logged, and nothing may end it
                if self._heard.is_set():
                    pause = BACKOFF[0]
                self._heard.clear()
                self._outage(fault)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, most)

    async def _hear(self) -> None:
        """Until the connection breaks."""
        async with self._listening.pubsub() as channel:
            await channel.psubscribe(f"{PREFIX}*")
            last = asyncio.get_running_loop().time()
            while True:
                found = await channel.get_message(timeout=SILENCE_S)
                now = asyncio.get_running_loop().time()
                if found is not None:
                    last = now
                    self._take(found)
                elif now - last > DEAD_S:
                    raise TimeoutError("Redis does not answer")
                else:
                    await self._ping(channel)

    async def _ping(self, channel: PubSub) -> None:
        async with asyncio.timeout(SOCKET_S):
            await channel.ping()

    def _take(self, found: dict[str, Any]) -> None:
        if found["type"] == "psubscribe":
            self._connected()
        if found["type"] != "pmessage":
            return
        try:
            frame = msgspec.json.decode(found["data"], type=_Frame)
        except msgspec.MsgspecError:
            log.warning("bus_frame_malformed", channel=repr(found["channel"])[:100])
            return
        if frame.origin != self._origin:
            self._local.deliver(found["channel"].decode().removeprefix(PREFIX), frame.message)

    def _connected(self) -> None:
        self._heard.set()
        self._paused_until = 0.0
        if self._told_of_outage:
            self._told_of_outage = False
            log.info("bus_connected")
        for handler in tuple(self._gaps):
            try:
                handler()
            except Exception:
                log.exception("bus_handler_failed", topic="gap")

    def _outage(self, fault: Exception) -> None:
        if not isinstance(fault, FAULTS):
            log.error("bus_failed", exc_info=fault)
        if not self._told_of_outage:
            self._told_of_outage = True
            log.warning("bus_disconnected", reason=f"{type(fault).__name__}: {fault}"[:300])


class _Frame(msgspec.Struct, frozen=True):
    """One message on the wire."""

    origin: str
    message: dict[str, Any]
