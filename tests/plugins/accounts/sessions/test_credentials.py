"""API keys, access tokens, operators' keys and nobody: who each of them is, and from where."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from gateway.core.identity import ANONYMOUS_SCOPES, OPERATOR_SCOPES, CallerKind, OperatorRole, Principal, Role, Scope
from gateway.core.ports import Authenticator, Plans, Presented
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.sessions.desk import SessionDesk
from schema.errors import CredentialNotAllowed, Refusal, TenantSuspended, Unauthenticated
from tests.house import House, open_house
from tests.plugins.accounts.sessions.people import Person, join, settle, sign_in

PAGE = "https://app.example"


async def principal(house: House, **shown: Any) -> Principal:
    """The caller; known at once, it is the same one."""
    authenticator, presented = house.host.service(Authenticator), Presented(client_ip="127.0.0.1", **shown)
    found = await authenticator.authenticate(presented)
    assert authenticator.recognise(presented) in (None, found)
    return found


async def refused(house: House, kind: type[Refusal], **shown: Any) -> str:
    """What is told; nobody is known at once by what is refused, neither before nor after."""
    authenticator, presented = house.host.service(Authenticator), Presented(**{"client_ip": "127.0.0.1", **shown})
    assert authenticator.recognise(presented) is None
    with pytest.raises(kind) as caught:
        await authenticator.authenticate(presented)
    assert authenticator.recognise(presented) is None
    return caught.value.message


async def new_key(house: House, person: Person, **given: Any) -> tuple[str, str]:
    """Its id and its text."""
    values: dict[str, Any] = {"name": "robot", "scopes": ["market:read"], "created_by": person.id, **given}
    async with house.store.write() as tx:
        row, text = await house.host.service(KeyDesk).create(tx, person.tenant, **values)
    return row.id, text


async def new_token(house: House, person: Person, parent: str, scopes: list[str], **given: Any) -> str:
    expires = house.clock.now() + timedelta(minutes=15)
    async with house.store.write() as tx:
        _, text = await house.host.service(KeyDesk).mint(
            tx, person.tenant, parent=parent, scopes=scopes, expires_at=expires, **given
        )
    return text


async def test_a_key_acts_for_its_organisation_with_its_scopes_and_the_plans_limits(house: House):
    person = await settle(house)
    id, text = await new_key(house, person, scopes=["market:read", "keys:read", "operator:write", "made:up"])

    found = await principal(house, api_key=text)

    assert (found.tenant, found.kind, found.key, found.user) == (person.tenant, CallerKind.API_KEY, id, None)
    assert found.scopes == {Scope.MARKET_READ, Scope.KEYS_READ}
    assert found.limits.plan == "free"
    assert await principal(house, authorization=f"bearer {text}") == found


async def test_a_key_is_no_key_once_it_is_wrong_unknown_revoked_or_expired(house: House):
    person = await settle(house)
    revoked_id, revoked = await new_key(house, person)
    _, brief = await new_key(house, person, expires_at=house.clock.now() + timedelta(seconds=5))
    _, good = await new_key(house, person)
    await principal(house, api_key=revoked)
    await principal(house, api_key=brief)
    async with house.store.write() as tx:
        await house.host.service(KeyDesk).revoke(tx, person.tenant, revoked_id)
        await house.host.service(SessionDesk).credential_revoked(tx, "key", revoked_id)
    house.clock.turn(5)

    wrong = good[:-1] + ("a" if good[-1] != "a" else "b")
    texts = [
        revoked,
        brief,
        wrong,
        good[:-5],
        "mg_dev_x_y",
        "mg_",
        "mg_dev_",
        "junk",
        "",
        " ",
        good + "\xe9",
        "mg_" * 5_000,
    ]
    told = {await refused(house, Unauthenticated, api_key=text) for text in texts}

    assert told == {Unauthenticated().message}
    assert (await principal(house, api_key=good)).kind is CallerKind.API_KEY


async def test_a_key_is_known_at_once_while_it_is_held_and_not_before(house: House):
    _, text = await new_key(house, await settle(house))
    authenticator, presented = house.host.service(Authenticator), Presented(api_key=text, client_ip="127.0.0.1")

    before = authenticator.recognise(presented)
    found = await authenticator.authenticate(presented)
    held = authenticator.recognise(presented)
    house.clock.turn(10)

    assert (before, held, authenticator.recognise(presented)) == (None, found, None)


async def test_nobody_is_known_at_once_and_a_cookie_is_looked_up(house: House):
    authenticator = house.host.service(Authenticator)

    assert authenticator.recognise(Presented()) == await authenticator.authenticate(Presented())
    assert authenticator.recognise(Presented(cookies={"mg_session": "x"})) is None


async def test_guessing_the_same_again_asks_no_database(house: House, monkeypatch: pytest.MonkeyPatch):
    await refused(house, Unauthenticated, api_key="mg_dev_guess_guess")
    monkeypatch.setattr(house.store, "read", None)

    assert await refused(house, Unauthenticated, api_key="mg_dev_guess_guess") == Unauthenticated().message


async def test_what_is_no_token_of_ours_asks_no_database(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(house.store, "read", None)

    assert await refused(house, Unauthenticated, authorization="Bearer e30.e30.e30") == Unauthenticated().message


async def test_a_database_that_is_gone_refuses_without_a_word_of_it(house: House, monkeypatch: pytest.MonkeyPatch):
    _, text = await new_key(house, await settle(house))
    monkeypatch.setattr(house.store, "read", None)

    answer = await house.ask("{ __typename }", key=text)

    assert (answer["errors"][0]["message"], house.results[-1].status) == ("Internal error", 500)
    assert "data" not in answer


async def test_two_credentials_are_one_too_many(house: House):
    _, text = await new_key(house, await settle(house))

    told = await refused(house, Unauthenticated, authorization=f"Bearer {text}", api_key=text)

    assert told == "Send one credential: either the header Authorization or the header X-API-Key."


@pytest.mark.parametrize("authorization", ["Basic YTpi", "Bearer", "Bearer ", "Token x", "", "x"])
async def test_other_schemes_are_no_credential(house: House, authorization: str):
    assert await refused(house, Unauthenticated, authorization=authorization) == Unauthenticated().message


@pytest.mark.parametrize("origin", [PAGE, "null", "http://127.0.0.1:8000"])
async def test_a_secret_key_is_refused_from_a_browser_unless_its_origin_is_listed(house: House, origin: str):
    person = await settle(house)
    _, secret = await new_key(house, person)
    _, listed = await new_key(house, person, origins=[origin])

    told = await refused(house, CredentialNotAllowed, api_key=secret, origin=origin)

    assert "accessTokenCreate" in told
    assert (await principal(house, api_key=listed, origin=origin)).kind is CallerKind.API_KEY
    assert (await principal(house, api_key=listed)).kind is CallerKind.API_KEY
    await refused(house, CredentialNotAllowed, api_key=listed, origin="https://elsewhere.example")


async def test_a_key_with_networks_is_refused_from_elsewhere(house: House):
    _, text = await new_key(house, await settle(house), networks=["10.1.0.0/16", "2001:db8::/32"])

    for inside in ("10.1.2.3", "2001:db8::1", "::ffff:10.1.2.3"):
        await house.host.service(Authenticator).authenticate(Presented(api_key=text, client_ip=inside))
    for outside in ("10.2.0.1", "2001:db9::1", "::1", None, "junk"):
        await refused(house, CredentialNotAllowed, api_key=text, client_ip=outside)


async def test_a_token_with_origins_is_for_pages_of_these(house: House):
    person = await settle(house)
    id, _ = await new_key(house, person)
    bound = await new_token(house, person, id, ["market:read"], origins=[PAGE])
    free = await new_token(house, person, id, ["market:read"])

    found = await principal(house, authorization=f"Bearer {bound}", origin=PAGE)

    assert (found.kind, found.key, found.origins) == (CallerKind.ACCESS_TOKEN, id, frozenset({PAGE}))
    await refused(house, CredentialNotAllowed, authorization=f"Bearer {bound}")
    await refused(house, CredentialNotAllowed, authorization=f"Bearer {bound}", origin="https://elsewhere.example")
    for origin in (None, "https://elsewhere.example"):
        assert (await principal(house, authorization=f"Bearer {free}", origin=origin)).token is not None


async def test_a_token_is_worth_no_more_than_what_minted_it(house: House):
    person = await settle(house)
    id, _ = await new_key(house, person)
    viewer = await sign_in(house, await join(house, person, "eve@example.com", Role.VIEWER))
    by_key = await new_token(house, person, id, ["market:read", "keys:write"])
    by_session = await new_token(house, person, viewer.session_id, ["market:read", "trading:write"])

    scopes = [(await principal(house, authorization=f"Bearer {text}")).scopes for text in (by_key, by_session)]
    async with house.store.write() as tx:
        await house.host.service(SessionDesk).revoke(tx, viewer.session_id, "test")
        await house.host.service(KeyDesk).revoke(tx, person.tenant, id)
        await house.host.service(SessionDesk).credential_revoked(tx, "key", id)

    assert scopes == [{Scope.MARKET_READ}, {Scope.MARKET_READ}]
    for text in (by_key, by_session):
        await refused(house, Unauthenticated, authorization=f"Bearer {text}")


async def test_operators_come_from_their_networks_and_stand_outside_every_tenant(database: str, tmp_path: Path):
    networks = (ip_network("192.0.2.0/24"), ip_network("127.0.0.0/8"))
    async with open_house(database, tmp_path, operator_networks=networks) as house:
        async with house.store.write() as tx:
            desk = house.host.service(KeyDesk)
            _, text = await desk.create_operator(tx, name="ops", role=OperatorRole.AUDITOR, networks=["192.0.2.7/32"])
        shown: dict[str, Any] = {"authorization": f"Bearer {text}"}

        found = await house.host.service(Authenticator).authenticate(Presented(client_ip="192.0.2.7", **shown))

        assert (found.tenant, found.kind, found.scopes) == (
            "", CallerKind.OPERATOR, OPERATOR_SCOPES[OperatorRole.AUDITOR],
        )  # fmt: skip
        for outside in ("192.0.2.8", "127.0.0.1", "203.0.113.1", None):
            await refused(house, CredentialNotAllowed, client_ip=outside, **shown)
        await refused(house, CredentialNotAllowed, client_ip="192.0.2.7", origin=PAGE, **shown)


async def test_an_operators_key_without_networks_still_obeys_the_setting(house: House):
    async with house.store.write() as tx:
        desk = house.host.service(KeyDesk)
        _, text = await desk.create_operator(tx, name="ops", role=OperatorRole.OPERATOR, networks=[])

    assert (await principal(house, api_key=text)).kind is CallerKind.OPERATOR
    told = await refused(house, CredentialNotAllowed, api_key=text, client_ip="192.0.2.8")
    assert "MARKETGATE_OPERATOR_NETWORKS" in told


async def test_nobody_may_do_what_the_setting_says(database: str, tmp_path: Path):
    found = []
    for index, anonymous in enumerate((True, False)):
        async with open_house(database, tmp_path / str(index), anonymous=anonymous) as house:
            found.append(await principal(house))
            assert found[-1].limits == house.host.service(Plans).anonymous()

    assert [each.kind for each in found] == [CallerKind.ANONYMOUS] * 2
    assert [each.scopes for each in found] == [ANONYMOUS_SCOPES, frozenset()]


async def test_a_person_without_an_organisation_may_do_what_nobody_may(database: str, tmp_path: Path):
    found = []
    for index, anonymous in enumerate((True, False)):
        async with open_house(database, tmp_path / str(index), anonymous=anonymous) as house:
            person = await settle(house, f"ada{index}@example.com")
            issued = await sign_in(house, person, tenant="")
            found.append(await principal(house, authorization=f"Bearer {issued.access_token}"))

    assert [(each.kind, each.tenant, each.role) for each in found] == [(CallerKind.USER, "", None)] * 2
    assert [each.scopes for each in found] == [ANONYMOUS_SCOPES, frozenset()]


async def test_a_suspended_organisation_is_closed_and_its_people_can_still_leave(house: House):
    person = await settle(house)
    issued = await sign_in(house, person)
    _, key = await new_key(house, person, scopes=["market:read"])
    await principal(house, api_key=key)
    async with house.store.write() as tx:
        await house.host.service(OrganisationDesk).set_status(tx, person.tenant, "suspended", "unpaid")

    told = await refused(house, TenantSuspended, api_key=key)
    quotes = await house.ask('{ instrument(symbol: "BTC/USD") { id } }', token=issued.access_token)
    left = await house.ask("mutation { sessionEnd { userErrors { code } } }", token=issued.access_token)

    assert told == "The organisation is suspended: ask the operator of this gateway. Its data stays."
    assert quotes["errors"][0]["extensions"]["code"] == "TENANT_SUSPENDED"
    assert quotes["errors"][0]["message"] == told
    assert left["data"]["sessionEnd"]["userErrors"] == []


async def test_a_resumed_organisation_is_open_at_once(house: House):
    person = await settle(house)
    _, key = await new_key(house, person)
    desk = house.host.service(OrganisationDesk)
    async with house.store.write() as tx:
        await desk.set_status(tx, person.tenant, "suspended", None)
    await refused(house, TenantSuspended, api_key=key)

    async with house.store.write() as tx:
        await desk.set_status(tx, person.tenant, "active", None)

    assert (await principal(house, api_key=key)).tenant == person.tenant


async def test_of_a_dying_organisation_owners_keep_what_they_need_to_leave_with(house: House):
    owner = await settle(house)
    trader = await join(house, owner, "eve@example.com", Role.TRADER)
    tokens = [(await sign_in(house, each)).access_token for each in (owner, trader)]
    _, key = await new_key(house, owner)
    async with house.store.write() as tx:
        await house.host.service(OrganisationDesk).set_status(tx, owner.tenant, "deleting", None)

    hers, his = [await principal(house, authorization=f"Bearer {token}") for token in tokens]

    assert {scope for scope in hers.scopes if scope.value.endswith(":write")} == {Scope.ORGANISATION_WRITE}
    assert (hers.suspended, Scope.USAGE_READ in hers.scopes) == (None, True)
    assert his.scopes == frozenset()
    assert his.suspended is not None
    await refused(house, TenantSuspended, api_key=key)


async def test_a_session_moves_to_another_organisation_and_old_tokens_stay_behind(house: House):
    person = await settle(house)
    other = await settle(house, "ada@example.com", "Second")
    issued = await sign_in(house, person)
    await principal(house, authorization=f"Bearer {issued.access_token}")

    async with house.store.write() as tx:
        moved = await house.host.service(SessionDesk).switch(tx, issued.session_id, other.tenant)

    found = await principal(house, authorization=f"Bearer {moved.access_token}")
    assert (found.tenant, found.session) == (other.tenant, issued.session_id)
    assert moved.refresh_token not in (None, issued.refresh_token)
    await refused(house, Unauthenticated, authorization=f"Bearer {issued.access_token}")


async def test_who_is_no_member_any_more_is_out(house: House):
    owner = await settle(house)
    member = await join(house, owner, "eve@example.com", Role.TRADER)
    issued = await sign_in(house, member)
    await principal(house, authorization=f"Bearer {issued.access_token}")

    async with house.store.write() as tx:
        await house.host.service(SessionDesk).revoke_member(tx, member.id, member.tenant, "removed")

    await refused(house, Unauthenticated, authorization=f"Bearer {issued.access_token}")


async def test_credentials_never_show_in_a_repr(house: House):
    issued = await sign_in(house, await settle(house))

    assert repr(issued) == f"Issued({issued.session_id})"
