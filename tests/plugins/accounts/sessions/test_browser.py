"""Browser sessions: cookies that scripts cannot read, and the proof that a page of ours asks for a change."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from gateway.core.ports import Authenticator
from gateway.edge.auth import presented_by
from gateway.edge.execute import RequestFacts
from plugins.accounts.sessions.authenticator import AccountAuthenticator
from schema.errors import CsrfFailed
from tests.house import House, open_house
from tests.plugins.accounts.sessions.people import END, REFRESH, SESSIONS, browser, code_of, jar, settle, sign_in

OURS, FOREIGN = "http://127.0.0.1:8000", "https://elsewhere.example"
DAY = 86_400


async def test_the_cookies_are_out_of_the_reach_of_scripts_and_other_sites(house: House):
    issued = await sign_in(house, await settle(house), cookie=True)

    session, csrf = issued.cookies

    kept = jar(issued)
    assert session == f"mg_session={kept['mg_session']}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"
    assert csrf == f"mg_csrf={kept['mg_csrf']}; Path=/; Max-Age=2592000; SameSite=Strict"
    assert issued.refresh_token is None


async def test_behind_https_no_other_host_can_plant_a_cookie(database: str, tmp_path: Path):
    async with open_house(database, tmp_path, public_url="https://market.example") as house:
        issued = await sign_in(house, await settle(house), cookie=True)

        good = code_of(await house.ask(SESSIONS, headers=browser(issued)))
        planted = {"cookie": f"mg_session={jar(issued)['__Host-mg_session']}"}
        bad = code_of(await house.ask(SESSIONS, headers=planted))

    assert [cookie.partition("=")[0] for cookie in issued.cookies] == ["__Host-mg_session", "__Host-mg_csrf"]
    assert all(cookie.endswith("; Secure") for cookie in issued.cookies)
    assert (good, bad) == (None, "UNAUTHENTICATED")


async def test_a_page_of_ours_changes_with_the_header_and_not_without(house: House):
    issued = await sign_in(house, await settle(house), cookie=True)
    headers = browser(issued)

    for wrong in ({}, {"x-csrf-token": ""}, {"x-csrf-token": "0" * 64}, {"x-csrf-token": "\xe9"}):
        sent = {"cookie": headers["cookie"], **wrong}
        assert code_of(await house.ask(END, headers=sent, origin=OURS)) == "CSRF_FAILED"
        assert house.results[-1].status == 403
    assert code_of(await house.ask(SESSIONS, headers={"cookie": headers["cookie"]}, origin=OURS)) is None
    answer = await house.ask(END, headers=headers, origin=OURS)

    assert answer["data"]["sessionEnd"]["session"] == {"id": issued.session_id}
    assert house.results[-1].cookies == [
        "mg_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax", "mg_csrf=; Path=/; Max-Age=0; SameSite=Strict",
    ]  # fmt: skip
    assert code_of(await house.ask(SESSIONS, headers=headers, origin=OURS)) == "UNAUTHENTICATED"


async def test_the_proof_of_another_session_proves_nothing(house: House):
    person = await settle(house)
    first, second = [await sign_in(house, person, cookie=True) for _ in range(2)]

    mixed = {**browser(first), "x-csrf-token": jar(second)["mg_csrf"]}

    assert code_of(await house.ask(END, headers=mixed, origin=OURS)) == "CSRF_FAILED"


@pytest.mark.parametrize("origin", [FOREIGN, "null"])
async def test_a_foreign_page_has_no_cookie(house: House, origin: str):
    headers = browser(await sign_in(house, await settle(house), cookie=True))

    asked = await house.ask(SESSIONS, headers=headers, origin=origin, same_origin=False)
    ended = await house.ask(END, headers=headers, origin=origin, same_origin=False)

    assert code_of(asked) == "UNAUTHENTICATED"
    assert ended["data"]["sessionEnd"]["userErrors"] == [{"code": "NOT_SIGNED_IN"}]
    assert code_of(await house.ask(SESSIONS, headers=headers, origin=OURS)) is None


async def test_a_page_of_an_allowed_origin_is_one_of_ours(database: str, tmp_path: Path):
    async with open_house(database, tmp_path, cors_origins=("https://app.example",)) as house:
        headers = browser(await sign_in(house, await settle(house), cookie=True))

        without = {"cookie": headers["cookie"]}
        refused = await house.ask(END, headers=without, origin="https://app.example", same_origin=False)
        answer = await house.ask(END, headers=headers, origin="https://app.example", same_origin=False)

    assert code_of(refused) == "CSRF_FAILED"
    assert answer["data"]["sessionEnd"]["userErrors"] == []


async def test_a_star_among_the_origins_lets_no_cookie_in(database: str, tmp_path: Path):
    async with open_house(database, tmp_path, cors_origins=("*",)) as house:
        headers = browser(await sign_in(house, await settle(house), cookie=True))

        answer = await house.ask(SESSIONS, headers=headers, origin=FOREIGN, same_origin=False)

    assert code_of(answer) == "UNAUTHENTICATED"


async def test_a_socket_is_proven_by_the_origin_of_its_handshake(house: House):
    headers = browser(await sign_in(house, await settle(house), cookie=True), csrf=False)
    authenticator = house.host.service(Authenticator)
    facts = RequestFacts(request_id="r", transport="websocket", headers={**headers, "origin": OURS})

    principal = await authenticator.authenticate(presented_by(facts))
    authenticator.check_csrf(principal, presented_by(facts))
    unproven = dataclasses.replace(facts, headers=headers)

    assert principal.cookie
    with pytest.raises(CsrfFailed):
        authenticator.check_csrf(principal, presented_by(unproven))


async def test_a_session_lives_seven_days_from_use_to_use_and_thirty_at_most(house: House):
    issued = await sign_in(house, await settle(house), cookie=True)
    headers, authenticator = browser(issued), house.host.service(AccountAuthenticator)

    async def after(seconds: float) -> str | None:
        house.clock.turn(seconds)
        found = code_of(await house.ask(SESSIONS, headers=headers))
        await authenticator.write_seen()
        return found

    used = [await after(6.9 * DAY) for _ in range(4)]
    nearly = await after(2.3 * DAY)
    over = await after(0.2 * DAY)

    assert (used, nearly, over) == ([None] * 4, None, "UNAUTHENTICATED")


async def test_a_session_that_is_not_used_ends_after_seven_days(house: House):
    headers = browser(await sign_in(house, await settle(house), cookie=True))

    house.clock.turn(7 * DAY)

    assert code_of(await house.ask(SESSIONS, headers=headers)) == "UNAUTHENTICATED"


async def test_a_refresh_by_cookie_prolongs_the_session_and_shows_no_token(house: House):
    issued = await sign_in(house, await settle(house), cookie=True)
    house.clock.turn(6 * DAY)

    answer = await house.ask(REFRESH, headers=browser(issued), origin=OURS)

    assert answer["data"]["sessionRefresh"] == {
        "session": {
            "id": issued.session_id, "accessToken": None, "refreshToken": None, "expiresAt": "2026-12-03T12:00:00Z",
            "refreshExpiresAt": "2026-12-03T12:00:00Z",
        },
        "userErrors": [],
    }  # fmt: skip
    secret = jar(issued)["mg_session"]
    assert house.results[-1].cookies[0] == f"mg_session={secret}; Path=/; Max-Age=2073600; HttpOnly; SameSite=Lax"


async def test_a_worthless_cookie_is_nobodys_so_that_its_owner_can_sign_in_again(house: House):
    for cookie in ("mg_session=junk", "mg_session=", "mg_session", f"mg_session={'A' * 43}"):
        answer = await house.ask(END, headers={"cookie": cookie}, origin=OURS)
        assert answer["data"]["sessionEnd"]["userErrors"] == [{"code": "NOT_SIGNED_IN"}]


async def test_a_header_counts_before_a_cookie(house: House):
    ada, eve = await settle(house), await settle(house, "eve@example.com", "Elsewhere")
    cookie, token = await sign_in(house, ada, cookie=True), await sign_in(house, eve)

    answer = await house.ask(SESSIONS, headers=browser(cookie), token=token.access_token)
    bad = await house.ask(SESSIONS, headers=browser(cookie), token="junk")

    assert [node["id"] for node in answer["data"]["sessions"]["nodes"]] == [token.session_id]
    assert code_of(bad) == "UNAUTHENTICATED"


async def test_the_proof_holds_through_the_rotation_of_the_root_secret(database: str, tmp_path: Path):
    from tests.gateway.doubles import ROOT_SECRET

    async with open_house(database, tmp_path) as before:
        headers = browser(await sign_in(before, await settle(before), cookie=True))

    new = "the root secret after the rotation, 32 bytes or more"
    async with open_house(database, tmp_path, secret_key=new, secret_key_previous=ROOT_SECRET) as after:
        answer = await after.ask(END, headers=headers, origin=OURS)

    assert answer["data"]["sessionEnd"]["userErrors"] == []
