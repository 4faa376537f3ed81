"""Reading endpoints and deliveries."""

from __future__ import annotations

import strawberry

from gateway.core.contract import Context, Ctx
from plugins.webhooks.desk import EndpointDesk
from plugins.webhooks.rows import EndpointRow
from plugins.webhooks.store import DeliveryStore
from plugins.webhooks.types import After, Delivery, First, WebhookEndpoint, WebhookEndpointConnection, delivered
from schema.facts import facts
from schema.pages import Position, cut, page_length, page_size, position_of
from schema.scopes import Scope

KIND = "webhook"


async def resolve_endpoints(info: Ctx, first: First = 20, after: After = None) -> WebhookEndpointConnection:
    """The organisation's."""
    context, size, behind = info.context, page_size(first), position_of(KIND, after)
    rows = await context.service(EndpointDesk).page(context, size + 1, behind=behind)
    shown, page = cut(rows, kind=KIND, size=size, after=after, position=_place)
    now = context.host.clock.now()
    return WebhookEndpointConnection(nodes=[WebhookEndpoint.of(row, now) for row in shown], page_info=page)


def _place(row: EndpointRow) -> Position:
    return row.created_at, row.id


async def find_endpoint(context: Context, id: str) -> WebhookEndpoint | None:
    """By its id, for `node`."""
    if not context.principal.may(Scope.WEBHOOKS_READ):
        return None
    row = await context.service(EndpointDesk).find(context, id)
    return WebhookEndpoint.of(row, context.host.clock.now()) if row else None


async def find_delivery(context: Context, id: str) -> Delivery | None:
    """By its id, for `node`."""
    if not context.principal.may(Scope.WEBHOOKS_READ):
        return None
    async with context.host.store.read() as tx:
        row = await DeliveryStore().find(tx, context.tenant, id)
    return delivered(context, [row])[0] if row else None


@strawberry.type(description="Webhooks.")
class WebhookQuery:
    """Root fields."""

    webhook_endpoints: WebhookEndpointConnection = strawberry.field(
        resolver=resolve_endpoints,
        description="The organisation's endpoints, the oldest first.",
        metadata=facts(times=page_length, needs=Scope.WEBHOOKS_READ),
    )
