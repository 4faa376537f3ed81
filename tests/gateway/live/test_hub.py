"""The hub of one process: one stream for all, snapshots first, the newest for the slow, the next provider in need."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from gateway.core.access import Access
from gateway.core.live import cursors
from gateway.core.live.bridging import Bridge
from gateway.core.live.channel import Channel
from gateway.core.live.hub import Hub, key_of
from gateway.core.live.leader import TAKEN_OVER, Upstream
from gateway.core.live.mailbox import Delivery
from gateway.core.live.messages import Position, StreamKey, Tapped
from schema.errors import Overloaded, UnknownInstrument
from schema.words.candles import Bars
from schema.words.live import NoticeCode, StreamNotice
from schema.words.trades import TRADES
from tests.gateway.doubles import BTC, ETH, NOON, LoopClock, Unspread, World, venue, world
from tests.gateway.live.handlines import HandLines, minutes_of, quotes_of, trade


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


async def test_a_line_that_is_opened_again_goes_on_from_the_last_values_and_says_so() -> None:
    async with live() as it:
        it.lines.price("alpha", "100")
        async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)[:1]}) as one:
            await next_of(one)
            it.lines.end("alpha", Overloaded("alpha", "busy"))
            ended = await next_of(one)
            again = await next_of(one)
            it.lines.price("alpha", "101")
            last = await next_of(one)

        assert it.lines.since[0] is None
        assert [str(quote.price) for quote in it.lines.since[1] or ()] == ["100"]
        assert (told(ended), told(again)) == ([("STALE", "alpha")], [("RECONNECTING", "alpha")])
        assert prices(last) == [(0, ["101"])]


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


def bars_of(*minutes: int) -> Bars:
    ones = (Decimal(7),) * len(minutes)
    times = tuple(NOON + timedelta(minutes=minute) for minute in minutes)
    return Bars(open_time=times, open=ones, high=ones, low=ones, close=ones)


async def switched(it: Live, first: tuple[int, str]) -> list[Delivery]:
    """Alpha tells the minutes 0 and 1 and ends; beta begins with another one."""
    it.lines.bars("alpha", (0, "1"), (1, "2"), snapshot=True)
    async with it.hub.subscribe({"BTC/USD": minutes_of(it.world)}) as reader:
        await next_of(reader)
        it.lines.end("alpha", Overloaded("alpha", "HTTP 503"))
        it.lines.bars("beta", first, snapshot=True)
        heard: list[Delivery] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(60):
                while True:
                    heard.append(await next_of(reader))
    return heard


def minutes(heard: list[Delivery]) -> list[tuple[int, str]]:
    bars = [bar for delivery in heard for item in delivery.items for bar in item.values]
    return sorted((bar.open_time.minute, str(bar.close)) for bar in bars)


async def test_candles_between_the_last_of_one_provider_and_the_first_of_the_next_are_looked_up() -> None:
    async with live() as it:
        it.lines.answers["beta", "candles"] = lambda ask: bars_of(1, 2, 3, 4)

        heard = await switched(it, (4, "9"))

        assert minutes(heard) == [(1, "7"), (2, "7"), (3, "7"), (4, "9")]
        ((provider, ask),) = it.lines.asked
        assert (provider, ask.start.minute, ask.end.minute) == ("beta", 1, 4)
        assert {item.provenance.provider for each in heard for item in each.items if item.provenance} == {"beta"}
        assert "GAP" not in [code for each in heard for code, _ in told(each)]


async def test_candles_between_that_cannot_be_had_are_a_gap_and_where_none_lack_nobody_is_asked() -> None:
    async with live() as it:
        assert ("GAP", "beta") in [each for delivery in await switched(it, (4, "9")) for each in told(delivery)]
    async with live() as it:
        heard = await switched(it, (2, "9"))

        assert minutes(heard) == [(2, "9")]
        assert it.lines.asked == []


def test_trades_of_another_venue_are_others() -> None:
    old, new = (
        Channel(StreamKey(capability="trades", subject="crypto:BTC/USD", provider=provider, interval="", mark=""))
        for provider in ("alpha", "beta")
    )
    upstream = Upstream(lane=None, capability=TRADES, ask=None)  # type: ignore[arg-type]
    bridge = Bridge(old=old, new=new, upstream=upstream, ask=None, clock=LoopClock())  # type: ignore[arg-type]
    assert bridge.lost() is None

    old.state = (trade(1, 0, "5"),)

    assert bridge.lost() == "trades of alpha since its last one are not told: those of beta are others"


async def test_what_nobody_knows_is_not_asked_for_again_soon() -> None:
    async with live() as it:
        it.lines.end("alpha", UnknownInstrument("alpha", "no such pair"))
        async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)[:1]}) as reader:
            assert told(await next_of(reader)) == [("UNKNOWN_INSTRUMENT", "alpha")]
            await asyncio.sleep(25)

        assert it.lines.opened == ["alpha"]


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


async def heard_until(reader: AsyncIterator[Delivery], end: Callable[[Delivery], bool]) -> list[Delivery]:
    heard: list[Delivery] = []
    async with asyncio.timeout(600):
        while not heard or not end(heard[-1]):
            heard.append(await next_of(reader))
    return heard


async def test_after_the_last_provider_it_is_the_turn_of_the_first_again() -> None:
    async with live() as it:
        it.lines.price("alpha", "100")
        async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)}) as reader:
            await next_of(reader)
            it.lines.trouble("alpha", NoticeCode.RECONNECTING)
            it.lines.end("beta", Overloaded("beta", "HTTP 403"))
            heard = await heard_until(reader, lambda each: ("STALE", "beta") in told(each))
            it.lines.price("alpha", "200")
            heard += await heard_until(reader, lambda each: bool(each.items))

        assert [each for delivery in heard for each in told(delivery)] == [
            ("RECONNECTING", "alpha"), ("PROVIDER_SWITCHED", "beta"), ("STALE", "beta"), ("PROVIDER_SWITCHED", "alpha"),
        ]  # fmt: skip
        assert (prices(heard[-1]), heard[-1].snapshot) == ([(0, ["200"])], True)


async def test_the_pause_grows_after_each_round_in_which_all_providers_have_failed() -> None:
    async with live() as it:
        for _ in range(60):
            it.lines.end("alpha", Overloaded("alpha", "HTTP 503"))
            it.lines.end("beta", Overloaded("beta", "HTTP 503"))
        async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)}) as reader:
            switched: list[tuple[str | None, datetime]] = []
            while len(switched) < 14:
                for notice in (await next_of(reader)).notices:
                    if notice.code is NoticeCode.PROVIDER_SWITCHED:
                        switched.append((notice.provider, notice.at))

        assert [provider for provider, _ in switched] == ["beta", "alpha"] * 7
        gaps = [round((after - before).total_seconds()) for (_, before), (_, after) in pairwise(switched)]
        assert gaps == [1, 0, 2, 0, 4, 0, 8, 0, 16, 0, 30, 0, 30]


async def test_a_provider_that_comes_back_while_it_is_nobodys_turn_goes_on_and_is_not_left() -> None:
    async with live() as it:
        it.lines.end("alpha", Overloaded("alpha", "HTTP 503"))
        it.lines.end("beta", Overloaded("beta", "HTTP 503"))
        async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)}) as reader:
            await heard_until(reader, lambda each: ("STALE", "beta") in told(each))
            it.lines.price("beta", "99")
            first = await heard_until(reader, lambda each: bool(each.items))
            await asyncio.sleep(60)
            it.lines.price("beta", "98")
            then = await next_of(reader)

        assert (first[-1].notices, prices(first[-1])) == ((), [(0, ["99"])])
        assert (then.notices, prices(then)) == ((), [(0, ["98"])])


async def test_who_does_not_know_the_instrument_has_no_turn_again() -> None:
    async with live() as it:
        it.lines.end("alpha", UnknownInstrument("alpha", "no such symbol"))
        it.lines.end("beta", Overloaded("beta", "HTTP 503"))
        async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)}) as reader:
            await heard_until(reader, lambda each: ("STALE", "beta") in told(each))
            # The stream that was left goes on for a while, should somebody come back.
            await asyncio.sleep(20)
            opened = it.lines.opened.count("alpha")
            await asyncio.sleep(600)
            it.lines.price("beta", "99")
            heard = await heard_until(reader, lambda each: bool(each.items))

        assert [each for delivery in heard for each in told(delivery)] == []
        assert it.lines.opened.count("alpha") == opened


async def test_a_quiet_stream_that_goes_on_is_not_left_for_the_next_provider() -> None:
    async with live() as it:
        it.lines.price("alpha", "100")
        async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)}) as reader:
            await next_of(reader)
            it.lines.trouble("alpha", NoticeCode.RECONNECTING)
            await asyncio.sleep(1)
            it.lines.trouble("alpha", NoticeCode.FRESH_AGAIN)
            await asyncio.sleep(60)
            heard = [await next_of(reader)]
            async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)}) as late:
                first = await next_of(late)

        assert [told(each) for each in heard] == [[("RECONNECTING", "alpha"), ("FRESH_AGAIN", "alpha")]]
        assert (first.notices, prices(first)) == ((), [(0, ["100"])])
        assert it.lines.opened == ["alpha"]


async def test_a_quiet_stream_that_another_process_takes_over_is_not_left_for_the_next_provider() -> None:
    async with live() as it:
        it.lines.price("alpha", "100")
        first = quotes_of(it.world)[0]
        async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)}) as reader:
            await next_of(reader)
            channel = await it.hub.retain(first)
            taken = StreamNotice(code=NoticeCode.RECONNECTING, message=TAKEN_OVER, provider="alpha", at=NOON)
            channel.hear(replace(channel.ring[-1], position=Position(channel.position.epoch + 1, 1), notices=(taken,)))
            await asyncio.sleep(60)
            it.hub.release(channel)

        assert it.lines.opened == ["alpha"]


async def test_an_instrument_that_nobody_knows_is_a_notice_and_the_other_symbols_go_on() -> None:
    async with live() as it:
        it.lines.end("alpha", UnknownInstrument("alpha", "no such symbol"))
        it.lines.end("beta", UnknownInstrument("beta", "no such symbol"))
        async with it.hub.subscribe({"NOPE/USD": quotes_of(it.world)}) as reader:
            heard = [await next_of(reader)]
            while len([each for delivery in heard for each in told(delivery)]) < 3:
                heard.append(await next_of(reader))

        notices = [notice for delivery in heard for notice in delivery.notices]
        assert [(notice.code.value, notice.provider, notice.message) for notice in notices] == [
            ("STALE", "alpha", "alpha: no such symbol"),
            ("PROVIDER_SWITCHED", "beta", "beta serves it now; alpha: no such symbol"),
            ("UNKNOWN_INSTRUMENT", None, "alpha: no such symbol; beta: no such symbol"),
        ]
        assert {notice.symbol for notice in notices} == {"NOPE/USD"}


async def test_who_joins_is_told_that_an_instrument_is_unknown_only_where_nobody_is_left() -> None:
    async with live() as it:
        it.lines.end("alpha", Overloaded("alpha", "HTTP 503"))
        it.lines.end("beta", UnknownInstrument("beta", "no such symbol"))
        async with it.hub.subscribe({"BTC/USD": quotes_of(it.world)}) as reader:
            await heard_until(reader, lambda each: ("STALE", "beta") in told(each))
            reader.ask_snapshot()
            joined = await next_of(reader)
            it.lines.end("alpha", UnknownInstrument("alpha", "no such symbol"))
            last = await heard_until(reader, lambda each: ("UNKNOWN_INSTRUMENT", None) in told(each))
            reader.ask_snapshot()
            late = await next_of(reader)

    assert (reader.joining, told(joined)) == (True, [("STALE", "beta")])
    assert late.notices == last[-1].notices[-1:]
    assert late.notices[0].message == "beta: no such symbol; alpha: no such symbol"


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
        for turns in range(20):
            for _ in range(5):
                task = asyncio.create_task(_brief(it))
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await asyncio.sleep(11)
            assert (turns, it.hub.streams, it.lines.open_now) == (turns, 0, [])


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


async def test_a_tap_hears_every_price_while_an_unread_mailbox_keeps_the_newest():
    async with live() as made:
        heard: list[tuple[str, list[str], bool]] = []

        def tap(tapped: Tapped) -> None:
            heard.append((tapped.provider, [str(each.price) for each in tapped.message.values], tapped.joined))

        async with made.hub.subscribe({"BTC": quotes_of(made.world)}) as first:
            made.lines.price("alpha", "1")
            await next_of(first)
            async with made.hub.subscribe({"BTC": quotes_of(made.world)}, tap=tap) as unread:
                made.lines.price("alpha", "2", "3", "4")
                await settle()
                newest = await next_of(unread)

    assert heard == [
        ("alpha", ["1"], True), ("alpha", ["2"], False), ("alpha", ["3"], False), ("alpha", ["4"], False),
    ]  # fmt: skip
    assert (prices(newest), newest.skipped) == ([(0, ["4"])], 3)


async def test_a_tap_that_breaks_breaks_nobodys_stream():
    async with live() as made:

        def tap(_: Tapped) -> None:
            raise ValueError("broken")

        async with made.hub.subscribe({"BTC": quotes_of(made.world)}, tap=tap) as broken:
            made.lines.price("alpha", "1", "2")
            await settle()
            newest = await next_of(broken)

    assert prices(newest) == [(0, ["2"])]
