"""Operators' keys: made, listed, revoked."""

from __future__ import annotations

import pytest

from gateway.core.identity import OperatorRole
from tests.house import House
from tests.plugins.accounts.operator.office import ERRORS, change, hired, trail

KEY = "operatorKey { id name prefix role networks expiresAt revokedAt }"
CREATE = f"mutation($i: OperatorKeyCreateInput!) {{ operatorKeyCreate(input: $i) {{ secret {KEY} {ERRORS} }} }}"
REVOKE = f"mutation($i: OperatorKeyRevokeInput!) {{ operatorKeyRevoke(input: $i) {{ {KEY} {ERRORS} }} }}"
LIST = "query($first: Int, $after: Cursor) { operatorKeys(first: $first, after: $after) { nodes { name role revokedAt } pageInfo { hasNextPage endCursor } } }"  # noqa: E501
TENANTS = "{ tenants { nodes { id } } }"


async def test_a_key_is_shown_once_works_and_works_no_more_once_it_is_revoked(house: House):
    first_id, first = await hired(house)
    house.clock.turn(1)

    made = await change(
        house, CREATE, first, name="day shift", role="AUDITOR", networks=["127.0.0.1", "10.0.0.0/8"]
    )  # fmt: skip
    works = await house.ask(TENANTS, key=made["secret"])
    revoked = await change(house, REVOKE, first, id=made["operatorKey"]["id"])
    refused = await house.ask(TENANTS, key=made["secret"])

    key = made["operatorKey"]
    assert made["secret"].startswith(f"mgop_dev_{key['prefix']}_")
    assert (key["role"], key["networks"]) == ("AUDITOR", ["127.0.0.1/32", "10.0.0.0/8"])
    assert works["data"] == {"tenants": {"nodes": []}}
    assert revoked["operatorKey"]["revokedAt"] == "2026-11-20T12:00:01Z"
    assert refused["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert await trail(house, "") == [
        ("operatorkey.created", first_id, key["id"], None,
         {"name": "day shift", "role": "auditor", "networks": ["127.0.0.1/32", "10.0.0.0/8"], "expiresAt": None}),
        ("operatorkey.revoked", first_id, key["id"], {"name": "day shift", "role": "auditor"}, None),
    ]  # fmt: skip


async def test_the_same_idempotency_key_makes_one_key_and_shows_no_secret_again(house: House):
    _, first = await hired(house)
    given = {"name": "day shift", "idempotencyKey": "once"}

    made, again = [await change(house, CREATE, first, **given) for _ in range(2)]

    assert (made["operatorKey"], again["secret"], again["userErrors"]) == (again["operatorKey"], None, [])
    assert len((await house.ask(LIST, key=first))["data"]["operatorKeys"]["nodes"]) == 2


async def test_keys_are_listed_in_pages_without_a_secret(house: House):
    _, first = await hired(house)
    for name in ("b", "c"):
        house.clock.turn(1)
        await change(house, CREATE, first, name=name)

    page = (await house.ask(LIST, {"first": 2}, key=first))["data"]["operatorKeys"]
    rest = (await house.ask(LIST, {"after": page["pageInfo"]["endCursor"]}, key=first))["data"]["operatorKeys"]

    assert [node["name"] for node in page["nodes"] + rest["nodes"]] == ["night shift", "b", "c"]
    assert (page["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"name": ""}, "NAME_INVALID"), ({"networks": ["10.0.0.0/99"]}, "NETWORK_INVALID"),
        ({"networks": ["10.1.2.3/8"]}, "NETWORK_INVALID"),
        ({"networks": ["::ffff:10.0.0.0/104"]}, "NETWORK_INVALID"),
        ({"networks": ["home"]}, "NETWORK_INVALID"), ({"expiresAt": "2026-11-20T11:59:59Z"}, "EXPIRY_INVALID"),
    ],
)  # fmt: skip
async def test_a_key_that_cannot_be_is_refused_and_none_is_made(house: House, given: dict[str, object], code: str):
    _, first = await hired(house)

    payload = await change(house, CREATE, first, **{"name": "n", **given})

    assert (payload["secret"], [error["code"] for error in payload["userErrors"]]) == (None, [code])
    assert len((await house.ask(LIST, key=first))["data"]["operatorKeys"]["nodes"]) == 1


async def test_a_key_that_is_not_there_cannot_be_revoked_and_an_auditor_revokes_none(house: House):
    first_id, first = await hired(house)
    _, auditor = await hired(house, OperatorRole.AUDITOR)

    unknown = await change(house, REVOKE, first, id="opk_nobody")
    refused = await house.ask(REVOKE, {"i": {"id": first_id}}, key=auditor)

    assert [error["code"] for error in unknown["userErrors"]] == ["NOT_FOUND"]
    assert refused["errors"][0]["extensions"]["missingScope"] == "operator:write"
    assert (await house.ask(TENANTS, key=first))["data"] == {"tenants": {"nodes": []}}


async def test_an_idempotency_key_that_comes_with_other_input_is_refused(house: House):
    _, first = await hired(house)
    await change(house, CREATE, first, name="day shift", idempotencyKey="once")

    payload = await change(house, CREATE, first, name="day shift", networks=["10.0.0.0/8"], idempotencyKey="once")

    assert [error["code"] for error in payload["userErrors"]] == ["IDEMPOTENCY_MISMATCH"]
    assert len((await house.ask(LIST, key=first))["data"]["operatorKeys"]["nodes"]) == 2
