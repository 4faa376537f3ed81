"""Economic series with their vintages, and the calendar of releases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import strawberry

from schema.capability import Capability
from schema.checks import ascending, in_range
from schema.model import choices, described, model
from schema.provenance import UNSTAMPED, Provenance


@choices(
    "How often a series is published.",
    DAILY="Each day, or working day.",
    WEEKLY="Each week.",
    MONTHLY="Each month.",
    QUARTERLY="Each quarter.",
    SEMIANNUAL="Each half of a year.",
    ANNUAL="Each year.",
    IRREGULAR="It has no rhythm of its own.",
)
class Frequency(StrEnum):
    """IRREGULAR where it has no rhythm of its own."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    QUARTERLY = "QUARTERLY"
    SEMIANNUAL = "SEMIANNUAL"
    ANNUAL = "ANNUAL"
    IRREGULAR = "IRREGULAR"


@choices("How much a release moves markets, in its source's opinion.", LOW="Little.", MEDIUM="Somewhat.", HIGH="Much.")
class Importance(StrEnum):
    """LOW, MEDIUM, HIGH."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


@model("One value of a series, as it was published once.")
class Observation:
    """A period that was revised has an observation for each vintage that was asked for."""

    date: dt.date = described("First day of the period.")
    value: Decimal | None = described("The value; null where the source says that there is none.")
    published_at: datetime | None = described(
        "When it became known; the end of the day (UTC) where the source tells only the day. Null where it tells none.",
        default=None,
    )
    preliminary: bool | None = described("Whether the source calls it preliminary or estimated.", default=None)


@model("A series of an economic quantity.")
class EconomicSeries:
    """Observations ascend by their period, then by their publication."""

    as_of: strawberry.Private[datetime | None] = None
    series: str = described("The name that was asked for, such as `US.CPI` or `fred/DEXUSEU`.")
    code: str = described("The provider's own code.")
    title: str | None = described("The name in words, as its source writes it.", default=None)
    unit: str | None = described("What the values count, in the source's words; its scale included.", default=None)
    currency: str | None = described("ISO 4217 code, where the values are money.", default=None)
    country: str | None = described("ISO 3166 code, where it is of one country.", default=None)
    frequency: Frequency | None = described("How often it is published.", default=None)
    seasonally_adjusted: bool | None = described("Whether the season is taken out.", default=None)
    source: str | None = described("Who measures it.", default=None)
    updated_at: datetime | None = described(
        "When its source changed it last; null where that is after `knownAt`.", default=None
    )
    observations: tuple[Observation, ...] = described("Ascending by period, then by publication.")
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@model("A release of figures, or another event that was announced.")
class EconomicEvent:
    """Values are in `unit`; null before the release, or where nobody tells."""

    as_of: strawberry.Private[datetime | None] = None
    time: datetime = described("When it is, or was.")
    time_known: bool = described("False where only the day is known; `time` is then its first moment.", default=True)
    country: str | None = described("ISO 3166 code; XM is the euro area.", default=None)
    name: str = described("What is released.")
    period: str | None = described('What it is about, in the source\'s words: "Oct", "Q3".', default=None)
    importance: Importance | None = described("In the source's opinion.", default=None)
    unit: str | None = described("What the values count.", default=None)
    actual: Decimal | None = described("The figure that was released.", default=None)
    forecast: Decimal | None = described("What was expected.", default=None)
    previous: Decimal | None = described("The figure before, as revised.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class EconomicSeriesAsk:
    """Observations whose periods begin in `[start, end)`, ascending; without a range all, or the provider's newest.

    `series` is a name of the gateway (`US.CPI`) that an adapter maps to its own code, or a provider's own code behind
    its id (`fred/DEXUSEU`): see `own_code`. With `known_at` an adapter answers what was published by then, with
    `published_at`; with `vintages` every version of each period. An adapter whose upstream keeps no vintages covers
    neither.
    """

    series: str
    start: dt.date | None = None
    end: dt.date | None = None
    known_at: datetime | None = None
    vintages: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EconomicCalendarAsk:
    """Events with times in the days `[start, end)`, ascending, of some countries (none: of all)."""

    start: dt.date
    end: dt.date
    countries: tuple[str, ...] = ()


def own_code(series: str, provider: str) -> str | None:
    """The provider's own code in a series such as `fred/DEXUSEU`; None for another provider's, and for common names."""
    owner, slash, code = series.partition("/")
    return code if slash and owner == provider and code else None


def check_series(ask: EconomicSeriesAsk, found: EconomicSeries) -> Iterator[str]:
    """Ascending; one observation a period, unless vintages were asked for; nothing that was not known."""
    dates = [each.date for each in found.observations]
    yield from ascending("date", dates, unique=not ask.vintages)
    yield from in_range("date", dates, ask.start, ask.end)
    if found.series != ask.series:
        yield f"series is {found.series!r}, asked was {ask.series!r}"
    for each in found.observations:
        if (ask.vintages or ask.known_at) and each.published_at is None:
            yield f"{each.date}: a vintage that does not say when it was published"
        if ask.known_at and each.published_at and each.published_at > ask.known_at:
            yield f"{each.date}: published at {each.published_at.isoformat()}, after knownAt"


def check_calendar(ask: EconomicCalendarAsk, events: Sequence[EconomicEvent]) -> Iterator[str]:
    """Ascending, of the days and countries that were asked for."""
    yield from ascending("time", [event.time for event in events])
    yield from in_range("time", [event.time.date() for event in events], ask.start, ask.end)
    for event in events:
        if ask.countries and event.country not in ask.countries:
            yield f"{event.name} is of {event.country}"


def series_freshness(ask: EconomicSeriesAsk, now: datetime) -> timedelta:
    """What was known in the past stays so for a day, the newest ten minutes."""
    settled = ask.known_at is not None and ask.known_at < now - timedelta(days=2)
    return timedelta(days=1) if settled else timedelta(minutes=10)


ECONOMIC_SERIES: Capability[EconomicSeriesAsk, EconomicSeries] = Capability(
    name="economicSeries",
    ask=EconomicSeriesAsk,
    answer=EconomicSeries,
    description="Series of economic quantities, with vintages where the source keeps them.",
    fresh_for=timedelta(minutes=10),
    freshness=series_freshness,
    revalidate_for=timedelta(minutes=50),
    keep_for=timedelta(days=2),
    check=check_series,
)
ECONOMIC_CALENDAR: Capability[EconomicCalendarAsk, tuple[EconomicEvent, ...]] = Capability(
    name="economicCalendar",
    ask=EconomicCalendarAsk,
    answer=tuple[EconomicEvent, ...],
    description="Releases of economic figures, past and to come.",
    fresh_for=timedelta(minutes=1),
    revalidate_for=timedelta(minutes=4),
    keep_for=timedelta(days=1),
    check=check_calendar,
)
