"""What operators read."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.core.contract import Ctx
from plugins.accounts.operator.credentials import OperatorKeys
from plugins.accounts.operator.store import TenantRow
from plugins.accounts.operator.tenants import Tenants
from plugins.accounts.operator.types import (
    OperatorKey,
    OperatorKeyConnection,
    OperatorTenant,
    OperatorTenantConnection,
    OperatorTenantEdge,
)
from plugins.accounts.organisations.rows import Status
from plugins.accounts.organisations.types import After, First
from schema.errors import BadInput
from schema.facts import facts
from schema.pages import Position, cursor_of, cut, page_length, page_size, position_of
from schema.scopes import Scope

TENANTS, KEYS = "tenant", "operatorkey"
LONGEST_SEARCH = 100

OfStatus = Annotated[Status | None, strawberry.argument(description="Only those of this status.")]
Search = Annotated[str | None, strawberry.argument(description="A part of the name, the id or the external id.")]
TenantId = Annotated[strawberry.ID, strawberry.argument(description="The tenant's id.")]


async def resolve_tenants(
    info: Ctx, first: First = 20, after: After = None, status: OfStatus = None, search: Search = None
) -> OperatorTenantConnection:
    """A page of them."""
    if search is not None and len(search) > LONGEST_SEARCH:
        raise BadInput("search", f"has {len(search)} characters, at most {LONGEST_SEARCH} are looked for")
    size, behind = page_size(first), position_of(TENANTS, after)
    wanted = status.value if status else None
    rows = await info.context.service(Tenants).page(size + 1, behind, wanted, search)
    shown, page = cut(rows, kind=TENANTS, size=size, after=after, position=_position)
    nodes = [OperatorTenant.of(row) for row in shown]
    edges = [
        OperatorTenantEdge(node=node, cursor=cursor_of(TENANTS, _position(row)))
        for node, row in zip(nodes, shown, strict=True)
    ]
    return OperatorTenantConnection(nodes=nodes, edges=edges, page_info=page)


def _position(row: TenantRow) -> Position:
    return row.created_at, row.id


async def resolve_tenant(info: Ctx, id: TenantId) -> OperatorTenant | None:
    """One of them."""
    row = await info.context.service(Tenants).find(id)
    return None if row is None else OperatorTenant.of(row)


async def resolve_operator_keys(info: Ctx, first: First = 20, after: After = None) -> OperatorKeyConnection:
    """A page of them."""
    size, behind = page_size(first), position_of(KEYS, after)
    rows = await info.context.service(OperatorKeys).page(size + 1, behind)
    shown, page = cut(rows, kind=KEYS, size=size, after=after, position=lambda row: (row.created_at, row.id))
    return OperatorKeyConnection(nodes=[OperatorKey.of(row) for row in shown], page_info=page)


@strawberry.type
class OperatorQuery:
    """Root fields of operators."""

    tenants: OperatorTenantConnection = strawberry.field(
        resolver=resolve_tenants,
        metadata=facts(cost=2, times=page_length, needs=Scope.OPERATOR_READ),
        description="For operators: all organisations, the oldest first.",
    )
    tenant: OperatorTenant | None = strawberry.field(
        resolver=resolve_tenant,
        metadata=facts(needs=Scope.OPERATOR_READ),
        description="For operators: an organisation; null where there is none with this id.",
    )
    operator_keys: OperatorKeyConnection = strawberry.field(
        resolver=resolve_operator_keys, metadata=facts(times=page_length, needs=Scope.OPERATOR_READ),
        description="For operators: their keys, also those that were revoked, the oldest first.",
    )  # fmt: skip
