"""GraphQL types of webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self, cast

import strawberry

from gateway.core.contract import Context, Ctx
from plugins.webhooks.lots import Lot
from plugins.webhooks.rows import AttemptRow, DeliveryRow, EndpointRow
from plugins.webhooks.store import DeliveryStore
from schema.events import EventFace
from schema.facts import facts
from schema.model import choices, computed, described, model
from schema.pages import Position, cut, page_length, page_size, position_of
from schema.paging import PageInfo
from schema.scalars import Cursor
from schema.words.instruments import Node

KIND = "delivery"

First = Annotated[int | None, strawberry.argument(description="Rows of the page, 1 to 100.")]
After = Annotated[Cursor | None, strawberry.argument(description="Continue behind this cursor.")]


@choices("Whether an endpoint is sent to.", ENABLED="It is.", DISABLED="It is not, until it is enabled.")
class EndpointStatus(StrEnum):
    """`disabledReason` says why not."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


@choices(
    "How deliveries to an endpoint are signed.",
    HMAC="`v1`: HMAC-SHA256 with the endpoint's secret.",
    ED25519="That, and `v1a`: ed25519, which the endpoint's `publicKey` verifies.",
)
class WebhookSigning(StrEnum):
    """With a public key a receiver holds nothing that could sign."""

    HMAC = "HMAC"
    ED25519 = "ED25519"


@choices(
    "What became of a delivery.",
    PENDING="It is sent as soon as the endpoint's slots and rate allow.",
    SUCCEEDED="The receiver answered 2xx.",
    RETRYING="An attempt failed; there will be another.",
    EXHAUSTED="The last attempt failed.",
    DROPPED="The endpoint was disabled while it waited.",
)
class DeliveryStatus(StrEnum):
    """EXHAUSTED and DROPPED are sent anew on request."""

    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    RETRYING = "RETRYING"
    EXHAUSTED = "EXHAUSTED"
    DROPPED = "DROPPED"


Status = Annotated[DeliveryStatus | None, strawberry.argument(description="Only deliveries of which this became.")]


@model("One try to deliver an event.")
class DeliveryAttempt:
    """A line of the log; lines are kept for 30 days."""

    at: datetime = described("When it began.")
    url: str | None = described("Where it went; null for attempts of before this was kept.", default=None)
    response_status: int | None = described("The receiver's HTTP status; null where there was no answer.", default=None)
    latency_ms: int | None = described("Milliseconds until the status, or until there was no hope.", default=None)
    error: str | None = described("Why it failed, in words; null where it did not.", default=None)
    response_excerpt: str | None = described("The beginning of the receiver's answer.", default=None)

    @classmethod
    def of(cls, row: AttemptRow) -> Self:
        """From a row."""
        return cls(
            at=row.at, url=row.url, response_status=row.response_status, latency_ms=row.latency_ms, error=row.error,
            response_excerpt=row.excerpt,
        )  # fmt: skip


async def resolve_event(root: Delivery) -> EventFace | None:
    """One read for the page."""
    return cast("EventFace | None", await root.lot.event(root.event_id))


async def resolve_attempts(root: Delivery) -> list[DeliveryAttempt]:
    """One read for the page."""
    return [DeliveryAttempt.of(row) for row in await root.lot.attempts(root.id)]


@model("An event on its way to an endpoint.", implements=(Node,))
class Delivery:
    """Its event's id is the `webhook-id` of all attempts."""

    id: strawberry.ID = described("Give it to `webhookDeliveryResend`.")
    event_id: strawberry.ID = described("The event's id, which receivers get as `webhook-id`.")
    event_type: str = described("The event's type.")
    status: DeliveryStatus = described("What became of it.")
    created_at: datetime = described("When it was written down.")
    next_attempt_at: datetime | None = described("When it is tried next; null once it is settled.", default=None)
    settled_at: datetime | None = described("When it was settled; null before.", default=None)
    event = computed(resolve_event, "The event; null once it is older than events are kept for.")
    attempts = computed(resolve_attempts, "Every attempt, in order.")
    lot: strawberry.Private[Lot]

    @classmethod
    def of(cls, row: DeliveryRow, lot: Lot) -> Self:
        """From a row."""
        return cls(
            id=strawberry.ID(row.id), event_id=strawberry.ID(row.event_id), event_type=row.event_type,
            status=DeliveryStatus(row.status), created_at=row.created_at, next_attempt_at=row.due_at,
            settled_at=row.settled_at, lot=lot,
        )  # fmt: skip


def delivered(context: Context, rows: Sequence[DeliveryRow]) -> list[Delivery]:
    """Some deliveries of one read."""
    lot = Lot(context, rows)
    return [Delivery.of(row, lot) for row in rows]


@model("A page of deliveries.")
class DeliveryConnection:
    """The newest first."""

    nodes: list[Delivery] = described("The deliveries.")
    page_info: PageInfo = described("Where this page stands.")


async def resolve_deliveries(
    root: WebhookEndpoint, info: Ctx, status: Status = None, first: First = 20, after: After = None
) -> DeliveryConnection:
    """The newest first."""
    context, size, behind = info.context, page_size(first), position_of(KIND, after)
    wanted = None if status is None else status.value
    async with context.host.store.read() as tx:
        rows = await DeliveryStore().page(tx, context.tenant, root.id, size + 1, status=wanted, behind=behind)
    shown, page = cut(rows, kind=KIND, size=size, after=after, position=_place)
    return DeliveryConnection(nodes=delivered(context, shown), page_info=page)


def _place(row: DeliveryRow) -> Position:
    return row.created_at, row.id


@model("Where events are delivered to.", implements=(Node,))
class WebhookEndpoint:
    """Secrets and values of headers are never shown again."""

    id: strawberry.ID = described("Give it to `node(id:)`.")
    url: str = described("Where it is.")
    description: str | None = described("What its owner says of it.", default=None)
    event_types: list[str] = described("Which events: types, families such as `price.alert.*`, or `*`.")
    channels: list[str] = described("What the events are about; none means everything but events of the markets.")
    headers: list[str] = described("Names of the headers that are sent along; their values are never shown.")
    rate_per_second: int | None = described("The most deliveries a second; null without a limit.", default=None)
    status: EndpointStatus = described("Whether it is sent to.")
    disabled_reason: str | None = described("Why it is not, in words.", default=None)
    disabled_at: datetime | None = described("Since when it is not.", default=None)
    failing_since: datetime | None = described("When it first failed after its last success.", default=None)
    owner: str = described("Who made it: the id of a person or of a key.")
    created_at: datetime = described("When it was made.")
    changed_at: datetime = described("When it was last changed.")
    signing: WebhookSigning = described("How its deliveries are signed.")
    public_key: str | None = described("`whpk_…`, which verifies `v1a` signatures; null with HMAC.", default=None)
    previous_secret_until: datetime | None = described(
        "Until when the secret before the present one signs too; null without one.", default=None
    )
    deliveries = computed(
        resolve_deliveries, "What was sent there, and what will be, the newest first.",
        metadata=facts(cost=1, times=page_length),
    )  # fmt: skip

    @classmethod
    def of(cls, row: EndpointRow, now: datetime) -> Self:
        """From a row."""
        overlapping = row.previous_until is not None and row.previous_until > now
        return cls(
            id=strawberry.ID(row.id), url=row.url, description=row.description, event_types=row.event_types,
            channels=row.channels, headers=row.header_names, rate_per_second=row.rate_per_second,
            status=EndpointStatus(row.status), disabled_reason=row.disabled_reason, disabled_at=row.disabled_at,
            failing_since=row.failing_since, owner=row.owner, created_at=row.created_at, changed_at=row.changed_at,
            signing=WebhookSigning(row.signing.upper()), public_key=row.public_key,
            previous_secret_until=row.previous_until if overlapping else None,
        )  # fmt: skip


@model("A page of endpoints.")
class WebhookEndpointConnection:
    """The oldest first."""

    nodes: list[WebhookEndpoint] = described("The endpoints.")
    page_info: PageInfo = described("Where this page stands.")
