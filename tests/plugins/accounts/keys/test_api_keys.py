"""API keys: made, shown once, listed, changed, rotated, revoked, and nobody gives more than they have."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from gateway.core.identity import OperatorRole, Scope
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.keys.rules import MOST_KEYS
from plugins.accounts.tables import api_keys, audit
from tests.gateway.doubles import NOON, ROOT_SECRET
from tests.house import House, open_house
from tests.plugins.accounts.keys.holders import CREATE, LIST, REVOKE, ROTATE, UPDATE, Holder, holder

MARKET = ["market:read"]


async def test_a_key_is_made_and_its_secret_opens_the_market(house: House) -> None:
    acme = await holder(house)

    made = await acme.ask(CREATE, name=" shop ", scopes=["stream:read", "market:read"])

    key = made["apiKey"]
    assert re.fullmatch(rf"mg_dev_{key['prefix']}_[0-9A-Za-z]{{43}}", made["secret"])
    assert (key["name"], key["scopes"], key["status"]) == ("shop", ["market:read", "stream:read"], "ACTIVE")
    assert (key["createdBy"], key["createdAt"], key["expiresAt"]) == (acme.id, "2026-11-20T12:00:00Z", None)
    assert await acme.code_of(made["secret"]) is None


async def test_the_secret_stands_nowhere_but_in_the_answer(house: House) -> None:
    acme = await holder(house)

    made = await acme.ask(CREATE, name="shop", scopes=MARKET)

    everything = json.dumps([await acme.rows(api_keys), await acme.rows(audit)], default=str)
    assert made["secret"] not in everything
    assert made["secret"].rpartition("_")[2] not in everything
    (line,) = [row for row in await acme.rows(audit) if row["action"] == "apikey.created"]
    assert (line["actor"], line["target"], line["after"]["scopes"]) == (acme.id, made["apiKey"]["id"], MARKET)


@pytest.mark.parametrize(
    ("given", "code", "field", "told"),
    [
        ({"name": " "}, "NAME_INVALID", "name", "The name is empty"),
        ({"scopes": []}, "NO_SCOPES", "scopes", "Without scopes nothing is allowed"),
        ({"scopes": ["market:raed"]}, "UNKNOWN_SCOPE", "scopes", "Did you mean 'market:read'? The scopes are"),
        ({"scopes": ["operator:write"]}, "SCOPE_NOT_HELD", "scopes", "You do not have operator:write yourself"),
        ({"origins": ["https://*.example.com"]}, "ORIGIN_INVALID", "origins", "without wildcards"),
        ({"origins": ["https://app.example.com/"]}, "ORIGIN_INVALID", "origins", "nothing behind the host"),
        ({"origins": ["https://u@app.example.com"]}, "ORIGIN_INVALID", "origins", "nothing behind the host"),
        ({"origins": ["https://app.example.com?"]}, "ORIGIN_INVALID", "origins", "nothing behind the host"),
        ({"origins": ["http://app.example.com"]}, "ORIGIN_INVALID", "origins", "http is for this machine alone"),
        ({"origins": ["https://app.example.com:99999"]}, "ORIGIN_INVALID", "origins", "cannot be read"),
        ({"origins": ["null"]}, "ORIGIN_INVALID", "origins", "needs a scheme and a host"),
        ({"origins": [""]}, "ORIGIN_INVALID", "origins", "needs a scheme and a host"),
        ({"networks": ["10.0.0.1/8"]}, "NETWORK_INVALID", "networks", "write it like 203.0.113.0/24"),
        ({"networks": ["::ffff:10.0.0.0/104"]}, "NETWORK_INVALID", "networks", "write it like 203.0.113.0/24"),
        ({"expiresAt": "2026-11-20T12:00:00Z"}, "EXPIRY_PAST", "expiresAt", "is past: give a later time"),
    ],
)  # fmt: skip
async def test_what_a_key_cannot_carry_is_refused_with_the_way_out(
    sqlite_url: str, tmp_path: Path, given: dict[str, object], code: str, field: str, told: str
) -> None:
    async with open_house(sqlite_url, tmp_path) as house:
        acme = await holder(house)

        found = await acme.refused(CREATE, **{"name": "shop", "scopes": MARKET, **given})

        assert found[:2] == (code, ["input", field])
        assert told in found[2]
        assert len(await acme.rows(api_keys)) == 1


async def test_origins_and_networks_are_kept_as_requests_show_them(house: House) -> None:
    acme = await holder(house)

    made = await acme.ask(
        CREATE, name="shop", scopes=MARKET,
        origins=["https://APP.example.com:443", "http://localhost:3000", "https://app.example.com"],
        networks=["203.0.113.7", "2001:db8::/32"],
    )  # fmt: skip

    assert made["apiKey"]["origins"] == ["https://app.example.com", "http://localhost:3000"]
    assert made["apiKey"]["networks"] == ["203.0.113.7/32", "2001:db8::/32"]


async def test_nobody_gives_a_scope_that_they_do_not_have(house: House) -> None:
    small = await holder(house, scopes=frozenset({Scope.KEYS_WRITE, Scope.MARKET_READ}))

    code, _, told = await small.refused(CREATE, name="more", scopes=["market:read", "usage:read", "billing:write"])

    assert code == "SCOPE_NOT_HELD"
    assert told == "You do not have billing:write, usage:read yourself and cannot give it: leave it out."


async def test_a_greater_keys_successor_is_not_made_by_a_lesser_one(house: House) -> None:
    acme = await holder(house)
    lesser = await acme.ask(CREATE, name="lesser", scopes=["keys:write"])

    payload = await acme.ask(ROTATE, by=lesser["secret"], id=acme.id)
    grown = await acme.ask(UPDATE, by=lesser["secret"], id=lesser["apiKey"]["id"], scopes=["keys:write", "market:read"])

    assert [each["userErrors"][0]["code"] for each in (payload, grown)] == ["SCOPE_NOT_HELD", "SCOPE_NOT_HELD"]
    assert payload["secret"] is None
    assert len(await acme.rows(api_keys)) == 2


async def test_the_same_request_again_makes_no_second_key_and_shows_no_secret(house: House) -> None:
    acme = await holder(house)
    wanted = {"name": "shop", "scopes": MARKET, "idempotencyKey": "one"}
    first = await acme.ask(CREATE, **wanted)

    again = await acme.ask(CREATE, **wanted)
    other = await acme.ask(CREATE, **{**wanted, "idempotencyKey": "two"})

    assert again == {"apiKey": first["apiKey"], "secret": None, "userErrors": []}
    assert other["apiKey"]["id"] != first["apiKey"]["id"]
    assert len(await acme.rows(api_keys)) == 3


async def test_an_organisation_has_a_hundred_keys_at_most(house: House) -> None:
    acme = await holder(house)
    async with house.store.write() as tx:
        for _ in range(MOST_KEYS - 1):
            await house.host.service(KeyDesk).create(tx, acme.tenant, name="k", scopes=MARKET, created_by="x")

    code, field, _ = await acme.refused(CREATE, name="one more", scopes=MARKET)

    assert (code, field) == ("TOO_MANY_KEYS", None)
    assert len(await acme.rows(api_keys)) == MOST_KEYS


async def test_keys_are_listed_page_by_page_without_another_organisations(house: House) -> None:
    acme, other = await holder(house), await holder(house, "Other")
    for name in ("two", "three"):
        house.clock.turn(1)
        await acme.ask(CREATE, name=name, scopes=MARKET)

    first = await acme.ask(LIST, first=2)
    second = await acme.ask(LIST, first=2, after=first["pageInfo"]["endCursor"])

    assert [key["name"] for key in first["nodes"] + second["nodes"]] == ["first", "two", "three"]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
    assert [key["id"] for key in (await other.ask(LIST))["nodes"]] == [other.id]


async def test_another_organisations_key_is_as_unknown_as_one_that_is_not_there(house: House) -> None:
    acme, other = await holder(house), await holder(house, "Other")
    before = await acme.rows(api_keys)

    found = [
        await other.refused(document, id=id)
        for document in (UPDATE, ROTATE, REVOKE)
        for id in (acme.id, "key_00000000000000000000", "ключ", "")
    ]

    assert {each[0] for each in found} == {"NOT_FOUND"}
    assert found == [found[0]] * 12
    assert await acme.rows(api_keys) == before


async def test_a_key_is_a_node_for_who_may_list_keys(house: House) -> None:
    acme, other = await holder(house), await holder(house, "Other")
    blind = await acme.ask(CREATE, name="blind", scopes=MARKET)
    document = "query($id: ID!) { r: node(id: $id) { id ... on ApiKey { name } } }"

    found = [await acme.ask(document, by=by, id=acme.id) for by in (acme.secret, other.secret, blind["secret"])]

    assert found == [{"id": acme.id, "name": "first"}, None, None]


async def test_a_changed_key_obeys_at_once_and_the_change_is_written_down(house: House) -> None:
    acme = await holder(house)
    shop = await acme.ask(CREATE, name="shop", scopes=["market:read", "usage:read"])
    assert await acme.code_of(shop["secret"]) is None

    changed = await acme.ask(UPDATE, id=shop["apiKey"]["id"], name="till", scopes=["usage:read"])

    assert (changed["apiKey"]["name"], changed["apiKey"]["scopes"]) == ("till", ["usage:read"])
    assert await acme.code_of(shop["secret"]) == "FORBIDDEN"
    (line,) = [row for row in await acme.rows(audit) if row["action"] == "apikey.updated"]
    assert line["before"] == {"name": "shop", "scopes": ["market:read", "usage:read"]}
    assert line["after"] == {"name": "till", "scopes": ["usage:read"]}


async def test_a_change_leaves_alone_what_it_does_not_name(house: House) -> None:
    acme = await holder(house)
    wanted = {"networks": ["10.0.0.0/8"], "expiresAt": "2027-01-01T00:00:00Z"}
    shop = await acme.ask(CREATE, name="shop", scopes=MARKET, **wanted)

    renamed = await acme.ask(UPDATE, id=shop["apiKey"]["id"], name="till")
    opened = await acme.ask(UPDATE, id=shop["apiKey"]["id"], networks=None, expiresAt=None)

    assert (renamed["apiKey"]["networks"], renamed["apiKey"]["expiresAt"]) == (["10.0.0.0/8"], "2027-01-01T00:00:00Z")
    assert (opened["apiKey"]["networks"], opened["apiKey"]["expiresAt"]) == ([], None)


async def test_networks_and_origins_bound_where_a_key_works(house: House) -> None:
    acme = await holder(house)
    shop = await acme.ask(
        CREATE, name="shop", scopes=MARKET, networks=["10.0.0.0/8"], origins=["https://app.example.com"]
    )
    secret, inside = shop["secret"], "10.1.2.3"

    found = [
        await acme.code_of(secret, ip=inside),
        await acme.code_of(secret, ip="11.0.0.1"),
        await acme.code_of(secret, ip=inside, origin="https://app.example.com"),
        await acme.code_of(secret, ip=inside, origin="https://evil.example.com"),
    ]

    assert found == [None, "CREDENTIAL_NOT_ALLOWED", None, "CREDENTIAL_NOT_ALLOWED"]


async def test_both_keys_work_during_the_overlap_of_a_rotation(house: House) -> None:
    acme = await holder(house)
    house.clock.turn(1)
    shop = await acme.ask(CREATE, name="shop", scopes=MARKET, networks=["127.0.0.0/8"])
    house.clock.turn(1)

    turned = await acme.ask(ROTATE, id=shop["apiKey"]["id"], overlapSeconds=600)
    during = [await acme.code_of(shop["secret"]), await acme.code_of(turned["secret"])]
    house.clock.turn(600)
    after = [await acme.code_of(shop["secret"]), await acme.code_of(turned["secret"])]

    new, old = turned["apiKey"], turned["previous"]
    assert (new["name"], new["scopes"], new["networks"]) == ("shop", MARKET, ["127.0.0.0/8"])
    assert (old["status"], old["expiresAt"]) == ("ROTATED", "2026-11-20T12:10:02Z")
    assert (during, after) == ([None, None], ["UNAUTHENTICATED", None])
    assert (await acme.ask(LIST))["nodes"][1]["status"] == "EXPIRED"


async def test_a_rotation_without_overlap_ends_the_old_key_at_once(house: House) -> None:
    acme = await holder(house)
    shop = await acme.ask(CREATE, name="shop", scopes=MARKET)
    assert await acme.code_of(shop["secret"]) is None

    turned = await acme.ask(ROTATE, id=shop["apiKey"]["id"], overlapSeconds=0)

    assert turned["previous"]["status"] == "REVOKED"
    assert [await acme.code_of(each["secret"]) for each in (shop, turned)] == ["UNAUTHENTICATED", None]


async def test_a_key_is_rotated_once_and_its_overlap_is_bounded(house: House) -> None:
    acme = await holder(house)
    shop = (await acme.ask(CREATE, name="shop", scopes=MARKET))["apiKey"]
    too_long = await acme.refused(ROTATE, id=shop["id"], overlapSeconds=2_592_001)
    turned = await acme.ask(ROTATE, id=shop["id"])

    again = await acme.refused(ROTATE, id=shop["id"])

    assert too_long[0] == "OVERLAP_INVALID"
    assert again == ("NOT_ACTIVE", ["input", "id"], f"This key was rotated: its successor is {turned['apiKey']['id']}.")
    assert len(await acme.rows(api_keys)) == 3


async def test_a_revoked_key_ends_at_once_and_may_be_revoked_again(house: House) -> None:
    acme = await holder(house)
    shop = await acme.ask(CREATE, name="shop", scopes=MARKET)
    assert await acme.code_of(shop["secret"]) is None

    found = [await acme.ask(REVOKE, id=shop["apiKey"]["id"]) for _ in range(2)]

    assert [each["apiKey"]["status"] for each in found] == ["REVOKED", "REVOKED"]
    assert await acme.code_of(shop["secret"]) == "UNAUTHENTICATED"
    assert len([row for row in await acme.rows(audit) if row["action"] == "apikey.revoked"]) == 1


async def test_an_expired_key_opens_nothing(house: House) -> None:
    acme = await holder(house)
    shop = await acme.ask(CREATE, name="shop", scopes=MARKET, expiresAt="2026-11-20T12:01:00Z")

    before = await acme.code_of(shop["secret"])
    house.clock.turn(60)

    assert (before, await acme.code_of(shop["secret"])) == (None, "UNAUTHENTICATED")


async def test_texts_that_are_no_key_are_known_by_none(house: House) -> None:
    acme = await holder(house)
    desk, prefix = house.host.service(KeyDesk), acme.secret.split("_")[2]
    wrong = [
        "", "mg", "mg_dev", f"mg_dev_{prefix}", f"mg_dev_{prefix}_", f"mg_dev_{prefix}_{'a' * 43}", f"{acme.secret}_",
        f"{acme.secret}x", acme.secret[:-1], acme.secret.replace("mg_dev", "mg_live"), "mg_dev_" + "é" * 12 + "_x",
        f"mgop_dev_{prefix}_{'a' * 43}", "mg_dev_" + "a" * 12 + "_" + "b" * 10_000,
    ]  # fmt: skip

    async with house.store.read() as tx:
        found = [await desk.verify(tx, text) for text in wrong]
        others = [await desk.verify_token(tx, acme.secret), await desk.verify_operator(tx, acme.secret)]
        right = await desk.verify(tx, acme.secret)

    assert found == [None] * len(wrong)
    assert others == [None, None]
    assert right is not None
    assert right.id == acme.id


async def test_a_digest_in_the_table_is_no_credential(house: House) -> None:
    acme = await holder(house)
    (row,) = await acme.rows(api_keys)

    async with house.store.read() as tx:
        found = await house.host.service(KeyDesk).verify(tx, f"mg_dev_{row['prefix']}_{row['digest'][:43]}")

    assert found is None


async def test_keys_survive_the_rotation_of_the_root_secret(sqlite_url: str, tmp_path: Path) -> None:
    async with open_house(sqlite_url, tmp_path) as old:
        acme = await holder(old)
    new_root = "another root secret for tests, of thirty-two bytes or more"

    async with open_house(sqlite_url, tmp_path, secret_key=new_root, secret_key_previous=ROOT_SECRET) as house:
        known = await Holder(house, acme.tenant, acme.id, acme.secret).code_of(acme.secret)
    async with open_house(sqlite_url, tmp_path, secret_key=new_root) as house:
        forgotten = await Holder(house, acme.tenant, acme.id, acme.secret).code_of(acme.secret)

    assert (known, forgotten) == (None, "UNAUTHENTICATED")


async def test_last_uses_are_written_together_and_once_a_minute(house: House) -> None:
    acme = await holder(house)
    desk = house.host.service(KeyDesk)

    desk.note_use(acme.id, "10.0.0.1")
    house.clock.turn(5)
    desk.note_use(acme.id, "10.0.0.2")
    unwritten = (await acme.rows(api_keys))[0]["last_used_at"]
    await desk.uses.write()
    first = (await acme.rows(api_keys))[0]
    house.clock.turn(59)
    desk.note_use(acme.id, "10.0.0.3")
    await desk.uses.write()
    same = (await acme.rows(api_keys))[0]
    house.clock.turn(2)
    desk.note_use(acme.id, "10.0.0.4")
    await desk.uses.write()
    later = (await acme.rows(api_keys))[0]

    assert unwritten is None
    assert (first["last_used_at"], first["last_used_ip"]) == (NOON + timedelta(seconds=5), "10.0.0.2")
    assert same == first
    assert (later["last_used_at"], later["last_used_ip"]) == (NOON + timedelta(seconds=66), "10.0.0.4")


async def test_a_request_notes_the_use_of_its_key(house: House) -> None:
    acme = await holder(house)

    await acme.ask(LIST)
    await house.host.service(KeyDesk).uses.write()

    key = (await acme.ask(LIST))["nodes"][0]
    assert (key["lastUsedAt"], key["lastUsedIp"]) == ("2026-11-20T12:00:00Z", "127.0.0.1")


async def test_operators_keys_are_made_and_known_apart(house: House) -> None:
    desk = house.host.service(KeyDesk)
    async with house.store.write() as tx:
        row, text = await desk.create_operator(tx, name="root", role=OperatorRole.OPERATOR, networks=["127.0.0.0/8"])

    async with house.store.read() as tx:
        known, as_key = await desk.verify_operator(tx, text), await desk.verify(tx, text)
    desk.note_use(row.id, "127.0.0.1")
    await desk.uses.write()
    async with house.store.read() as tx:
        used = await desk.verify_operator(tx, text)

    assert re.fullmatch(rf"mgop_dev_{row.prefix}_[0-9A-Za-z]{{43}}", text)
    assert (known, as_key) == (row, None)
    assert used is not None
    assert used.last_used_at == NOON


async def test_a_key_of_production_says_so(sqlite_url: str, tmp_path: Path) -> None:
    async with open_house(sqlite_url, tmp_path, env="production", upstreams="recorded") as house:
        acme = await holder(house)

        assert acme.secret.startswith("mg_live_")
        assert await acme.code_of(acme.secret) is None


async def test_a_scope_that_stands_in_a_row_and_is_no_tenants_opens_nothing(house: House) -> None:
    acme = await holder(house)
    async with house.store.write() as tx:
        await tx.run(update(api_keys).values(scopes=["operator:write"]))

    assert await acme.code_of(acme.secret) == "FORBIDDEN"
