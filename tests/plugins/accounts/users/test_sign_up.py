"""Signing up and proving an address: nobody learns whether an address has an account."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from plugins.accounts.tables import organisations, users
from plugins.accounts.users.desk import UserDesk
from tests.house import open_house
from tests.plugins.accounts.users.conftest import (
    ANNA,
    ASK_RESET,
    OTHER,
    PASSWORD,
    RESEND,
    RESET,
    SIGN_IN,
    SIGN_UP,
    VERIFY,
    People,
    make_fast,
)

ACCEPTED = {"accepted": True, "userErrors": []}


async def test_a_new_person_gets_an_organisation_and_may_sign_in_once_the_address_is_confirmed(people: People):
    answer = await people.ask(SIGN_UP, email=ANNA, password=PASSWORD, organisationName="Harbour Capital")
    before = await people.codes(SIGN_IN, email=ANNA, password=PASSWORD)

    letter = await people.letter()
    verified = await people.ask(VERIFY, token=letter.token)
    session = (await people.sign_in())["session"]

    assert answer == ACCEPTED
    assert before == ["EMAIL_NOT_VERIFIED"]
    assert letter.subject == "Confirm your e-mail address"
    assert f"http://127.0.0.1:8000/account#verify?token={letter.token}" in letter.text
    assert verified == {"verified": True, "passwordNeeded": False, "userErrors": []}
    assert session["expiresAt"] == "2026-11-20T12:15:00Z"
    async with people.house.store.read() as tx:
        assert await tx.values(select(organisations.c.name)) == ["Harbour Capital"]


async def test_a_known_address_gets_the_same_answer_for_the_same_work_and_a_mail_that_says_so(people: People):
    await people.verified()
    before, hashes = await people.counts(), people.passwords.hashes

    new = await people.ask(SIGN_UP, email="new@example.com", password=OTHER)
    between, hashes_for_new = await people.counts(), people.passwords.hashes - hashes
    known = await people.ask(SIGN_UP, email=ANNA, password=OTHER)
    after, hashes_for_known = await people.counts(), people.passwords.hashes - hashes - hashes_for_new

    assert new == known == ACCEPTED
    assert (hashes_for_new, hashes_for_known) == (1, 1)
    assert [between["mails"] - before["mails"], after["mails"] - between["mails"]] == [1, 1]
    assert {**after, "mails": 0, "attempts": 0} == {**between, "mails": 0, "attempts": 0}
    letter = await people.letter()
    assert letter.subject == "You have an account already"
    assert "token=" not in letter.text
    assert await people.codes(SIGN_IN, email=ANNA, password=OTHER) == ["CREDENTIALS_INVALID"]


async def test_addresses_that_differ_in_case_or_composition_are_one(people: People):
    await people.verified("änna@example.com")
    before = await people.counts()

    await people.ask(SIGN_UP, email="A\u0308NNA@Example.COM", password=OTHER)

    assert (await people.counts())["users"] == before["users"]
    assert (await people.sign_in("ÄNNA@EXAMPLE.com"))["session"] is not None


@pytest.mark.parametrize(
    ("email", "said"),
    [
        ("anna", "An email address must have an @-sign: give an address such as anna@example.com."),
        ("anna@foo.invalid", "special-use or reserved name"),
        ("anna@example.com\r\nBcc: all@example.com", "invalid characters"),
        ("a" * 300 + "@example.com", "The address is longer than 254 characters"),
    ],
)
async def test_an_invalid_address_is_refused_with_the_way_out(people: People, email: str, said: str):
    answer = await people.ask(SIGN_UP, email=email, password=PASSWORD)

    assert answer["accepted"] is False
    assert [(e["code"], e["field"]) for e in answer["userErrors"]] == [("EMAIL_INVALID", ["input", "email"])]
    assert said in answer["userErrors"][0]["message"]
    assert await people.counts() == {}


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short 1!x", "The password has 9 characters: take 10 or more, such as four uncommon words."),
        (
            "Password123!",
            "This is similar to a commonly used password: take a longer one, such as four uncommon words.",
        ),
        ("xk7Anna92jq!wz", "The password holds the name of your address, which is guessed first: leave it out."),
        ("é" * 257, "The password has more than 512 bytes: take a shorter one."),
    ],
)
async def test_a_weak_password_is_refused_with_the_way_out(people: People, password: str, said: str):
    answer = await people.ask(SIGN_UP, email=ANNA, password=password)

    error = {"code": "WEAK_PASSWORD", "field": ["input", "password"], "message": said}
    assert answer == {"accepted": False, "userErrors": [error]}
    assert people.passwords.hashes == 0
    assert await people.counts() == {}


async def test_characters_are_counted_not_bytes(people: People):
    assert await people.codes(SIGN_UP, email=ANNA, password="żółw łąka ć") == []


async def test_a_link_works_once(people: People):
    letter = await people.signed_up()

    first = await people.ask(VERIFY, token=letter.token)
    second = await people.ask(VERIFY, token=letter.token)

    assert first["verified"] is True
    assert second["verified"] is False
    assert second["userErrors"] == [
        {
            "code": "TOKEN_INVALID",
            "field": ["input", "token"],
            "message": "The link was used before, or is too old: ask for another with userVerificationResend.",
        }
    ]


async def test_a_link_of_yesterday_works_no_more_and_another_one_does(people: People):
    letter = await people.signed_up()
    people.house.clock.turn(24 * 3600)

    late = await people.codes(VERIFY, token=letter.token)
    await people.ask(RESEND, email=ANNA)
    again = await people.ask(VERIFY, token=(await people.letter()).token)

    assert late == ["TOKEN_INVALID"]
    assert again == {"verified": True, "passwordNeeded": False, "userErrors": []}
    assert (await people.sign_in())["session"] is not None


@pytest.mark.parametrize("document", [RESEND, ASK_RESET])
async def test_asking_for_a_link_tells_nothing_and_writes_one_mail_whoever_has_the_address(
    people: People, document: str
):
    await people.verified()

    known = await people.ask(document, email=ANNA)
    unknown = await people.ask(document, email="nobody@example.com")

    assert known == unknown == ACCEPTED
    assert (await people.letter()).to == ANNA
    assert (await people.letter("nobody@example.com")).subject == "There is no account with this address"
    assert people.passwords.hashes == 1


async def test_after_two_sign_ups_neither_password_counts_until_the_owner_of_the_mails_sets_one(people: People):
    thiefs = await people.signed_up(password="a thief was here first 9")
    mine = await people.signed_up(password=PASSWORD)

    older = await people.codes(VERIFY, token=thiefs.token)
    newer = await people.ask(VERIFY, token=mine.token)
    refused = [
        await people.codes(SIGN_IN, email=ANNA, password=password)
        for password in ("a thief was here first 9", PASSWORD)
    ]
    await people.ask(ASK_RESET, email=ANNA)
    await people.ask(RESET, token=(await people.letter()).token, password=OTHER)

    assert older == ["TOKEN_INVALID"]
    assert newer == {"verified": True, "passwordNeeded": True, "userErrors": []}
    assert refused == [["CREDENTIALS_INVALID"], ["CREDENTIALS_INVALID"]]
    assert (await people.sign_in(password=OTHER))["session"] is not None


async def test_the_mail_of_a_second_sign_up_tells_that_no_password_was_kept(people: People):
    first = await people.signed_up(password="a thief was here first 9")

    second = await people.signed_up(password=PASSWORD)

    assert first.subject == "Confirm your e-mail address"
    assert second.subject == "Confirm your e-mail address again"
    assert "links of earlier mails work no more, and none of the passwords was kept" in second.text
    assert "http://127.0.0.1:8000/account#reset" in second.text


async def test_a_link_that_was_sent_again_after_two_sign_ups_proves_the_address_and_no_password(people: People):
    await people.signed_up(password="a thief was here first 9")
    await people.signed_up(password=PASSWORD)
    await people.ask(RESEND, email=ANNA)

    answer = await people.ask(VERIFY, token=(await people.letter()).token)

    assert answer == {"verified": True, "passwordNeeded": True, "userErrors": []}
    for password in ("a thief was here first 9", PASSWORD):
        assert await people.codes(SIGN_IN, email=ANNA, password=password) == ["CREDENTIALS_INVALID"]


async def test_an_address_that_another_proof_confirms_keeps_no_password_of_a_stranger(people: People):
    await people.signed_up(password="a thief was here first 9")
    desk = people.house.host.service(UserDesk)

    async with people.house.store.write() as tx:
        found = await desk.verified_user(tx, "Anna@Example.com")
        made = await desk.verified_user(tx, "bob@example.com")
        again = await desk.verified_user(tx, "BOB@example.com")

    assert made == again != found
    assert await people.codes(SIGN_IN, email=ANNA, password="a thief was here first 9") == ["CREDENTIALS_INVALID"]
    async with people.house.store.read() as tx:
        assert (await tx.values(select(users.c.verified_at.is_not(None)))) == [True, True]


async def test_of_two_sign_ups_at_once_one_makes_the_person(people: People):
    answers = await asyncio.gather(*(people.ask(SIGN_UP, email=ANNA, password=PASSWORD) for _ in range(2)))

    assert answers == [ACCEPTED, ACCEPTED]
    found = await people.counts()
    assert (found["users"], found["organisations"], found["mails"]) == (1, 1, 2)


async def test_the_sixth_mail_within_an_hour_is_refused_for_known_and_unknown_addresses_alike(people: People):
    await people.verified()
    for _ in range(4):
        await people.ask(ASK_RESET, email=ANNA)
    for _ in range(5):
        await people.ask(ASK_RESET, email="nobody@example.com")
    before = await people.counts()

    known = await people.ask(ASK_RESET, email=ANNA)
    unknown = await people.ask(ASK_RESET, email="nobody@example.com")

    assert known == unknown
    told = "5 mails were sent to this address within an hour: look among the junk, or try again in 61 minutes."
    error = {"code": "TOO_MANY_REQUESTS", "field": ["input", "email"], "message": told}
    assert known == {"accepted": False, "userErrors": [error]}
    assert await people.counts() == before
    people.house.clock.turn(3600)
    assert await people.ask(ASK_RESET, email=ANNA) == ACCEPTED


@pytest.mark.parametrize(
    ("setting", "given", "code"),
    [
        ("closed", {}, "SIGN_UP_CLOSED"),
        ("invited", {}, "INVITATION_REQUIRED"),
        ("invited", {"invitationToken": "made up"}, "INVITATION_INVALID"),
        ("open", {"invitationToken": "made up"}, "INVITATION_INVALID"),
        ("open", {"organisationName": " "}, "NAME_INVALID"),
    ],
)
async def test_who_may_sign_up_is_a_setting(
    sqlite_url: str, tmp_path: Path, setting: str, given: dict[str, Any], code: str
):
    async with open_house(sqlite_url, tmp_path, sign_up=setting) as house:
        people = make_fast(house)

        codes = await people.codes(SIGN_UP, email=ANNA, password=PASSWORD, **given)

        assert codes == [code]
        assert await people.counts() == {}


async def test_an_invited_person_signs_up_without_an_organisation_and_accepts_later(people: People):
    await people.verified("owner@example.com")
    owner = await people.token("owner@example.com")
    invite = (
        'mutation { r: invitationCreate(input: {email: "anna@example.com", role: ANALYST}) { userErrors { code } } }'
    )
    await people.ask(invite, by=owner)
    invitation = (await people.letter()).token
    before = await people.counts()

    for_another = await people.codes(SIGN_UP, email="eve@example.com", password=PASSWORD, invitationToken=invitation)
    accepted = await people.ask(SIGN_UP, email=ANNA, password=PASSWORD, invitationToken=invitation)
    letter = await people.letter()
    await people.ask(VERIFY, token=letter.token)
    accept = "mutation($i: InvitationAcceptInput!) { r: invitationAccept(input: $i) { userErrors { code } } }"
    joined = await people.codes(accept, by=await people.token(), token=invitation)

    assert for_another == ["INVITATION_INVALID"]
    assert accepted == ACCEPTED
    assert f"token={letter.token}&invitation={invitation}" in letter.text
    assert joined == []
    assert (await people.counts())["organisations"] == before["organisations"]
    assert (await people.counts())["memberships"] == before["memberships"] + 1


@pytest.mark.parametrize(("env", "codes"), [("development", []), ("production", ["EMAIL_INVALID"])])
async def test_domains_for_tests_have_mail_in_development_only(
    sqlite_url: str, tmp_path: Path, env: str, codes: list[str]
):
    async with open_house(sqlite_url, tmp_path, env=env, upstreams="recorded") as house:
        assert await make_fast(house).codes(SIGN_UP, email="anna@shop.test", password=PASSWORD) == codes
