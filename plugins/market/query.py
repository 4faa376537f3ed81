"""The root fields of market data."""

from __future__ import annotations

import re
from typing import cast

import strawberry

from gateway.core.contract import Context, Ctx, covers_class
from gateway.core.ports import Providers
from plugins.market.arguments import (
    Adjusted,
    After,
    Amount,
    Before,
    Called,
    CapabilityName,
    ClassOf,
    ConvertTo,
    CoversClass,
    End,
    Filling,
    First,
    Hours,
    Ids,
    KindOf,
    Last,
    Length,
    MaxAge,
    NodeId,
    OfClass,
    PageSize,
    Quorum,
    Route,
    Source,
    Start,
    Symbol,
    Symbols,
    Target,
    Text,
    VenueOf,
    WithStatus,
)
from plugins.market.books import resolve_order_book, resolve_trades
from plugins.market.catalog import Catalog
from plugins.market.costs import (
    MOST_SOURCES,
    cost_of_quotes,
    cost_of_rates,
    count_of_sources,
    count_of_symbols,
)
from plugins.market.desk import MarketDesk, currency_code, how, own_keys
from plugins.market.rates import resolve_fx_rates, resolve_market_caps
from plugins.market.series import Wanted, fetch_series
from plugins.market.types import (
    ConvertedAmount,
    FxRates,
    InstrumentConnection,
    InstrumentEdge,
    MarketCapConnection,
)
from schema.errors import BadInput, UnknownProvider
from schema.facts import Shared, facts
from schema.provenance import Conversion
from schema.scopes import Scope
from schema.symbols import AssetClass, parse_instrument
from schema.words.books import OrderBook
from schema.words.candles import Adjustment, CandleSeries, Fill
from schema.words.consensus import Consensus
from schema.words.costs import cost_of_series, page_length
from schema.words.instruments import Instrument, Node, selected_fields
from schema.words.quotes import Quote, QuoteBatch
from schema.words.registry import ProviderInfo
from schema.words.routes import RouteInput, terms_of
from schema.words.trades import Trade
from schema.words.venues import TradingHours

LISTED_FOR = 10.0
"""Seconds: reference data is read from lists that are loaded by the hour, and beside the operation."""
KEPT = re.compile(r"([a-z]+)_[0-9a-z]{20}\Z")


async def resolve_node(info: Ctx, id: NodeId) -> Node | None:
    """Instrument ids have a colon, ids of what plugins keep a kind and 20 characters; the rest are providers'."""
    if kept := KEPT.match(id):
        return await _kept(info.context, kept[1], id)
    if ":" not in id:
        own, wish = await own_keys(info.context), (await info.context.market.whose()).reach.wish
        return cast("Node | None", info.context.service(Providers).find(id, info.context.principal, own, wish))
    try:
        instrument = parse_instrument(id)
    except ValueError:
        return None
    described = info.context.describe(instrument, selected_fields(info))
    return cast(Node, described if isinstance(described, Instrument) else await described)


async def _kept(context: Context, kind: str, id: str) -> Node | None:
    """What a plugin holds for the caller; another's is as unknown as one that is not there."""
    find = next((plugin.nodes[kind] for plugin in context.host.plugins if kind in plugin.nodes), None)
    return cast("Node | None", await find(context, id)) if find else None


async def resolve_quote(
    info: Ctx,
    symbol: Symbol,
    asset_class: ClassOf = None,
    convert_to: ConvertTo = None,
    route: Route = None,
) -> Quote | None:
    """One quote."""
    desk = info.context.service(MarketDesk)
    return await desk.one(info.context, await desk.find(info.context, symbol, asset_class), how(route, convert_to))


async def resolve_quotes(info: Ctx, symbols: Symbols, convert_to: ConvertTo = None, route: Route = None) -> QuoteBatch:
    """A batch of quotes."""
    return await info.context.service(MarketDesk).batch(info.context, symbols, how(route, convert_to))


async def resolve_consensus(
    info: Ctx, symbol: Symbol, providers: Ids = None, quorum: Quorum = 2, max_age_ms: MaxAge = None
) -> Consensus | None:
    """Several providers at once."""
    quorum = 2 if quorum is None else quorum
    if not 1 <= quorum <= MOST_SOURCES:
        raise BadInput("quorum", f"must be 1 to {MOST_SOURCES}, not {quorum}")
    terms = terms_of(RouteInput(providers=providers, max_age_ms=max_age_ms), prefix="")
    instrument = await info.context.service(MarketDesk).find(info.context, symbol)
    try:
        return await info.context.market.consensus(instrument, terms, quorum, info.context.now)
    except UnknownProvider as error:
        # The argument stands here without a route around it.
        raise UnknownProvider("providers", error.message.partition(": ")[2]) from None


async def resolve_candles(
    info: Ctx,
    symbol: Symbol,
    interval: Length,
    start: Start = None,
    end: End = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    adjustment: Adjusted = Adjustment.SPLITS,
    hours: Hours = TradingHours.REGULAR,
    fill: Filling = Fill.NONE,
    route: Route = None,
) -> CandleSeries | None:
    """A price series."""
    wanted = Wanted(
        instrument=await info.context.service(MarketDesk).find(info.context, symbol),
        interval=interval, start=start, end=end, first=first, after=after, last=last, before=before,
        adjustment=adjustment or Adjustment.SPLITS, hours=hours or TradingHours.REGULAR, fill=fill or Fill.NONE,
        terms=terms_of(route),
    )  # fmt: skip
    return await fetch_series(info.context, wanted)


async def resolve_instrument(info: Ctx, symbol: Symbol, asset_class: ClassOf = None) -> Instrument | None:
    """Reference data of one instrument."""
    instrument = await info.context.service(MarketDesk).find(info.context, symbol, asset_class)
    described = info.context.describe(instrument, selected_fields(info))
    return described if isinstance(described, Instrument) else await described


async def resolve_instruments(
    info: Ctx,
    search: Text = None,
    provider_symbol: Called = None,
    asset_class: OfClass = None,
    type: KindOf = None,
    venue: VenueOf = None,
    first: PageSize = 20,
    after: After = None,
) -> InstrumentConnection:
    """A page of instruments."""
    page = await info.context.service(Catalog).search(
        info.context, text=search, symbol=provider_symbol, asset_class=asset_class, type=type, venue=venue,
        after=after, first=20 if first is None else first,
    )  # fmt: skip
    edges = [InstrumentEdge(node=node, cursor=cursor) for node, cursor in zip(page.items, page.cursors, strict=True)]
    return InstrumentConnection(nodes=list(page.items), edges=edges, page_info=page.info)


async def resolve_convert(
    info: Ctx,
    amount: Amount,
    source: Source,
    target: Target,
    route: Route = None,
) -> ConvertedAmount | None:
    """An amount in another currency."""
    origin, wanted = currency_code("from", source), currency_code("to", target)
    if origin == wanted:
        raise BadInput("to", f"is {wanted}, which the amount is in already")
    rate = await info.context.market.rate(origin, wanted, terms_of(route))
    conversion = Conversion(from_currency=origin, to_currency=wanted, rate=rate.value, provenance=rate.provenance)
    return ConvertedAmount(amount=rate.times(amount), currency=wanted, conversion=conversion)


async def resolve_providers(
    info: Ctx,
    capability: CapabilityName = None,
    asset_class: CoversClass = None,
    status: WithStatus = None,
) -> list[ProviderInfo]:
    """The registry, filtered."""
    own, wish = await own_keys(info.context), (await info.context.market.whose()).reach.wish
    every = info.context.service(Providers).all(info.context.principal, own, wish)
    names = {offer.name for provider in every for offer in provider.capabilities}
    if capability is not None and capability not in names:
        raise BadInput("capability", f"{capability[:40]!r} is offered by nobody; there are {', '.join(sorted(names))}")
    return [
        provider
        for provider in every
        if (capability is None or any(offer.name == capability for offer in provider.capabilities))
        and (asset_class is None or _covers(info.context, provider, capability, asset_class))
        and (status is None or provider.status is status)
    ]


def _covers(context: Context, provider: ProviderInfo, capability: str | None, asset_class: AssetClass) -> bool:
    """Whether a provider covers a class at all, or with one capability."""
    if capability is None:
        return asset_class in provider.asset_classes
    adapter = context.host.data.registry.providers[provider.id]
    return covers_class(adapter, capability, asset_class, context.now)


@strawberry.type(description="Market data of all providers behind one vocabulary.")
class MarketQuery:
    """Root fields."""

    node: Node | None = strawberry.field(
        resolver=resolve_node,
        description="An instrument, a provider, or something of the caller's own by its id.",
        metadata=facts(needs=Scope.MARKET_READ),
    )
    quote: Quote | None = strawberry.field(
        resolver=resolve_quote,
        description="The last price of one symbol, in its own quote currency or in `convertTo`.",
        metadata=facts(needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
    quotes: QuoteBatch = strawberry.field(
        resolver=resolve_quotes,
        description="Last prices of at most 200 symbols; what is missing is data, not an error.",
        metadata=facts(cost=cost_of_quotes, times=count_of_symbols, needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
    consensus: Consensus | None = strawberry.field(
        resolver=resolve_consensus,
        description="The same price from several providers at once, outliers named; fixings with those of their day.",
        metadata=facts(cost=count_of_sources, times=count_of_sources, needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
    candles: CandleSeries | None = strawberry.field(
        resolver=resolve_candles,
        description="A price series with open times in `[start, end)`, at most 5,000 rows; default the last 100.",
        metadata=facts(cost=cost_of_series, needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
    order_book: OrderBook | None = strawberry.field(
        resolver=resolve_order_book,
        description="The best `depth` levels of each side, 1 to 1000.",
        metadata=facts(cost=2, needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
    trades: list[Trade] | None = strawberry.field(
        resolver=resolve_trades,
        description="The newest `last` executions, 1 to 1000, ascending by time.",
        metadata=facts(cost=2, needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
    instrument: Instrument | None = strawberry.field(
        resolver=resolve_instrument,
        description="Reference data of one instrument.",
        metadata=facts(needs=Scope.MARKET_READ, shared=Shared.PUBLIC, fresh_for=LISTED_FOR),
    )
    instruments: InstrumentConnection = strawberry.field(
        resolver=resolve_instruments,
        description="Search by ticker, name, ISIN, FIGI or a provider's own symbol; without a text the whole list.",
        metadata=facts(times=page_length, needs=Scope.MARKET_READ, shared=Shared.PUBLIC, fresh_for=LISTED_FOR),
    )
    market_caps: MarketCapConnection | None = strawberry.field(
        resolver=resolve_market_caps,
        description="Assets by market capitalisation, largest first.",
        metadata=facts(times=page_length, needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
    fx_rates: FxRates | None = strawberry.field(
        resolver=resolve_fx_rates,
        description="Reference rates of a base currency: the newest, or those of each day in `[start, end)`.",
        metadata=facts(cost=cost_of_rates, needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
    convert: ConvertedAmount | None = strawberry.field(
        resolver=resolve_convert,
        description="An amount in another currency, with the rate and where it came from.",
        metadata=facts(needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
    providers: list[ProviderInfo] = strawberry.field(
        resolver=resolve_providers,
        description="The registry in order of routing: facts, condition, what is missing.",
        metadata=facts(needs=Scope.MARKET_READ),
    )
