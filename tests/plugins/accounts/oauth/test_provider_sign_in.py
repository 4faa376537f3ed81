"""Signing in with a provider: who comes in, as whom, and who does not."""

from __future__ import annotations

import pytest
from pyotp import TOTP
from sqlalchemy import update

from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.tables import (
    audit,
    identities,
    memberships,
    one_time_tokens,
    organisations,
    recovery_codes,
    sessions,
    users,
)
from plugins.accounts.users.desk import UserDesk
from tests.plugins.accounts.oauth.conftest import Town, told
from tests.plugins.accounts.oauth.identity_server import CLIENT_SECRET

ME = "{ viewer { __typename user { email } tenant { name } } }"
CONFIRM = """mutation ($input: SessionConfirmInput!) {
  sessionConfirm(input: $input) { session { id accessToken } userErrors { code field message } } }"""


async def whoami(town: Town, cookie: str) -> dict:
    answer = await town.house.ask(ME, headers={"cookie": cookie})
    assert "errors" not in answer, answer
    return dict(answer["data"]["viewer"])


@pytest.mark.parametrize("provider", ["google", "github"])
async def test_somebody_new_gets_an_account_an_organisation_and_a_session(town: Town, provider: str):
    browser = town.browser()

    answer = await browser.sign_in(provider)

    assert (told(answer), answer.headers["location"]) == (None, "/console")
    assert sorted(browser.cookies) == ["mg_csrf", "mg_session"]
    assert answer.headers["cache-control"] == "no-store"
    viewer = await whoami(town, browser.cookie)
    assert (viewer["user"], viewer["tenant"]) == ({"email": "ada@example.com"}, {"name": "ada"})
    subject = {"google": "subject-1", "github": "583231"}[provider]
    assert await town.rows(identities, "provider", "subject") == [(provider, subject)]
    assert await town.rows(memberships, "role") == ["owner"]
    assert await town.rows(audit, "action") == ["session.created", "user.identity_linked", "user.signed_up"]
    assert await town.rows(users, "password_hash") == [None]
    assert await town.rows(users, "verified_at") == [town.house.clock.now()]


async def test_the_same_account_is_the_same_person_also_under_another_address(town: Town):
    await town.browser().sign_in()
    town.provider.email = "ada.new@example.com"

    answer = await town.browser().sign_in()

    assert told(answer) is None
    assert await town.rows(users, "email") == ["ada@example.com"]
    assert len(await town.rows(sessions, "id")) == 2
    assert len(await town.rows(organisations, "id")) == 1


async def test_two_providers_that_vouch_for_one_address_mean_one_person(town: Town):
    for provider in ("google", "github"):
        assert told(await town.browser().sign_in(provider)) is None

    assert await town.rows(identities, "provider") == ["github", "google"]
    assert len(set(await town.rows(identities, "user_id"))) == 1
    assert await town.rows(organisations, "name") == ["ada"]


async def test_a_proven_address_is_enough_to_be_known(town: Town):
    async with town.house.store.write() as tx:
        known = await town.house.host.service(UserDesk).verified_user(tx, "ada@example.com")
        tenant = await town.house.host.service(OrganisationDesk).create(tx, "Engines", known)
    town.provider.email = "Ada@Example.com"

    answer = await town.browser().sign_in()

    assert told(answer) is None
    assert await town.rows(identities, "user_id") == [known]
    assert await town.rows(sessions, "user_id", "organisation_id") == [(known, tenant)]


async def test_an_account_that_waits_for_its_owner_is_not_taken_over(town: Town):
    async with town.house.store.write() as tx:
        await town.house.host.service(UserDesk).verified_user(tx, "ada@example.com")
        await tx.run(update(users).values(verified_at=None, password_hash="somebody's"))

    answer = await town.browser().sign_in()

    assert told(answer) == "ACCOUNT_NOT_VERIFIED"
    assert await town.rows(users, "verified_at", "password_hash") == [(None, "somebody's")]
    assert (await town.rows(identities, "subject"), await town.rows(sessions, "id")) == ([], [])


async def test_an_address_that_google_has_not_verified_lets_nobody_in(town: Town):
    for verified in (False, "false", None, 1, "yes"):
        town.provider.claims = {"email_verified": verified}

        answer = await town.browser().sign_in()

        assert told(answer) == "ADDRESS_NOT_VERIFIED", verified
    assert await town.nobody()


LISTS: dict[str, list] = {
    "none": [],
    "not verified": [{"email": "ada@example.com", "primary": True, "verified": False}],
    "not primary": [{"email": "ada@example.com", "primary": False, "verified": True}],
    "odd": [None, "ada@example.com", {"email": "ada@example.com", "primary": 1, "verified": 1}],
}


async def test_github_must_have_verified_the_primary_address(town: Town):
    for name, emails in LISTS.items():
        town.provider.emails = emails

        answer = await town.browser().sign_in("github")

        assert told(answer) == "ADDRESS_NOT_VERIFIED", name
    assert await town.nobody()


async def test_an_address_that_no_account_can_have_is_refused(town: Town):
    town.provider.email = "not an address"

    assert told(await town.browser().sign_in()) == "ADDRESS_NOT_ACCEPTED"
    assert await town.nobody()


async def test_a_person_who_does_not_agree_is_not_signed_in(town: Town):
    town.provider.denied = True

    assert told(await town.browser().sign_in()) == "DENIED"
    assert await town.nobody()
    assert "token" not in town.provider.requests


@pytest.mark.parametrize(("mode", "code"), [("closed", "SIGN_UP_CLOSED"), ("invited", "INVITATION_REQUIRED")])
async def test_the_setting_for_sign_ups_holds_here_too(settle, mode: str, code: str):
    async with settle(sign_up=mode) as town:
        refused = await town.browser().sign_in()

        assert told(refused) == code
        assert await town.nobody()
        async with town.house.store.write() as tx:
            await town.house.host.service(UserDesk).verified_user(tx, "ada@example.com")
        assert told(await town.browser().sign_in()) is None


async def test_an_invitation_lets_its_address_in_and_no_other(settle):
    async with settle(sign_up="invited") as town:
        async with town.house.store.write() as tx:
            owner = await town.house.host.service(UserDesk).verified_user(tx, "grace@example.com")
            await town.house.host.service(OrganisationDesk).create(tx, "Engines", owner)
        token = await invite(town, owner, "ada@example.com")

        town.provider.email = "eve@example.com"
        other = await town.browser().sign_in(further=f"&invitation={token}")
        wrong = await town.browser().sign_in(further="&invitation=nonsense")
        town.provider.email = "ada@example.com"
        right = await town.browser().sign_in(further=f"&invitation={token}")

        assert (told(other), told(wrong), told(right)) == ("INVITATION_INVALID", "INVITATION_INVALID", None)
        assert await town.rows(users, "email") == ["ada@example.com", "grace@example.com"]
        assert await town.rows(organisations, "name") == ["Engines"]
        assert token not in str(await town.rows(one_time_tokens, "id", "kind")) + str(await payloads(town))


async def payloads(town: Town) -> list:
    async with town.house.store.read() as tx:
        return await tx.values(one_time_tokens.select().with_only_columns(one_time_tokens.c.payload))


async def invite(town: Town, owner: str, email: str) -> str:
    from plugins.accounts.organisations.rules import INVITATION
    from plugins.accounts.tables import invitations

    (tenant,) = await town.rows(organisations, "id")
    clock, vault = town.house.clock, town.house.host.vault
    async with town.house.store.write() as tx:
        await tx.run(
            invitations.insert().values(
                tenant_id=tenant, id="inv_1", email=email, role="viewer", digest=vault.digest(INVITATION, "invited"),
                invited_by=owner, created_at=clock.now(), expires_at=clock.now().replace(year=2027),
            )
        )  # fmt: skip
    return "invited"


# --- The second factor


async def with_second_factor(town: Town) -> str:
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    async with town.house.store.write() as tx:
        user_id = await town.house.host.service(UserDesk).verified_user(tx, "ada@example.com")
        await town.house.host.service(OrganisationDesk).create(tx, "Engines", user_id)
        changed = {"totp_secret": town.house.host.vault.encrypt(secret), "totp_confirmed_at": town.house.clock.now()}
        await tx.run(update(users).values(**changed))
    return secret


def code_at(town: Town, secret: str) -> str:
    return TOTP(secret).at(town.house.clock.now())


async def test_a_second_factor_is_asked_for_and_then_opens_the_session(town: Town):
    secret = await with_second_factor(town)
    browser = town.browser()

    answer = await browser.sign_in()

    assert answer.headers["location"] == "/account?secondFactor=required&returnTo=%2Fconsole"
    (line,) = [each for each in answer.headers.get_list("set-cookie") if "mg_second_factor" in each]
    assert line.endswith("; Path=/; Max-Age=300; HttpOnly; SameSite=Strict")
    assert sorted(browser.cookies) == ["mg_second_factor"]
    assert await town.rows(sessions, "id") == []
    code = code_at(town, secret)
    confirmed = await town.house.ask(CONFIRM, {"input": {"code": code}}, headers={"cookie": browser.cookie})
    payload = confirmed["data"]["sessionConfirm"]
    assert payload["userErrors"] == []
    assert (payload["session"]["id"], payload["session"]["accessToken"]) == (*await town.rows(sessions, "id"), None)
    cookies = town.house.results[-1].cookies
    assert [each.partition("=")[0] for each in cookies] == ["mg_session", "mg_csrf", "mg_second_factor"]
    assert cookies[2] == "mg_second_factor=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"

    again = await town.house.ask(CONFIRM, {"input": {"code": code}}, headers={"cookie": browser.cookie})

    assert again["data"]["sessionConfirm"]["userErrors"][0]["code"] == "NOT_BEGUN"
    assert len(await town.rows(sessions, "id")) == 1


async def test_wrong_codes_are_counted_and_open_nothing(town: Town):
    secret = await with_second_factor(town)
    browser = town.browser()
    await browser.sign_in()
    heard = []

    for given in ({}, *({"code": "000000"},) * 5, {"code": code_at(town, secret)}):
        answer = await town.house.ask(CONFIRM, {"input": given}, headers={"cookie": browser.cookie})
        heard.append(answer["data"]["sessionConfirm"]["userErrors"][0]["code"])

    assert heard == ["CODE_INVALID"] * 6 + ["TOO_MANY_ATTEMPTS"]
    assert await town.rows(sessions, "id") == []


async def test_a_code_alone_opens_nothing(town: Town):
    secret = await with_second_factor(town)
    await town.browser().sign_in()
    message = "No sign-in waits for a code here, or it waited too long: begin it again."

    for cookie in ("", "mg_second_factor=", "mg_second_factor=guessed"):
        answer = await town.house.ask(CONFIRM, {"input": {"code": code_at(town, secret)}}, headers={"cookie": cookie})

        (error,) = answer["data"]["sessionConfirm"]["userErrors"]
        assert error == {"code": "NOT_BEGUN", "field": None, "message": message}
    assert (await town.rows(sessions, "id"), await town.rows(users, "totp_last_step")) == ([], [None])


async def test_a_sign_in_waits_five_minutes_for_its_code(town: Town):
    secret = await with_second_factor(town)
    browser = town.browser()
    await browser.sign_in()
    town.house.clock.turn(301)

    answer = await town.house.ask(
        CONFIRM, {"input": {"code": code_at(town, secret)}}, headers={"cookie": browser.cookie}
    )

    assert answer["data"]["sessionConfirm"]["userErrors"][0]["code"] == "NOT_BEGUN"


async def test_a_recovery_code_does_too(town: Town):
    await with_second_factor(town)
    (user_id,) = await town.rows(users, "id")
    async with town.house.store.write() as tx:
        digest = town.house.host.vault.digest("recovery code", f"{user_id} k3hd92mxap7ewrt5")
        await tx.run(recovery_codes.insert().values(id="rcode_1", user_id=user_id, digest=digest))
    browser = town.browser()
    await browser.sign_in()

    answer = await town.house.ask(
        CONFIRM, {"input": {"recoveryCode": "k3hd-92mx-ap7e-wrt5"}}, headers={"cookie": browser.cookie}
    )

    assert answer["data"]["sessionConfirm"]["userErrors"] == []
    assert len(await town.rows(sessions, "id")) == 1


# --- Ways to sign in


async def test_the_configured_ways_are_listed_for_anybody(settle):
    async with settle(oauth_github=None, anonymous=False) as town:
        answer = await town.house.ask("{ signInMethods }")
        there = await town.browser().get("/oauth/google/start")
        elsewhere = [await town.browser().get(f"/oauth/{name}/start") for name in ("github", "gitlab", "..")]

    assert answer["data"] == {"signInMethods": ["PASSWORD", "GOOGLE"]}
    assert there.status_code == 302
    assert [each.status_code for each in elsewhere] == [404, 404, 404]


async def test_a_client_of_its_own_is_what_the_provider_knows(town: Town):
    await town.browser().sign_in()

    (form,) = town.provider.forms

    assert form["client_secret"] == CLIENT_SECRET
    assert form["redirect_uri"] == "http://gateway.test/oauth/google/callback"
