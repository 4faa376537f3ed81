"""The root fields of constraints."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.core.contract import Context, Ctx
from plugins.risk.constraints.desk import ConstraintDesk
from plugins.risk.constraints.types import (
    ConstraintSet,
    ConstraintSetConnection,
    ConstraintSetCreateErrorCode,
    ConstraintSetCreateInput,
    ConstraintSetCreatePayload,
    ConstraintSetDeleteErrorCode,
    ConstraintSetDeleteInput,
    ConstraintSetDeletePayload,
    ConstraintSetUpdateErrorCode,
    ConstraintSetUpdateInput,
    ConstraintSetUpdatePayload,
)
from plugins.risk.rows import ConstraintRow
from schema.facts import facts
from schema.pages import Position, cut, page_length, page_size, position_of
from schema.paging import DEFAULT_PAGE
from schema.scalars import Cursor
from schema.scopes import Scope
from schema.words.problems import Refused

KIND = "constraints"


def _says(description: str) -> object:
    return strawberry.argument(description=description)


First = Annotated[int | None, _says("Rows of the page, 1 to 100.")]
After = Annotated[Cursor | None, _says("Continue behind this cursor.")]


def _position(row: ConstraintRow) -> Position:
    return row.created_at, row.id


async def resolve_constraints(info: Ctx, first: First = DEFAULT_PAGE, after: After = None) -> ConstraintSetConnection:
    """The organisation's."""
    size = page_size(first)
    rows = await info.context.service(ConstraintDesk).page(info.context, size + 1, position_of(KIND, after))
    shown, page = cut(rows, kind=KIND, size=size, after=after, position=_position)
    return ConstraintSetConnection(nodes=[ConstraintSet.of(row) for row in shown], page_info=page)


async def resolve_create(
    info: Ctx, input: Annotated[ConstraintSetCreateInput, _says("What to make.")]
) -> ConstraintSetCreatePayload:
    """A new one."""
    desk = info.context.service(ConstraintDesk)
    try:
        row = await desk.create(info.context, input.name, input.constraints, input.idempotency_key)
    except Refused as refused:
        return ConstraintSetCreatePayload(user_errors=[refused.error(ConstraintSetCreateErrorCode)])
    return ConstraintSetCreatePayload(constraint_set=ConstraintSet.of(row), user_errors=[])


async def resolve_update(
    info: Ctx, input: Annotated[ConstraintSetUpdateInput, _says("What to change.")]
) -> ConstraintSetUpdatePayload:
    """All of the change, or nothing."""
    desk = info.context.service(ConstraintDesk)
    try:
        row = await desk.update(info.context, input.id, input.name, input.constraints)
    except Refused as refused:
        return ConstraintSetUpdatePayload(user_errors=[refused.error(ConstraintSetUpdateErrorCode)])
    return ConstraintSetUpdatePayload(constraint_set=ConstraintSet.of(row), user_errors=[])


async def resolve_delete(
    info: Ctx, input: Annotated[ConstraintSetDeleteInput, _says("What to delete.")]
) -> ConstraintSetDeletePayload:
    """For good."""
    try:
        deleted = await info.context.service(ConstraintDesk).delete(info.context, input.id)
    except Refused as refused:
        return ConstraintSetDeletePayload(user_errors=[refused.error(ConstraintSetDeleteErrorCode)])
    return ConstraintSetDeletePayload(constraint_set_id=strawberry.ID(deleted), user_errors=[])


async def find_constraint_set(context: Context, id: str) -> ConstraintSet | None:
    """By its id, for `node`; None for who may not read portfolios."""
    if not context.principal.may(Scope.PORTFOLIO_READ):
        return None
    row = await context.service(ConstraintDesk).find(context, id)
    return ConstraintSet.of(row) if row else None


@strawberry.type(description="Sets of constraints.")
class ConstraintQuery:
    """Root fields."""

    constraints: ConstraintSetConnection = strawberry.field(
        resolver=resolve_constraints,
        description="The organisation's sets of constraints for optimisations, the oldest first.",
        metadata=facts(times=page_length, needs=Scope.PORTFOLIO_READ),
    )


@strawberry.type(description="Changes of sets of constraints.")
class ConstraintMutation:
    """Root fields."""

    constraint_set_create: ConstraintSetCreatePayload = strawberry.field(
        resolver=resolve_create,
        description="Keep a set of constraints; at most 100 an organisation.",
        metadata=facts(cost=2, needs=Scope.PORTFOLIO_WRITE),
    )
    constraint_set_update: ConstraintSetUpdatePayload = strawberry.field(
        resolver=resolve_update,
        description="Change a set's name or what it says.",
        metadata=facts(cost=2, needs=Scope.PORTFOLIO_WRITE),
    )
    constraint_set_delete: ConstraintSetDeletePayload = strawberry.field(
        resolver=resolve_delete,
        description="Delete a set of constraints.",
        metadata=facts(cost=2, needs=Scope.PORTFOLIO_WRITE),
    )
