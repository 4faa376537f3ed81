"""Inputs, payloads and refusals of the mutations of members and invitations."""

from __future__ import annotations

from enum import StrEnum

import strawberry

from gateway.core.identity import Role
from plugins.accounts.organisations.types import Invitation, Member, Membership
from plugins.accounts.organisations.words import ERRORS, KEY
from schema.model import described, model
from schema.refusals import refusals
from schema.words.problems import UserError


@refusals("Why a role was not set.")
class MemberRoleSetErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    ROLE_TOO_HIGH = "ROLE_TOO_HIGH"
    LAST_OWNER = "LAST_OWNER"


@refusals("Why a member was not removed.")
class MemberRemoveErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    ROLE_TOO_HIGH = "ROLE_TOO_HIGH"
    LAST_OWNER = "LAST_OWNER"


@refusals(
    "Why nobody was invited.",
    ALREADY_MEMBER="The address is a member's already.",
    TOO_MANY_INVITATIONS="As many invitations are pending as may be.",
)
class InvitationCreateErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    EMAIL_INVALID = "EMAIL_INVALID"
    ALREADY_MEMBER = "ALREADY_MEMBER"
    ROLE_TOO_HIGH = "ROLE_TOO_HIGH"
    TOO_MANY_INVITATIONS = "TOO_MANY_INVITATIONS"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


@refusals("Why an invitation was not revoked.")
class InvitationRevokeErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"


@refusals(
    "Why an invitation was not accepted.",
    INVITATION_INVALID="There is no such invitation, or it was revoked or used.",
    INVITATION_EXPIRED="Its time is over: ask for another one.",
    INVITATION_FOR_ANOTHER_ADDRESS="It was sent to another address than that of the caller.",
)
class InvitationAcceptErrorCode(StrEnum):
    """Expected refusals."""

    INVITATION_INVALID = "INVITATION_INVALID"
    INVITATION_EXPIRED = "INVITATION_EXPIRED"
    INVITATION_FOR_ANOTHER_ADDRESS = "INVITATION_FOR_ANOTHER_ADDRESS"
    TOO_MANY_ORGANISATIONS = "TOO_MANY_ORGANISATIONS"


@strawberry.input(description="A member's new role.")
class MemberRoleSetInput:
    """Nobody gives a role above their own."""

    user_id: strawberry.ID = strawberry.field(description="The member's `userId`.")
    role: Role = strawberry.field(description="The role.")


@strawberry.input(description="Who shall go.")
class MemberRemoveInput:
    """A member."""

    user_id: strawberry.ID = strawberry.field(description="The member's `userId`.")


@strawberry.input(description="Whom to invite.")
class InvitationCreateInput:
    """Another invitation for the same address replaces the one before."""

    email: str = strawberry.field(description="Where the mail goes; only the owner of this address can accept.")
    role: Role = strawberry.field(description="What the person will be; no role above the caller's own.")
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.input(description="What to take back.")
class InvitationRevokeInput:
    """A pending invitation."""

    id: strawberry.ID = strawberry.field(description="The invitation's id.")


@strawberry.input(description="What the mail brought.")
class InvitationAcceptInput:
    """The signed-in person's confirmed address must be the invited one."""

    token: str = strawberry.field(description="The token of the mail's link.")


@model("What came of `memberRoleSet`.")
class MemberRoleSetPayload:
    """Who lost rights is signed out of the organisation."""

    member: Member | None = described("The member as it is now.", default=None)
    user_errors: list[UserError[MemberRoleSetErrorCode]] = described(ERRORS)


@model("What came of `memberRemove`.")
class MemberRemovePayload:
    """The person's sessions in the organisation have ended."""

    user_id: strawberry.ID | None = described("Who is no longer a member.", default=None)
    user_errors: list[UserError[MemberRemoveErrorCode]] = described(ERRORS)


@model("What came of `invitationCreate`.")
class InvitationCreatePayload:
    """The token goes by mail alone."""

    invitation: Invitation | None = described("The invitation.", default=None)
    user_errors: list[UserError[InvitationCreateErrorCode]] = described(ERRORS)


@model("What came of `invitationRevoke`.")
class InvitationRevokePayload:
    """Its token works no more."""

    invitation_id: strawberry.ID | None = described("What was revoked.", default=None)
    user_errors: list[UserError[InvitationRevokeErrorCode]] = described(ERRORS)


@model("What came of `invitationAccept`.")
class InvitationAcceptPayload:
    """The session still acts where it did: `organisationSwitch` takes it there."""

    organisation: Membership | None = described("The organisation that the person belongs to now.", default=None)
    user_errors: list[UserError[InvitationAcceptErrorCode]] = described(ERRORS)
