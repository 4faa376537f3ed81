"""What API keys may do about members: no more than their own scopes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gateway.core.identity import ROLE_SCOPES, TENANT_SCOPES, Role, Scope
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.tables import invitations, mails
from tests.plugins.accounts.organisations.company import INVITE, REMOVE, SET_ROLE, Company

VIEWERS = ROLE_SCOPES[Role.VIEWER] | {Scope.MEMBERS_WRITE}


async def key_of(company: Company, scopes: Iterable[Scope]) -> str:
    async with company.house.store.write() as tx:
        _, text = await company.house.host.service(KeyDesk).create(
            tx, company.tenant, name="key", scopes=[scope.value for scope in scopes], created_by="ada"
        )
    return text


async def ask(company: Company, key: str, document: str, **given: Any) -> list[dict[str, Any]]:
    body = await company.house.ask(document, {"i": given}, key=key)
    found: list[dict[str, Any]] = body["data"]["r"]["userErrors"]
    return found


async def test_a_key_gives_no_role_that_has_more_than_its_scopes(company: Company):
    cleo = await company.hire("cleo", Role.VIEWER)
    weak, viewers = await key_of(company, [Scope.MEMBERS_WRITE]), await key_of(company, VIEWERS)
    who = {"email": "x@example.com"}

    found = [
        await ask(company, weak, INVITE, **who, role="ADMIN"),
        await ask(company, weak, INVITE, **who, role="VIEWER"),
        await ask(company, viewers, INVITE, **who, role="ANALYST"),
        await ask(company, viewers, SET_ROLE, userId=cleo.id, role="ADMIN"),
    ]

    assert [error["code"] for errors in found for error in errors] == ["ROLE_TOO_HIGH"] * 4
    assert [error["field"] for errors in found for error in errors] == [["input", "role"]] * 4
    assert found[2][0]["message"] == (
        "This key may not give the role analyst: it lacks alerts:write, assistant:write, portfolio:write, usage:read; "
        "use a key or a person that has them."
    )
    assert await company.roles() == {"ada": "owner", "cleo": "viewer"}
    assert await company.count(invitations) == await company.count(mails) == 0


async def test_a_key_changes_no_member_who_has_more_than_its_scopes(company: Company):
    bob = await company.hire("bob", Role.ANALYST)
    viewers = await key_of(company, VIEWERS)

    found = [
        await ask(company, viewers, SET_ROLE, userId=bob.id, role="VIEWER"),
        await ask(company, viewers, REMOVE, userId=bob.id),
    ]

    assert [errors[0]["code"] for errors in found] == ["ROLE_TOO_HIGH"] * 2
    assert found[0][0]["field"] == ["input", "userId"]
    assert found[0][0]["message"].startswith("This key may not change a member with the role analyst: it lacks alerts:")
    assert await company.roles() == {"ada": "owner", "bob": "analyst"}


async def test_a_key_gives_and_changes_what_its_scopes_hold(company: Company):
    cleo = await company.hire("cleo", Role.VIEWER)
    viewers, admins = await key_of(company, VIEWERS), await key_of(company, ROLE_SCOPES[Role.ADMIN])

    found = [
        await ask(company, viewers, INVITE, email="x@example.com", role="VIEWER"),
        await ask(company, admins, SET_ROLE, userId=cleo.id, role="ADMIN"),
        await ask(company, admins, REMOVE, userId=cleo.id),
    ]

    assert found == [[], [], []]
    assert await company.count(invitations) == 1
    assert await company.roles() == {"ada": "owner"}


async def test_no_key_makes_an_owner(company: Company):
    bob = await company.hire("bob", Role.ADMIN)

    (error,) = await ask(company, await key_of(company, TENANT_SCOPES), SET_ROLE, userId=bob.id, role="OWNER")

    assert error["code"] == "ROLE_TOO_HIGH"
    assert error["message"] == "This key may not give the role owner: only a person may; sign in."
    assert await company.roles() == {"ada": "owner", "bob": "admin"}
