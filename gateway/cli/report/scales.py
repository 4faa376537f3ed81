"""Where values and days lie on a chart: round steps, powers of ten, beginnings of months and years."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

MOST_DAYS = 6
MOST_VALUES = 6
MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200)
YEAR = 12
LEAST_GROWTH = 1e-6
"""On a logarithmic scale nothing is shown under this share of the highest value."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A range of values, from 0 at its low end to 1 at its high one."""

    low: float
    high: float
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """Where a value lies."""
        if self.logarithmic:
            return math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Round values inside of the range."""
        if self.logarithmic and len(found := _powers(self.low, self.high)) > 1:
            return found
        step = _step((self.high - self.low) / (MOST_VALUES - 1))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def scale_of(values: Sequence[float], *, logarithmic: bool = False) -> Scale:
    """A range that holds them with some room."""
    low, high = min(values), max(values)
    if logarithmic:
        low = max(low, high * LEAST_GROWTH)
        return Scale(low / 1.05, high * 1.05, logarithmic=True)
    room = (high - low) * 0.04 or max(abs(high), 1.0) * 0.04
    # Where 0 is the end of the values it is the edge of the picture.
    return Scale(low - room if low else 0.0, high + room if high or not low else 0.0)


def day_ticks(start: date, end: date) -> list[tuple[date, str]]:
    """At most six days with their words: beginnings of years or months, or both ends of a short span."""
    first, last = start.year * YEAR + start.month - 1, end.year * YEAR + end.month - 1
    for step in MONTHS:
        days = [date(month // YEAR, month % YEAR + 1, 1) for month in range(-(-first // step) * step, last + 1, step)]
        found = [day for day in days if start <= day <= end]
        if len(found) <= MOST_DAYS:
            break
    if len(found) < 2:
        return [(start, start.isoformat()), (end, end.isoformat())]
    return [(day, f"{day:%Y}" if step >= YEAR else f"{day:%Y-%m}") for day in found]


def _step(least: float) -> float:
    """1, 2 or 5 times a power of ten, not under *least*."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def _powers(low: float, high: float) -> list[float]:
    """Round multiples of powers of ten, as many as fit."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        found = [factor * 10.0**power for power in exponents for factor in factors]
        found = [value for value in found if low <= value <= high]
        if len(found) <= MOST_VALUES:
            break
    return found
