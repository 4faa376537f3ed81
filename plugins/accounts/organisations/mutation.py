"""The mutations of organisations."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.core.contract import Context, Ctx
from plugins.accounts.organisations.archive import Archive
from plugins.accounts.organisations.lifecycle import Lifecycle
from plugins.accounts.organisations.types import Membership, Tenant
from plugins.accounts.organisations.words import (
    OrganisationCreateErrorCode,
    OrganisationCreateInput,
    OrganisationCreatePayload,
    OrganisationDeleteErrorCode,
    OrganisationDeleteInput,
    OrganisationDeletePayload,
    OrganisationExportErrorCode,
    OrganisationExportPayload,
    OrganisationLeaveErrorCode,
    OrganisationLeavePayload,
    OrganisationRestoreErrorCode,
    OrganisationRestoreInput,
    OrganisationRestorePayload,
    OrganisationSwitchErrorCode,
    OrganisationSwitchInput,
    OrganisationSwitchPayload,
    OrganisationTransferErrorCode,
    OrganisationTransferInput,
    OrganisationTransferPayload,
    OrganisationUpdateErrorCode,
    OrganisationUpdateInput,
    OrganisationUpdatePayload,
)
from plugins.accounts.sessions.desk import Issued
from plugins.accounts.sessions.types import IssuedSession
from schema.facts import PROTECTING, facts
from schema.scopes import Scope
from schema.words.problems import Refused


def _input(kind: str) -> object:
    return strawberry.argument(description=f"What to {kind}.")


def _carried(context: Context, issued: Issued) -> IssuedSession:
    context.cookies.extend(issued.cookies)
    return IssuedSession.of(issued)


async def resolve_create(
    info: Ctx, input: Annotated[OrganisationCreateInput, _input("make")]
) -> OrganisationCreatePayload:
    """A new one."""
    try:
        made = await info.context.service(Lifecycle).create(info.context, input.name, input.idempotency_key)
    except Refused as refused:
        return OrganisationCreatePayload(user_errors=[refused.error(OrganisationCreateErrorCode)])
    return OrganisationCreatePayload(organisation=Membership.of(made), user_errors=[])


async def resolve_update(
    info: Ctx, input: Annotated[OrganisationUpdateInput, _input("change")]
) -> OrganisationUpdatePayload:
    """Another name."""
    try:
        row = await info.context.service(Lifecycle).rename(info.context, input.name)
    except Refused as refused:
        return OrganisationUpdatePayload(user_errors=[refused.error(OrganisationUpdateErrorCode)])
    return OrganisationUpdatePayload(tenant=Tenant.of(row, info.context.principal.role), user_errors=[])


async def resolve_switch(
    info: Ctx, input: Annotated[OrganisationSwitchInput, _input("switch to")]
) -> OrganisationSwitchPayload:
    """Act elsewhere."""
    try:
        found, issued = await info.context.service(Lifecycle).switch(info.context, input.id)
    except Refused as refused:
        return OrganisationSwitchPayload(user_errors=[refused.error(OrganisationSwitchErrorCode)])
    return OrganisationSwitchPayload(
        organisation=Membership.of(found), session=_carried(info.context, issued), user_errors=[]
    )


async def resolve_leave(info: Ctx) -> OrganisationLeavePayload:
    """No longer a member."""
    try:
        left, issued = await info.context.service(Lifecycle).leave(info.context)
    except Refused as refused:
        return OrganisationLeavePayload(user_errors=[refused.error(OrganisationLeaveErrorCode)])
    return OrganisationLeavePayload(
        organisation_id=strawberry.ID(left), session=_carried(info.context, issued), user_errors=[]
    )


async def resolve_transfer(
    info: Ctx, input: Annotated[OrganisationTransferInput, _input("hand over to whom")]
) -> OrganisationTransferPayload:
    """Hand over."""
    try:
        found = await info.context.service(Lifecycle).transfer(info.context, input.user_id)
    except Refused as refused:
        return OrganisationTransferPayload(user_errors=[refused.error(OrganisationTransferErrorCode)])
    return OrganisationTransferPayload(organisation=Membership.of(found), user_errors=[])


async def resolve_delete(
    info: Ctx, input: Annotated[OrganisationDeleteInput, _input("delete")]
) -> OrganisationDeletePayload:
    """Stop it, and erase it later."""
    try:
        found, erase_at = await info.context.service(Lifecycle).delete(info.context, input.confirm_name)
    except Refused as refused:
        return OrganisationDeletePayload(user_errors=[refused.error(OrganisationDeleteErrorCode)])
    return OrganisationDeletePayload(organisation=Membership.of(found), erase_at=erase_at, user_errors=[])


async def resolve_restore(
    info: Ctx, input: Annotated[OrganisationRestoreInput, _input("restore")]
) -> OrganisationRestorePayload:
    """Take a deletion back."""
    try:
        found = await info.context.service(Lifecycle).restore(info.context, input.id)
    except Refused as refused:
        return OrganisationRestorePayload(user_errors=[refused.error(OrganisationRestoreErrorCode)])
    return OrganisationRestorePayload(organisation=Membership.of(found), user_errors=[])


async def resolve_export(info: Ctx) -> OrganisationExportPayload:
    """Everything, as JSON."""
    try:
        document = await info.context.service(Archive).document(info.context)
    except Refused as refused:
        return OrganisationExportPayload(user_errors=[refused.error(OrganisationExportErrorCode)])
    return OrganisationExportPayload(document=document, user_errors=[])


@strawberry.type(description="Changes of organisations.")
class OrganisationMutation:
    """Root fields."""

    organisation_create: OrganisationCreatePayload = strawberry.field(
        resolver=resolve_create,
        description="Make an organisation; the caller becomes its owner.",
        metadata=facts(cost=10, person=True),
    )
    organisation_update: OrganisationUpdatePayload = strawberry.field(
        resolver=resolve_update,
        description="Rename the organisation.",
        metadata=facts(cost=2, needs=Scope.ORGANISATION_WRITE),
    )
    organisation_switch: OrganisationSwitchPayload = strawberry.field(
        resolver=resolve_switch,
        description="Let the session act in another of the person's organisations.",
        metadata=facts(cost=2, person=True),
    )
    organisation_leave: OrganisationLeavePayload = strawberry.field(
        resolver=resolve_leave,
        description="Leave the organisation that the session acts in; its only owner cannot.",
        metadata=facts(cost=2, person=True),
    )
    organisation_transfer: OrganisationTransferPayload = strawberry.field(
        resolver=resolve_transfer,
        description="Make another member the owner; the caller becomes an admin.",
        metadata=facts(cost=2, needs=Scope.ORGANISATION_WRITE, person=True),
    )
    organisation_delete: OrganisationDeletePayload = strawberry.field(
        resolver=resolve_delete,
        description="Stop the organisation now and erase it after a time of grace.",
        metadata=facts(cost=0, needs=Scope.ORGANISATION_WRITE, person=True, per_minute=PROTECTING),
    )
    organisation_restore: OrganisationRestorePayload = strawberry.field(
        resolver=resolve_restore,
        description="Take the deletion of one of the person's organisations back; only its owners can.",
        metadata=facts(cost=2, person=True),
    )
    organisation_export: OrganisationExportPayload = strawberry.field(
        resolver=resolve_export,
        description="Everything that is held of the organisation, without secrets.",
        metadata=facts(cost=20, needs=Scope.ORGANISATION_WRITE, per_minute=6),
    )
