"""Providers that went and came back: once for the fleet, whoever hears of it and whatever gets lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.core.bus import LocalBus
from plugins.events.producers.conditions import CLOSED_BY, HEARD_BY
from schema.events import ProviderDegraded, ProviderRecovered
from tests.gateway.doubles import NOON
from tests.plugins.events.producers.fleet import ACME, OTHER, Asked, Shop, open_shop, told

BOTH = ("provider.degraded", "provider.recovered")


@pytest.fixture
async def pair(database: str, tmp_path: Path) -> AsyncIterator[tuple[Shop, Shop]]:
    """Two processes that hear the same messages."""
    asked, bus = Asked(), LocalBus()
    asked.ask("*", *BOTH)
    async with (
        open_shop(database, tmp_path / "a", asked=asked, bus=bus) as first,
        open_shop(database, tmp_path / "b", asked=asked, bus=bus, clock=first.house.clock) as second,
    ):
        yield first, second


async def say(shop: Shop, kind: type[ProviderDegraded] | type[ProviderRecovered], since: datetime) -> None:
    event = kind(provider="alpha", capability="quotes", state="OPEN", reason="5 calls failed", since=since)
    await shop.house.host.bus.publish(event.name, event.payload())


async def types(shop: Shop) -> list[str]:
    return [each["type"] for each in await told(shop.house.store)]


async def test_what_all_processes_hear_is_told_once(pair: tuple[Shop, Shop]):
    first, second = pair
    first.asked.ask("alpha", *BOTH, tenants=(OTHER,))
    await say(first, ProviderDegraded, NOON)
    for shop in pair:
        await shop.desk.look()
    await say(first, ProviderRecovered, NOON + timedelta(minutes=1))
    for shop in (second, first):
        await shop.desk.look()

    found = {tenant: await told(first.house.store, tenant) for tenant in (ACME, OTHER)}

    assert [[each["type"] for each in rows] for rows in found.values()] == [list(BOTH)] * 2
    degraded = found[ACME][0]
    assert (degraded["provider"], degraded["capability"], degraded["reason"]) == ("alpha", "quotes", "5 calls failed")


async def test_a_second_process_that_finds_it_too_and_news_that_were_overtaken_tell_nothing(pair: tuple[Shop, Shop]):
    first, _ = pair
    for kind, seconds in ((ProviderDegraded, 0), (ProviderDegraded, 5), (ProviderRecovered, 9), (ProviderDegraded, 7)):
        await say(first, kind, NOON + timedelta(seconds=seconds))
    await first.desk.look()

    assert await types(first) == list(BOTH)


async def test_a_return_that_nobody_told_is_found_by_looking(pair: tuple[Shop, Shop]):
    first, second = pair
    await say(first, ProviderDegraded, first.house.clock.now())
    await first.desk.look()

    await second.desk.conditions.sweep()
    early = await types(first)
    first.pass_time(CLOSED_BY.total_seconds())
    for shop in (second, first):
        await shop.desk.look()
        await shop.desk.conditions.sweep()

    assert (early, await types(first)) == ([BOTH[0]], list(BOTH))


async def test_an_opening_that_nobody_told_is_found_by_looking(pair: tuple[Shop, Shop]):
    first, second = pair
    for shop in pair:
        await shop.desk.look()
    first.house.host.data.registry.lanes_of("quotes")[0].breaker.trip("the operator's order")
    for shop in pair:
        shop.desk.conditions._heard.clear()

    await first.desk.conditions.sweep()
    early = await types(first)
    first.pass_time(HEARD_BY.total_seconds())
    for shop in (first, second, first):
        await shop.desk.conditions.sweep()

    assert (early, await types(first)) == ([], [BOTH[0]])


async def test_nobody_who_did_not_ask_is_told_and_what_happened_meanwhile_is_known(pair: tuple[Shop, Shop]):
    first, _ = pair
    first.asked.channels.clear()
    await say(first, ProviderDegraded, NOON)
    await first.desk.look()
    first.asked.ask("*", *BOTH)
    await first.desk.look()
    await say(first, ProviderRecovered, NOON + timedelta(minutes=1))
    await first.desk.look()

    assert await types(first) == [BOTH[1]]
