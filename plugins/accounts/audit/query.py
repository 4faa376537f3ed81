"""Reading the audit trail: an organisation its own, the operator anybody's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from gateway.core.contract import Context, Ctx
from plugins.accounts.audit.desk import AuditDesk
from plugins.accounts.audit.rows import AuditRow
from plugins.accounts.audit.types import AuditEntry, AuditEntryConnection, AuditEntryEdge, exported
from schema.errors import BadInput
from schema.facts import facts
from schema.names import check_word
from schema.pages import cursor_of, cut, page_length, page_size, position_of
from schema.scalars import Cursor
from schema.scopes import Scope

KIND = "audit"
LONGEST_EXPORT = 10_000
EXPORT_COST = 50

First = Annotated[int | None, strawberry.argument(description="How many, 1 to 100; 20 where it is not given.")]
After = Annotated[Cursor | None, strawberry.argument(description="Behind this position of an earlier page.")]
Action = Annotated[str | None, strawberry.argument(description="Only this action, such as `apikey.revoked`.")]
Actor = Annotated[str | None, strawberry.argument(description="Only what this user, key or token did.")]
Since = Annotated[datetime | None, strawberry.argument(description="Only from this instant on.")]
Until = Annotated[datetime | None, strawberry.argument(description="Only before this instant.")]
Begin = Annotated[datetime, strawberry.argument(description="The first instant.")]
End = Annotated[datetime, strawberry.argument(description="The first instant that is not in it any more.")]
Whose = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="The organisation; without one, what was done outside every organisation."),
]


async def resolve_audit_trail(
    info: Ctx,
    first: First = None,
    after: After = None,
    action: Action = None,
    actor: Actor = None,
    since: Since = None,
    until: Until = None,
) -> AuditEntryConnection:
    """The caller's own organisation."""
    return await _page(info.context, info.context.tenant, first, after, action, actor, since, until)


async def resolve_operator_audit_trail(
    info: Ctx,
    tenant: Whose = None,
    first: First = None,
    after: After = None,
    action: Action = None,
    actor: Actor = None,
    since: Since = None,
    until: Until = None,
) -> AuditEntryConnection:
    """Any organisation, or none."""
    check_word("tenant", tenant or None)
    return await _page(info.context, tenant or "", first, after, action, actor, since, until)


async def _page(
    context: Context,
    tenant: str,
    first: int | None,
    after: Cursor | None,
    action: str | None,
    actor: str | None,
    since: datetime | None,
    until: datetime | None,
) -> AuditEntryConnection:
    check_word("action", action)
    check_word("actor", actor)
    size, before = page_size(first), position_of(KIND, after)
    store = context.service(AuditDesk).store
    async with context.host.store.read() as tx:
        rows = await store.newest(
            tx, tenant, size + 1, before=before, action=action, actor=actor, since=since, until=until
        )
    shown, info = cut(rows, kind=KIND, size=size, after=after, position=_position)
    nodes = [AuditEntry.of(row) for row in shown]
    edges = [
        AuditEntryEdge(node=node, cursor=cursor_of(KIND, _position(row)))
        for node, row in zip(nodes, shown, strict=True)
    ]
    return AuditEntryConnection(nodes=nodes, edges=edges, page_info=info)


def _position(row: AuditRow) -> tuple[datetime, str]:
    return row.at, row.id


async def resolve_audit_export(info: Ctx, since: Begin, until: End) -> str:
    """One JSON object a line, the oldest first."""
    context = info.context
    async with context.host.store.read() as tx:
        rows = await context.service(AuditDesk).store.oldest(
            tx, context.tenant, LONGEST_EXPORT + 1, since=since, until=until
        )
    if len(rows) > LONGEST_EXPORT:
        told = f"the range holds more than {LONGEST_EXPORT:,} lines: end it by {rows[-1].at.isoformat()}"
        raise BadInput("until", told)
    return "".join(f"{exported(row)}\n" for row in rows)


@strawberry.type
class AuditQuery:
    """Root fields of the audit trail."""

    audit_trail: AuditEntryConnection = strawberry.field(
        resolver=resolve_audit_trail,
        metadata=facts(cost=2, times=page_length, needs=Scope.AUDIT_READ),
        description="Who did what in the caller's organisation, the newest first.",
    )
    audit_export: str = strawberry.field(
        resolver=resolve_audit_export,
        metadata=facts(cost=EXPORT_COST, needs=Scope.AUDIT_READ),
        description="The audit trail of a range of time as lines of JSON, the oldest first, at most 10,000 lines.",
    )
    operator_audit_trail: AuditEntryConnection = strawberry.field(
        resolver=resolve_operator_audit_trail, metadata=facts(cost=2, times=page_length, needs=Scope.OPERATOR_READ),
        description="For operators: who did what in an organisation, or outside all of them, the newest first.",
    )  # fmt: skip
