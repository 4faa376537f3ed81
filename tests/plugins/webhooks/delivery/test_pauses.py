"""A receiver that asks for time gets it, from all processes and for all deliveries."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.core.ports import Posted
from plugins.webhooks.delivery.dispatcher import LEASE, Dispatcher
from plugins.webhooks.delivery.rows import Settlement
from plugins.webhooks.delivery.schedule import Schedule
from plugins.webhooks.delivery.settling import Settling
from plugins.webhooks.delivery.store import DeliveryDirectory
from plugins.webhooks.delivery.verdict import Answer, judge
from tests.plugins.webhooks.delivery.office import Office
from tests.plugins.webhooks.delivery.receivers import answer


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("rate", [None, 20])
async def test_an_endpoint_that_asks_for_time_is_left_alone_until_then(office: Office, status: int, rate: int | None):
    office.receiver.answers["/a"] = [answer(status, retry_after="3600"), answer(200)]
    await office.endpoint("/a", rate_per_second=rate)
    await office.endpoint("/b")
    for _ in range(8):
        await office.happen()

    await office.deliver()
    at_once = (len(office.receiver.ids("/a")), len(office.receiver.ids("/b")))
    for _ in range(59):
        await office.later(60)
    await office.happen()
    await office.later(59)
    before = (len(office.receiver.ids("/a")), len(office.receiver.ids("/b")))
    for _ in range(9):
        await office.later(1.1)

    assert (at_once, before) == ((1, 8), (1, 9))
    assert {row.status for row in await office.deliveries()} == {"SUCCEEDED"}


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_other_answers_hold_up_their_own_delivery_alone(office: Office, status: int):
    office.receiver.answers["/a"] = [answer(status, retry_after="3600"), answer(200)]
    await office.endpoint("/a")
    for _ in range(8):
        await office.happen()

    await office.deliver()

    assert len(office.receiver.got) == 8


async def test_a_pause_ends_within_a_minute_of_being_taken_back(office: Office):
    office.receiver.answers["/a"] = [answer(429, retry_after="86400"), answer(200)]
    endpoint = await office.endpoint("/a")
    await office.happen()
    await office.deliver()
    event = await office.happen()
    await office.later(10)

    await office.change(endpoint, allowed_at=None)
    await office.later(60)

    assert office.receiver.ids("/a")[1:] == [event]


async def test_what_waits_for_an_endpoint_that_was_disabled_in_its_pause_is_dropped(office: Office):
    office.receiver.answers["/a"] = [answer(429, retry_after="86400")]
    endpoint = await office.endpoint("/a")
    await office.happen()
    await office.deliver()
    await office.happen()
    await office.deliver()

    await office.change(endpoint, status="DISABLED")
    await office.later(60)

    assert sorted(row.status for row in await office.deliveries()) == ["DROPPED", "RETRYING"]


@pytest.mark.parametrize("moved", [False, True])
async def test_a_wish_of_the_receiver_before_is_none_of_the_one_in_its_place(office: Office, moved: bool):
    endpoint, host, now = await office.endpoint("/a"), office.house.host, office.house.clock.now()
    await office.happen()
    while await office.fan_out.take():
        pass
    posted = Posted(status=429, headers={"retry-after": "60"}, body=b"", latency_s=0.1)
    answered = Answer(at=now, ended=now, posted=posted)
    verdict = judge(answered, 0, Schedule((5.0,)), 0.5)

    async with office.house.store.write() as tx:
        [claimed] = await DeliveryDirectory().claim(tx, {endpoint: 1}, now, now + LEASE)
        url = office.receiver.url("/before" if moved else "/a")
        settlement = Settlement(claimed=claimed, lease=now + LEASE, url=url, answer=answered, verdict=verdict)
        await Settling(host).write(tx, [settlement], frozenset())

    assert (await office.found(endpoint)).allowed_at == (None if moved else now + timedelta(seconds=60))


async def test_an_endpoint_that_asks_for_time_is_left_alone_by_all_processes(office: Office):
    other = Dispatcher(office.house.host, Schedule((5.0,)))
    office.receiver.answers["/a"] = [answer(429, retry_after="120"), answer(200)]
    await office.endpoint("/a")
    for _ in range(6):
        await office.happen()
    while await office.fan_out.take():
        pass

    sent = []
    for _ in range(4):
        await office.dispatcher.drain()
        await other.drain()
        sent.append(len(office.receiver.got))
        office.house.clock.turn(40)

    assert sent == [1, 1, 1, 7]
