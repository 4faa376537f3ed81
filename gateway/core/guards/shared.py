"""The shared cache in Redis: frames by canonical keys, short locks, and drops that cost one key each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast
from uuid import uuid4

import msgspec
from redis.asyncio import Redis

from gateway.core.access import Lane
from gateway.core.aside import LARGE, aside
from gateway.core.clock import Clock
from gateway.core.guards.cache import READS, Stored
from gateway.core.guards.codec import canonical
from gateway.core.guards.fleettime import FleetTime, Times
from gateway.core.guards.frames import REFUSED, Refused, frames_of
from gateway.core.guards.sizes import size_of
from gateway.core.link import RedisLink
from gateway.core.metrics import counter
from schema.capability import Capability

PREFIX = "marketgate:cache:"
LARGE_FRAME = 64 * 1024
"""Bytes of a frame that takes so long to read that it is done in a thread: unpacked they are ten times as many."""
LONGEST_KEPT_S = 172_800
"""No frame is kept for longer, and a drop is remembered for twice as long."""
LOCK_S = 2.0
"""After that long a lock that nobody renews ends by itself: whoever held it may have died."""
RENEWALS = 3
"""Of a lock that is held on, in the time after which it would end."""
MOST_WAITING = 16 * 2**20
"""Bytes that wait to be written; what comes on top is not shared."""
SLOW_S = 0.5
"""Writes are waited for by nobody, and may take longer than a question."""
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
RENEW = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"
# Who has lost the lock is late: another process may have written something newer.
KEEP = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('late') end
local done = redis.pcall('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[1])
return done
"""

HITS, STALE, MISSES, AWAY = (READS.labels("shared", outcome) for outcome in ("hit", "stale", "miss", "away"))
UNWRITTEN = counter("marketgate_cache_writes_lost", "Frames that Redis did not take.", "why")

T = TypeVar("T")
Claim = tuple[str | None, bytes | None]


@dataclass(slots=True)
class Patience:
    """The time that one flight may lose to a slow Redis, in all that it asks."""

    left: float
    """Seconds."""


class Lease:
    """Locks that are renewed while their holder works; they end soon after a holder that has died."""

    def __init__(self, shared: SharedCache, tokens: Mapping[str, str]) -> None:
        self._shared = shared
        self._tokens = [(address, token) for address, token in tokens.items() if token]
        self._timer: asyncio.TimerHandle | None = None
        if self._tokens:
            self._wait()

    def end(self) -> None:
        """Renew no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._shared.lock_s / RENEWALS, self._renew)

    def _renew(self) -> None:
        self._shared.renew(self._tokens)
        self._wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look found: copies fresh and stale, and the era that frames written now belong to."""

    era: str
    found: Mapping[Any, Stored]
    raw: Mapping[Any, bytes | None]


class SharedCache:
    """One per process that has Redis."""

    def __init__(self, link: RedisLink, clock: Clock, mode: str, *, lock_s: float = LOCK_S) -> None:
        self.link, self.lock_s = link, lock_s
        self._clock, self._mode = clock, mode
        self.time = FleetTime(clock)
        link.on_return(self.time.forget)
        self._waiting: list[Callable[[Any], Any]] = []
        self._bytes = 0
        self._sender: asyncio.Task[None] | None = None

    def address(self, lane: Lane, capability: Capability[Any, Any], item: Any) -> str | None:
        """The same in every process, and another for everything that differs; None for what is not shared."""
        if not lane.rights.keep or (lane.scope is not None and not lane.mark):
            return None
        if frames_of(capability) is None:
            return None
        try:
            told = canonical(item)
        except TypeError:
            return None
        parts = [self._mode, capability.name, capability.version, lane.id, lane.mark, told]
        return f"{PREFIX}{{{lane.id}}}{msgspec.json.encode(parts).decode()}"

    def patience(self) -> Patience:
        """A flight's."""
        return Patience(self.link.wait_s)

    async def look(
        self, capability: Capability[Any, Any], provider: str, addresses: Mapping[Any, str], patience: Patience
    ) -> Look | None:
        """One question for all items; None where Redis did not answer."""
        keys = [*_eras(provider, capability.name), *addresses.values()]
        answer = await self._values(keys, patience)
        if answer is None:
            AWAY.inc()
            return None
        era = b".".join(each or b"" for each in answer[:2]).decode("ascii", "replace")
        times = self.time.times()
        raw = dict(zip(addresses, answer[2:], strict=True))
        found: dict[Any, Stored] = {}
        for item, frame in raw.items():
            if frame is None:
                MISSES.inc()
                continue
            stored = await self.read(capability, addresses[item], frame, era, times)
            if stored is None:
                MISSES.inc()
                continue
            (HITS if stored.fresh_until > times.monotonic else STALE).inc()
            found[item] = stored
        return Look(era=era, found=found, raw=raw)

    async def read(
        self, capability: Capability[Any, Any], address: str, frame: bytes, era: str, times: Times | None = None
    ) -> Stored | None:
        """None for a frame that is not believed, which is counted."""
        frames = frames_of(capability)
        if frames is None:
            return None
        reading = partial(frames.read, address, frame, era, times or self.time.times())
        try:
            return await aside(reading) if len(frame) >= LARGE_FRAME else reading()
        except Refused as refused:
            if refused.why == "ahead":
                self.time.forget()
            REFUSED.labels(refused.why).inc()
            return None

    async def eras(self, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str] | None:
        """The era of each provider's capability."""
        keys = [key for provider, name in pairs for key in _eras(provider, name)]
        answer = await self._values(keys, self.patience())
        if answer is None:
            return None
        joined = [b".".join(each or b"" for each in answer[at : at + 2]) for at in range(0, len(answer), 2)]
        return {pair: era.decode("ascii", "replace") for pair, era in zip(pairs, joined, strict=True)}

    async def marks(self, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str | None], bytes | None] | None:
        """What an operator's drops have left, of each provider (None for its capability) and of each capability."""
        keys: dict[tuple[str, str | None], str] = {}
        for provider, name in pairs:
            keys[provider, None], keys[provider, name] = _eras(provider, name)
        wanted = list(keys.values())
        answer: Sequence[bytes | None] | None = await self._ask(lambda redis: _got(redis, wanted), Patience(SLOW_S))
        return None if answer is None else dict(zip(keys, answer, strict=True))

    async def frames(self, addresses: Sequence[str]) -> Sequence[bytes | None]:
        """As they are; nothing where Redis did not answer."""
        found: Sequence[bytes | None] | None = await self._ask(lambda redis: _got(redis, addresses), Patience(SLOW_S))
        return found or [None] * len(addresses)

    async def claim(self, addresses: Sequence[str], patience: Patience) -> list[Claim]:
        """For each a token, or None where another process is asking, and its frame at that moment.

        Without Redis everything is ours, without a token.
        """
        token, lasting = uuid4().hex, int(self.lock_s * 1000)

        async def lock(redis: Redis) -> list[Any]:
            async with redis.pipeline(transaction=False) as line:
                for address in addresses:
                    line.execute_command("SET", _lock(address), token, "NX", "PX", lasting)
                    line.execute_command("GET", address)
                return await line.execute(raise_on_error=False)

        taken = await self._ask(lock, patience)
        if taken is None:
            self._give_up(addresses, token)
            return [("", None)] * len(addresses)
        # Full or read-only: nobody can lock, so nobody waits.
        return [
            ("" if isinstance(lock, Exception) else token if lock else None, frame if type(frame) is bytes else None)
            for lock, frame in zip(taken[::2], taken[1::2], strict=True)
        ]

    async def peek(self, addresses: Sequence[str], patience: Patience) -> list[tuple[bool, bytes | None]] | None:
        """For each whether it is locked, and its frame; None where Redis did not answer."""
        keys = [key for address in addresses for key in (_lock(address), address)]
        answer: Sequence[bytes | None] | None = await self._ask(lambda redis: _got(redis, keys), patience)
        if answer is None:
            return None
        return [(answer[at] is not None, answer[at + 1]) for at in range(0, len(answer), 2)]

    async def keep(self, capability: Capability[Any, Any], address: str, stored: Stored, era: str, token: str) -> bool:
        """Write it soon and give the lock back, for which nobody waits; false where that cannot be.

        What was fetched without a lock, or with one that was lost meanwhile, is not written.
        """
        frames = frames_of(capability)
        times = self.time.times()
        kept = max(capability.revalidate_for, capability.keep_for).total_seconds() if stored.error is None else 0.0
        lasting = min(stored.fresh_until - times.monotonic + kept, LONGEST_KEPT_S)
        if frames is None or lasting <= 0 or not token:
            return False
        writing = partial(frames.write, address, stored, era, times)
        try:
            frame = await aside(writing) if size_of(stored.value) >= LARGE else writing()
        except Refused as refused:
            UNWRITTEN.labels(refused.why).inc()
        except (TypeError, ValueError, OverflowError, RecursionError):
            UNWRITTEN.labels("no form").inc()
        else:
            milliseconds = max(int(lasting * 1000), 1)
            return self._post(
                lambda line: line.eval(KEEP, 2, _lock(address), address, token, frame, milliseconds), len(frame)
            )
        return False

    def release(self, address: str, token: str) -> None:
        """Others may ask."""
        if token:
            self._post(lambda line: line.eval(RELEASE, 1, _lock(address), token), 0)

    def renew(self, tokens: Sequence[tuple[str, str]]) -> None:
        """Hold on to locks by address; one that was lost is not taken back."""
        lasting = int(self.lock_s * 1000)
        self._post(lambda line: [line.eval(RENEW, 1, _lock(each), token, lasting) for each, token in tokens], 0)

    async def drop(self, provider: str, capability: str | None) -> bool:
        """No frame of a provider, or of its capability, from before is served again; false where Redis is away."""
        all_of_it, one = _eras(provider, capability or "")
        key, token = one if capability else all_of_it, uuid4().hex[:12]
        written = await self.link.ask(
            lambda redis: redis.set(key, token, ex=2 * LONGEST_KEPT_S), otherwise=None, wait_s=SLOW_S
        )
        return bool(written)

    def post(self, order: Callable[[Any], Any]) -> None:
        """Something else to write in the same way: *order* adds commands to a pipeline."""
        self._post(order, 0)

    async def settle(self) -> None:
        """Until what waits is written."""
        while self._sender is not None and not self._sender.done():
            await asyncio.wait({self._sender})

    def _give_up(self, addresses: Sequence[str], token: str) -> None:
        """Locks that Redis may have given after all: nobody would renew or free them."""
        if self.link.available:
            for address in addresses:
                self.release(address, token)

    def _post(self, order: Callable[[Any], Any], size: int) -> bool:
        if not self.link.available or self._bytes + size > MOST_WAITING:
            UNWRITTEN.labels("away" if not self.link.available else "too many").inc()
            return False
        self._waiting.append(order)
        self._bytes += size
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send(), name="cache.send")
        return True

    async def _send(self) -> None:
        while self._waiting:
            orders, self._waiting, self._bytes = self._waiting, [], 0
            done = await self.link.ask(lambda redis, orders=orders: _sent(redis, orders), otherwise=None, wait_s=SLOW_S)  # type: ignore[misc]
            if done is None:
                UNWRITTEN.labels("away").inc(len(orders))
                continue
            lost = sum(isinstance(each, Exception) for each in done)
            if lost:
                UNWRITTEN.labels("refused").inc(lost)

    async def _values(self, keys: Sequence[str], patience: Patience) -> Sequence[bytes | None] | None:
        """What stands under keys; from time to time with Redis's time, which costs no question more."""

        async def with_time(redis: Redis) -> Sequence[bytes | None]:
            async with redis.pipeline(transaction=False) as line:
                asked = self._clock.monotonic()
                line.execute_command("MGET", *keys)
                line.execute_command("TIME")
                found, told = await line.execute()
                self.time.measured(asked, told)
                return cast("Sequence[bytes | None]", found)

        return await self._ask(with_time if self.time.due else lambda redis: _got(redis, keys), patience)

    async def _ask(self, question: Callable[[Redis], Awaitable[T]], patience: Patience) -> T | None:
        if patience.left <= 0 or not self.link.available:
            return None
        loop = asyncio.get_running_loop()
        began = loop.time()
        answer: T | None = await self.link.ask(question, otherwise=None, wait_s=patience.left)
        patience.left -= loop.time() - began
        return answer


async def _got(redis: Redis, keys: Sequence[str]) -> Sequence[bytes | None]:
    return cast("Sequence[bytes | None]", await redis.mget(keys))


async def _sent(redis: Redis, orders: Sequence[Callable[[Any], Any]]) -> list[Any]:
    async with redis.pipeline(transaction=False) as line:
        for order in orders:
            order(line)
        return await line.execute(raise_on_error=False)


def _lock(address: str) -> str:
    return f"{address}!lock"


def _eras(provider: str, capability: str) -> tuple[str, str]:
    """Keys that an operator's drop changes: the provider's, and its capability's."""
    stem = f"{PREFIX}{{{provider}}}era"
    return stem, f"{stem}:{capability}"
