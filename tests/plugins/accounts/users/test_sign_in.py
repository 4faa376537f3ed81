"""Signing in with a password: equal work, equal answers, and locks that cost a guesser time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import event, select, update

from plugins.accounts.tables import organisations, sessions, users
from plugins.accounts.users.attempts import Charge, Guard, lock_for
from plugins.accounts.users.passwords import Passwords, Strength, Verified
from tests.house import House
from tests.plugins.accounts.users.conftest import ANNA, OTHER, PASSWORD, SIGN_IN, People

NOBODY = "nobody@example.com"
WRONG = {
    "code": "CREDENTIALS_INVALID",
    "field": None,
    "message": "The address or the password is not right: check both, or set a new password with passwordResetRequest.",
}
LOCKED = {
    "code": "TOO_MANY_ATTEMPTS",
    "field": None,
    "message": "Too many attempts on this address: wait, each failure doubles the wait up to an hour, or set a new "
    "password with passwordResetRequest.",
}


def refused(error: Mapping[str, object]) -> dict[str, object]:
    return {"session": None, "secondFactorRequired": False, "userErrors": [error]}


@contextmanager
def statements(house: House) -> Iterator[list[str]]:
    """The SQL that runs meanwhile."""
    found: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        found.append(statement)

    engine = house.store.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_existing_and_missing_people_cost_the_same_work_and_get_the_same_answer(people: People):
    await people.verified()
    work = people.passwords

    with statements(people.house) as for_existing:
        existing = await people.sign_in(password="wrong password 1")
    counted = work.verifications, work.hashes
    with statements(people.house) as for_missing:
        missing = await people.sign_in(NOBODY, "wrong password 1")

    assert existing == missing == refused(WRONG)
    assert counted == (1, 1)
    assert (work.verifications, work.hashes) == (2, 1)
    assert for_existing == for_missing
    assert len(for_existing) >= 4


async def test_a_person_without_a_password_is_compared_too(people: People):
    await people.verified()
    async with people.house.store.write() as tx:
        await tx.run(update(users).values(password_hash=None))

    answer = await people.sign_in()

    assert answer == refused(WRONG)
    assert people.passwords.verifications == 1


async def test_the_hash_for_nobody_has_the_parameters_of_all_others(people: People):
    strength = Strength(passes=2, memory_kib=64, lanes=1)
    real = await Passwords(strength).hash(PASSWORD)

    assert strength.nobodys().split("$")[:4] == real.split("$")[:4]
    assert [len(part) for part in strength.nobodys().split("$")] == [len(part) for part in real.split("$")]


@pytest.mark.parametrize("email", [ANNA, NOBODY])
async def test_five_failures_lock_an_address_whether_or_not_somebody_has_it(people: People, email: str):
    await people.verified()
    for _ in range(5):
        assert await people.sign_in(email, "wrong password 1") == refused(WRONG)
    compared = people.passwords.verifications

    while_locked = [await people.sign_in(email, password) for password in ("wrong password 1", PASSWORD)]
    people.house.clock.turn(30)
    afterwards = await people.sign_in(email, "wrong password 1")
    people.house.clock.turn(59)
    again = await people.sign_in(email, "wrong password 1")

    assert while_locked == [refused(LOCKED), refused(LOCKED)]
    assert people.passwords.verifications == compared + 1
    assert afterwards == refused(WRONG)
    assert again == refused(LOCKED)


async def test_the_right_password_after_the_lock_clears_the_count(people: People):
    await people.verified()
    for _ in range(5):
        await people.sign_in(password="wrong password 1")
    people.house.clock.turn(30)

    assert (await people.sign_in())["session"] is not None
    for _ in range(4):
        await people.sign_in(password="wrong password 1")
    assert (await people.sign_in())["session"] is not None


def test_locks_double_up_to_an_hour():
    assert [lock_for(n) for n in (1, 4, 5, 6, 7, 11, 12, 1000)] == [
        None, None, timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120), timedelta(seconds=1920),
        timedelta(hours=1), timedelta(hours=1),
    ]  # fmt: skip


async def test_guesses_at_once_get_no_more_comparisons_than_guesses_in_a_row(people: People):
    await people.verified()

    answers = await asyncio.gather(*(people.sign_in(password=f"wrong password {n}") for n in range(12)))

    codes = [answer["userErrors"][0]["code"] for answer in answers]
    assert sorted(codes) == ["CREDENTIALS_INVALID"] * 5 + ["TOO_MANY_ATTEMPTS"] * 7
    assert people.passwords.verifications == 5


async def test_a_count_of_yesterday_is_forgotten(people: People):
    await people.verified()
    for _ in range(4):
        await people.sign_in(password="wrong password 1")
    people.house.clock.turn(24 * 3600 + 1)

    assert await people.sign_in(password="wrong password 1") == refused(WRONG)
    assert (await people.sign_in())["session"] is not None


async def test_a_password_that_was_hashed_more_weakly_is_hashed_anew(people: People):
    await people.verified()
    people.house.host.services[Passwords] = Passwords(Strength(passes=2, memory_kib=16, lanes=1))

    first = await people.sign_in()
    second = await people.sign_in()

    async with people.house.store.read() as tx:
        stored = str(await tx.value(select(users.c.password_hash)))
    assert stored.startswith("$argon2id$v=19$m=16,t=2,p=1$")
    assert first["session"] is not None
    assert second["session"] is not None
    assert people.passwords.hashes == 1


async def test_two_hashes_are_worked_out_at_a_time(monkeypatch: pytest.MonkeyPatch):
    pair, active, most = Barrier(2, timeout=10), 0, 0

    def verify(_: Argon2Hasher, password: str, stored: str) -> bool:
        nonlocal active, most
        active += 1
        most = max(most, active)
        pair.wait()
        active -= 1
        pair.wait()
        return False

    monkeypatch.setattr(Argon2Hasher, "verify", verify)
    passwords = Passwords(Strength(passes=1, memory_kib=8, lanes=1))

    await asyncio.gather(*(passwords.verify(PASSWORD, None) for _ in range(8)))

    assert (passwords.verifications, most) == (8, 2)


async def test_an_unconfirmed_address_is_told_after_the_right_password_only(people: People):
    await people.signed_up()

    assert await people.codes(SIGN_IN, email=ANNA, password=OTHER) == ["CREDENTIALS_INVALID"]
    assert await people.codes(SIGN_IN, email=ANNA, password=PASSWORD) == ["EMAIL_NOT_VERIFIED"]
    assert "sessions" not in await people.counts()


async def test_a_password_is_the_same_however_its_letters_are_composed(people: People):
    await people.verified(password="caf\u00e9 lantern orbit 7")

    assert (await people.sign_in(password="cafe\u0301 lantern orbit 7"))["session"] is not None


async def test_a_password_of_a_megabyte_is_wrong_and_costs_no_more(people: People):
    await people.verified()

    assert await people.sign_in(password="x" * 100_000) == refused(WRONG)
    assert people.passwords.verifications == 1


async def test_with_cookies_no_token_is_in_the_payload(people: People):
    await people.verified()

    session = (await people.sign_in(cookie=True))["session"]

    assert (session["accessToken"], session["refreshToken"]) == (None, None)
    cookies = people.house.results[-1].cookies
    assert cookies
    assert all("SameSite" in cookie for cookie in cookies)
    assert any("HttpOnly" in cookie for cookie in cookies)


async def test_the_session_acts_in_the_organisation_that_was_asked_for(people: People):
    await people.verified()
    await people.verified("bob@example.com")
    async with people.house.store.read() as tx:
        mine, bobs = await tx.values(select(organisations.c.id).order_by(organisations.c.name))

    asked = await people.sign_in(organisationId=mine)
    foreign = await people.sign_in(organisationId=bobs)
    unknown = await people.sign_in(organisationId="ten_unknown")

    assert asked["session"] is not None
    assert foreign == unknown
    assert [error["code"] for error in foreign["userErrors"]] == ["NOT_FOUND"]
    async with people.house.store.read() as tx:
        assert await tx.values(select(sessions.c.organisation_id)) == [mine]


async def test_a_suspended_organisation_is_not_chosen_by_itself(people: People):
    await people.verified()
    async with people.house.store.write() as tx:
        await tx.run(update(organisations).values(status="suspended"))

    assert (await people.sign_in())["session"] is not None
    async with people.house.store.read() as tx:
        assert await tx.values(select(sessions.c.organisation_id)) == [None]


async def test_a_password_that_is_changed_while_it_is_compared_opens_nothing(
    people: People, monkeypatch: pytest.MonkeyPatch
):
    await people.verified()
    verify, changed = people.passwords.verify, await people.passwords.hash(OTHER)

    async def slowly(password: str, stored: str | None) -> Verified:
        answer = await verify(password, stored)
        async with people.house.store.write() as tx:
            await tx.run(update(users).values(password_hash=changed))
        return answer

    monkeypatch.setattr(people.passwords, "verify", slowly)

    assert await people.sign_in() == refused(WRONG)
    assert "sessions" not in await people.counts()


async def test_an_attempt_is_taken_back_only_while_it_is_the_last(house: House):
    guard = Guard(house.host)

    async def charge() -> Charge | None:
        async with house.store.write() as tx:
            return await guard.charge(tx, ANNA, None)

    charges = [await charge() for _ in range(5)]
    for each in charges[:4]:
        assert each is not None
        async with house.store.write() as tx:
            await guard.refund(tx, each)

    assert await charge() is None
