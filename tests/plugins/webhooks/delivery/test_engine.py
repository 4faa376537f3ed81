"""What happens becomes requests, on both databases, to a real receiver."""

from __future__ import annotations

import json
from datetime import timedelta

from tests.plugins.webhooks.delivery.office import TENANT, Office
from tests.plugins.webhooks.delivery.receivers import answer


async def test_an_event_reaches_each_endpoint_of_its_tenant_once(office: Office):
    await office.endpoint("/a")
    await office.endpoint("/b")
    await office.endpoint("/other", tenant="ten_omega")

    event = await office.happen()
    await office.deliver()
    await office.deliver()

    assert (office.receiver.ids("/a"), office.receiver.ids("/b"), office.receiver.ids("/other")) == (
        [event], [event], [],
    )  # fmt: skip
    assert [(row.status, row.attempts, row.due_at, row.leased_until) for row in await office.deliveries()] == [
        ("SUCCEEDED", 1, None, None), ("SUCCEEDED", 1, None, None),
    ]  # fmt: skip
    assert [(row.number, row.response_status, row.error) for row in await office.attempts()] == [
        (1, 204, None), (1, 204, None),
    ]  # fmt: skip


async def test_the_body_is_the_event_as_it_is_printed(office: Office):
    await office.endpoint("/a")

    event = await office.happen()
    await office.deliver()

    [got] = office.receiver.got
    [data] = await office.logged("provider.degraded")
    assert json.loads(got.body) == {"type": "provider.degraded", "timestamp": "2026-11-20T12:00:00Z", "data": data}
    assert data["id"] == event
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"] == "Marketgate/0.1.0"


async def test_a_failed_attempt_is_made_again_with_the_same_bytes_and_a_new_timestamp(office: Office):
    office.receiver.answers["/a"] = [answer(500, b"broken"), answer(200, b"fine")]
    await office.endpoint("/a")

    event = await office.happen()
    await office.deliver()
    [waiting] = await office.deliveries()
    await office.later(6.1)

    first, second = office.receiver.got
    assert (first.id, second.id, first.body) == (event, event, second.body)
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 6
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert (waiting.status, waiting.attempts, waiting.last_status) == ("RETRYING", 1, 500)
    assert waiting.due_at is not None
    assert timedelta(seconds=4) <= waiting.due_at - waiting.created_at <= timedelta(seconds=6)
    [done] = await office.deliveries()
    assert (done.status, done.attempts, done.due_at, done.last_error) == ("SUCCEEDED", 2, None, None)
    assert [(row.number, row.response_status, row.error, row.excerpt) for row in await office.attempts()] == [
        (1, 500, "it answered 500", "broken"), (2, 200, None, "fine"),
    ]  # fmt: skip


async def test_what_a_dead_process_had_claimed_is_sent_when_its_lease_runs_out(office: Office):
    await office.endpoint("/a")
    await office.happen()
    await office.fan_out.take()
    async with office.house.store.write() as tx:
        now = office.house.clock.now()
        [waiting] = await office.dispatcher._directory.waiting(tx)
        claimed = await office.dispatcher._directory.claim(
            tx, {waiting.endpoint_id: 1}, now, now + timedelta(seconds=60)
        )

    await office.deliver()
    before = len(office.receiver.got)
    await office.later(61)

    assert (len(claimed), before, len(office.receiver.got)) == (1, 0, 1)
    assert [row.status for row in await office.deliveries()] == ["SUCCEEDED"]


async def test_an_endpoint_gets_what_its_filter_names_and_nothing_about_itself(office: Office):
    office.receiver.answers["/a"] = [answer(410)]
    about = await office.endpoint("/a")
    await office.endpoint("/b", event_types=["webhook.*"])

    await office.happen()
    await office.deliver()

    assert len(office.receiver.ids("/a")) == 1
    told = [json.loads(got.body) for got in office.receiver.got if got.path == "/b"]
    assert sorted((each["type"], each["data"]["endpointId"]) for each in told) == [
        ("webhook.delivery.exhausted", about), ("webhook.endpoint.disabled", about),
    ]  # fmt: skip
    assert [entry["endpointId"] for entry in await office.logged("webhook.endpoint.disabled", TENANT)] == [about]
