"""Venues: their hours and holidays by the calendar, and whether they trade now, as a provider or the calendar tells."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, cast

import strawberry

from gateway.core.contract import Context, Ctx
from plugins.market.reference import VENUES
from schema.arguments import EndDay, FirstDay, Route, says
from schema.errors import BadInput, NoAnswer
from schema.facts import Shared, facts
from schema.scopes import Scope
from schema.symbols import AssetClass
from schema.words.routes import terms_of
from schema.words.sessions import (
    MARKET_STATUS,
    TRADING_SESSIONS,
    MarketStatus,
    MarketStatusAsk,
    TradingSessionsAsk,
)
from schema.words.venues import MarketState, StatusBasis, TradingSession, Turns, Venue, check_days

LONGEST_VENUE = 24
A_MIC = 4

VenueOf = Annotated[str | None, says("ISO 10383 MIC such as XNYS, or a provider id.")]
VenueId = Annotated[str, says("ISO 10383 MIC such as XNAS, or the id of an exchange's provider such as binance.")]


async def resolve_venue(info: Ctx, id: VenueId) -> Venue | None:
    """Null where there is no such venue."""
    context, venue = info.context, venue_of(info.context, id, "id")
    if never_closes(context, venue):
        return Venue(id=venue, name=context.host.data.name_of(venue) or venue, time_zone="UTC")
    zone = await context.host.calendars.venue_zone(venue)
    return None if zone is None else Venue(id=venue, name=VENUES.get(venue, (venue,))[0], time_zone=zone)


async def resolve_market_status(info: Ctx, venue: VenueOf = "XNYS", route: Route = None) -> MarketStatus | None:
    """What a provider says; without a provider's word the calendar's, unless providers were pinned."""
    context, ask = info.context, MarketStatusAsk(venue=venue_of(info.context, venue or "XNYS", "venue"))
    terms = terms_of(route)
    try:
        told = cast(MarketStatus, (await context.market.fetch(MARKET_STATUS, ask, terms)).value)
    except NoAnswer:
        if terms.providers is not None:
            raise
        return await by_calendar(context, ask.venue)
    return await completed(told, lambda: by_calendar(context, told.venue))


async def by_calendar(context: Context, venue: str) -> MarketStatus:
    """A halt that nobody told, and a closure for one occasion, are in no calendar."""
    if not venue.isupper() and not never_closes(context, venue):
        raise BadInput("venue", f"{venue!r} is no venue: give a MIC such as XNYS, or the id of an exchange's provider")
    state = await context.venue_state(venue)
    turns = Turns() if venue.islower() else await context.host.calendars.venue_turns(venue, context.now)
    return MarketStatus(
        as_of=context.now, venue=venue, state=state, basis=StatusBasis.CALENDAR, next_open=turns.opens,
        next_close=turns.closes, provenance=None,
    )  # fmt: skip


async def completed(told: MarketStatus, calendar: Callable[[], Awaitable[MarketStatus]]) -> MarketStatus:
    """With the next opening and closing where a provider leaves them out and agrees with the calendar on the state."""
    if told.next_open is not None and told.next_close is not None:
        return told
    if not told.venue.isupper() or told.state is MarketState.HALTED:
        return told
    known = await calendar()
    if known.state is not told.state:
        return told
    opens, closes = told.next_open or known.next_open, told.next_close or known.next_close
    return replace(told, next_open=opens, next_close=closes)


async def resolve_trading_sessions(
    info: Ctx, start: FirstDay, end: EndDay, venue: VenueOf = "XNYS", route: Route = None
) -> list[TradingSession] | None:
    """Those that a provider tells; without a provider's word the calendar's, unless providers were pinned."""
    check_days(start, end)
    context, terms = info.context, terms_of(route)
    ask = TradingSessionsAsk(venue=venue_of(context, venue or "XNYS", "venue"), start=start, end=end)
    try:
        found = (await context.market.fetch(TRADING_SESSIONS, ask, terms)).value
    except NoAnswer:
        # No sessions and no calendar are different things.
        if terms.providers is not None or await context.host.calendars.venue_zone(ask.venue) is None:
            raise
        return await context.venue_sessions(ask.venue, start, end)
    return [each for each in cast("tuple[TradingSession, ...]", found) if start <= each.date < end]


def never_closes(context: Context, venue: str) -> bool:
    """Whether this is the id of a provider of crypto markets."""
    found = context.host.data.registry.providers.get(venue)
    return found is not None and AssetClass.CRYPTO in found.profile.asset_classes


def venue_of(context: Context, text: str, argument: str) -> str:
    """A MIC in upper case, a provider's id as it is."""
    venue = text.strip()
    if not 1 <= len(venue) <= LONGEST_VENUE or not venue.isascii() or not venue.replace("_", "").isalnum():
        raise BadInput(argument, "is no venue: give a MIC such as XNYS, or the id of an exchange's provider")
    if len(venue) != A_MIC:
        return venue.lower()
    return venue if venue in context.host.data.registry.providers else venue.upper()


@strawberry.type
class VenuesQuery:
    """Where and when instruments trade."""

    venue: Venue | None = strawberry.field(
        resolver=resolve_venue,
        description="A venue with its hours and holidays by the gateway's calendar; null where there is none.",
        metadata=facts(needs=Scope.MARKET_READ, shared=Shared.PUBLIC, fresh_for=60),
    )
    market_status: MarketStatus | None = strawberry.field(
        resolver=resolve_market_status,
        description="Whether a venue trades now: as a provider sees it, halts too, or by the calendar where none "
        "answers (`basis`). With pinned providers only theirs counts.",
        metadata=facts(needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
    trading_sessions: list[TradingSession] | None = strawberry.field(
        resolver=resolve_trading_sessions,
        description="A venue's sessions with dates in `[start, end)`: as a provider tells them, or by the calendar "
        "where none answers (`basis`). With pinned providers only theirs count.",
        metadata=facts(needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
