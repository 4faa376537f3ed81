"""The root fields of limits."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.core.contract import Context, Ctx
from plugins.risk.limits.desk import Change, LimitDesk, Wish
from plugins.risk.limits.kinds import LimitRule
from plugins.risk.limits.types import (
    RiskLimit,
    RiskLimitConnection,
    RiskLimitCreateErrorCode,
    RiskLimitCreateInput,
    RiskLimitCreatePayload,
    RiskLimitDeleteErrorCode,
    RiskLimitDeleteInput,
    RiskLimitDeletePayload,
    RiskLimitUpdateErrorCode,
    RiskLimitUpdateInput,
    RiskLimitUpdatePayload,
)
from plugins.risk.rows import LimitRow
from schema.facts import facts
from schema.model import NAMED
from schema.pages import Position, cut, page_length, page_size, position_of
from schema.paging import DEFAULT_PAGE
from schema.scalars import Cursor
from schema.scopes import Scope
from schema.words.problems import Refused

KIND = "risklimit"


def _says(description: str) -> object:
    return strawberry.argument(description=description)


First = Annotated[int | None, _says("Rows of the page, 1 to 100.")]
After = Annotated[Cursor | None, _says("Continue behind this cursor.")]
OfPortfolio = Annotated[strawberry.ID | None, _says("Only limits on this portfolio.")]


def _position(row: LimitRow) -> Position:
    return row.created_at, row.id


async def resolve_limits(
    info: Ctx, portfolio_id: OfPortfolio = None, first: First = DEFAULT_PAGE, after: After = None
) -> RiskLimitConnection:
    """The organisation's."""
    size = page_size(first)
    desk, behind = info.context.service(LimitDesk), position_of(KIND, after)
    rows = await desk.page(info.context, size + 1, portfolio_id, behind)
    shown, page = cut(rows, kind=KIND, size=size, after=after, position=_position)
    return RiskLimitConnection(nodes=[RiskLimit.of(row) for row in shown], page_info=page)


async def resolve_create(
    info: Ctx, input: Annotated[RiskLimitCreateInput, _says("What to make.")]
) -> RiskLimitCreatePayload:
    """A new one."""
    rule = LimitRule(
        kind=input.kind, asset_class=input.asset_class, confidence=input.confidence, days=input.days
    )  # fmt: skip
    wish = Wish(
        portfolio=input.portfolio_id, rule=rule, threshold=input.threshold, hysteresis_bps=input.hysteresis_bps,
        note=input.note,
    )  # fmt: skip
    try:
        row = await info.context.service(LimitDesk).create(info.context, wish, input.idempotency_key)
    except Refused as refused:
        return RiskLimitCreatePayload(user_errors=[refused.error(RiskLimitCreateErrorCode)])
    return RiskLimitCreatePayload(risk_limit=RiskLimit.of(row), user_errors=[])


async def resolve_update(
    info: Ctx, input: Annotated[RiskLimitUpdateInput, _says("What to change.")]
) -> RiskLimitUpdatePayload:
    """All of the change, or nothing."""
    change = Change(
        threshold=input.threshold, asset_class=input.asset_class, confidence=input.confidence, days=input.days,
        hysteresis_bps=input.hysteresis_bps, note=input.note, active=input.active,
    )  # fmt: skip
    try:
        row = await info.context.service(LimitDesk).update(info.context, input.id, change)
    except Refused as refused:
        return RiskLimitUpdatePayload(user_errors=[refused.error(RiskLimitUpdateErrorCode)])
    return RiskLimitUpdatePayload(risk_limit=RiskLimit.of(row), user_errors=[])


async def resolve_delete(
    info: Ctx, input: Annotated[RiskLimitDeleteInput, _says("What to delete.")]
) -> RiskLimitDeletePayload:
    """For good."""
    try:
        deleted = await info.context.service(LimitDesk).delete(info.context, input.id)
    except Refused as refused:
        return RiskLimitDeletePayload(user_errors=[refused.error(RiskLimitDeleteErrorCode)])
    return RiskLimitDeletePayload(risk_limit_id=strawberry.ID(deleted), user_errors=[])


async def find_limit(context: Context, id: str) -> RiskLimit | None:
    """By its id, for `node`; None for who may not read portfolios, or the prices that its value is reckoned from."""
    if not all(map(context.principal.may, (Scope.PORTFOLIO_READ, Scope.MARKET_READ))):
        return None
    row = await context.service(LimitDesk).find(context, id)
    return RiskLimit.of(row) if row else None


async def limit_of(context: Context, id: str, selected: frozenset[str]) -> RiskLimit | None:
    """The limit of an event: where no more than its id is wanted, it is not looked for."""
    return RiskLimit.named(id) if selected <= NAMED else await find_limit(context, id)


@strawberry.type(description="Limits.")
class LimitQuery:
    """Root fields."""

    risk_limits: RiskLimitConnection = strawberry.field(
        resolver=resolve_limits,
        description="The organisation's limits on its portfolios' risk, the oldest first.",
        metadata=facts(times=page_length, needs=Scope.PORTFOLIO_READ, also=Scope.MARKET_READ),
    )


@strawberry.type(description="Changes of limits.")
class LimitMutation:
    """Root fields."""

    risk_limit_create: RiskLimitCreatePayload = strawberry.field(
        resolver=resolve_create,
        description="Watch a portfolio's risk: a breach is the event `risk.limit_breached`.",
        metadata=facts(cost=5, needs=Scope.PORTFOLIO_WRITE, also=Scope.MARKET_READ),
    )
    risk_limit_update: RiskLimitUpdatePayload = strawberry.field(
        resolver=resolve_update,
        description="Change a limit, or switch it on or off; it is armed as if it were new.",
        metadata=facts(cost=2, needs=Scope.PORTFOLIO_WRITE, also=Scope.MARKET_READ),
    )
    risk_limit_delete: RiskLimitDeletePayload = strawberry.field(
        resolver=resolve_delete,
        description="Delete a limit.",
        metadata=facts(cost=2, needs=Scope.PORTFOLIO_WRITE),
    )
