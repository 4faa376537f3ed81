"""Derivatives: funding, open interest, liquidations, option chains."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Annotated, cast

import strawberry

from gateway.core.contract import Ctx, fetch_list
from plugins.market.desk import MarketDesk
from schema.arguments import After, From, Route, Symbol, Until, says
from schema.errors import BadInput
from schema.facts import Arguments, Shared, facts
from schema.paging import page_of, skipped
from schema.scopes import Scope
from schema.words.derivatives import (
    FUNDING_HISTORY,
    FUNDING_RATES,
    LIQUIDATIONS,
    OPEN_INTEREST,
    FundingHistoryAsk,
    FundingRate,
    FundingRatesAsk,
    Liquidation,
    LiquidationsAsk,
    OpenInterest,
    OpenInterestAsk,
)
from schema.words.options import MOST_CONTRACTS, OPTION_CHAIN, OptionChain, OptionChainAsk, OptionRight
from schema.words.routes import terms_of

DEFAULT_RATES, MOST_RATES = 100, 1_000
MOST_LIQUIDATIONS = 1_000

Perpetual = Annotated[str, says("A perpetual, such as `crypto:BTC/USDT:USDT`.")]
Underlying = Annotated[str, says("What the options are on, such as `AAPL` or `crypto:BTC/USD`.")]
Expiry = Annotated[date | None, says("The day that the options expire on; by default the next one.")]
Right = Annotated[OptionRight | None, says("Only calls, or only puts.")]
LowestStrike = Annotated[Decimal | None, says("Only strikes from this one on.")]
HighestStrike = Annotated[Decimal | None, says("Only strikes up to this one, inclusive.")]
Contracts = Annotated[int | None, says("So many contracts at most, 1 to 1000.")]
Newest = Annotated[int | None, says("So many at most, the newest: 1 to 1000.")]


async def resolve_funding_rate(info: Ctx, symbol: Perpetual, route: Route = None) -> FundingRate | None:
    """The rate of the running interval."""
    ask = FundingRatesAsk(instruments=(await info.context.service(MarketDesk).find(info.context, symbol),))
    return cast(FundingRate, (await info.context.market.fetch(FUNDING_RATES, ask, terms_of(route))).value)


async def resolve_funding_history(
    info: Ctx,
    symbol: Perpetual,
    start: From = None,
    end: Until = None,
    last: Newest = DEFAULT_RATES,
    route: Route = None,
) -> list[FundingRate] | None:
    """Settled rates, ascending."""
    last = bounded("last", last, DEFAULT_RATES, MOST_RATES)
    if start is not None and end is not None and not start < end:
        raise BadInput("end", "must be after start")
    instrument = await info.context.service(MarketDesk).find(info.context, symbol)
    ask = FundingHistoryAsk(instrument=instrument, start=start, end=end, limit=last)
    rates = cast(
        "tuple[FundingRate, ...]", (await info.context.market.fetch(FUNDING_HISTORY, ask, terms_of(route))).value
    )
    inside = [r for r in rates if (start is None or r.time >= start) and (end is None or r.time < end)]
    return inside[-last:]


async def resolve_open_interest(info: Ctx, symbol: Symbol, route: Route = None) -> OpenInterest | None:
    """What is open now."""
    ask = OpenInterestAsk(instruments=(await info.context.service(MarketDesk).find(info.context, symbol),))
    return cast(OpenInterest, (await info.context.market.fetch(OPEN_INTEREST, ask, terms_of(route))).value)


async def resolve_liquidations(
    info: Ctx, symbol: Symbol, last: Newest = 50, route: Route = None
) -> list[Liquidation] | None:
    """The newest ones, ascending."""
    last = bounded("last", last, 50, MOST_LIQUIDATIONS)
    ask = LiquidationsAsk(instrument=await info.context.service(MarketDesk).find(info.context, symbol), last=last)
    found = (await info.context.market.fetch(LIQUIDATIONS, ask, terms_of(route))).value
    return list(cast("tuple[Liquidation, ...]", found)[-last:])


async def resolve_option_chain(
    info: Ctx,
    symbol: Underlying,
    expiry: Expiry = None,
    right: Right = None,
    min_strike: LowestStrike = None,
    max_strike: HighestStrike = None,
    first: Contracts = MOST_CONTRACTS,
    after: After = None,
    route: Route = None,
) -> OptionChain | None:
    """The contracts of one expiry that fit; some upstreams send those of all."""
    first = bounded("first", first, MOST_CONTRACTS, MOST_CONTRACTS)
    if min_strike is not None and max_strike is not None and max_strike < min_strike:
        raise BadInput("maxStrike", "must not be below minStrike")
    skipped("contract", after)
    ask = OptionChainAsk(instrument=await info.context.service(MarketDesk).find(info.context, symbol), expiry=expiry)
    fetched = await fetch_list(info.context.market, OPTION_CHAIN, ask, terms_of(route), kind="contract", after=after)
    chain, provider = cast(OptionChain, fetched.value), fetched.provenance.provider
    day = expiry or min((each.expiry for each in chain.contracts), default=None)
    fitting = tuple(
        each
        for each in chain.contracts
        if each.expiry == day
        and (right is None or each.right is right)
        and (min_strike is None or each.strike >= min_strike)
        and (max_strike is None or each.strike <= max_strike)
    )
    page = page_of(fitting, kind="contract", first=first, after=after, largest=MOST_CONTRACTS, provider=provider)
    return replace(chain, contracts=tuple(page.items), page_info=page.info)


def bounded(field: str, value: int | None, default: int, most: int) -> int:
    """A number of rows; BadInput where it is out of its bounds."""
    found = default if value is None else value
    if not 1 <= found <= most:
        raise BadInput(field, f"must be 1 to {most}, not {found}")
    return found


def count_of_rates(arguments: Arguments) -> int:
    """How many rates a history may hold."""
    last: int | None = arguments.get("last")
    return min(max(1, DEFAULT_RATES if last is None else last), MOST_RATES)


@strawberry.type
class DerivativesQuery:
    """What derivatives pay, hold and cost."""

    funding_rate: FundingRate | None = strawberry.field(
        resolver=resolve_funding_rate,
        description="What holders of a perpetual pay each other for the running interval.",
        metadata=facts(needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
    funding_history: list[FundingRate] | None = strawberry.field(
        resolver=resolve_funding_history,
        description="Settled funding rates of a perpetual, ascending.",
        metadata=facts(cost=2, times=count_of_rates, needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
    open_interest: OpenInterest | None = strawberry.field(
        resolver=resolve_open_interest,
        description="How much of a derivative is open.",
        metadata=facts(needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
    liquidations: list[Liquidation] | None = strawberry.field(
        resolver=resolve_liquidations,
        description="The newest positions that a venue closed by force, ascending.",
        metadata=facts(cost=2, needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
    option_chain: OptionChain | None = strawberry.field(
        resolver=resolve_option_chain,
        description="The options on an underlying that expire on one day, with volatilities, greeks and open interest.",
        metadata=facts(cost=4, needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
