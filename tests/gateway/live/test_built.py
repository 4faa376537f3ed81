"""Candles that are built from trades: whole ones alone, closed by the clock, revised by late trades, mended or told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from gateway.core.account import NOBODY
from gateway.core.lines.line import Event, Update
from gateway.core.live.asking import upstreams
from gateway.core.live.built import MOST_BARREN, MOST_WAITING, SETTLED, Built
from gateway.core.live.channel import Channel
from gateway.core.live.hub import Hub
from gateway.core.live.leader import Upstream
from gateway.core.live.mailbox import Delivery
from gateway.core.live.messages import Message, Position, StreamKey
from gateway.core.live.seeding import Seeds
from providers.contract import Provider
from schema.capability import DEFAULT_TERMS, Terms
from schema.errors import Overloaded, UnknownInstrument
from schema.provenance import DataMode
from schema.symbols import AssetClass, InstrumentId, parse_instrument
from schema.words.candles import CANDLES, NO_BARS, Bars, CandlesAsk
from schema.words.intervals import Interval
from schema.words.live import NoticeCode
from schema.words.quotes import PriceType
from schema.words.trades import TRADES, Trade, TradesAsk
from tests.doubles.tape import Tape
from tests.gateway.doubles import BTC, NOON, LoopClock, Unspread, World, venue, world
from tests.gateway.live.handlines import HandLines, trade

OLD = trade(0, -3600, "90")
"""So old that the tape reaches back to any candle of these tests."""


class Prices(Provider):
    """Streams last prices and offers nothing else."""

    profile = replace(Tape.profile, id="prices", priority=5)
    quote_channel = Tape.quote_channel
    quotes = Tape.quotes


class Shares(Tape):
    """Trades shares."""

    profile = replace(Tape.profile, id="shares", asset_classes=(AssetClass.EQUITY,))


@dataclass
class Live:
    """A hub with its seams in hand, over one provider that streams trades."""

    world: World
    lines: HandLines
    hub: Hub

    def candles(self, interval: Interval) -> tuple[Upstream, ...]:
        start = NOON
        ask = CandlesAsk(instrument=BTC, interval=interval, start=start, end=start + interval.delta)
        return upstreams(self.world.registry, CANDLES, ask, DEFAULT_TERMS, NOBODY)[0]

    def tape(self, *trades: Trade) -> None:
        """What the provider answers about its last trades from now on."""
        self.lines.answers[("tape", TRADES.name)] = lambda ask: trades

    def bars(self, *bars: tuple[int, str, str]) -> None:
        """Minutes past noon, prices and volumes that the provider answers from now on."""
        self.lines.answers[("tape", CANDLES.name)] = lambda ask: whole(bars, ask)

    @property
    def asked(self) -> list[str]:
        return [type(ask).__name__ for _, ask in self.lines.asked]

    @asynccontextmanager
    async def reading(self, interval: Interval) -> AsyncIterator[AsyncIterator[Delivery]]:
        async with self.hub.subscribe({"BTC/USD": self.candles(interval)}) as reader:
            yield reader


def whole(bars: Sequence[tuple[int, str, str]], ask: CandlesAsk) -> Bars:
    minutes = [(NOON + timedelta(minutes=minute), Decimal(price), Decimal(size)) for minute, price, size in bars]
    times, prices, sizes = zip(*[each for each in minutes if ask.start <= each[0] < ask.end], strict=True) or ((),) * 3
    return Bars(open_time=times, open=prices, high=prices, low=prices, close=prices, volume=sizes)


@asynccontextmanager
async def live(second: float = 0, *classes: type[Provider], **more: Any) -> AsyncGenerator[Live]:
    """So many seconds past noon."""
    clock = LoopClock(NOON + timedelta(seconds=second))
    w, lines = world(*(classes or (Tape,)), clock=clock, **more), HandLines()
    lines.answers[("tape", CANDLES.name)] = lambda ask: NO_BARS
    hub = Hub(lines, clock, rng=Unspread())
    before = asyncio.all_tasks()
    try:
        yield Live(w, lines, hub)
    finally:
        await hub.close()
    assert (lines.open_now, hub.streams) == ([], 0)
    for _ in range(5):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


def shown(delivery: Delivery) -> list[str]:
    """Open time, prices, volume and count of each candle; an ellipsis while it runs."""
    return [
        f"{each.open_time:%H:%M:%S} {each.open}/{each.high}/{each.low}/{each.close} {each.volume} "
        f"{each.trade_count}{'' if each.closed else '…'}"
        for item in delivery.items
        for each in item.values
    ]  # fmt: skip


def told(*deliveries: Delivery) -> list[str]:
    return [notice.code.value for delivery in deliveries for notice in delivery.notices]


async def test_candles_are_built_from_one_stream_of_trades_which_their_own_subscribers_share() -> None:
    async with live() as it:
        it.tape(OLD, trade(1, 0, "100", "2"), trade(2, 1, "101", "1"))
        ask = TradesAsk(instrument=BTC, last=50)
        trades = upstreams(it.world.registry, TRADES, ask, DEFAULT_TERMS, NOBODY)[0]
        it.lines.trades("tape", trade(2, 1, "101", "1"))
        async with it.hub.subscribe({"BTC/USD": trades}) as own:
            await anext(own)
            async with it.reading(Interval.S5) as five, it.reading(Interval.S15) as fifteen:
                first, same = await anext(five), await anext(fifteen)
                it.lines.trades("tape", trade(3, 2, "99", "0.5"))
                second, later = await anext(five), await anext(fifteen)

        assert it.lines.opened == ["tape"]
        assert (shown(first), first.snapshot) == (["12:00:00 100/101/100/101 3 2…"], True)
        assert shown(second) == ["12:00:00 100/101/99/99 3.5 3…"]
        assert (shown(same), shown(later)) == (shown(first), shown(second))
        candle, provenance = second.items[0].values[0], second.items[0].provenance
        assert (candle.quote_volume, candle.vwap) == (Decimal("350.5"), Decimal("350.5") / Decimal("3.5"))
        assert provenance is not None
        assert (provenance.provider, provenance.mode) == ("tape", DataMode.LIVE)
        assert provenance.as_of == NOON + timedelta(seconds=2)


async def test_a_candle_is_closed_by_the_clock_and_a_late_trade_revises_it() -> None:
    async with live() as it:
        it.tape(OLD)
        async with it.reading(Interval.S5) as reader:
            it.lines.trades("tape", trade(1, 1, "100"))
            assert shown(await anext(reader)) == ["12:00:00 100/100/100/100 1 1…"]
            closed = await anext(reader)
            at = it.world.clock.now()
            it.lines.trades("tape", trade(2, 4.9, "98"))
            revised = await anext(reader)

        assert shown(closed) == ["12:00:00 100/100/100/100 1 1"]
        assert at == NOON + timedelta(seconds=5.5)
        assert shown(revised) == ["12:00:00 100/100/98/98 2 2"]


async def test_an_interval_without_trades_has_no_candle() -> None:
    async with live() as it:
        it.tape(OLD, trade(1, 0, "100"))
        async with it.reading(Interval.S1) as reader:
            await anext(reader)
            await anext(reader)
            await asyncio.sleep(3)
            it.lines.trades("tape", trade(2, it.world.clock.monotonic() - 1000, "101"))
            later = await anext(reader)

        assert shown(later) == ["12:00:04 101/101/101/101 1 1…"]


async def test_a_candle_that_began_before_we_came_is_whole_by_the_last_trades_alone() -> None:
    async with live(40) as it:
        it.tape(OLD, trade(1, -30, "80"), trade(2, 5, "100"), trade(3, 39, "110"))
        async with it.reading(Interval.M3) as reader:
            first = await anext(reader)

        assert shown(first) == ["11:57:00 80/80/80/80 1 1", "12:00:00 100/110/100/110 2 2…"]
        assert first.notices == ()


async def test_a_candle_longer_than_the_tape_begins_with_whole_shorter_ones() -> None:
    async with live(150) as it:
        it.bars((0, "100", "10"), (1, "120", "5"))
        it.tape(trade(7, 110, "121", "1"), trade(8, 121, "119", "2"), trade(9, 149, "118", "3"))
        async with it.reading(Interval.H1) as reader:
            first = await anext(reader)
            it.lines.trades("tape", trade(9, 149, "118", "3"), trade(10, 151, "117", "1"))
            second = await anext(reader)

        assert (shown(first), told(first)) == (["12:00:00 100/120/100/118 20 None…"], [])
        assert shown(second) == ["12:00:00 100/120/100/117 21 None…"]


async def test_whole_candles_that_are_not_published_yet_are_waited_for() -> None:
    async with live(150) as it:
        it.bars((0, "100", "10"), (1, "120", "5"), (2, "130", "7"))
        it.tape(trade(8, 140, "119", "2"))
        async with it.reading(Interval.H1) as reader:
            first = await anext(reader)
            it.lines.trades("tape", trade(9, 149, "118", "3"), trade(10, 181, "117", "1"))
            second = await anext(reader)
            at = it.world.clock.now()

        assert (told(first), shown(first)) == (["GAP"], [])
        assert first.notices[0].message.endswith("candles begin with that of 2026-11-20 13:00:00 UTC.")
        assert shown(second) == ["12:00:00 100/130/100/117 23 None…"]
        assert at == NOON + timedelta(seconds=185)


async def test_without_a_past_candles_begin_with_the_next_whole_one() -> None:
    async with live(2) as it:
        it.lines.answers[("tape", TRADES.name)] = lambda ask: Overloaded("tape", "busy")
        async with it.reading(Interval.S15) as reader:
            first = await anext(reader)
            it.lines.trades("tape", trade(1, 3, "100"))
            second = await anext(reader)
            at = it.world.clock.now()
            it.lines.trades("tape", trade(2, 31, "101"))
            third = await anext(reader)

        assert (told(first), shown(first)) == (["GAP"], [])
        assert (told(second), at) == (["GAP"], NOON + timedelta(seconds=17))
        assert second.notices[0].message.endswith("candles begin with that of 2026-11-20 12:00:30 UTC.")
        assert shown(third) == ["12:00:30 101/101/101/101 1 1…"]


async def test_trades_that_were_missed_are_looked_up_and_nobody_hears_of_it() -> None:
    async with live() as it:
        it.tape(OLD)
        async with it.reading(Interval.M3) as reader:
            it.lines.trades("tape", trade(1, 1, "100"))
            await anext(reader)
            await asyncio.sleep(10)
            it.tape(trade(1, 1, "100"), trade(2, 11, "107"), trade(3, 12, "101"))
            it.lines.trouble("tape", NoticeCode.GAP)
            it.lines.trades("tape", trade(3, 12, "101"))
            second, third = await anext(reader), await anext(reader)

        assert shown(second) == ["12:00:00 100/101/100/101 2 2…"]
        assert shown(third) == ["12:00:00 100/107/100/101 3 3…"]
        assert told(second, third) == []


async def test_trades_that_the_stream_tells_as_one_and_http_one_by_one_count_once() -> None:
    async with live() as it:
        it.tape(OLD)
        async with it.reading(Interval.M3) as reader:
            it.lines.trades("tape", trade(3, 1, "100", "6"))
            first = await anext(reader)
            it.tape(OLD, trade(1, 1, "100", "1"), trade(2, 1, "100", "2"), trade(3, 1, "100", "3"))
            second = await anext(reader)
            it.tape(OLD, *[trade(number, number, "101", "1") for number in (4, 5, 6)])
            it.lines.trouble("tape", NoticeCode.GAP)
            it.lines.trades("tape", trade(6, 6, "101", "3"), trade(7, 7, "102", "1"))
            third, fourth = await anext(reader), await anext(reader)

        assert shown(first) == ["12:00:00 100/100/100/100 6 1…"]
        assert shown(second) == ["12:00:00 100/100/100/100 6 3…"]
        assert shown(third) == ["12:00:00 100/102/100/102 10 5…"]
        assert shown(fourth) == ["12:00:00 100/102/100/102 10 7…"]


async def test_a_candle_that_ends_in_doubt_is_not_told_closed_before_what_was_missed_is_known() -> None:
    async with live() as it:
        it.tape(OLD)
        async with it.reading(Interval.S5) as reader:
            it.lines.trades("tape", trade(1, 1, "100"))
            await anext(reader)
            await asyncio.sleep(3)
            it.lines.answers[("tape", TRADES.name)] = lambda ask: Overloaded("tape", "busy")
            it.lines.trouble("tape", NoticeCode.GAP)
            await asyncio.sleep(3)
            it.lines.trades("tape", trade(2, 4.5, "101"))
            second, third = await anext(reader), await anext(reader)
            it.tape(trade(1, 1, "100"), trade(8, 3, "120"), trade(2, 4.5, "101"))
            fourth = await anext(reader)

        assert (told(second), shown(second)) == (["GAP"], [])
        assert (told(third), shown(third)) == ([], ["12:00:00 100/101/100/101 2 2…"])
        assert (told(fourth), shown(fourth)) == ([], ["12:00:00 100/120/100/101 3 3"])


async def test_candles_that_a_gap_touches_are_told_and_built_anew_from_what_is_whole() -> None:
    async with live() as it:
        it.tape(OLD)
        async with it.reading(Interval.M3) as reader:
            it.lines.trades("tape", trade(1, 1, "100", "4"))
            await anext(reader)
            await asyncio.sleep(99)
            it.bars((0, "100", "9"), (1, "102", "5"))
            it.tape(trade(5, 50, "101", "1"), trade(6, 99, "103", "2"))
            it.lines.trouble("tape", NoticeCode.GAP)
            second = await anext(reader)

        assert (told(second), shown(second)) == (["GAP"], ["12:00:00 100/103/100/103 11 None…"])
        assert second.notices[0].message == (
            "Trades since 2026-11-20 12:00:01 UTC may be missing: the candles from then on are built anew."
        )


async def test_of_a_broken_connection_candles_are_closed_only_when_http_shows_that_nothing_is_missing() -> None:
    async with live() as it:
        it.tape(OLD)
        async with it.reading(Interval.S15) as reader:
            it.lines.trades("tape", trade(1, 1, "100"))
            await anext(reader)
            await asyncio.sleep(3)
            it.tape(trade(1, 1, "100"), trade(2, 8, "95"))
            it.lines.trouble("tape", NoticeCode.RECONNECTING)
            broken, closed = await anext(reader), await anext(reader)
            at = it.world.clock.now()

        assert (told(broken), shown(broken)) == (["RECONNECTING"], [])
        assert (shown(closed), told(closed)) == (["12:00:00 100/100/95/95 2 2"], [])
        assert at == NOON + timedelta(seconds=15.5)


async def test_when_the_stream_of_trades_ends_so_do_its_candles() -> None:
    async with live() as it:
        it.tape(OLD)
        async with it.reading(Interval.S5) as reader:
            it.lines.end("tape", UnknownInstrument("tape", "no such pair"))
            first = await anext(reader)

        assert told(first) == ["UNKNOWN_INSTRUMENT"]


async def test_a_stream_that_nobody_wants_lets_go_of_its_trades() -> None:
    async with live() as it:
        it.tape(OLD, trade(1, 0, "100"))
        async with it.reading(Interval.S5) as reader:
            await anext(reader)
        assert (it.hub.streams, it.lines.open_now) == (2, ["tape"])
        await asyncio.sleep(10.5)
        assert (it.hub.streams, it.lines.open_now) == (1, ["tape"])
        await asyncio.sleep(10.5)

        assert (it.hub.streams, it.lines.open_now) == (0, [])


async def test_more_messages_than_can_wait_are_a_loss_that_is_looked_up() -> None:
    async with live() as it:
        everything = (OLD, *[trade(number, 0.01 * number, "100") for number in range(1, MOST_WAITING + 500)])
        answered = asyncio.Event()

        async def slow(_: Any) -> Any:
            await answered.wait()
            return everything[:2]

        it.tape(OLD)
        async with it.reading(Interval.M3) as reader:
            it.lines.trades("tape", everything[1])
            await anext(reader)
            it.lines.answers[("tape", TRADES.name)] = slow
            await asyncio.sleep(SETTLED.total_seconds() + 0.1)
            for each in everything[2:]:
                it.lines.trades("tape", each)
            await asyncio.sleep(10)
            it.tape(*everything)
            answered.set()
            found = await anext(reader)
            while not shown(found)[-1].endswith(" 1499 1499…"):
                found = await anext(reader)

        assert told(found) == []
        assert it.asked.count("TradesAsk") == 3


async def test_what_another_leader_of_the_trades_did_not_hear_is_looked_up() -> None:
    async with live() as it:
        ask = it.candles(Interval.M3)[0].ask
        (lane,) = it.world.registry.lanes_of(TRADES.name)
        key = StreamKey(capability=TRADES.name, subject=str(BTC), provider="tape")
        channel = Channel(key)
        seeds = Seeds(ask=it.lines.ask, wanted=ask, trades=lane, candles=None)
        it.tape(OLD, trade(1, 0, "100"))
        channel.hear(Message(position=Position(1, 1), snapshot=True, values=(trade(1, 0, "100"),)))
        events = Built(channel, seeds, it.world.clock).events()
        assert [bar_of(await anext(events))] == ["12:00:00 100 1"]

        it.tape(trade(1, 0, "100"), trade(2, 1, "105"), trade(3, 2, "103"))
        channel.hear(Message(position=Position(2, 1), snapshot=True, values=(trade(1, 0, "100"), trade(3, 2, "103"))))
        found = [bar_of(await anext(events)), bar_of(await anext(events))]
        await events.aclose()

        assert found == ["12:00:00 103 2", "12:00:00 103 3"]


def bar_of(event: Event) -> str:
    assert isinstance(event, Update), event
    return " ".join(f"{each.open_time:%H:%M:%S} {each.close} {each.trade_count}" for each in event.values)


async def test_last_prices_make_candles_without_volume_from_the_next_whole_one_on() -> None:
    async with live(2, Prices) as it:
        async with it.reading(Interval.S5) as reader:
            it.lines.quoted("prices", (3, "100"))
            first = await anext(reader)
            it.lines.quoted("prices", (6, "101"), (7, "99"))
            second = await anext(reader)
            closed = await anext(reader)

        assert (told(first), shown(first)) == (["GAP"], [])
        assert shown(second) == ["12:00:05 101/101/99/99 None None…"]
        assert shown(closed) == ["12:00:05 101/101/99/99 None None"]
        assert it.lines.asked == []


async def test_last_prices_that_were_missed_leave_no_candle_that_looks_whole() -> None:
    async with live(0, Prices) as it:
        async with it.reading(Interval.S5) as reader:
            it.lines.quoted("prices", (1, "100"))
            await anext(reader)
            it.lines.quoted("prices", (6, "101"))
            await anext(reader)
            it.lines.trouble("prices", NoticeCode.RECONNECTING)
            broken = await anext(reader)
            await asyncio.sleep(2)
            it.lines.quoted("prices", (13, "200"))
            back = await anext(reader)
            it.lines.quoted("prices", (16, "300"))
            whole_again = await anext(reader)

        assert (told(broken), told(back), shown(back)) == (["RECONNECTING"], ["GAP"], [])
        assert shown(whole_again) == ["12:00:15 300/300/300/300 None None…"]


async def test_quotes_that_are_no_prices_of_trades_make_no_candles_and_the_stream_says_so() -> None:
    async with live(0, Prices) as it:
        async with it.reading(Interval.S5) as reader:
            it.lines.quoted("prices", *[(second, "100") for second in range(MOST_BARREN + 1)], kind=PriceType.INDEX)
            first = await anext(reader)

        assert (told(first), shown(first)) == (["STALE"], [])
        assert first.notices[0].message.endswith("its quotes are no prices of trades")


def order(it: Live, interval: Interval, instrument: InstrumentId = BTC, terms: Terms = DEFAULT_TERMS) -> list[str]:
    """Each provider of these candles, and what they are made of."""
    ask = CandlesAsk(instrument=instrument, interval=interval, start=NOON, end=NOON + interval.delta)
    found, _ = upstreams(it.world.registry, CANDLES, ask, terms, NOBODY)
    return [f"{each.lane.id} {each.source.upstream.capability.name if each.source else 'itself'}" for each in found]


async def test_an_own_stream_comes_before_one_built_from_trades_and_that_before_polling_and_last_prices() -> None:
    async with live(0, venue("polled", priority=1, intervals=(Interval.M1, Interval.M5)), Prices, Tape) as it:
        assert order(it, Interval.M1) == ["tape itself", "polled itself", "prices quotes"]
        assert order(it, Interval.M5) == ["tape trades", "polled itself", "prices quotes"]
        assert order(it, Interval.S1) == ["tape trades", "prices quotes"]
        pinned = Terms(providers=("polled", "tape"))
        assert order(it, Interval.M5, terms=pinned) == ["polled itself", "tape trades"]


async def test_offline_nothing_is_built() -> None:
    async with live(0, Prices, Tape, mode=DataMode.RECORDED) as it:
        assert (order(it, Interval.M1), order(it, Interval.S1)) == (["tape itself"], [])


async def test_of_a_venue_with_sessions_nothing_longer_than_half_an_hour_is_built() -> None:
    async with live(0, Shares) as it:
        apple = parse_instrument("equity:AAPL")
        assert order(it, Interval.M30, apple) == ["shares trades"]
        assert order(it, Interval.H1, apple) == []
