"""The root fields of positions."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.core.contract import Ctx
from plugins.trading.accounts.desk import AccountDesk
from plugins.trading.accounts.types import VALUED, AccountId
from plugins.trading.markets.prices import Prices
from plugins.trading.positions.connections import closed_page, position_page, statistics_of
from plugins.trading.positions.figures import (
    TradingClosedPositionConnection,
    TradingPositionConnection,
    TradingStatistics,
)
from schema.arguments import After, PageSize, says
from schema.errors import BadInput
from schema.facts import facts
from schema.names import check_word
from schema.pages import page_length
from schema.scopes import Scope
from schema.words.problems import Refused

COUNTED = 10
"""Points of statistics, which read all closed positions."""
Tag = Annotated[str | None, says("Only those that an order with this tag opened.")]
OfSymbol = Annotated[str | None, says("Only those in this instrument.")]


async def resolve_positions(
    info: Ctx, account_id: AccountId, first: PageSize = 20, after: After = None
) -> TradingPositionConnection | None:
    """By the prices of now."""
    row = await info.context.service(AccountDesk).find(info.context, account_id)
    return None if row is None else await position_page(info.context, row, first, after)


async def resolve_closed(
    info: Ctx, account_id: AccountId, strategy: Tag = None, symbol: OfSymbol = None, first: PageSize = 20,
    after: After = None,
) -> TradingClosedPositionConnection | None:  # fmt: skip
    """Those that were closed last first."""
    check_word("strategy", strategy)
    row = await info.context.service(AccountDesk).find(info.context, account_id)
    if row is None:
        return None
    try:
        instrument = None if symbol is None else str(await Prices.of(info.context).find(symbol))
    except Refused as refused:
        raise BadInput("symbol", refused.message) from None
    return await closed_page(info.context, row, first, after, strategy=strategy, instrument=instrument)


async def resolve_statistics(info: Ctx, account_id: AccountId, strategy: Tag = None) -> TradingStatistics | None:
    """Of all, or of those of one strategy."""
    check_word("strategy", strategy)
    row = await info.context.service(AccountDesk).find(info.context, account_id)
    return None if row is None else await statistics_of(info.context, row, strategy)


@strawberry.type(description="What trading accounts hold and have closed.")
class PositionQuery:
    """Root fields."""

    positions: TradingPositionConnection | None = strawberry.field(
        resolver=resolve_positions,
        description="What an account holds by the prices of now, in order of instrument; null without such an account.",
        metadata=facts(cost=VALUED, times=page_length, needs=Scope.TRADING_READ, also=Scope.MARKET_READ),
    )
    closed_positions: TradingClosedPositionConnection | None = strawberry.field(
        resolver=resolve_closed,
        description="What an account has closed, the last first; null without such an account.",
        metadata=facts(times=page_length, needs=Scope.TRADING_READ),
    )
    trading_statistics: TradingStatistics | None = strawberry.field(
        resolver=resolve_statistics,
        description="How an account's closed positions went, all and by strategy; null without such an account.",
        metadata=facts(cost=COUNTED, needs=Scope.TRADING_READ),
    )
