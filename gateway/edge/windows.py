"""Sliding windows of a minute: how much was taken under a key. In memory here; `leases.py` shares them by Redis."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from math import floor, inf
from typing import NamedTuple, Protocol

from gateway.core.clock import Clock

SPAN = 60
MOST_KEYS = 100_000
MOMENT_S = 0.01
"""Added to a wait: at its very end what was asked for would still not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a window holds after a look at it."""

    taken: bool
    remaining: int
    resets_in: float
    """Seconds until all of it is there again."""
    retry_in: float
    """Seconds until what was asked for would fit; infinite for what never fits."""


class Taken(NamedTuple):
    """What a window holds after something was taken at once."""

    remaining: int
    resets_in: float
    """Seconds until all of it is there again."""


class Windows(Protocol):
    """Counters by key. Of the span before the present one, as much counts as still lies within the last minute."""

    def take_now(self, key: str, most: int, amount: int) -> Taken | None:
        """`take` without waiting; None, and nothing taken, where `take` must be asked or would refuse."""

    async def take(self, key: str, most: int, amount: int) -> Left:
        """Take *amount* of at most *most* a minute, or nothing."""

    async def look(self, key: str, most: int, amount: int = 0) -> Left:
        """The same without taking; `taken` says whether it would have been possible."""


def whole_in(before: int, since: int, ends_in: float) -> float:
    """Seconds until nothing that was taken counts any more."""
    if since > 0:
        return ends_in + SPAN * (1 - 1 / since)
    return max(0.0, ends_in - SPAN / before) if before > 0 else 0.0


def left_of(*, before: int, since: int, ends_in: float, most: int, amount: int, taken: bool) -> Left:
    """*before* was taken in the span before, *since* in the present one, which ends in so many seconds."""
    share = ends_in / SPAN
    whole = whole_in(before, since, ends_in)
    if taken:
        wait = 0.0
    elif amount > most:
        wait = inf
    elif since + amount > most:
        # The present span must have become the one before, and have left the window by so much.
        wait = ends_in + SPAN * (1 - (most - amount + 1) / since) + MOMENT_S
    else:
        wait = ends_in - SPAN * (most - amount - since + 1) / before + MOMENT_S
    remaining = max(0, most - floor(before * share) - since)
    # Rounded, so that what is a whole second is one.
    return Left(taken=taken, remaining=remaining, resets_in=round(whole, 6), retry_in=max(0.0, round(wait, 6)))


@dataclass(slots=True)
class Count:
    """What was taken in a span, and in the one before."""

    span: int
    since: int = 0
    before: int = 0

    def turn(self, span: int) -> None:
        """Move on to the present span."""
        if span != self.span:
            self.before = self.since if span == self.span + 1 else 0
            self.span, self.since = span, 0


class MemoryWindows:
    """Counters of this process, by its own clock; the keys used longest ago are forgotten beyond a bound."""

    def __init__(self, clock: Clock, most_keys: int = MOST_KEYS) -> None:
        self._clock, self._most_keys = clock, most_keys
        self._counts: OrderedDict[str, Count] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    def take_now(self, key: str, most: int, amount: int) -> Taken | None:
        """See `Windows`."""
        count, ends_in = self._count(key)
        old = int(count.before * ends_in / SPAN)
        if old + count.since + amount > most:
            return None
        count.since += amount
        return Taken(most - old - count.since, whole_in(count.before, count.since, ends_in))

    async def take(self, key: str, most: int, amount: int) -> Left:
        """See `Windows`."""
        return self._reckon(key, most, amount, take=True)

    async def look(self, key: str, most: int, amount: int = 0) -> Left:
        """See `Windows`."""
        return self._reckon(key, most, amount, take=False)

    def add(self, key: str, amount: int) -> None:
        """Count what was taken elsewhere, so that this process knows it when it is on its own."""
        self._count(key)[0].since += amount

    def _reckon(self, key: str, most: int, amount: int, *, take: bool) -> Left:
        count, ends_in = self._count(key)
        fits = floor(count.before * ends_in / SPAN) + count.since + amount <= most
        if fits and take:
            count.since += amount
        return left_of(
            before=count.before, since=count.since, ends_in=ends_in, most=most, amount=amount, taken=fits
        )  # fmt: skip

    def _count(self, key: str) -> tuple[Count, float]:
        now = self._clock.monotonic()
        span = int(now // SPAN)
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = Count(span)
            if len(self._counts) > self._most_keys:
                self._counts.popitem(last=False)
        else:
            self._counts.move_to_end(key)
            count.turn(span)
        return count, SPAN - now % SPAN
