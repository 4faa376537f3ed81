"""One number as it runs: which of its values count, after a gap and a switch of providers too. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from plugins.alerts.evaluation.ladder import Ladder, Mode, Move
from schema.provenance import DataMode, FeedDelay, Provenance
from schema.words.quotes import PriceType, Quote

FRESH = timedelta(seconds=60)
"""How old a value may be when it comes, beyond its feed's own delay."""
APART = Decimal("1.5")
"""A value so many times the one before, or so small a part of it, counts once the next one is like it."""
MOST_POINTS = 512
"""Values that are held of a window: of more, every so-manieth."""
HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one value came to: whom it moved, whether something was missed before it."""

    moves: list[Move]
    after_gap: bool
    switched: bool


@dataclass(slots=True, kw_only=True, eq=False)
class Sieve:
    """Holds back a value that is far from the one before it until another says the same."""

    grows: bool = False
    """Whether any other that is far on the same side says the same: sums that begin anew each day run."""
    last: Decimal | None = None
    """The last that counted."""
    _held: tuple[datetime, Decimal] | None = None

    def take(self, value: Decimal, now: datetime) -> list[tuple[datetime, Decimal]]:
        """The values that count by now, with when they came: none while the newest stands alone."""
        held, self._held = self._held, None
        if self.last is not None and not apart(value, self.last):
            counted = [(now, value)]
        elif held is not None and self._alike(value, held[1]):
            counted = [held, (now, value)]
        else:
            self._held = now, value
            return []
        self.last = value
        return counted

    def _alike(self, value: Decimal, held: Decimal) -> bool:
        if not apart(value, held):
            return True
        return self.grows and self.last is not None and (value > self.last) == (held > self.last)


@dataclass(slots=True, kw_only=True, eq=False)
class Course:
    """The values of one measure."""

    ladder: Ladder = field(default_factory=Ladder)
    provider: str = ""
    """Who told the last value that counted."""
    gap: bool = True
    """Whether something may have been missed: at the beginning it has been, as far as anybody knows."""
    sieve: Sieve | None = None
    """What leaves out values that stand alone, where such can come: never the first, nor another provider's first."""
    value: Decimal | None = None

    def missed(self) -> None:
        """Something was lost, or may be: the next value is the first behind a gap."""
        self.gap = True

    def take(self, value: Decimal, provider: str, now: datetime, *, shown: bool = False) -> Reading:
        """The next value that counts, unless it stands alone."""
        switched = bool(self.provider) and provider != self.provider
        if self.sieve is not None:
            if switched or self.value is None:
                self.sieve.last = value
            if not self.sieve.take(value, now):
                return Reading([], self.gap, switched=False)
        mode = Mode.ANCHOR if switched else Mode.SHOWN if shown else Mode.TICK
        first, self.provider, self.value = not self.provider, provider, value
        after_gap = self.gap
        if not shown:
            self.gap = False
        return Reading(self.ladder.step(value, now, mode), after_gap, switched or first)


def apart(one: Decimal, other: Decimal) -> bool:
    """Whether two values are so far from each other that one of them may be wrong."""
    if one <= 0 or other <= 0:
        # Of what may be below zero nobody knows how far is far.
        return (one <= 0) != (other <= 0) and abs(one - other) > abs(other) * (APART - 1)
    return one > other * APART or other > one * APART


class Window:
    """How far a value has moved, in percent, within a time: against the last one known when the window began.

    A value that stands alone is left out: the first one too, where the next show it before the window is filled.
    """

    def __init__(self, length: timedelta) -> None:
        self._length, self._step = length, length / MOST_POINTS
        self._points: deque[tuple[datetime, Decimal]] = deque()
        self._sieve = Sieve()

    def take(self, value: Decimal, now: datetime) -> Decimal | None:
        """The change; None until the window is filled, and for a value that stands alone."""
        points = self._points
        if not points:
            self._sieve.last = value
        counted = self._sieve.take(value, now)
        if len(counted) > 1 and len(points) == 1 and now - points[0][0] < self._length:
            points.clear()
        for at, each in counted:
            self._add(each, at)
        return self._change(value, now) if counted else None

    def _add(self, value: Decimal, at: datetime) -> None:
        points, begin = self._points, at - self._length
        if not points or at - points[-1][0] >= self._step:
            points.append((at, value))
        while len(points) > 1 and points[1][0] <= begin:
            points.popleft()

    def _change(self, value: Decimal, now: datetime) -> Decimal | None:
        at, base = self._points[0]
        return (value - base) / base * HUNDRED if at <= now - self._length and base > 0 else None


def price_of(quote: Quote, wanted: PriceType) -> Decimal | None:
    """The quote's price of a type; None where it has none."""
    if quote.price_type is wanted:
        return quote.price
    if wanted is PriceType.LAST:
        return quote.last
    if wanted is PriceType.MID:
        return quote.mid if quote.mid is not None else _middle(quote)
    return None


def _middle(quote: Quote) -> Decimal | None:
    return None if quote.bid is None or quote.ask is None else (quote.bid + quote.ask) / 2


def is_fresh(quote: Quote, now: datetime) -> bool:
    """Whether it tells of now: what is fixed once a day, and a recording, is as new as it can be."""
    made: Provenance = quote.provenance
    if made.mode is DataMode.RECORDED or made.delay is FeedDelay.END_OF_DAY or made.as_of is None:
        return True
    if quote.price_type in (PriceType.FIXING, PriceType.CLOSE):
        return True
    return now - made.as_of <= FRESH + timedelta(seconds=made.delay_seconds or 0)


def spread_bps(prices: list[Decimal]) -> Decimal | None:
    """How far the highest lies above the lowest; None with fewer than two, or none above zero."""
    if len(prices) < 2 or min(prices) <= 0:
        return None
    return (max(prices) - min(prices)) / min(prices) * 10_000
