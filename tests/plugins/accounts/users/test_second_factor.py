"""The second factor: codes that work once, recovery codes for when the authenticator is lost."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from pyotp import TOTP
from sqlalchemy import select

from plugins.accounts.tables import recovery_codes, users
from plugins.accounts.users.second_factor import make_codes, step_of
from tests.gateway.doubles import NOON
from tests.plugins.accounts.users.conftest import (
    ANNA,
    ASK_RESET,
    OTHER,
    PASSWORD,
    RENEW,
    RESET,
    SIGN_IN,
    TOTP_CONFIRM,
    TOTP_DISABLE,
    TOTP_START,
    People,
)

NEEDS_CODE: dict[str, object] = {"session": None, "secondFactorRequired": True, "userErrors": []}


@dataclass
class Phone:
    """An authenticator, and what was written down with it."""

    people: People
    secret: str
    token: str
    recovery: list[str]

    def code(self, steps: int = 0) -> str:
        return TOTP(self.secret).at(self.people.house.clock.now(), counter_offset=steps)


async def with_phone(people: People) -> Phone:
    """Anna with a second factor that is on; the code of this half minute is used up."""
    await people.verified()
    token = await people.token()
    started = await people.ask(TOTP_START, by=token)
    phone = Phone(people, started["secret"], token, [])
    phone.recovery = (await people.ask(TOTP_CONFIRM, by=token, code=phone.code()))["recoveryCodes"]
    assert (await people.letter()).subject == "The second factor is on"
    return phone


async def test_a_first_code_switches_it_on_and_shows_ten_recovery_codes(people: People):
    await people.verified()
    token = await people.token()
    started = await people.ask(TOTP_START, by=token)
    phone = Phone(people, started["secret"], token, [])

    wrong = await people.codes(TOTP_CONFIRM, by=token, code="000000")
    unneeded = await people.sign_in()
    answer = await people.ask(TOTP_CONFIRM, by=token, code=phone.code())
    again = await people.codes(TOTP_START, by=token)

    assert started["uri"].startswith("otpauth://totp/Marketgate:anna%40example.com?secret=")
    assert wrong == ["CODE_INVALID"]
    assert unneeded["session"] is not None
    assert len(set(answer["recoveryCodes"])) == 10
    assert again == ["ALREADY_ON"]
    assert await people.sign_in() == NEEDS_CODE


async def test_nothing_of_it_is_stored_in_clear(people: People):
    phone = await with_phone(people)

    async with people.house.store.read() as tx:
        sealed = str(await tx.value(select(users.c.totp_secret)))
        digests = await tx.values(select(recovery_codes.c.digest))

    assert phone.secret not in sealed
    assert people.house.host.vault.decrypt(sealed) == phone.secret
    assert not set(digests) & set(phone.recovery)
    assert [len(digest) for digest in digests] == [64] * 10


async def test_a_code_is_taken_once(people: People):
    phone = await with_phone(people)
    used_by_confirming = await people.codes(SIGN_IN, email=ANNA, password=PASSWORD, code=phone.code())
    people.house.clock.turn(30)

    first = await people.sign_in(code=phone.code())
    second = await people.sign_in(code=phone.code())

    assert used_by_confirming == ["CODE_INVALID"]
    assert first["session"] is not None
    assert second["session"] is None
    assert second["secondFactorRequired"] is True
    assert [error["code"] for error in second["userErrors"]] == ["CODE_INVALID"]


async def test_of_two_sign_ins_with_one_code_at_once_one_wins(people: People):
    phone = await with_phone(people)
    people.house.clock.turn(30)

    answers = await asyncio.gather(*(people.sign_in(code=phone.code()) for _ in range(2)))

    assert sorted(answer["session"] is not None for answer in answers) == [False, True]


async def test_of_two_sign_ins_with_one_recovery_code_at_once_one_wins(people: People):
    phone = await with_phone(people)
    before = await people.counts()

    answers = await asyncio.gather(*(people.sign_in(recoveryCode=phone.recovery[0]) for _ in range(2)))

    assert sorted(answer["session"] is not None for answer in answers) == [False, True]
    assert (await people.letter()).text.startswith("A recovery code was used, 9 are left, at 2026-11-20 12:00 UTC.")
    assert (await people.counts())["sessions"] == before["sessions"] + 1


async def test_a_recovery_code_may_be_typed_loosely_and_is_one_persons(people: People):
    phone = await with_phone(people)
    await people.verified("bob@example.com")
    bob = await people.token("bob@example.com")
    secret = (await people.ask(TOTP_START, by=bob))["secret"]
    await people.ask(TOTP_CONFIRM, by=bob, code=TOTP(secret).at(people.house.clock.now()))

    foreign = await people.sign_in("bob@example.com", recoveryCode=phone.recovery[1])
    loose = await people.sign_in(recoveryCode=f" {phone.recovery[1].upper().replace('-', ' ')} ")

    assert [error["code"] for error in foreign["userErrors"]] == ["CODE_INVALID"]
    assert loose["session"] is not None


async def test_guessing_codes_locks_even_if_the_password_is_right_in_between(people: People):
    await with_phone(people)

    codes = []
    for _ in range(6):
        await people.sign_in()
        codes += await people.codes(SIGN_IN, email=ANNA, password=PASSWORD, code="000000")

    assert codes == ["CODE_INVALID"] * 5 + ["TOO_MANY_ATTEMPTS"]


async def test_asking_for_the_code_is_no_failure(people: People):
    phone = await with_phone(people)

    for _ in range(8):
        assert await people.sign_in() == NEEDS_CODE

    people.house.clock.turn(30)
    assert (await people.sign_in(code=phone.code()))["session"] is not None


async def test_it_is_switched_off_by_both_factors(people: People):
    phone = await with_phone(people)
    people.house.clock.turn(30)

    wrong_password = await people.codes(TOTP_DISABLE, by=phone.token, password=OTHER, code=phone.code())
    wrong_code = await people.codes(TOTP_DISABLE, by=phone.token, password=PASSWORD, code="000000")
    still_on = await people.sign_in()
    answer = await people.ask(TOTP_DISABLE, by=phone.token, password=PASSWORD, code=phone.code())

    assert (wrong_password, wrong_code) == (["WRONG_PASSWORD"], ["CODE_INVALID"])
    assert still_on == NEEDS_CODE
    assert answer == {"disabled": True, "userErrors": []}
    assert (await people.letter()).subject == "The second factor is off"
    assert (await people.sign_in())["session"] is not None
    assert "recovery_codes" not in await people.counts()
    assert await people.codes(TOTP_DISABLE, by=phone.token, password=PASSWORD, code="000000") == ["NOT_ON"]


async def test_switching_off_what_is_off_locks_nobody_out(people: People):
    await people.verified()
    token = await people.token()

    codes = [await people.codes(TOTP_DISABLE, by=token, password=PASSWORD, code="000000") for _ in range(3)]
    codes += [await people.codes(RENEW, by=token, password=PASSWORD, code="000000") for _ in range(3)]

    assert codes == [["NOT_ON"]] * 6
    assert (await people.sign_in())["session"] is not None


async def test_a_recovery_code_switches_it_off_when_the_authenticator_is_lost(people: People):
    phone = await with_phone(people)

    answer = await people.ask(TOTP_DISABLE, by=phone.token, password=PASSWORD, code=phone.recovery[4])

    assert answer["disabled"] is True


async def test_new_recovery_codes_end_the_old_ones(people: People):
    phone = await with_phone(people)
    people.house.clock.turn(30)

    answer = await people.ask(RENEW, by=phone.token, password=PASSWORD, code=phone.code())

    assert len(set(answer["recoveryCodes"]) - set(phone.recovery)) == 10
    assert (await people.letter()).subject == "Your recovery codes"
    assert (await people.sign_in(recoveryCode=phone.recovery[0]))["session"] is None
    assert (await people.sign_in(recoveryCode=answer["recoveryCodes"][0]))["session"] is not None


async def test_a_reset_of_the_password_leaves_the_second_factor_on(people: People):
    await with_phone(people)
    await people.ask(ASK_RESET, email=ANNA)
    await people.ask(RESET, token=(await people.letter()).token, password=OTHER)

    assert await people.sign_in(password=OTHER) == NEEDS_CODE


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_codes_of_the_steps_around_now_are_taken(steps: int):
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    code = TOTP(secret).at(NOON, counter_offset=steps)

    assert step_of(secret, f"{code[:3]} {code[3:]}", NOON) == int(NOON.timestamp()) // 30 + steps


@pytest.mark.parametrize("steps", [-2, 2])
def test_codes_of_other_steps_are_not(steps: int):
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

    assert step_of(secret, TOTP(secret).at(NOON, counter_offset=steps), NOON) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "1" * 100_000])
def test_what_is_no_code_is_none(code: str):
    assert step_of("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", code, NOON) is None


def test_recovery_codes_are_easy_to_type_and_hard_to_guess():
    made = make_codes()

    assert len(set(made)) == 10
    assert {len(code) for code in made} == {19}
    assert not set("".join(made)) & set("01ilo")
