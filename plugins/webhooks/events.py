"""Events about webhooks; none of them is delivered to the endpoint that it is about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Self

from schema.events import Event, event
from schema.model import described


@event("webhook.endpoint.disabled", "An endpoint was disabled, as its receiver does not take deliveries any more.")
class WebhookEndpointDisabled(Event):
    """One endpoint."""

    endpoint: str = described("The endpoint's id.")
    url: str = described("Where it sent to.")
    reason: str = described("Why, in words.")
    failing_since: datetime | None = described("When the first delivery failed since the last that did not.")

    @property
    def subject(self) -> str:
        """The endpoint."""
        return self.endpoint

    @classmethod
    def sample(cls) -> Self:
        """Five days without success."""
        return cls(
            endpoint="hook_0123456789abcdefghjk", url="https://example.com/hooks",
            reason="its deliveries have failed for five days", failing_since=datetime(2026, 11, 15, 12, tzinfo=UTC),
        )  # fmt: skip


@event("webhook.delivery.exhausted", "The last attempt of a delivery failed: it is tried no more by itself.")
class WebhookDeliveryExhausted(Event):
    """One delivery."""

    endpoint: str = described("The endpoint's id.")
    delivery: str = described("The delivery's id.")
    event: str = described("The id of the event that was not delivered.")
    event_type: str = described("Its type.")
    attempts: int = described("How many were made.")
    status: int | None = described("What the receiver answered last; null where it did not.")
    error: str | None = described("Why the last attempt failed, in words.")

    @property
    def subject(self) -> str:
        """The endpoint."""
        return self.endpoint

    @classmethod
    def sample(cls) -> Self:
        """A receiver that is down."""
        return cls(
            endpoint="hook_0123456789abcdefghjk", delivery="dlv_0123456789abcdefghjk",
            event="evt_0123456789abcdefghjk", event_type="apikey.created", attempts=12, status=503,
            error="it answered 503",
        )  # fmt: skip
