"""Yield curves: what one issuer pays for each term on one day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import strawberry

from schema.capability import Capability
from schema.checks import ascending, in_range, positive, within
from schema.model import choices, described, model
from schema.provenance import UNSTAMPED, Provenance


@choices(
    "How the yields of a curve are meant.",
    PAR="Of a bond at par.",
    SPOT="Of a zero-coupon bond.",
    REAL="Of an indexed bond at par.",
    BILL="Of discount bills.",
)
class CurveKind(StrEnum):
    """PAR: of a bond at par; SPOT: of a zero-coupon bond; REAL: of an indexed bond at par; BILL: of discount bills."""

    PAR = "PAR"
    SPOT = "SPOT"
    REAL = "REAL"
    BILL = "BILL"


@model("The yield for one term.")
class YieldPoint:
    """Percent a year, compounded as its issuer publishes it."""

    tenor: str = described('The term in short: "1M", "1.5M", "10Y".')
    months: Decimal = described("The term in months.")
    yield_percent: Decimal = described('In percent a year: "4.25" means 4.25 %.')


@model("What one issuer pays for each term on one day.")
class YieldCurve:
    """Points ascend by their term; terms that were not published are left out."""

    as_of: strawberry.Private[datetime | None] = None
    country: str = described("ISO 3166 code of the issuer, or XM for the euro area.")
    currency: str = described("ISO 4217 code.")
    kind: CurveKind = described("How the yields are meant.")
    date: dt.date = described("The day that it is for.")
    points: tuple[YieldPoint, ...] = described("Ascending by term.")
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class YieldCurveAsk:
    """Curves of an issuer, one a day, ascending: the newest, or those of `[start, end)`. XM is the euro area."""

    country: str = "US"
    kind: CurveKind = CurveKind.PAR
    start: dt.date | None = None
    end: dt.date | None = None


def check_curves(ask: YieldCurveAsk, curves: Sequence[YieldCurve]) -> Iterator[str]:
    """One a day, ascending; no bond pays more than a hundred percent."""
    yield from ascending("date", [curve.date for curve in curves], unique=True)
    yield from in_range("date", [curve.date for curve in curves], ask.start, ask.end)
    for curve in curves:
        yield from ascending(f"{curve.date}: months", [point.months for point in curve.points], unique=True)
        if (curve.country, curve.kind) != (ask.country, ask.kind):
            yield f"{curve.date}: is a {curve.kind} curve of {curve.country}"
        for point in curve.points:
            yield from positive(f"{curve.date} {point.tenor}: ", months=point.months)
            yield from within(f"{curve.date} {point.tenor}: ", -20, 100, yield_percent=point.yield_percent)


YIELD_CURVE: Capability[YieldCurveAsk, tuple[YieldCurve, ...]] = Capability(
    name="yieldCurve",
    ask=YieldCurveAsk,
    answer=tuple[YieldCurve, ...],
    description="Yields of one issuer's debt by term, one curve a day.",
    fresh_for=timedelta(minutes=10),
    revalidate_for=timedelta(minutes=50),
    keep_for=timedelta(days=2),
    check=check_curves,
)
