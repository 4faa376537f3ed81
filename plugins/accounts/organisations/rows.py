"""Rows of organisations, their members and invitations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.core.identity import Role
from schema.model import choices


@choices(
    "Whether an organisation works: SUSPENDED by the operator, DELETING until it is erased.",
    name="TenantStatus",
    ACTIVE="It works.",
    SUSPENDED="The operator has stopped it.",
    DELETING="It is going to be erased.",
)
class Status(StrEnum):
    """Of an organisation."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETING = "deleting"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationRow:
    """`accounts_organisations`; its id is the tenant."""

    id: str
    name: str
    external_id: str | None
    plan: str
    status: str
    status_reason: str | None
    created_at: datetime
    suspended_at: datetime | None
    erase_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipRow:
    """An organisation as one of its members sees it in a list."""

    tenant_id: str
    role: str
    name: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """A member as the others see it."""

    user_id: str
    email: str
    role: str
    created_at: datetime

    @property
    def rights(self) -> Role:
        """The role as a value."""
        return Role(self.role)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationRow:
    """`accounts_invitations` without the digest of its token."""

    tenant_id: str
    id: str
    email: str
    role: str
    invited_by: str
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    revoked_at: datetime | None

    @property
    def pending(self) -> bool:
        """Neither accepted nor revoked; it may have expired."""
        return self.accepted_at is None and self.revoked_at is None
