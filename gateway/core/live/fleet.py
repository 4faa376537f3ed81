"""The processes that share one Redis, for live streams: leases with fencing epochs, fan-out, and what was said last.

Keys of one stream share a hash tag. A leader's messages go through a script that asks whether its epoch is still the
newest one: what an old leader says after that never leaves it. Loaded only where Redis is set.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import uuid4

import structlog
from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from gateway.core.clock import Clock
from gateway.core.link import RedisLink
from gateway.core.live.frames import Strange, frames_of
from gateway.core.live.listening import Listening
from gateway.core.live.messages import Message, Position, StreamKey

LIVE_MS = 3_000
"""How long a lease holds without being renewed."""
MARGIN_S = 0.25
"""So much earlier a leader falls silent by its own clock."""
RING = 256
"""Messages of a stream that Redis holds for those who come back or have lost some."""
KEPT_MS = 60_000
"""How long everything of a stream is kept that nobody leads: so long a client may stay away."""
WAIT_S = 0.5
MOST_WAITING = 4_096
"""Messages that wait to leave this process; with more of them the oldest go: followers see a hole, and fill it."""

ACQUIRE = """
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
if tonumber(ARGV[3]) <= last and redis.call('EXISTS', KEYS[1]) == 1 then
  return {'0', redis.call('GET', KEYS[3])}
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local epoch = math.max(now, last + 1, tonumber(ARGV[3]) + 1)
redis.call('SET', KEYS[2], string.format('%.0f', epoch), 'PX', ARGV[4])
return {string.format('%.0f', epoch), false}
"""
RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 2, #KEYS do redis.call('PEXPIRE', KEYS[i], ARGV[3]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""
PUBLISH = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 6, #ARGV do
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], '*', 'f', ARGV[i])
  redis.call('PUBLISH', KEYS[4], ARGV[i])
end
redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[3])
redis.call('SET', KEYS[5], ARGV[5], 'PX', ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[3])
return 1
"""
_PUBLISH_SHA = hashlib.sha1(PUBLISH.encode(), usedforsecurity=False).hexdigest()

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Lease:
    """The right to lead a stream, for a while that its holder measures by its own clock."""

    key: StreamKey
    owner: str
    epoch: int
    clock: Clock
    until: float
    lost: bool = False

    def holds(self) -> bool:
        """Whether it has neither lapsed nor been taken, as far as is known."""
        return not self.lost and self.clock.monotonic() < self.until


@dataclass(slots=True)
class _Waiting:
    """What is about to be published of one stream."""

    lease: Lease
    frames: list[bytes] = field(default_factory=list)
    snapshot: Message | None = None


class LiveFleet:
    """One per process."""

    def __init__(self, link: RedisLink, listening: Listening, clock: Clock, *, wait_s: float = WAIT_S) -> None:
        self._wait_s = wait_s
        self._link, self._listening, self._clock = link, listening, clock
        self._outbox: dict[StreamKey, _Waiting] = {}
        self._sender: asyncio.Task[None] | None = None
        self.lost = 0
        """Messages that did not leave this process."""

    @property
    def available(self) -> bool:
        """Whether Redis answers, as far as is known."""
        return self._link.available

    def start(self) -> None:
        """Begin to listen."""
        self._listening.start()

    async def close(self) -> None:
        """Send what waits, and listen no more."""
        if self._sender is not None:
            await asyncio.wait({self._sender}, timeout=self._wait_s)
            self._sender.cancel()
        await self._listening.close()

    async def acquire(self, key: StreamKey, known: int) -> tuple[Lease | None, Position | None]:
        """The lease where nobody has it, in an epoch above the *known* one; else how far its leader is, if known.

        Who was cut off and streamed for itself knows an epoch above that of a leader that was not: it gets the lease,
        for its subscribers could not go back to that one, and the leader is told when it renews or publishes.
        """
        owner, asked = uuid4().hex, self._clock.monotonic()
        at = _Places(key)

        async def ask(redis: Redis) -> Any:
            told = (at.lease, at.epoch, at.last, owner, LIVE_MS, known, KEPT_MS)
            return await cast(Any, redis.eval(ACQUIRE, 3, *told))

        found = await self._link.ask(ask, otherwise=None, wait_s=self._wait_s)
        if found is None:
            return None, None
        if epoch := int(found[0]):
            return Lease(key, owner, epoch, self._clock, _until(asked)), None
        if found[1] is None:
            return None, None
        last, _, sequence = found[1].decode().partition(":")
        return None, Position(int(last), int(sequence))

    async def renew(self, lease: Lease) -> bool:
        """Hold it longer, where it is still ours; false where Redis did not answer."""
        asked = self._clock.monotonic()
        at = _Places(lease.key)

        async def ask(redis: Redis) -> Any:
            keys = (at.lease, at.epoch, at.last, at.state, at.ring)
            return await cast(Any, redis.eval(RENEW, len(keys), *keys, lease.owner, LIVE_MS, KEPT_MS))

        found = await self._link.ask(ask, otherwise=None, wait_s=self._wait_s)
        if found:
            lease.until = _until(asked)
        elif found is not None:
            lease.lost = True
        return found is not None

    async def release(self, lease: Lease) -> None:
        """Let another one have it at once."""
        if lease.lost:
            return
        await self._flushed()
        place = _Places(lease.key).lease

        async def ask(redis: Redis) -> Any:
            return await cast(Any, redis.eval(RELEASE, 1, place, lease.owner))

        await self._link.ask(ask, otherwise=0, wait_s=self._wait_s)

    def publish(self, lease: Lease, message: Message, snapshot: Message) -> None:
        """To the other processes, soon and in order; *snapshot* is what stands for everything until now."""
        waiting = self._outbox.get(lease.key)
        if waiting is None or waiting.lease is not lease:
            waiting = self._outbox[lease.key] = _Waiting(lease)
        frames = frames_of(lease.key.capability)
        waiting.frames.append(frames.write(message))
        if len(waiting.frames) > MOST_WAITING:
            self.lost += 1
            del waiting.frames[0]
        waiting.snapshot = snapshot
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send(), name="live.send")

    async def listen(
        self, key: StreamKey, hear: Callable[[Message], None], join: Callable[[Message, bool], None]
    ) -> None:  # fmt: skip
        """Hear what the leader says, and once what stands for all that was said before, and whether anybody leads."""
        frames = frames_of(key.capability)

        def take(frame: bytes) -> None:
            try:
                message = frames.read(frame)
            except Strange as strange:
                log.warning("live_frame_strange", stream=key.subject, why=str(strange))
                return
            hear(message)

        await self._listening.listen(_Places(key).channel, take)
        snapshot, led = await self._kept(key)
        if snapshot is not None:
            join(snapshot, led)

    async def forget(self, key: StreamKey) -> None:
        """Hear no more of it."""
        self._outbox.pop(key, None)
        await self._listening.forget(_Places(key).channel)

    async def snapshot(self, key: StreamKey) -> Message | None:
        """What stands for everything that was said; None where nobody has said anything, or nobody can tell."""
        return (await self._kept(key))[0]

    async def missed(self, key: StreamKey, after: Position) -> list[Message]:
        """What Redis still has after a position, in order."""
        place = _Places(key).ring

        async def ask(redis: Redis) -> Any:
            return await cast(Any, redis.xrevrange(place, count=RING))

        rows: list[Any] = await self._link.ask(ask, otherwise=[], wait_s=self._wait_s)
        found = [_read(key, row[1][b"f"]) for row in reversed(rows)]
        return [m for m in found if m is not None and m.position > after]

    async def _kept(self, key: StreamKey) -> tuple[Message | None, bool]:
        """What stands for everything that was said, and whether somebody leads."""
        at = _Places(key)

        async def ask(redis: Redis) -> Any:
            return await redis.mget(at.state, at.lease)

        frame, lease = await self._link.ask(ask, otherwise=(None, None), wait_s=self._wait_s)
        return None if frame is None else _read(key, frame), lease is not None

    async def _flushed(self) -> None:
        if self._sender is not None and not self._sender.done():
            await asyncio.wait({self._sender}, timeout=self._wait_s)

    async def _send(self) -> None:
        """Until nothing waits: what came meanwhile goes out together."""
        while self._outbox:
            outbox, self._outbox = self._outbox, {}
            for waiting in outbox.values():
                sent = await self._link.ask(self._publishing(waiting), otherwise=None, wait_s=self._wait_s)
                if sent is None:
                    self.lost += len(waiting.frames)
                elif not sent:
                    waiting.lease.lost = True

    def _publishing(self, waiting: _Waiting) -> Callable[[Redis], Any]:
        lease = waiting.lease
        at, snapshot = _Places(lease.key), cast(Message, waiting.snapshot)
        last = f"{snapshot.position.epoch}:{snapshot.position.sequence}"
        frame = frames_of(lease.key.capability).write(snapshot)
        keys = (at.epoch, at.state, at.ring, at.channel, at.last)
        told: tuple[Any, ...] = (*keys, lease.epoch, RING, KEPT_MS, frame, last, *waiting.frames)

        async def ask(redis: Redis) -> Any:
            try:
                return await cast(Any, redis.evalsha(_PUBLISH_SHA, len(keys), *told))
            except NoScriptError:
                return await cast(Any, redis.eval(PUBLISH, len(keys), *told))

        return ask


class _Places:
    """The names of one stream's keys, and of its channel."""

    def __init__(self, key: StreamKey) -> None:
        tag = f"{{{key.digest.hex()}}}"
        base = f"marketgate:live:{tag}"
        self.lease, self.epoch, self.last = f"{base}:lease", f"{base}:epoch", f"{base}:last"
        self.state, self.ring, self.channel = f"{base}:state", f"{base}:ring", f"marketgate-live:{tag}"


def _until(asked: float) -> float:
    return asked + LIVE_MS / 1000 - MARGIN_S


def _read(key: StreamKey, frame: bytes) -> Message | None:
    try:
        return frames_of(key.capability).read(frame)
    except Strange:
        return None
