"""Inputs, payloads and refusals of the mutations of organisations."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import strawberry

from plugins.accounts.organisations.types import Membership, Tenant
from plugins.accounts.sessions.types import IssuedSession
from schema.model import described, model
from schema.refusals import refusals
from schema.words.problems import UserError

NEW_TOKENS = "The session with the tokens to use from now on."
ERRORS = "Why nothing happened; empty where it did."
KEY = "The same key again within 24 hours makes no second one: it answers with the first."


@refusals("Why an organisation was not made.")
class OrganisationCreateErrorCode(StrEnum):
    """Expected refusals."""

    NAME_INVALID = "NAME_INVALID"
    TOO_MANY_ORGANISATIONS = "TOO_MANY_ORGANISATIONS"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


@refusals("Why an organisation was not changed.")
class OrganisationUpdateErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NAME_INVALID = "NAME_INVALID"


@refusals(
    "Why the session did not switch.",
    SUSPENDED="The operator has stopped the organisation.",
    DELETING="The organisation is going to be erased.",
)
class OrganisationSwitchErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    SUSPENDED = "SUSPENDED"
    DELETING = "DELETING"


@refusals("Why the person is still a member.")
class OrganisationLeaveErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    LAST_OWNER = "LAST_OWNER"


@refusals("Why the organisation was not handed over.", ALREADY_OWNER="The member is an owner already.")
class OrganisationTransferErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NOT_OWNER = "NOT_OWNER"
    ALREADY_OWNER = "ALREADY_OWNER"


@refusals(
    "Why the organisation was not deleted.",
    NAME_DIFFERS="The name was not written exactly.",
    ALREADY_DELETING="It is going to be erased already.",
)
class OrganisationDeleteErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NOT_OWNER = "NOT_OWNER"
    NAME_DIFFERS = "NAME_DIFFERS"
    ALREADY_DELETING = "ALREADY_DELETING"


@refusals("Why the organisation was not restored.", NOT_DELETING="It is not going to be erased.")
class OrganisationRestoreErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NOT_OWNER = "NOT_OWNER"
    NOT_DELETING = "NOT_DELETING"


@refusals("Why there is no export.")
class OrganisationExportErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"


@strawberry.input(description="A new organisation.")
class OrganisationCreateInput:
    """The caller becomes its owner."""

    name: str = strawberry.field(description="1 to 100 characters.")
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.input(description="Changes of the organisation.")
class OrganisationUpdateInput:
    """Of the one that the caller acts in."""

    name: str = strawberry.field(description="1 to 100 characters.")


@strawberry.input(description="Where the session shall act.")
class OrganisationSwitchInput:
    """One of the person's organisations."""

    id: strawberry.ID = strawberry.field(description="The organisation's id.")


@strawberry.input(description="Who shall own the organisation.")
class OrganisationTransferInput:
    """A member."""

    user_id: strawberry.ID = strawberry.field(description="The member's `userId`.")


@strawberry.input(description="Proof that it is meant.")
class OrganisationDeleteInput:
    """Deletion stops everything at once."""

    confirm_name: str = strawberry.field(description="The organisation's name, exactly.")


@strawberry.input(description="What to take the deletion back of.")
class OrganisationRestoreInput:
    """One of the person's organisations."""

    id: strawberry.ID = strawberry.field(description="The organisation's id.")


@model("What came of `organisationCreate`.")
class OrganisationCreatePayload:
    """The session still acts where it did: `organisationSwitch` takes it there."""

    organisation: Membership | None = described("The new organisation.", default=None)
    user_errors: list[UserError[OrganisationCreateErrorCode]] = described(ERRORS)


@model("What came of `organisationUpdate`.")
class OrganisationUpdatePayload:
    """The organisation as it is now."""

    tenant: Tenant | None = described("The organisation.", default=None)
    user_errors: list[UserError[OrganisationUpdateErrorCode]] = described(ERRORS)


@model("What came of `organisationSwitch`.")
class OrganisationSwitchPayload:
    """What the session's earlier tokens did, they do no more."""

    organisation: Membership | None = described("Where the session acts now.", default=None)
    session: IssuedSession | None = described(NEW_TOKENS, default=None)
    user_errors: list[UserError[OrganisationSwitchErrorCode]] = described(ERRORS)


@model("What came of `organisationLeave`.")
class OrganisationLeavePayload:
    """The session acts in no organisation now; the person's other sessions in it have ended."""

    organisation_id: strawberry.ID | None = described("What was left.", default=None)
    session: IssuedSession | None = described(NEW_TOKENS, default=None)
    user_errors: list[UserError[OrganisationLeaveErrorCode]] = described(ERRORS)


@model("What came of `organisationTransfer`.")
class OrganisationTransferPayload:
    """The caller is an admin now."""

    organisation: Membership | None = described("The organisation as the caller sees it now.", default=None)
    user_errors: list[UserError[OrganisationTransferErrorCode]] = described(ERRORS)


@model("What came of `organisationDelete`.")
class OrganisationDeletePayload:
    """Sessions, keys and streams of it have stopped."""

    organisation: Membership | None = described("The organisation.", default=None)
    erase_at: datetime | None = described("Until when an owner can restore it.", default=None)
    user_errors: list[UserError[OrganisationDeleteErrorCode]] = described(ERRORS)


@model("What came of `organisationRestore`.")
class OrganisationRestorePayload:
    """It works again."""

    organisation: Membership | None = described("The organisation.", default=None)
    user_errors: list[UserError[OrganisationRestoreErrorCode]] = described(ERRORS)


@model("What came of `organisationExport`.")
class OrganisationExportPayload:
    """No secrets: keys and invitations stand there without what they are known by."""

    document: str | None = described("Everything that is held of the organisation, as JSON text.", default=None)
    user_errors: list[UserError[OrganisationExportErrorCode]] = described(ERRORS)
