"""Foreign exchange reference rates, current and historical."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import strawberry

from schema.capability import Capability
from schema.model import described, model
from schema.provenance import UNSTAMPED, Provenance
from schema.words.quotes import PriceType


@model("One exchange rate.")
class FxRate:
    """`rate` units of `quote` for one unit of `base`."""

    as_of: strawberry.Private[dt.datetime | None] = None
    base: str = described("ISO 4217 code.")
    quote: str = described("ISO 4217 code.")
    rate: Decimal = described("Units of `quote` for one unit of `base`.")
    date: dt.date | None = described("The day that the rate is for; null for a streaming rate.", default=None)
    price_type: PriceType = described("FIXING for a central bank's reference rate.", default=PriceType.FIXING)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class FxRatesAsk:
    """Rates of `base` against `quotes` (empty: all that the provider has), as the provider publishes them.

    Without `start` the newest; otherwise every published day in `[start, end)`. Ascending by day, then by code.
    Days without a publication are left out. An adapter answers pairs that its upstream publishes or that the
    upstream itself crosses; it never computes a cross.
    """

    base: str
    quotes: tuple[str, ...] = ()
    start: date | None = None
    end: date | None = None


def freshness(ask: FxRatesAsk, now: dt.datetime) -> timedelta:
    """Past days keep an hour, the newest five minutes."""
    return timedelta(hours=1) if ask.end is not None and ask.end <= now.date() else timedelta(minutes=5)


FX_RATES: Capability[FxRatesAsk, tuple[FxRate, ...]] = Capability(
    name="fxRates",
    ask=FxRatesAsk,
    answer=tuple[FxRate, ...],
    description="Exchange reference rates of one base currency, current and historical.",
    fresh_for=timedelta(minutes=5),
    freshness=freshness,
    revalidate_for=timedelta(minutes=5),
    keep_for=timedelta(days=1),
)
