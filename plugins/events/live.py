"""The log as it grows."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, cast

import strawberry

from gateway.core.contract import Ctx
from gateway.core.ports import Entry, Outbox
from plugins.events.query import Types, cursor_of, delivery_of, position_in, wanted_types
from plugins.events.types import EventUpdate
from schema.arguments import says
from schema.events import EventFace
from schema.facts import facts
from schema.paging import NO_PLACE
from schema.scalars import Cursor
from schema.scopes import Scope
from schema.words.live import NoticeCode, StreamNotice

Resume = Annotated[
    Cursor | None, says("The `cursor` of the last message, or of a page of `events`: go on behind it. Default: now.")
]


async def resolve_events(info: Ctx, types: Types = None, after: Resume = None) -> AsyncGenerator[EventUpdate, None]:
    """Each event once, in the order of the log."""
    context, outbox, tenant = info.context, info.context.service(Outbox), info.context.tenant
    names = wanted_types(context, types)
    oldest, newest = await outbox.bounds(tenant)
    cursor = after or context.market.after
    start = newest if cursor is None else position_in(Cursor(cursor), newest, NO_PLACE)
    notices = []
    if start < oldest:
        told = f"{oldest - start} events behind this cursor are older than 30 days and are not kept any more"
        notices.append(StreamNotice(code=NoticeCode.GAP, message=told, at=context.now))
        start = oldest
    context.market.endless()
    yield EventUpdate(cursor=cursor_of(start), notices=notices)
    async with aclosing(outbox.follow(tenant, after=start, types=names)) as pages:
        async for page in pages:
            for entry in page:
                yield _update(entry)


def _update(entry: Entry) -> EventUpdate:
    return EventUpdate(
        cursor=cursor_of(entry.position), event=cast(EventFace, entry.event), delivery=delivery_of(entry), notices=[]
    )  # fmt: skip


@strawberry.type
class EventSubscription:
    """The organisation's own events."""

    events = strawberry.subscription(
        resolver=resolve_events,
        description="The organisation's events as they happen: none missing, none twice. Without `after` from now on; "
        "with the cursor of the last message from behind it, 30 days back.",
        metadata=facts(cost=1, needs=Scope.WEBHOOKS_READ),
    )
