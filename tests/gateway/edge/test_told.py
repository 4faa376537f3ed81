"""What a refused request is told: where it is wrong and the way out, never the value, which may be a password."""

from __future__ import annotations

import pytest

from tests.house import House, open_house

SIGN_UP = "mutation($i: UserSignUpInput!) { userSignUp(input: $i) { accepted } }"
SECRET = "hunter2-Secretpw-99"


@pytest.fixture
async def house(sqlite_url, tmp_path):
    async with open_house(sqlite_url, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    "given",
    [
        {"email": "a@example.com", "password": SECRET, "extra": 1},
        {"email": "a@example.com", "password": [SECRET]},
        {"email": "a@example.com", "password": {"x": SECRET}},
        {"password": SECRET},
        SECRET,
    ],
)
async def test_a_wrong_variable_is_named_without_its_value(house: House, given: object):
    body = await house.ask(SIGN_UP, {"i": given})

    (error,) = body["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"].startswith("Variable '$i' has invalid value")
    assert SECRET not in str(body)


@pytest.mark.parametrize("literal", ["hunter2Secretpw99", '["hunter2Secretpw99"]', '{x: "hunter2Secretpw99"}'])
async def test_a_wrong_literal_is_not_repeated(house: House, literal: str):
    body = await house.ask(
        f'mutation {{ userSignUp(input: {{email: "a@example.com", password: {literal}}}) {{ accepted }} }}'
    )

    assert [error["message"] for error in body["errors"]] == ["String cannot represent a non string value."]


async def test_an_unknown_word_of_an_enumeration_is_answered_with_the_known_ones(house: House):
    body = await house.ask(
        'mutation { invitationCreate(input: {email: "a@example.com", role: KING}) { userErrors { code } } }'
    )

    (error,) = body["errors"]
    assert error["message"] == (
        "Value 'KING' does not exist in 'MemberRole' enum; its values are OWNER, ADMIN, TRADER, ANALYST, VIEWER."
    )
