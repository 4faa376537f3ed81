"""Compounded returns of calendar months, quarters and years.

Source: C. Bacon, Practical Portfolio Performance Measurement and Attribution, chapter 2: linked by multiplication.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from gateway.core.quant.returns import total_return
from gateway.core.quant.series import Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarReturn:
    """`∏(1 + r) − 1` of the returns that end in a calendar period; the first and the last may be partial."""

    year: int
    part: int
    """The month (1 to 12), the quarter (1 to 4), or 1 for a year."""
    value: float
    count: int


def months(returns: Vector, dates: Sequence[date]) -> list[CalendarReturn]:
    """`∏(1 + r) − 1` of the returns that end in each calendar month, a fraction; none for one without a return."""
    return _by(returns, dates, lambda day: day.month)


def quarters(returns: Vector, dates: Sequence[date]) -> list[CalendarReturn]:
    """`∏(1 + r) − 1` of the returns that end in each calendar quarter, a fraction; none for one without a return."""
    return _by(returns, dates, lambda day: (day.month + 2) // 3)


def years(returns: Vector, dates: Sequence[date]) -> list[CalendarReturn]:
    """`∏(1 + r) − 1` of the returns that end in each calendar year, a fraction; none for one without a return."""
    return _by(returns, dates, lambda day: 1)


def _by(returns: Vector, dates: Sequence[date], part: Callable[[date], int]) -> list[CalendarReturn]:
    found, start = [], 0
    for (year, number), days in groupby(dates, key=lambda day: (day.year, part(day))):
        end = start + len(list(days))
        value = total_return(returns[start:end])
        found.append(CalendarReturn(year=year, part=number, value=value, count=end - start))
        start = end
    return found
