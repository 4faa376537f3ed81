"""The questions about keys."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.core.contract import Context, Ctx
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.keys.types import ApiKey, ApiKeyConnection
from schema.facts import facts
from schema.names import could_be_id
from schema.pages import cut, page_length, page_size, position_of
from schema.paging import DEFAULT_PAGE
from schema.scalars import Cursor
from schema.scopes import Scope

KIND = "key"


async def resolve_api_keys(
    info: Ctx,
    first: Annotated[int | None, strawberry.argument(description="How many, 1 to 100.")] = DEFAULT_PAGE,
    after: Annotated[Cursor | None, strawberry.argument(description="`pageInfo.endCursor` of a page.")] = None,
) -> ApiKeyConnection:
    """A page of the organisation's keys."""
    context = info.context
    size, position = page_size(first), position_of(KIND, after)
    async with context.host.store.read() as tx:
        rows = await context.service(KeyDesk).keys.page(tx, context.tenant, position, size + 1)
    shown, page = cut(rows, kind=KIND, size=size, after=after, position=lambda row: (row.created_at, row.id))
    now = context.host.clock.now()
    return ApiKeyConnection(nodes=[ApiKey.of(row, now) for row in shown], page_info=page)


async def find_key(context: Context, id: str) -> ApiKey | None:
    """For `node(id:)`, whose own scope does not cover keys: who may not list them finds none."""
    if not context.principal.may(Scope.KEYS_READ) or not could_be_id(id):
        return None
    async with context.host.store.read() as tx:
        row = await context.service(KeyDesk).keys.find(tx, context.tenant, id)
    return None if row is None else ApiKey.of(row, context.host.clock.now())


@strawberry.type
class KeyQuery:
    """Root fields."""

    api_keys: ApiKeyConnection = strawberry.field(
        resolver=resolve_api_keys,
        description="The organisation's API keys in the order of making, also those that ended; never their secrets.",
        metadata=facts(times=page_length, needs=Scope.KEYS_READ),
    )
