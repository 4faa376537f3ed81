"""Which processes share the upstreams' limits, and what each may send without Redis: its part, which others leave it.

A process that lost Redis cannot tell whether the others did, too. So each reports every second; who was silent for a
while may be counting by itself, and the others leave it its part of every limit. It takes that part only when they have
surely noticed (`alone_at`). Parts change by two lists, `before` and `names`: until all have heard of a new list, each
has the smaller of its two parts. Redis's clock decides who is silent, and refuses reports that come late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import cast
from uuid import uuid4

import msgspec
from redis.asyncio import Redis

from gateway.core.clock import Clock
from gateway.core.guards.membersscript import LEAVE, REPORT
from gateway.core.link import RedisLink

KEY = "marketgate:quota:processes"
EVERY_S = 1.0
SILENT_S = 3.0
"""Who was silent for this long may be counting by itself."""
FRESH_S = 2.0
"""Who has not reported for this long gets nothing of the common count: it may not know who is silent."""
LATEST_S = 0.5
"""A report that comes to Redis later than this after it was sent is refused."""
HELD_S = 300.0
"""A process that was silent for this long has ended, and nothing is left for it any more."""
WAIT_S = 0.25


class Table(msgspec.Struct, frozen=True):
    """What Redis answers to a report. `born` names the life of this Redis, `root` the oldest list that led to this."""

    state: str
    now: int
    born: str
    root: int = 0
    serial: int = 0
    names: Sequence[str] = ()
    before: Sequence[str] = ()
    settled: bool = False
    held: Sequence[str] = ()
    """Others who may be counting by themselves."""


class Members:
    """As this process last knew."""

    def __init__(self, link: RedisLink, clock: Clock, name: str | None = None) -> None:
        self._link, self._clock, self.name = link, clock, name or uuid4().hex
        self.table: Table | None = None
        """None where Redis has never answered."""
        self.remembered = True
        """False from when Redis forgot what it held until all others have told what they sent."""
        self.alone_since = 0.0
        self.tell: Callable[[bool], Awaitable[bool]] | None = None
        """Tells Redis what this process has sent without it (True: or ever), which comes before a report."""
        self.tried = self._answered = 0.0
        """When a report was last begun, and when the one was that was answered last."""
        self._reporting = asyncio.Lock()

    @property
    def count(self) -> int:
        """How many processes there are, with this one, as far as it knows."""
        return max(1, len(self.table.names)) if self.table is not None else 1

    @property
    def lone(self) -> bool:
        """Whether there is nobody else."""
        return self.table is not None and self.table.settled and list(self.table.names) == [self.name]

    @property
    def alone_at(self) -> float:
        """From when on, by this process's clock, nobody is granted any more what is this process's part."""
        return self.tried + WAIT_S + LATEST_S + SILENT_S + FRESH_S

    @property
    def told_at(self) -> int:
        """When, by Redis's clock in milliseconds, the last report was answered; 0 where none was."""
        return self.table.now if self.table is not None else 0

    def fresh(self, now: float) -> bool:
        """Whether it is known well enough who is silent."""
        return self.table is not None and now < self._answered + FRESH_S * 0.75

    def part(self, units: int) -> int:
        """What this process may send of a limit without Redis; all of it where there never was a Redis."""
        if self.table is None:
            return units
        part = share_of(self.table.names, self.name, units)
        return part if self.table.settled else min(part, share_of(self.table.before, self.name, units))

    def held(self, units: int) -> int:
        """What is to be left of a limit for others, who may be counting by themselves."""
        table = self.table
        if table is None:
            return 0
        return sum(max(share_of(names, each, units) for names in (table.names, table.before)) for each in table.held)

    async def refresh(self) -> None:
        """Report where the last time is a while ago."""
        if not self.fresh(self._clock.monotonic()):
            async with self._reporting:
                if not self.fresh(self._clock.monotonic()):
                    await self._report()

    async def report(self) -> None:
        """Say that this process is there, and learn who else is; nothing while Redis is away."""
        async with self._reporting:
            await self._report()

    async def _report(self) -> None:
        # A report that is carried out and not answered would let the others think that Redis is there for us.
        if self._clock.monotonic() >= self._answered + FRESH_S and not await self._probe():
            return
        self.tried = self._clock.monotonic()
        if await self._told(False):
            found = await self._send(self.table.born if self.table else "")
            if found is not None and found.state == "forgot" and await self._told(True):
                await self._send(found.born)

    async def forgot(self) -> bool:
        """Whether Redis has lost what it held since the last report; it is taken to have where that is not known."""
        if self.table is None:
            return False

        async def question(redis: Redis) -> bytes | None:
            return cast("bytes | None", await redis.get(KEY))

        kept = await self._link.ask(question, otherwise=None, wait_s=WAIT_S)
        if kept is None or msgspec.json.decode(kept)["born"] != self.table.born:
            self.remembered = False
        return not self.remembered

    async def leave(self) -> None:
        """This process ends: nothing is left for it."""

        async def question(redis: Redis) -> bytes | None:
            told = str(int(HELD_S * 1000))
            return await cast("Awaitable[bytes | None]", redis.eval(LEAVE, 1, KEY, self.name, told))

        await self._link.ask(question, otherwise=None)

    async def _told(self, everything: bool) -> bool:
        return self.tell is None or await self.tell(everything)

    async def _probe(self) -> bool:
        async def question(redis: Redis) -> bool:
            return bool(await redis.ping())

        return await self._link.ask(question, otherwise=False, wait_s=WAIT_S)

    async def _send(self, born: str) -> Table | None:
        sent, known = self._clock.monotonic(), self.table
        self.tried = sent  # telling before may have taken long
        # Redis's clock is at least so far: what is later by more than the wait was held up on its way.
        latest = 0 if known is None else known.now + int((sent - self._answered + LATEST_S) * 1000)
        told = {
            "name": self.name, "born": born, "fresh": uuid4().hex, "latest": latest,
            "silent": int(SILENT_S * 1000), "held": int(HELD_S * 1000),
            "root": known.root if known else 0, "serial": known.serial if known else 0,
            "names": known.names if known else (), "before": known.before if known else (),
        }  # fmt: skip

        async def question(redis: Redis) -> bytes:
            return await cast("Awaitable[bytes]", redis.eval(REPORT, 1, KEY, msgspec.json.encode(told).decode()))

        answer = await self._link.ask(question, otherwise=None, wait_s=WAIT_S)
        return None if answer is None else self._take(msgspec.json.decode(answer, type=Table), sent)

    def _take(self, found: Table, sent: float) -> Table:
        if found.state == "done":
            was_lone = self.lone
            self.table, self._answered = found, sent
            self.remembered = self.remembered or found.settled
            if self.lone and not was_lone:
                self.alone_since = self._clock.monotonic()
        elif found.state == "forgot":
            self.remembered = False
        elif self.table is not None:  # late: Redis's clock may have been set
            self.table = msgspec.structs.replace(self.table, now=found.now)
            self._answered = sent - FRESH_S
        return found


def share_of(names: Sequence[str], name: str, units: int) -> int:
    """The part of one of these, in whole units; one alone has half, so that there is some for another that comes."""
    if name not in names:
        return 0
    count = max(len(names), 2)
    return units // count + (names.index(name) < units % count)
