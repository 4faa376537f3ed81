"""A key that acts on keys stays within itself."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.identity import Role
from plugins.accounts.tables import api_keys
from tests.house import House
from tests.plugins.accounts.keys.holders import CREATE, REVOKE, ROTATE, UPDATE, holder
from tests.plugins.accounts.sessions.people import join, settle, sign_in

SCOPES = ["keys:write", "market:read"]
CONFINED = {
    "networks": ["127.0.0.0/8"], "origins": ["https://app.example.com"], "expiresAt": "2026-12-01T00:00:00Z",
}  # fmt: skip
ORIGIN = "https://app.example.com"


@pytest.mark.parametrize(
    ("given", "field", "told"),
    [
        ({"expiresAt": None}, "expiresAt", "ends at 2026-12-01T00:00:00+00:00: another may not end later"),
        ({"expiresAt": "2026-12-01T00:00:01Z"}, "expiresAt", "another may not end later"),
        ({"networks": []}, "networks", "confined to 127.0.0.0/8: another needs networks within these"),
        ({"networks": ["126.0.0.0/7"]}, "networks", "confined to 127.0.0.0/8"),
        ({"networks": ["127.0.0.1", "::1"]}, "networks", "confined to 127.0.0.0/8"),
        ({"origins": [ORIGIN, "https://b.example.com"]}, "origins", "has the origins https://app.example.com"),
    ],
)
async def test_a_confined_key_neither_widens_itself_nor_makes_a_wider_one(
    house: House, given: dict[str, Any], field: str, told: str
) -> None:
    acme = await holder(house)
    own = await acme.ask(CREATE, name="confined", scopes=SCOPES, **CONFINED)
    before = await acme.rows(api_keys)

    made = await acme.refused(CREATE, by=own["secret"], name="wide", scopes=SCOPES, **{**CONFINED, **given})
    changed = await acme.refused(UPDATE, by=own["secret"], id=own["apiKey"]["id"], **given)

    assert made == changed
    assert made[:2] == ("EXCEEDS_CALLER", ["input", field])
    assert told in made[2]
    assert await acme.rows(api_keys) == before


async def test_a_confined_key_makes_and_changes_what_is_within_itself(house: House) -> None:
    acme = await holder(house)
    own = await acme.ask(CREATE, name="confined", scopes=SCOPES, **CONFINED)
    narrow = {"networks": ["127.0.0.1"], "origins": [], "expiresAt": "2026-11-30T00:00:00Z"}

    made = await acme.ask(CREATE, by=own["secret"], name="narrow", scopes=["market:read"], **narrow)
    grown = await acme.ask(UPDATE, by=own["secret"], id=made["apiKey"]["id"], **CONFINED)
    turned = await acme.ask(ROTATE, by=own["secret"], id=own["apiKey"]["id"])

    assert [each["userErrors"] for each in (made, grown, turned)] == [[], [], []]
    assert {name: turned["apiKey"][name] for name in CONFINED} == CONFINED


async def test_a_confined_key_is_not_given_the_secret_of_a_wider_one(house: House) -> None:
    acme = await holder(house)
    own = await acme.ask(CREATE, name="confined", scopes=SCOPES, **CONFINED)
    wide = await acme.ask(CREATE, name="wide", scopes=SCOPES)

    code, field, _ = await acme.refused(ROTATE, by=own["secret"], id=wide["apiKey"]["id"])

    assert (code, field) == ("EXCEEDS_CALLER", ["input", "id"])
    assert len(await acme.rows(api_keys)) == 3


async def test_a_lesser_key_neither_changes_nor_revokes_a_greater_one(house: House) -> None:
    acme = await holder(house)
    lesser = await acme.ask(CREATE, name="lesser", scopes=SCOPES)
    greater = await acme.ask(CREATE, name="greater", scopes=["market:read", "usage:read"])
    before = await acme.rows(api_keys)

    changed = await acme.refused(UPDATE, by=lesser["secret"], id=greater["apiKey"]["id"], scopes=["market:read"])
    revoked = await acme.refused(REVOKE, by=lesser["secret"], id=greater["apiKey"]["id"])

    assert changed == revoked
    assert changed[:2] == ("SCOPE_NOT_HELD", ["input", "id"])
    assert changed[2] == "This key has usage:read, which you have not: use a key or a person that has them."
    assert await acme.rows(api_keys) == before


async def test_an_admin_stops_an_owners_key_and_changes_it_not(house: House) -> None:
    ada = await settle(house, "ada@example.com", "Acme")
    bob = await join(house, ada, "bob@example.com", Role.ADMIN)
    owner, admin = [(await sign_in(house, each)).access_token for each in (ada, bob)]
    wanted = {"name": "billing", "scopes": ["billing:write"], "expiresAt": "2027-01-01T00:00:00Z"}
    made = (await house.ask(CREATE, {"i": wanted}, token=owner))["data"]["r"]["apiKey"]

    changed = await house.ask(UPDATE, {"i": {"id": made["id"], "name": "mine"}}, token=admin)
    opened = await house.ask(UPDATE, {"i": {"id": made["id"], "expiresAt": None}}, token=owner)
    stopped = await house.ask(REVOKE, {"i": {"id": made["id"]}}, token=admin)

    assert changed["data"]["r"]["userErrors"][0]["code"] == "SCOPE_NOT_HELD"
    assert (opened["data"]["r"]["apiKey"]["name"], opened["data"]["r"]["apiKey"]["expiresAt"]) == ("billing", None)
    assert stopped["data"]["r"]["apiKey"]["status"] == "REVOKED"


async def test_an_idempotency_key_that_comes_with_another_wish_is_refused(house: House) -> None:
    acme = await holder(house)
    await acme.ask(CREATE, name="shop", scopes=SCOPES, idempotencyKey="one")

    code, field, told = await acme.refused(CREATE, name="shop", scopes=["market:read"], idempotencyKey="one")

    assert (code, field) == ("IDEMPOTENCY_MISMATCH", ["input", "idempotencyKey"])
    assert told == "This idempotencyKey came with other input within 24 hours: repeat that input, or give another key."
    assert len(await acme.rows(api_keys)) == 2


async def test_an_idempotency_key_is_known_by_what_its_input_means(house: House) -> None:
    acme = await holder(house)
    first = await acme.ask(CREATE, name="shop", scopes=SCOPES, expiresAt="2027-01-01T00:00:00Z", idempotencyKey="one")

    again = await acme.ask(
        CREATE, name="shop", scopes=SCOPES, expiresAt="2027-01-01T09:00:00+09:00", idempotencyKey="one"
    )

    assert (again["userErrors"], again["apiKey"], again["secret"]) == ([], first["apiKey"], None)
