"""Making, renaming, switching, leaving, handing over, deleting and restoring an organisation."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from gateway.core.identity import Role
from gateway.core.store import new_id
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.organisations.rules import MOST_OWNED
from plugins.accounts.tables import organisations
from tests.gateway.doubles import NOON
from tests.plugins.accounts.organisations.company import (
    CREATE,
    DELETE,
    LEAVE,
    RESTORE,
    SWITCH,
    TRANSFER,
    UPDATE,
    VIEWER,
    Company,
)
from tests.plugins.accounts.sessions.people import Person, sign_in


async def test_whoever_makes_an_organisation_owns_it(company: Company):
    await company.guest("bob")

    made = (await company.ask("bob", CREATE, name="  Bob & Co.  "))["organisation"]

    assert {**made, "id": ""} == {"id": "", "name": "Bob & Co.", "role": "OWNER", "status": "ACTIVE"}
    assert [each["id"] for each in (await company.see("bob"))["organisations"]] == [made["id"]]
    assert await company.acts(made["id"]) == ["organisation.created"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "two\nlines", "nul\0", "turned\u202ename"])
async def test_an_organisation_needs_a_name_that_can_be_shown(company: Company, name: str):
    payload = await company.ask("ada", CREATE, name=name)

    assert payload["organisation"] is None
    assert [(e["code"], e["field"]) for e in payload["userErrors"]] == [("NAME_INVALID", ["input", "name"])]
    assert await company.count(organisations) == 1


async def test_the_same_idempotency_key_makes_one_organisation_a_day(company: Company):
    again = {"name": "Bob & Co.", "idempotencyKey": "b-1"}

    both = await asyncio.gather(*(company.ask("ada", CREATE, **again) for _ in range(2)))
    company.house.clock.turn(timedelta(hours=24, seconds=1).total_seconds())
    company.tokens["ada"] = (await sign_in(company.house, company.people["ada"])).access_token
    later = await company.ask("ada", CREATE, **again)

    assert both[0] == both[1]
    assert later["organisation"]["id"] != both[0]["organisation"]["id"]
    assert await company.count(organisations) == 3


async def test_the_same_idempotency_key_makes_one_organisation_also_behind_a_switch(company: Company):
    again = {"name": "Bob & Co.", "idempotencyKey": "b-1"}
    first = await company.ask("ada", CREATE, **again)

    switched = await company.ask("ada", SWITCH, id=first["organisation"]["id"])
    company.tokens["ada"] = switched["session"]["accessToken"]
    second = await company.ask("ada", CREATE, **again)

    assert second == first
    assert await company.count(organisations) == 2


async def test_another_person_with_the_same_key_makes_another(company: Company):
    bob = await company.guest("bob")

    first = await company.ask("ada", CREATE, name="Same", idempotencyKey="k")
    second = await company.ask("bob", CREATE, name="Same", idempotencyKey="k")

    assert first["organisation"]["id"] != second["organisation"]["id"]
    assert bob.tenant == ""


async def test_a_person_owns_a_bounded_number_of_organisations(company: Company):
    async with company.house.store.write() as tx:
        for number in range(MOST_OWNED - 1):
            await company.house.host.service(OrganisationDesk).create(tx, f"Firm {number}", company.people["ada"].id)

    assert await company.codes("ada", CREATE, name="One too many") == ["TOO_MANY_ORGANISATIONS"]
    assert await company.count(organisations) == MOST_OWNED


async def test_an_owner_renames_the_organisation(company: Company):
    payload = await company.ask("ada", UPDATE, name="Difference Engines")

    assert payload == {"tenant": {"id": company.tenant, "name": "Difference Engines"}, "userErrors": []}
    assert await company.acts() == ["organisation.renamed"]


async def test_an_admin_may_not_rename_it(company: Company):
    await company.hire("bob", Role.ADMIN)

    assert await company.refusal("bob", UPDATE, name="Bob's now") == "FORBIDDEN"
    assert (await company.see("ada"))["tenant"]["name"] == "Analytical Engines"


async def test_a_session_switches_and_its_old_token_follows(company: Company):
    made = (await company.ask("ada", CREATE, name="Second"))["organisation"]

    payload = await company.ask("ada", SWITCH, id=made["id"])
    company.tokens["switched"] = payload["session"]["accessToken"]

    assert payload["organisation"] == {"id": made["id"], "role": "OWNER"}
    assert (await company.see("switched"))["tenant"]["name"] == "Second"


async def test_no_session_switches_into_an_organisation_of_others(company: Company):
    eve = await company.guest("eve", "Eve and Sons")

    strange = await company.ask("ada", SWITCH, id=eve.tenant)
    missing = await company.ask("ada", SWITCH, id=new_id("ten"))

    assert strange == missing
    assert strange["userErrors"][0]["code"] == "NOT_FOUND"
    assert (await company.see("ada"))["tenant"]["id"] == company.tenant


async def test_no_session_switches_into_a_suspended_one(company: Company):
    made = (await company.ask("ada", CREATE, name="Second"))["organisation"]
    async with company.house.store.write() as tx:
        await company.house.host.service(OrganisationDesk).set_status(tx, made["id"], "suspended", "unpaid")

    assert await company.codes("ada", SWITCH, id=made["id"]) == ["SUSPENDED"]


async def test_who_leaves_goes_on_without_an_organisation(company: Company):
    bob = await company.hire("bob", Role.TRADER)
    company.tokens["phone"] = (await sign_in(company.house, bob)).access_token

    payload = await company.ask("bob", LEAVE)
    company.tokens["bob"] = payload["session"]["accessToken"]

    assert payload["organisationId"] == company.tenant
    assert await company.roles() == {"ada": "owner"}
    assert (await company.see("bob"))["tenant"] is None
    assert await company.refusal("phone", VIEWER) == "UNAUTHENTICATED"
    assert await company.acts() == ["member.left"]


async def test_the_only_owner_cannot_leave(company: Company):
    await company.hire("bob", Role.ADMIN)

    payload = await company.ask("ada", LEAVE)

    assert payload["userErrors"][0]["code"] == "LAST_OWNER"
    assert "organisationTransfer" in payload["userErrors"][0]["message"]
    assert await company.roles() == {"ada": "owner", "bob": "admin"}


async def test_an_owner_hands_over_and_is_an_admin_at_once(company: Company):
    bob = await company.hire("bob", Role.VIEWER)

    payload = await company.ask("ada", TRANSFER, userId=bob.id)

    assert payload == {"organisation": {"id": company.tenant, "role": "ADMIN"}, "userErrors": []}
    assert await company.roles() == {"ada": "admin", "bob": "owner"}
    assert await company.refusal("ada", UPDATE, name="Mine still") == "FORBIDDEN"
    assert await company.codes("bob", UPDATE, name="Bob's now") == []


async def test_nobody_outside_can_be_made_owner(company: Company):
    eve = await company.guest("eve", "Eve and Sons")

    strange = await company.ask("ada", TRANSFER, userId=eve.id)
    missing = await company.ask("ada", TRANSFER, userId=new_id("user"))
    odd = await company.ask("ada", TRANSFER, userId="nul\0")

    assert strange == missing == odd
    assert strange["userErrors"][0]["code"] == "NOT_FOUND"
    assert await company.codes("ada", TRANSFER, userId=company.people["ada"].id) == ["ALREADY_OWNER"]
    assert await company.roles() == {"ada": "owner"}


async def test_parallel_leaving_and_handing_over_never_leave_it_without_an_owner(company: Company):
    bob = await company.hire("bob", Role.OWNER)
    cleo = await company.hire("cleo", Role.VIEWER)
    await company.upgrade()

    await asyncio.gather(
        company.house.ask(LEAVE, token=company.tokens["ada"]),
        company.house.ask(LEAVE, token=company.tokens["bob"]),
        company.house.ask(TRANSFER, {"i": {"userId": bob.id}}, token=company.tokens["ada"]),
        company.house.ask(TRANSFER, {"i": {"userId": cleo.id}}, token=company.tokens["bob"]),
    )

    assert "owner" in (await company.roles()).values()


async def test_of_two_owners_who_leave_at_once_one_stays(company: Company):
    await company.hire("bob", Role.OWNER)

    answers = await asyncio.gather(company.ask("ada", LEAVE), company.ask("bob", LEAVE))

    codes = sorted(error["code"] for answer in answers for error in answer["userErrors"])
    assert codes == ["LAST_OWNER"]
    assert list((await company.roles()).values()) == ["owner"]


async def test_a_deleted_organisation_stops_and_an_owner_restores_it(company: Company):
    await company.hire("bob", Role.ADMIN)

    deleted = await company.ask("ada", DELETE, confirmName="Analytical Engines")
    stopped = await company.refusal("bob", "{ watchlists { nodes { id } } }")
    again = await company.codes("ada", DELETE, confirmName="Analytical Engines")
    restored = await company.ask("ada", RESTORE, id=company.tenant)

    until = (NOON + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert deleted == {"organisation": {"status": "DELETING"}, "eraseAt": until, "userErrors": []}
    assert stopped == "TENANT_SUSPENDED"
    assert again == ["ALREADY_DELETING"]
    assert restored["organisation"] == {"id": company.tenant, "status": "ACTIVE"}
    assert (await company.see("ada"))["tenant"]["eraseAt"] is None
    assert (await company.see("bob"))["tenant"]["status"] == "ACTIVE"
    assert await company.acts() == ["organisation.deleted", "organisation.restored"]


async def test_deletion_asks_for_the_exact_name(company: Company):
    assert await company.codes("ada", DELETE, confirmName="analytical engines") == ["NAME_DIFFERS"]
    assert (await company.see("ada"))["tenant"]["status"] == "ACTIVE"


async def test_only_an_owner_restores(company: Company):
    await company.hire("bob", Role.ADMIN)
    eve = await company.guest("eve", "Eve and Sons")
    await company.ask("ada", DELETE, confirmName="Analytical Engines")

    bob = company.people["bob"]
    company.tokens["bob"] = (await sign_in(company.house, Person(bob.id, ""))).access_token
    assert await company.codes("bob", RESTORE, id=company.tenant) == ["NOT_OWNER"]
    assert await company.codes("eve", RESTORE, id=company.tenant) == ["NOT_FOUND"]
    assert await company.codes("eve", RESTORE, id=eve.tenant) == ["NOT_DELETING"]
    assert (await company.see("ada"))["tenant"]["status"] == "DELETING"


async def test_an_organisation_that_was_being_deleted_waits_again_after_a_suspension(company: Company):
    await company.ask("ada", DELETE, confirmName="Analytical Engines")
    desk = company.house.host.service(OrganisationDesk)

    states = []
    for status in ("suspended", "active"):
        async with company.house.store.write() as tx:
            await desk.set_status(tx, company.tenant, status, "because")
        async with company.house.store.read() as tx:
            states.append(await tx.value(select(organisations.c.status).where(organisations.c.id == company.tenant)))

    assert states == ["suspended", "deleting"]


async def test_an_idempotency_key_that_comes_with_another_name_is_refused(company: Company):
    await company.ask("ada", CREATE, name="Bob & Co.", idempotencyKey="b-1")

    assert await company.codes("ada", CREATE, name="Bob Ltd.", idempotencyKey="b-1") == ["IDEMPOTENCY_MISMATCH"]
    assert await company.count(organisations) == 2
