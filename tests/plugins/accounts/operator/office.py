"""An operator at work, and what tests of it look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from gateway.core.identity import OperatorRole
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.tables import audit
from tests.house import House

TENANT = "id name plan status statusReason externalId members"
ERRORS = "userErrors { field code message }"
CREATE = f"mutation($i: TenantCreateInput!) {{ tenantCreate(input: $i) {{ tenant {{ {TENANT} }} {ERRORS} }} }}"
SUSPEND = f"mutation($i: TenantSuspendInput!) {{ tenantSuspend(input: $i) {{ tenant {{ {TENANT} }} {ERRORS} }} }}"
RESUME = f"mutation($i: TenantResumeInput!) {{ tenantResume(input: $i) {{ tenant {{ {TENANT} }} {ERRORS} }} }}"
PLAN_SET = f"mutation($i: TenantPlanSetInput!) {{ tenantPlanSet(input: $i) {{ tenant {{ {TENANT} }} {ERRORS} }} }}"
TRIP_BREAKER = f"mutation($i: BreakerInput!) {{ breakerTrip(input: $i) {{ provider {{ id }} {ERRORS} }} }}"
APPLY = f"""
mutation($i: TenantsApplyInput!) {{
  tenantsApply(input: $i) {{
    applied untouched changes {{ externalId tenantId kind differences {{ field before after }} notes }} {ERRORS}
  }}
}}
"""


async def hired(house: House, role: OperatorRole = OperatorRole.OPERATOR) -> tuple[str, str]:
    """An operator's key: its id and its text."""
    async with house.store.write() as tx:
        row, secret = await house.host.service(KeyDesk).create_operator(tx, name="night shift", role=role, networks=[])
    return row.id, secret


async def tenant_with_key(house: House, name: str = "Acme", *scopes: str) -> tuple[str, str]:
    """A tenant and the text of one of its keys."""
    async with house.store.write() as tx:
        tenant = await house.host.service(OrganisationDesk).create(tx, name, None, plan="pro")
        _, secret = await house.host.service(KeyDesk).create(
            tx, tenant, name="all", scopes=list(scopes) or ["market:read", "keys:read"], created_by="usr_1"
        )
    return tenant, secret


async def change(house: House, document: str, key: str, **given: Any) -> Mapping[str, Any]:
    """The payload of a mutation."""
    (payload,) = (await house.ask(document, {"i": given}, key=key))["data"].values()
    return payload  # type: ignore[no-any-return]


async def trail(house: House, tenant: str) -> list[tuple[str, str, str, Any, Any]]:
    """Action, actor, target, before and after of a tenant's lines."""
    async with house.store.read() as tx:
        rows = await tx.connection.execute(select(audit).where(audit.c.tenant_id == tenant).order_by(audit.c.at))
        return [(row.action, row.actor, row.target, row.before, row.after) for row in rows]
