"""Whether a venue trades, and when, as a provider tells it; the gateway has calendars of its own too."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from schema.capability import Capability
from schema.checks import ascending, in_range
from schema.model import described, model
from schema.provenance import UNSTAMPED, Provenance
from schema.words.venues import MarketState, StatusBasis, TradingSession


@model("Whether a venue trades now.")
class MarketStatus:
    """HALTED says that it would trade and does not."""

    as_of: datetime | None = described("Of when it is; null where the provider sends no stamp.", default=None)
    venue: str = described("ISO 10383 MIC such as XNYS, or a provider id.")
    state: MarketState = described("Whether it trades.")
    reason: str | None = described("Why not: a holiday's name, a halt.", default=None)
    basis: StatusBasis = described("Who says so.", default=StatusBasis.PROVIDER)
    next_open: datetime | None = described(
        "When regular trading begins next; by the calendar where the provider does not tell and both agree on `state`.",
        default=None,
    )
    next_close: datetime | None = described("When regular trading ends next; told likewise.", default=None)
    provenance: Provenance | None = described("Where this came from; null by the calendar.", default=UNSTAMPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketStatusAsk:
    """Whether a venue trades now."""

    venue: str = "XNYS"


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingSessionsAsk:
    """A venue's sessions with dates in `[start, end)`, ascending: regular ones, and extended ones where told."""

    start: dt.date
    end: dt.date
    venue: str = "XNYS"


def check_sessions(ask: TradingSessionsAsk, found: Sequence[TradingSession]) -> Iterator[str]:
    """Ascending, each with a length."""
    yield from ascending("opens", [each.opens for each in found])
    yield from in_range("date", [each.date for each in found], ask.start, ask.end)
    yield from (f"{each.date} closes before it opens" for each in found if each.closes <= each.opens)


MARKET_STATUS: Capability[MarketStatusAsk, MarketStatus] = Capability(
    name="marketStatus",
    ask=MarketStatusAsk,
    answer=MarketStatus,
    description="Whether a venue trades now.",
    fresh_for=timedelta(seconds=30),
    keep_for=timedelta(minutes=10),
)
TRADING_SESSIONS: Capability[TradingSessionsAsk, tuple[TradingSession, ...]] = Capability(
    name="tradingSessions",
    ask=TradingSessionsAsk,
    answer=tuple[TradingSession, ...],
    description="A venue's sessions: days, hours, early closes.",
    fresh_for=timedelta(hours=12),
    revalidate_for=timedelta(hours=12),
    keep_for=timedelta(days=7),
    check=check_sessions,
)
