"""Exchange rates and market capitalisations."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import strawberry

from gateway.core.contract import Ctx, fetch_list
from plugins.market.arguments import (
    After,
    AmountCurrency,
    BaseCurrency,
    EndDay,
    FirstDay,
    PageSize,
    QuoteCurrencies,
    Route,
)
from plugins.market.costs import LONGEST_RATES
from plugins.market.desk import currency_code
from plugins.market.types import FxRates, MarketCapConnection, MarketCapEdge
from schema.errors import BadInput
from schema.paging import check_page_size, page_of, skipped
from schema.words.caps import MARKET_CAPS, MarketCap, MarketCapsAsk
from schema.words.rates import FX_RATES, FxRate, FxRatesAsk
from schema.words.routes import terms_of

LONGEST = timedelta(days=LONGEST_RATES)
MOST_QUOTES = 100
DAY = 86_400
RANKED = 1000


async def resolve_market_caps(
    info: Ctx, first: PageSize = 20, after: After = None, currency: AmountCurrency = "USD", route: Route = None
) -> MarketCapConnection | None:
    """A page of the ranking; pages of one moment come from one answer."""
    first, currency = 20 if first is None else first, currency or "USD"
    check_page_size(first)
    # One more than the page, to know whether the ranking goes on; by the hundred, so that pages share an answer.
    needed = skipped("cap", after) + first + 1
    ask = MarketCapsAsk(currency=currency_code("currency", currency), first=min(-(-needed // 100) * 100, RANKED))
    fetched = await fetch_list(info.context.market, MARKET_CAPS, ask, terms_of(route), kind="cap", after=after)
    ranking, provider = cast("tuple[MarketCap, ...]", fetched.value)[:RANKED], fetched.provenance.provider
    page = page_of(ranking, kind="cap", first=first, after=after, provider=provider)
    edges = [MarketCapEdge(node=node, cursor=cursor) for node, cursor in zip(page.items, page.cursors, strict=True)]
    return MarketCapConnection(nodes=list(page.items), edges=edges, page_info=page.info, provenance=fetched.provenance)


async def resolve_fx_rates(
    info: Ctx,
    base: BaseCurrency,
    quotes: QuoteCurrencies = None,
    start: FirstDay = None,
    end: EndDay = None,
    route: Route = None,
) -> FxRates | None:
    """The newest rates, or those of each day of a range."""
    code = currency_code("base", base)
    wanted = tuple(sorted({currency_code("quotes", each) for each in quotes or ()}))
    if quotes is not None and not 1 <= len(quotes) <= MOST_QUOTES:
        raise BadInput("quotes", f"give 1 to {MOST_QUOTES} currency codes, or leave it out for all")
    if code in wanted:
        raise BadInput("quotes", f"holds the base currency {code}")
    if start is None and end is not None:
        raise BadInput("start", "is needed with end")
    if start is not None:
        if end is None:
            info.context.changes_every(DAY)
        end = end or info.context.now.date() + timedelta(days=1)
        if not start < end:
            raise BadInput("end", f"must be after start: the range [{start}, {end}) is empty")
        if end - start > LONGEST:
            raise BadInput("start", f"the range is longer than {LONGEST.days} days: ask for less at once")
    ask = FxRatesAsk(base=code, quotes=wanted, start=start, end=end)
    fetched = await info.context.market.fetch(FX_RATES, ask, terms_of(route))
    rates = cast("tuple[FxRate, ...]", fetched.value)
    return FxRates(id=strawberry.ID(f"fx:{code}"), base=code, rates=list(rates), provenance=fetched.provenance)
