"""Order books and trades."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from gateway.core.contract import Ctx
from plugins.market.arguments import Depth, Newest, Route, Symbol
from plugins.market.desk import MarketDesk
from schema.errors import BadInput
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk
from schema.words.routes import terms_of
from schema.words.trades import TRADES, Trade, TradesAsk

DEEPEST = 1000
DEPTHS = (20, 100, 500, DEEPEST)
NEWEST = (50, 100, 500, DEEPEST)
"""What providers are asked for: the next larger one, so that most callers share an answer."""


async def resolve_order_book(info: Ctx, symbol: Symbol, depth: Depth = 20, route: Route = None) -> OrderBook | None:
    """The best levels of each side."""
    depth = 20 if depth is None else depth
    if not 1 <= depth <= DEEPEST:
        raise BadInput("depth", f"must be 1 to {DEEPEST}, not {depth}")
    terms = terms_of(route)
    instrument = await info.context.service(MarketDesk).find(info.context, symbol)
    ask = OrderBookAsk(instrument=instrument, depth=_rounded(depth, DEPTHS))
    book = cast(OrderBook, (await info.context.market.fetch(ORDER_BOOK, ask, terms)).value)
    bids = sorted(book.bids, key=lambda level: -level.price)[:depth]
    asks = sorted(book.asks, key=lambda level: level.price)[:depth]
    return replace(book, bids=tuple(bids), asks=tuple(asks), pinned="+".join(terms.providers or ()))


async def resolve_trades(info: Ctx, symbol: Symbol, last: Newest = 50, route: Route = None) -> list[Trade] | None:
    """The newest executions."""
    last = 50 if last is None else last
    if not 1 <= last <= DEEPEST:
        raise BadInput("last", f"must be 1 to {DEEPEST}, not {last}")
    instrument = await info.context.service(MarketDesk).find(info.context, symbol)
    ask = TradesAsk(instrument=instrument, last=_rounded(last, NEWEST))
    found = (await info.context.market.fetch(TRADES, ask, terms_of(route))).value
    return list(cast("tuple[Trade, ...]", found)[-last:])


def _rounded(wanted: int, offered: tuple[int, ...]) -> int:
    return next(size for size in offered if size >= wanted)
