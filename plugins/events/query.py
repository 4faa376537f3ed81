"""The catalogue, and the log by pages."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, cast

import strawberry

from gateway.core.contract import Context, Ctx
from gateway.core.ports import Entry, EventPrinter, Outbox
from plugins.events.types import EventConnection, EventEdge, EventTypeInfo
from schema.arguments import says
from schema.errors import BadInput
from schema.eventfilters import BadFilter, expanded
from schema.events import Event, EventFace, delivery_text
from schema.facts import Arguments, facts
from schema.paging import LARGEST_PAGE, NO_CURSOR, PageInfo, check_page_size, make_cursor, read_cursor
from schema.scalars import Cursor
from schema.scopes import Scope

DEFAULT_PAGE = 50
KIND = "events"
SAMPLED_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
_DIGITS = 18

Types = Annotated[
    list[str] | None, says("Only these types: names, `price.alert.*`, or `*`; by default all. See `eventTypes`.")
]
First = Annotated[int | None, says("Rows of the page, 1 to 100.")]
After = Annotated[
    Cursor | None, says("Continue behind this cursor: of a page, or of a message of the subscription `events`.")
]


def page_length(arguments: Arguments) -> int:
    """How many nodes the page may hold."""
    first: int | None = arguments.get("first")
    return min(max(1, DEFAULT_PAGE if first is None else first), LARGEST_PAGE)


def cursor_of(position: int) -> Cursor:
    """The cursor behind a position of the caller's log."""
    return make_cursor(KIND, str(position))


def position_in(cursor: Cursor, newest: int, problem: str = NO_CURSOR) -> int:
    """BadInput for a cursor that is none of this log."""
    text = read_cursor(KIND, cursor, problem=problem)
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS or int(text) > newest:
        raise BadInput("after", problem)
    return int(text)


def delivery_of(entry: Entry) -> str:
    """What an endpoint gets of it."""
    return delivery_text(entry.event.name, entry.event.occurred_at, entry.data)


def wanted_types(context: Context, types: list[str] | None) -> frozenset[str] | None:
    """The names that the patterns match; None for all. BadInput names the pattern."""
    if types is None:
        return None
    if not types:
        raise BadInput("types", "is empty: leave it out for all types")
    try:
        return expanded(types, context.service(Outbox).catalog)
    except BadFilter as bad:
        raise BadInput(f"types.{bad.index}", str(bad)) from None


async def resolve_events(
    info: Ctx, types: Types = None, first: First = DEFAULT_PAGE, after: After = None
) -> EventConnection:
    """What a receiver missed."""
    outbox, tenant = info.context.service(Outbox), info.context.tenant
    names, length = wanted_types(info.context, types), DEFAULT_PAGE if first is None else first
    check_page_size(length)
    oldest, newest = await outbox.bounds(tenant)
    start = oldest if after is None else position_in(after, newest)
    found = await outbox.entries(tenant, after=start, types=names, limit=length + 1)
    return _page(found, length, has_previous=start > oldest)


def _page(found: list[Entry], length: int, *, has_previous: bool) -> EventConnection:
    edges = [
        EventEdge(
            node=cast(EventFace, each.event), cursor=cursor_of(each.position), delivery=delivery_of(each)
        )
        for each in found[:length]
    ]  # fmt: skip
    info = PageInfo(
        has_next_page=len(found) > length, has_previous_page=has_previous,
        start_cursor=edges[0].cursor if edges else None, end_cursor=edges[-1].cursor if edges else None,
    )  # fmt: skip
    return EventConnection(nodes=[edge.node for edge in edges], edges=edges, page_info=info)


async def resolve_types(info: Ctx) -> list[EventTypeInfo]:
    """Every type, by name."""
    printer, catalog = info.context.service(EventPrinter), info.context.service(Outbox).catalog
    return [await described_type(printer, catalog[name]) for name in sorted(catalog)]


async def described_type(printer: EventPrinter, kind: type[Event]) -> EventTypeInfo:
    """One line of the catalogue."""
    sample = replace(kind.sample(), id=strawberry.ID("evt_sample"), occurred_at=SAMPLED_AT, sequence="1")
    return EventTypeInfo(
        name=kind.name, version=kind.version, description=kind.about, market_wide=kind.market,
        graphql_type=kind.__name__, json_schema=json.dumps(printer.json_schema(kind)),
        sample=json.dumps(await printer.printed(sample)),
    )  # fmt: skip


@strawberry.type(description="Events.")
class EventQuery:
    """Root fields."""

    events: EventConnection = strawberry.field(
        resolver=resolve_events,
        description="The organisation's events of the last 30 days, the oldest first: what a receiver of webhooks that "
        "was down has missed, with the same ids.",
        metadata=facts(times=page_length, needs=Scope.WEBHOOKS_READ),
    )
    event_types: list[EventTypeInfo] = strawberry.field(
        resolver=resolve_types,
        description="The catalogue: every type of event, with JSON Schema and sample.",
        metadata=facts(cost=10),
    )
