"""Prices of the past that are no candles, and whether venues trade, as providers tell it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, cast

import strawberry

from gateway.core.contract import Ctx
from plugins.market.desk import MarketDesk
from schema.arguments import Route, Symbol, Until, says
from schema.errors import BadInput, FailureCode, NoAnswer
from schema.facts import Shared, facts
from schema.provenance import ProviderFailure
from schema.scopes import Scope
from schema.words.history import (
    HISTORICAL_QUOTE,
    PRICE_HISTORY,
    HistoricalQuoteAsk,
    PriceHistoryAsk,
    PricePoint,
)
from schema.words.intervals import Interval
from schema.words.quotes import Quote
from schema.words.routes import terms_of
from schema.words.sessions import (
    MARKET_STATUS,
    TRADING_SESSIONS,
    MarketStatus,
    MarketStatusAsk,
    TradingSessionsAsk,
)
from schema.words.venues import LONGEST_RANGE, TradingSession

MOST_POINTS = 5_000
LONGEST_VENUE = 24

At = Annotated[datetime, says("The instant; the price is the last one known then, never a later one.")]
Begin = Annotated[datetime, says("Begin of the range, inclusive.")]
Distance = Annotated[Interval | None, says("About how far the points are apart.")]
VenueOf = Annotated[str | None, says("ISO 10383 MIC such as XNYS, or a provider id.")]
FirstDay = Annotated[date, says("First day of the range.")]
EndDay = Annotated[date, says("Day behind the last one of the range, at most 400 days later.")]


async def resolve_historical_quote(info: Ctx, symbol: Symbol, at: At, route: Route = None) -> Quote | None:
    """One price of the past."""
    if at > info.context.now:
        raise BadInput("at", "is in the future")
    ask = HistoricalQuoteAsk(instrument=await info.context.service(MarketDesk).find(info.context, symbol), at=at)
    quote = cast(Quote, (await info.context.market.fetch(HISTORICAL_QUOTE, ask, terms_of(route))).value)
    if quote.as_of is None or quote.as_of > at:  # an adapter is not the only one who sees to that
        provider, code = quote.provenance.provider, FailureCode.UPSTREAM_MALFORMED
        why = f"told a price that is not surely of {at.isoformat()} or before"
        attempt = ProviderFailure(provider=provider, code=code, message=why)
        told = f"no historicalQuote for {ask.instrument}: {provider} {why}"
        raise NoAnswer(str(ask.instrument), code, told, (attempt,))
    return quote


async def resolve_price_history(
    info: Ctx, symbol: Symbol, start: Begin, end: Until = None, interval: Distance = Interval.D1, route: Route = None
) -> list[PricePoint] | None:
    """The points inside of the range."""
    interval = interval or Interval.D1
    if end is None:
        info.context.changes_every(interval.seconds)
    # The same for all who ask within an interval.
    now = info.context.now.timestamp() // interval.seconds * interval.seconds + interval.seconds
    until = end or datetime.fromtimestamp(now, start.tzinfo)
    if not start < until:
        raise BadInput("end", "must be after start")
    if (until - start) / interval.delta > MOST_POINTS:
        raise BadInput("start", f"the range has more than {MOST_POINTS} points: ask for less, or a longer interval")
    instrument = await info.context.service(MarketDesk).find(info.context, symbol)
    ask = PriceHistoryAsk(instrument=instrument, interval=interval, start=start, end=until)
    points = cast(
        "tuple[PricePoint, ...]", (await info.context.market.fetch(PRICE_HISTORY, ask, terms_of(route))).value
    )
    return [point for point in points if start <= point.time < until]


async def resolve_market_status(info: Ctx, venue: VenueOf = "XNYS", route: Route = None) -> MarketStatus | None:
    """Whether a venue trades now."""
    ask = MarketStatusAsk(venue=venue_of(venue or "XNYS"))
    return cast(MarketStatus, (await info.context.market.fetch(MARKET_STATUS, ask, terms_of(route))).value)


async def resolve_trading_sessions(
    info: Ctx, start: FirstDay, end: EndDay, venue: VenueOf = "XNYS", route: Route = None
) -> list[TradingSession] | None:
    """The sessions of some days."""
    if not timedelta(0) < end - start <= LONGEST_RANGE:
        raise BadInput("end", f"must be after start, and at most {LONGEST_RANGE.days} days after it")
    ask = TradingSessionsAsk(venue=venue_of(venue or "XNYS"), start=start, end=end)
    found = (await info.context.market.fetch(TRADING_SESSIONS, ask, terms_of(route))).value
    return [each for each in cast("tuple[TradingSession, ...]", found) if start <= each.date < end]


def venue_of(text: str) -> str:
    """A MIC in upper case, a provider's id as it is."""
    venue = text.strip()
    if not 1 <= len(venue) <= LONGEST_VENUE or not venue.isascii() or not venue.replace("_", "").isalnum():
        raise BadInput("venue", f"{text[:LONGEST_VENUE]!r} is no venue: give a MIC such as XNYS")
    return venue.upper() if len(venue) == len("XNYS") else venue


@strawberry.type
class HistoryQuery:
    """The past, and the hours."""

    historical_quote: Quote | None = strawberry.field(
        resolver=resolve_historical_quote,
        description="The last price that was known at an instant of the past; `provenance.asOf` says of when it is.",
        metadata=facts(needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
    price_history: list[PricePoint] | None = strawberry.field(
        resolver=resolve_price_history,
        description="A line of prices, ascending, also of assets that nobody has candles of; at most 5,000 points.",
        metadata=facts(cost=2, needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
    market_status: MarketStatus | None = strawberry.field(
        resolver=resolve_market_status,
        description="Whether a venue trades now, as a provider sees it: halts too. `Venue.state` is by the calendar.",
        metadata=facts(needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
    trading_sessions: list[TradingSession] | None = strawberry.field(
        resolver=resolve_trading_sessions,
        description="A venue's sessions as a provider tells them; `Venue.sessions` is by the gateway's own calendar.",
        metadata=facts(needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
