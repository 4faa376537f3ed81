"""Endpoints through GraphQL, on both databases."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest

from gateway.core.identity import Role
from gateway.core.ports import Outbox
from gateway.core.store import new_id
from plugins.webhooks.tables import attempts, deliveries, endpoints
from tests.house import House
from tests.plugins.accounts.organisations.company import Company
from tests.plugins.webhooks.hooks import (
    CREATE,
    DELETE,
    DISABLE,
    ENABLE,
    HOUR,
    LIST,
    NODE,
    ROTATE,
    TEST,
    UPDATE,
    URL,
    company_with_hooks,
    happen,
    make,
    row_of,
    rows_of,
    text,
)


@pytest.fixture
async def company(house: House) -> Company:
    return await company_with_hooks(house)


async def test_an_endpoint_is_made_and_its_secret_shown_once(company: Company):
    payload = await company.ask(
        "ada", CREATE, url=URL, eventTypes=["webhook.*", "webhook.*"], description=" Orders ",
        channels=["BTC-USD", "crypto:ETH/USD#M1", "kraken", "news", "news:Central Banks "],
        headers=[{"name": "Authorization", "value": "Bearer s3cret"}], ratePerSecond=5,
    )  # fmt: skip

    endpoint, secret = payload["webhookEndpoint"], payload["secret"]
    assert endpoint == {
        "id": endpoint["id"], "url": URL, "description": "Orders", "eventTypes": ["webhook.*"],
        "channels": ["crypto:BTC/USD", "crypto:ETH/USD#M1", "kraken", "news", "news:central banks"],
        "headers": ["Authorization"],
        "ratePerSecond": 5, "status": "ENABLED", "disabledReason": None, "disabledAt": None, "failingSince": None,
        "owner": company.people["ada"].id, "createdAt": text(company.house.clock.now()), "signing": "HMAC",
        "publicKey": None, "previousSecretUntil": None,
    }  # fmt: skip
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    row, vault = await row_of(company, endpoint["id"]), company.house.host.vault
    assert vault.decrypt(row.secret) == secret
    assert json.loads(vault.decrypt(row.headers)) == {"Authorization": "Bearer s3cret"}
    assert "s3cret" not in repr(row)
    assert row.pins == {"webhook.delivery.exhausted": 1, "webhook.endpoint.disabled": 1, "webhook.test": 1}
    assert await company.acts() == ["webhook.created"]


async def test_whoever_may_read_webhooks_sees_all_of_the_organisation_and_others_none(company: Company):
    made = await make(company)
    await company.hire("carol", Role.ADMIN)
    await company.guest("eve", "Eve and Sons")

    seen = await company.house.ask(LIST, token=company.tokens["carol"])
    strange = await company.house.ask(LIST, token=company.tokens["eve"])
    node = await company.house.ask(NODE, {"id": made["id"]}, token=company.tokens["carol"])

    assert seen["data"]["webhookEndpoints"]["nodes"] == [made]
    assert strange["data"]["webhookEndpoints"]["nodes"] == []
    assert node["data"]["node"] == {"__typename": "WebhookEndpoint", **made}
    assert await company.refusal("bob", CREATE, url=URL, eventTypes=["*"]) == "FORBIDDEN"
    assert (await company.house.ask(LIST, token=company.tokens["bob"]))["errors"][0]["extensions"][
        "code"
    ] == "FORBIDDEN"
    for by in ("bob", "eve"):
        hidden = await company.house.ask(NODE, {"id": made["id"]}, token=company.tokens[by])
        assert hidden["data"]["node"] is None
    for document, more in ((UPDATE, {"url": URL}), (DELETE, {}), (ENABLE, {}), (DISABLE, {}), (ROTATE, {}), (TEST, {})):
        assert await company.codes("eve", document, id=made["id"], **more) == ["NOT_FOUND"]
    assert await company.count(endpoints) == 1


async def test_pages_go_on_where_the_last_one_ended(company: Company):
    ids = []
    for number in range(3):
        ids.append((await make(company, description=f"Number {number}"))["id"])
        company.house.clock.turn(1)

    first = await company.house.ask(LIST, {"first": 2}, token=company.tokens["ada"])
    page = first["data"]["webhookEndpoints"]
    rest = await company.house.ask(
        LIST, {"first": 2, "after": page["pageInfo"]["endCursor"]}, token=company.tokens["ada"]
    )
    bad = await company.house.ask(LIST, {"after": "nonsense"}, token=company.tokens["ada"])

    assert [node["id"] for node in page["nodes"]] == ids[:2]
    assert page["pageInfo"]["hasNextPage"] is True
    assert [node["id"] for node in rest["data"]["webhookEndpoints"]["nodes"]] == ids[2:]
    assert rest["data"]["webhookEndpoints"]["pageInfo"]["hasNextPage"] is False
    assert bad["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_an_endpoint_signs_with_a_secret_of_its_makers_own(company: Company):
    own = "whsec_" + base64.b64encode(bytes(range(24))).decode()

    payload = await company.ask("ada", CREATE, url=URL, eventTypes=["*"], secret=own)

    assert payload["secret"] == own
    row = await row_of(company, payload["webhookEndpoint"]["id"])
    assert company.house.host.vault.decrypt(row.secret) == own


async def test_an_ed25519_endpoint_shows_the_key_that_verifies(company: Company):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    made = await make(company, signing="ED25519")

    row = await row_of(company, made["id"])
    assert row.signing_key is not None
    private = company.house.host.vault.decrypt(row.signing_key)
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private.removeprefix("whsk_")))
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(made["publicKey"].removeprefix("whpk_")))
    public.verify(key.sign(b"message"), b"message")
    assert (made["signing"], private in repr(row)) == ("ED25519", False)


async def test_signing_is_changed_and_each_choice_of_ed25519_makes_another_key(company: Company):
    made = await make(company, signing="ED25519")

    same = (await company.ask("ada", UPDATE, id=made["id"], signing="ED25519"))["webhookEndpoint"]
    plain = (await company.ask("ada", UPDATE, id=made["id"], signing="HMAC"))["webhookEndpoint"]
    again = (await company.ask("ada", UPDATE, id=made["id"], signing="ED25519"))["webhookEndpoint"]

    assert same["publicKey"] == made["publicKey"]
    assert (plain["signing"], plain["publicKey"]) == ("HMAC", None)
    assert again["publicKey"].startswith("whpk_")
    assert again["publicKey"] != made["publicKey"]


async def test_a_change_leaves_what_it_does_not_name(company: Company):
    made = await make(company, description="First", headers=[{"name": "X-Team", "value": "a"}], ratePerSecond=3)
    before = await row_of(company, made["id"])

    changed = (await company.ask("ada", UPDATE, id=made["id"], url=f"{URL}/2"))["webhookEndpoint"]
    emptied = (
        await company.ask("ada", UPDATE, id=made["id"], description=None, headers=None, ratePerSecond=None, channels=[])
    )["webhookEndpoint"]

    assert changed == {**made, "url": f"{URL}/2"}
    assert emptied == {**changed, "description": None, "headers": [], "ratePerSecond": None}
    after = await row_of(company, made["id"])
    assert (after.secret, after.pins, after.created_at) == (before.secret, before.pins, before.created_at)
    assert await company.acts() == ["webhook.created", "webhook.updated", "webhook.updated"]


async def test_a_change_that_changes_nothing_leaves_no_line(company: Company):
    made = await make(company)

    same = await company.ask("ada", UPDATE, id=made["id"], url=URL, eventTypes=["*"], description="  ")

    assert same["webhookEndpoint"] == made
    assert await company.acts() == ["webhook.created"]


async def test_types_stay_pinned_to_the_version_that_was_asked_for_first(company: Company):
    made = await make(company, eventTypes=["webhook.test"])
    async with company.house.store.write() as tx:
        await tx.run(endpoints.update().values(pins={"webhook.test": 7}))

    await company.ask("ada", UPDATE, id=made["id"], eventTypes=["webhook.*"])

    assert (await row_of(company, made["id"])).pins == {
        "webhook.delivery.exhausted": 1, "webhook.endpoint.disabled": 1, "webhook.test": 7,
    }  # fmt: skip


async def test_an_endpoint_goes_with_its_deliveries(company: Company):
    made, other = await make(company), await make(company, description="Other")
    for endpoint in (made, other):
        delivery = (await company.ask("ada", TEST, id=endpoint["id"]))["delivery"]
        async with company.house.store.write() as tx:
            await tx.run(
                attempts.insert().values(
                    tenant_id=company.tenant, delivery_id=delivery["id"], number=1, at=company.house.clock.now()
                )
            )

    gone = await company.ask("ada", DELETE, id=made["id"])

    assert gone == {"webhookEndpointId": made["id"], "userErrors": []}
    assert await company.codes("ada", DELETE, id=made["id"]) == ["NOT_FOUND"]
    assert [await company.count(table) for table in (endpoints, deliveries, attempts)] == [1, 1, 1]
    assert len(await rows_of(company, other["id"])) == 1


async def test_a_disabled_endpoint_says_why_and_what_waits_is_given_up(company: Company):
    made = await make(company)
    await company.ask("ada", TEST, id=made["id"])

    disabled = (await company.ask("ada", DISABLE, id=made["id"]))["webhookEndpoint"]
    again = (await company.ask("ada", DISABLE, id=made["id"]))["webhookEndpoint"]

    now, ada = company.house.clock.now(), company.people["ada"].id
    off = {"status": "DISABLED", "disabledReason": f"Disabled by {ada}.", "disabledAt": text(now)}
    assert disabled == again == {**made, **off}
    (row,) = await rows_of(company, made["id"])
    assert (row.status, row.due_at, row.settled_at) == ("DROPPED", None, now)
    (entry,) = await company.house.host.service(Outbox).entries(company.tenant, after=0)
    told = json.loads(entry.data)
    assert (told["type"], told["endpointId"], told["url"]) == ("webhook.endpoint.disabled", made["id"], URL)
    assert (told["reason"], told["failingSince"]) == (f"Disabled by {ada}.", None)
    assert await company.acts() == ["webhook.created", "webhook.disabled", "webhook.tested"]


async def test_an_endpoint_that_is_enabled_again_has_forgotten_why_it_was_not(company: Company):
    made = await make(company)
    await company.ask("ada", DISABLE, id=made["id"])
    async with company.house.store.write() as tx:
        now = company.house.clock.now()
        await tx.run(endpoints.update().values(failing_since=now, allowed_at=now + 24 * HOUR))

    enabled = (await company.ask("ada", ENABLE, id=made["id"]))["webhookEndpoint"]
    again = (await company.ask("ada", ENABLE, id=made["id"]))["webhookEndpoint"]

    assert enabled == again == made
    assert (await row_of(company, made["id"])).allowed_at is None
    assert await company.acts() == ["webhook.created", "webhook.disabled", "webhook.enabled"]


async def test_the_wishes_of_a_receiver_end_where_another_takes_its_place(company: Company):
    made = await make(company)
    async with company.house.store.write() as tx:
        await tx.run(endpoints.update().values(allowed_at=company.house.clock.now() + 24 * HOUR))

    await company.ask("ada", UPDATE, id=made["id"], description="The same receiver")
    described = await row_of(company, made["id"])
    await company.ask("ada", UPDATE, id=made["id"], url=f"{URL}/other")
    moved = await row_of(company, made["id"])

    assert (described.allowed_at, moved.allowed_at) == (company.house.clock.now() + 24 * HOUR, None)


async def test_the_secret_before_signs_until_the_overlap_ends(company: Company):
    payload = await company.ask("ada", CREATE, url=URL, eventTypes=["*"])
    first, id = payload["secret"], payload["webhookEndpoint"]["id"]

    rotated = await company.ask("ada", ROTATE, id=id)

    row, vault = await row_of(company, id), company.house.host.vault
    until = company.house.clock.now() + 24 * HOUR
    assert rotated["secret"] != first
    assert vault.decrypt(row.secret) == rotated["secret"]
    assert row.previous_secret is not None
    assert (vault.decrypt(row.previous_secret), row.previous_until) == (first, until)
    assert rotated["webhookEndpoint"]["previousSecretUntil"] == text(until)
    company.house.clock.turn(24 * 3600)
    shown = await company.house.ask(NODE, {"id": id}, token=(await fresh(company)))
    assert shown["data"]["node"]["previousSecretUntil"] is None


async def fresh(company: Company) -> str:
    """Ada, signed in anew."""
    from tests.plugins.accounts.sessions.people import sign_in

    return (await sign_in(company.house, company.people["ada"])).access_token


async def test_without_an_overlap_the_secret_before_is_forgotten(company: Company):
    made = await make(company)
    own = "whsec_" + base64.b64encode(bytes(64)).decode()

    rotated = await company.ask("ada", ROTATE, id=made["id"], overlapHours=0, secret=own)

    row = await row_of(company, made["id"])
    assert (rotated["secret"], row.previous_secret, row.previous_until) == (own, None, None)
    for hours in (-1, 169):
        assert await company.codes("ada", ROTATE, id=made["id"], overlapHours=hours) == ["OVERLAP_INVALID"]
    assert await company.codes("ada", ROTATE, id=made["id"], secret="whsec_short") == ["SECRET_INVALID"]
    assert await row_of(company, made["id"]) == row


async def test_the_same_request_again_makes_no_second_endpoint_and_shows_no_secret(company: Company):
    given = {"url": URL, "eventTypes": ["*"], "idempotencyKey": "deploy-1", "headers": [{"name": "X-A", "value": "b"}]}

    first = await company.ask("ada", CREATE, **given)
    second = await company.ask("ada", CREATE, **given)
    others = [
        await company.codes("ada", CREATE, **{**given, **change})
        for change in ({"eventTypes": ["webhook.*"]}, {"headers": [{"name": "X-A", "value": "c"}]})
    ]

    assert second == {"webhookEndpoint": first["webhookEndpoint"], "secret": None, "userErrors": []}
    assert others == [["IDEMPOTENCY_MISMATCH"], ["IDEMPOTENCY_MISMATCH"]]
    assert await company.count(endpoints) == 1
    assert await company.acts() == ["webhook.created"]


async def test_of_two_same_requests_at_once_one_makes_the_endpoint(company: Company):
    given = {"url": URL, "eventTypes": ["*"], "idempotencyKey": "deploy-1"}

    payloads = await asyncio.gather(*(company.ask("ada", CREATE, **given) for _ in range(4)))

    assert len({payload["webhookEndpoint"]["id"] for payload in payloads}) == 1
    assert len([payload for payload in payloads if payload["secret"] is not None]) == 1
    assert await company.count(endpoints) == 1


async def test_a_key_is_free_again_once_its_endpoint_is_deleted(company: Company):
    given = {"url": URL, "eventTypes": ["*"], "idempotencyKey": "deploy-1"}
    first = await company.ask("ada", CREATE, **given)
    await company.ask("ada", DELETE, id=first["webhookEndpoint"]["id"])

    second = await company.ask("ada", CREATE, **given)

    assert second["webhookEndpoint"]["id"] != first["webhookEndpoint"]["id"]
    assert second["secret"] is not None


async def test_a_plan_has_room_for_so_many_endpoints(company: Company):
    from plugins.accounts.organisations.desk import OrganisationDesk

    async with company.house.store.write() as tx:
        await company.house.host.service(OrganisationDesk).set_plan(tx, company.tenant, "free")
    company.tokens["ada"] = await fresh(company)
    limits = "{ viewer { tenant { limits { name limit remaining } } } }"

    before = await company.see("ada", limits)
    await make(company)
    after = await company.see("ada", limits)
    refused = await company.ask("ada", CREATE, url=URL, eventTypes=["*"])

    assert {"name": "webhooks", "limit": 1, "remaining": 1} in before["tenant"]["limits"]
    assert {"name": "webhooks", "limit": 1, "remaining": 0} in after["tenant"]["limits"]
    assert refused["webhookEndpoint"] is None
    assert [error["code"] for error in refused["userErrors"]] == ["TOO_MANY_ENDPOINTS"]
    assert await company.count(endpoints) == 1


async def test_an_export_shows_endpoints_and_deliveries_without_secrets_and_erasure_removes_them(company: Company):
    made = await make(company, headers=[{"name": "X-Team", "value": "s3cret-value"}], idempotencyKey="k-1")
    await company.ask("ada", TEST, id=made["id"])
    plugin = next(each for each in company.house.host.plugins if each.name == "webhooks")
    assert plugin.export is not None
    assert plugin.erase is not None

    async with company.house.store.read() as tx:
        told = await plugin.export(company.house.host, tx, company.tenant)
    async with company.house.store.write() as tx:
        await plugin.erase(company.house.host, tx, company.tenant)

    assert (told["endpoints"][0]["id"], told["endpoints"][0]["header_names"]) == (made["id"], ["X-Team"])
    assert [each["event_type"] for each in told["deliveries"]] == ["webhook.test"]
    hidden = {"secret", "headers", "signing_key", "previous_secret", "request_digest"}
    assert not hidden & told["endpoints"][0].keys()
    assert [await company.count(table) for table in (endpoints, deliveries, attempts)] == [0, 0, 0]


async def test_ids_that_cannot_be_are_unknown(company: Company):
    await make(company)
    await happen(company)

    for id in ("", "x" * 65, "\n", new_id("hook"), new_id("dlv")):
        assert await company.codes("ada", UPDATE, id=id, url=URL) == ["NOT_FOUND"]
        assert await company.codes("ada", TEST, id=id) == ["NOT_FOUND"]
