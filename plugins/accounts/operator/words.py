"""Inputs, payloads and refusals of the operator's mutations."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import strawberry

from gateway.core.identity import OperatorRole
from plugins.accounts.operator.types import OperatorKey, OperatorTenant, TenantChange
from schema.model import choices, described, model
from schema.refusals import refusals
from schema.words.problems import UserError
from schema.words.registry import ProviderInfo

ERRORS = "Why nothing happened; empty where it did."
KEY = "The same key again within 24 hours makes no second one: it answers with the first."
ID = "The organisation's id."
REASON = "Why, in words that callers may read."
PROVIDER = "The provider's id, such as `kraken`."


@refusals("Why a tenant was not made.", EXTERNAL_ID_TAKEN="Another tenant has this name in your own system.")
class TenantCreateErrorCode(StrEnum):
    """Expected refusals."""

    NAME_INVALID = "NAME_INVALID"
    UNKNOWN_PLAN = "UNKNOWN_PLAN"
    EMAIL_INVALID = "EMAIL_INVALID"
    EXTERNAL_ID_INVALID = "EXTERNAL_ID_INVALID"
    EXTERNAL_ID_TAKEN = "EXTERNAL_ID_TAKEN"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


@refusals("Why a tenant was not suspended.")
class TenantSuspendErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    REASON_INVALID = "REASON_INVALID"


@refusals("Why a tenant was not resumed.")
class TenantResumeErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"


@refusals("Why a tenant's plan was not set.")
class TenantPlanSetErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    UNKNOWN_PLAN = "UNKNOWN_PLAN"


@refusals(
    "Why a list of tenants was not applied.",
    DUPLICATE="Two entries have the same name in your own system.",
    TENANT_DELETING="Its owner is deleting it.",
)
class TenantsApplyErrorCode(StrEnum):
    """Expected refusals; each names its entry."""

    NAME_INVALID = "NAME_INVALID"
    UNKNOWN_PLAN = "UNKNOWN_PLAN"
    EMAIL_INVALID = "EMAIL_INVALID"
    EXTERNAL_ID_INVALID = "EXTERNAL_ID_INVALID"
    REASON_INVALID = "REASON_INVALID"
    DUPLICATE = "DUPLICATE"
    TENANT_DELETING = "TENANT_DELETING"


@refusals("Why a provider was not switched.")
class ProviderSwitchErrorCode(StrEnum):
    """Expected refusals."""

    UNKNOWN_PROVIDER = "UNKNOWN_PROVIDER"
    REASON_INVALID = "REASON_INVALID"


@refusals("Why a breaker was not moved.")
class BreakerErrorCode(StrEnum):
    """Expected refusals."""

    UNKNOWN_PROVIDER = "UNKNOWN_PROVIDER"
    UNKNOWN_CAPABILITY = "UNKNOWN_CAPABILITY"
    REASON_INVALID = "REASON_INVALID"


@refusals("Why cached answers were not dropped.", INVALID="The symbol cannot be read, or its capability is missing.")
class CacheDropErrorCode(StrEnum):
    """Of `cacheDrop`."""

    UNKNOWN_PROVIDER = "UNKNOWN_PROVIDER"
    UNKNOWN_CAPABILITY = "UNKNOWN_CAPABILITY"
    INVALID = "INVALID"


@refusals("Why an operator's key was not made.", EXPIRY_INVALID="The key would have expired already.")
class OperatorKeyCreateErrorCode(StrEnum):
    """Expected refusals."""

    NAME_INVALID = "NAME_INVALID"
    NETWORK_INVALID = "NETWORK_INVALID"
    EXPIRY_INVALID = "EXPIRY_INVALID"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


@refusals("Why an operator's key was not revoked.")
class OperatorKeyRevokeErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"


@choices(
    "What a list of tenants may say of a tenant's status.",
    ACTIVE="It works.",
    SUSPENDED="The operator has stopped it.",
)
class TenantApplyStatus(StrEnum):
    """Deleting is the owner's affair."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@strawberry.input(description="A tenant to make.")
class TenantCreateInput:
    """Of `tenantCreate`."""

    name: str = strawberry.field(description="Its name.")
    plan: str = strawberry.field(description="Its plan, such as `pro`.")
    owner_email: str | None = strawberry.field(
        default=None, description="Who owns it: an account is made where there is none with this address."
    )
    external_id: str | None = strawberry.field(default=None, description="The operator's own name for it; unique.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A tenant to suspend.")
class TenantSuspendInput:
    """Of `tenantSuspend`."""

    id: strawberry.ID = strawberry.field(description=ID)
    reason: str = strawberry.field(description=REASON)


@strawberry.input(description="A tenant to resume.")
class TenantResumeInput:
    """Of `tenantResume`."""

    id: strawberry.ID = strawberry.field(description=ID)


@strawberry.input(description="A tenant's other plan.")
class TenantPlanSetInput:
    """Of `tenantPlanSet`."""

    id: strawberry.ID = strawberry.field(description=ID)
    plan: str = strawberry.field(description="The plan, such as `pro`.")


@strawberry.input(description="A tenant as it is to be.")
class TenantApplyEntry:
    """One of a list."""

    external_id: str = strawberry.field(description="The operator's own name for it, which finds it again.")
    name: str = strawberry.field(description="Its name.")
    plan: str = strawberry.field(description="Its plan.")
    owner_email: str | None = strawberry.field(default=None, description="Its owner when it is made; later unread.")
    status: TenantApplyStatus | None = strawberry.field(
        default=None, description="Whether it is to work; left as it is where it is not given."
    )
    status_reason: str | None = strawberry.field(default=None, description="Why it is suspended.")


@strawberry.input(description="Tenants as they are to be; those that are not in the list are left alone.")
class TenantsApplyInput:
    """Of `tenantsApply`."""

    tenants: list[TenantApplyEntry] = strawberry.field(description="At most 1,000.")
    dry_run: bool = strawberry.field(default=False, description="Only say what would be done.")


@strawberry.input(description="A provider to switch, and why.")
class ProviderSwitchInput:
    """Of `providerPause` and `providerDisable`."""

    provider: str = strawberry.field(description=PROVIDER)
    reason: str = strawberry.field(description=REASON)


@strawberry.input(description="A provider to use as usual again.")
class ProviderResumeInput:
    """Of `providerResume`."""

    provider: str = strawberry.field(description=PROVIDER)


@strawberry.input(description="A circuit breaker to move by hand, and why.")
class BreakerInput:
    """Of `breakerTrip` and `breakerReset`."""

    provider: str = strawberry.field(description=PROVIDER)
    capability: str = strawberry.field(description="The capability, such as `quotes`.")
    reason: str = strawberry.field(description=REASON)


@strawberry.input(description="Cached answers to drop.")
class CacheDropInput:
    """Of `cacheDrop`."""

    provider: str = strawberry.field(description=PROVIDER)
    capability: str | None = strawberry.field(
        default=None, description="The capability, such as `quotes`; all of the provider's without it."
    )
    symbol: str | None = strawberry.field(
        default=None,
        description="Only answers about this instrument, as an id such as `crypto:BTC/USD`; needs `capability`. "
        "In Redis the whole capability is dropped.",
    )


@strawberry.input(description="An operator's key to make.")
class OperatorKeyCreateInput:
    """Of `operatorKeyCreate`."""

    name: str = strawberry.field(description="What it is for.")
    role: OperatorRole = strawberry.field(default=OperatorRole.OPERATOR, description="What it may do.")
    networks: list[str] = strawberry.field(
        default_factory=list, description="Where it is accepted from, such as `10.0.0.0/8`; else the gateway's setting."
    )
    expires_at: datetime | None = strawberry.field(default=None, description="Until when it works.")
    idempotency_key: str | None = strawberry.field(
        default=None, description=f"{KEY} The secret is not shown a second time."
    )


@strawberry.input(description="An operator's key to revoke.")
class OperatorKeyRevokeInput:
    """Of `operatorKeyRevoke`."""

    id: strawberry.ID = strawberry.field(description="The key's id.")


@model("What became of a tenant to make.")
class TenantCreatePayload:
    """Of `tenantCreate`."""

    tenant: OperatorTenant | None = described("The tenant.", default=None)
    user_errors: list[UserError[TenantCreateErrorCode]] = described(ERRORS)


@model("What became of a tenant to suspend.")
class TenantSuspendPayload:
    """Of `tenantSuspend`."""

    tenant: OperatorTenant | None = described("The tenant.", default=None)
    user_errors: list[UserError[TenantSuspendErrorCode]] = described(ERRORS)


@model("What became of a tenant to resume.")
class TenantResumePayload:
    """Of `tenantResume`."""

    tenant: OperatorTenant | None = described("The tenant.", default=None)
    user_errors: list[UserError[TenantResumeErrorCode]] = described(ERRORS)


@model("What became of a tenant's plan.")
class TenantPlanSetPayload:
    """Of `tenantPlanSet`."""

    tenant: OperatorTenant | None = described("The tenant.", default=None)
    user_errors: list[UserError[TenantPlanSetErrorCode]] = described(ERRORS)


@model("What a list of tenants came to.")
class TenantsApplyPayload:
    """Of `tenantsApply`."""

    applied: bool = described("Whether it was carried out; false for a rehearsal and where an entry is wrong.")
    changes: list[TenantChange] = described("In the order of the list; empty where an entry is wrong.")
    untouched: int = described("How many tenants are not in the list.")
    user_errors: list[UserError[TenantsApplyErrorCode]] = described("Each wrong entry by its index.")


@model("What became of a provider to switch.")
class ProviderSwitchPayload:
    """Of `providerPause`, `providerDisable` and `providerResume`."""

    provider: ProviderInfo | None = described("The provider as it is now.", default=None)
    user_errors: list[UserError[ProviderSwitchErrorCode]] = described(ERRORS)


@model("What became of a breaker to move.")
class BreakerPayload:
    """Of `breakerTrip` and `breakerReset`."""

    provider: ProviderInfo | None = described("The provider as it is now.", default=None)
    user_errors: list[UserError[BreakerErrorCode]] = described(ERRORS)


@model("What became of cached answers to drop.")
class CacheDropPayload:
    """Of `cacheDrop`."""

    dropped: bool = described("Whether they were dropped.")
    user_errors: list[UserError[CacheDropErrorCode]] = described(ERRORS)


@model("What became of an operator's key to make.")
class OperatorKeyCreatePayload:
    """Of `operatorKeyCreate`."""

    operator_key: OperatorKey | None = described("The key.", default=None)
    secret: str | None = described("Its text: shown this once, never again.", default=None)
    user_errors: list[UserError[OperatorKeyCreateErrorCode]] = described(ERRORS)


@model("What became of an operator's key to revoke.")
class OperatorKeyRevokePayload:
    """Of `operatorKeyRevoke`."""

    operator_key: OperatorKey | None = described("The key.", default=None)
    user_errors: list[UserError[OperatorKeyRevokeErrorCode]] = described(ERRORS)
