"""Venues: where instruments trade, and when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from schema.arguments import EndDay, FirstDay
from schema.errors import BadInput
from schema.model import choices, computed, described, model
from schema.provenance import UNSTAMPED, Ctx, Provenance

LONGEST_RANGE = timedelta(days=400)


@choices(
    "Whether a venue trades now.",
    PRE="Before the session, in extended hours.",
    REGULAR="In session.",
    POST="After the session, in extended hours.",
    CLOSED="It does not trade.",
    HALTED="Trading is stopped for a while.",
    UNKNOWN="Nobody says.",
)
class MarketState(StrEnum):
    """PRE and POST are the extended hours of a venue that has them."""

    PRE = "PRE"
    REGULAR = "REGULAR"
    POST = "POST"
    CLOSED = "CLOSED"
    HALTED = "HALTED"
    UNKNOWN = "UNKNOWN"


@choices("Which part of the day counts.", REGULAR="The session.", EXTENDED="With what is before and after it.")
class TradingHours(StrEnum):
    """EXTENDED adds pre and post market."""

    REGULAR = "REGULAR"
    EXTENDED = "EXTENDED"


@choices(
    "Who says whether, or when, a venue trades.",
    PROVIDER="A provider, which knows of halts and of closures that nobody foresaw.",
    CALENDAR="The venue's calendar, which does not.",
)
class StatusBasis(StrEnum):
    """PROVIDER knows of halts and of closures that nobody foresaw; CALENDAR does not."""

    PROVIDER = "PROVIDER"
    CALENDAR = "CALENDAR"


@model("One trading session of a venue.")
class TradingSession:
    """Times are UTC; `date` is the venue's own calendar day."""

    date: dt.date = described("The session's date at the venue.")
    opens: datetime = described("First moment of trading.")
    closes: datetime = described("Last moment of trading.")
    hours: TradingHours = described("Which hours the times cover.")
    early_close: bool = described("True when the venue closes earlier than usual.")
    basis: StatusBasis = described("Who says so.", default=StatusBasis.PROVIDER)
    provenance: Provenance | None = described("Where this came from; null by the calendar.", default=UNSTAMPED)


@model("A part of a venue's day in which one state holds.")
class SessionPhase:
    """Times are UTC; a break at noon lies between two REGULAR ones, and an early close makes POST begin earlier."""

    date: dt.date = described("The session's date at the venue.")
    kind: MarketState = described("PRE, REGULAR or POST.")
    opens: datetime = described("First moment of it.")
    closes: datetime = described("The moment behind it.")


@model("A day on which a venue keeps closed though its week says that it trades, or closes early.")
class VenueHoliday:
    """`closes` is null where it does not open at all."""

    date: dt.date = described("The day at the venue.")
    name: str | None = described("Its name in English, where the calendar has one.", default=None)
    early_close: bool = described("True where the venue trades and closes earlier than usual.")
    closes: datetime | None = described("When an early close ends regular trading; else null.", default=None)


@dataclass(frozen=True, slots=True)
class Turns:
    """When regular trading begins and ends next; None where no calendar tells, and for what never closes."""

    opens: datetime | None = None
    closes: datetime | None = None


async def resolve_state(root: Venue, info: Ctx) -> MarketState:
    """By the venue's calendar, at the start of the operation."""
    return await info.context.venue_state(root.id)


async def resolve_sessions(root: Venue, info: Ctx, start: FirstDay, end: EndDay) -> list[TradingSession]:
    """Sessions whose date is in `[start, end)`, at most 400 days."""
    check_days(start, end)
    return await info.context.venue_sessions(root.id, start, end)


async def resolve_phases(root: Venue, info: Ctx, start: FirstDay, end: EndDay) -> list[SessionPhase]:
    """Of the sessions whose date is in `[start, end)`, at most 400 days."""
    check_days(start, end)
    return await info.context.venue_phases(root.id, start, end)


async def resolve_holidays(root: Venue, info: Ctx, start: FirstDay, end: EndDay) -> list[VenueHoliday]:
    """In `[start, end)`, at most 400 days."""
    check_days(start, end)
    return await info.context.venue_holidays(root.id, start, end)


def check_days(start: date, end: date) -> None:
    """BadInput for a range that is turned round or too long."""
    if not timedelta(0) <= end - start <= LONGEST_RANGE:
        raise BadInput("end", "must be after start, and at most 400 days after it")


@model("Where instruments trade.")
class Venue:
    """An exchange by its MIC, or a crypto exchange by its provider id."""

    id: str = described("ISO 10383 MIC such as XNYS, or a provider id such as binance.")
    name: str = described("The name in words.")
    time_zone: str = described("IANA time zone of its sessions.")
    state = computed(resolve_state, "Whether it trades now.")
    sessions = computed(resolve_sessions, "Its trading sessions with dates in `[start, end)`.")
    phases = computed(
        resolve_phases, "Its days in `[start, end)` in parts: before the market, regular trading, after the market."
    )
    holidays = computed(
        resolve_holidays,
        "Days in `[start, end)` on which it keeps closed or closes early; calendars reach about a year ahead.",
    )
