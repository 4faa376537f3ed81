"""Warm-up: which shared answers are read most, and a new process that takes those over before it is asked for them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import msgspec
import structlog
from redis.asyncio import Redis

from gateway.core.access import Lane
from gateway.core.clock import Clock
from gateway.core.contract import Worker
from gateway.core.guards.codec import canonical, read_item
from gateway.core.guards.keys import cache_key
from gateway.core.guards.shared import PREFIX, SLOW_S, SharedCache
from gateway.core.pipeline import Pipeline
from schema.capability import Capability
from schema.symbols import InstrumentId

EVERY_S = 60.0
HOTTEST = f"{PREFIX}hottest"
DECAYED = f"{PREFIX}hottest:decayed"
DECAY = 0.5
"""What a minute leaves of a count."""
MOST_COUNTED = 2_000
"""Keys that a process counts between two reports; a new one takes the place of the least read."""
MOST_LISTED = 10_000
AT_ONCE = 100

Key = tuple[str, str, str]
"""Capability, provider, item as text."""

log = structlog.get_logger(__name__)


class Warmth:
    """Counts a sample of this process's reads, reports them to Redis, and reads the fleet's list at the start."""

    def __init__(self, pipeline: Pipeline, shared: SharedCache, clock: Clock, most: int) -> None:
        self._pipeline, self._shared, self._clock, self._most = pipeline, shared, clock, most
        self._reads: dict[tuple[Lane, Capability[Any, Any], Any], int] = {}
        self._loaded = False
        pipeline.on_read = self.note

    def worker(self) -> Worker:
        """Loads once, then reports now and then."""
        return Worker(name="cache.warmth", every=EVERY_S, run=self.run, finish=self.report)

    async def run(self) -> None:
        """See `worker`."""
        if not self._loaded:
            self._loaded = True
            await self.load()
        await self.report()

    def note(self, lane: Lane, capability: Capability[Any, Any], item: Any) -> None:
        """One read, by the space-saving rule: a newcomer inherits the count of the one that it takes the place of."""
        if lane.scope is not None:
            return
        key = (lane, capability, item)
        reads = self._reads
        if key in reads or len(reads) < MOST_COUNTED:
            reads[key] = reads.get(key, 0) + 1
            return
        least = min(reads, key=reads.__getitem__)
        reads[key] = reads.pop(least) + 1

    async def report(self) -> None:
        """Add what was counted to the fleet's list, which forgets half of itself each minute."""
        reads, self._reads = self._reads, {}
        counts: dict[str, int] = {}
        for (lane, capability, item), count in reads.items():
            if self._shared.address(lane, capability, item) is not None:
                member = msgspec.json.encode((capability.name, lane.id, canonical(item))).decode()
                counts[member] = count
        first = await self._shared.link.ask(
            lambda redis: redis.set(DECAYED, "1", nx=True, px=int(EVERY_S * 900)), otherwise=None, wait_s=SLOW_S
        )
        if first:
            self._shared.post(lambda line: line.zunionstore(HOTTEST, {HOTTEST: DECAY}))
            self._shared.post(lambda line: line.zremrangebyrank(HOTTEST, 0, -MOST_LISTED - 1))
        if counts:
            self._shared.post(lambda line: [line.zincrby(HOTTEST, n, member) for member, n in counts.items()])
            self._shared.post(lambda line: line.expire(HOTTEST, 86_400))
        await self._shared.settle()

    async def load(self) -> int:
        """Take over the most read answers, in at most half of the memory; how many."""

        async def hottest(redis: Redis) -> list[bytes]:
            return cast("list[bytes]", await redis.zrevrange(HOTTEST, 0, self._most - 1))

        nothing: list[bytes] = []
        found = await self._shared.link.ask(hottest, otherwise=nothing, wait_s=SLOW_S) if self._most else nothing
        taken = 0
        for start in range(0, len(found), AT_ONCE):
            if self._pipeline.cache.bytes * 2 > self._pipeline.cache.most_bytes:
                break
            taken += await self._take_over(found[start : start + AT_ONCE])
            await asyncio.sleep(0)  # who asks meanwhile comes first
        if taken:
            log.info("cache_warmed", answers=taken)
        return taken

    async def _take_over(self, members: Sequence[bytes]) -> int:
        wanted = [each for member in members if (each := self._read(member)) is not None]
        pairs = sorted({(lane.id, capability.name) for lane, capability, _, _ in wanted})
        eras = await self._shared.eras(pairs) if pairs else None
        if eras is None:
            return 0
        frames = await self._shared.frames([address for *_, address in wanted])
        cache, taken = self._pipeline.cache, 0
        for (lane, capability, item, address), frame in zip(wanted, frames, strict=True):
            if frame is None:
                continue
            stored = await self._shared.read(capability, address, frame, eras[lane.id, capability.name])
            key = cache_key(lane, capability, item)
            if stored is not None and cache.get(key) is None:
                cache.put(key, stored)
                taken += 1
        return taken

    def _read(self, member: bytes) -> tuple[Lane, Capability[Any, Any], Any, str] | None:
        """None for what another build listed, and this one does not know."""
        try:
            name, provider, told = msgspec.json.decode(member, type=Key)
            lane = next(lane for lane in self._pipeline.registry.lanes_of(name) if lane.id == provider)
            capability = lane.answer.capability
            item = read_item(InstrumentId if capability.items else capability.ask, told)
        except (ValueError, TypeError, StopIteration):
            return None
        address = self._shared.address(lane, capability, item)
        return None if address is None else (lane, capability, item, address)
