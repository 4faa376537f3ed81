"""The root fields of hedges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import strawberry

from gateway.core.contract import Context, Ctx
from plugins.trading.accounts.access import Gate
from plugins.trading.accounts.types import AccountId
from plugins.trading.hedging.desk import Hedge, HedgeDesk
from plugins.trading.hedging.legs import Leg
from plugins.trading.hedging.proposing import USUAL_DAYS, Wanted, leg_of, proposed
from plugins.trading.hedging.types import (
    AccountHedgeAnalysis,
    HedgeCloseErrorCode,
    HedgeCloseInput,
    HedgeClosePayload,
    HedgeExecuteErrorCode,
    HedgeExecuteInput,
    HedgeExecutePayload,
    TradingHedge,
)
from plugins.trading.positions.standings import Appraiser
from plugins.trading.rows import AccountRow
from schema.arguments import says
from schema.facts import Arguments, facts
from schema.idempotency import digest
from schema.scopes import Scope
from schema.words.problems import Refused, UserError

BASE, EACH = 30, 5

Candidates = Annotated[list[str], says("1 to 20 instruments to hedge with: futures, perpetuals, funds.")]
OfSymbol = Annotated[str | None, says("Hedge this position alone; by default all but those in candidates.")]
Benchmark = Annotated[str | None, says("For the beta hedge: an index or a fund.")]
TargetBeta = Annotated[float, says("What the beta hedge leaves.")]
Days = Annotated[int, says("How long it is held: for its cost, 1 to 3,650.")]


def cost_of_analysis(arguments: Arguments) -> int:
    """Thirty points, and five for each candidate."""
    given = arguments.get("candidates")
    return BASE + EACH * max(1, len(given) if isinstance(given, list) else 1)


async def resolve_analyze(
    info: Ctx, account_id: AccountId, candidates: Candidates, symbol: OfSymbol = None, benchmark: Benchmark = None,
    target_beta: TargetBeta = 0.0, days: Days = USUAL_DAYS,
) -> AccountHedgeAnalysis:  # fmt: skip
    """Nothing is ordered."""
    context = info.context
    async with context.host.store.read() as tx:
        account = await Gate().seen(tx, context, account_id, "accountId")
    wanted = Wanted(
        candidates=candidates, symbol=symbol, benchmark=benchmark, target_beta=target_beta, days=days
    )  # fmt: skip
    return AccountHedgeAnalysis.of(await proposed(context, account, wanted))


def _executing(refused: Refused) -> UserError[HedgeExecuteErrorCode]:
    return refused.within(HedgeExecuteInput, "legs").error(HedgeExecuteErrorCode)


def _closing(refused: Refused) -> UserError[HedgeCloseErrorCode]:
    return refused.within(HedgeCloseInput, "hedgeId").error(HedgeCloseErrorCode)


async def _shown(context: Context, found: Hedge) -> TradingHedge:
    held = await context.service(Appraiser).held(context, found.account)
    return TradingHedge.of(found, {row.instrument: row.quantity for row in held.positions})


async def resolve_execute(
    info: Ctx, input: Annotated[HedgeExecuteInput, says("What to hedge.")]
) -> HedgeExecutePayload:
    """All of its orders, or none."""
    context, reckoned = info.context, input.with_

    async def legs(account: AccountRow) -> Sequence[Leg]:
        if reckoned is not None:
            return [await leg_of(context, account, reckoned.wanted(), reckoned.kind)]
        return [each.leg() for each in input.legs or ()]

    try:
        if (input.legs is None) == (reckoned is None):
            raise Refused("HEDGE_INVALID", "Give either legs or with.", "legs")
        found = await context.service(HedgeDesk).execute(
            context,
            input.account_id,
            legs,
            client_id=input.client_hedge_id,
            digest=digest(input),
            strategy=input.strategy,
        )
    except Refused as refused:
        return HedgeExecutePayload(user_errors=[_executing(refused)])
    errors = [] if found.refused is None else [_executing(found.refused)]
    return HedgeExecutePayload(hedge=await _shown(context, found), user_errors=errors)


async def resolve_close(info: Ctx, input: Annotated[HedgeCloseInput, says("Which.")]) -> HedgeClosePayload:
    """What it has opened, as far as it is still held."""
    try:
        found = await info.context.service(HedgeDesk).close(
            info.context, input.account_id, input.hedge_id, input.idempotency_key
        )
    except Refused as refused:
        return HedgeClosePayload(user_errors=[_closing(refused)])
    errors = [] if found.refused is None else [_closing(found.refused)]
    return HedgeClosePayload(hedge=await _shown(info.context, found), user_errors=errors)


@strawberry.type(description="Hedges of what accounts hold.")
class AccountHedgeQuery:
    """Root fields."""

    hedge_analyze: AccountHedgeAnalysis = strawberry.field(
        resolver=resolve_analyze,
        description="What could hedge an account's positions: sizes, costs, what risk is left. Nothing is ordered.",
        metadata=facts(cost=cost_of_analysis, needs=Scope.TRADING_READ, also=Scope.MARKET_READ),
    )


@strawberry.type(description="Hedges, executed and closed.")
class AccountHedgeMutation:
    """Root fields."""

    hedge_execute: HedgeExecutePayload = strawberry.field(
        resolver=resolve_execute,
        description="Place the orders of a hedge at the market, as one: all of them, or none. At a broker what is "
        "filled stays where a later one is refused, and the rest is cancelled.",
        metadata=facts(cost=50, needs=Scope.TRADING_WRITE, also=Scope.MARKET_READ),
    )
    hedge_close: HedgeClosePayload = strawberry.field(
        resolver=resolve_close,
        description="Cancel what of a hedge is open, and close what it has opened, as far as it is still held.",
        metadata=facts(cost=20, needs=Scope.TRADING_WRITE, also=Scope.MARKET_READ),
    )
