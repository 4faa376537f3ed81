"""The ports `Interests` and `Endpoints`: what endpoints ask for, seen at once after a change."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from gateway.core.ports import Endpoints, Interests
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.webhooks.interests import HELD_S, EndpointInterests
from plugins.webhooks.news import CHANGED
from plugins.webhooks.tables import endpoints
from schema.events import Event, event
from tests.house import House
from tests.plugins.accounts.organisations.company import Company
from tests.plugins.webhooks.hooks import CREATE, DELETE, DISABLE, URL, company_with_hooks, make


@event("bar.closed", "A bar is whole.", market=True)
class BarClosed(Event):
    """Of the markets."""


@pytest.fixture
async def company(house: House, monkeypatch: pytest.MonkeyPatch) -> Company:
    monkeypatch.setitem(house.gateway.outbox.catalog, "bar.closed", BarClosed)
    return await company_with_hooks(house)


async def test_what_is_wanted_stands_by_type_and_channel(company: Company):
    eve = await company.guest("eve", "Eve and Sons")
    await make(company, eventTypes=["bar.*"], channels=["BTC-USD", "crypto:ETH/USD#M1"])
    await make(company, eventTypes=["*"])
    await company.ask("eve", CREATE, url=URL, eventTypes=["*"], channels=["BTC-USD"])
    interests = company.house.host.service(Interests)

    found = await interests.wanted(["bar.closed", "provider.degraded"])

    ours, theirs = company.tenant, eve.tenant
    assert found == {
        "bar.closed": {"crypto:BTC/USD": {ours, theirs}, "crypto:ETH/USD#M1": {ours}},
        "provider.degraded": {"*": {ours, theirs}},
    }
    assert await interests.wanted([]) == {}


async def test_a_change_is_seen_at_once(company: Company):
    interests, counted = company.house.host.service(Interests), company.house.host.service(Endpoints)
    assert await interests.wanted(["provider.degraded"]) == {}
    assert await counted.count(company.tenant) == 0

    first, second = await make(company), await make(company)
    wanted, made = await interests.wanted(["provider.degraded"]), await counted.count(company.tenant)
    await company.ask("ada", DISABLE, id=first["id"])
    await company.ask("ada", DELETE, id=second["id"])

    assert wanted == {"provider.degraded": {"*": {company.tenant}}}
    assert made == 2
    assert await interests.wanted(["provider.degraded"]) == {}
    assert await counted.count(company.tenant) == 1


async def test_a_change_that_nobody_told_of_is_seen_after_seconds(company: Company):
    interests = company.house.host.service(Interests)
    await make(company)
    before = await interests.wanted(["provider.degraded"])
    async with company.house.store.write() as tx:
        await tx.run(update(endpoints).values(status="DISABLED"))

    still = await interests.wanted(["provider.degraded"])
    company.house.clock.turn(HELD_S)

    assert still == before != {}
    assert await interests.wanted(["provider.degraded"]) == {}


async def test_another_process_hears_of_a_change_over_the_bus(company: Company):
    other = EndpointInterests(company.house.host)
    assert await other.wanted(["provider.degraded"]) == {}
    await make(company)

    assert await other.wanted(["provider.degraded"]) == {"provider.degraded": {"*": {company.tenant}}}
    await company.house.host.bus.publish(CHANGED, {"tenant": "another"})
    assert await other.count(company.tenant) == 1


async def test_nothing_is_produced_for_a_tenant_that_is_suspended(company: Company):
    interests, desk = company.house.host.service(Interests), company.house.host.service(OrganisationDesk)
    await make(company)
    before = await interests.wanted(["provider.degraded"])
    async with company.house.store.write() as tx:
        await desk.set_status(tx, company.tenant, "suspended", "unpaid")
    during = await interests.wanted(["provider.degraded"])
    async with company.house.store.write() as tx:
        await desk.set_status(tx, company.tenant, "active", None)

    assert (during, await interests.wanted(["provider.degraded"])) == ({}, before)
    assert before == {"provider.degraded": {"*": {company.tenant}}}


async def test_an_endpoint_that_is_pinned_to_another_version_asks_for_nothing(company: Company):
    await make(company)
    async with company.house.store.write() as tx:
        await tx.run(update(endpoints).values(pins={"provider.degraded": 2}))
    company.house.clock.turn(HELD_S)

    assert await company.house.host.service(Interests).wanted(["provider.degraded"]) == {}
