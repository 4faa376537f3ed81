"""New passwords: by a link, or in place of the old one."""

from __future__ import annotations

import asyncio

from sqlalchemy import select

from plugins.accounts.tables import audit, sessions
from plugins.accounts.users.tokens import OneTimeTokens
from tests.plugins.accounts.users.conftest import (
    ANNA,
    ASK_RESET,
    CHANGE,
    OTHER,
    PASSWORD,
    RESET,
    SIGN_IN,
    VERIFY,
    People,
)

CHANGED = {"changed": True, "userErrors": []}


async def reset_token(people: People) -> str:
    await people.ask(ASK_RESET, email=ANNA)
    letter = await people.letter()
    assert f"http://127.0.0.1:8000/account#reset?token={letter.token}" in letter.text
    return letter.token


async def revoked(people: People) -> list[str | None]:
    """Why each session ended, in the order of their beginning; None for those that live."""
    async with people.house.store.read() as tx:
        return await tx.values(select(sessions.c.revoked_reason).order_by(sessions.c.created_at))


async def test_a_link_sets_a_password_and_ends_every_session(people: People):
    await people.verified()
    await people.sign_in()
    token = await reset_token(people)

    answer = await people.ask(RESET, token=token, password=OTHER)

    assert answer == CHANGED
    assert await revoked(people) == ["the password was reset"]
    assert (await people.letter()).subject == "Your password was changed"
    assert await people.codes(SIGN_IN, email=ANNA, password=PASSWORD) == ["CREDENTIALS_INVALID"]
    assert (await people.sign_in(password=OTHER))["session"] is not None
    assert await people.codes(RESET, token=token, password=PASSWORD) == ["TOKEN_INVALID"]
    async with people.house.store.read() as tx:
        assert "user.password_reset" in await tx.values(select(audit.c.action))


async def test_a_weak_password_does_not_use_the_link_up(people: People):
    await people.verified()
    token = await reset_token(people)

    weak = await people.codes(RESET, token=token, password="anna1234567")
    good = await people.ask(RESET, token=token, password=OTHER)

    assert weak == ["WEAK_PASSWORD"]
    assert good == CHANGED


async def test_a_link_of_an_hour_ago_is_over(people: People):
    await people.verified()
    token = await reset_token(people)
    people.house.clock.turn(3600)
    before = people.passwords.hashes

    assert await people.codes(RESET, token=token, password=OTHER) == ["TOKEN_INVALID"]
    assert people.passwords.hashes == before
    assert (await people.sign_in())["session"] is not None


async def test_one_link_ends_all_other_links(people: People):
    await people.verified()
    first, second = await reset_token(people), await reset_token(people)

    await people.ask(RESET, token=second, password=OTHER)

    assert await people.codes(RESET, token=first, password=PASSWORD) == ["TOKEN_INVALID"]


async def test_of_two_who_follow_one_link_at_once_one_sets_the_password(people: People):
    await people.verified()
    token = await reset_token(people)

    answers = await asyncio.gather(*(people.ask(RESET, token=token, password=p) for p in (OTHER, f"{OTHER}!")))

    assert sorted(answer["changed"] for answer in answers) == [False, True]


async def test_a_link_clears_the_lock_and_proves_the_address(people: People):
    await people.signed_up()
    for _ in range(5):
        await people.sign_in(password="wrong password 1")
    token = await reset_token(people)

    assert await people.ask(RESET, token=token, password=OTHER) == CHANGED
    assert (await people.sign_in(password=OTHER))["session"] is not None


async def test_a_link_for_one_thing_does_not_do_another(people: People):
    letter = await people.signed_up()
    reset = await reset_token(people)

    assert await people.codes(RESET, token=letter.token, password=OTHER) == ["TOKEN_INVALID"]
    assert await people.codes(VERIFY, token=reset) == ["TOKEN_INVALID"]


async def test_a_change_ends_all_sessions_but_the_one_that_asked(people: People):
    await people.verified()
    await people.sign_in()
    people.house.clock.turn(1)
    mine = await people.token()

    answer = await people.ask(CHANGE, by=mine, currentPassword=PASSWORD, newPassword=OTHER)

    assert answer == CHANGED
    assert await revoked(people) == ["the password was changed", None]
    assert (await people.letter()).subject == "Your password was changed"
    assert (await people.sign_in(password=OTHER))["session"] is not None


async def test_a_change_needs_the_old_password_and_is_counted(people: People):
    await people.verified()
    mine = await people.token()
    before = await people.counts()

    codes = [
        await people.codes(CHANGE, by=mine, currentPassword="wrong password 1", newPassword=OTHER) for _ in range(6)
    ]

    assert codes == [["WRONG_PASSWORD"]] * 5 + [["TOO_MANY_ATTEMPTS"]]
    assert await people.codes(SIGN_IN, email=ANNA, password=PASSWORD) == ["TOO_MANY_ATTEMPTS"]
    after = await people.counts()
    assert {**after, "attempts": 0} == {**before, "attempts": 0}


async def test_a_change_to_a_weak_password_is_refused(people: People):
    await people.verified()
    mine = await people.token()

    answer = await people.ask(CHANGE, by=mine, currentPassword=PASSWORD, newPassword="password12")

    assert [(e["code"], e["field"]) for e in answer["userErrors"]] == [("WEAK_PASSWORD", ["input", "newPassword"])]
    assert await revoked(people) == [None]


async def test_weak_passwords_lock_nobody_out(people: People):
    await people.verified()
    mine = await people.token()

    codes = [await people.codes(CHANGE, by=mine, currentPassword=PASSWORD, newPassword="short") for _ in range(6)]

    assert codes == [["WEAK_PASSWORD"]] * 6
    assert (await people.sign_in())["session"] is not None


async def test_a_change_asks_for_a_person(people: People):
    body = await people.house.ask(CHANGE, {"i": {"currentPassword": PASSWORD, "newPassword": OTHER}})

    assert [error["extensions"]["code"] for error in body["errors"]] == ["UNAUTHENTICATED"]


async def test_tokens_that_are_over_are_swept_out(people: People):
    await people.signed_up()
    tokens = people.house.host.service(OneTimeTokens)
    people.house.clock.turn(24 * 3600 + 1)
    async with people.house.store.write() as tx:
        early = await tokens.tidy(tx)
    people.house.clock.turn(24 * 3600)

    async with people.house.store.write() as tx:
        late = await tokens.tidy(tx)

    assert (early, late) == (0, 1)
