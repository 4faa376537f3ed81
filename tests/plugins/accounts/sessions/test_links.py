"""The link that signs in once, the published keys, and what a development server says at its start."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from gateway.app import create_app
from gateway.core.ports import Authenticator, Presented
from plugins.accounts.bootstrap import welcome
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.sessions.links import sign_in_link
from plugins.accounts.tables import api_keys, audit, organisations, sessions
from schema.errors import MarketgateError
from tests.house import AGENT, House, open_house
from tests.plugins.accounts.sessions.people import REFRESH, SESSIONS, browser, settle, sign_in
from tests.plugins.accounts.sessions.test_tokens import FIRST, SECOND, name_of, pem

URL = "http://127.0.0.1:8000"


@asynccontextmanager
async def visiting(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that follows nothing by itself."""
    app = create_app(house.gateway.settings, gateway=house.gateway)
    transport = httpx.ASGITransport(app, client=("203.0.113.9", 5000))
    async with httpx.AsyncClient(transport=transport, base_url=URL, headers={"user-agent": AGENT}) as client:
        yield client


async def new_link(house: House) -> str:
    person = await settle(house)
    async with house.store.write() as tx:
        return await sign_in_link(house.host, tx, person.id, person.tenant)


async def test_a_link_signs_in_once_and_leads_to_the_page(house: House):
    link = await new_link(house)

    async with visiting(house) as client:
        first = await client.get(link)
        asked = await client.post("/graphql", json={"query": SESSIONS}, headers={"origin": URL})
        again = await client.get(link)

    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert (first.headers["cache-control"], first.headers["referrer-policy"]) == ("no-store", "no-referrer")
    found = asked.json()["data"]["sessions"]["nodes"]
    assert [(node["userAgent"], node["clientIp"], node["current"]) for node in found] == [(AGENT, "203.0.113.9", True)]
    assert (again.status_code, again.headers.get_list("set-cookie")) == (410, [])
    async with house.store.read() as tx:
        assert await tx.values(select(audit.c.target).where(audit.c.action == "session.created")) == [found[0]["id"]]


async def test_who_only_looks_at_a_link_does_not_use_it_up(house: House):
    link = await new_link(house)

    async with visiting(house) as client:
        looked = await client.head(link)
        posted = await client.post(link)
        used = await client.get(link)

    assert [each.status_code for each in (looked, posted, used)] == [405, 405, 303]


@pytest.mark.parametrize(
    "link", ["/sign-in", "/sign-in?token=", "/sign-in?token=junk", "/sign-in?token=" + "x" * 5_000]
)
async def test_another_link_opens_nothing(house: House, link: str):
    async with visiting(house) as client:
        answer = await client.get(link)

    assert (answer.status_code, answer.headers.get_list("set-cookie")) == (410, [])
    async with house.store.read() as tx:
        assert await tx.values(select(sessions.c.id)) == []


async def test_a_link_is_over_after_ten_minutes(house: House):
    link = await new_link(house)
    house.clock.turn(600)

    async with visiting(house) as client:
        answer = await client.get(link)

    assert answer.status_code == 410


async def test_the_keys_of_access_tokens_are_published(database: str, tmp_path: Path):
    async with open_house(database, tmp_path, jwt_keys=pem(FIRST) + pem(SECOND)) as house, visiting(house) as client:
        signed = await client.get("/.well-known/jwks.json")
    async with open_house(database, tmp_path / "other") as house, visiting(house) as client:
        shared = await client.get("/.well-known/jwks.json")

    assert [key["kid"] for key in signed.json()["keys"]] == [name_of(FIRST), name_of(SECOND)]
    assert signed.headers["cache-control"] == "public, max-age=300"
    assert shared.json() == {"keys": []}


async def principal_of(house: House, key: str) -> Any:
    return await house.host.service(Authenticator).authenticate(Presented(api_key=key, client_ip="127.0.0.1"))


async def test_a_development_server_has_one_key_and_each_start_a_new_link(house: House, tmp_path: Path):
    first, second = [dict(await welcome(house.host, URL)) for _ in range(2)]

    found = await principal_of(house, first["API key"])
    async with visiting(house) as client:
        signed = await client.get(second["Signed in"])
        asked = await client.post("/graphql", json={"query": "{ viewer { tenant { name plan } user { email } } }"})

    assert first["API key"].startswith("mg_dev_")
    assert second["API key"] == first["API key"]
    assert first["Signed in"] != second["Signed in"]
    assert first["Signed in"].startswith(f"{URL}/sign-in?token=")
    assert signed.status_code == 303
    assert asked.json()["data"]["viewer"]["tenant"] == {"name": "Development", "plan": "unlimited"}
    assert asked.json()["data"]["viewer"]["user"] == {"email": "dev@marketgate.test"}
    assert found.limits.plan == "unlimited"
    kept = tmp_path / "development-key"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert first["API key"] not in kept.read_text()
    async with house.store.read() as tx:
        assert await tx.values(select(organisations.c.name)) == ["Development"]
        assert len(await tx.values(select(api_keys.c.id))) == 1


async def test_a_key_that_works_no_more_is_replaced_at_the_next_start(house: House, tmp_path: Path):
    first = dict(await welcome(house.host, URL))["API key"]
    found = await principal_of(house, first)
    async with house.store.write() as tx:
        await house.host.service(KeyDesk).revoke(tx, found.tenant, found.key or "")

    second = dict(await welcome(house.host, URL))["API key"]
    (tmp_path / "development-key").write_text("junk")
    third = dict(await welcome(house.host, URL))["API key"]

    assert len({first, second, third}) == 3
    assert (await principal_of(house, third)).tenant == found.tenant


async def test_production_is_never_welcomed(database: str, tmp_path: Path):
    async with open_house(database, tmp_path, env="production") as house:
        with pytest.raises(RuntimeError, match="production makes its own"):
            await welcome(house.host, URL)

        async with house.store.read() as tx:
            assert await tx.values(select(organisations.c.id)) == []


async def test_nothing_secret_stands_in_logs_errors_or_the_audit_trail(house: House):
    person = await settle(house)
    by_token, by_cookie = await sign_in(house, person), await sign_in(house, person, cookie=True)
    async with house.store.write() as tx:
        link = await sign_in_link(house.host, tx, person.id, person.tenant)
    started = dict(await welcome(house.host, URL))
    answers: list[str] = []

    with capture_logs() as logs:
        async with visiting(house) as client:
            answers.append((await client.get(link)).text)
        for token in (by_token.access_token + "x", started["API key"] + "x", by_token.refresh_token):
            answers.append(json.dumps(await house.ask(SESSIONS, token=token)))
        await house.ask(REFRESH, {"token": by_token.refresh_token})
        answers.append(json.dumps(await house.ask(REFRESH, {"token": by_token.refresh_token})))
        house.clock.turn(20)
        answers.append(json.dumps(await house.ask(REFRESH, {"token": by_token.refresh_token})))
        answers.append(json.dumps(await house.ask(SESSIONS, headers=browser(by_cookie), origin="https://x.example")))
        try:
            await principal_of(house, started["API key"] + "x")
        except MarketgateError as error:
            answers.append(repr(error) + error.message)
    async with house.store.read() as tx:
        trail = await tx.values(select(audit.c.after)) + await tx.values(select(audit.c.before))

    told = json.dumps(logs, default=str) + json.dumps(trail) + "".join(answers)
    hidden = [by_token.access_token, by_token.refresh_token or "", link.partition("=")[2], started["API key"]]
    hidden += [cookie.partition("=")[2].partition(";")[0] for cookie in by_cookie.cookies]
    assert trail
    assert [secret for secret in hidden if secret[10:40] in told] == []
