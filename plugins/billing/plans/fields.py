"""Root fields of plans."""

from __future__ import annotations

from typing import Annotated

from gateway.core.contract import Ctx
from gateway.core.identity import CallerKind
from gateway.core.ports import Audit, Providers
from plugins.billing.plans.catalog import BUILT_IN, PlanRow
from plugins.billing.plans.checks import problems_of
from plugins.billing.plans.desk import PlanDesk, PlanInUse, plain
from plugins.billing.plans.types import (
    Plan,
    PlanDefineInput,
    PlanDefinePayload,
    PlanRemoveErrorCode,
    PlanRemoveInput,
    PlanRemovePayload,
    shown,
)
from schema.arguments import says
from schema.errors import Unauthenticated
from schema.words.problems import UserError


async def resolve_plans(info: Ctx) -> list[Plan]:
    """Prices may be made for one customer: strangers do not see them."""
    context = info.context
    if context.principal.kind is CallerKind.ANONYMOUS:
        raise Unauthenticated("Plans are shown to members and to the operator: sign in, or send an API key.")
    async with context.host.store.read() as tx:
        return [shown(row) for row in await context.service(PlanDesk).all(tx)]


async def resolve_plan_define(info: Ctx, input: Annotated[PlanDefineInput, says("The plan.")]) -> PlanDefinePayload:
    """Replaces one of the same name; tenants on it have the new limits within seconds."""
    context = info.context
    problems = problems_of(input, {provider.id for provider in context.service(Providers).all()})
    if problems:
        return PlanDefinePayload(user_errors=problems)
    row = PlanRow(**vars(input))
    async with context.host.store.write() as tx:
        before = await context.service(PlanDesk).define(tx, row)
        act = context.act("plan.defined", row.name, before=plain(before) if before else None, after=plain(row))
        await context.service(Audit).record(tx, act)
    return PlanDefinePayload(plan=shown(row), user_errors=[])


async def resolve_plan_remove(info: Ctx, input: Annotated[PlanRemoveInput, says("Which plan.")]) -> PlanRemovePayload:
    """Only where no tenant is on it."""
    context, name = info.context, input.name
    if name in BUILT_IN:
        return _stays(PlanRemoveErrorCode.BUILT_IN, f"{name} is built in and cannot be removed.")
    try:
        async with context.host.store.write() as tx:
            removed = await context.service(PlanDesk).remove(tx, name)
            if removed is not None:
                await context.service(Audit).record(tx, context.act("plan.removed", name, before=plain(removed)))
    except PlanInUse as used:
        many = "1 organisation is" if used.tenants == 1 else f"{used.tenants} organisations are"
        told = f"{many} on {name}: choose another plan there first."
        return _stays(PlanRemoveErrorCode.PLAN_IN_USE, told)
    if removed is None:
        return _stays(PlanRemoveErrorCode.NOT_FOUND, f"There is no plan {name[:40]!r}: `plans` lists them.")
    return PlanRemovePayload(plan=shown(removed), user_errors=[])


def _stays(code: PlanRemoveErrorCode, message: str) -> PlanRemovePayload:
    return PlanRemovePayload(user_errors=[UserError(field=["input", "name"], code=code, message=message)])
