"""What webhooks tell of themselves. An event about an endpoint is delivered to the others, never to that one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Self

import strawberry

from schema.events import Event, event
from schema.model import described

_ENDPOINT = strawberry.ID("hook_0v7m4q2x9c5b8n3k1d6f")
_URL = "https://example.com/hooks/market"


@event("webhook.endpoint.disabled", "Nothing is sent to an endpoint any more; what waited for it was given up.")
class WebhookEndpointDisabled(Event):
    """By a person, or because it failed for too long."""

    endpoint_id: strawberry.ID = described("Which endpoint; `node(id:)` shows it.")
    url: str = described("Where it is.")
    reason: str = described("Why, in words.")
    failing_since: datetime | None = described(
        "When it first failed after its last success; null where that is not the reason.", default=None
    )

    @property
    def subject(self) -> str:
        """The endpoint."""
        return self.endpoint_id

    @classmethod
    def sample(cls) -> Self:
        """One that was down for days."""
        return cls(
            endpoint_id=_ENDPOINT, url=_URL, reason="It failed for five days.",
            failing_since=datetime(2026, 11, 15, 12, tzinfo=UTC),
        )  # fmt: skip


@event("webhook.delivery.exhausted", "The last attempt of a delivery failed: it is not tried again by itself.")
class WebhookDeliveryExhausted(Event):
    """`webhookDeliveryResend` sends it anew."""

    delivery_id: strawberry.ID = described("Which delivery: give it to `webhookDeliveryResend`.")
    endpoint_id: strawberry.ID = described("Which endpoint; `node(id:)` shows it.")
    undelivered_id: strawberry.ID = described("The event that was not delivered.")
    undelivered_type: str = described("Its type.")
    attempts: int = described("How often it was tried.")
    last_status: int | None = described("The last answer's status; null where there was none.", default=None)
    last_error: str | None = described("What went wrong last, in words.", default=None)

    @property
    def subject(self) -> str:
        """The endpoint."""
        return self.endpoint_id

    @classmethod
    def sample(cls) -> Self:
        """A receiver that was overloaded."""
        return cls(
            delivery_id=strawberry.ID("dlv_3k8w1r5t7y2p0s9d4f6g"), endpoint_id=_ENDPOINT,
            undelivered_id=strawberry.ID("evt_7h2j5n8b1v4c6x9z0q3w"), undelivered_type="apikey.created", attempts=12,
            last_status=503, last_error="it answered 503",
        )  # fmt: skip


@event("webhook.test", "Somebody wants to see whether an endpoint works. Nothing happened.")
class WebhookTest(Event):
    """Sent to the one endpoint that is tested; it stands in no log."""

    endpoint_id: strawberry.ID = described("Which endpoint is tested.")

    @property
    def subject(self) -> str:
        """The endpoint: no filter lets it through, it is sent there on purpose."""
        return self.endpoint_id

    @classmethod
    def sample(cls) -> Self:
        """Of any endpoint."""
        return cls(endpoint_id=_ENDPOINT)


EVENTS = (WebhookEndpointDisabled, WebhookDeliveryExhausted, WebhookTest)
