"""Refresh tokens: each works once; two tabs are forgiven, a thief is not."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from plugins.accounts.sessions.desk import LIFE
from plugins.accounts.tables import audit, refresh_tokens, sessions
from tests.house import House
from tests.plugins.accounts.sessions.people import REFRESH, SESSIONS, code_of, settle, sign_in


async def refresh(house: House, token: str | None) -> dict[str, Any]:
    answer = await house.ask(REFRESH, {"token": token})
    found: dict[str, Any] = answer["data"]["sessionRefresh"]
    return found


def refusal(payload: dict[str, Any]) -> str:
    assert payload["session"] is None
    return str(payload["userErrors"][0]["code"])


async def reason_of(house: House, session: str) -> str | None:
    async with house.store.read() as tx:
        found = await tx.value(select(sessions.c.revoked_reason).where(sessions.c.id == session))
    return None if found is None else str(found)


async def test_a_refresh_gives_new_tokens_for_the_same_session(house: House):
    issued = await sign_in(house, await settle(house))
    house.clock.turn(800)

    found = await refresh(house, issued.refresh_token)

    session = found["session"]
    assert found["userErrors"] == []
    assert session["id"] == issued.session_id
    assert session["refreshToken"] not in (None, issued.refresh_token)
    assert session["expiresAt"] == (house.clock.now() + timedelta(minutes=15)).isoformat().replace("+00:00", "Z")
    assert code_of(await house.ask(SESSIONS, token=session["accessToken"])) is None


async def test_of_200_parallel_refreshes_one_wins_and_the_family_lives(house: House):
    issued = await sign_in(house, await settle(house))

    found = await asyncio.gather(*(refresh(house, issued.refresh_token) for _ in range(200)))

    won = [payload["session"] for payload in found if payload["session"]]
    codes = Counter(error["code"] for payload in found for error in payload["userErrors"])
    assert (len(won), codes) == (1, {"REFRESH_SUPERSEDED": 199})
    async with house.store.read() as tx:
        kept = await tx.values(select(refresh_tokens.c.rotated_at).order_by(refresh_tokens.c.rotated_at))
    assert sorted(rotated is None for rotated in kept) == [False, True]
    again = await refresh(house, won[0]["refreshToken"])
    assert again["userErrors"] == []

    house.clock.turn(11)
    late = await refresh(house, issued.refresh_token)

    assert refusal(late) == "REFRESH_REUSED"
    assert refusal(await refresh(house, again["session"]["refreshToken"])) == "REFRESH_INVALID"
    assert code_of(await house.ask(SESSIONS, token=again["session"]["accessToken"])) == "UNAUTHENTICATED"


async def test_the_direct_predecessor_is_forgiven_for_ten_seconds(house: House):
    issued = await sign_in(house, await settle(house))
    newest = (await refresh(house, issued.refresh_token))["session"]

    house.clock.turn(10)
    in_time = await refresh(house, issued.refresh_token)
    alive = await reason_of(house, issued.session_id)
    house.clock.turn(0.001)
    late = await refresh(house, issued.refresh_token)

    assert (refusal(in_time), alive) == ("REFRESH_SUPERSEDED", None)
    assert (refusal(late), await reason_of(house, issued.session_id)) == ("REFRESH_REUSED", "refresh_reuse")
    assert refusal(await refresh(house, newest["refreshToken"])) == "REFRESH_INVALID"


async def test_an_older_token_costs_the_session_at_once_and_leaves_a_line(house: House):
    person = await settle(house)
    issued = await sign_in(house, person)
    second = (await refresh(house, issued.refresh_token))["session"]
    await refresh(house, second["refreshToken"])

    found = await refresh(house, issued.refresh_token)

    assert refusal(found) == "REFRESH_REUSED"
    assert await reason_of(house, issued.session_id) == "refresh_reuse"
    async with house.store.read() as tx:
        chosen = select(audit.c.after).where(audit.c.action == "session.revoked", audit.c.tenant_id == person.tenant)
        lines = await tx.values(chosen)
    assert lines == [{"reason": "refresh_reuse"}]


async def test_an_expired_token_says_so_and_changes_nothing(house: House):
    issued = await sign_in(house, await settle(house))
    house.clock.turn(LIFE.total_seconds())

    found = await refresh(house, issued.refresh_token)

    assert refusal(found) == "REFRESH_EXPIRED"
    assert await reason_of(house, issued.session_id) is None


async def test_a_refresh_within_its_life_prolongs_the_session(house: House):
    token = (await sign_in(house, await settle(house))).refresh_token
    for _ in range(5):
        house.clock.turn(LIFE.total_seconds() - 1)
        token = (await refresh(house, token))["session"]["refreshToken"]

    assert token is not None


async def test_what_is_no_refresh_token_is_invalid(house: House):
    issued = await sign_in(house, await settle(house))

    for text in ("", "junk", "mgrt_" + "A" * 43, "mgrt_" + "A" * 10_000, "mgrt_\xe9", issued.access_token):
        assert refusal(await refresh(house, text)) == "REFRESH_INVALID"
    nothing = await house.ask("mutation { sessionRefresh { userErrors { code message } } }")

    assert nothing["data"]["sessionRefresh"]["userErrors"] == [
        {"code": "REFRESH_INVALID", "message": "Give refreshToken: no browser's session came with the request."}
    ]
    assert await reason_of(house, issued.session_id) is None
