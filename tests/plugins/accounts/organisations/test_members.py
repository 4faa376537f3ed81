"""Roles, removals and invitations."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gateway.core.identity import Role
from gateway.core.store import new_id
from plugins.accounts.tables import invitations, mails, memberships
from tests.plugins.accounts.organisations.company import (
    ACCEPT,
    DELETE,
    INVITE,
    MEMBERS,
    PENDING,
    REMOVE,
    REVOKE,
    SET_ROLE,
    VIEWER,
    Company,
)
from tests.plugins.accounts.sessions.people import Person, sign_in


async def test_an_admin_gives_rights_that_hold_at_once(company: Company):
    await company.hire("bob", Role.ADMIN)
    cleo = await company.hire("cleo", Role.VIEWER)
    before = (await company.see("cleo"))["role"]

    payload = await company.ask("bob", SET_ROLE, userId=cleo.id, role="TRADER")

    assert payload == {"member": {"userId": cleo.id, "role": "TRADER"}, "userErrors": []}
    assert (before, (await company.see("cleo"))["role"]) == ("VIEWER", "TRADER")
    assert await company.acts() == ["member.role_set"]


async def test_rights_that_are_lost_are_lost_at_once(company: Company):
    bob = await company.hire("bob", Role.ADMIN)
    assert (await company.see("bob"))["role"] == "ADMIN"

    await company.ask("ada", SET_ROLE, userId=bob.id, role="VIEWER")

    assert await company.refusal("bob", VIEWER) == "UNAUTHENTICATED"
    company.tokens["bob"] = (await sign_in(company.house, bob)).access_token
    assert await company.refusal("bob", INVITE, email="x@example.com", role="VIEWER") == "FORBIDDEN"


async def test_the_same_role_again_changes_nothing(company: Company):
    bob = await company.hire("bob", Role.ADMIN)

    assert await company.codes("ada", SET_ROLE, userId=bob.id, role="ADMIN") == []
    assert (await company.see("bob"))["role"] == "ADMIN"
    assert await company.acts() == []


async def test_nobody_gives_or_takes_more_than_they_have(company: Company):
    bob = await company.hire("bob", Role.ADMIN)
    ada = company.people["ada"]

    assert await company.codes("bob", SET_ROLE, userId=bob.id, role="OWNER") == ["ROLE_TOO_HIGH"]
    assert await company.codes("bob", SET_ROLE, userId=ada.id, role="VIEWER") == ["ROLE_TOO_HIGH"]
    assert await company.codes("bob", REMOVE, userId=ada.id) == ["ROLE_TOO_HIGH"]
    assert await company.codes("bob", INVITE, email="x@example.com", role="OWNER") == ["ROLE_TOO_HIGH"]
    assert await company.roles() == {"ada": "owner", "bob": "admin"}
    assert await company.count(invitations) == 0
    assert await company.acts() == []


async def test_the_only_owner_is_neither_demoted_nor_removed(company: Company):
    ada = company.people["ada"]

    assert await company.codes("ada", SET_ROLE, userId=ada.id, role="ADMIN") == ["LAST_OWNER"]
    assert await company.codes("ada", REMOVE, userId=ada.id) == ["LAST_OWNER"]
    assert await company.roles() == {"ada": "owner"}


async def test_of_two_owners_who_remove_each_other_one_stays(company: Company):
    ada, bob = company.people["ada"], await company.hire("bob", Role.OWNER)

    await asyncio.gather(
        company.house.ask(REMOVE, {"i": {"userId": bob.id}}, token=company.tokens["ada"]),
        company.house.ask(REMOVE, {"i": {"userId": ada.id}}, token=company.tokens["bob"]),
    )

    assert list((await company.roles()).values()) == ["owner"]


async def test_a_removed_member_is_out_at_once(company: Company):
    bob = await company.hire("bob", Role.TRADER)
    assert (await company.see("bob"))["role"] == "TRADER"

    payload = await company.ask("ada", REMOVE, userId=bob.id)

    assert payload == {"userId": bob.id, "userErrors": []}
    assert await company.refusal("bob", VIEWER) == "UNAUTHENTICATED"
    assert await company.roles() == {"ada": "owner"}


async def test_members_of_others_are_as_unknown_as_nobody(company: Company):
    eve = await company.guest("eve", "Eve and Sons")

    for document, more in ((SET_ROLE, {"role": "VIEWER"}), (REMOVE, {})):
        strange = await company.ask("ada", document, userId=eve.id, **more)
        missing = await company.ask("ada", document, userId=new_id("user"), **more)
        assert strange == missing
        assert strange["userErrors"][0]["code"] == "NOT_FOUND"
    assert (await company.see("eve"))["role"] == "OWNER"


async def test_an_unknown_role_is_refused_by_name(company: Company):
    bob = await company.hire("bob", Role.ADMIN)

    answer = await company.house.ask(
        SET_ROLE, {"i": {"userId": bob.id, "role": "EMPEROR"}}, token=company.tokens["ada"]
    )

    assert "EMPEROR" in answer["errors"][0]["message"]
    assert await company.roles() == {"ada": "owner", "bob": "admin"}


async def test_an_invitation_goes_by_mail_and_is_accepted_once(company: Company):
    await company.guest("bob")

    made = (await company.ask("ada", INVITE, email="Bob@Example.com", role="ANALYST"))["invitation"]
    token = await company.invited("bob@example.com")
    accepted = await company.ask("bob", ACCEPT, token=token)
    again = await company.codes("bob", ACCEPT, token=token)

    assert (made["email"], made["role"]) == ("bob@example.com", "ANALYST")
    assert made["expiresAt"] == "2026-11-27T12:00:00Z"
    assert accepted["organisation"] == {"id": company.tenant, "name": "Analytical Engines", "role": "ANALYST"}
    assert again == ["INVITATION_INVALID"]
    assert await company.roles() == {"ada": "owner", "bob": "analyst"}
    assert await company.acts() == ["invitation.accepted", "invitation.created"]


async def test_the_mail_names_who_invites_and_carries_nobodys_words(company: Company):
    await company.ask("ada", INVITE, email="bob@example.com", role="VIEWER")

    (text,) = await company.letters("bob@example.com")

    assert text.startswith("ada@example.com invites you to an organisation on Marketgate.")
    assert "Analytical Engines" not in text


async def test_parallel_accepts_make_one_membership(company: Company):
    bob = await company.guest("bob")
    company.tokens["phone"] = (await sign_in(company.house, Person(bob.id, ""))).access_token
    await company.ask("ada", INVITE, email="bob@example.com", role="VIEWER")
    token = await company.invited("bob@example.com")

    answers = await asyncio.gather(*(company.codes(by, ACCEPT, token=token) for by in ("bob", "phone")))

    assert sorted(answers) == [[], ["INVITATION_INVALID"]]
    assert await company.count(memberships) == 2


async def test_an_invitation_is_for_the_invited_address_alone(company: Company):
    await company.guest("eve", "Eve and Sons")
    await company.ask("ada", INVITE, email="bob@example.com", role="VIEWER")

    payload = await company.ask("eve", ACCEPT, token=await company.invited("bob@example.com"))

    assert payload["organisation"] is None
    assert payload["userErrors"][0]["code"] == "INVITATION_FOR_ANOTHER_ADDRESS"
    assert await company.roles() == {"ada": "owner"}


async def test_an_invitation_expires_after_seven_days(company: Company):
    bob = await company.guest("bob")
    await company.ask("ada", INVITE, email="bob@example.com", role="VIEWER")
    token = await company.invited("bob@example.com")

    company.house.clock.turn(timedelta(days=7).total_seconds())
    company.tokens["bob"] = (await sign_in(company.house, bob)).access_token

    assert await company.codes("bob", ACCEPT, token=token) == ["INVITATION_EXPIRED"]
    assert await company.roles() == {"ada": "owner"}


async def test_a_second_invitation_replaces_the_first(company: Company):
    await company.guest("bob")
    await company.ask("ada", INVITE, email="bob@example.com", role="OWNER")
    first = await company.invited("bob@example.com")
    company.house.clock.turn(1)

    await company.ask("ada", INVITE, email="bob@example.com", role="VIEWER")
    second = await company.invited("bob@example.com")

    pending = (await company.see("ada", PENDING))["tenant"]["invitations"]["nodes"]
    assert [(each["email"], each["role"]) for each in pending] == [("bob@example.com", "VIEWER")]
    assert await company.codes("bob", ACCEPT, token=first) == ["INVITATION_INVALID"]
    assert await company.codes("bob", ACCEPT, token=second) == []
    assert await company.roles() == {"ada": "owner", "bob": "viewer"}


async def test_the_same_idempotency_key_invites_once(company: Company):
    given = {"email": "bob@example.com", "role": "VIEWER", "idempotencyKey": "invite-bob"}

    first = await company.ask("ada", INVITE, **given)
    second = await company.ask("ada", INVITE, **given)

    assert first == second
    assert await company.count(mails) == 1


async def test_a_revoked_invitation_works_no_more(company: Company):
    await company.guest("bob")
    made = (await company.ask("ada", INVITE, email="bob@example.com", role="VIEWER"))["invitation"]
    token = await company.invited("bob@example.com")

    assert await company.ask("ada", REVOKE, id=made["id"]) == {"invitationId": made["id"], "userErrors": []}
    assert await company.codes("ada", REVOKE, id=made["id"]) == ["NOT_FOUND"]
    assert await company.codes("bob", ACCEPT, token=token) == ["INVITATION_INVALID"]
    assert await company.roles() == {"ada": "owner"}


@pytest.mark.parametrize(
    ("document", "more"), [(REMOVE, {}), (SET_ROLE, {"role": "TRADER"}), (SET_ROLE, {"role": "VIEWER"})]
)
async def test_who_loses_the_right_to_invite_leaves_no_invitation_behind(
    company: Company, document: str, more: dict[str, str]
):
    bob = await company.hire("bob", Role.ADMIN)
    await company.guest("eve")
    await company.ask("bob", INVITE, email="eve@example.com", role="ADMIN")
    kept = (await company.ask("ada", INVITE, email="carol@example.com", role="VIEWER"))["invitation"]

    assert await company.codes("ada", document, userId=bob.id, **more) == []

    assert await company.codes("eve", ACCEPT, token=await company.invited("eve@example.com")) == ["INVITATION_INVALID"]
    pending = (await company.see("ada", PENDING))["tenant"]["invitations"]["nodes"]
    assert [each["id"] for each in pending] == [kept["id"]]
    assert (await company.acts()).count("invitation.revoked") == 1


async def test_an_owner_who_becomes_an_admin_leaves_no_invitation_to_own(company: Company):
    bob = await company.hire("bob", Role.OWNER)
    await company.guest("eve")
    await company.ask("bob", INVITE, email="eve@example.com", role="OWNER")

    await company.ask("ada", SET_ROLE, userId=bob.id, role="ADMIN")

    assert await company.codes("eve", ACCEPT, token=await company.invited("eve@example.com")) == ["INVITATION_INVALID"]


@pytest.mark.parametrize("token", ["", "guessed", "x" * 5_000, "nul\0", "\u00e9"])
async def test_a_token_that_was_never_made_is_invalid(company: Company, token: str):
    await company.guest("bob")

    assert await company.codes("bob", ACCEPT, token=token) == ["INVITATION_INVALID"]


async def test_an_organisation_that_is_being_deleted_takes_nobody(company: Company):
    await company.guest("bob")
    await company.ask("ada", INVITE, email="bob@example.com", role="VIEWER")
    token = await company.invited("bob@example.com")
    await company.ask("ada", DELETE, confirmName="Analytical Engines")

    assert await company.codes("bob", ACCEPT, token=token) == ["INVITATION_INVALID"]


async def test_members_and_bad_addresses_are_not_invited(company: Company):
    await company.hire("bob", Role.VIEWER)

    assert await company.codes("ada", INVITE, email="bob@example.com", role="VIEWER") == ["ALREADY_MEMBER"]
    assert await company.codes("ada", INVITE, email="no address", role="VIEWER") == ["EMAIL_INVALID"]
    assert await company.count(invitations) == await company.count(mails) == 0


async def test_invitations_of_others_are_as_unknown_as_none(company: Company):
    await company.guest("eve", "Eve and Sons")
    theirs = (await company.ask("eve", INVITE, email="bob@example.com", role="VIEWER"))["invitation"]

    strange = await company.ask("ada", REVOKE, id=theirs["id"])
    missing = await company.ask("ada", REVOKE, id=new_id("inv"))
    node = await company.house.ask(f'{{ node(id: "{theirs["id"]}") {{ id }} }}', token=company.tokens["ada"])

    assert strange == missing
    assert strange["userErrors"][0]["code"] == "NOT_FOUND"
    assert node["data"]["node"] is None
    assert len((await company.see("eve", PENDING))["tenant"]["invitations"]["nodes"]) == 1
    assert (await company.see("ada", PENDING))["tenant"]["invitations"]["nodes"] == []
    assert len((await company.see("ada", MEMBERS))["tenant"]["members"]["nodes"]) == 1


async def test_an_idempotency_key_that_comes_with_another_address_is_refused(company: Company):
    await company.ask("ada", INVITE, email="bob@example.com", role="VIEWER", idempotencyKey="invite")

    found = [
        await company.codes("ada", INVITE, email="eve@example.com", role="VIEWER", idempotencyKey="invite"),
        await company.codes("ada", INVITE, email="bob@example.com", role="ADMIN", idempotencyKey="invite"),
    ]

    assert found == [["IDEMPOTENCY_MISMATCH"]] * 2
    assert await company.count(mails) == await company.count(invitations) == 1
