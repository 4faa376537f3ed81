"""An upstream's limits counted by all processes together over Redis; without it each keeps to its part of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import sha1
from itertools import count
from math import ceil
from typing import Any
from uuid import uuid4

import msgspec
from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from gateway.core.clock import Clock
from gateway.core.guards.fairness import GRACE_S, YIELD_S, Turns
from gateway.core.guards.members import FRESH_S, Members
from gateway.core.guards.quota import SLICES, Claim, Standing, Ticket, Window, Windows
from gateway.core.guards.quotapart import Known, Part
from gateway.core.guards.quotascript import RESERVE
from gateway.core.link import RedisLink
from providers.contract import MARGIN, Limit

LEASE_S = 60.0
"""A call that a process began and never ended, because it died, counts as if it had lasted this long."""
RETRY_S = 0.02
"""Who did not know well enough who else is there asks again so soon."""
WAIT_S = 0.25

_SHA = sha1(RESERVE.encode(), usedforsecurity=False).hexdigest()


class FleetCount:
    """The counter of one key with one upstream, for all processes."""

    def __init__(
        self, place: str, limits: Sequence[Limit], link: RedisLink, clock: Clock, members: Members, *,
        margin: float = MARGIN, patient: bool = True,
    ) -> None:  # fmt: skip
        self._place, self._limits, self._margin = place, limits, margin
        self._link, self._clock, self._members = link, clock, members
        self.own = Windows(limits, margin=margin)
        """What this process itself has sent, wherever that was counted."""
        self._turns = Turns()
        self._tickets: set[Ticket] = set()
        self._ends: list[tuple[int, int, int]] = []
        self._unused: list[tuple[int, int, int]] = []
        self._serial = count(1)
        self._seen: dict[int, int] = {}
        self._pause_ms = 0
        self._epoch = ""
        self._counts: list[int] = [0] * len(limits)
        self._counted_at = 0.0
        self._part = Part(limits, members, margin=margin, patient=patient)
        """Counts in place of Redis where that is gone; and beside it where it has forgotten, until all have told it."""
        self._untold = Windows(limits, margin=margin)
        """What this process has sent that Redis does not know of."""
        self._away = False
        self._asking = asyncio.Lock()
        self._telling: asyncio.Task[None] | None = None

    def possible(self, weight: int) -> bool:
        """Whether such a call ever fits."""
        return self.own.possible(weight)

    def at_once(self, claim: Claim, now: float) -> Ticket | None:
        """Never: the others must be asked."""
        return None

    async def take(self, claims: Sequence[Claim], now: float) -> tuple[dict[int, Ticket], float]:
        """See `Counter`."""
        await self._members.refresh()
        if self._away and await self._ask((), asking=False) is None:
            return await self._take_part(claims, now)
        if self._members.remembered:
            self._part.in_use = False
        found = await (self._take_both(claims, now) if self._part.in_use else self._ask(claims))
        return found if found is not None else await self._take_part(claims, now)

    @property
    def untold(self) -> bool:
        """Whether this process has sent what Redis may not know of."""
        return not self._untold.empty(self._clock.monotonic())

    async def tell(self, everything: bool) -> bool:
        """Tell Redis what it does not know, or everything where it may have forgotten; False where it is away."""
        if not (self.untold or (everything and not self.own.empty(self._clock.monotonic()))):
            return True
        return await self._ask((), asking=False) is not None

    def ended(self, ticket: Ticket, now: float) -> None:
        """See `Counter`; the others are told at once, and nobody waits for it."""
        self.own.ended(ticket, now)
        if not ticket.lease:
            self._untold.ended(ticket, now)
        self._part.ended(ticket, now)
        self._gone(ticket, self._ends)

    def given_back(self, ticket: Ticket) -> None:
        """See `Counter`."""
        self.own.given_back(ticket)
        if not ticket.lease:
            self._untold.given_back(ticket)
        self._part.given_back(ticket)
        self._gone(ticket, self._unused)

    def seen(self, used: Sequence[tuple[int, int]], now: float) -> None:
        """See `Counter`."""
        for place, units in used:
            self._seen[place + 1] = max(units, self._seen.get(place + 1, 0))
        self._part.count.seen(used, now)
        self._tell_soon()

    def pause(self, seconds: float) -> None:
        """See `Counter`."""
        self._pause_ms = max(self._pause_ms, ceil(seconds * 1000))
        self._tell_soon()

    def standing(self, now: float) -> list[Standing]:
        """See `Counter`; what the others did is known since the last call of this process."""
        found = []
        for window, own, known in zip(self.own.windows, self.own.standing(now), self._counts, strict=True):
            resets = self._counted_at + window.per - now
            remaining = max(window.most - known, 0)
            told = known > 0 and resets > 0 and remaining < own.remaining
            found.append(Standing(remaining, resets) if told else own)
        return found

    async def settle(self) -> None:
        """Everything that there is to tell is told."""
        while self._telling is not None and not self._telling.done():
            await asyncio.wait({self._telling})

    def _note(self, ticket: Ticket) -> None:
        self.own.note(ticket)
        self._tickets.add(ticket)

    def _gone(self, ticket: Ticket, into: list[tuple[int, int, int]]) -> None:
        self._tickets.discard(ticket)
        if ticket.lease:
            into.append((ticket.lease, ticket.weight, next(self._serial)))
            self._tell_soon()

    def _tell_soon(self) -> None:
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._tell(), name="quota.news")

    async def _tell(self) -> None:
        while (self._ends or self._unused or self._seen or self._pause_ms) and self._link.available:
            if await self._ask((), asking=False) is None:
                return

    async def _take_part(self, claims: Sequence[Claim], now: float) -> tuple[dict[int, Ticket], float]:
        """Without Redis: of this process's part."""
        self._away = True
        granted, wait = await self._part.use(self._known, now).take(claims, now)
        for ticket in granted.values():
            self._note(ticket)
            self._untold.note(ticket)
            self._part.note(ticket)
        return granted, wait

    async def _take_both(self, claims: Sequence[Claim], now: float) -> tuple[dict[int, Ticket], float] | None:
        """Redis has forgotten: of the whole, and no more than this process's part until the others have told it."""
        windows = self._part.use(self._known, now).windows
        place = self._turns.next(claims)
        own = windows.reserve(claims[place].weight, now)
        if not isinstance(own, Ticket):
            return {}, own
        found = await self._ask((claims[place],))
        windows.given_back(own)
        if found is None or not found[0]:
            return found
        ticket = found[0][0]
        self._turns.served(claims[place])
        windows.note(ticket)
        self._part.note(ticket)
        return {place: ticket}, 0.0

    @property
    def _known(self) -> Known:
        return Known(self.own, self._tickets, self._counts, self._counted_at)

    async def _ask(
        self, claims: Sequence[Claim], *, asking: bool = True
    ) -> tuple[dict[int, Ticket], float] | None:  # fmt: skip
        """Tickets and the wait; None where Redis does not answer."""
        async with self._asking:
            asked_at = self._clock.monotonic()
            ends, unused = self._ends[:], self._unused[:]
            opened = [ticket for ticket in self._tickets if not ticket.lease]
            message = self._message(claims, asking=asking)
            seen, pause = dict(self._seen), self._pause_ms
            message.update(ends=ends, unused=unused, seen=list(seen.items()), pause=pause)
            reply = await self._send(self._untold, opened, message)
            lost = reply is not None and reply[0] == b"new" and await self._members.forgot()
            if reply is not None and reply[0] == b"new":
                # What Redis held is lost, or it never knew this process: it is told all that was sent.
                opened = list(self._tickets)
                message.update(adopt=True, ends=[], unused=[], claims=() if lost else claims)
                reply = await self._send(self.own, opened, message)
            if reply is not None and reply[0] == b"stale":
                return {}, RETRY_S
            if reply is None or reply[0] != b"done":
                return None
            _, epoch, lease, wait, granted, self._counts = reply
            self._epoch, self._counted_at = epoch.decode(), asked_at
            del self._ends[: len(ends)], self._unused[: len(unused)]
            self._seen = {place: used for place, used in self._seen.items() if used > seen.get(place, 0)}
            self._pause_ms = 0 if self._pause_ms <= pause else self._pause_ms
            self._told(opened, lease, lost=lost)
        tickets = {place: Ticket(claims[place].weight, lease) for place in granted}
        for ticket in tickets.values():
            self._note(ticket)
        return tickets, wait / 1000

    def _told(self, opened: Sequence[Ticket], lease: int, *, lost: bool) -> None:
        """Redis knows now all that this process has sent."""
        self._untold = Windows(self._limits, margin=self._margin)
        for ticket in opened:
            ticket.lease = lease
            if ticket not in self._tickets:  # it ended meanwhile
                self._gone(ticket, self._ends)
        self._away = False
        if lost:
            self._part.use(self._known, self._clock.monotonic())

    def _message(self, claims: Sequence[Claim], *, asking: bool) -> dict[str, Any]:
        members, windows = self._members, self.own.windows
        return {
            "epoch": self._epoch, "fresh": uuid4().hex, "adopt": False, "process": members.name,
            "windows": [_window(window, members.held(window.most)) for window in windows],
            "lease": int(LEASE_S * 1000), "keep": int((max(window.per for window in windows) + 2 * LEASE_S) * 1000),
            "told": members.told_at, "fresh_for": int(FRESH_S * 1000),
            "claims": claims, "asking": asking, "grace": int(GRACE_S * 1000), "yield": int(YIELD_S * 1000),
        }  # fmt: skip

    async def _send(self, past: Windows, opened: Sequence[Ticket], message: dict[str, Any]) -> list[Any] | None:
        ended = [(place + 1, int(age * 1000), units) for place, age, units in past.past(self._clock.monotonic())]
        told = msgspec.json.encode({**message, "past": ended, "open": [ticket.weight for ticket in opened]})

        async def question(redis: Redis) -> list[Any]:
            found: list[Any]
            try:
                found = await redis.evalsha(_SHA, 1, self._place, told)
            except NoScriptError:
                found = await redis.eval(RESERVE, 1, self._place, told)
            return found

        nothing: list[Any] | None = None
        return await self._link.ask(question, otherwise=nothing, wait_s=WAIT_S)


def _window(window: Window, held: int) -> tuple[int, int, int, int, str, int]:
    per, room = int(window.per * 1000), max(window.most - held, 0)
    width = 1 if window.most <= SLICES else ceil(per / SLICES)
    return per, room, width, int(window.weighed), f"{per}{'u' if window.weighed else 'r'}", window.most
