"""What operators see."""

from __future__ import annotations

from datetime import datetime
from typing import Self

import strawberry

from gateway.core.contract import Ctx
from gateway.core.identity import OperatorRole
from gateway.core.ports import Usage
from plugins.accounts.keys.rows import OperatorKeyRow
from plugins.accounts.operator.applying import Change, Kind
from plugins.accounts.operator.store import TenantRow
from plugins.accounts.organisations.rows import Status
from plugins.accounts.organisations.types import LONGEST_SPAN, End, Grouped, Start
from schema.errors import BadInput
from schema.facts import facts
from schema.model import choices, computed, described, model
from schema.paging import PageInfo
from schema.scalars import Cursor
from schema.scopes import Scope
from schema.words.usage import UsageBy, UsageLine

choices("The role of an operator's key.", OPERATOR="It changes and reads.", AUDITOR="It only reads.")(OperatorRole)
choices(
    "What becomes of an entry of a list of tenants.",
    name="TenantChangeKind",
    CREATED="The tenant is made.",
    CHANGED="The tenant is changed.",
    UNCHANGED="The tenant is like that already.",
)(Kind)


async def resolve_usage(
    root: OperatorTenant, info: Ctx, start: Start, end: End, by: Grouped = UsageBy.FIELD
) -> list[UsageLine]:
    """Sums of the meter."""
    if not start < end <= start + LONGEST_SPAN:
        raise BadInput("end", f"must be after `start`, and at most {LONGEST_SPAN.days} days after it")
    return await info.context.service(Usage).lines(root.id, start, end, by)


@model("An organisation as operators see it, from outside.")
class OperatorTenant:
    """Facts and sums; never what the organisation keeps."""

    id: strawberry.ID = described("The tenant's id.")
    name: str = described("Its name.")
    plan: str = described("Its plan.")
    status: Status = described("Whether it works.")
    status_reason: str | None = described("Why it does not.", default=None)
    external_id: str | None = described("The operator's own name for it.", default=None)
    created_at: datetime = described("When it was made.")
    suspended_at: datetime | None = described("Since when it is suspended.", default=None)
    erase_at: datetime | None = described("When it will be erased, once it was deleted.", default=None)
    members: int = described("How many people belong to it.")
    usage = computed(
        resolve_usage,
        "What it used in [start, end), in whole hours.",
        metadata=facts(cost=5, needs=Scope.OPERATOR_READ),
    )

    @classmethod
    def of(cls, row: TenantRow) -> Self:
        """From a row."""
        return cls(
            id=strawberry.ID(row.id), name=row.name, plan=row.plan, status=Status(row.status),
            status_reason=row.status_reason, external_id=row.external_id, created_at=row.created_at,
            suspended_at=row.suspended_at, erase_at=row.erase_at, members=row.members,
        )  # fmt: skip


@model("An organisation and its position in the list.")
class OperatorTenantEdge:
    """Relay's edge."""

    node: OperatorTenant = described("The organisation.")
    cursor: Cursor = described("Its position.")


@model("A page of organisations, the oldest first.")
class OperatorTenantConnection:
    """Relay's connection with `nodes` beside `edges`."""

    nodes: list[OperatorTenant] = described("The organisations.")
    edges: list[OperatorTenantEdge] = described("The organisations with their positions.")
    page_info: PageInfo = described("Where this page stands.")


@model("An operator's key; its secret was shown when it was made.")
class OperatorKey:
    """Outside every tenant."""

    id: strawberry.ID = described("The key's id.")
    name: str = described("What it is for.")
    prefix: str = described("The part of its text that tells it from others.")
    role: OperatorRole = described("What it may do.")
    networks: list[str] = described("Where it is accepted from; empty: from the networks of the gateway's setting.")
    created_at: datetime = described("When it was made.")
    expires_at: datetime | None = described("Until when it works.", default=None)
    last_used_at: datetime | None = described("When it was last used.", default=None)
    revoked_at: datetime | None = described("When it was revoked.", default=None)

    @classmethod
    def of(cls, row: OperatorKeyRow) -> Self:
        """From a row."""
        return cls(
            id=strawberry.ID(row.id), name=row.name, prefix=row.prefix, role=OperatorRole(row.role),
            networks=list(row.networks), created_at=row.created_at, expires_at=row.expires_at,
            last_used_at=row.last_used_at, revoked_at=row.revoked_at,
        )  # fmt: skip


@model("A page of operators' keys, the oldest first.")
class OperatorKeyConnection:
    """Also those that were revoked."""

    nodes: list[OperatorKey] = described("The keys.")
    page_info: PageInfo = described("Where this page stands.")


@model("A value that is not as the list says.")
class TenantDifference:
    """Of one field."""

    field: str = described("`name`, `plan`, `status`, `reason` or `owner`.")
    before: str | None = described("As it was.", default=None)
    after: str | None = described("As the list says.", default=None)


@model("What one entry of a list of tenants comes to.")
class TenantChange:
    """In the order of the list."""

    external_id: str = described("The entry.")
    tenant_id: strawberry.ID | None = described("The organisation; null while it is not made.", default=None)
    kind: Kind = described("What becomes of it.")
    differences: list[TenantDifference] = described("What is not as the list says, and is made so.")
    notes: list[str] = described("What is not as the list says, and stays: the owner, a suspension it does not name.")

    @classmethod
    def of(cls, change: Change) -> Self:
        """From what was compared."""
        found = [TenantDifference(field=d.field, before=d.before, after=d.after) for d in change.differences]
        tenant = None if change.tenant is None else strawberry.ID(change.tenant)
        return cls(
            external_id=change.external_id, tenant_id=tenant, kind=change.kind, differences=found,
            notes=list(change.notes),
        )  # fmt: skip
