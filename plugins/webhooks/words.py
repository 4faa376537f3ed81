"""Inputs and payloads of the mutations of webhooks."""

from __future__ import annotations

from datetime import datetime

import strawberry

from plugins.webhooks.refusals import (
    WebhookDeliveryResendErrorCode,
    WebhookEndpointCreateErrorCode,
    WebhookEndpointDeleteErrorCode,
    WebhookEndpointDisableErrorCode,
    WebhookEndpointEnableErrorCode,
    WebhookEndpointRecoverErrorCode,
    WebhookEndpointReplayErrorCode,
    WebhookEndpointRotateSecretErrorCode,
    WebhookEndpointTestErrorCode,
    WebhookEndpointUpdateErrorCode,
)
from plugins.webhooks.rules import FASTEST, LONGEST_OVERLAP, MOST_HEADERS
from plugins.webhooks.types import Delivery, WebhookEndpoint, WebhookSigning
from schema.model import described, model
from schema.words.problems import UserError

ERRORS = "Why nothing happened; empty where it did."
ID = "The endpoint's id."
_URL = "Where events are posted to: https, on the public internet."
_TYPES = "Which events: types of the catalogue, families such as `price.alert.*`, or `*` for all."
_CHANNELS = (
    "Only events about these: symbols (`crypto:BTC/USD`), with an interval for candles (`crypto:BTC/USD#M1`), ids of "
    "providers, alerts and the like. Events of the markets are sent only where a channel names them."
)
_HEADERS = f"Sent along with every delivery, at most {MOST_HEADERS} with 8 kB in all. Their values are never shown."
_RATE = f"The most deliveries a second, 1 to {FASTEST}; without one there is no limit of its own."
_DESCRIPTION = "Up to 200 characters."
_OWN = "A secret of your own: `whsec_` and 24 to 64 bytes in base64. Without one it is made."


@strawberry.input(description="A header that is sent along.")
class WebhookHeaderInput:
    """Never one that says how the message is sent, or of Standard Webhooks."""

    name: str = strawberry.field(description="Its name.")
    value: str = strawberry.field(description="Its value: printable ASCII.")


@strawberry.input(description="A new endpoint.")
class WebhookEndpointCreateInput:
    """Of the organisation."""

    url: str = strawberry.field(description=_URL)
    event_types: list[str] = strawberry.field(description=_TYPES)
    description: str | None = strawberry.field(description=_DESCRIPTION, default=None)
    channels: list[str] | None = strawberry.field(description=_CHANNELS, default=None)
    headers: list[WebhookHeaderInput] | None = strawberry.field(description=_HEADERS, default=None)
    rate_per_second: int | None = strawberry.field(description=_RATE, default=None)
    secret: str | None = strawberry.field(description=_OWN, default=None)
    signing: WebhookSigning = strawberry.field(
        description="How deliveries are signed.", default=WebhookSigning.HMAC
    )  # fmt: skip
    idempotency_key: str | None = strawberry.field(
        description="The same key with the same input makes no second endpoint, and shows no secret again.",
        default=None,
    )


@strawberry.input(description="Changes of an endpoint; what is left out stays.")
class WebhookEndpointUpdateInput:
    """All of them, or none."""

    id: strawberry.ID = strawberry.field(description=ID)
    url: str | None = strawberry.field(description=_URL, default=strawberry.UNSET)
    event_types: list[str] | None = strawberry.field(description=_TYPES, default=strawberry.UNSET)
    description: str | None = strawberry.field(description=f"{_DESCRIPTION} Null removes it.", default=strawberry.UNSET)
    channels: list[str] | None = strawberry.field(
        description=f"{_CHANNELS} Null removes them all.", default=strawberry.UNSET
    )
    headers: list[WebhookHeaderInput] | None = strawberry.field(
        description=f"All of them anew. {_HEADERS} Null removes them all.", default=strawberry.UNSET
    )
    rate_per_second: int | None = strawberry.field(description=f"{_RATE} Null removes it.", default=strawberry.UNSET)
    signing: WebhookSigning | None = strawberry.field(
        description="How deliveries are signed; ED25519 makes a new key where it was not before.",
        default=strawberry.UNSET,
    )


@strawberry.input(description="Which endpoint to delete.")
class WebhookEndpointDeleteInput:
    """With its deliveries."""

    id: strawberry.ID = strawberry.field(description=ID)


@strawberry.input(description="Which endpoint to enable.")
class WebhookEndpointEnableInput:
    """What it missed is not sent by itself: `webhookEndpointReplay` does."""

    id: strawberry.ID = strawberry.field(description=ID)


@strawberry.input(description="Which endpoint to disable.")
class WebhookEndpointDisableInput:
    """What waits for it is given up."""

    id: strawberry.ID = strawberry.field(description=ID)


@strawberry.input(description="Which endpoint gets another secret.")
class WebhookEndpointRotateSecretInput:
    """Until the overlap ends, deliveries carry a signature of each."""

    id: strawberry.ID = strawberry.field(description=ID)
    overlap_hours: int = strawberry.field(
        description=f"For how long the present secret signs too, 0 to {LONGEST_OVERLAP} hours.", default=24
    )
    secret: str | None = strawberry.field(description=_OWN, default=None)


@strawberry.input(description="Which endpoint to test.")
class WebhookEndpointTestInput:
    """What is sent has an id that begins with `test_`, and the mode SIMULATED."""

    id: strawberry.ID = strawberry.field(description=ID)
    event_type: str | None = strawberry.field(
        description="A type of the catalogue, whose sample is sent; without one it is `webhook.test`.", default=None
    )


@strawberry.input(description="Which delivery to send anew.")
class WebhookDeliveryResendInput:
    """The same event under the same id, with a fresh timestamp."""

    id: strawberry.ID = strawberry.field(description="The delivery's id.")


@strawberry.input(description="From when on to send anew what was given up.")
class WebhookEndpointRecoverInput:
    """Each delivery has the whole schedule before it again."""

    id: strawberry.ID = strawberry.field(description=ID)
    since: datetime = strawberry.field(description="Deliveries made from this instant on.")


@model("What came of `webhookEndpointCreate`.")
class WebhookEndpointCreatePayload:
    """The endpoint, or why there is none."""

    webhook_endpoint: WebhookEndpoint | None = described("The new endpoint.", default=None)
    secret: str | None = described(
        "The secret, shown this once; null where `idempotencyKey` names an earlier request.", default=None
    )
    user_errors: list[UserError[WebhookEndpointCreateErrorCode]] = described(ERRORS)


@model("What came of `webhookEndpointUpdate`.")
class WebhookEndpointUpdatePayload:
    """All of the change was made, or nothing."""

    webhook_endpoint: WebhookEndpoint | None = described("The endpoint as it is now.", default=None)
    user_errors: list[UserError[WebhookEndpointUpdateErrorCode]] = described(ERRORS)


@model("What came of `webhookEndpointDelete`.")
class WebhookEndpointDeletePayload:
    """It is gone for good."""

    webhook_endpoint_id: strawberry.ID | None = described("What was deleted.", default=None)
    user_errors: list[UserError[WebhookEndpointDeleteErrorCode]] = described(ERRORS)


@model("What came of `webhookEndpointEnable`.")
class WebhookEndpointEnablePayload:
    """It is sent to from now on."""

    webhook_endpoint: WebhookEndpoint | None = described("The endpoint as it is now.", default=None)
    user_errors: list[UserError[WebhookEndpointEnableErrorCode]] = described(ERRORS)


@model("What came of `webhookEndpointDisable`.")
class WebhookEndpointDisablePayload:
    """Nothing is sent there any more."""

    webhook_endpoint: WebhookEndpoint | None = described("The endpoint as it is now.", default=None)
    user_errors: list[UserError[WebhookEndpointDisableErrorCode]] = described(ERRORS)


@model("What came of `webhookEndpointRotateSecret`.")
class WebhookEndpointRotateSecretPayload:
    """The next delivery is signed with the new secret."""

    webhook_endpoint: WebhookEndpoint | None = described("The endpoint as it is now.", default=None)
    secret: str | None = described("The new secret, shown this once.", default=None)
    user_errors: list[UserError[WebhookEndpointRotateSecretErrorCode]] = described(ERRORS)


@model("What came of `webhookEndpointTest`.")
class WebhookEndpointTestPayload:
    """It is sent soon: look at the delivery again."""

    delivery: Delivery | None = described("The delivery of the test.", default=None)
    user_errors: list[UserError[WebhookEndpointTestErrorCode]] = described(ERRORS)


@model("What came of `webhookDeliveryResend`.")
class WebhookDeliveryResendPayload:
    """It is sent soon: look at the delivery again."""

    delivery: Delivery | None = described("The delivery as it is now.", default=None)
    user_errors: list[UserError[WebhookDeliveryResendErrorCode]] = described(ERRORS)


@model("What came of `webhookEndpointRecover`.")
class WebhookEndpointRecoverPayload:
    """They are sent as fast as the endpoint takes them."""

    queued: int | None = described("How many deliveries are sent anew.", default=None)
    user_errors: list[UserError[WebhookEndpointRecoverErrorCode]] = described(ERRORS)


@model("What came of `webhookEndpointReplay`.")
class WebhookEndpointReplayPayload:
    """They are sent as fast as the endpoint takes them."""

    queued: int | None = described("How many deliveries are sent, anew or for the first time.", default=None)
    user_errors: list[UserError[WebhookEndpointReplayErrorCode]] = described(ERRORS)
