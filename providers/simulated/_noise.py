"""Repeatable noise: the value at any moment follows from a key alone, without the history before it.

A price is built of three nested curves, so that the extremes of any stretch of time are known without walking it:
a walk over days (midpoint displacement), a curve of hours within the day, and one shape within the hour that all
instruments share, each stretched between its own values at the two ends. A shared shape is what keeps cross rates
exact at every second: the logarithm of a ratio is stretched over the same shape as the logarithms of its parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from math import sqrt
from random import Random

HOUR = 3600
MINUTE = 60
SHAPES = 64

_MASK = 2**64 - 1
_TOP = 12  # the walk is anchored every 2^12 days, about eleven years
_ROUGHEST = 6  # beyond 2^6 days it no longer widens, so that prices stay within reach of their reference


def key_of(*parts: object) -> int:
    """A 64-bit key for a name below a seed."""
    return int.from_bytes(blake2b(repr(parts).encode(), digest_size=8).digest(), "big")


def mixed(key: int, index: int) -> int:
    """64 well-spread bits for the index-th draw of a key."""
    x = (index * 0x9E3779B97F4A7C15 + key) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def fraction(key: int, index: int) -> float:
    """A draw in [0, 1)."""
    return mixed(key, index) / 2**64


@lru_cache(maxsize=32_768)
def walk(key: int, day: int) -> float:
    """A random walk's value at the start of a day, in daily standard deviations, found by halving intervals."""
    level = min((day & -day).bit_length() - 1, _TOP) if day else _TOP
    # Uniform over ±√3 deviations; the middle of a bridge of 2^(level+1) days deviates by √(2^level / 2).
    displaced = (2 * fraction(key, day) - 1) * sqrt(1.5 * 2 ** min(level, _ROUGHEST))
    if level == _TOP:
        return displaced
    half = 1 << level
    return (walk(key, day - half) + walk(key, day + half)) / 2 + displaced


def _bridge(rng: Random, steps: int, end: float) -> tuple[float, ...]:
    """`steps + 1` values of a random walk of about unit length, tied down to 0 and to *end*."""
    reach = sqrt(3 / steps)
    path = list(accumulate(((2 * rng.random() - 1) * reach for _ in range(steps)), initial=0.0))
    drift = (end - path[-1]) / steps
    return (*(value + drift * i for i, value in enumerate(path[:-1])), end)


def _shares(rng: Random, parts: int) -> tuple[float, ...]:
    """`parts + 1` rising values from 0 to 1: how much of a volume has been traded."""
    sums = list(accumulate((0.35 + 1.3 * rng.random() for _ in range(parts)), initial=0.0))
    return tuple(value / sums[-1] for value in sums)


@dataclass(frozen=True, slots=True, kw_only=True)
class MinuteShape:
    """How a minute goes from 0 at its first second to 1 at its last, and how its volume arrives."""

    path: tuple[float, ...]
    low: float
    high: float
    traded: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HourShape:
    """How an hour goes from 0 to 1: a minute's close is the next one's open; with the extremes of each minute."""

    knots: tuple[float, ...]
    minutes: tuple[MinuteShape, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    low: float
    high: float
    traded: tuple[float, ...]

    def at(self, second: int) -> float:
        """The value at a second of the hour."""
        minute, rest = divmod(second, MINUTE)
        start = self.knots[minute]
        return start + (self.knots[minute + 1] - start) * self.minutes[minute].path[rest]

    def extremes(self, first: int, last: int) -> tuple[float, float]:
        """The lowest and the highest value from one second to another, both included."""
        if last - first == HOUR - 1:
            return self.low, self.high
        start, stop = -(-first // MINUTE), (last + 1) // MINUTE  # the whole minutes inside
        if start > stop:
            values = [self.at(second) for second in range(first, last + 1)]
            return min(values), max(values)
        edges = [self.at(s) for s in (*range(first, start * MINUTE), *range(stop * MINUTE, last + 1))]
        return min(*self.lows[start:stop], *edges, self.at(first)), max(*self.highs[start:stop], *edges, self.at(first))

    def done(self, second: int) -> float:
        """The part of the hour's volume that was traded before a second of it; 3600 is the whole."""
        if second == HOUR:
            return 1.0
        minute, rest = divmod(second, MINUTE)
        start = self.traded[minute]
        return start + (self.traded[minute + 1] - start) * self.minutes[minute].traded[rest]


def _minute_shape(rng: Random) -> MinuteShape:
    path = _bridge(rng, MINUTE - 1, 1.0)
    return MinuteShape(path=path, low=min(path), high=max(path), traded=_shares(rng, MINUTE))


def _hour_shape(rng: Random, minutes: tuple[MinuteShape, ...]) -> HourShape:
    knots = _bridge(rng, 60, 1.0)
    chosen = tuple(minutes[int(rng.random() * SHAPES)] for _ in range(60))
    ends = [
        sorted((start + (end - start) * shape.low, start + (end - start) * shape.high))
        for start, end, shape in zip(knots, knots[1:], chosen, strict=False)
    ]
    lows, highs = tuple(low for low, _ in ends), tuple(high for _, high in ends)
    return HourShape(
        knots=knots, minutes=chosen, lows=lows, highs=highs, low=min(lows), high=max(highs), traded=_shares(rng, 60)
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """The library of one seed, from which every hour and day of every year draws."""

    hours: tuple[HourShape, ...]
    days: tuple[tuple[float, ...], ...]
    busy: tuple[tuple[float, ...], ...]


@lru_cache(maxsize=8)
def shapes(seed: int) -> Shapes:
    """Made at the first use, in some milliseconds."""
    rng = Random(key_of(seed, "shapes"))
    minutes = tuple(_minute_shape(rng) for _ in range(SHAPES))
    return Shapes(
        hours=tuple(_hour_shape(rng, minutes) for _ in range(SHAPES)),
        days=tuple(_bridge(rng, 24, 0.0) for _ in range(SHAPES)),
        busy=tuple(tuple(0.5 + rng.random() for _ in range(24)) for _ in range(SHAPES)),
    )


@lru_cache(maxsize=8192)
def hour_shapes(seed: int, day: int) -> tuple[HourShape, ...]:
    """The shapes of a day's 24 hours, the same for all instruments."""
    key, library = key_of(seed, "hours"), shapes(seed).hours
    return tuple(library[mixed(key, day * 24 + hour) % SHAPES] for hour in range(24))


@lru_cache(maxsize=8192)
def day_course(seed: int, key: int, day: int) -> tuple[float, ...]:
    """The walk's value at the start of each of a day's 24 hours."""
    start, end, draw = walk(key, day), walk(key, day + 1), mixed(key ^ _MASK, day)
    bridge, strength = shapes(seed).days[draw % SHAPES], 0.5 + (draw >> 32) / 2**32
    return tuple(start + (end - start) * hour / 24 + strength * bridge[hour] for hour in range(24))


@lru_cache(maxsize=8192)
def day_volumes(seed: int, key: int, day: int, usual: int) -> tuple[int, ...]:
    """What is traded in each of a day's 24 hours, in whole steps, for a market's usual hour."""
    draw = mixed(key, day)
    strength = usual * (0.6 + 0.8 * (draw >> 32) / 2**32)
    return tuple(int(strength * part) for part in shapes(seed).busy[draw % SHAPES])


def joined(daily: Iterator[tuple[float, ...]], first: int, count: int) -> list[float]:
    """*count* hourly values out of whole days, from the *first* hour of the first day on."""
    return [value for day in daily for value in day][first : first + count]
