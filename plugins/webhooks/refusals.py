"""The codes of refused mutations, an enumeration for each."""

from __future__ import annotations

from enum import StrEnum

from schema.refusals import refusals

URL_INVALID = "It is no address that can be sent to: its spelling, its scheme or its port."
URL_NOT_ALLOWED = "It leads elsewhere than to the public internet."
URL_UNREACHABLE = "Its host name cannot be resolved."
EVENT_TYPES_MISSING = "No event type was given."
EVENT_TYPE_UNKNOWN = "There is no such event type."
FILTER_INVALID = "It is no filter of event types, or there are too many."
CHANNEL_INVALID = "It is no channel, or there are too many."
HEADER_INVALID = "A header cannot be sent, is the gateway's to set, or there are too many or too long ones."
DESCRIPTION_INVALID = "The description is too long or has characters that it may not have."
RATE_INVALID = "The rate is out of range."
SECRET_INVALID = "The secret is too short, too long or no secret at all."  # noqa: S105 - the words of a refusal
IDEMPOTENCY_KEY_INVALID = "The idempotency key is empty, too long or has characters that it may not have."
TOO_MANY_ENDPOINTS = "The organisation has as many endpoints as its plan allows."
OVERLAP_INVALID = "The time that both secrets sign is out of range."
ENDPOINT_DISABLED = "Nothing is sent to the endpoint: enable it first."
NO_SAMPLE = "The event type has no sample."
EVENT_GONE = "The event is not kept any more."
WINDOW_INVALID = "The window of time is empty."


@refusals(
    "Why no endpoint was made.",
    URL_INVALID=URL_INVALID, URL_NOT_ALLOWED=URL_NOT_ALLOWED, URL_UNREACHABLE=URL_UNREACHABLE,
    EVENT_TYPES_MISSING=EVENT_TYPES_MISSING, EVENT_TYPE_UNKNOWN=EVENT_TYPE_UNKNOWN, FILTER_INVALID=FILTER_INVALID,
    CHANNEL_INVALID=CHANNEL_INVALID, HEADER_INVALID=HEADER_INVALID, DESCRIPTION_INVALID=DESCRIPTION_INVALID,
    RATE_INVALID=RATE_INVALID, SECRET_INVALID=SECRET_INVALID, IDEMPOTENCY_KEY_INVALID=IDEMPOTENCY_KEY_INVALID,
    TOO_MANY_ENDPOINTS=TOO_MANY_ENDPOINTS,
)  # fmt: skip
class WebhookEndpointCreateErrorCode(StrEnum):
    """Expected refusals."""

    URL_INVALID = "URL_INVALID"
    URL_NOT_ALLOWED = "URL_NOT_ALLOWED"
    URL_UNREACHABLE = "URL_UNREACHABLE"
    EVENT_TYPES_MISSING = "EVENT_TYPES_MISSING"
    EVENT_TYPE_UNKNOWN = "EVENT_TYPE_UNKNOWN"
    FILTER_INVALID = "FILTER_INVALID"
    CHANNEL_INVALID = "CHANNEL_INVALID"
    HEADER_INVALID = "HEADER_INVALID"
    DESCRIPTION_INVALID = "DESCRIPTION_INVALID"
    RATE_INVALID = "RATE_INVALID"
    SECRET_INVALID = "SECRET_INVALID"  # noqa: S105 - the name of a refusal
    IDEMPOTENCY_KEY_INVALID = "IDEMPOTENCY_KEY_INVALID"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    TOO_MANY_ENDPOINTS = "TOO_MANY_ENDPOINTS"


@refusals(
    "Why the endpoint was not changed.",
    URL_INVALID=URL_INVALID, URL_NOT_ALLOWED=URL_NOT_ALLOWED, URL_UNREACHABLE=URL_UNREACHABLE,
    EVENT_TYPES_MISSING=EVENT_TYPES_MISSING, EVENT_TYPE_UNKNOWN=EVENT_TYPE_UNKNOWN, FILTER_INVALID=FILTER_INVALID,
    CHANNEL_INVALID=CHANNEL_INVALID, HEADER_INVALID=HEADER_INVALID, DESCRIPTION_INVALID=DESCRIPTION_INVALID,
    RATE_INVALID=RATE_INVALID,
)  # fmt: skip
class WebhookEndpointUpdateErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    URL_INVALID = "URL_INVALID"
    URL_NOT_ALLOWED = "URL_NOT_ALLOWED"
    URL_UNREACHABLE = "URL_UNREACHABLE"
    EVENT_TYPES_MISSING = "EVENT_TYPES_MISSING"
    EVENT_TYPE_UNKNOWN = "EVENT_TYPE_UNKNOWN"
    FILTER_INVALID = "FILTER_INVALID"
    CHANNEL_INVALID = "CHANNEL_INVALID"
    HEADER_INVALID = "HEADER_INVALID"
    DESCRIPTION_INVALID = "DESCRIPTION_INVALID"
    RATE_INVALID = "RATE_INVALID"


@refusals("Why the endpoint was not deleted.")
class WebhookEndpointDeleteErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"


@refusals("Why the endpoint was not enabled.")
class WebhookEndpointEnableErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"


@refusals("Why the endpoint was not disabled.")
class WebhookEndpointDisableErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"


@refusals("Why the endpoint has no new secret.", OVERLAP_INVALID=OVERLAP_INVALID, SECRET_INVALID=SECRET_INVALID)
class WebhookEndpointRotateSecretErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    OVERLAP_INVALID = "OVERLAP_INVALID"
    SECRET_INVALID = "SECRET_INVALID"  # noqa: S105 - the name of a refusal


@refusals(
    "Why no test is sent.",
    ENDPOINT_DISABLED=ENDPOINT_DISABLED, EVENT_TYPE_UNKNOWN=EVENT_TYPE_UNKNOWN, NO_SAMPLE=NO_SAMPLE,
)  # fmt: skip
class WebhookEndpointTestErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    ENDPOINT_DISABLED = "ENDPOINT_DISABLED"
    EVENT_TYPE_UNKNOWN = "EVENT_TYPE_UNKNOWN"
    NO_SAMPLE = "NO_SAMPLE"


@refusals(
    "Why the delivery is not sent anew.", ENDPOINT_DISABLED=ENDPOINT_DISABLED, EVENT_GONE=EVENT_GONE
)  # fmt: skip
class WebhookDeliveryResendErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    ENDPOINT_DISABLED = "ENDPOINT_DISABLED"
    EVENT_GONE = "EVENT_GONE"


@refusals(
    "Why nothing is sent anew.", ENDPOINT_DISABLED=ENDPOINT_DISABLED, WINDOW_INVALID=WINDOW_INVALID
)  # fmt: skip
class WebhookEndpointRecoverErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    ENDPOINT_DISABLED = "ENDPOINT_DISABLED"
    WINDOW_INVALID = "WINDOW_INVALID"


@refusals(
    "Why nothing is replayed.", ENDPOINT_DISABLED=ENDPOINT_DISABLED, WINDOW_INVALID=WINDOW_INVALID
)  # fmt: skip
class WebhookEndpointReplayErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    ENDPOINT_DISABLED = "ENDPOINT_DISABLED"
    WINDOW_INVALID = "WINDOW_INVALID"
