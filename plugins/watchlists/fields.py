"""The root fields of watchlists."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.core.contract import Context, Ctx
from plugins.watchlists.desk import Change, WatchlistDesk
from plugins.watchlists.types import (
    Watchlist,
    WatchlistConnection,
    WatchlistCreateErrorCode,
    WatchlistCreateInput,
    WatchlistCreatePayload,
    WatchlistDeleteErrorCode,
    WatchlistDeleteInput,
    WatchlistDeletePayload,
    WatchlistUpdateErrorCode,
    WatchlistUpdateInput,
    WatchlistUpdatePayload,
)
from schema.facts import Arguments, facts
from schema.paging import LARGEST_PAGE, page_of
from schema.scalars import Cursor
from schema.scopes import Scope
from schema.words.problems import Refused

DEFAULT_PAGE = 20

First = Annotated[int | None, strawberry.argument(description="Rows of the page, 1 to 100.")]
After = Annotated[Cursor | None, strawberry.argument(description="Continue behind this cursor.")]


def _input(description: str) -> object:
    return strawberry.argument(description=description)


def page_length(arguments: Arguments) -> int:
    """How many nodes the page may hold."""
    first: int | None = arguments.get("first")
    return min(max(1, DEFAULT_PAGE if first is None else first), LARGEST_PAGE)


async def resolve_watchlists(info: Ctx, first: First = DEFAULT_PAGE, after: After = None) -> WatchlistConnection:
    """The caller's own."""
    rows = await info.context.service(WatchlistDesk).all(info.context)
    page = page_of(rows, kind="watchlist", first=DEFAULT_PAGE if first is None else first, after=after)
    return WatchlistConnection(nodes=[Watchlist.of(row) for row in page.items], page_info=page.info)


async def resolve_create(
    info: Ctx, input: Annotated[WatchlistCreateInput, _input("What to make.")]
) -> WatchlistCreatePayload:
    """A new one."""
    change = Change(name=input.name, symbols=input.symbols or ())
    try:
        row = await info.context.service(WatchlistDesk).create(info.context, change)
    except Refused as refused:
        return WatchlistCreatePayload(user_errors=[refused.error(WatchlistCreateErrorCode)])
    return WatchlistCreatePayload(watchlist=Watchlist.of(row), user_errors=[])


async def resolve_update(
    info: Ctx, input: Annotated[WatchlistUpdateInput, _input("What to change.")]
) -> WatchlistUpdatePayload:
    """All of the change, or nothing."""
    change = Change(name=input.name, symbols=input.symbols, add=input.add or (), remove=input.remove or ())
    try:
        row = await info.context.service(WatchlistDesk).update(info.context, input.id, change)
    except Refused as refused:
        return WatchlistUpdatePayload(user_errors=[refused.error(WatchlistUpdateErrorCode)])
    return WatchlistUpdatePayload(watchlist=Watchlist.of(row), user_errors=[])


async def resolve_delete(
    info: Ctx, input: Annotated[WatchlistDeleteInput, _input("What to delete.")]
) -> WatchlistDeletePayload:
    """For good."""
    try:
        deleted = await info.context.service(WatchlistDesk).delete(info.context, input.id)
    except Refused as refused:
        return WatchlistDeletePayload(user_errors=[refused.error(WatchlistDeleteErrorCode)])
    return WatchlistDeletePayload(watchlist_id=strawberry.ID(deleted), user_errors=[])


async def find_watchlist(context: Context, id: str) -> Watchlist | None:
    """By its id, for `node`."""
    if not context.principal.may(Scope.WATCHLISTS_READ):
        return None
    row = await context.service(WatchlistDesk).find(context, id)
    return Watchlist.of(row) if row else None


@strawberry.type(description="Watchlists.")
class WatchlistQuery:
    """Root fields."""

    watchlists: WatchlistConnection = strawberry.field(
        resolver=resolve_watchlists,
        description="The caller's own watchlists in the organisation, the oldest first.",
        metadata=facts(times=page_length, needs=Scope.WATCHLISTS_READ),
    )


@strawberry.type(description="Changes of watchlists.")
class WatchlistMutation:
    """Root fields."""

    watchlist_create: WatchlistCreatePayload = strawberry.field(
        resolver=resolve_create,
        description="Make a watchlist; at most 100 with at most 200 symbols each.",
        metadata=facts(cost=2, needs=Scope.WATCHLISTS_WRITE),
    )
    watchlist_update: WatchlistUpdatePayload = strawberry.field(
        resolver=resolve_update,
        description="Change a watchlist's name or symbols.",
        metadata=facts(cost=2, needs=Scope.WATCHLISTS_WRITE),
    )
    watchlist_delete: WatchlistDeletePayload = strawberry.field(
        resolver=resolve_delete,
        description="Delete a watchlist.",
        metadata=facts(cost=2, needs=Scope.WATCHLISTS_WRITE),
    )
