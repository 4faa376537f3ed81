"""Operators make, suspend, resume and re-plan tenants, and nobody else does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from gateway.core.identity import CallerKind, OperatorRole, Principal
from plugins.accounts.operator.tenants import Tenants
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.tables import memberships, organisations, users
from tests.house import House
from tests.plugins.accounts.operator.office import (
    CREATE,
    PLAN_SET,
    RESUME,
    SUSPEND,
    change,
    hired,
    tenant_with_key,
    trail,
)

LIST = """
query($first: Int, $after: Cursor, $status: TenantStatus, $search: String) {
  tenants(first: $first, after: $after, status: $status, search: $search) {
    nodes { name } pageInfo { hasNextPage endCursor }
  }
}
"""
ONE = """
query($id: ID!) {
  tenant(id: $id) {
    id name members usage(start: "2026-11-01T00:00:00Z", end: "2026-11-20T00:00:00Z") { key }
  }
}
"""
QUOTE = '{ quote(symbol: "BTC/USD") { price } }'
KEYS = "{ apiKeys { nodes { id } } }"


async def count(house: House, table: Any) -> int:
    async with house.store.read() as tx:
        return int(await tx.value(select(func.count()).select_from(table)))


async def test_a_tenant_is_made_with_its_owner_and_stands_in_its_own_trail(house: House):
    key_id, key = await hired(house)

    payload = await change(
        house, CREATE, key, name=" Acme ", plan="pro", ownerEmail="Owner@Example.com", externalId="crm-7"
    )

    tenant = payload["tenant"]
    assert payload["userErrors"] == []
    assert {name: tenant[name] for name in tenant if name != "id"} == {
        "name": "Acme", "plan": "pro", "status": "ACTIVE", "statusReason": None, "externalId": "crm-7", "members": 1,
    }  # fmt: skip
    async with house.store.read() as tx:
        owner, email = (
            await tx.connection.execute(
                select(memberships.c.user_id, users.c.email).join(users, users.c.id == memberships.c.user_id)
            )
        ).one()
    assert email == "owner@example.com"
    assert await trail(house, tenant["id"]) == [
        ("tenant.created", key_id, tenant["id"], None,
         {"name": "Acme", "plan": "pro", "externalId": "crm-7", "owner": owner})
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "field", "code", "told"),
    [
        ({"name": "  "}, "name", "NAME_INVALID", "The name is empty: give 1 to 100 characters."),
        ({"plan": "gold"}, "plan", "UNKNOWN_PLAN", "There is no plan 'gold': `plans` lists them."),
        ({"ownerEmail": "nobody"}, "ownerEmail", "EMAIL_INVALID", "@"),
        ({"externalId": "crm-1"}, "externalId", "EXTERNAL_ID_TAKEN", "Another organisation has this external id"),
        ({"externalId": ""}, "externalId", "EXTERNAL_ID_INVALID", "The external id is empty"),
    ],
)
async def test_a_tenant_that_cannot_be_is_refused_in_words_and_nothing_is_made(
    house: House, given: dict[str, str], field: str, code: str, told: str
):
    _, key = await hired(house)
    await change(house, CREATE, key, name="First", plan="free", externalId="crm-1")

    payload = await change(
        house, CREATE, key, **{"name": "Acme", "plan": "free", "ownerEmail": "a@example.com", **given}
    )

    (error,) = payload["userErrors"]
    assert (payload["tenant"], error["field"], error["code"]) == (None, ["input", field], code)
    assert told in error["message"]
    assert (await count(house, organisations), await count(house, users)) == (1, 0)


async def test_the_same_idempotency_key_makes_one_tenant(house: House):
    _, key = await hired(house)
    given = {"name": "Acme", "plan": "free", "idempotencyKey": "import-1"}

    first, second = [await change(house, CREATE, key, **given) for _ in range(2)]

    assert first == second
    assert await count(house, organisations) == 1


async def test_a_suspended_tenant_is_turned_away_at_once_and_let_in_again(house: House):
    key_id, operator = await hired(house)
    tenant, key = await tenant_with_key(house)
    before = await house.ask(QUOTE, key=key)

    suspended = await change(house, SUSPEND, operator, id=tenant, reason="unpaid since May")
    during = await house.ask(QUOTE, key=key)
    again = await change(house, SUSPEND, operator, id=tenant, reason="unpaid since May")
    resumed = await change(house, RESUME, operator, id=tenant)
    after = await house.ask(QUOTE, key=key)

    assert "errors" not in before
    assert "errors" not in after
    assert (suspended["tenant"]["status"], suspended["tenant"]["statusReason"]) == ("SUSPENDED", "unpaid since May")
    assert [error["extensions"]["code"] for error in during["errors"]] == ["TENANT_SUSPENDED"]
    assert again["tenant"] == suspended["tenant"]
    assert (resumed["tenant"]["status"], resumed["tenant"]["statusReason"]) == ("ACTIVE", None)
    assert await trail(house, tenant) == [
        ("tenant.suspended", key_id, tenant, {"status": "active", "reason": None},
         {"status": "suspended", "reason": "unpaid since May"}),
        ("tenant.resumed", key_id, tenant, {"status": "suspended", "reason": "unpaid since May"},
         {"status": "active", "reason": None}),
    ]  # fmt: skip


async def test_parallel_acts_stand_in_the_trail_once(house: House):
    tenant, _ = await tenant_with_key(house)
    desk, operator = Tenants(house.host), house.context(Principal(tenant="", kind=CallerKind.OPERATOR, key="opk_1"))

    await asyncio.gather(*(desk.suspend(operator, tenant, "unpaid") for _ in range(4)))
    await asyncio.gather(*(desk.set_plan(operator, tenant, "free") for _ in range(4)))
    await asyncio.gather(*(desk.resume(operator, tenant) for _ in range(4)))

    assert sorted(line[0] for line in await trail(house, tenant)) == [
        "tenant.plan_set", "tenant.resumed", "tenant.suspended"
    ]  # fmt: skip


async def test_another_plan_holds_at_once(house: House):
    key_id, operator = await hired(house)
    tenant, key = await tenant_with_key(house)
    limits = "{ viewer { tenant { plan limits { name limit } } } }"
    before = (await house.ask(limits, key=key))["data"]["viewer"]["tenant"]

    await change(house, PLAN_SET, operator, id=tenant, plan="free")
    after = (await house.ask(limits, key=key))["data"]["viewer"]["tenant"]
    await change(house, PLAN_SET, operator, id=tenant, plan="free")
    unknown = await change(house, PLAN_SET, operator, id=tenant, plan="gold")

    assert (before["plan"], after["plan"]) == ("pro", "free")
    assert before["limits"] != after["limits"]
    assert [error["code"] for error in unknown["userErrors"]] == ["UNKNOWN_PLAN"]
    assert await trail(house, tenant) == [("tenant.plan_set", key_id, tenant, {"plan": "pro"}, {"plan": "free"})]


@pytest.mark.parametrize(
    ("document", "given"), [(SUSPEND, {"reason": "r"}), (RESUME, {}), (PLAN_SET, {"plan": "free"})]
)
async def test_an_id_of_no_tenant_is_not_found(house: House, document: str, given: dict[str, str]):
    _, key = await hired(house)

    for id in ("ten_nobody", "", "x" * 100, "ü"):
        (error,) = (await change(house, document, key, id=id, **given))["userErrors"]
        assert (error["field"], error["code"]) == (["input", "id"], "NOT_FOUND")

    assert await trail(house, "") == []


async def test_a_suspension_needs_a_reason(house: House):
    _, key = await hired(house)
    tenant, _ = await tenant_with_key(house)

    (error,) = (await change(house, SUSPEND, key, id=tenant, reason=" "))["userErrors"]

    assert (error["code"], error["message"]) == (
        "REASON_INVALID", "The reason is empty: give 1 to 300 characters."
    )  # fmt: skip
    assert await trail(house, tenant) == []


async def test_tenants_are_listed_in_pages_by_status_and_by_a_part_of_their_names(house: House):
    _, key = await hired(house)
    for number, name in enumerate(("Alpha", "Beta", "alphabet", "100% Gamma")):
        house.clock.turn(1)
        await change(house, CREATE, key, name=name, plan="free", externalId=f"crm-{number}")
    house.clock.turn(1)
    omega = await change(house, CREATE, key, name="Omega", plan="free")
    await change(house, SUSPEND, key, id=omega["tenant"]["id"], reason="r")

    async def listed(**variables: Any) -> list[str]:
        return [node["name"] for node in (await house.ask(LIST, variables, key=key))["data"]["tenants"]["nodes"]]

    page = (await house.ask(LIST, {"first": 3}, key=key))["data"]["tenants"]
    rest = await listed(first=3, after=page["pageInfo"]["endCursor"])

    assert [node["name"] for node in page["nodes"]] == ["Alpha", "Beta", "alphabet"]
    assert (page["pageInfo"]["hasNextPage"], rest) == (True, ["100% Gamma", "Omega"])
    assert await listed(search="ALPHA") == ["Alpha", "alphabet"]
    assert await listed(search="%") == ["100% Gamma"]
    assert await listed(search="crm-1") == ["Beta"]
    assert await listed(status="SUSPENDED") == ["Omega"]


async def test_one_tenant_is_shown_with_its_usage(house: House):
    _, key = await hired(house, OperatorRole.AUDITOR)
    tenant, _ = await tenant_with_key(house)

    found = await house.ask(ONE, {"id": tenant}, key=key)
    nobody = await house.ask(ONE, {"id": "ten_nobody"}, key=key)

    assert found["data"]["tenant"] == {"id": tenant, "name": "Acme", "members": 0, "usage": []}
    assert nobody["data"]["tenant"] is None


async def test_an_auditor_reads_and_changes_nothing(house: House):
    _, key = await hired(house, OperatorRole.AUDITOR)
    tenant, _ = await tenant_with_key(house)

    refused = await house.ask(SUSPEND, {"i": {"id": tenant, "reason": "r"}}, key=key)

    assert refused["errors"][0]["extensions"]["missingScope"] == "operator:write"
    async with house.store.read() as tx:
        row = await house.host.service(OrganisationDesk).status(tx, tenant)
    assert row is not None
    assert row.status == "active"


async def test_nobody_inside_a_tenant_gets_at_the_operators_fields_and_the_operator_at_none_of_the_tenants(
    house: House,
):
    _, operator = await hired(house)
    tenant, key = await tenant_with_key(house)

    for document, variables in (
        (LIST, {}), (ONE, {"id": tenant}), (SUSPEND, {"i": {"id": tenant, "reason": "r"}}),
        (CREATE, {"i": {"name": "x", "plan": "free"}}), ("{ operatorKeys { nodes { id } } }", {}),
    ):  # fmt: skip
        refused = await house.ask(document, variables, key=key)
        assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert "data" not in refused
    inside = await house.ask(KEYS, key=operator)

    assert inside["errors"][0]["extensions"]["missingScope"] == "keys:read"
    assert await count(house, organisations) == 1


async def test_an_idempotency_key_that_comes_with_another_tenant_is_refused(house: House):
    _, key = await hired(house)
    await change(house, CREATE, key, name="Acme", plan="free", idempotencyKey="import-1")

    payload = await change(house, CREATE, key, name="Acme", plan="pro", idempotencyKey="import-1")

    assert [error["code"] for error in payload["userErrors"]] == ["IDEMPOTENCY_MISMATCH"]
    assert await count(house, organisations) == 1
