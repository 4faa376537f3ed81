"""Prices of the past that are no candles."""

from __future__ import annotations

from datetime import datetime
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

MOST_POINTS = 5_000

At = Annotated[datetime, says("The instant; the price is the last one known then, never a later one.")]
Begin = Annotated[datetime, says("Begin of the range, inclusive.")]
Distance = Annotated[Interval | None, says("About how far the points are apart.")]


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


@strawberry.type
class HistoryQuery:
    """The past."""

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
