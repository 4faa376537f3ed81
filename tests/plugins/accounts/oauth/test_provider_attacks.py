"""What must not let anybody in: replays, strangers' browsers, forged tokens, other hosts."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse

from plugins.accounts.oauth.returning import is_place_here
from plugins.accounts.tables import one_time_tokens, sessions, users
from tests.plugins.accounts.oauth import identity_server as forgery
from tests.plugins.accounts.oauth.conftest import Town, told
from tests.plugins.accounts.oauth.identity_server import CLIENT_ID, CLIENT_SECRET

START = "/oauth/google/start?return_to=/console"


async def test_a_way_is_finished_once(town: Town):
    browser = town.browser()
    back = await browser.agree(await browser.get(START))
    kept = dict(browser.cookies)

    first = await browser.get(back)
    browser.cookies = kept
    second = await browser.get(back)

    assert (told(first), told(second)) == (None, "STATE_INVALID")
    assert len(await town.rows(sessions, "id")) == 1


async def test_a_way_that_another_browser_began_stays_its_own(town: Town):
    browser, stranger = town.browser(), town.browser()
    back = await browser.agree(await browser.get(START))
    await stranger.get(START)

    without, with_another = await town.browser().get(back), await stranger.get(back)

    assert (told(without), told(with_another)) == ("STATE_INVALID", "STATE_INVALID")
    assert await town.nobody()
    assert told(await browser.get(back)) is None


async def test_a_way_is_bound_to_its_provider(town: Town):
    browser = town.browser()
    back = await browser.agree(await browser.get(START))

    answer = await browser.get(back.replace("google", "github"))

    assert told(answer) == "STATE_INVALID"
    assert await town.nobody()


async def test_a_way_is_over_after_ten_minutes(town: Town):
    browser = town.browser()
    back = await browser.agree(await browser.get(START))
    town.house.clock.turn(601)

    assert told(await browser.get(back)) == "STATE_INVALID"
    assert await town.nobody()


async def test_a_callback_out_of_nowhere_is_refused(town: Town):
    for query in ["", "?state=", "?state=x&code=y", f"?state={'x' * 5_000}", "?code=y"]:
        browser = town.browser()
        await browser.get(START)

        assert told(await browser.get(f"/oauth/google/callback{query}")) == "STATE_INVALID", query
    assert await town.nobody()


async def test_a_code_is_taken_once(town: Town):
    browser = town.browser()
    used = await browser.agree(await browser.get(START))
    assert told(await browser.get(used)) is None
    code = parse_qs(urlsplit(used).query)["code"][0]

    state = parse_qs(urlsplit((await browser.get(START)).headers["location"]).query)["state"][0]
    replayed = await browser.get(f"/oauth/google/callback?{urlencode({'state': state, 'code': code})}")

    assert told(replayed) == "PROVIDER_FAILED"
    assert len(await town.rows(sessions, "id")) == 1


async def test_a_code_that_another_browser_got_is_worth_nothing(town: Town):
    thief, owner = town.browser(), town.browser()
    code = parse_qs(urlsplit(await owner.agree(await owner.get(START))).query)["code"][0]
    state = parse_qs(urlsplit((await thief.get(START)).headers["location"]).query)["state"][0]

    answer = await thief.get(f"/oauth/google/callback?{urlencode({'state': state, 'code': code})}")

    assert told(answer) == "PROVIDER_FAILED"
    assert await town.nobody()


HOUR = 3_600
NOW = 1_795_176_000  # noon of the tests' clock
CLAIMS: dict[str, dict] = {
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "another audience": {"aud": "another-client"},
    "no audience": {"aud": None},
    "several audiences without a party": {"aud": ["another-client", CLIENT_ID]},
    "another party": {"aud": ["another-client", CLIENT_ID], "azp": "another-client"},
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "expired": {"exp": NOW - HOUR},
    "no end": {"exp": None},
    "not yet valid": {"nbf": NOW + HOUR},
    "from the future": {"iat": NOW + HOUR},
    "end is a text": {"exp": "tomorrow"},
    "no subject": {"sub": None},
    "subject is a number": {"sub": 7},
    "another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    "too long": {"padding": "x" * 20_000},
}


async def test_an_id_token_that_says_something_else_is_not_believed(town: Town):
    assert int(town.house.clock.now().timestamp()) == NOW

    for name, claims in CLAIMS.items():
        town.provider.claims = claims

        answer = await town.browser().sign_in()

        assert told(answer) == "PROVIDER_FAILED", name
    assert await town.nobody()


FORGERIES = [
    forgery.unsigned, forgery.signed_with_the_public_key, forgery.signed_by_a_stranger, forgery.changed_afterwards,
    lambda claims, server: "no.token", lambda claims, server: "a.b.c", lambda claims, server: "..",
]  # fmt: skip


async def test_a_forged_id_token_is_not_believed(town: Town):
    for number, forge in enumerate(FORGERIES):
        town.provider.forge = forge

        answer = await town.browser().sign_in()

        assert told(answer) == "PROVIDER_FAILED", number
    assert await town.nobody()


async def test_keys_that_change_are_read_again(town: Town):
    await town.browser().sign_in()
    await town.browser().sign_in()
    before = town.provider.requests.count("jwks")
    town.provider.rotate("RSA")

    answer = await town.browser().sign_in()

    assert told(answer) is None
    assert (before, town.provider.requests.count("jwks")) == (1, 2)


async def test_a_configuration_that_is_not_right_sends_nobody_anywhere(town: Town):
    for wrong in ({"issuer": "https://evil.example"}, {"issuer": None}, {"authorization_endpoint": "ftp://127.0.0.1/"}):
        town.provider.configuration = wrong

        answer = await town.browser().get(START)

        assert told(answer) == "PROVIDER_FAILED", wrong
    assert await town.nobody()


ANSWERS = {
    "no object": JSONResponse([]),
    "no JSON": PlainTextResponse("<html>"),
    "no token": JSONResponse({"token_type": "bearer"}),
    "a number": JSONResponse({"id_token": 7, "access_token": 7}),
    "a refusal": JSONResponse({"error": "server_error"}, 500),
    "elsewhere": RedirectResponse("http://127.0.0.1:1/"),
    "endless": PlainTextResponse("x" * 2_000_000),
}


@pytest.mark.parametrize("provider", ["google", "github"])
async def test_an_answer_that_is_not_right_lets_nobody_in(town: Town, provider: str):
    for name, answer in ANSWERS.items():
        town.provider.token_answer = answer

        assert told(await town.browser().sign_in(provider)) == "PROVIDER_FAILED", name
    assert await town.nobody()


async def test_a_provider_that_is_gone_is_told_and_logged_without_secrets(settle, capsys):
    gone = f"client_id={CLIENT_ID},client_secret={CLIENT_SECRET},issuer=http://127.0.0.1:1"
    async with settle(oauth_google=gone) as town:
        answer = await town.browser().get(START)

        assert told(answer) == "PROVIDER_FAILED"
        assert await town.rows(users, "id") == []
    logged = capsys.readouterr().out
    assert "sign_in_provider_failed" in logged
    assert CLIENT_SECRET not in logged


async def test_what_is_kept_of_a_way_and_what_is_logged_holds_no_secret(town: Town, capsys):
    browser = town.browser()
    started = await browser.get(START)
    state = parse_qs(urlsplit(started.headers["location"]).query)["state"][0]
    async with town.house.store.read() as tx:
        (payload,) = await tx.values(one_time_tokens.select().with_only_columns(one_time_tokens.c.payload))
    back = await browser.agree(started)

    await browser.get(back)

    verifier = town.provider.forms[0]["code_verifier"]
    kept = str(payload) + str(await town.rows(one_time_tokens, "digest"))
    for secret in (state, verifier, browser.cookies["mg_session"]):
        assert secret not in kept
        assert secret not in capsys.readouterr().out


HERE = ["/", "/console", "/console?query=%7Bhello%7D", "/a/b#c", "/oauth", "/%2F%2Fevil.example"]
ELSEWHERE = [
    "", "console", "/a//b", "/.//evil.example", "/x/..//evil.example",
    "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example",
    "/\n/evil.example", "\t//evil.example", " //evil.example", "https://evil.example", "https:evil.example",
    "javascript:alert(1)", "http:/evil.example", "/\x00", "/ü", "/" + "a" * 2_000, "/a b", "/\x7f",
]  # fmt: skip


@pytest.mark.parametrize("path", HERE)
def test_a_path_of_this_host_is_a_place_to_go(path: str):
    assert is_place_here(path)


@pytest.mark.parametrize("path", ELSEWHERE, ids=ascii)
def test_anything_that_a_browser_may_read_as_elsewhere_is_not(path: str):
    assert not is_place_here(path)


async def test_nobody_is_sent_elsewhere(town: Town):
    for path in ELSEWHERE:
        answer = await town.browser().get(f"/oauth/google/start?return_to={quote(path)}")

        assert told(answer) == "BAD_RETURN_TO", path
    assert await town.open_states() == 0


@pytest.mark.parametrize("method", ["HEAD", "POST"])
async def test_what_only_looks_begins_nothing(town: Town, method: str):
    browser = town.browser()
    back = await browser.agree(await browser.get(START))

    answers = [await browser.get(path, method) for path in (START, back)]

    assert [each.status_code for each in answers] == [405, 405]
    assert await town.open_states() == 1
    assert told(await browser.get(back)) is None


async def test_the_cookie_is_out_of_the_reach_of_scripts_and_other_hosts(settle):
    async with settle() as town:
        plain = (await town.browser().get(START)).headers["set-cookie"]
    async with settle(public_url="https://gateway.test") as town:
        browser = town.browser()
        secure = (await browser.get(START)).headers["set-cookie"]
        assert told(await browser.sign_in()) is None
        assert sorted(browser.cookies) == ["__Host-mg_csrf", "__Host-mg_session"]

    assert plain.startswith("mg_oauth=")
    assert plain.endswith("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax")
    assert secure.startswith("__Host-mg_oauth=")
    assert secure.endswith("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure")
