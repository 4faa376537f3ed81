"""The root fields of universes."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.core.contract import Context, Ctx
from plugins.portfolio.universes import saved
from plugins.portfolio.universes.desk import MOST_MEMBERS, UniverseDesk
from plugins.portfolio.universes.types import Universe, UniverseInput
from schema.arguments import After, PageSize, says
from schema.errors import BadInput
from schema.facts import Arguments, facts
from schema.pages import cut, page_length, page_size, position_of
from schema.scopes import Scope
from schema.words.problems import Refused

Which = Annotated[UniverseInput, says("Which instruments.")]
Quote = Annotated[str | None, says("What ranked assets are paired with.")]
Stablecoins = Annotated[bool | None, says("Whether assets that are pegged to a currency are ranked too.")]


def count_of_members(arguments: Arguments) -> int:
    """How many instruments it may hold; a saved one as many as one may have."""
    given = arguments.get("input") or {}
    ranked = given.get("topByMarketCap") or given.get("topByVolume")
    count = ranked or len(given.get("symbols") or ()) or MOST_MEMBERS
    return min(max(1, count), MOST_MEMBERS)


async def find_universe(context: Context, id: str) -> saved.SavedUniverse | None:
    """By its id, for `node`; None for who may not read portfolios."""
    if not context.principal.may(Scope.PORTFOLIO_READ):
        return None
    row = await context.service(UniverseDesk).find(context, id)
    return saved.SavedUniverse.of(row) if row else None


async def resolve_universe(
    info: Ctx, input: Which, quote: Quote = "USD", stablecoins: Stablecoins = True
) -> Universe | None:
    """Ranked, listed or saved."""
    desk, context = info.context.service(UniverseDesk), info.context
    if isinstance(input.saved, str):
        held = await desk.saved(context, input.saved)
        if held is None:
            raise BadInput("saved", "your organisation has no universe with this id: `universes` lists them")
        return Universe.of(held)
    if isinstance(input.symbols, list):
        return Universe.of(await desk.listed(context, input.symbols))
    by_volume = isinstance(input.top_by_volume, int)
    count = input.top_by_volume if by_volume else input.top_by_market_cap
    if not isinstance(count, int):
        raise BadInput("input", "give one of topByMarketCap, topByVolume, symbols and saved")
    ranked = await desk.ranked(
        context, count, by_volume=by_volume, quote=quote or "USD", stablecoins=stablecoins is not False
    )
    return Universe.of(ranked)


async def resolve_universes(info: Ctx, first: PageSize = 20, after: After = None) -> saved.SavedUniverseConnection:
    """The organisation's."""
    size, behind = page_size(first), position_of("universe", after)
    rows = await info.context.service(UniverseDesk).page(info.context, size + 1, behind=behind)
    shown, page = cut(rows, kind="universe", size=size, after=after, position=lambda row: (row.created_at, row.id))
    return saved.SavedUniverseConnection(nodes=[saved.SavedUniverse.of(row) for row in shown], page_info=page)


async def resolve_create(
    info: Ctx, input: Annotated[saved.UniverseCreateInput, says("What to keep.")]
) -> saved.UniverseCreatePayload:
    """A new one."""
    try:
        row = await info.context.service(UniverseDesk).create(info.context, input.name, input.symbols)
    except Refused as refused:
        return saved.UniverseCreatePayload(user_errors=[refused.error(saved.UniverseCreateErrorCode)])
    return saved.UniverseCreatePayload(universe=saved.SavedUniverse.of(row), user_errors=[])


async def resolve_update(
    info: Ctx, input: Annotated[saved.UniverseUpdateInput, says("What to change.")]
) -> saved.UniverseUpdatePayload:
    """All of the change, or nothing."""
    try:
        row = await info.context.service(UniverseDesk).update(info.context, input.id, input.name, input.symbols)
    except Refused as refused:
        return saved.UniverseUpdatePayload(user_errors=[refused.error(saved.UniverseUpdateErrorCode)])
    return saved.UniverseUpdatePayload(universe=saved.SavedUniverse.of(row), user_errors=[])


async def resolve_delete(
    info: Ctx, input: Annotated[saved.UniverseDeleteInput, says("What to delete.")]
) -> saved.UniverseDeletePayload:
    """For good."""
    try:
        deleted = await info.context.service(UniverseDesk).delete(info.context, input.id)
    except Refused as refused:
        return saved.UniverseDeletePayload(user_errors=[refused.error(saved.UniverseDeleteErrorCode)])
    return saved.UniverseDeletePayload(universe_id=strawberry.ID(deleted), user_errors=[])


@strawberry.type(description="Universes.")
class UniverseQuery:
    """Root fields."""

    universe: Universe | None = strawberry.field(
        resolver=resolve_universe,
        description="Instruments that are looked at together: the largest, the most traded, a list, or a saved one.",
        metadata=facts(times=count_of_members, needs=Scope.PORTFOLIO_READ, also=Scope.MARKET_READ),
    )
    universes: saved.SavedUniverseConnection = strawberry.field(
        resolver=resolve_universes,
        description="The organisation's saved universes, the oldest first.",
        metadata=facts(times=page_length, needs=Scope.PORTFOLIO_READ),
    )


@strawberry.type(description="Changes of universes.")
class UniverseMutation:
    """Root fields."""

    universe_create: saved.UniverseCreatePayload = strawberry.field(
        resolver=resolve_create,
        description="Keep a universe.",
        metadata=facts(cost=2, needs=Scope.PORTFOLIO_WRITE),
    )
    universe_update: saved.UniverseUpdatePayload = strawberry.field(
        resolver=resolve_update,
        description="Change a saved universe.",
        metadata=facts(cost=2, needs=Scope.PORTFOLIO_WRITE),
    )
    universe_delete: saved.UniverseDeletePayload = strawberry.field(
        resolver=resolve_delete,
        description="Delete a saved universe.",
        metadata=facts(cost=2, needs=Scope.PORTFOLIO_WRITE),
    )
