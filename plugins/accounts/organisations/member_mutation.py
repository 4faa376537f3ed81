"""The mutations of members and invitations."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.core.contract import Ctx
from plugins.accounts.organisations.member_words import (
    InvitationAcceptErrorCode,
    InvitationAcceptInput,
    InvitationAcceptPayload,
    InvitationCreateErrorCode,
    InvitationCreateInput,
    InvitationCreatePayload,
    InvitationRevokeErrorCode,
    InvitationRevokeInput,
    InvitationRevokePayload,
    MemberRemoveErrorCode,
    MemberRemoveInput,
    MemberRemovePayload,
    MemberRoleSetErrorCode,
    MemberRoleSetInput,
    MemberRoleSetPayload,
)
from plugins.accounts.organisations.membership import Invitations, Members
from plugins.accounts.organisations.types import Invitation, Member, Membership
from schema.facts import PROTECTING, facts
from schema.scopes import Scope
from schema.words.problems import Refused


def _input(description: str) -> object:
    return strawberry.argument(description=description)


async def resolve_role_set(
    info: Ctx, input: Annotated[MemberRoleSetInput, _input("Who becomes what.")]
) -> MemberRoleSetPayload:
    """Another role."""
    try:
        row = await info.context.service(Members).set_role(info.context, input.user_id, input.role)
    except Refused as refused:
        return MemberRoleSetPayload(user_errors=[refused.error(MemberRoleSetErrorCode)])
    return MemberRoleSetPayload(member=Member.of(row), user_errors=[])


async def resolve_remove(
    info: Ctx, input: Annotated[MemberRemoveInput, _input("Who shall go.")]
) -> MemberRemovePayload:
    """No longer a member."""
    try:
        removed = await info.context.service(Members).remove(info.context, input.user_id)
    except Refused as refused:
        return MemberRemovePayload(user_errors=[refused.error(MemberRemoveErrorCode)])
    return MemberRemovePayload(user_id=strawberry.ID(removed), user_errors=[])


async def resolve_invite(
    info: Ctx, input: Annotated[InvitationCreateInput, _input("Whom to invite.")]
) -> InvitationCreatePayload:
    """A mail to an address."""
    invitations = info.context.service(Invitations)
    try:
        row = await invitations.create(info.context, input.email, input.role, input.idempotency_key)
    except Refused as refused:
        return InvitationCreatePayload(user_errors=[refused.error(InvitationCreateErrorCode)])
    return InvitationCreatePayload(invitation=Invitation.of(row), user_errors=[])


async def resolve_invitation_revoke(
    info: Ctx, input: Annotated[InvitationRevokeInput, _input("What to take back.")]
) -> InvitationRevokePayload:
    """Take it back."""
    try:
        revoked = await info.context.service(Invitations).revoke(info.context, input.id)
    except Refused as refused:
        return InvitationRevokePayload(user_errors=[refused.error(InvitationRevokeErrorCode)])
    return InvitationRevokePayload(invitation_id=strawberry.ID(revoked), user_errors=[])


async def resolve_invitation_accept(
    info: Ctx, input: Annotated[InvitationAcceptInput, _input("What the mail brought.")]
) -> InvitationAcceptPayload:
    """Become a member."""
    try:
        joined = await info.context.service(Invitations).accept(info.context, input.token)
    except Refused as refused:
        return InvitationAcceptPayload(user_errors=[refused.error(InvitationAcceptErrorCode)])
    return InvitationAcceptPayload(organisation=Membership.of(joined), user_errors=[])


@strawberry.type(description="Changes of members and invitations.")
class MemberMutation:
    """Root fields."""

    member_role_set: MemberRoleSetPayload = strawberry.field(
        resolver=resolve_role_set,
        description="Give a member another role; the only owner stays one.",
        metadata=facts(cost=0, needs=Scope.MEMBERS_WRITE, per_minute=PROTECTING),
    )
    member_remove: MemberRemovePayload = strawberry.field(
        resolver=resolve_remove,
        description="Remove a member; the only owner stays.",
        metadata=facts(cost=0, needs=Scope.MEMBERS_WRITE, per_minute=PROTECTING),
    )
    invitation_create: InvitationCreatePayload = strawberry.field(
        resolver=resolve_invite,
        description="Invite an address by mail; the invitation works once, for seven days.",
        metadata=facts(cost=10, needs=Scope.MEMBERS_WRITE, per_minute=30),
    )
    invitation_revoke: InvitationRevokePayload = strawberry.field(
        resolver=resolve_invitation_revoke,
        description="Take a pending invitation back.",
        metadata=facts(cost=0, needs=Scope.MEMBERS_WRITE, per_minute=PROTECTING),
    )
    invitation_accept: InvitationAcceptPayload = strawberry.field(
        resolver=resolve_invitation_accept,
        description="Accept the invitation of a mail, signed in with the address that it went to.",
        metadata=facts(cost=2, person=True),
    )
