"""Live fields: quotes, candles, books, trades and consensus as they change."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, cast

import strawberry

from gateway.core.contract import Context, Ctx, Item, Market
from gateway.core.ports import Providers
from plugins.market.arguments import ConvertTo, Ids, Length, MaxAge, Quorum, Route, Symbol, Symbols
from plugins.market.costs import DEFAULT_SOURCES, MOST_SOURCES, cost_of_quotes, count_of_sources
from plugins.market.desk import MarketDesk, how, own_keys
from plugins.market.updates import (
    CandleUpdate,
    ConsensusUpdate,
    OrderBookUpdate,
    ProviderCondition,
    ProviderHealthUpdate,
    QuotesUpdate,
    TradesUpdate,
)
from schema.arguments import says
from schema.errors import BadInput, MarketgateError, NoAnswer, UnknownProvider
from schema.facts import Shared, facts
from schema.scalars import Cursor
from schema.scopes import Scope
from schema.symbols import InstrumentId
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk
from schema.words.candles import CANDLES, CandlesAsk
from schema.words.intervals import Interval
from schema.words.live import NoticeCode, StreamNotice
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.registry import ProviderInfo
from schema.words.routes import RouteInput, terms_of
from schema.words.trades import TRADES, TradesAsk

MOST_SYMBOLS = 100
"""Of one subscription; more of them are more subscriptions."""
LONGEST_MS = 60_000
DEPTH = 100
"""Levels that books are streamed with, whatever their subscribers want to see: so all share one stream."""
TRADES_SHOWN = 50
CONSENSUS_MS = 1_000
HEALTH_S = 1.0
"""Between two looks at the providers' conditions."""
MOST_WATCHED = 200

EveryMs = Annotated[int | None, says("At most one message in so many milliseconds, 0 to 60,000; 0: as they come.")]
Resume = Annotated[Cursor | None, says("The `cursor` of the last message that was received: go on from there.")]
WatchedIds = Annotated[list[strawberry.ID] | None, says("Only these providers; by default all.")]
Depth = Annotated[int | None, says("Levels of each side, 1 to 100.")]


async def resolve_quotes(
    info: Ctx,
    symbols: Symbols,
    every_ms: EveryMs = None,
    after: Resume = None,
    convert_to: ConvertTo = None,
    route: Route = None,
) -> AsyncGenerator[QuotesUpdate, None]:
    """Quotes that change."""
    context, wanted, lacking = info.context, how(route, convert_to), set[str]()
    asks, notices = await _asks(context, symbols)
    every = _period(every_ms)
    async with context.market.live(QUOTES, asks, wanted.terms, after, every, notices) as deliveries:
        async for delivery in deliveries:
            quotes = [replace(q, pinned=wanted.pinned) if wanted.pinned else q for q in _values(delivery.items)]
            told = list(delivery.notices)
            if wanted.convert_to:
                quotes, unconverted = await _converted(context, quotes, wanted.convert_to, terms_of(route))
                # Once for each, as long as there is no rate; who joins has not heard it.
                told += [each for each in unconverted if deliveries.joining or each.symbol not in lacking]
                lacking = (lacking - {str(quote.instrument) for quote in quotes}) | {
                    str(each.symbol) for each in unconverted
                }
            yield QuotesUpdate(
                cursor=Cursor(delivery.cursor), snapshot=delivery.snapshot, quotes=quotes, notices=told,
                skipped=delivery.skipped,
            )  # fmt: skip


async def resolve_candles(
    info: Ctx, symbol: Symbol, interval: Length, every_ms: EveryMs = None, after: Resume = None, route: Route = None
) -> AsyncGenerator[CandleUpdate, None]:
    """Candles as they form."""
    instrument = await info.context.service(MarketDesk).find(info.context, symbol)
    start = _opening(info.context.now, interval)
    ask = CandlesAsk(instrument=instrument, interval=interval, start=start, end=start + interval.delta)
    async with info.context.market.live(CANDLES, {symbol: ask}, terms_of(route), after, _period(every_ms)) as found:
        async for delivery in found:
            yield CandleUpdate(
                cursor=Cursor(delivery.cursor), snapshot=delivery.snapshot, candles=_values(delivery.items),
                notices=list(delivery.notices), skipped=delivery.skipped,
                provenance=delivery.items[0].provenance if delivery.items else None,
            )  # fmt: skip


async def resolve_order_book(
    info: Ctx, symbol: Symbol, depth: Depth = 20, every_ms: EveryMs = None, after: Resume = None, route: Route = None
) -> AsyncGenerator[OrderBookUpdate, None]:
    """A book as it changes."""
    levels = 20 if depth is None else depth
    if not 1 <= levels <= DEPTH:
        raise BadInput("depth", f"must be 1 to {DEPTH}, not {levels}")
    terms = terms_of(route)
    ask = OrderBookAsk(instrument=await info.context.service(MarketDesk).find(info.context, symbol), depth=DEPTH)
    async with info.context.market.live(ORDER_BOOK, {symbol: ask}, terms, after, _period(every_ms)) as deliveries:
        async for delivery in deliveries:
            books = cast("list[OrderBook]", _values(delivery.items))
            shown = None
            if books:
                book, pinned = books[-1], "+".join(terms.providers or ())
                shown = replace(book, bids=book.bids[:levels], asks=book.asks[:levels], pinned=pinned)
            yield OrderBookUpdate(
                cursor=Cursor(delivery.cursor), snapshot=delivery.snapshot, order_book=shown,
                notices=list(delivery.notices), skipped=delivery.skipped,
            )  # fmt: skip


async def resolve_trades(
    info: Ctx, symbol: Symbol, every_ms: EveryMs = None, after: Resume = None, route: Route = None
) -> AsyncGenerator[TradesUpdate, None]:
    """Trades as they happen."""
    ask = TradesAsk(instrument=await info.context.service(MarketDesk).find(info.context, symbol), last=TRADES_SHOWN)
    async with info.context.market.live(TRADES, {symbol: ask}, terms_of(route), after, _period(every_ms)) as found:
        async for delivery in found:
            yield TradesUpdate(
                cursor=Cursor(delivery.cursor), snapshot=delivery.snapshot, trades=_values(delivery.items),
                notices=list(delivery.notices), skipped=delivery.skipped,
            )  # fmt: skip


async def _asks(context: Context, symbols: Sequence[str]) -> tuple[dict[str, QuotesAsk], list[StreamNotice]]:
    """What each symbol asks for; one that cannot be read is a notice, unless none can."""
    if not symbols:
        raise BadInput("symbols", f"is empty: give 1 to {MOST_SYMBOLS} symbols")
    if len(symbols) > MOST_SYMBOLS:
        raise BadInput("symbols", f"has {len(symbols)} symbols: at most {MOST_SYMBOLS} a subscription")
    desk = context.service(MarketDesk)
    asks: dict[str, QuotesAsk] = {}
    notices: list[StreamNotice] = []
    taken: set[InstrumentId] = set()
    for symbol in symbols:
        try:
            instrument = await desk.find(context, symbol)
        except MarketgateError as error:
            if len(symbols) == 1:
                raise
            notices.append(
                StreamNotice(
                    code=NoticeCode.UNKNOWN_INSTRUMENT, message=error.message, symbol=symbol[:100], at=context.now
                )
            )
            continue
        if instrument not in taken:
            taken.add(instrument)
            asks[symbol] = QuotesAsk(instruments=(instrument,))
    if not asks:
        raise BadInput("symbols", f"names nothing that is known: {notices[0].message}")
    return asks, notices


def _period(every_ms: int | None) -> float:
    if every_ms is None:
        return 0.0
    if not 0 <= every_ms <= LONGEST_MS:
        raise BadInput("everyMs", f"must be 0 to {LONGEST_MS}, not {every_ms}")
    return every_ms / 1000


def _values(items: Sequence[Item]) -> list[Any]:
    return [value for item in items for value in item.values]


def _opening(now: datetime, interval: Interval) -> datetime:
    """A moment of the interval's grid; which one it is names no stream."""
    return now - timedelta(seconds=now.timestamp() % interval.seconds)


async def _converted(
    context: Context, quotes: Sequence[Quote], target: str, terms: Any
) -> tuple[list[Quote], list[StreamNotice]]:
    """In another currency; where there is no rate, a notice takes the quote's place."""
    found: list[Quote] = []
    notices: list[StreamNotice] = []
    for quote in quotes:
        try:
            found.append(await context.market.convert(quote, target, terms))
        except NoAnswer as error:
            told = f"no rate from {quote.currency} to {target}: {error.message}"
            notices.append(
                StreamNotice(code=NoticeCode.GAP, message=told, symbol=str(quote.instrument), at=context.now)
            )
    return found, notices


async def resolve_consensus(
    info: Ctx,
    symbol: Symbol,
    providers: Ids = None,
    quorum: Quorum = 2,
    max_age_ms: MaxAge = None,
    every_ms: EveryMs = CONSENSUS_MS,
) -> AsyncGenerator[ConsensusUpdate, None]:
    """What several streams agree on."""
    quorum = 2 if quorum is None else quorum
    if not 1 <= quorum <= MOST_SOURCES:
        raise BadInput("quorum", f"must be 1 to {MOST_SOURCES}, not {quorum}")
    if len(providers or ()) > MOST_SOURCES:
        raise BadInput("providers", f"names {len(providers or ())}: at most {MOST_SOURCES}")
    terms = terms_of(RouteInput(providers=providers, max_age_ms=max_age_ms), prefix="")
    instrument = await info.context.service(MarketDesk).find(info.context, symbol)
    every_s = _period(CONSENSUS_MS if every_ms is None else every_ms)
    most = MOST_SOURCES if providers else max(DEFAULT_SOURCES, quorum)
    try:
        async with info.context.market.agreeing(
            instrument, symbol, terms, quorum=quorum, most=most, every_s=every_s
        ) as steps:
            async for step in steps:
                yield ConsensusUpdate(
                    cursor=Cursor(step.cursor), consensus=step.consensus, notices=list(step.notices)
                )  # fmt: skip
    except UnknownProvider as error:
        # The argument stands here without a route around it.
        raise UnknownProvider("providers", error.message.partition(": ")[2]) from None


async def resolve_provider_health(
    info: Ctx, providers: WatchedIds = None
) -> AsyncGenerator[ProviderHealthUpdate, None]:  # fmt: skip
    """Providers whose condition changes."""
    context = info.context
    if providers is not None and not 1 <= len(providers) <= MOST_WATCHED:
        raise BadInput("providers", f"has {len(providers)} ids: give 1 to {MOST_WATCHED}, or leave it out")
    wanted = frozenset(providers or ())
    known = {str(each.id) for each in context.service(Providers).all()}
    if unknown := sorted(wanted - known):
        raise UnknownProvider("providers", f"{unknown[0][:40]!r} is not the id of a provider")

    async def look(market: Market) -> list[ProviderCondition]:
        own, wish = await own_keys(context), (await market.whose()).reach.wish
        every = context.service(Providers).all(context.principal, own, wish)
        return [_condition(each) for each in every if not wanted or each.id in wanted]

    async for seen in context.market.watch(look, repr, HEALTH_S):
        yield ProviderHealthUpdate(
            cursor=Cursor(seen.cursor), snapshot=seen.snapshot, providers=list(seen.items), notices=list(seen.notices)
        )


def _condition(provider: ProviderInfo) -> ProviderCondition:
    health = provider.health
    return ProviderCondition(
        id=provider.id, status=provider.status, status_reason=provider.status_reason, breaker=health.breaker,
        error_rate=health.error_rate, p95_ms=health.p95_ms,
    )  # fmt: skip


@strawberry.type
class MarketSubscription:
    """What changes by itself."""

    quotes = strawberry.subscription(
        resolver=resolve_quotes,
        description="Quotes as they change: a snapshot first, then what is new, conflated to the reader's pace.",
        metadata=facts(cost=cost_of_quotes, needs=Scope.STREAM_READ, shared=Shared.PUBLIC),
    )
    candles = strawberry.subscription(
        resolver=resolve_candles,
        description="Candles as they form; the same open time again replaces the bar.",
        metadata=facts(cost=1, needs=Scope.STREAM_READ, shared=Shared.PUBLIC),
    )
    order_book = strawberry.subscription(
        resolver=resolve_order_book,
        description="A venue's order book as it changes, whole each time.",
        metadata=facts(cost=2, needs=Scope.STREAM_READ, shared=Shared.PUBLIC),
    )
    trades = strawberry.subscription(
        resolver=resolve_trades,
        description="Trades as they happen, each once but for those of a snapshot.",
        metadata=facts(cost=1, needs=Scope.STREAM_READ, shared=Shared.PUBLIC),
    )
    consensus = strawberry.subscription(
        resolver=resolve_consensus,
        description="What the streams of several providers agree on, outliers named, whenever one of them has spoken. "
        "Without `providers` the first five that stream it, or as many as `quorum`.",
        metadata=facts(cost=count_of_sources, needs=Scope.STREAM_READ, shared=Shared.PUBLIC),
    )
    provider_health = strawberry.subscription(
        resolver=resolve_provider_health,
        description="Providers whose status, breaker, error rate or latency has changed: a snapshot first.",
        metadata=facts(cost=1, needs=Scope.STREAM_READ, shared=Shared.PUBLIC),
    )
