"""From plan periods and points to the lines of a month's invoice. Pure and exact; each line is rounded once.

A day belongs to the plan that was in force at its end. A base line is the monthly price for its share of the month's
days. Points count for the plan of their day; of the included points a part of a month has its share, rounded up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import groupby

from plugins.billing.calendar import Month
from plugins.billing.money import rounded
from schema.model import choices

DAY = timedelta(days=1)
BUNDLE = 1_000
"""Points that a plan's `pointPrice` is for."""


@choices("What a line of an invoice is for.", BASE="The plan itself.", METERED="Points beyond the included ones.")
class LineKind(StrEnum):
    """The plan itself, or points beyond the included ones."""

    BASE = "BASE"
    METERED = "METERED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A plan's name and prices, as they were."""

    plan: str
    monthly_price: Decimal
    currency: str
    point_price: Decimal | None
    included_points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Terms in force in [start, end); an end of None is not known yet."""

    terms: Terms
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Days [first, end) of a month under the same terms."""

    terms: Terms
    first: date
    end: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.end - self.first).days


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`amount` = `quantity` × `unit_price` ÷ `per`, rounded half to even to the currency's minor unit."""

    kind: LineKind
    description: str
    terms: Terms
    first: date
    end: date
    quantity: int
    per: int
    unit_price: Decimal
    amount: Decimal


def lines_of(periods: Sequence[Period], points: Mapping[date, int], month: Month) -> list[Line]:
    """The lines of a month, without those that cost nothing."""
    lines = [line for s in segments(periods, month) for line in (_base(s, month), _metered(s, points, month))]
    return [line for line in lines if line is not None and line.amount]


def segments(periods: Sequence[Period], month: Month) -> list[Segment]:
    """The month's days by the terms that were in force at their end; days without any are left out."""
    found: list[Segment] = []
    days = [(day, _in_force(periods, day)) for day in month.days]
    for terms, run in groupby(days, key=lambda each: each[1]):
        stretch = [day for day, _ in run]
        if terms is not None:
            found.append(Segment(terms=terms, first=stretch[0], end=stretch[-1] + DAY))
    return found


def _in_force(periods: Iterable[Period], day: date) -> Terms | None:
    start = datetime.combine(day, time(), UTC)
    held = [p for p in periods if p.start < start + DAY and (p.end is None or p.end > max(start, p.start))]
    return max(held, key=lambda period: period.start).terms if held else None


def _base(segment: Segment, month: Month) -> Line:
    terms, whole = segment.terms, len(month.days)
    share = Fraction(segment.days, whole)
    return Line(
        kind=LineKind.BASE, description=f"Plan {terms.plan}, {segment.days} of {whole} days", terms=terms,
        first=segment.first, end=segment.end, quantity=segment.days, per=whole, unit_price=terms.monthly_price,
        amount=rounded(Fraction(terms.monthly_price) * share, terms.currency),
    )  # fmt: skip


def _metered(segment: Segment, points: Mapping[date, int], month: Month) -> Line | None:
    terms, price = segment.terms, segment.terms.point_price
    used = sum(count for day, count in points.items() if segment.first <= day < segment.end)
    included = -(-terms.included_points * segment.days // len(month.days))
    beyond = used - included
    if price is None or beyond <= 0:
        return None
    return Line(
        kind=LineKind.METERED, description=f"Points beyond {included} included, of {used}", terms=terms,
        first=segment.first, end=segment.end, quantity=beyond, per=BUNDLE, unit_price=price,
        amount=rounded(Fraction(price) * beyond / BUNDLE, terms.currency),
    )  # fmt: skip
