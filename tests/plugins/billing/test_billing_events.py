"""Thresholds and invoices are events, written with what they tell."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from gateway.core.identity import UNLIMITED
from plugins.billing.invoices.desk import InvoiceDesk
from plugins.billing.usage.meter import Meter
from plugins.billing.usage.quotas import QuotaWatch
from tests.house import House
from tests.plugins.billing.people import spent
from tests.plugins.billing.test_invoices import NOVEMBER, invoiced, invoices_of
from tests.told import told

LIMITS = replace(UNLIMITED, points_per_month=1000, soft_points_per_month=900)


async def test_each_threshold_is_told_once_a_month_whatever_process_sees_it(house: House):
    meter = house.host.service(Meter)
    for points in (499, 1, 300, 200):
        meter.note(spent("ten_a", points, house.clock.now(), limits=LIMITS))
        written = await meter.flush()
        await asyncio.gather(*(QuotaWatch(house.host, meter).look(written) for _ in range(3)))
    house.clock.turn(11 * 86_400)
    meter.note(spent("ten_a", 600, house.clock.now(), limits=LIMITS))
    await QuotaWatch(house.host, meter).look(await meter.flush())

    found = await told(house.store, "ten_a")

    assert {each["type"] for each in found} == {"quota.threshold_reached"}
    assert [(each["month"], each["threshold"], each["percent"], each["points"], each["quota"]) for each in found] == [
        ("2026-11", "HALF", 50, 500, 1000),
        ("2026-11", "FOUR_FIFTHS", 80, 800, 1000),
        ("2026-11", "USED_UP", 100, 1000, 1000),
        ("2026-11", "SOFT", None, 1000, 900),
        ("2026-12", "HALF", 50, 600, 1000),
    ]


async def test_an_invoice_is_told_once_as_it_is_shown(house: House):
    tenant = await invoiced(house)
    await house.host.service(InvoiceDesk).close(NOVEMBER)

    (event,) = await told(house.store, tenant)

    (shown,) = await invoices_of(house, tenant)
    assert event["type"] == "invoice.issued"
    assert event["occurredAt"] == event["invoice"]["issuedAt"]
    told_lines = [
        {name: line[name] for name in expected}
        for line, expected in zip(event["invoice"]["lines"], shown["lines"], strict=True)
    ]
    assert {**{name: event["invoice"][name] for name in shown}, "lines": told_lines} == shown


async def test_the_last_invoice_of_a_tenant_that_goes_is_told_to_nobody(house: House):
    tenant = await invoiced(house)
    before = await told(house.store, tenant)
    meter = house.host.service(Meter)
    meter.note(spent(tenant, 5000, house.clock.now()))
    await meter.flush()

    async with house.store.write() as tx:
        await house.host.service(InvoiceDesk).finish(tx, tenant)

    assert len(await invoices_of(house, tenant)) == 2
    assert await told(house.store, tenant) == before
