"""The root fields: economic series, releases, yield curves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, cast

import strawberry

from gateway.core.contract import Ctx, fetch_list
from schema.arguments import After, FromDay, KnownAt, PageSize, Route, UntilDay, says, two_letters
from schema.errors import BadInput
from schema.facts import Arguments, Shared, facts
from schema.paging import Connection, connected
from schema.scopes import Scope
from schema.words.costs import page_length
from schema.words.curves import YIELD_CURVE, CurveKind, YieldCurve, YieldCurveAsk
from schema.words.economics import (
    ECONOMIC_CALENDAR,
    ECONOMIC_SERIES,
    EconomicCalendarAsk,
    EconomicEvent,
    EconomicSeries,
    EconomicSeriesAsk,
    Importance,
    Observation,
)
from schema.words.knowledge import known_at as known_by
from schema.words.routes import terms_of

DAY = 86_400
WEEK = timedelta(days=7)
LONGEST_CALENDAR = timedelta(days=93)
LONGEST_CURVES = timedelta(days=366)
MOST_OBSERVATIONS = 5_000
LONGEST_NAME = 128
MOST_COUNTRIES = 50
RANK = {importance: rank for rank, importance in enumerate(Importance)}

Series = Annotated[str, says("A common name such as `US.CPI`, or a provider's own code behind its id: `fred/DEXUSEU`.")]
Newest = Annotated[int | None, says("Only the newest ones, 1 to 5000.")]
Vintages = Annotated[bool | None, says("Every version of each period, where the source keeps them.")]
Countries = Annotated[list[str] | None, says("ISO 3166 codes (XM: the euro area); by default all.")]
LeastImportance = Annotated[Importance | None, says("Only releases that matter so much.")]
Country = Annotated[str | None, says("ISO 3166 code of the issuer; XM is the euro area.")]
Kind = Annotated[CurveKind | None, says("How yields are meant.")]


async def resolve_economic_series(
    info: Ctx,
    series: Series,
    start: FromDay = None,
    end: UntilDay = None,
    known_at: KnownAt = None,
    vintages: Vintages = False,
    last: Newest = None,
    route: Route = None,
) -> EconomicSeries | None:
    """A series as it is known now, or as it was known at an instant."""
    name = series.strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise BadInput("series", f"give 1 to {LONGEST_NAME} characters")
    check_range(start, end)
    if last is not None and not 1 <= last <= MOST_OBSERVATIONS:
        raise BadInput("last", f"must be 1 to {MOST_OBSERVATIONS}, not {last}")
    if known_at is not None and known_at > info.context.now:
        raise BadInput("knownAt", "is in the future")
    ask = EconomicSeriesAsk(series=name, start=start, end=end, known_at=known_at, vintages=bool(vintages))
    found = cast(EconomicSeries, (await info.context.market.fetch(ECONOMIC_SERIES, ask, terms_of(route))).value)
    shown = shown_of(ask, found.observations)
    later = known_at is not None and found.updated_at is not None and found.updated_at > known_at
    return replace(
        found,
        updated_at=None if later else found.updated_at,
        observations=shown[-min(last or MOST_OBSERVATIONS, MOST_OBSERVATIONS) :],
    )


def shown_of(ask: EconomicSeriesAsk, observations: tuple[Observation, ...]) -> tuple[Observation, ...]:
    """Inside of the range; nothing that was not known: an adapter is not the only one who sees to that."""
    inside = tuple(
        each
        for each in observations
        if (ask.start is None or each.date >= ask.start) and (ask.end is None or each.date < ask.end)
    )
    if ask.known_at is None:
        return inside
    if ask.vintages:
        return tuple(each for each in inside if each.published_at and each.published_at <= ask.known_at)
    return known_by(inside, ask.known_at, published=lambda each: each.published_at, of=lambda each: each.date)


async def resolve_economic_calendar(
    info: Ctx,
    start: FromDay = None,
    end: UntilDay = None,
    countries: Countries = None,
    min_importance: LeastImportance = None,
    first: PageSize = 20,
    after: After = None,
    route: Route = None,
) -> Connection[EconomicEvent] | None:
    """A page of the releases of some days; by default of the week that begins today."""
    if start is None:
        info.context.changes_every(DAY)
    begin = start or info.context.now.date()
    until = end or begin + WEEK
    check_range(begin, until, LONGEST_CALENDAR)
    codes = tuple(sorted({two_letters("countries", each).upper() for each in countries or ()}))
    if len(codes) > MOST_COUNTRIES:
        raise BadInput("countries", f"give at most {MOST_COUNTRIES}")
    ask = EconomicCalendarAsk(start=begin, end=until, countries=codes)
    fetched = await fetch_list(
        info.context.market, ECONOMIC_CALENDAR, ask, terms_of(route), kind="release", after=after
    )
    events = [
        event
        for event in cast("tuple[EconomicEvent, ...]", fetched.value)
        if min_importance is None or (event.importance is not None and RANK[event.importance] >= RANK[min_importance])
    ]
    page = connected(events, fetched.provenance, kind="release", first=first, after=after)
    return cast("Connection[EconomicEvent]", page)


async def resolve_yield_curve(
    info: Ctx,
    country: Country = "US",
    kind: Kind = CurveKind.PAR,
    start: FromDay = None,
    end: UntilDay = None,
    route: Route = None,
) -> list[YieldCurve] | None:
    """The newest curve, or those of a range."""
    if start is None and end is not None:
        raise BadInput("start", "is needed with end")
    if start is not None and end is None:
        info.context.changes_every(DAY)
        end = info.context.now.date() + timedelta(days=1)
    check_range(start, end, LONGEST_CURVES)
    code = two_letters("country", country).upper() or "US"
    ask = YieldCurveAsk(country=code, kind=kind or CurveKind.PAR, start=start, end=end)
    found = cast("tuple[YieldCurve, ...]", (await info.context.market.fetch(YIELD_CURVE, ask, terms_of(route))).value)
    if start is None or end is None:
        return list(found[-1:])
    return [curve for curve in found if start <= curve.date < end]


def check_range(start: date | None, end: date | None, longest: timedelta | None = None) -> None:
    """BadInput for an empty range, or one that is too long."""
    if start is None or end is None:
        return
    if not start < end:
        raise BadInput("end", f"must be after start: the range [{start}, {end}) is empty")
    if longest is not None and end - start > longest:
        raise BadInput("start", f"the range is longer than {longest.days} days: ask for less at once")


def cost_of_curves(arguments: Arguments) -> int:
    """The newest for a point, a range for two."""
    return 1 if arguments.get("start") is None else 2


@strawberry.type
class MacroQuery:
    """What economies and governments tell."""

    economic_series: EconomicSeries | None = strawberry.field(
        resolver=resolve_economic_series,
        description="A series of an economic quantity, at most 5,000 observations. With `knownAt` as it was known "
        "then: only sources that keep vintages are asked.",
        metadata=facts(cost=2, needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
    economic_calendar: Connection[EconomicEvent] | None = strawberry.field(
        resolver=resolve_economic_calendar,
        description="Releases of figures, ascending; by default of the seven days that begin today (UTC).",
        metadata=facts(times=page_length, needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
    yield_curve: list[YieldCurve] | None = strawberry.field(
        resolver=resolve_yield_curve,
        description="Yields of one issuer's debt by term: the newest day, or each day in `[start, end)`, ascending.",
        metadata=facts(cost=cost_of_curves, needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
