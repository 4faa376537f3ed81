"""The subscription `account`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from gateway.core.contract import Ctx
from plugins.trading.accounts.access import Gate
from plugins.trading.accounts.types import AccountId
from plugins.trading.live.types import TradingAccountUpdate
from plugins.trading.live.watch import Watched, beginning
from schema.arguments import says
from schema.errors import BadInput, Forbidden
from schema.facts import facts
from schema.scalars import Cursor
from schema.scopes import Scope

USUAL_MS, LONGEST_MS = 1_000, 60_000
POINTS = 5

Resume = Annotated[
    Cursor | None, says("The `cursor` of the last message: fills and events go on behind it. Default: now.")
]
EveryMs = Annotated[int | None, says("At most one message in so many milliseconds, 0 to 60,000.")]


async def resolve_account(
    info: Ctx, id: AccountId, after: Resume = None, every_ms: EveryMs = USUAL_MS
) -> AsyncGenerator[TradingAccountUpdate, None]:
    """Ends with an error where the account is deleted, or closed to the caller."""
    context, every = info.context, USUAL_MS if every_ms is None else every_ms
    if not 0 <= every <= LONGEST_MS:
        raise BadInput("everyMs", f"must be 0 to {LONGEST_MS}, not {every}")
    if not context.principal.may(Scope.STREAM_READ):
        raise Forbidden("This field needs the scope stream:read.", missing=Scope.STREAM_READ.value)
    async with context.host.store.read() as tx:
        row = await Gate().seen(tx, context, id, "id")
    position, notices = await beginning(context, after or context.market.after)
    context.market.endless()
    watched = Watched(context, row.id, every / 1000, position)
    async with aclosing(watched.updates(notices)) as updates:
        async for update in updates:
            yield update


@strawberry.type
class AccountSubscription:
    """What changes by itself."""

    account = strawberry.subscription(
        resolver=resolve_account,
        description="A trading account as it changes: first a snapshot (standing, positions, balances, open orders), "
        "then what is new, conflated to the reader's pace. Fills and events come from the log: none missing, none "
        "twice, also behind the cursor of a message before.",
        metadata=facts(cost=POINTS, needs=Scope.TRADING_READ, also=Scope.MARKET_READ),
    )
