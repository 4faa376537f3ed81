"""Inputs, payloads and refusals of the mutations of keys."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import strawberry

from plugins.accounts.keys.types import ApiKey
from schema.model import described, model
from schema.refusals import refusals
from schema.words.problems import UserError

ERRORS = "Why nothing happened; empty where it did."
ONCE = "The secret, shown this once; null where `idempotencyKey` names an earlier request."
_NAME = "1 to 100 characters."
_SCOPES = "What it may do, such as `market:read`; nothing that the caller may not do."
_ORIGINS = "Exact browser origins, such as `https://app.example.com`; none keeps it out of browsers."
_NETWORKS = "The only networks that it is taken from, such as `203.0.113.0/24`; none means all."


@refusals("Why no key was made.")
class ApiKeyCreateErrorCode(StrEnum):
    """Expected refusals."""

    NAME_INVALID = "NAME_INVALID"
    NO_SCOPES = "NO_SCOPES"
    UNKNOWN_SCOPE = "UNKNOWN_SCOPE"
    SCOPE_NOT_HELD = "SCOPE_NOT_HELD"
    ORIGIN_INVALID = "ORIGIN_INVALID"
    NETWORK_INVALID = "NETWORK_INVALID"
    EXPIRY_PAST = "EXPIRY_PAST"
    EXCEEDS_CALLER = "EXCEEDS_CALLER"
    TOO_MANY_KEYS = "TOO_MANY_KEYS"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


@refusals("Why the key was not changed.")
class ApiKeyUpdateErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NOT_ACTIVE = "NOT_ACTIVE"
    NAME_INVALID = "NAME_INVALID"
    NO_SCOPES = "NO_SCOPES"
    UNKNOWN_SCOPE = "UNKNOWN_SCOPE"
    SCOPE_NOT_HELD = "SCOPE_NOT_HELD"
    ORIGIN_INVALID = "ORIGIN_INVALID"
    NETWORK_INVALID = "NETWORK_INVALID"
    EXPIRY_PAST = "EXPIRY_PAST"
    EXCEEDS_CALLER = "EXCEEDS_CALLER"


@refusals("Why the key has no successor.", OVERLAP_INVALID="The time that both keys live is out of range.")
class ApiKeyRotateErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NOT_ACTIVE = "NOT_ACTIVE"
    SCOPE_NOT_HELD = "SCOPE_NOT_HELD"
    EXCEEDS_CALLER = "EXCEEDS_CALLER"
    OVERLAP_INVALID = "OVERLAP_INVALID"
    TOO_MANY_KEYS = "TOO_MANY_KEYS"


@refusals("Why the key was not revoked.")
class ApiKeyRevokeErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    SCOPE_NOT_HELD = "SCOPE_NOT_HELD"


@refusals(
    "Why no token was minted.",
    SCOPE_NOT_ALLOWED="No access token carries this scope.",
    LIFE_INVALID="The time to live is out of range.",
    POINTS_INVALID="The limit of points is out of range.",
)
class AccessTokenCreateErrorCode(StrEnum):
    """Expected refusals."""

    TOKEN_CANNOT_MINT = "TOKEN_CANNOT_MINT"  # noqa: S105 - the name of a refusal
    NO_SCOPES = "NO_SCOPES"
    UNKNOWN_SCOPE = "UNKNOWN_SCOPE"
    SCOPE_NOT_HELD = "SCOPE_NOT_HELD"
    SCOPE_NOT_ALLOWED = "SCOPE_NOT_ALLOWED"
    ORIGIN_INVALID = "ORIGIN_INVALID"
    LIFE_INVALID = "LIFE_INVALID"
    POINTS_INVALID = "POINTS_INVALID"


@strawberry.input(description="A new API key.")
class ApiKeyCreateInput:
    """For one server or one purpose."""

    name: str = strawberry.field(description=_NAME)
    scopes: list[str] = strawberry.field(description=_SCOPES)
    expires_at: datetime | None = strawberry.field(description="When it ends; null for never.", default=None)
    origins: list[str] | None = strawberry.field(description=_ORIGINS, default=None)
    networks: list[str] | None = strawberry.field(description=_NETWORKS, default=None)
    idempotency_key: str | None = strawberry.field(
        description="The same key again within 24 hours makes no second one: it answers with the first, secret null.",
        default=None,
    )


@strawberry.input(description="Changes of an API key; what is not given stays.")
class ApiKeyUpdateInput:
    """Its secret stays the same."""

    id: strawberry.ID = strawberry.field(description="The key's id.")
    name: str | None = strawberry.field(description=_NAME, default=strawberry.UNSET)
    scopes: list[str] | None = strawberry.field(description=_SCOPES, default=strawberry.UNSET)
    origins: list[str] | None = strawberry.field(description=_ORIGINS, default=strawberry.UNSET)
    networks: list[str] | None = strawberry.field(description=_NETWORKS, default=strawberry.UNSET)
    expires_at: datetime | None = strawberry.field(
        description="When it ends; null for never.", default=strawberry.UNSET
    )


@strawberry.input(description="Which key gets a successor.")
class ApiKeyRotateInput:
    """Both work during the overlap."""

    id: strawberry.ID = strawberry.field(description="The key's id.")
    overlap_seconds: int = strawberry.field(
        description="How long the old key still works, 0 to 2592000 (30 days).", default=86_400
    )


@strawberry.input(description="Which key to revoke.")
class ApiKeyRevokeInput:
    """It ends at once, with the access tokens that it has minted."""

    id: strawberry.ID = strawberry.field(description="The key's id.")


@strawberry.input(description="A token for a browser.")
class AccessTokenCreateInput:
    """It cannot mint others, and ends with the key or the session that mints it."""

    scopes: list[str] = strawberry.field(description=_SCOPES)
    ttl_seconds: int | None = strawberry.field(description="How long it lives, 60 to 3600.", default=900)
    origins: list[str] | None = strawberry.field(
        description="The only browser origins that it is taken from; none means all.", default=None
    )
    max_points: int | None = strawberry.field(
        description="The most that it may spend in its life; null leaves it to the plan.", default=None
    )


@model("What came of `apiKeyCreate`.")
class ApiKeyCreatePayload:
    """The secret is nowhere to be read again."""

    api_key: ApiKey | None = described("The new key.", default=None)
    secret: str | None = described(ONCE, default=None)
    user_errors: list[UserError[ApiKeyCreateErrorCode]] = described(ERRORS)


@model("What came of `apiKeyUpdate`.")
class ApiKeyUpdatePayload:
    """The key as it is now."""

    api_key: ApiKey | None = described("The key.", default=None)
    user_errors: list[UserError[ApiKeyUpdateErrorCode]] = described(ERRORS)


@model("What came of `apiKeyRotate`.")
class ApiKeyRotatePayload:
    """The successor has the same rights under another id."""

    api_key: ApiKey | None = described("The new key.", default=None)
    secret: str | None = described("Its secret, shown this once.", default=None)
    previous: ApiKey | None = described("The old key, with the time when it ends.", default=None)
    user_errors: list[UserError[ApiKeyRotateErrorCode]] = described(ERRORS)


@model("What came of `apiKeyRevoke`.")
class ApiKeyRevokePayload:
    """The key stays in the list."""

    api_key: ApiKey | None = described("The key.", default=None)
    user_errors: list[UserError[ApiKeyRevokeErrorCode]] = described(ERRORS)


@model("What came of `accessTokenCreate`.")
class AccessTokenCreatePayload:
    """The token is nowhere to be read again."""

    access_token: str | None = described("The token, shown this once.", default=None)
    expires_at: datetime | None = described("When it ends.", default=None)
    user_errors: list[UserError[AccessTokenCreateErrorCode]] = described(ERRORS)
