"""The hub of one process: one stream for all, snapshots first, the newest for the slow, the next provider in need."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from gateway.core.access import Access
from gateway.core.live import cursors
from gateway.core.live.hub import Hub, key_of
from gateway.core.live.mailbox import Delivery
from schema.errors import Overloaded, UnknownInstrument
from schema.words.live import NoticeCode
from tests.gateway.doubles import BTC, ETH, LoopClock, Unspread, World, venue, world
from tests.gateway.live.handlines import HandLines, minutes_of, quotes_of


@dataclass
class Live:
    """A hub with its seams in hand."""

    world: World
    lines: HandLines
    hub: Hub
    heard: list[Delivery] = field(default_factory=list)


@asynccontextmanager
async def live() -> AsyncGenerator[Live]:
    clock = LoopClock()
    w, lines = world(venue("alpha"), venue("beta", priority=20), clock=clock), HandLines()
    hub = Hub(lines, clock, rng=Unspread())
    try:
        yield Live(w, lines, hub)
    finally:
        await hub.close()
    assert (lines.open_now, hub.streams) == ([], 0)


def prices(delivery: Delivery) -> list[tuple[int, list[str]]]:
    return [(item.index, [str(value.price) for value in item.values]) for item in delivery.items]


def told(delivery: Delivery) -> list[tuple[str, str | None]]:
    return [(notice.code.value, notice.provider) for notice in delivery.notices]


async def settle() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


async def next_of(deliveries: AsyncIterator[Delivery]) -> Delivery:
    return await anext(deliveries)


async def test_the_first_message_is_a_snapshot_and_the_next_are_updates_of_the_same_upstream_stream() -> None:
    async with live() as it:
        it.lines.price("alpha", "100")
        async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)}) as one:
            first = await next_of(one)
            async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)}) as other:
                late = await next_of(other)
                it.lines.price("alpha", "101")
                second, same = await next_of(one), await next_of(other)

        assert (prices(first), first.snapshot) == ([(0, ["100"])], True)
        assert (prices(late), late.snapshot) == ([(0, ["100"])], True)
        assert (prices(second), second.snapshot, prices(same)) == ([(0, ["101"])], False, [(0, ["101"])])
        assert it.lines.opened == ["alpha"]
        assert second.items[0].provenance is not None
        assert second.items[0].values[0].provenance.provider == "alpha"


async def test_who_does_not_read_gets_the_newest_and_is_told_how_many_it_did_not_get() -> None:
    async with live() as it:
        it.lines.price("alpha", "100")
        async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)}) as slow:
            await next_of(slow)
            it.lines.price("alpha", *(str(price) for price in range(101, 1101)))
            await settle()
            for _ in range(1000):
                await asyncio.sleep(0)
            newest = await next_of(slow)

        assert (prices(newest), newest.skipped) == ([(0, ["1100"])], 999)


async def test_candles_that_wait_are_one_for_each_open_time_and_a_closed_one_is_replaced_too() -> None:
    async with live() as it:
        it.lines.bars("alpha", (0, "1"), snapshot=True)
        async with it.hub.subscribe({"BTC/USD": minutes_of(it.world)}) as slow:
            await next_of(slow)
            for bars in (((0, "2"),), ((1, "3"),), ((0, "4"),), ((1, "5"),)):
                it.lines.bars("alpha", *bars)
            await settle()
            found = await next_of(slow)

        shown = [(bar.open_time.minute, str(bar.close)) for bar in found.items[0].values]
        assert (shown, found.skipped) == ([(0, "4"), (1, "5")], 2)


async def test_several_symbols_come_as_one_message_and_one_that_says_nothing_does_not_hold_up_the_others() -> None:
    async with live() as it:
        it.lines.price("alpha", "100")
        subjects = {"BTC/USD": quotes_of(it.world), "ETH/USD": quotes_of(it.world, ETH)}
        async with it.hub.subscribe(subjects) as both:
            first = await next_of(both)

        assert len(first.items) == 1
        assert it.world.clock.monotonic() == pytest.approx(1000.5)


async def test_a_throttled_reader_gets_one_message_a_period() -> None:
    async with live() as it:
        it.lines.price("alpha", "100")
        async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)}, every_s=0.25) as calm:
            await next_of(calm)
            at = it.world.clock.monotonic()
            it.lines.price("alpha", "101", "102")
            second = await next_of(calm)

        assert (prices(second), second.skipped) == ([(0, ["102"])], 1)
        assert it.world.clock.monotonic() - at == pytest.approx(0.25)


async def test_a_line_that_ends_is_told_and_the_next_provider_serves_from_a_snapshot_on() -> None:
    async with live() as it:
        it.lines.price("alpha", "100")
        async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)}) as reader:
            await next_of(reader)
            it.lines.price("beta", "100.5")
            it.lines.end("alpha", Overloaded("alpha", "HTTP 503"))
            heard = [await next_of(reader)]
            while not heard[-1].items:
                heard.append(await next_of(reader))

        notices = [each for delivery in heard for each in told(delivery)]
        assert notices == [("STALE", "alpha"), ("PROVIDER_SWITCHED", "beta")]
        assert (prices(heard[-1]), heard[-1].snapshot) == ([(0, ["100.5"])], True)
        assert it.lines.opened == ["alpha", "beta"]


async def test_a_silent_stream_has_a_while_to_mend_itself_before_the_next_provider_takes_its_place() -> None:
    async with live() as it:
        it.lines.price("alpha", "100")
        async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)}) as reader:
            await next_of(reader)
            it.lines.trouble("alpha", NoticeCode.STALE)
            assert told(await next_of(reader)) == [("STALE", "alpha")]
            await asyncio.sleep(4)
            it.lines.price("alpha", "101")
            assert prices(await next_of(reader)) == [(0, ["101"])]
            await asyncio.sleep(20)
            it.lines.trouble("alpha", NoticeCode.STALE)
            it.lines.price("beta", "99")
            heard: list[Delivery] = []
            while not heard or not heard[-1].items:
                heard.append(await next_of(reader))

        assert [each for delivery in heard for each in told(delivery)] == [
            ("STALE", "alpha"), ("PROVIDER_SWITCHED", "beta"),
        ]  # fmt: skip
        assert prices(heard[-1]) == [(0, ["99"])]


async def test_a_stream_whose_market_is_closed_is_not_left_for_the_next_provider() -> None:
    async with live() as it:
        it.lines.price("alpha", "100")
        async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)}) as reader:
            await next_of(reader)
            it.lines.trouble("alpha", NoticeCode.RECONNECTING)
            it.lines.trouble("alpha", NoticeCode.MARKET_CLOSED)
            heard = await next_of(reader)
            await asyncio.sleep(60)
            it.lines.price("alpha", "101")
            later = await next_of(reader)

        assert told(heard) == [("RECONNECTING", "alpha"), ("MARKET_CLOSED", "alpha")]
        assert (prices(later), told(later), it.lines.opened) == ([(0, ["101"])], [], ["alpha"])


async def test_an_instrument_that_nobody_knows_is_a_notice_and_the_other_symbols_go_on() -> None:
    async with live() as it:
        it.lines.end("alpha", UnknownInstrument("alpha", "no such symbol"))
        it.lines.end("beta", UnknownInstrument("beta", "no such symbol"))
        async with it.hub.subscribe({"NOPE/USD": quotes_of(it.world)}) as reader:
            heard = [await next_of(reader)]
            while len([each for delivery in heard for each in told(delivery)]) < 3:
                heard.append(await next_of(reader))

        assert [each for delivery in heard for each in told(delivery)] == [
            ("UNKNOWN_INSTRUMENT", "alpha"), ("PROVIDER_SWITCHED", "beta"), ("UNKNOWN_INSTRUMENT", "beta"),
        ]  # fmt: skip
        assert {notice.symbol for delivery in heard for notice in delivery.notices} == {"NOPE/USD"}


async def test_a_stream_goes_on_for_a_while_that_nobody_wants_and_then_leaves_nothing() -> None:
    async with live() as it:
        it.lines.price("alpha", "100")
        for _ in range(3):
            async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)}) as reader:
                await next_of(reader)
            await asyncio.sleep(9)
        assert (it.lines.opened, it.hub.streams) == (["alpha"], 1)
        await asyncio.sleep(11)

        assert (it.lines.open_now, it.hub.streams) == ([], 0)


async def test_who_comes_back_with_a_cursor_gets_what_it_missed_merged_and_no_snapshot() -> None:
    async with live() as it:
        it.lines.bars("alpha", (0, "1"), snapshot=True)
        async with it.hub.subscribe({"BTC/USD": minutes_of(it.world)}) as reader:
            cursor = (await next_of(reader)).cursor
        for minute in (1, 2, 3):
            it.lines.bars("alpha", (minute, "7"))
        await settle()
        async with it.hub.subscribe({"BTC/USD": minutes_of(it.world)}, after=cursors.read(cursor)) as back:
            missed = await next_of(back)

        assert ([bar.open_time.minute for bar in missed.items[0].values], missed.snapshot) == ([1, 2, 3], False)
        assert missed.notices == ()


async def test_who_missed_nothing_is_told_where_the_stream_stands_and_hears_the_next() -> None:
    async with live() as it:
        it.lines.price("alpha", "100")
        async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)}) as reader:
            cursor = (await next_of(reader)).cursor
        async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)}, after=cursors.read(cursor)) as back:
            now = await next_of(back)
            it.lines.price("alpha", "101")
            then = await next_of(back)

        assert (now.items, now.notices, now.cursor) == ((), (), cursor)
        assert prices(then) == [(0, ["101"])]


async def test_who_was_away_for_too_long_is_told_of_the_gap_and_gets_a_snapshot() -> None:
    async with live() as it:
        it.lines.price("alpha", "100")
        async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)}) as reader:
            cursor = (await next_of(reader)).cursor
        it.lines.price("alpha", *(str(price) for price in range(101, 301)))
        for _ in range(500):
            await asyncio.sleep(0)
        async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)}, after=cursors.read(cursor)) as back:
            found = await next_of(back)

        assert (told(found), prices(found), found.snapshot) == ([("GAP", None)], [(0, ["300"])], True)


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "%%%", "é", "kwGQ" * 30_000, "kwKQ"])
def test_a_cursor_that_nobody_wrote_is_refused(cursor: str) -> None:
    with pytest.raises(cursors.BadCursor):
        cursors.read(cursor)


async def test_a_thousand_times_subscribed_and_left_nothing_is_left() -> None:
    async with live() as it:
        it.lines.price("alpha", "100")
        for _ in range(1_000):
            async with it.hub.subscribe({"BTC/USD": quotes_of(it.world), "ETH/USD": quotes_of(it.world, ETH)}):
                await asyncio.sleep(0)
        await asyncio.sleep(30)

        assert (it.hub.streams, it.lines.open_now) == (0, [])
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert others == []


async def test_a_reader_that_leaves_while_its_streams_are_being_opened_leaves_nothing() -> None:
    async with live() as it:
        for _ in range(100):
            task = asyncio.create_task(_brief(it))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(30)

        assert (it.hub.streams, it.lines.open_now) == (0, [])


async def _brief(it: Live) -> None:
    async with it.hub.subscribe({"BTC/USD": quotes_of(it.world, BTC)}) as reader:
        await anext(reader)


async def test_what_a_licence_lets_nobody_keep_is_not_held_for_who_comes_back() -> None:
    clock = LoopClock()
    w, lines = world(venue("alpha", cacheable=False), clock=clock), HandLines()
    hub = Hub(lines, clock, rng=Unspread())
    lines.price("alpha", "100")
    async with hub.subscribe({"BTC/USD": quotes_of(w)}) as reader:
        cursor = (await next_of(reader)).cursor
        lines.price("alpha", "101")
        await next_of(reader)
        async with hub.subscribe({"BTC/USD": quotes_of(w)}, after=cursors.read(cursor)) as back:
            found = await next_of(back)
    await hub.close()

    assert (told(found), prices(found), found.snapshot) == ([("GAP", None)], [(0, ["101"])], True)


async def test_streams_of_two_tenants_own_keys_are_two_streams() -> None:
    async with live() as it:
        shared = quotes_of(it.world)[0]
        own = [
            replace(shared, lane=replace(shared.lane, scope=tenant, access=Access(holder="alpha"))) for tenant in "ab"
        ]

        keys = {key_of(each) for each in (shared, *own)}

        assert len(keys) == 3
