"""What operators change."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from gateway.core.contract import Ctx
from plugins.accounts.operator.applying import MOST, Applying, Entry, Faulty
from plugins.accounts.operator.credentials import OperatorKeys
from plugins.accounts.operator.switching import DISABLED, PAUSED, Switching
from plugins.accounts.operator.tenants import Tenants, Wish
from plugins.accounts.operator.types import OperatorKey, OperatorTenant, TenantChange
from plugins.accounts.operator.words import (
    BreakerErrorCode,
    BreakerInput,
    BreakerPayload,
    CacheDropErrorCode,
    CacheDropInput,
    CacheDropPayload,
    OperatorKeyCreateErrorCode,
    OperatorKeyCreateInput,
    OperatorKeyCreatePayload,
    OperatorKeyRevokeErrorCode,
    OperatorKeyRevokeInput,
    OperatorKeyRevokePayload,
    ProviderResumeInput,
    ProviderSwitchErrorCode,
    ProviderSwitchInput,
    ProviderSwitchPayload,
    TenantApplyEntry,
    TenantCreateErrorCode,
    TenantCreateInput,
    TenantCreatePayload,
    TenantPlanSetErrorCode,
    TenantPlanSetInput,
    TenantPlanSetPayload,
    TenantResumeErrorCode,
    TenantResumeInput,
    TenantResumePayload,
    TenantsApplyErrorCode,
    TenantsApplyInput,
    TenantsApplyPayload,
    TenantSuspendErrorCode,
    TenantSuspendInput,
    TenantSuspendPayload,
)
from plugins.accounts.organisations.rows import Status
from schema.errors import BadInput
from schema.facts import PROTECTING, Arguments, facts
from schema.scopes import Scope
from schema.words.problems import Refused, UserError

ENTRIES_A_POINT = 10


def _input(kind: str) -> object:
    return strawberry.argument(description=f"What to {kind}.")


def cost_of_list(arguments: Arguments) -> int:
    """Ten entries a point."""
    entries = (arguments.get("input") or {}).get("tenants") or ()
    return 10 + len(entries) // ENTRIES_A_POINT


async def resolve_create(info: Ctx, input: Annotated[TenantCreateInput, _input("make")]) -> TenantCreatePayload:
    """A new one."""
    wish = Wish(name=input.name, plan=input.plan, owner_email=input.owner_email, external_id=input.external_id)
    try:
        row = await info.context.service(Tenants).create(info.context, wish, input.idempotency_key)
    except Refused as refused:
        return TenantCreatePayload(user_errors=[refused.error(TenantCreateErrorCode)])
    return TenantCreatePayload(tenant=OperatorTenant.of(row), user_errors=[])


async def resolve_suspend(info: Ctx, input: Annotated[TenantSuspendInput, _input("suspend")]) -> TenantSuspendPayload:
    """Turned away at once."""
    try:
        row = await info.context.service(Tenants).suspend(info.context, input.id, input.reason)
    except Refused as refused:
        return TenantSuspendPayload(user_errors=[refused.error(TenantSuspendErrorCode)])
    return TenantSuspendPayload(tenant=OperatorTenant.of(row), user_errors=[])


async def resolve_resume(info: Ctx, input: Annotated[TenantResumeInput, _input("resume")]) -> TenantResumePayload:
    """Let in again."""
    try:
        row = await info.context.service(Tenants).resume(info.context, input.id)
    except Refused as refused:
        return TenantResumePayload(user_errors=[refused.error(TenantResumeErrorCode)])
    return TenantResumePayload(tenant=OperatorTenant.of(row), user_errors=[])


async def resolve_plan_set(info: Ctx, input: Annotated[TenantPlanSetInput, _input("set")]) -> TenantPlanSetPayload:
    """Another plan."""
    try:
        row = await info.context.service(Tenants).set_plan(info.context, input.id, input.plan)
    except Refused as refused:
        return TenantPlanSetPayload(user_errors=[refused.error(TenantPlanSetErrorCode)])
    return TenantPlanSetPayload(tenant=OperatorTenant.of(row), user_errors=[])


async def resolve_apply(info: Ctx, input: Annotated[TenantsApplyInput, _input("apply")]) -> TenantsApplyPayload:
    """All or none."""
    if not 0 < len(input.tenants) <= MOST:
        raise BadInput("input.tenants", f"must have 1 to {MOST:,} entries, not {len(input.tenants):,}")
    entries = [_entry(each) for each in input.tenants]
    try:
        found = await info.context.service(Applying).apply(info.context, entries, dry_run=input.dry_run)
    except Faulty as faulty:
        errors = [_at(index, refused) for index, refused in faulty.faults]
        return TenantsApplyPayload(applied=False, changes=[], untouched=0, user_errors=errors)
    changes = [TenantChange.of(change) for change in found.changes]
    return TenantsApplyPayload(
        applied=not input.dry_run, changes=changes, untouched=found.untouched, user_errors=[]
    )  # fmt: skip


def _entry(given: TenantApplyEntry) -> Entry:
    status = None if given.status is None else Status(given.status.value)
    return Entry(
        external_id=given.external_id, name=given.name, plan=given.plan, owner_email=given.owner_email, status=status,
        status_reason=given.status_reason,
    )  # fmt: skip


def _at(index: int, refused: Refused) -> UserError[TenantsApplyErrorCode]:
    return UserError(
        field=["input", "tenants", str(index), *refused.field], code=TenantsApplyErrorCode(refused.code),
        message=refused.message,
    )  # fmt: skip


async def resolve_pause(info: Ctx, input: Annotated[ProviderSwitchInput, _input("pause")]) -> ProviderSwitchPayload:
    """Not asked."""
    return await _switched(info, input, PAUSED)


async def resolve_disable(info: Ctx, input: Annotated[ProviderSwitchInput, _input("disable")]) -> ProviderSwitchPayload:
    """Not even routed to."""
    return await _switched(info, input, DISABLED)


async def _switched(info: Ctx, input: ProviderSwitchInput, state: str) -> ProviderSwitchPayload:
    try:
        found = await info.context.service(Switching).switch(info.context, input.provider, state, input.reason)
    except Refused as refused:
        return ProviderSwitchPayload(user_errors=[refused.error(ProviderSwitchErrorCode)])
    return ProviderSwitchPayload(provider=found, user_errors=[])


async def resolve_provider_resume(
    info: Ctx, input: Annotated[ProviderResumeInput, _input("use again")]
) -> ProviderSwitchPayload:
    """As usual."""
    try:
        found = await info.context.service(Switching).resume(info.context, input.provider)
    except Refused as refused:
        return ProviderSwitchPayload(user_errors=[refused.error(ProviderSwitchErrorCode)])
    return ProviderSwitchPayload(provider=found, user_errors=[])


async def resolve_trip(info: Ctx, input: Annotated[BreakerInput, _input("trip")]) -> BreakerPayload:
    """Open."""
    return await _moved(info, input, trip=True)


async def resolve_reset(info: Ctx, input: Annotated[BreakerInput, _input("reset")]) -> BreakerPayload:
    """Closed."""
    return await _moved(info, input, trip=False)


async def _moved(info: Ctx, input: BreakerInput, *, trip: bool) -> BreakerPayload:
    try:
        found = await info.context.service(Switching).breaker(
            info.context, input.provider, input.capability, trip=trip, reason=input.reason
        )
    except Refused as refused:
        return BreakerPayload(user_errors=[refused.error(BreakerErrorCode)])
    return BreakerPayload(provider=found, user_errors=[])


async def resolve_cache_drop(info: Ctx, input: Annotated[CacheDropInput, _input("drop")]) -> CacheDropPayload:
    """Asked anew."""
    try:
        await info.context.service(Switching).drop(info.context, input.provider, input.capability, input.symbol)
    except Refused as refused:
        return CacheDropPayload(dropped=False, user_errors=[refused.error(CacheDropErrorCode)])
    return CacheDropPayload(dropped=True, user_errors=[])


async def resolve_key_create(
    info: Ctx, input: Annotated[OperatorKeyCreateInput, _input("make")]
) -> OperatorKeyCreatePayload:
    """Shown once."""
    try:
        row, secret = await info.context.service(OperatorKeys).create(
            info.context, input.name, input.role, input.networks, input.expires_at, input.idempotency_key
        )
    except Refused as refused:
        return OperatorKeyCreatePayload(user_errors=[refused.error(OperatorKeyCreateErrorCode)])
    return OperatorKeyCreatePayload(operator_key=OperatorKey.of(row), secret=secret, user_errors=[])


async def resolve_key_revoke(
    info: Ctx, input: Annotated[OperatorKeyRevokeInput, _input("revoke")]
) -> OperatorKeyRevokePayload:
    """Works no more."""
    try:
        row = await info.context.service(OperatorKeys).revoke(info.context, input.id)
    except Refused as refused:
        return OperatorKeyRevokePayload(user_errors=[refused.error(OperatorKeyRevokeErrorCode)])
    return OperatorKeyRevokePayload(operator_key=OperatorKey.of(row), user_errors=[])


def _field(resolver: Any, description: str, cost: Any = 5, per_minute: int | None = None) -> Any:
    told = facts(cost=cost, needs=Scope.OPERATOR_WRITE, per_minute=per_minute)
    return strawberry.field(resolver=resolver, description=f"For operators: {description}", metadata=told)


@strawberry.type
class OperatorMutation:
    """Root fields of operators."""

    tenant_create: TenantCreatePayload = _field(resolve_create, "make an organisation, with an owner if one is named.")
    tenant_suspend: TenantSuspendPayload = _field(
        resolve_suspend, "turn an organisation's callers away with TENANT_SUSPENDED, close its streams; its data stays."
    )
    tenant_resume: TenantResumePayload = _field(resolve_resume, "let a suspended organisation work again.")
    tenant_plan_set: TenantPlanSetPayload = _field(resolve_plan_set, "give an organisation another plan.")
    tenants_apply: TenantsApplyPayload = _field(
        resolve_apply, "make organisations as a list says, all of it or nothing; doing it again changes nothing.",
        cost_of_list,
    )  # fmt: skip
    provider_pause: ProviderSwitchPayload = _field(
        resolve_pause, "ask a provider no more, in all processes, until it is resumed; others answer in its place."
    )
    provider_disable: ProviderSwitchPayload = _field(
        resolve_disable, "take a provider out of routing, in all processes, also where it is pinned."
    )
    provider_resume: ProviderSwitchPayload = _field(resolve_provider_resume, "use a provider as usual again.")
    breaker_trip: BreakerPayload = _field(
        resolve_trip, "open a circuit breaker in all processes. After its rest it tries one call, as after failures: "
        "to keep a provider out, pause it.",
    )  # fmt: skip
    breaker_reset: BreakerPayload = _field(resolve_reset, "close a circuit breaker in all processes.")
    cache_drop: CacheDropPayload = _field(
        resolve_cache_drop, "drop what all processes hold of a provider's answers, so that they are fetched anew."
    )
    operator_key_create: OperatorKeyCreatePayload = _field(resolve_key_create, "make an operator's key.")
    operator_key_revoke: OperatorKeyRevokePayload = _field(
        resolve_key_revoke, "end an operator's key at once.", cost=0, per_minute=PROTECTING
    )
