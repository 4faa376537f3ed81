"""Leading a stream: an upstream's line becomes numbered, stamped messages; in a fleet only while the lease holds."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import structlog

from gateway.core.access import Lane
from gateway.core.callfacts import CallFacts
from gateway.core.clock import Clock
from gateway.core.lines.line import Ended, Event, Trouble, Update
from gateway.core.live.channel import Channel
from gateway.core.live.messages import Message, Position
from gateway.core.stamping import Stamper, remarked
from schema.capability import Capability
from schema.errors import FailureCode
from schema.provenance import Provenance
from schema.words.live import NoticeCode, StreamNotice

if TYPE_CHECKING:
    from gateway.core.live.fleet import Lease, LiveFleet

RENEW_S = 1.0
"""Between two renewals of a lease of three seconds."""
LOOK_S = 0.4
"""Between two looks of a follower at whether anybody leads, and how far the leader is."""
AGAIN = (1.0, 60.0)
"""The pause before an ended line is opened again, where somebody still wants it: the first, and the longest."""

TAKEN_OVER = "the process that had this stream from upstream is gone or gave it up: another one has taken over"

LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """What a stream comes from: a lane, and the ask of one item."""

    lane: Lane
    capability: Capability[Any, Any]
    ask: Any
    source: Source | None = None
    """Of candles that are built here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What candles are built from: the stream of the same provider's trades, or last prices."""

    upstream: Upstream
    candles: Lane | None = None
    """Where whole candles are asked for over HTTP."""


Opening = Callable[[Upstream], AbstractAsyncContextManager[AsyncIterator[Event]]]
"""Opens an upstream's line; nothing is left of it when the context ends."""


class Leader:
    """One per channel of a process: leads it, or waits until nobody else does."""

    def __init__(
        self, channel: Channel, upstream: Upstream, lines: Opening, clock: Clock, fleet: LiveFleet | None,
        rng: random.Random, behind: Callable[[Channel], None],
    ) -> None:  # fmt: skip
        self._channel, self._upstream, self._lines, self._clock, self._fleet = channel, upstream, lines, clock, fleet
        self._rng, self._stamper, self._behind = rng, Stamper(clock), behind
        self._pause = AGAIN[0]
        self._seen: Position | None = None
        self.leads = False
        """Whether this process has the upstream's stream now."""

    @property
    def in_fleet(self) -> bool:
        """Whether other processes hear of it."""
        return self._fleet is not None

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            if self._fleet is None:
                await self._lead_once(None)
            else:
                await self._take_part(self._fleet)

    async def _take_part(self, fleet: LiveFleet) -> None:
        """Lead where the lease is free; without Redis each process streams for its own subscribers, and says so."""
        lease, last = await fleet.acquire(self._channel.key, self._channel.position.epoch)
        if lease is None and fleet.available:
            if last is not None and self._seen is not None and last >= self._seen > self._channel.position:
                # What was said a whole look ago has not come here.
                self._behind(self._channel)
            self._seen = last
            await self._clock.sleep(LOOK_S * self._rng.uniform(0.75, 1.25))
            return
        try:
            if lease is None:
                told = "the fleet is out of reach: this process streams for itself"
                await self._until(self._lead_once(None, told), fleet.returned())
            else:
                await self._until(self._lead_once(lease), self._keep(fleet, lease))
        finally:
            if lease is not None:
                await fleet.release(lease)

    async def _until(self, work: Awaitable[None], end: Awaitable[None]) -> None:
        """Whichever ends first ends the other."""
        tasks = {asyncio.ensure_future(work), asyncio.ensure_future(end)}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _keep(self, fleet: LiveFleet, lease: Lease) -> None:
        """Until the lease is somebody else's, or cannot be renewed in time."""
        while lease.holds():
            await self._clock.sleep(RENEW_S)
            await fleet.renew(lease)
        LOG.warning("live_lease_lost", stream=self._channel.key.subject, provider=self._channel.key.provider)

    async def _lead_once(self, lease: Lease | None, told: str = "") -> None:
        """One line from its beginning to its end, in an epoch of its own."""
        epoch = lease.epoch if lease else max(self._channel.position.epoch + 1, _milliseconds(self._clock))
        course = _Course(self._channel, epoch, lease, self._fleet)
        self.leads = True
        try:
            if told:
                course.say((self._notice(NoticeCode.GAP, told),))
            elif lease is not None and self._channel.begun:
                course.say((self._notice(NoticeCode.RECONNECTING, TAKEN_OVER),))
            async with self._lines(self._upstream) as events:
                async for event in events:
                    self._take(course, event)
                    if course.lost:
                        return
                    if isinstance(event, Ended):
                        break
        finally:
            self.leads = False
            course.close()
        # Only those who have nobody else to ask still want it.
        await self._clock.sleep(self._pause * self._rng.uniform(0.5, 1.0))
        self._pause = min(2 * self._pause, AGAIN[1])

    def _take(self, course: _Course, event: Event) -> None:
        match event:
            case Update():
                self._pause = AGAIN[0]
                values, provenance = self._stamped(event)
                course.tell(values, provenance, snapshot=event.snapshot)
            case Trouble():
                course.say((self._notice(event.code, event.message),))
            case Ended():
                unknown = event.error.code is FailureCode.UNKNOWN_INSTRUMENT
                code = NoticeCode.UNKNOWN_INSTRUMENT if unknown else NoticeCode.STALE
                course.say((self._notice(code, str(event.error)),), ended=str(event.error.code))

    def _stamped(self, event: Update) -> tuple[tuple[Any, ...], Provenance]:
        if event.provenance is not None:
            return tuple(remarked(value, event.provenance) for value in event.values), event.provenance
        found, provenance = self._stamper.stamp(
            self._upstream.lane, self._upstream.capability, event.values,
            CallFacts(capability=self._channel.key.capability),
        )  # fmt: skip
        if provenance.as_of is None and event.as_of is not None:
            # Candles have no stamps of their own.
            provenance = replace(provenance, as_of=event.as_of)
        return found, provenance

    def _notice(self, code: NoticeCode, message: str) -> StreamNotice:
        key = self._channel.key
        return StreamNotice(
            code=code, message=message, symbol=key.subject, provider=key.provider, at=self._clock.now()
        )  # fmt: skip


class _Course:
    """The messages of one epoch, to this process's channel at once and to the others through the fleet."""

    def __init__(self, channel: Channel, epoch: int, lease: Lease | None, fleet: LiveFleet | None) -> None:
        self._channel, self._epoch, self._lease, self._fleet = channel, epoch, lease, fleet
        self._sequence = 0
        self.lost = False

    def tell(self, values: tuple[Any, ...], provenance: Provenance, *, snapshot: bool) -> None:
        """New values; an epoch's first message shows what stands for everything before."""
        first = self._sequence == 0
        if first and not snapshot:
            values = self._channel.fold.state(self._channel.state, values)
        self._send(values=values, provenance=provenance, snapshot=snapshot or first)

    def say(self, notices: tuple[StreamNotice, ...], ended: str | None = None) -> None:
        """Notices alone."""
        first = self._sequence == 0
        state, provenance = (self._channel.state, self._channel.provenance) if first else ((), None)
        self._send(values=state, provenance=provenance, snapshot=first, notices=notices, ended=ended)

    def close(self) -> None:
        """Nothing more is told."""
        self.lost = True

    def _send(self, **told: Any) -> None:
        # Who was stopped for a while, or cut off, may have been followed by another: silence until that is known.
        if self.lost or (self._lease is not None and not self._lease.holds()):
            self.lost = True
            return
        self._sequence += 1
        message = Message(position=Position(self._epoch, self._sequence), **told)
        self._channel.hear(message)
        if self._lease is not None and self._fleet is not None:
            self._fleet.publish(self._lease, message, self._channel.snapshot() or message)


def _milliseconds(clock: Clock) -> int:
    return int(clock.now().timestamp() * 1000)
