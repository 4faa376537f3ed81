"""Protocols between the core, the edge and plugins, so that none imports another."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from schema.symbols import InstrumentId
from schema.words.candles import CandleSeries
from schema.words.instruments import Instrument
from schema.words.intervals import Interval
from schema.words.quotes import Quote
from schema.words.registry import ProviderInfo
from schema.words.routes import RouteInput
from schema.words.venues import MarketState, TradingHours, TradingSession

if TYPE_CHECKING:
    from gateway.core.contract import Context


class Calendars(Protocol):
    """When instruments trade. A crypto pair never closes; calendars load at the first use."""

    def time_zone(self, instrument: InstrumentId) -> str:
        """IANA name of its venue's zone; UTC for what never closes."""

    async def state(self, instrument: InstrumentId, at: datetime) -> MarketState:
        """Whether it trades at an instant; UNKNOWN without a calendar."""

    async def sessions(
        self, instrument: InstrumentId, start: date, end: date, hours: TradingHours
    ) -> Sequence[TradingSession] | None:
        """Sessions with dates in `[start, end)`; None for what never closes or has no calendar."""

    async def venue_state(self, mic: str, at: datetime) -> MarketState:
        """Whether a venue trades at an instant."""

    async def venue_sessions(self, mic: str, start: date, end: date) -> Sequence[TradingSession]:
        """A venue's regular sessions with dates in `[start, end)`; none without a calendar."""


class Desk(Protocol):
    """What the words' nested fields ask of the market plugin."""

    def describe(
        self, context: Context, instrument: InstrumentId, selected: frozenset[str]
    ) -> Instrument | Awaitable[Instrument]:
        """An instrument with as much reference data as the selected fields need."""

    async def quote(
        self, context: Context, instrument: InstrumentId, route: RouteInput | None, convert_to: str | None
    ) -> Quote | None:
        """Joined with the other asks of the operation into one batch."""

    async def candles(
        self,
        context: Context,
        instrument: InstrumentId,
        interval: Interval,
        start: datetime | None,
        end: datetime | None,
        last: int | None,
    ) -> CandleSeries | None:
        """A price series."""


class Providers(Protocol):
    """The registry as its users see it."""

    def all(self) -> list[ProviderInfo]:
        """In order of routing."""
