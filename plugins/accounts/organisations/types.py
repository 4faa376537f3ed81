"""GraphQL types of organisations and of the people in them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Self

import strawberry

from gateway.core.contract import Ctx
from gateway.core.identity import Role
from gateway.core.ports import Allowances, Usage
from plugins.accounts.organisations.rows import InvitationRow, MemberRow, MembershipRow, OrganisationRow, Status
from plugins.accounts.organisations.store import InvitationStore, MembershipStore
from plugins.accounts.users.store import UserRow
from schema.errors import BadInput
from schema.facts import facts
from schema.model import choices, computed, described, model
from schema.pages import cut, page_length, page_size, position_of
from schema.paging import PageInfo
from schema.scalars import Cursor
from schema.scopes import Scope
from schema.words.instruments import Node
from schema.words.usage import Limit, UsageBy, UsageLine

LONGEST_SPAN = timedelta(days=400)
"""Of usage that is summed up at once."""

choices(
    "A member's role in an organisation, from all rights to the fewest.",
    name="MemberRole",
    OWNER="All rights, among them invoices and the organisation itself.",
    ADMIN="What a trader may, and members, keys, webhooks and the audit trail.",
    TRADER="What an analyst may, and trading.",
    ANALYST="What a viewer may, and alerts, portfolios, usage and chats.",
    VIEWER="Reads, and keeps watchlists.",
)(Role)

First = Annotated[int | None, strawberry.argument(description="Rows of the page, 1 to 100.")]
After = Annotated[Cursor | None, strawberry.argument(description="Continue behind this cursor.")]
Start = Annotated[datetime, strawberry.argument(description="First hour, inclusive.")]
End = Annotated[datetime, strawberry.argument(description="End of the range, exclusive; whole hours count.")]
Grouped = Annotated[UsageBy, strawberry.argument(description="What the lines are sums of.")]


@model("A person who can sign in.", implements=(Node,))
class User:
    """Shown to the person alone; others see a `Member`."""

    id: strawberry.ID = described("Give it to `node(id:)`.")
    email: str = described("The address, as it is compared.")
    email_verified: bool = described("Whether the person has shown that mails to it arrive.")
    totp_enabled: bool = described("Whether signing in takes a code of a second factor.")
    created_at: datetime = described("When the account was made.")

    @classmethod
    def of(cls, row: UserRow) -> Self:
        """Without anything that signs in."""
        return cls(
            id=strawberry.ID(row.id), email=row.email, email_verified=row.verified_at is not None,
            totp_enabled=row.totp_confirmed_at is not None, created_at=row.created_at,
        )  # fmt: skip


@model("An organisation that the person belongs to.")
class Membership:
    """Plain facts only: the organisation need not be the one that the caller acts in."""

    id: strawberry.ID = described("The organisation's id; `organisationSwitch` takes it.")
    name: str = described("Its name.")
    role: Role = described("What the person is in it.")
    status: Status = described("Whether it works.")

    @classmethod
    def of(cls, row: MembershipRow) -> Self:
        """From a row."""
        return cls(id=strawberry.ID(row.tenant_id), name=row.name, role=Role(row.role), status=Status(row.status))


@model("Somebody who belongs to the organisation.")
class Member:
    """What fellow members see of one another."""

    user_id: strawberry.ID = described("The person's id.")
    email: str = described("The person's address.")
    role: Role = described("What the person may do here.")
    joined_at: datetime = described("Since when.")

    @classmethod
    def of(cls, row: MemberRow) -> Self:
        """From a row."""
        return cls(user_id=strawberry.ID(row.user_id), email=row.email, role=row.rights, joined_at=row.created_at)


@model("A page of members.")
class MemberConnection:
    """In the order of joining."""

    nodes: list[Member] = described("The members.")
    page_info: PageInfo = described("Where this page stands.")


@model("An invitation that was mailed to an address.", implements=(Node,))
class Invitation:
    """Its token is in the mail alone."""

    id: strawberry.ID = described("Give it to `invitationRevoke`.")
    email: str = described("The address that it went to; only its owner can accept.")
    role: Role = described("What the person would become.")
    invited_by: str = described("Id of the person or key that made it.")
    created_at: datetime = described("When it was made.")
    expires_at: datetime = described("Until when it can be accepted.")

    @classmethod
    def of(cls, row: InvitationRow) -> Self:
        """From a row."""
        return cls(
            id=strawberry.ID(row.id), email=row.email, role=Role(row.role), invited_by=row.invited_by,
            created_at=row.created_at, expires_at=row.expires_at,
        )  # fmt: skip


@model("A page of invitations.")
class InvitationConnection:
    """The oldest first."""

    nodes: list[Invitation] = described("The invitations that were neither accepted nor revoked.")
    page_info: PageInfo = described("Where this page stands.")


async def resolve_limits(root: Tenant, info: Ctx) -> list[Limit]:
    """What is left for this caller."""
    return await info.context.service(Allowances).remaining(info.context.principal)


async def resolve_usage(
    root: Tenant, info: Ctx, start: Start, end: End, by: Grouped = UsageBy.FIELD
) -> list[UsageLine]:
    """Sums of the meter."""
    if end <= start:
        raise BadInput("end", "must be after `start`")
    if end - start > LONGEST_SPAN:
        raise BadInput("end", f"is more than {LONGEST_SPAN.days} days after `start`: ask for a shorter span")
    return await info.context.service(Usage).lines(info.context.tenant, start, end, by)


async def resolve_members(root: Tenant, info: Ctx, first: First = 20, after: After = None) -> MemberConnection:
    """A page of them."""
    size, behind = page_size(first), position_of("member", after)
    async with info.context.host.store.read() as tx:
        rows = await MembershipStore().page(tx, info.context.tenant, behind, size + 1)
    shown, page = cut(
        rows, kind="member", size=size, after=after, position=lambda row: (row.created_at, row.user_id)
    )  # fmt: skip
    return MemberConnection(nodes=[Member.of(row) for row in shown], page_info=page)


async def resolve_invitations(root: Tenant, info: Ctx, first: First = 20, after: After = None) -> InvitationConnection:
    """A page of them."""
    size, behind = page_size(first), position_of("invitation", after)
    async with info.context.host.store.read() as tx:
        rows = await InvitationStore().page(tx, info.context.tenant, behind, size + 1)
    shown, page = cut(
        rows, kind="invitation", size=size, after=after, position=lambda row: (row.created_at, row.id)
    )  # fmt: skip
    return InvitationConnection(nodes=[Invitation.of(row) for row in shown], page_info=page)


@model("The organisation that the caller acts in.", implements=(Node,))
class Tenant:
    """Never another's: what is below it is read by the caller's own tenant."""

    id: strawberry.ID = described("Give it to `node(id:)`.")
    name: str = described("What its members call it.")
    status: Status = described("Whether it works.")
    role: Role | None = described("What the caller is in it; null for a key.", default=None)
    plan: str = described("The plan, such as `free`.")
    created_at: datetime = described("When it was made.")
    erase_at: datetime | None = described("When it will be erased, once it was deleted.", default=None)
    limits = computed(resolve_limits, "Each limit of the plan and what is left of it.", metadata=facts())
    usage = computed(
        resolve_usage,
        "What was used in [start, end), in whole hours.",
        metadata=facts(cost=5, needs=Scope.USAGE_READ),
    )
    members = computed(
        resolve_members,
        "Who belongs to it, in the order of joining.",
        metadata=facts(times=page_length, needs=Scope.MEMBERS_READ),
    )
    invitations = computed(
        resolve_invitations,
        "Invitations that were neither accepted nor revoked, the oldest first.",
        metadata=facts(times=page_length, needs=Scope.MEMBERS_READ),
    )

    @classmethod
    def of(cls, row: OrganisationRow, role: Role | None) -> Self:
        """From the caller's own row."""
        return cls(
            id=strawberry.ID(row.id), name=row.name, status=Status(row.status), role=role, plan=row.plan,
            created_at=row.created_at, erase_at=row.erase_at,
        )  # fmt: skip


@model("The caller.")
class Viewer:
    """Null for callers without a credential."""

    user: User | None = described("The person who is signed in; null for a key.", default=None)
    tenant: Tenant | None = described(
        "The organisation that the caller acts in; null for a person who belongs to none, and for an operator.",
        default=None,
    )
    role: Role | None = described("The person's role in it; null for a key.", default=None)
    scopes: list[str] = described("What the caller may do, such as `market:read`.")
    organisations: list[Membership] = described(
        "The organisations that the person belongs to, the oldest membership first; empty for a key."
    )
