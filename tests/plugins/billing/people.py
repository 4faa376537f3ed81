"""Callers of billing's fields, and what its tests do again and again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, table
from sqlalchemy.sql import column, func

from gateway.core.identity import (
    OPERATOR_SCOPES,
    ROLE_SCOPES,
    UNLIMITED,
    CallerKind,
    OperatorRole,
    PlanLimits,
    Principal,
    Role,
)
from gateway.core.ports import Organisations, Spent
from gateway.edge.execute import OperationRequest, RequestFacts
from plugins.billing.usage.meter import Meter
from tests.gateway.doubles import NOON
from tests.house import House

OPERATOR = Principal(tenant="", kind=CallerKind.OPERATOR, key="opkey_1", scopes=OPERATOR_SCOPES[OperatorRole.OPERATOR])
AUDITOR = Principal(tenant="", kind=CallerKind.OPERATOR, key="opkey_2", scopes=OPERATOR_SCOPES[OperatorRole.AUDITOR])

DEFINE = """
mutation Define($input: PlanDefineInput!) {
  planDefine(input: $input) { plan { name monthlyPrice currency } userErrors { field code message } }
}"""
GOLD = {
    "name": "gold", "pointsPerMinute": 500, "concurrency": 5, "streams": 4, "webhooks": 3, "monthlyPrice": "30.00",
    "currency": "USD", "pointPrice": "0.50", "includedPoints": 1000,
}  # fmt: skip


def member(tenant: str, role: Role = Role.OWNER, limits: PlanLimits = UNLIMITED, key: str | None = None) -> Principal:
    return Principal(
        tenant=tenant, scopes=ROLE_SCOPES[role], role=role, limits=limits, key=key, user=None if key else "usr_1",
        kind=CallerKind.API_KEY if key else CallerKind.USER,
    )  # fmt: skip


async def ask(house: House, caller: Principal, document: str, **variables: Any) -> dict[str, Any]:
    """Through the executor, as every transport asks."""
    request = OperationRequest(query=document, variables=variables)
    facts = RequestFacts(request_id="req_test", transport="http", client_ip="127.0.0.1")
    result = await house.executor.execute(request, facts, principal=caller)
    return result.body()


async def data(house: House, caller: Principal, document: str, **variables: Any) -> Any:
    """The data; there must be no errors."""
    body = await ask(house, caller, document, **variables)
    assert "errors" not in body, body["errors"]
    return body["data"]


async def define(house: House, **changed: Any) -> Any:
    return (await data(house, OPERATOR, DEFINE, input={**GOLD, **changed}))["planDefine"]


async def found(house: House, name: str, plan: str = "free") -> str:
    """A new organisation."""
    async with house.store.write() as tx:
        return str(await house.host.service(Organisations).create(tx, name, None, plan=plan))  # type: ignore[attr-defined]


async def put_on(house: House, tenant: str, plan: str) -> None:
    async with house.store.write() as tx:
        await house.host.service(Organisations).set_plan(tx, tenant, plan)  # type: ignore[attr-defined]


def spent(
    tenant: str,
    points: int = 1,
    at: datetime = NOON,
    *,
    fields: Mapping[str, int] | None = None,
    key: str | None = None,
    calls: Mapping[str, int] | None = None,
    hits: Mapping[str, int] | None = None,
    failed: bool = False,
    limits: PlanLimits = UNLIMITED,
) -> Spent:
    return Spent(
        principal=member(tenant, limits=limits, key=key), at=at, points=points, failed=failed,
        fields={"quote": points} if fields is None else fields, upstream_calls=calls or {}, hits=hits or {},
    )  # fmt: skip


async def use(house: House, tenant: str, points: int, at: datetime) -> None:
    """Points that are written."""
    meter = house.host.service(Meter)
    meter.note(spent(tenant, points, at))
    await meter.flush()


async def count(house: House, name: str) -> int:
    """Rows of a table."""
    async with house.store.read() as tx:
        return int(await tx.value(select(func.count()).select_from(table(name))))


async def acts(house: House, *actions: str) -> list[tuple[str, str]]:
    """Tenant and action of the audit trail's lines of some kinds."""
    audit = table("accounts_audit", column("tenant_id"), column("action"), column("at"), column("id"))
    lines = (
        select(audit.c.tenant_id, audit.c.action).where(audit.c.action.in_(actions)).order_by(audit.c.at, audit.c.id)
    )
    async with house.store.read() as tx:
        return sorted((row.tenant_id, row.action) for row in await tx.connection.execute(lines))
