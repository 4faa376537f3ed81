"""Receivers that never answer hold up nobody else; the people who look after an endpoint hear of its end."""

from __future__ import annotations

import asyncio

from sqlalchemy import select

from gateway.core.identity import Role
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.tables import mails, users
from plugins.webhooks.delivery.dispatcher import Dispatcher
from plugins.webhooks.delivery.schedule import Schedule
from tests.plugins.webhooks.delivery.office import Office
from tests.plugins.webhooks.delivery.receivers import HANG, answer

HANGING, HEALTHY, EVENTS = 12, 20, 3


async def test_hanging_receivers_do_not_hold_up_the_others(office: Office):
    # Fewer slots than the hanging ones could fill together.
    office.house.host.services[Dispatcher] = Dispatcher(office.house.host, Schedule((5.0,)), most=16)
    office.fan_out._dispatcher = office.dispatcher
    all_there = asyncio.Event()
    healthy = [f"/{number}" for number in range(HEALTHY)]

    def count(_: object) -> None:
        if all(len(office.receiver.ids(path)) == EVENTS for path in healthy):
            all_there.set()

    office.receiver.on_got = count
    for number in range(HANGING):
        office.receiver.answers[f"/hang/{number}"] = [HANG]
        await office.endpoint(f"/hang/{number}", tenant=f"ten_{number % 3}")
    for path in healthy:
        await office.endpoint(path)
    for _ in range(EVENTS):
        await office.happen("ten_alpha", "ten_0", "ten_1", "ten_2")

    while await office.fan_out.take():
        pass
    working = asyncio.create_task(office.dispatcher.run())
    async with asyncio.timeout(10):
        await all_there.wait()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    flying = office.dispatcher.lanes.flying
    await office.dispatcher.finish()

    assert HANGING <= flying <= 16
    assert sum(office.receiver.most_waiting[f"/hang/{number}"] for number in range(HANGING)) <= HANGING


async def test_one_tenants_hanging_receivers_hold_a_quarter_of_all_slots(office: Office):
    office.house.host.services[Dispatcher] = Dispatcher(office.house.host, Schedule((5.0,)), most=16)
    office.fan_out._dispatcher = office.dispatcher
    for number in range(HANGING):
        office.receiver.answers[f"/hang/{number}"] = [HANG]
        await office.endpoint(f"/hang/{number}", tenant="ten_hangs")
    there = asyncio.Event()
    office.receiver.on_got = lambda got: there.set() if got.path == "/healthy" else None
    await office.endpoint("/healthy")
    await office.happen("ten_hangs")
    await office.happen()

    while await office.fan_out.take():
        pass
    working = asyncio.create_task(office.dispatcher.run())
    async with asyncio.timeout(10):
        await there.wait()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    theirs = office.dispatcher.lanes.flying_of["ten_hangs"]
    await office.dispatcher.finish()

    assert (theirs, dict(office.dispatcher.lanes.flying_of)) == (4, {})


async def test_processes_share_the_rate_of_an_endpoint(office: Office):
    other = Dispatcher(office.house.host, Schedule((5.0,)))
    await office.endpoint("/a", rate_per_second=1)
    for _ in range(6):
        await office.happen()
    while await office.fan_out.take():
        pass

    sent = []
    for first, second in [(office.dispatcher, other), (other, office.dispatcher)] * 2:
        await first.drain()
        await second.drain()
        sent.append(len(office.receiver.got))
        office.house.clock.turn(1)

    assert sent == [1, 2, 3, 4]


async def test_deliveries_of_a_tenant_that_is_suspended_or_deleted_are_held_until_it_is_back(office: Office):
    desk = office.house.host.service(OrganisationDesk)
    async with office.house.store.write() as tx:
        tenant = await desk.create(tx, "Acme", None)
    await office.endpoint("/held", tenant=tenant)
    await office.endpoint("/other")
    for status in ("suspended", "deleting"):
        office.receiver.got.clear()
        async with office.house.store.write() as tx:
            await desk.set_status(tx, tenant, status, None)
        event = await office.happen(tenant, "ten_alpha")

        await office.deliver()
        await office.later(60)
        during = office.receiver.ids("/held")
        async with office.house.store.write() as tx:
            await desk.set_status(tx, tenant, "active", None)
        await office.later(6)

        assert (during, office.receiver.ids("/held"), office.receiver.ids("/other")) == ([], [event], [event])
    assert {row.status for row in await office.deliveries()} == {"SUCCEEDED"}


async def test_owners_and_admins_get_a_mail_when_an_endpoint_is_disabled(office: Office):
    host, now = office.house.host, office.house.clock.now()
    desk = host.service(OrganisationDesk)
    async with office.house.store.write() as tx:
        for name in ("owner", "admin", "viewer"):
            row = {"id": f"usr_{name}", "email": f"{name}@example.com", "created_at": now}
            await tx.run(users.insert().values(**row))
        tenant = await desk.create(tx, "Acme", "usr_owner")
        await desk.members.add(tx, tenant, "usr_admin", Role.ADMIN, now)
        await desk.members.add(tx, tenant, "usr_viewer", Role.VIEWER, now)
    office.receiver.answers["/a"] = [answer(410)]
    endpoint = await office.endpoint("/a", tenant=tenant)

    await office.happen(tenant)
    await office.deliver()

    async with office.house.store.read() as tx:
        sent = (await tx.connection.execute(select(mails.c.recipient, mails.c.subject, mails.c.sealed_text))).all()
    assert sorted((row[0], row[1]) for row in sent) == [
        ("admin@example.com", "A webhook endpoint was disabled"),
        ("owner@example.com", "A webhook endpoint was disabled"),
    ]
    assert endpoint in host.vault.decrypt(sent[0][2])
