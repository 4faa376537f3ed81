"""Venues: where instruments trade, and when."""

from __future__ import annotations

import datetime as dt
from datetime import date, datetime, timedelta
from enum import StrEnum

import strawberry

from schema.errors import BadInput
from schema.model import computed, described, model
from schema.provenance import Ctx

LONGEST_RANGE = timedelta(days=400)


@strawberry.enum(description="Whether a venue trades now.")
class MarketState(StrEnum):
    """PRE and POST are the extended hours of a venue that has them."""

    PRE = "PRE"
    REGULAR = "REGULAR"
    POST = "POST"
    CLOSED = "CLOSED"
    HALTED = "HALTED"
    UNKNOWN = "UNKNOWN"


@strawberry.enum(description="Which part of the day counts.")
class TradingHours(StrEnum):
    """EXTENDED adds pre and post market."""

    REGULAR = "REGULAR"
    EXTENDED = "EXTENDED"


@model("One trading session of a venue.")
class TradingSession:
    """Times are UTC; `date` is the venue's own calendar day."""

    date: dt.date = described("The session's date at the venue.")
    opens: datetime = described("First moment of trading.")
    closes: datetime = described("Last moment of trading.")
    hours: TradingHours = described("Which hours the times cover.")
    early_close: bool = described("True when the venue closes earlier than usual.")


async def resolve_state(root: Venue, info: Ctx) -> MarketState:
    """By the venue's calendar, at the start of the operation."""
    return await info.context.venue_state(root.id)


async def resolve_sessions(root: Venue, info: Ctx, start: date, end: date) -> list[TradingSession]:
    """Sessions whose date is in `[start, end)`, at most 400 days."""
    if not timedelta(0) <= end - start <= LONGEST_RANGE:
        raise BadInput("end", "must be after start, and at most 400 days after it")
    return await info.context.venue_sessions(root.id, start, end)


@model("Where instruments trade.")
class Venue:
    """An exchange by its MIC, or a crypto exchange by its provider id."""

    id: str = described("ISO 10383 MIC such as XNYS, or a provider id such as binance.")
    name: str = described("The name in words.")
    time_zone: str = described("IANA time zone of its sessions.")
    state = computed(resolve_state, "Whether it trades now.")
    sessions = computed(resolve_sessions, "Its trading sessions with dates in `[start, end)`.")
