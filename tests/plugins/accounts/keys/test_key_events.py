"""Keys that come and go are events, written with them."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.accounts.keys.acts import KeyActs
from plugins.accounts.tables import api_keys
from tests.house import House
from tests.plugins.accounts.keys.holders import CREATE, REVOKE, ROTATE, Holder, holder
from tests.told import told


async def events_of(acme: Holder) -> list[dict[str, Any]]:
    return await told(acme.house.store, acme.tenant)


async def test_a_key_that_is_made_is_told_once_without_its_secret(house: House):
    acme = await holder(house)

    made = await acme.ask(CREATE, name="shop", scopes=["market:read"], idempotencyKey="once")
    await acme.ask(CREATE, name="shop", scopes=["market:read"], idempotencyKey="once")

    (event,) = await events_of(acme)
    key = made["apiKey"]
    assert {name: value for name, value in event.items() if name != "id"} == {
        "type": "apikey.created", "version": 1, "occurredAt": key["createdAt"], "sequence": "1", "mode": "LIVE",
        "keyId": key["id"], "keyName": "shop", "prefix": key["prefix"], "scopes": ["market:read"], "expiresAt": None,
        "createdBy": acme.id, "replaces": None,
    }  # fmt: skip
    assert made["secret"].rpartition("_")[2] not in str(event)


async def test_a_key_that_is_ended_is_told_once(house: House):
    acme = await holder(house)
    key = (await acme.ask(CREATE, name="shop", scopes=["market:read"]))["apiKey"]

    for _ in range(2):
        await acme.ask(REVOKE, id=key["id"])

    (_, event) = await events_of(acme)
    shown = {name: event[name] for name in ("type", "keyId", "keyName", "prefix", "revokedBy", "replacedBy")}
    assert shown == {
        "type": "apikey.revoked", "keyId": key["id"], "keyName": "shop", "prefix": key["prefix"],
        "revokedBy": acme.id, "replacedBy": None,
    }  # fmt: skip


@pytest.mark.parametrize(("overlap", "types"), [(0, ["apikey.created", "apikey.revoked"]), (60, ["apikey.created"])])
async def test_a_rotation_tells_of_the_successor_and_of_an_end_that_comes_at_once(
    house: House, overlap: int, types: list[str]
):
    acme = await holder(house)
    old = (await acme.ask(CREATE, name="shop", scopes=["market:read"]))["apiKey"]

    new = (await acme.ask(ROTATE, id=old["id"], overlapSeconds=overlap))["apiKey"]

    events = (await events_of(acme))[1:]
    assert [event["type"] for event in events] == types
    assert (events[0]["keyId"], events[0]["replaces"]) == (new["id"], old["id"])
    assert [(event["keyId"], event["replacedBy"]) for event in events[1:]] == [(old["id"], new["id"])][: len(types) - 1]


async def test_a_key_that_could_not_be_written_down_is_not_told(house: House, monkeypatch: pytest.MonkeyPatch):
    acme = await holder(house)

    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the trail is full")

    monkeypatch.setattr(KeyActs, "_record", broken)
    with pytest.raises(AssertionError, match="errors"):
        await acme.ask(CREATE, name="shop", scopes=["market:read"])

    assert await events_of(acme) == []
    assert [row["name"] for row in await acme.rows(api_keys)] == ["first"]
