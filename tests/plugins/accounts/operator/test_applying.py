"""A list of tenants is made so, all of it or nothing, and doing it again changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select

from gateway.core.identity import CallerKind, Principal
from gateway.core.store import Store
from plugins.accounts.operator.applying import Applying, Entry
from plugins.accounts.operator.tenants import Tenants, Wish
from plugins.accounts.tables import audit, memberships, organisations, users
from schema.words.problems import Refused
from tests.house import House
from tests.plugins.accounts.operator.office import APPLY, change, hired, trail

OPERATOR = Principal(tenant="", kind=CallerKind.OPERATOR, key="opk_1")
ENTRIES: list[dict[str, Any]] = [
    {"externalId": "crm-1", "name": "Alpha", "plan": "free", "ownerEmail": "alpha@example.com"},
    {"externalId": "crm-2", "name": "Beta", "plan": "pro", "status": "SUSPENDED", "statusReason": "unpaid"},
]


async def apply(house: House, key: str, entries: list[dict[str, Any]], *, dry_run: bool = False) -> Any:
    house.clock.turn(1)
    return await change(house, APPLY, key, tenants=entries, dryRun=dry_run)


def kinds(payload: Any) -> list[str]:
    return [each["kind"] for each in payload["changes"]]


async def rows(store: Store) -> list[tuple[Any, ...]]:
    columns = (organisations.c.external_id, organisations.c.name, organisations.c.plan, organisations.c.status)
    async with store.read() as tx:
        found = await tx.connection.execute(select(*columns).order_by(organisations.c.external_id))
        return [tuple(row) for row in found]


async def count(house: House, table: Any) -> int:
    async with house.store.read() as tx:
        return int(await tx.value(select(func.count()).select_from(table)))


async def test_a_rehearsal_says_what_would_be_done_and_does_nothing(house: House):
    _, key = await hired(house)

    payload = await apply(house, key, ENTRIES, dry_run=True)

    assert (payload["applied"], payload["untouched"], payload["userErrors"]) == (False, 0, [])
    assert payload["changes"] == [
        {
            "externalId": "crm-1", "tenantId": None, "kind": "CREATED", "differences": [
                {"field": "name", "before": None, "after": "Alpha"}, {"field": "plan", "before": None, "after": "free"},
                {"field": "owner", "before": None, "after": "alpha@example.com"},
            ], "notes": [],
        },
        {
            "externalId": "crm-2", "tenantId": None, "kind": "CREATED", "differences": [
                {"field": "name", "before": None, "after": "Beta"}, {"field": "plan", "before": None, "after": "pro"},
                {"field": "status", "before": None, "after": "suspended"},
                {"field": "reason", "before": None, "after": "unpaid"},
            ], "notes": [],
        },
    ]  # fmt: skip
    assert [await count(house, table) for table in (organisations, users, audit)] == [0, 0, 0]


async def test_a_list_is_carried_out_once_and_the_second_time_nothing_is_left_to_do(house: House):
    _, key = await hired(house)

    first = await apply(house, key, ENTRIES)
    lines = await count(house, audit)
    second = await apply(house, key, ENTRIES)

    assert (first["applied"], kinds(first), kinds(second)) == (True, ["CREATED"] * 2, ["UNCHANGED"] * 2)
    assert [each["tenantId"] for each in first["changes"]] == [each["tenantId"] for each in second["changes"]]
    assert await rows(house.store) == [
        ("crm-1", "Alpha", "free", "active"), ("crm-2", "Beta", "pro", "suspended")
    ]  # fmt: skip
    assert (await count(house, memberships), await count(house, audit), lines) == (1, 3, 3)


async def test_what_differs_is_changed_and_what_is_not_in_the_list_is_left_alone(house: House):
    key_id, key = await hired(house)
    beta = (await apply(house, key, ENTRIES))["changes"][1]["tenantId"]

    payload = await apply(
        house, key, [{"externalId": "crm-2", "name": "Beta SA", "plan": "free", "status": "ACTIVE"}]
    )  # fmt: skip

    assert (kinds(payload), payload["untouched"]) == (["CHANGED"], 1)
    assert payload["changes"][0]["differences"] == [
        {"field": "name", "before": "Beta", "after": "Beta SA"}, {"field": "plan", "before": "pro", "after": "free"},
        {"field": "status", "before": "suspended", "after": "active"},
    ]  # fmt: skip
    assert await rows(house.store) == [
        ("crm-1", "Alpha", "free", "active"), ("crm-2", "Beta SA", "free", "active")
    ]  # fmt: skip
    assert {line[:2] for line in await trail(house, beta)} == {
        (action, key_id)
        for action in ("tenant.created", "tenant.suspended", "tenant.renamed", "tenant.plan_set", "tenant.resumed")
    }


async def test_a_status_that_the_list_does_not_name_stays(house: House):
    _, key = await hired(house)
    await apply(house, key, ENTRIES)

    payload = await apply(house, key, [{"externalId": "crm-2", "name": "Beta", "plan": "pro"}])

    assert kinds(payload) == ["UNCHANGED"]
    assert (await rows(house.store))[1][3] == "suspended"


async def test_what_stays_though_the_list_says_otherwise_is_said(house: House):
    _, key = await hired(house)
    await apply(house, key, ENTRIES)
    again = [
        {"externalId": "crm-1", "name": "Alpha", "plan": "free", "ownerEmail": "beta@example.com"},
        {"externalId": "crm-2", "name": "Beta", "plan": "pro"},
    ]

    found = [await apply(house, key, entries, dry_run=dry) for entries, dry in ((again, True), (again, False))]
    same = await apply(house, key, ENTRIES)

    told = [
        ["owner: kept, transfers are the organisation's own affair"],
        ["status: stays suspended, write active to resume it"],
    ]
    assert [[each["notes"] for each in payload["changes"]] for payload in found] == [told, told]
    assert [each["notes"] for each in same["changes"]] == [[], []]
    assert [kinds(payload) for payload in found] == [["UNCHANGED"] * 2] * 2
    assert (await rows(house.store))[1][3] == "suspended"
    assert await count(house, users) == 1


async def test_one_wrong_entry_keeps_the_whole_list_back_and_each_is_named(house: House):
    _, key = await hired(house)
    entries = [
        *ENTRIES, {"externalId": "crm-3", "name": "", "plan": "free"},
        {"externalId": "crm-4", "name": "Delta", "plan": "gold"},
        {"externalId": "crm-1", "name": "Twice", "plan": "free"},
        {"externalId": "crm-5", "name": "Eta", "plan": "free", "ownerEmail": "nobody"},
    ]  # fmt: skip

    payload = await apply(house, key, entries)

    assert (payload["applied"], payload["changes"]) == (False, [])
    assert [(error["field"], error["code"]) for error in payload["userErrors"]] == [
        (["input", "tenants", "2", "name"], "NAME_INVALID"),
        (["input", "tenants", "3", "plan"], "UNKNOWN_PLAN"),
        (["input", "tenants", "4", "externalId"], "DUPLICATE"),
        (["input", "tenants", "5", "ownerEmail"], "EMAIL_INVALID"),
    ]
    assert [await count(house, table) for table in (organisations, users, audit)] == [0, 0, 0]


async def test_two_hundred_tenants_are_made_from_one_list(house: House):
    _, key = await hired(house)
    entries = [
        {"externalId": f"crm-{n:03}", "name": f"Tenant {n}", "plan": "free", "ownerEmail": f"owner{n % 50}@example.com"}
        for n in range(200)
    ]

    first = await apply(house, key, entries)
    second = await apply(house, key, entries)

    assert (set(kinds(first)), set(kinds(second))) == ({"CREATED"}, {"UNCHANGED"})
    assert [await count(house, table) for table in (organisations, users, memberships)] == [200, 50, 200]


async def test_lists_at_once_follow_one_another(house: House):
    applying, operator = Applying(house.host, Tenants(house.host)), house.context(OPERATOR)
    new = [Entry(external_id=f"crm-{n:02}", name=f"Tenant {n}", plan="free") for n in range(20)]
    forth = [replace(entry, name="Forth", plan="pro") for entry in new]
    back = [replace(entry, name="Back", plan="developer") for entry in reversed(new)]

    made = await asyncio.gather(*(applying.apply(operator, new, dry_run=False) for _ in range(3)))
    await asyncio.gather(*(applying.apply(operator, each, dry_run=False) for each in (forth, back)))

    assert sorted(str(applied.changes[0].kind) for applied in made) == ["CREATED", "UNCHANGED", "UNCHANGED"]
    assert len({row[1:] for row in await rows(house.store)}) == 1
    assert await count(house, organisations) == 20


async def test_a_list_and_a_tenant_of_the_same_name_at_once_make_one(house: House):
    applying, operator = Applying(house.host, Tenants(house.host)), house.context(OPERATOR)
    wish = Wish(name="Alpha", plan="free", external_id="crm-1")
    entry = Entry(external_id="crm-1", name="Alpha", plan="free")

    answers = await asyncio.gather(
        Tenants(house.host).create(operator, wish, None), applying.apply(operator, [entry], dry_run=False),
        return_exceptions=True,
    )  # fmt: skip

    assert [type(each) for each in answers if isinstance(each, Exception)] in ([], [Refused])
    assert await rows(house.store) == [("crm-1", "Alpha", "free", "active")]


async def test_an_empty_and_an_endless_list_are_refused(house: House):
    _, key = await hired(house)

    for entries in ([], [ENTRIES[0]] * 1_001):
        answer = await house.ask(APPLY, {"i": {"tenants": entries}}, key=key)
        assert answer["errors"][0]["extensions"]["field"] == "input.tenants"

    assert await rows(house.store) == []
