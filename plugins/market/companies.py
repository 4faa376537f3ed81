"""Companies: profiles, key figures, statements, actions, earnings, filings, identifiers."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, cast

import strawberry

from gateway.core.contract import Ctx, fetch_list
from plugins.market.desk import MarketDesk
from schema.arguments import After, FromDay, KnownAt, PageSize, Route, Symbol, UntilDay, says
from schema.errors import BadInput
from schema.facts import Shared, facts
from schema.paging import Connection, connected
from schema.scopes import Scope
from schema.words.companies import (
    COMPANY_PROFILE,
    CORPORATE_ACTIONS,
    FILINGS,
    IDENTIFIERS,
    ActionKind,
    CompanyProfile,
    CompanyProfileAsk,
    CorporateAction,
    CorporateActionsAsk,
    Filing,
    FilingsAsk,
    IdentifierMapping,
    IdentifiersAsk,
    IdScheme,
)
from schema.words.costs import page_length
from schema.words.fundamentals import (
    EARNINGS,
    FUNDAMENTALS,
    KEY_FIGURES,
    EarningsAsk,
    EarningsEvent,
    Fundamentals,
    FundamentalsAsk,
    KeyFigures,
    KeyFiguresAsk,
    ReportPeriod,
    Statement,
)
from schema.words.knowledge import known_at as known_by
from schema.words.routes import terms_of

DAY = 86_400
WEEK = timedelta(days=7)
LONGEST_EARNINGS = timedelta(days=93)
MOST_FORMS = 20
LONGEST_ID = 64

StatementOf = Annotated[Statement | None, says("Which statement is asked for; others may be filled too.")]
PeriodOf = Annotated[ReportPeriod | None, says("Years, quarters, or the last four quarters.")]
Kinds = Annotated[list[ActionKind] | None, says("Only these kinds.")]
Forms = Annotated[list[str] | None, says("Only these form types, such as `10-K`, at most 20.")]
OneSymbol = Annotated[str | None, says("Only this company; by default all.")]
Scheme = Annotated[IdScheme, says("What kind of identifier it is.")]
Value = Annotated[str, says("The identifier.")]
Mic = Annotated[str | None, says("Of a ticker: the listing's venue, ISO 10383; by default the US.")]


async def resolve_company_profile(info: Ctx, symbol: Symbol, route: Route = None) -> CompanyProfile | None:
    """Who is behind an instrument."""
    ask = CompanyProfileAsk(instrument=await info.context.service(MarketDesk).find(info.context, symbol))
    return cast(CompanyProfile, (await info.context.market.fetch(COMPANY_PROFILE, ask, terms_of(route))).value)


async def resolve_key_figures(info: Ctx, symbol: Symbol, route: Route = None) -> KeyFigures | None:
    """Ratios of today."""
    ask = KeyFiguresAsk(instrument=await info.context.service(MarketDesk).find(info.context, symbol))
    return cast(KeyFigures, (await info.context.market.fetch(KEY_FIGURES, ask, terms_of(route))).value)


async def resolve_fundamentals(
    info: Ctx,
    symbol: Symbol,
    statement: StatementOf = Statement.INCOME,
    period: PeriodOf = ReportPeriod.ANNUAL,
    known_at: KnownAt = None,
    first: PageSize = 20,
    after: After = None,
    route: Route = None,
) -> Connection[Fundamentals] | None:
    """A page of reports, newest period first; with `known_at` none that was filed later."""
    if known_at is not None and known_at > info.context.now:
        raise BadInput("knownAt", "is in the future")
    ask = FundamentalsAsk(
        instrument=await info.context.service(MarketDesk).find(info.context, symbol),
        statement=statement or Statement.INCOME, period=period or ReportPeriod.ANNUAL, known_at=known_at,
    )  # fmt: skip
    fetched = await fetch_list(info.context.market, FUNDAMENTALS, ask, terms_of(route), kind="report", after=after)
    reports = cast("tuple[Fundamentals, ...]", fetched.value)[: ask.limit]
    if known_at is not None:  # an adapter is not the only one who sees to that
        reports = known_by(reports, known_at, published=lambda r: r.filed_at, of=lambda r: (r.period_end, r.period))
    page = connected(reports, fetched.provenance, kind="report", first=first, after=after)
    return cast("Connection[Fundamentals]", page)


async def resolve_corporate_actions(
    info: Ctx,
    symbol: Symbol,
    kinds: Kinds = None,
    start: FromDay = None,
    end: UntilDay = None,
    first: PageSize = 20,
    after: After = None,
    route: Route = None,
) -> Connection[CorporateAction] | None:
    """A page of splits and dividends, newest first."""
    if start is not None and end is not None and not start < end:
        raise BadInput("end", f"must be after start: the range [{start}, {end}) is empty")
    instrument = await info.context.service(MarketDesk).find(info.context, symbol)
    ask = CorporateActionsAsk(instrument=instrument, start=start, end=end)
    fetched = await fetch_list(info.context.market, CORPORATE_ACTIONS, ask, terms_of(route), kind="action", after=after)
    actions = [
        action
        for action in cast("tuple[CorporateAction, ...]", fetched.value)[::-1]
        if (not kinds or action.kind in kinds)
        and (start is None or action.ex_date >= start)
        and (end is None or action.ex_date < end)
    ]
    page = connected(actions, fetched.provenance, kind="action", first=first, after=after)
    return cast("Connection[CorporateAction]", page)


async def resolve_earnings(
    info: Ctx,
    symbol: OneSymbol = None,
    start: FromDay = None,
    end: UntilDay = None,
    first: PageSize = 20,
    after: After = None,
    route: Route = None,
) -> Connection[EarningsEvent] | None:
    """A page of the reports of some days; by default of the week that begins today."""
    if start is None:
        info.context.changes_every(DAY)
    begin = start or info.context.now.date()
    until = end or begin + WEEK
    if not begin < until:
        raise BadInput("end", f"must be after start: the range [{begin}, {until}) is empty")
    if until - begin > LONGEST_EARNINGS:
        raise BadInput("start", f"the range is longer than {LONGEST_EARNINGS.days} days: ask for less at once")
    instrument = None if symbol is None else await info.context.service(MarketDesk).find(info.context, symbol)
    ask = EarningsAsk(start=begin, end=until, instrument=instrument)
    fetched = await fetch_list(info.context.market, EARNINGS, ask, terms_of(route), kind="earnings", after=after)
    events = cast("tuple[EarningsEvent, ...]", fetched.value)
    page = connected(events, fetched.provenance, kind="earnings", first=first, after=after)
    return cast("Connection[EarningsEvent]", page)


async def resolve_filings(
    info: Ctx,
    symbol: Symbol,
    forms: Forms = None,
    start: FromDay = None,
    end: UntilDay = None,
    first: PageSize = 20,
    after: After = None,
    route: Route = None,
) -> Connection[Filing] | None:
    """A page of the newest hundred."""
    if len(forms or ()) > MOST_FORMS:
        raise BadInput("forms", f"give at most {MOST_FORMS}")
    if start is not None and end is not None and not start < end:
        raise BadInput("end", f"must be after start: the range [{start}, {end}) is empty")
    wanted = tuple(sorted({form.strip().upper()[:LONGEST_ID] for form in forms or ()}))
    instrument = await info.context.service(MarketDesk).find(info.context, symbol)
    ask = FilingsAsk(instrument=instrument, forms=wanted, start=start, end=end)
    fetched = await fetch_list(info.context.market, FILINGS, ask, terms_of(route), kind="filing", after=after)
    found = cast("tuple[Filing, ...]", fetched.value)[: ask.limit]
    return cast("Connection[Filing]", connected(found, fetched.provenance, kind="filing", first=first, after=after))


async def resolve_identifiers(
    info: Ctx, scheme: Scheme, value: Value, mic: Mic = None, route: Route = None
) -> list[IdentifierMapping] | None:
    """Every instrument that has the identifier."""
    text = value.strip().upper()
    if not 1 <= len(text) <= LONGEST_ID or not text.isprintable():
        raise BadInput("value", f"give 1 to {LONGEST_ID} characters")
    ask = IdentifiersAsk(scheme=scheme, text=text, mic=(mic or "").strip().upper()[:LONGEST_ID])
    found = (await info.context.market.fetch(IDENTIFIERS, ask, terms_of(route))).value
    return list(cast("tuple[IdentifierMapping, ...]", found))


ONE = facts(needs=Scope.MARKET_READ, shared=Shared.PUBLIC)
PAGE = facts(times=page_length, needs=Scope.MARKET_READ, shared=Shared.PUBLIC)


@strawberry.type
class CompaniesQuery:
    """What companies are, report and do."""

    company_profile: CompanyProfile | None = strawberry.field(
        resolver=resolve_company_profile, description="Who is behind an instrument.", metadata=ONE
    )
    key_figures: KeyFigures | None = strawberry.field(
        resolver=resolve_key_figures, description="Ratios and key figures of a security.", metadata=ONE
    )
    fundamentals: Connection[Fundamentals] | None = strawberry.field(
        resolver=resolve_fundamentals,
        description="What a company reported, the newest hundred periods, newest first. With `knownAt` only what had "
        "been filed by then, in the version of then: sources that do not tell when a report was filed are not asked.",
        metadata=PAGE,
    )
    corporate_actions: Connection[CorporateAction] | None = strawberry.field(
        resolver=resolve_corporate_actions, description="Splits and dividends, newest first.", metadata=PAGE
    )
    earnings: Connection[EarningsEvent] | None = strawberry.field(
        resolver=resolve_earnings,
        description="Days on which companies report, ascending; by default the seven that begin today (UTC).",
        metadata=PAGE,
    )
    filings: Connection[Filing] | None = strawberry.field(
        resolver=resolve_filings, description="The newest hundred filings of a company, newest first.", metadata=PAGE
    )
    identifiers: list[IdentifierMapping] | None = strawberry.field(
        resolver=resolve_identifiers,
        description="All instruments that have an identifier (ISIN, FIGI, CIK, ticker …), under all their names.",
        metadata=ONE,
    )
