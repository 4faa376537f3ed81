"""Access tokens: short-lived, for browsers, never worth more than what minted them."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from gateway.core.identity import Scope
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.tables import access_tokens, audit
from tests.house import House, open_house
from tests.plugins.accounts.keys.holders import CREATE, LIST, MINT, REVOKE, ROTATE, UPDATE, Holder, holder

MARKET = ["market:read"]


async def minted(acme: Holder, **given: object) -> str:
    """The text of a new token."""
    payload = await acme.ask(MINT, **{"scopes": MARKET, **given})
    assert payload["userErrors"] == []
    return str(payload["accessToken"])


async def test_a_server_mints_a_token_that_works_in_a_browser_and_only_for_its_scopes(house: House) -> None:
    acme = await holder(house)

    made = await acme.ask(MINT, scopes=MARKET)
    text = made["accessToken"]

    assert re.fullmatch(r"mgat_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}", text)
    assert made["expiresAt"] == "2026-11-20T12:15:00Z"
    assert await acme.code_of(text, token=True, origin="https://any.example.com") is None
    body = await house.ask(LIST, token=text)
    assert body["errors"][0]["extensions"]["missingScope"] == "keys:read"


async def test_a_token_is_stored_as_a_digest_and_written_down_without_its_text(house: House) -> None:
    acme = await holder(house)

    text = await minted(acme, maxPoints=5)

    everything = json.dumps([await acme.rows(access_tokens), await acme.rows(audit)], default=str)
    assert text not in everything
    assert text.rpartition("_")[2] not in everything
    (line,) = [row for row in await acme.rows(audit) if row["action"] == "accesstoken.created"]
    assert (line["actor"], line["after"]["scopes"], line["after"]["max_points"]) == (acme.id, MARKET, 5)


async def test_a_token_cannot_mint_others(house: House) -> None:
    acme = await holder(house)
    text = await minted(acme)

    body = await house.ask(MINT, {"i": {"scopes": MARKET}}, token=text)

    assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert len(await acme.rows(access_tokens)) == 1


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"scopes": ["keys:write"]}, "SCOPE_NOT_ALLOWED", "scopes"),
        ({"scopes": ["market:read", "organisation:write"]}, "SCOPE_NOT_ALLOWED", "scopes"),
        ({"scopes": ["members:write"]}, "SCOPE_NOT_ALLOWED", "scopes"),
        ({"scopes": ["providerkeys:write"]}, "SCOPE_NOT_ALLOWED", "scopes"),
        ({"scopes": ["billing:write"]}, "SCOPE_NOT_ALLOWED", "scopes"),
        ({"scopes": ["operator:read"]}, "SCOPE_NOT_HELD", "scopes"),
        ({"scopes": ["market"]}, "UNKNOWN_SCOPE", "scopes"),
        ({"scopes": []}, "NO_SCOPES", "scopes"),
        ({"ttlSeconds": 59}, "LIFE_INVALID", "ttlSeconds"),
        ({"ttlSeconds": 3601}, "LIFE_INVALID", "ttlSeconds"),
        ({"maxPoints": 0}, "POINTS_INVALID", "maxPoints"),
        ({"origins": ["example.com"]}, "ORIGIN_INVALID", "origins"),
    ],
)
async def test_what_a_token_cannot_have_is_refused(
    sqlite_url: str, tmp_path: Path, given: dict[str, object], code: str, field: str
) -> None:
    async with open_house(sqlite_url, tmp_path) as house:
        acme = await holder(house)

        found = await acme.refused(MINT, **{"scopes": MARKET, **given})

        assert found[:2] == (code, ["input", field])
        assert await acme.rows(access_tokens) == []


async def test_a_token_ends_with_its_time(house: House) -> None:
    acme = await holder(house)
    text = await minted(acme, ttlSeconds=60)

    before = await acme.code_of(text, token=True)
    house.clock.turn(60)

    assert (before, await acme.code_of(text, token=True)) == (None, "UNAUTHENTICATED")


async def test_a_token_never_outlives_the_key_that_minted_it(house: House) -> None:
    acme = await holder(house)
    brief = await acme.ask(CREATE, name="brief", scopes=["keys:write", "market:read"], expiresAt="2026-11-20T12:01:00Z")

    made = await acme.ask(MINT, by=brief["secret"], scopes=MARKET)

    assert made["expiresAt"] == "2026-11-20T12:01:00Z"


@pytest.mark.parametrize("act", ["revoke", "rotate", "lessen"])
async def test_a_token_ends_with_the_key_that_minted_it(house: House, act: str) -> None:
    acme = await holder(house)
    shop = await acme.ask(CREATE, name="shop", scopes=["keys:write", "market:read"])
    text = (await acme.ask(MINT, by=shop["secret"], scopes=MARKET))["accessToken"]
    before = await acme.code_of(text, token=True)

    acts: dict[str, tuple[str, dict[str, Any]]] = {
        "revoke": (REVOKE, {}),
        "rotate": (ROTATE, {"overlapSeconds": 0}),
        "lessen": (UPDATE, {"scopes": ["keys:write"]}),
    }
    document, given = acts[act]
    await acme.ask(document, id=shop["apiKey"]["id"], **given)

    assert before is None
    assert await acme.code_of(text, token=True) == ("FORBIDDEN" if act == "lessen" else "UNAUTHENTICATED")


async def test_a_token_works_on_its_origins_only(house: House) -> None:
    acme = await holder(house)
    text = await minted(acme, origins=["https://app.example.com"])

    found = [
        await acme.code_of(text, token=True, origin=origin)
        for origin in ("https://app.example.com", "https://evil.example.com", None)
    ]

    assert found == [None, "CREDENTIAL_NOT_ALLOWED", "CREDENTIAL_NOT_ALLOWED"]


async def test_a_token_spends_what_it_may_and_not_a_point_more(house: House) -> None:
    acme = await holder(house)
    text = await minted(acme, maxPoints=2)

    found = [await acme.code_of(text, token=True) for _ in range(4)]

    (row,) = await acme.rows(access_tokens)
    assert found == [None, None, "QUOTA_EXCEEDED", "QUOTA_EXCEEDED"]
    assert row["spent_points"] == 2


async def test_of_many_who_spend_at_once_only_as_many_succeed_as_there_are_points(house: House) -> None:
    acme = await holder(house)
    await minted(acme, maxPoints=10)
    (row,) = await acme.rows(access_tokens)
    desk = house.host.service(KeyDesk)

    found = await asyncio.gather(*(desk.spend(row["id"], 3) for _ in range(12)))

    (after,) = await acme.rows(access_tokens)
    assert (sum(found), after["spent_points"]) == (3, 9)


async def test_tokens_that_ended_long_ago_are_removed(house: House) -> None:
    acme = await holder(house)
    await minted(acme)
    house.clock.turn(86_400)
    await minted(acme)

    await house.host.service(KeyDesk).tidy()
    kept = len(await acme.rows(access_tokens))
    house.clock.turn(901)
    await house.host.service(KeyDesk).tidy()

    assert (kept, len(await acme.rows(access_tokens))) == (2, 1)


async def test_a_key_without_the_scope_mints_nothing(house: House) -> None:
    small = await holder(house, scopes=frozenset({Scope.MARKET_READ}))

    body = await house.ask(MINT, {"i": {"scopes": MARKET}}, key=small.secret)

    assert body["errors"][0]["extensions"]["missingScope"] == "keys:write"
    assert await small.rows(access_tokens) == []
