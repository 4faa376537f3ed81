"""What happens becomes requests, on both databases, to a real receiver."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest
import strawberry
from sqlalchemy import delete, update

from gateway import __version__
from gateway.core.ports import Outbox
from gateway.core.store import new_id
from plugins.webhooks.rows import TEST, due_now
from plugins.webhooks.store import DeliveryStore
from plugins.webhooks.tables import deliveries
from schema.events import ProviderDegraded
from tests.plugins.webhooks.delivery.office import TENANT, Office
from tests.plugins.webhooks.delivery.receivers import HANG, answer


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
    assert got.headers["user-agent"] == f"Marketgate/{__version__}"


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


async def test_a_redirect_is_a_failure_and_is_not_followed(office: Office):
    office.receiver.answers["/a"] = [answer(302, location=office.receiver.url("/b"))]
    await office.endpoint("/a")

    await office.happen()
    await office.deliver()

    assert [got.path for got in office.receiver.got] == ["/a"]
    assert [(row.status, row.last_error) for row in await office.deliveries()] == [
        ("RETRYING", "it answered 302: redirects are not followed")
    ]


async def test_the_next_attempt_waits_as_long_as_the_receiver_asks(office: Office):
    office.receiver.answers["/a"] = [answer(503, retry_after="600"), answer(200)]
    await office.endpoint("/a")

    await office.happen()
    await office.deliver()
    await office.later(599)
    before = len(office.receiver.got)
    await office.later(1.1)

    assert (before, len(office.receiver.got)) == (1, 2)


async def test_a_wish_of_no_time_at_all_holds_up_nobody(office: Office):
    office.receiver.answers["/a"] = [
        answer(429, retry_after="Mon, 01 Jan 99999999999999999999 00:00:00 GMT"), answer(200),
    ]  # fmt: skip
    await office.endpoint("/a")

    await office.happen()
    await office.deliver()
    [waiting] = await office.deliveries()
    await office.later(6.1)

    assert (waiting.status, waiting.attempts, waiting.last_error) == ("RETRYING", 1, "it answered 429")
    assert ([row.status for row in await office.deliveries()], office.dispatcher.lanes.flying) == (["SUCCEEDED"], 0)


async def test_an_answer_that_cannot_be_judged_is_a_failure_and_leaves_its_slot(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    def faulty(*_: object) -> None:
        raise ArithmeticError("no such date")

    await office.endpoint("/a")
    await office.happen()
    with monkeypatch.context() as patched:
        patched.setattr("plugins.webhooks.delivery.dispatcher.judge", faulty)
        await office.deliver()
    [waiting] = await office.deliveries()
    await office.later(6.1)

    assert (waiting.status, waiting.last_status, waiting.last_error) == (
        "RETRYING", 204, "its answer could not be judged",
    )  # fmt: skip
    assert ([row.status for row in await office.deliveries()], office.dispatcher.lanes.flying) == (["SUCCEEDED"], 0)


async def test_the_last_attempt_exhausts_a_delivery_and_says_so(office: Office):
    office.receiver.answers["/a"] = [answer(500)]
    endpoint = await office.endpoint("/a", event_types=["provider.*"])

    event = await office.happen()
    await office.deliver()
    for delay in office.house.host.settings.webhook_schedule:
        await office.later(1.21 * delay)

    [row] = await office.deliveries()
    assert (row.status, row.attempts, row.due_at, row.last_status) == ("EXHAUSTED", 12, None, 500)
    assert row.settled_at == office.house.clock.now()
    assert [each.number for each in await office.attempts()] == list(range(1, 13))
    [told] = await office.logged("webhook.delivery.exhausted")
    assert (told["endpointId"], told["deliveryId"], told["attempts"], told["lastStatus"]) == (endpoint, row.id, 12, 500)
    assert told["undeliveredId"] == event


async def test_that_a_test_is_not_delivered_is_no_news(office: Office):
    office.receiver.answers["/a"] = [answer(410)]
    endpoint = await office.endpoint("/a", event_types=["provider.*"])
    row, now = await office.found(endpoint), office.house.clock.now()
    sample = replace(ProviderDegraded.sample(), id=strawberry.ID(new_id(TEST)))
    async with office.house.store.write() as tx:
        made = due_now(row, office.house.host.service(Outbox).emit_aside(tx, sample), sample.name, now)
        await DeliveryStore().put(tx, row.tenant_id, [made])
    office.dispatcher.due()

    await office.deliver()

    assert [each.status for each in await office.deliveries()] == ["EXHAUSTED"]
    assert await office.logged("webhook.delivery.exhausted") == []


async def test_that_such_news_is_not_delivered_is_no_news(office: Office):
    office.receiver.answers["/a"] = [answer(410)]
    office.receiver.answers["/b"] = [answer(500)]
    await office.endpoint("/a", event_types=["provider.*"])
    await office.endpoint("/b", event_types=["webhook.endpoint.disabled"])

    await office.happen()
    await office.deliver()
    for delay in office.house.host.settings.webhook_schedule:
        await office.later(1.21 * delay)

    assert sorted((row.event_type, row.status) for row in await office.deliveries()) == [
        ("provider.degraded", "EXHAUSTED"), ("webhook.endpoint.disabled", "EXHAUSTED"),
    ]  # fmt: skip
    assert len(await office.logged("webhook.delivery.exhausted")) == 1


async def test_five_days_without_success_disable_an_endpoint(office: Office):
    office.receiver.answers["/a"] = [answer(500)]
    endpoint = await office.endpoint("/a")
    await office.happen()
    await office.deliver()
    began = office.house.clock.now()

    for _ in range(4):
        office.house.clock.turn(86_400)
        await office.happen()
        await office.deliver()
    await office.later(86_400 - 10)
    before = await office.found(endpoint)
    office.house.clock.turn(80)
    await office.happen()
    await office.deliver()
    after = await office.found(endpoint)

    assert (before.status, before.failing_since) == ("ENABLED", began)
    assert (after.status, after.disabled_reason) == ("DISABLED", "its deliveries have failed for five days")
    assert after.disabled_at == office.house.clock.now()
    assert {row.status for row in await office.deliveries()} == {"DROPPED"}
    [told] = await office.logged("webhook.endpoint.disabled")
    assert (told["endpointId"], told["reason"]) == (endpoint, "its deliveries have failed for five days")


async def test_a_time_in_which_nothing_was_sent_is_no_time_of_failing(office: Office):
    office.receiver.answers["/a"] = [answer(500)]
    endpoint = await office.endpoint("/a")
    await office.happen()
    await office.deliver()
    async with office.house.store.write() as tx:
        await tx.run(delete(deliveries))

    office.house.clock.turn(6 * 86_400)
    await office.happen()
    await office.deliver()
    after = await office.found(endpoint)

    assert (after.status, after.failing_since) == ("ENABLED", office.house.clock.now())


async def test_the_log_says_where_each_attempt_went(office: Office):
    office.receiver.answers["/a"] = [answer(500)]
    endpoint = await office.endpoint("/a")
    await office.happen()
    await office.deliver()
    await office.change(endpoint, url=office.receiver.url("/b"))
    await office.later(6.1)

    assert [row.url for row in await office.attempts()] == [office.receiver.url("/a"), office.receiver.url("/b")]


async def test_a_success_ends_the_time_of_failing(office: Office):
    office.receiver.answers["/a"] = [answer(500), answer(200)]
    endpoint = await office.endpoint("/a")

    await office.happen()
    await office.deliver()
    failing = (await office.found(endpoint)).failing_since
    await office.later(6.1)

    assert failing is not None
    assert (await office.found(endpoint)).failing_since is None


async def test_what_waits_for_an_endpoint_that_was_disabled_is_dropped_and_it_gets_nothing_new(office: Office):
    office.receiver.answers["/a"] = [answer(500)]
    endpoint = await office.endpoint("/a")
    await office.happen()
    await office.deliver()

    await office.change(endpoint, status="DISABLED")
    await office.happen()
    await office.later(6.1)

    assert [(row.status, row.last_error, row.due_at) for row in await office.deliveries()] == [
        ("DROPPED", "its endpoint is disabled", None)
    ]
    assert len(office.receiver.got) == 1


async def test_a_change_of_an_endpoint_holds_from_the_next_attempt_on(office: Office):
    office.receiver.answers["/a"] = [answer(500)]
    endpoint = await office.endpoint("/a", headers={"x-team": "one", "user-agent": "mine"})
    await office.happen()
    await office.deliver()

    await office.change(endpoint, url=office.receiver.url("/b"))
    await office.later(6.1)

    assert [(got.path, got.headers["x-team"], got.headers["user-agent"]) for got in office.receiver.got] == [
        ("/a", "one", f"Marketgate/{__version__}"), ("/b", "one", f"Marketgate/{__version__}"),
    ]  # fmt: skip


async def test_the_slots_of_one_endpoint_bound_what_is_under_way(office: Office):
    await office.endpoint("/a")
    for _ in range(30):
        await office.happen()

    await office.deliver()

    assert len(office.receiver.ids("/a")) == 30
    assert office.receiver.most_waiting["/a"] <= 4


async def test_five_failures_in_a_row_open_the_breaker(office: Office):
    office.receiver.answers["/a"] = [answer(500)]
    await office.endpoint("/a")
    for _ in range(10):
        await office.happen()

    await office.deliver()
    first = len(office.receiver.got)
    await office.later(4.9)
    second = len(office.receiver.got)
    await office.later(0.2)

    assert (first, second, len(office.receiver.got)) == (5, 5, 6)


async def test_a_process_that_ends_hands_back_what_it_could_not_send(office: Office):
    there = asyncio.Event()
    office.receiver.answers["/a"], office.receiver.on_got = [HANG], lambda _: there.set()
    await office.endpoint("/a")
    await office.happen()
    await office.fan_out.take()
    await office.dispatcher.turn()
    [flying] = await office.deliveries()
    await there.wait()

    await office.dispatcher.finish()

    [row] = await office.deliveries()
    assert flying.leased_until is not None
    assert (row.status, row.attempts, row.leased_until) == ("PENDING", 0, None)


async def test_whose_lease_ran_out_does_not_settle(office: Office):
    await office.endpoint("/a")
    await office.happen()
    await office.fan_out.take()
    await office.dispatcher.turn()
    async with office.house.store.write() as tx:
        await tx.run(update(deliveries).values(leased_until=office.house.clock.now() + timedelta(seconds=300)))

    await office.dispatcher.drain()

    [row] = await office.deliveries()
    assert (row.status, row.attempts, await office.attempts()) == ("PENDING", 0, [])


async def test_an_event_that_is_not_kept_any_more_is_given_up(office: Office):
    office.receiver.answers["/a"] = [answer(500)]
    await office.endpoint("/a")
    await office.happen()
    await office.deliver()
    office.house.clock.turn(31 * 86_400)
    await office.house.gateway.outbox.forget()

    await office.deliver()

    assert [(row.status, row.last_error) for row in await office.deliveries()] == [
        ("DROPPED", "its event is not kept any more")
    ]


async def test_the_log_is_kept_for_thirty_days(office: Office):
    office.receiver.answers["/b"] = [answer(500)]
    await office.endpoint("/a")
    await office.endpoint("/b")
    await office.happen()
    await office.deliver()

    office.house.clock.turn(29 * 86_400)
    await office.clearing.run()
    kept = len(await office.deliveries()), len(await office.attempts())
    office.house.clock.turn(2 * 86_400)
    await office.clearing.run()

    assert kept == (2, 2)
    assert ([row.status for row in await office.deliveries()], await office.attempts()) == (["RETRYING"], [])
