"""Candles through the hub: each closing once, in order, whoever serves the stream and whoever produces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.core.lines.line import Update
from plugins.events.producers.store import WatchDirectory
from schema.errors import Overloaded
from schema.words.candles import Candle
from schema.words.live import NoticeCode
from tests.gateway.doubles import BTC, NOON, venue
from tests.gateway.live.handlines import bar
from tests.plugins.events.producers.fleet import (
    ACME,
    MINUTES,
    OTHER,
    Asked,
    Shop,
    closes,
    minutes,
    open_shop,
    settled,
    told,
    until,
)

TYPES = ("candle.closed", "candle.revised")


@pytest.fixture
async def shop(database: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(database, tmp_path) as made:
        yield made


def say(shop: Shop, provider: str, *bars: Candle, snapshot: bool = False) -> None:
    update = Update(values=bars, as_of=NOON, snapshot=snapshot, received=NOON)
    shop.lines._queue(provider, BTC).put_nowait(update)


def done(minute: int, close: str) -> Candle:
    return replace(bar(minute, close), closed=True)


async def begun(shop: Shop, *said: Candle, provider: str = "alpha") -> None:
    """The producer listens, and has heard what stood there when it came."""
    shop.asked.ask(MINUTES, *TYPES)
    await shop.desk.look()
    await until(lambda: provider in shop.lines.open_now)
    say(shop, provider, *(said or (done(0, "1"), bar(1, "2"))), snapshot=True)
    await until(lambda: marked(shop))


async def marked(shop: Shop) -> bool:
    async with shop.house.store.read() as tx:
        return await WatchDirectory().mark(tx, f"candles|{MINUTES}") is not None


async def told_count(shop: Shop, count: int) -> bool:
    return len(await told(shop.house.store)) >= count


async def test_a_candle_is_told_once_when_it_closes_with_its_instrument_and_source(shop: Shop):
    await begun(shop)

    say(shop, "alpha", bar(1, "3"))
    say(shop, "alpha", done(1, "4"))
    say(shop, "alpha", done(1, "4"), bar(2, "5"))
    await until(lambda: told_count(shop, 1))
    await settled()

    (found,) = await told(shop.house.store)
    assert {name: found[name] for name in ("type", "version", "instrument", "interval", "mode", "sequence")} == {
        "type": "candle.closed", "version": 1, "instrument": {"id": "crypto:BTC/USD"}, "interval": "M1",
        "mode": "LIVE", "sequence": "1",
    }  # fmt: skip
    assert found["candle"]["close"] == "4"
    assert found["candle"]["closed"] is True
    assert found["provenance"]["provider"] == "alpha"


async def test_what_was_complete_before_anybody_asked_is_past(shop: Shop):
    await begun(shop, done(0, "1"), bar(1, "2"))

    say(shop, "alpha", done(0, "9"), bar(1, "2"))
    await settled()

    assert await told(shop.house.store) == []


async def test_a_closed_candle_that_changes_is_a_revision_with_what_was_told_before(shop: Shop):
    await begun(shop)
    say(shop, "alpha", done(1, "4"), bar(2, "5"))
    await until(lambda: told_count(shop, 1))

    say(shop, "alpha", done(1, "4.5"))
    await until(lambda: told_count(shop, 2))
    say(shop, "alpha", done(1, "4.5"))
    say(shop, "alpha", done(1, "4"))
    await until(lambda: told_count(shop, 3))

    revised = await told(shop.house.store, type="candle.revised")
    assert [(each["before"]["close"], each["candle"]["close"], each["revision"]) for each in revised] == [
        ("4", "4.5", 1), ("4.5", "4", 2),
    ]  # fmt: skip
    assert await closes(shop.house.store) == [("01", "4")]


async def test_a_switch_of_providers_closes_nothing_twice_and_is_no_revision(shop: Shop):
    await begun(shop)
    say(shop, "alpha", done(1, "4"), bar(2, "5"))
    await until(lambda: told_count(shop, 1))

    shop.lines.end("alpha", Overloaded("alpha", "gone"))
    await until(lambda: "beta" in shop.lines.open_now)
    say(shop, "beta", done(1, "40"), bar(2, "50"), snapshot=True)
    say(shop, "beta", done(2, "51"), bar(3, "52"))
    await until(lambda: told_count(shop, 2))
    await settled()

    assert await closes(shop.house.store) == [("01", "4"), ("02", "51")]
    assert [each["provenance"]["provider"] for each in await told(shop.house.store)] == ["alpha", "beta"]


async def test_a_replay_of_what_was_told_tells_nothing(shop: Shop):
    await begun(shop)
    say(shop, "alpha", done(1, "4"), done(2, "5"), bar(3, "6"))
    await until(lambda: told_count(shop, 2))

    say(shop, "alpha", done(0, "1"), done(1, "4"), done(2, "5"), bar(3, "6"), snapshot=True)
    await settled()

    assert await closes(shop.house.store) == [("01", "4"), ("02", "5")]


async def test_what_closed_during_a_loss_is_fetched_and_told_once_in_order(shop: Shop):
    await begun(shop)
    shop.wire.handlers["alpha"] = minutes((1, "4"), (2, "5"), (3, "6"), (4, "7"))

    shop.lines.trouble("alpha", NoticeCode.RECONNECTING)
    await settled()
    shop.pass_time(240)
    say(shop, "alpha", done(3, "6"), bar(4, "7"), snapshot=True)
    await until(lambda: told_count(shop, 3))
    say(shop, "alpha", done(3, "6"), bar(4, "8"))
    await settled()

    assert await closes(shop.house.store) == [("01", "4"), ("02", "5"), ("03", "6")]
    assert [each["provenance"]["provider"] for each in await told(shop.house.store)] == ["alpha"] * 3


async def test_everybody_who_asks_is_told_of_the_same_event(shop: Shop):
    await begun(shop)
    shop.asked.ask(MINUTES, *TYPES, tenants=(ACME, OTHER))
    shop.asked.ask("crypto:BTC/USD", "candle.closed", tenants=("ten_bare",))
    shop.asked.ask("crypto:ETH/USD", "candle.closed", tenants=("ten_ether",))
    await shop.desk.look()

    say(shop, "alpha", done(1, "4"))
    await until(lambda: told_count(shop, 1))

    found = {tenant: await told(shop.house.store, tenant) for tenant in (ACME, OTHER, "ten_bare", "ten_ether")}
    assert [len(each) for each in found.values()] == [1, 1, 1, 0]
    assert len({each["id"] for rows in found.values() for each in rows}) == 1


async def test_a_stream_ends_when_nobody_wants_it_and_who_asks_later_begins_anew(shop: Shop):
    await begun(shop)
    shop.asked.channels.clear()
    shop.house.gateway.live.hub._grace_s = 0.01

    await shop.desk.look()
    await until(lambda: shop.lines.open_now == [])

    assert (shop.desk.running, shop.desk.leases.held) == ({}, set())
    shop.pass_time(300)
    await begun(shop, done(5, "1"), bar(6, "2"))
    assert await told(shop.house.store) == []


async def test_one_process_of_a_fleet_produces_and_another_goes_on_from_there(database: str, tmp_path: Path):
    asked = Asked()
    async with (
        open_shop(database, tmp_path / "a", asked=asked) as first,
        open_shop(database, tmp_path / "b", asked=asked, clock=first.house.clock) as second,
    ):
        await begun(first)
        await second.desk.look()
        assert (second.desk.running, second.lines.opened) == ({}, [])
        say(first, "alpha", done(1, "4"), bar(2, "5"))
        await until(lambda: told_count(first, 1))

        # The first one stands still, and finds that it is late.
        first.pass_time(60)
        second.wire.handlers["alpha"] = minutes((1, "4"), (2, "5"), (3, "6"))
        await second.desk.look()
        await until(lambda: "alpha" in second.lines.open_now)
        first.pass_time(120)
        say(second, "alpha", done(3, "6"), bar(4, "7"), snapshot=True)
        await until(lambda: told_count(first, 3))
        say(first, "alpha", done(2, "5"), done(3, "6"), bar(4, "7"))
        await settled()
        await first.desk.look()

        assert await closes(first.house.store) == [("01", "4"), ("02", "5"), ("03", "6")]
        assert first.desk.running == {}
        assert list(second.desk.running) == [f"candles|{MINUTES}"]


async def test_two_processes_that_both_think_it_is_theirs_tell_each_candle_once(database: str, tmp_path: Path):
    asked = Asked()
    async with (
        open_shop(database, tmp_path / "a", asked=asked) as first,
        open_shop(database, tmp_path / "b", asked=asked, clock=first.house.clock) as second,
    ):
        await begun(first)
        first.pass_time(20)
        await second.desk.look()
        await until(lambda: "alpha" in second.lines.open_now)
        say(second, "alpha", done(0, "1"), bar(1, "2"), snapshot=True)
        await settled()

        for minute in range(1, 6):
            for shop in (first, second):
                say(shop, "alpha", done(minute, str(minute)), bar(minute + 1, "9"))
            await asyncio.sleep(0.01)
        await until(lambda: told_count(first, 5))
        await settled()

        assert await closes(first.house.store) == [(f"{n:02}", str(n)) for n in range(1, 6)]


async def test_a_provider_whose_data_may_not_be_passed_on_is_not_asked(database: str, tmp_path: Path):
    async with open_shop(database, tmp_path, venue("alpha", shareable=False)) as shop:
        shop.asked.ask(MINUTES, *TYPES)

        await shop.desk.look()
        await settled()

        assert shop.lines.opened == []
        assert shop.house.clock.slept != []


async def test_what_was_told_long_ago_is_forgotten_and_still_not_told_again(shop: Shop):
    await begun(shop)
    say(shop, "alpha", done(1, "4"), bar(2, "5"))
    await until(lambda: told_count(shop, 1))

    shop.house.clock.turn(timedelta(days=4).total_seconds())
    await shop.desk.tidy()
    say(shop, "alpha", done(1, "4"), bar(2, "6"), snapshot=True)
    await settled()

    assert await closes(shop.house.store) == [("01", "4")]
