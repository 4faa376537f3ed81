"""The hub: one stream of each kind for all who want it in this process, and one upstream's for all of the fleet.

Streams that nobody wants any more stop after a while. Without Redis a process leads all of its streams itself.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from gateway.core.clock import Clock
from gateway.core.lines.line import Event, Lines
from gateway.core.live.built import Built
from gateway.core.live.channel import RING, Channel
from gateway.core.live.leader import Leader, Upstream
from gateway.core.live.messages import Message, Position, StreamKey
from gateway.core.live.seeding import Seeds
from gateway.core.live.subscription import Subscription
from gateway.core.metrics import gauge
from schema.words.live import NoticeCode, StreamNotice
from schema.words.trades import TRADES

if TYPE_CHECKING:
    from gateway.core.live.fleet import LiveFleet

GRACE_S = 10.0
"""How long a stream goes on that nobody wants: who reloads a page finds it."""
INSIST_S = 1.0
"""How long a cancelled task may take before it is cancelled again."""

STREAMS = gauge("marketgate_live_streams", "Streams that this process hears, by capability.", "capability")

HERE = uuid4().hex
"""This process."""

Work = Callable[[], Awaitable[None]]

LOG = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class _Held:
    """A channel with what keeps it going."""

    channel: Channel
    leader: Leader
    task: asyncio.Task[None] | None = None
    users: int = 0
    leaving: asyncio.Task[None] | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)


class Hub:
    """One per process."""

    def __init__(
        self, lines: Lines, clock: Clock, *, fleet: LiveFleet | None = None, rng: random.Random | None = None,
        grace_s: float = GRACE_S,
    ) -> None:  # fmt: skip
        self._lines, self.clock, self._fleet = lines, clock, fleet
        self._rng, self._grace_s = rng or random.Random(), grace_s
        self._held: dict[StreamKey, _Held] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    @property
    def streams(self) -> int:
        """How many this process hears."""
        return len(self._held)

    def leading(self) -> list[StreamKey]:
        """Those that it has from upstream itself."""
        return [key for key, held in self._held.items() if held.leader.leads]

    @asynccontextmanager
    async def subscribe(
        self,
        subjects: Mapping[str, Sequence[Upstream]],
        after: Mapping[bytes, Position] | None = None,
        every_s: float = 0.0,
        notices: Sequence[StreamNotice] = (),
    ) -> AsyncGenerator[Subscription]:
        """The streams of some subjects, each with its providers in order, as one: symbol as written by upstreams.

        The first message is a snapshot, or what was missed since *after*. Nothing is left of it when the context ends.
        """
        made = Subscription(self, subjects, every_s, notices)
        try:
            await made.begin(after)
            yield made
        finally:
            made.end()

    async def retain(self, upstream: Upstream) -> Channel:
        """The channel of an upstream's stream, kept until `release`."""
        key = key_of(upstream)
        held = self._held.get(key)
        if held is None:
            held = self._held[key] = self._open(key, upstream)
            held.users = 1
            held.task = self.task(partial(self._carry, held), f"{key.capability} {key.subject} {key.provider}")
        else:
            held.users += 1
            if held.leaving is not None:
                held.leaving.cancel()
                held.leaving = None
        try:
            await held.ready.wait()
        except asyncio.CancelledError:
            self.release(held.channel)
            raise
        return held.channel

    def release(self, channel: Channel) -> None:
        """One who wanted it does no more."""
        held = self._held.get(channel.key)
        if held is None or held.channel is not channel:
            return
        held.users -= 1
        if held.users == 0 and not self._closing:
            held.leaving = self.task(partial(self._leave, held), "leaving")

    async def begun(self, channel: Channel, within_s: float) -> None:
        """Until something was heard, for a while."""
        try:
            async with asyncio.timeout(within_s):
                await self._held[channel.key].begun.wait()
        except TimeoutError:
            return

    async def held(self, channel: Channel, after: Position) -> list[Message]:
        """What the fleet still has of a stream."""
        return [] if self._fleet is None else await self._fleet.missed(channel.key, after)

    async def close(self) -> None:
        """Nothing is left."""
        self._closing = True
        for held in self._held.values():
            held.ready.set()
        await _end(self._tasks)
        for key in list(self._held):
            await self._dismiss(self._held[key])

    def task(self, work: Work, name: str) -> asyncio.Task[None]:
        """A task of the hub; what it dies of is logged."""
        task = asyncio.create_task(self._logged(work, name), name=f"live {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def begin(self, work: Work, name: str) -> None:
        """A task that nobody waits for or ends but the hub."""
        _ = self.task(work, name)

    async def _logged(self, work: Work, name: str) -> None:
        try:
            await work()
        except asyncio.CancelledError:
            raise
        except Exception:
            LOG.exception("live_task_failed", task=name)

    def _open(self, key: StreamKey, upstream: Upstream) -> _Held:
        # What a licence lets nobody keep is neither held for those who come back nor told to Redis.
        kept = upstream.lane.rights.keep
        channel = Channel(key, self._behind, ring=RING if kept else 0)
        fleet = self._fleet if kept else None
        leader = Leader(channel, upstream, self._line, self.clock, fleet, self._rng, self._behind)
        held = _Held(channel, leader)
        channel.attach(_First(held.begun))
        STREAMS.labels(key.capability).inc()
        return held

    @asynccontextmanager
    async def _line(self, upstream: Upstream) -> AsyncGenerator[AsyncIterator[Event]]:
        """The line from upstream, or the one that is built from another stream of this hub."""
        source, lane, ask = upstream.source, upstream.lane, upstream.ask
        if source is None:
            async with self._lines.open(lane, upstream.capability, ask) as line:
                yield line
            return
        trades = source.upstream.lane if source.upstream.capability is TRADES else None
        seeds = Seeds(ask=self._lines.ask, wanted=ask, trades=trades, candles=source.candles)
        channel = await self.retain(source.upstream)
        events = Built(channel, seeds, self.clock).events()
        try:
            yield events
        finally:
            await events.aclose()
            self.release(channel)

    async def _carry(self, held: _Held) -> None:
        try:
            if self._fleet is not None and held.leader.in_fleet:
                await self._fleet.listen(held.channel.key, held.channel.hear, held.channel.join)
        finally:
            held.ready.set()
        await held.leader.run()

    async def _leave(self, held: _Held) -> None:
        await self.clock.sleep(self._grace_s)
        held.leaving = None
        await self._dismiss(held)

    async def _dismiss(self, held: _Held) -> None:
        key = held.channel.key
        if self._held.pop(key, None) is None:
            return
        STREAMS.labels(key.capability).dec()
        if held.task is not None:
            await _end([held.task])
        if self._fleet is not None and held.leader.in_fleet and key not in self._held:
            await self._fleet.forget(key)

    def _behind(self, channel: Channel) -> None:
        """Something that the leader said has not come here."""
        if self._fleet is not None:
            channel.hold()
            self.begin(partial(self._fill, channel, self._fleet), "fill")

    async def _fill(self, channel: Channel, fleet: LiveFleet) -> None:
        missed = await fleet.missed(channel.key, channel.position)
        if channel.closes(missed):
            channel.filled(missed)
            return
        snapshot = await fleet.snapshot(channel.key)
        notice = StreamNotice(
            code=NoticeCode.GAP, message="something of this stream was lost on its way: a snapshot follows",
            symbol=channel.key.subject, provider=channel.key.provider, at=self.clock.now(),
        )  # fmt: skip
        channel.broken(snapshot, notice)


class _First:
    """Says when a channel's first message is there."""

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event

    def heard(self, channel: Channel, message: Message) -> None:
        """See `Listener`."""
        self._event.set()
        channel.detach(self)


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel them until they have ended: a cancellation that meets an answer of Redis may be lost on its way."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=INSIST_S)


def key_of(upstream: Upstream) -> StreamKey:
    """What the fleet calls an upstream's stream."""
    interval, lane = getattr(upstream.ask, "interval", None), upstream.lane
    # What no other process may know has a name that no other process has.
    mark = lane.mark or ("" if lane.scope is None else f"{HERE} {id(lane.access)}")
    ask, capability = upstream.ask, upstream.capability
    subject = capability.items.of(ask)[0] if capability.items else ask.instrument
    return StreamKey(
        capability=capability.name, subject=str(subject), provider=upstream.lane.id,
        interval=interval.value if interval is not None else "", mark=mark,
    )  # fmt: skip
