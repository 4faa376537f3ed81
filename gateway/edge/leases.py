"""Sliding windows that all processes share: each takes a slice from Redis and charges hits to it by itself.

What is leased is taken from the window at once, so no tenant gets more than it has. What the rest of a lease hides from
the other processes is the tolerance: less than a slice for each process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from math import floor
from typing import TYPE_CHECKING, cast

from gateway.core.clock import Clock
from gateway.core.metrics import counter
from gateway.edge.windows import MOST_KEYS, SPAN, Count, Left, MemoryWindows, Taken, left_of, whole_in
from schema.errors import LimitsUnavailable

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from gateway.core.link import RedisLink

PREFIX = "marketgate:window:"
LARGEST_PART = 20
"""A slice is at most this part of the window: 5 %."""
BUSY_S = 3.0
"""A lease that was used up sooner is followed by one of twice the size."""
QUIET_S = 12.0
"""A lease that lasted longer is followed by one of half the size."""
RETRY_S = 2.0
"""When to try again where limits are closed without Redis."""
ROUNDS = 3

LEASES = counter("marketgate_limit_leases", "Slices of limit windows asked of Redis.", "outcome")

# One hash a key: the number of the span, what was taken in it and in the one before. The server's clock counts.
# A Redis that comes back empty holds nothing against a tenant but what the askers put in.
TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local span = math.floor(now / 60)
local ends = (span + 1) * 60 - now
local held = redis.call('HMGET', KEYS[1], 'span', 'since', 'before')
local at, since, before = tonumber(held[1]), tonumber(held[2]) or 0, tonumber(held[3]) or 0
if at ~= span then
  before = (at == span - 1) and since or 0
  since = 0
end
local most, need, slice = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
-- What the asker took itself counts in any case: a Redis that has forgotten is told so.
local own = tonumber(ARGV[4])
if own == span then
  since, before = math.max(since, tonumber(ARGV[5])), math.max(before, tonumber(ARGV[6]))
elseif own == span - 1 then
  before = math.max(before, tonumber(ARGV[5]))
end
local free = most - math.floor(before * ends / 60) - since
local given = 0
if need > 0 and free >= need then
  given = math.max(need, math.min(free, slice))
  since = since + given
  redis.call('HSET', KEYS[1], 'span', span, 'since', since, 'before', before)
  redis.call('EXPIRE', KEYS[1], 121)
end
return {given, before, since, math.floor(ends * 1000000), span}
"""


@dataclass(slots=True)
class _View:
    """What Redis said of a window: `since` holds all that was leased in the span, by any process."""

    given: int
    before: int
    since: int
    ends: float
    """By this process's monotonic clock, and rather too early than too late."""
    span: int


@dataclass(slots=True, eq=False)
class _Lease:
    """A process's hold on one window."""

    most: int
    ends: float = 0.0
    left: int = 0
    before: int = 0
    since: int = 0
    span: int = -1
    slice: int = 0
    begun: float | None = None
    dry: int = 0
    """The least amount that was refused, and until when it still would be: counts only grow."""
    dry_until: float = 0.0
    mine: Count = field(default_factory=lambda: Count(-1))
    """What this process took of the window itself, by the server's spans."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def took(self, amount: int, now: float) -> None:
        """Remember what was taken without the server, in the span that it must be in by now."""
        if self.span >= 0:
            self.mine.turn(self.span + (0 if now < self.ends else 1 + int((now - self.ends) // SPAN)))
            self.mine.since += amount

    def rest(self, now: float) -> int:
        """What is still to be had of it."""
        return self.left if now < self.ends else 0

    def state(self, now: float, amount: int, *, taken: bool) -> Left:
        """How the window stands as far as this process knows."""
        return left_of(
            before=self.before, since=self.since - self.left, ends_in=max(0.0, self.ends - now), most=self.most,
            amount=amount, taken=taken,
        )  # fmt: skip

    def grow(self, now: float, need: int) -> None:
        """Choose how much to ask for: a window that is used little is leased by the hit."""
        lasted = None if self.begun is None else now - self.begun
        if lasted is not None and lasted < BUSY_S:
            self.slice = min(self.most // LARGEST_PART, max(2 * self.slice, 2 * need))
        elif lasted is None or lasted > QUIET_S:
            self.slice //= 2

    def put(self, view: _View, now: float) -> None:
        """Add what was given. Of a span that is over nothing is left."""
        if view.span != self.span:
            self.left, self.span = 0, view.span
        self.ends, self.before, self.since = view.ends, view.before, view.since
        self.mine.turn(view.span)
        self.mine.since += view.given
        self.left += view.given
        self.begun = now


class LeasedWindows:
    """See `Windows`. Without Redis each process counts for itself (*closed*: refuses) until it is back."""

    def __init__(self, link: RedisLink, clock: Clock, *, closed: bool = False, most_keys: int = MOST_KEYS) -> None:
        self._link, self._clock, self._closed, self._most_keys = link, clock, closed, most_keys
        self._leases: dict[str, _Lease] = {}
        self._own = MemoryWindows(clock)

    def __len__(self) -> int:
        return len(self._leases)

    def take_now(self, key: str, most: int, amount: int) -> Taken | None:
        """See `Windows`: from the lease in hand."""
        lease = self._leases.get(key)
        if lease is None or lease.left < amount or lease.most != most:
            return None
        ends_in = lease.ends - self._clock.monotonic()
        if ends_in <= 0:
            return None
        lease.left -= amount
        since = lease.since - lease.left
        remaining = most - int(lease.before * ends_in / SPAN) - since
        return Taken(max(0, remaining), whole_in(lease.before, since, ends_in))

    async def take(self, key: str, most: int, amount: int) -> Left:
        """See `Windows`."""
        lease = self._lease(key, most)
        async with lease.turn:
            for _ in range(ROUNDS):
                now = self._clock.monotonic()
                rest = lease.rest(now)
                if rest >= amount:
                    lease.left -= amount
                    return lease.state(now, amount, taken=True)
                if now < lease.dry_until and amount >= lease.dry:
                    return lease.state(now, amount, taken=False)
                need = amount - rest
                lease.grow(now, need)
                view = await self._ask(key, most, need, lease)
                if view is None:
                    alone = await self._alone(key, most, amount)
                    lease.took(amount if alone.taken else 0, now)
                    return alone
                self._put(key, lease, view, now)
                if not view.given:
                    return self._refused(lease, now, amount)
            # Spans that end while they are asked for, again and again: a clock that runs wild.
            return lease.state(self._clock.monotonic(), amount, taken=False)

    async def look(self, key: str, most: int, amount: int = 0) -> Left:
        """See `Windows`: with what this process holds of it."""
        lease, now = self._lease(key, most), self._clock.monotonic()
        if now >= lease.dry_until:
            view = await self._ask(key, most, 0, lease)
            if view is None:
                return self._nothing(amount) if self._closed else await self._own.look(key, most, amount)
            rest = lease.left if view.span == lease.span and now < lease.ends else 0
            seen = view.since - rest
        else:
            view, rest = _View(0, lease.before, lease.since, lease.ends, lease.span), lease.rest(now)
            seen = lease.since - rest
        ends_in = max(0.0, view.ends - now)
        fits = floor(view.before * ends_in / SPAN) + seen + amount <= most
        return left_of(before=view.before, since=seen, ends_in=ends_in, most=most, amount=amount, taken=fits)

    def _lease(self, key: str, most: int) -> _Lease:
        """The one at hand. Who asked longest ago is forgotten beyond the bound; what it held is lost until its end."""
        lease = self._leases.pop(key, None) or _Lease(most)
        self._leases[key] = lease
        if lease.most != most:
            lease.most, lease.dry_until = most, 0.0
        if len(self._leases) > self._most_keys:
            del self._leases[next(iter(self._leases))]
        return lease

    def _put(self, key: str, lease: _Lease, view: _View, now: float) -> None:
        lease.put(view, now)
        if view.given:
            # What is leased counts as used where this process goes on alone.
            self._own.add(key, view.given)

    def _refused(self, lease: _Lease, now: float, amount: int) -> Left:
        """Remembered, so that whoever hammers at an empty window costs Redis nothing."""
        left = lease.state(now, amount, taken=False)
        lease.dry, lease.dry_until = amount, now + min(left.retry_in, float(SPAN))
        return left

    async def _alone(self, key: str, most: int, amount: int) -> Left:
        if self._closed:
            raise LimitsUnavailable(retry_after=RETRY_S)
        return await self._own.take(key, most, amount)

    def _nothing(self, amount: int) -> Left:
        return Left(taken=False, remaining=0, resets_in=RETRY_S, retry_in=RETRY_S)

    async def _ask(self, key: str, most: int, need: int, lease: _Lease) -> _View | None:
        asked, mine = self._clock.monotonic(), lease.mine
        part = lease.slice if need else 0

        def question(redis: Redis) -> Awaitable[list[int]]:
            script = redis.register_script(TAKE)
            answer = script(
                keys=[f"{PREFIX}{{{key}}}"], args=[most, need, part, mine.span, mine.since, mine.before], client=redis
            )
            return cast("Awaitable[list[int]]", answer)

        found: list[int] | None = await self._link.ask(question, otherwise=None)
        if found is None:
            LEASES.labels("alone").inc()
            return None
        given, before, since, micros, span = found
        if need:
            LEASES.labels("given" if given else "refused").inc()
        return _View(given, before, since, asked + micros / 1e6, span)
