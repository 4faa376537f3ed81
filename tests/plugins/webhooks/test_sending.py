"""Tests, deliveries sent anew, windows replayed: what the dispatcher finds to do, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from gateway.core.outbox.tables import events, log
from gateway.core.ports import Outbox
from plugins.webhooks.news import DUE
from plugins.webhooks.plugin import plugin
from plugins.webhooks.tables import attempts, deliveries
from tests.house import House
from tests.plugins.accounts.organisations.company import Company
from tests.plugins.webhooks.hooks import (
    CREATE,
    DELIVERIES,
    DISABLE,
    HOUR,
    RECOVER,
    REPLAY,
    RESEND,
    TEST,
    URL,
    company_with_hooks,
    happen,
    make,
    rows_of,
    settle,
    text,
)


@pytest.fixture
async def company(house: House) -> Company:
    return await company_with_hooks(house)


async def replay(company: Company, id: str, **given: Any) -> dict[str, Any]:
    now = company.house.clock.now()
    variables = {"id": id, "since": text(now - HOUR), **given}
    body = await company.house.ask(REPLAY, variables, token=company.tokens["ada"])
    payload: dict[str, Any] = body["data"]["r"]
    return payload


async def take_all(company: Company) -> None:
    """As the dispatcher would, without delivering."""
    async with company.house.store.write() as tx:
        await company.house.host.service(Outbox).take(tx, 1_000)


async def test_a_test_sends_the_sample_of_a_type_marked_as_none_that_happened(company: Company):
    made, other = await make(company), await make(company)
    heard: list[Any] = []
    company.house.host.bus.subscribe(DUE, heard.append)

    payload = await company.ask("ada", TEST, id=made["id"], eventType="webhook.delivery.exhausted")

    delivery = payload["delivery"]
    now = company.house.clock.now()
    assert delivery == {
        "id": delivery["id"], "eventId": delivery["eventId"], "eventType": "webhook.delivery.exhausted",
        "status": "PENDING", "createdAt": text(now), "nextAttemptAt": text(now), "settledAt": None,
        "event": {
            "__typename": "WebhookDeliveryExhausted", "id": delivery["eventId"], "type": "webhook.delivery.exhausted",
            "mode": "SIMULATED",
        },
        "attempts": [],
    }  # fmt: skip
    assert delivery["eventId"].startswith("test_")
    assert heard == [{"endpoint": made["id"]}]
    outbox = company.house.host.service(Outbox)
    async with company.house.store.write() as tx:
        kind, data, at = (await outbox.printed(tx, [delivery["eventId"]]))[delivery["eventId"]]
        assert await outbox.take(tx, 10) == []
    assert (kind, at) == ("webhook.delivery.exhausted", now)
    assert '"mode":"SIMULATED"' in data
    assert await outbox.entries(company.tenant, after=0) == []
    assert await rows_of(company, other["id"]) == []


async def test_without_a_type_a_plain_test_names_the_endpoint(company: Company):
    made = await make(company, eventTypes=["provider.*"])

    delivery = (await company.ask("ada", TEST, id=made["id"]))["delivery"]

    assert (delivery["eventType"], delivery["event"]["type"]) == ("webhook.test", "webhook.test")
    async with company.house.store.read() as tx:
        found = await company.house.host.service(Outbox).events(tx, [delivery["eventId"]])
    assert [event.subject for event in found.values()] == [made["id"]]


async def test_every_type_of_the_catalogue_can_be_tested(company: Company):
    made = await make(company)

    for name in company.house.host.service(Outbox).catalog:
        delivery = (await company.ask("ada", TEST, id=made["id"], eventType=name))["delivery"]
        assert (delivery["event"]["type"], delivery["event"]["mode"]) == (name, "SIMULATED")


async def test_a_test_of_an_unknown_type_or_to_a_disabled_endpoint_stores_nothing(company: Company):
    made = await make(company)

    unknown = await company.ask("ada", TEST, id=made["id"], eventType="webhook.tests")
    await company.ask("ada", DISABLE, id=made["id"])
    disabled = await company.ask("ada", TEST, id=made["id"])

    (error,) = unknown["userErrors"]
    assert (error["code"], error["field"]) == ("EVENT_TYPE_UNKNOWN", ["input", "eventType"])
    assert error["message"].startswith("'webhook.tests' is no event type: did you mean webhook.test")
    (error,) = disabled["userErrors"]
    assert (error["code"], error["field"]) == ("ENDPOINT_DISABLED", ["input", "id"])
    assert await company.count(deliveries) == 0
    assert "webhook.tested" not in await company.acts()


async def test_a_delivery_is_sent_anew_with_the_whole_schedule_before_it(company: Company):
    made = await make(company)
    delivery = (await company.ask("ada", TEST, id=made["id"]))["delivery"]
    await settle(company, delivery["id"], "EXHAUSTED")
    company.house.clock.turn(60)

    again = (await company.ask("ada", RESEND, id=delivery["id"]))["delivery"]

    now = company.house.clock.now()
    assert (again["id"], again["eventId"]) == (delivery["id"], delivery["eventId"])
    assert (again["status"], again["nextAttemptAt"], again["settledAt"]) == ("PENDING", text(now), None)
    (row,) = await rows_of(company, made["id"])
    assert (row.attempts, row.earlier_attempts) == (12, 12)
    assert await company.acts() == ["webhook.created", "webhook.resent", "webhook.tested"]


async def test_what_was_delivered_can_be_sent_anew_too(company: Company):
    made = await make(company)
    delivery = (await company.ask("ada", TEST, id=made["id"]))["delivery"]
    await settle(company, delivery["id"], "SUCCEEDED", attempts=1)

    assert (await company.ask("ada", RESEND, id=delivery["id"]))["delivery"]["status"] == "PENDING"


async def test_a_delivery_whose_event_is_gone_is_shown_and_not_sent(company: Company):
    made = await make(company)
    delivery = (await company.ask("ada", TEST, id=made["id"]))["delivery"]
    await settle(company, delivery["id"], "EXHAUSTED")
    async with company.house.store.write() as tx:
        await tx.run(delete(events))

    assert await company.codes("ada", RESEND, id=delivery["id"]) == ["EVENT_GONE"]
    shown = await company.house.ask(DELIVERIES, {"id": made["id"]}, token=company.tokens["ada"])
    (node,) = shown["data"]["node"]["deliveries"]["nodes"]
    assert (node["status"], node["event"], node["eventType"]) == ("EXHAUSTED", None, "webhook.test")


async def test_anothers_delivery_is_unknown(company: Company):
    made = await make(company)
    delivery = (await company.ask("ada", TEST, id=made["id"]))["delivery"]
    await company.guest("eve", "Eve and Sons")

    node = "query($id: ID!) { node(id: $id) { __typename ... on Delivery { eventType } } }"
    mine = await company.house.ask(node, {"id": delivery["id"]}, token=company.tokens["ada"])
    strange = await company.house.ask(node, {"id": delivery["id"]}, token=company.tokens["eve"])

    assert mine["data"]["node"] == {"__typename": "Delivery", "eventType": "webhook.test"}
    assert strange["data"]["node"] is None
    assert await company.codes("eve", RESEND, id=delivery["id"]) == ["NOT_FOUND"]


async def test_recovery_sends_anew_what_was_given_up_since_an_instant(company: Company):
    made, since = await make(company), company.house.clock.now()
    ids = []
    for status in ("EXHAUSTED", "SUCCEEDED", "DROPPED", "EXHAUSTED"):
        delivery = (await company.ask("ada", TEST, id=made["id"]))["delivery"]
        await settle(company, delivery["id"], status)
        ids.append(delivery["id"])
        company.house.clock.turn(60)

    payload = await company.ask("ada", RECOVER, id=made["id"], since=text(since + timedelta(seconds=60)))

    assert payload == {"queued": 2, "userErrors": []}
    rows = {row.id: row.status for row in await rows_of(company, made["id"])}
    assert [rows[id] for id in ids] == ["EXHAUSTED", "SUCCEEDED", "PENDING", "PENDING"]
    future = text(company.house.clock.now() + HOUR)
    assert await company.codes("ada", RECOVER, id=made["id"], since=future) == ["WINDOW_INVALID"]


async def test_a_replay_sends_what_was_given_up_and_on_request_what_was_never_sent(company: Company):
    missed = [await happen(company) for _ in range(3)]
    await take_all(company)
    made = await make(company, eventTypes=["webhook.delivery.*"])
    about_itself = await happen(company, about=made["id"])
    delivery = (await company.ask("ada", TEST, id=made["id"]))["delivery"]
    await settle(company, delivery["id"], "EXHAUSTED")
    company.house.clock.turn(1)

    failed = await replay(company, made["id"])
    everything = await replay(company, made["id"], only=False)
    again = await replay(company, made["id"], only=False)

    assert [payload["queued"] for payload in (failed, everything, again)] == [1, 3, 0]
    found = {row.event_id: row.status for row in await rows_of(company, made["id"])}
    assert found == dict.fromkeys([*missed, delivery["eventId"]], "PENDING")
    assert about_itself not in found


async def test_a_replay_keeps_to_its_window_and_to_the_filters(company: Company):
    await happen(company)
    company.house.clock.turn(60)
    inside = await happen(company)
    company.house.clock.turn(60)
    await happen(company)
    company.house.clock.turn(60)
    now = company.house.clock.now()
    made, deaf = await make(company), await make(company, eventTypes=["webhook.endpoint.*"])
    window = {"since": text(now - timedelta(seconds=130)), "until": text(now - timedelta(seconds=70)), "only": False}

    assert (await replay(company, made["id"], **window))["queued"] == 1
    assert (await replay(company, deaf["id"], **window))["queued"] == 0
    assert [row.event_id for row in await rows_of(company, made["id"])] == [inside]


async def test_a_long_log_is_replayed_in_short_transactions(company: Company, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("plugins.webhooks.sending.AT_ONCE", 2)
    for _ in range(5):
        await happen(company)
    made = await make(company)
    company.house.clock.turn(1)

    assert (await replay(company, made["id"], only=False))["queued"] == 5


async def test_a_replay_that_cannot_be_names_its_argument(company: Company):
    made, now = await make(company), company.house.clock.now()

    empty = await replay(company, made["id"], since=text(now), until=text(now - HOUR))
    unknown = await replay(company, "hook_00000000000000000000")
    await company.ask("ada", DISABLE, id=made["id"])
    disabled = await replay(company, made["id"])

    told = [(p["queued"], p["userErrors"][0]["code"], p["userErrors"][0]["field"]) for p in (empty, unknown, disabled)]
    assert told == [
        (None, "WINDOW_INVALID", ["since"]), (None, "NOT_FOUND", ["id"]), (None, "ENDPOINT_DISABLED", ["id"]),
    ]  # fmt: skip
    assert "webhook.replayed" not in await company.acts()


async def test_the_log_of_deliveries_is_paged_filtered_and_shows_every_attempt(company: Company):
    made = await make(company)
    ids = []
    for number in range(3):
        ids.append((await company.ask("ada", TEST, id=made["id"]))["delivery"]["id"])
        company.house.clock.turn(1 + number)
    await settle(company, ids[0], "SUCCEEDED", attempts=2)
    now = company.house.clock.now()
    async with company.house.store.write() as tx:
        for number, (status, error) in enumerate([(503, "it answered 503"), (200, None)], 1):
            await tx.run(
                attempts.insert().values(
                    tenant_id=company.tenant, delivery_id=ids[0], number=number, at=now, response_status=status,
                    latency_ms=12, error=error, excerpt="ok",
                )
            )  # fmt: skip

    async def page(**given: Any) -> dict[str, Any]:
        body = await company.house.ask(DELIVERIES, {"id": made["id"], **given}, token=company.tokens["ada"])
        found: dict[str, Any] = body["data"]["node"]["deliveries"]
        return found

    first = await page(first=2)
    rest = await page(first=2, after=first["pageInfo"]["endCursor"])
    done = await page(status="SUCCEEDED")

    assert [node["id"] for node in first["nodes"]] == [ids[2], ids[1]]
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    assert rest["nodes"] == done["nodes"]
    assert [node["id"] for node in done["nodes"]] == [ids[0]]
    line = {"at": text(now), "url": None, "responseStatus": 503, "latencyMs": 12, "error": "it answered 503"}
    assert done["nodes"][0]["attempts"] == [
        {**line, "responseExcerpt": "ok"}, {**line, "responseStatus": 200, "error": None, "responseExcerpt": "ok"},
    ]  # fmt: skip


async def test_an_event_that_stands_in_no_log_is_forgotten_as_others_are(company: Company):
    made = await make(company)
    await company.ask("ada", TEST, id=made["id"])
    company.house.clock.turn(31 * 86_400)

    await company.house.gateway.outbox.forget()

    assert await company.count(events) == 0
    async with company.house.store.read() as tx:
        assert await tx.values(select(log.c.event_id)) == []


async def test_tests_go_with_the_organisation_and_nobody_elses(company: Company):
    await company.guest("eve", "Eve and Sons")
    made = await make(company)
    theirs = (await company.ask("eve", CREATE, url=URL, eventTypes=["*"]))["webhookEndpoint"]
    await company.ask("ada", TEST, id=made["id"])
    kept = (await company.ask("eve", TEST, id=theirs["id"]))["delivery"]["eventId"]
    assert plugin.erase is not None

    async with company.house.store.write() as tx:
        await plugin.erase(company.house.host, tx, company.tenant)

    async with company.house.store.read() as tx:
        assert await tx.values(select(events.c.id)) == [kept]


async def test_an_event_that_cannot_be_read_any_more_is_shown_as_gone(company: Company):
    made = await make(company)
    await company.ask("ada", TEST, id=made["id"])
    async with company.house.store.write() as tx:
        await tx.run(update(events).values(value="[]"))

    shown = await company.house.ask(DELIVERIES, {"id": made["id"]}, token=company.tokens["ada"])

    assert [node["event"] for node in shown["data"]["node"]["deliveries"]["nodes"]] == [None]
