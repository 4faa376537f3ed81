"""Rows of the tables as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from gateway.core.store import new_id

ENABLED, DISABLED = "ENABLED", "DISABLED"
"""Statuses of endpoints."""
PENDING, RETRYING, SUCCEEDED, EXHAUSTED, DROPPED = "PENDING", "RETRYING", "SUCCEEDED", "EXHAUSTED", "DROPPED"
"""Statuses of deliveries. DROPPED: given up because its endpoint was disabled; sent anew only when asked for."""
TEST = "test"
"""The kind of ids of events that never happened."""
HMAC, ED25519 = "hmac", "ed25519"
"""How an endpoint's deliveries are signed; with ED25519 there are both signatures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRow:
    """`webhooks_endpoints`; what is encrypted is never shown."""

    tenant_id: str
    id: str
    url: str
    description: str | None
    owner: str
    event_types: list[str]
    channels: list[str]
    header_names: list[str]
    headers: str = field(repr=False)
    rate_per_second: int | None
    status: str
    disabled_reason: str | None
    disabled_at: datetime | None
    failing_since: datetime | None
    failed_at: datetime | None = None
    allowed_at: datetime | None = None
    secret: str = field(repr=False)
    previous_secret: str | None = field(repr=False)
    previous_until: datetime | None
    signing: str
    signing_key: str | None = field(repr=False)
    public_key: str | None
    pins: dict[str, int]
    root: str | None
    idempotency_key: str | None
    request_digest: str | None = field(repr=False)
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """`webhooks_deliveries`."""

    tenant_id: str
    id: str
    endpoint_id: str
    event_id: str
    event_type: str
    status: str
    attempts: int
    earlier_attempts: int
    due_at: datetime | None
    leased_until: datetime | None
    created_at: datetime
    settled_at: datetime | None
    last_status: int | None
    last_error: str | None


def due_now(endpoint: EndpointRow, event_id: str, event_type: str, now: datetime) -> DeliveryRow:
    """A delivery that nobody has tried yet."""
    return DeliveryRow(
        tenant_id=endpoint.tenant_id, id=new_id("dlv"), endpoint_id=endpoint.id, event_id=event_id,
        event_type=event_type, status=PENDING, attempts=0, earlier_attempts=0, due_at=now, leased_until=None,
        created_at=now, settled_at=None, last_status=None, last_error=None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """`webhooks_attempts`."""

    tenant_id: str
    delivery_id: str
    number: int
    at: datetime
    url: str | None
    response_status: int | None
    latency_ms: int | None
    error: str | None
    excerpt: str | None
