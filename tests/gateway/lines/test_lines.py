"""Lines over lanes: feeds shared out to connections, what was missed led in, quotas kept, and polling for the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.core.access import Lane
from gateway.core.account import NOBODY, Account
from gateway.core.calendars import ExchangeCalendars
from gateway.core.lines.guarded import GuardedHttp
from gateway.core.lines.inbox import MOST_WAITING, Inbox
from gateway.core.lines.line import Ended, Event, Trouble, Update
from gateway.core.lines.livelines import LiveLines
from gateway.core.lines.motion import FLAT_S
from gateway.core.lines.polling import asking
from gateway.core.live.asking import upstreams
from gateway.core.live.hub import Hub
from gateway.core.live.mailbox import Delivery
from gateway.core.upstream import Request
from providers.contract import Provider, per_minute
from providers.row import Row
from providers.simulated.sandbox import Sandbox
from schema.capability import DEFAULT_TERMS, Capability
from schema.errors import CircuitOpen, UpstreamError
from schema.provenance import DataMode
from schema.symbols import InstrumentId, parse_instrument
from schema.words.books import ORDER_BOOK, OrderBookAsk
from schema.words.candles import CANDLES, CandlesAsk
from schema.words.intervals import Interval
from schema.words.live import NoticeCode
from schema.words.quotes import QUOTES, QuotesAsk
from schema.words.trades import TRADES, Trade, TradesAsk
from tests.doubles.clocks import NOON, HeldClock, until
from tests.doubles.sockets import SocketVenue, Talk, socket_venue
from tests.doubles.tape import Tape, TapeFeed
from tests.gateway.doubles import Handler, World, priced, reply, venue, world

BTC = parse_instrument("crypto:BTC/USD")
CAPABILITIES: dict[str, Capability[Any, Any]] = {"q": QUOTES, "t": TRADES, "c": CANDLES, "b": ORDER_BOOK}


def ask_of(letter: str, instrument: InstrumentId) -> Any:
    if letter == "q":
        return QuotesAsk(instruments=(instrument,))
    if letter == "c":
        start = datetime(2026, 11, 20, 11, tzinfo=UTC)
        return CandlesAsk(instrument=instrument, interval=Interval.M1, start=start, end=start + timedelta(minutes=1))
    return (TradesAsk if letter == "t" else OrderBookAsk)(instrument=instrument)


class Told:
    """What one line told, in short."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.over = False

    @property
    def short(self) -> list[str]:
        return list(map(short, self.events))

    async def wait(self, count: int) -> list[str]:
        await until(lambda: len(self.events) >= count)
        return self.short


def short(event: Event) -> str:
    match event:
        case Update(values=values):
            return "+".join(map(shown, values))
        case Trouble(code=code):
            return str(code)
        case Ended(error=error):
            return f"{type(error).__name__}: {error.message}"


def shown(value: Any) -> str:
    if isinstance(value, Trade):
        return value.id
    if hasattr(value, "open_time"):
        return f"{value.open_time:%H:%M}={value.close}{'' if value.closed else '…'}"
    return str(value.price if hasattr(value, "price") else value.bids[0].price)


class Harness:
    """Lines over a small core, a venue with a socket, and listeners that are read by tasks of their own."""

    def __init__(self, sockets: SocketVenue | None, *classes: type[Provider], **more: Any) -> None:
        self.clock = HeldClock()
        base = sockets.url if sockets is not None else ""
        self.core: World = world(*classes, clock=self.clock, base=base, **more)  # type: ignore[arg-type]
        self.processes = 1
        self.lines = LiveLines(
            self.core.pipeline, ExchangeCalendars(), self.clock, processes=lambda: self.processes
        )  # fmt: skip
        self.stack = AsyncExitStack()

    def lane(self, letter: str, provider: str = "tape") -> Lane:
        return next(lane for lane in self.core.registry.lanes_of(CAPABILITIES[letter].name) if lane.id == provider)

    def serve(self, handler: Handler, provider: str = "tape") -> None:
        self.core.wire.handlers[provider] = handler

    def listen(
        self,
        letter: str,
        instrument: InstrumentId = BTC,
        provider: str = "tape",
        lane: Lane | None = None,
        since: tuple[Any, ...] | None = None,
    ) -> Told:
        told = Told()

        async def run() -> None:
            lane_ = lane or self.lane(letter, provider)
            async with self.lines.open(lane_, CAPABILITIES[letter], ask_of(letter, instrument), since) as events:
                async for event in events:
                    told.events.append(event)
            told.over = True

        told.task = asyncio.create_task(run())  # type: ignore[attr-defined]
        self.stack.push_async_callback(ended, told.task)  # type: ignore[attr-defined]
        return told


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def quiet(talk: Talk) -> None:
    """Says nothing by itself."""


@asynccontextmanager
async def live(*classes: type[Provider], **more: Any) -> AsyncIterator[tuple[Harness, SocketVenue]]:
    before = asyncio.all_tasks()
    async with socket_venue(quiet) as sockets:
        made = Harness(sockets, *(classes or (Tape,)), **more)
        try:
            yield made, sockets
        finally:
            await made.stack.aclose()
            await made.lines.close()
        await until(lambda: not sockets.alive)
    await until(lambda: asyncio.all_tasks() == before)


@asynccontextmanager
async def polled(*classes: type[Provider], **more: Any) -> AsyncIterator[Harness]:
    before = asyncio.all_tasks()
    made = Harness(None, *classes, **more)
    try:
        yield made
    finally:
        await made.stack.aclose()
        await made.lines.close()
    await until(lambda: asyncio.all_tasks() == before)


def trade(number: int, at: int = 0) -> dict[str, Any]:
    return {"t": "BTC/USD", "id": number, "at": 1795176000 + (at or number), "p": 1}


async def test_topics_are_shared_out_to_connections_and_an_idle_one_closes():
    async with live() as (found, sockets):
        letters = [found.listen(letter) for letter in "qtcb"]
        first, second = await sockets.talk(0), await sockets.talk(1)
        await found.clock.turn(1)
        await first.wait(2)
        await second.wait(2)
        await second.send({"b": "BTC/USD", "n": 1, "s": True, "bids": [[5, 1]], "asks": []})

        assert await letters[3].wait(1) == ["5"]
        assert first.received[1:] == [{"sub": ["q:BTC/USD", "t:BTC/USD", "c:BTC/USD"]}]
        assert second.received[1:] == [{"sub": ["b:BTC/USD"]}]
        await ended(letters[3].task)  # type: ignore[attr-defined]
        await found.clock.turn(1)
        await until(second.over.is_set)
        assert not first.over.is_set()


async def test_a_venue_that_takes_no_more_connections_sends_the_line_away(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(TapeFeed, "connections", 1)
    async with live() as (found, sockets):
        for letter in "qtc":
            found.listen(letter)
        await sockets.talk(0)

        refused = found.listen("b")

        assert await refused.wait(1) == ["QuotaReached: tape: its live feed takes 3 topics, and all of them are taken"]
        await until(lambda: refused.over)
        assert len(sockets.talks) == 1


class Elsewhere:
    """Another process has the connections, from the beginning or from some time on."""

    def __init__(self, *, taken: bool) -> None:
        self.taken = taken
        self.asked: list[str] = []
        self.lost: list[Callable[[], None]] = []

    async def take(self, name: str, in_use: Callable[[], bool], lost: Callable[[], None]) -> bool:
        self.asked.append(name)
        self.lost.append(lost)
        return not self.taken

    async def close(self) -> None:
        """Nothing is held."""


async def test_where_another_process_has_a_feeds_only_connection_its_provider_is_asked_over_http(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(TapeFeed, "connections", 1)
    async with live() as (found, sockets):
        found.lines._homes = elsewhere = Elsewhere(taken=True)
        found.serve(lambda _: reply([{"id": n, "at": 1795176000 + n, "p": 1} for n in (1, 2)]))

        line = found.listen("t")

        assert await line.wait(1) == ["1+2"]
        assert (elsewhere.asked, sockets.talks) == (["tape:"], [])


async def test_who_loses_a_feeds_connections_to_another_process_ends_its_lines(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(TapeFeed, "connections", 1)
    async with live() as (found, sockets):
        found.lines._homes = elsewhere = Elsewhere(taken=False)
        line = found.listen("t")
        await sockets.talk(0)

        elsewhere.lost[0]()

        assert await line.wait(1) == ["QuotaReached: tape: another process has the connections of its live feed"]


async def test_missed_trades_are_fetched_before_live_ones_go_on_and_none_is_told_twice():
    async with live() as (found, sockets):
        found.serve(lambda _: reply([{"id": n, "at": 1795176000 + n, "p": 1} for n in (1, 2, 3, 4, 5)]))
        line = found.listen("t")
        talk = await sockets.talk(0)
        await talk.send(trade(1), trade(2))
        await line.wait(2)

        await talk.abort()
        await line.wait(3)
        await found.clock.turn(1)
        again = await sockets.talk(1)
        await again.send(trade(2), trade(5), trade(6))

        assert await line.wait(6) == ["1", "2", "RECONNECTING", "FRESH_AGAIN", "3+4+5", "6"]
        (request,) = found.core.wire.requests
        assert request.path == "/trades"


async def test_a_line_that_takes_another_ones_place_says_that_it_goes_on_and_what_was_missed():
    async with live() as (found, sockets):
        found.serve(lambda _: reply([{"id": n, "at": 1795176000 + n, "p": 1} for n in (1, 2, 3)]))
        one = Decimal(1)
        line = found.listen("t", since=(Trade(id="1", time=NOON + timedelta(seconds=1), price=one, size=one),))
        talk = await sockets.talk(0)

        await talk.send({"ok": "t:BTC/USD"})
        assert await line.wait(2) == ["FRESH_AGAIN", "2+3"]
        await talk.send(trade(4))

        assert await line.wait(3) == ["FRESH_AGAIN", "2+3", "4"]
        joined = found.listen("t", since=())
        assert await joined.wait(1) == ["FRESH_AGAIN"]


async def test_what_cannot_be_fetched_is_a_gap():
    async with live() as (found, sockets):
        found.serve(lambda _: reply([{"id": n, "at": 1795176000 + n, "p": 1} for n in (7, 8)]))
        line = found.listen("t")
        talk = await sockets.talk(0)
        await talk.send(trade(1), "}garbage{", trade(9))
        assert await line.wait(5) == ["1", "GAP", "GAP", "7+8", "9"]

        await found.clock.turn(2)
        found.serve(lambda _: reply({}, 500))
        await talk.send("}garbage{", trade(10))
        await until(lambda: len(found.core.wire.requests) == 2)
        await found.clock.turn(1)

        assert (await line.wait(8))[5:] == ["GAP", "GAP", "10"]
        assert "could not be fetched: tape: HTTP 500" in line.events[6].message  # type: ignore[union-attr]


async def test_trades_that_the_venue_skips_are_looked_up_without_a_new_subscription():
    async with live() as (found, sockets):
        found.serve(lambda _: reply([{"id": n, "at": 1795176000 + n, "p": 1} for n in (1, 2, 3, 4)]))
        line = found.listen("t")
        talk = await sockets.talk(0)
        await found.clock.turn(1)
        await talk.wait(2)
        await talk.send(trade(1), trade(2), {"gap": "t:BTC/USD"}, trade(4), trade(5))

        assert await line.wait(5) == ["1", "2", "GAP", "3+4", "5"]
        assert line.events[2].message == "tape: trade 4 follows 2; what is missing is looked up."  # type: ignore[union-attr]
        await found.clock.turn(2)
        assert talk.received == [{"hello": ""}, {"sub": ["t:BTC/USD"]}]


async def test_skipped_trades_that_http_cannot_reach_back_to_are_a_gap():
    async with live() as (found, sockets):
        found.serve(lambda _: reply([{"id": 4, "at": 1795176004, "p": 1}]))
        line = found.listen("t")
        talk = await sockets.talk(0)
        await talk.send(trade(1), trade(2), {"gap": "t:BTC/USD"}, trade(5))

        assert await line.wait(6) == ["1", "2", "GAP", "GAP", "4", "5"]
        assert line.events[3].message.startswith("Trades may be missing")  # type: ignore[union-attr]


async def test_missed_candles_are_fetched_from_the_one_that_was_running():
    async with live() as (found, sockets):
        noon = 1795176000
        found.serve(lambda _: reply([{"at": noon + 60 * n, "p": n + 10} for n in range(4)]))
        line = found.listen("c")
        talk = await sockets.talk(0)
        await talk.send({"c": "BTC/USD", "at": noon, "p": 1})
        await line.wait(1)

        await talk.abort()
        await line.wait(2)
        await found.clock.turn(125)
        again = await sockets.talk(1)
        await again.send({"c": "BTC/USD", "at": noon + 180, "p": 4})

        told = await line.wait(5)
        assert told[:3] == ["12:00=1", "RECONNECTING", "FRESH_AGAIN"]
        assert told[3:] == ["12:00=10+12:01=11+12:02=12…+12:03=13…", "12:03=4"]


async def test_a_candle_is_told_closed_by_the_clock_where_the_venue_does_not_and_its_revision_replaces_it():
    async with live() as (found, sockets):
        noon = 1795176000
        line = found.listen("c")
        talk = await sockets.talk(0)
        await talk.send({"c": "BTC/USD", "at": noon, "p": 1, "r": 1}, {"c": "BTC/USD", "at": noon, "p": 2, "r": 1})
        await line.wait(2)
        await found.clock.turn(62.9)
        assert line.short == ["12:00=1…", "12:00=2…"]

        await found.clock.turn(0.1)
        assert await line.wait(3) == ["12:00=1…", "12:00=2…", "12:00=2"]
        await talk.send({"c": "BTC/USD", "at": noon, "p": 3, "r": 1}, {"c": "BTC/USD", "at": noon + 60, "p": 4, "r": 1})
        assert (await line.wait(5))[3:] == ["12:00=3", "12:01=4…"]


async def test_what_the_venue_has_closed_is_not_told_again_and_what_it_broke_off_in_is_not_closed():
    async with live() as (found, sockets):
        noon = 1795176000
        line = found.listen("c")
        talk = await sockets.talk(0)
        await talk.send({"c": "BTC/USD", "at": noon, "p": 1}, {"c": "BTC/USD", "at": noon + 60, "p": 2, "r": 1})
        await line.wait(2)
        await found.clock.turn(5)
        await talk.abort()
        await line.wait(3)
        await found.clock.turn(130)

        assert line.short == ["12:00=1", "12:01=2…", "RECONNECTING"]


async def test_candles_that_the_venue_does_not_stream_are_built_from_its_trades_over_one_socket():
    async with live() as (found, sockets):
        noon = 1795176000
        bars, tape = [{"at": noon, "p": 5}], [{"id": n, "at": noon + 40 + n, "p": n} for n in (7, 25, 26)]
        found.serve(lambda request: reply(bars if request.path == "/candles" else tape))
        await found.clock.turn(90)
        hub = Hub(found.lines, found.clock)
        ask = replace(ask_of("c", BTC), interval=Interval.M5)
        sources, _ = upstreams(found.core.registry, CANDLES, ask, DEFAULT_TERMS, NOBODY)
        async with hub.subscribe({"BTC/USD": sources}) as reader:
            first = await anext(reader)
            talk = await sockets.talk(0)
            await found.clock.turn(1)
            await talk.wait(2)
            await talk.send({"t": "BTC/USD", "id": 50, "at": noon + 91, "p": 3})
            second = await anext(reader)
        await hub.close()

        assert talk.received[1] == {"sub": ["t:BTC/USD"]}
        assert [candle(each) for each in (first, second)] == ["12:00 5-26 last 26…", "12:00 3-26 last 3…"]
        assert sorted({request.path for request in found.core.wire.requests}) == ["/candles", "/trades"]


async def test_a_candle_that_is_built_gets_the_trade_that_the_venue_has_skipped():
    async with live() as (found, sockets):
        noon = 1795176000
        tape = [{"id": n, "at": noon + n, "p": n} for n in (-9, 1, 2)]
        found.serve(lambda request: reply([] if request.path == "/candles" else tape))
        await found.clock.turn(3)
        hub = Hub(found.lines, found.clock)
        ask = replace(ask_of("c", BTC), interval=Interval.M5)
        sources, _ = upstreams(found.core.registry, CANDLES, ask, DEFAULT_TERMS, NOBODY)
        bars: list[str] = []

        async def follow() -> None:
            async with hub.subscribe({"BTC/USD": sources}) as reader:
                async for delivery in reader:
                    bars.extend(candle(delivery) for each in delivery.items if each.values)

        following = asyncio.create_task(follow())
        talk = await sockets.talk(0)
        await talk.send({"t": "BTC/USD", "id": 3, "at": noon + 3, "p": 3})
        await until(lambda: bars and "last 3" in bars[-1])
        tape += [{"id": n, "at": noon + n, "p": p} for n, p in ((3, 3), (4, 99), (5, 5))]
        await talk.send({"gap": "t:BTC/USD"}, {"t": "BTC/USD", "id": 5, "at": noon + 5, "p": 5})
        for _ in range(3):
            await found.clock.turn(1)
        await until(lambda: "last 5" in bars[-1])
        await ended(following)
        await hub.close()

        assert bars[-1] == "12:00 1-99 last 5…"


def candle(delivery: Delivery) -> str:
    (bar,) = delivery.items[0].values
    return f"{bar.open_time:%H:%M} {bar.low}-{bar.high} last {bar.close}{'' if bar.closed else '…'}"


async def test_offline_nothing_is_dialled():
    async with live(mode=DataMode.RECORDED) as (found, sockets):
        found.serve(lambda _: reply({"p": 7}))

        assert await found.listen("q").wait(1) == ["7"]
        assert sockets.talks == []


async def test_a_tenants_own_key_has_connections_of_its_own():
    async with live() as (found, sockets):
        account = Account(tenant="ten_1", keys={"tape": {"key": "own"}})
        shared = found.lane("q")
        own = found.core.registry.own.lane(shared, account)
        found.listen("q")
        found.listen("q", lane=own)

        talks = [await sockets.talk(0), await sockets.talk(1)]

        for talk in talks:
            await talk.wait(1)
        assert sorted(talk.received[0]["hello"] for talk in talks) == ["", "own"]


async def test_a_hundred_times_subscribed_and_left_leaves_nothing():
    async with live() as (found, sockets):
        for number in range(100):
            lines = [found.listen(letter) for letter in "qtcb"]
            if number % 10 == 0:
                await until(lambda: sockets.talks)
            for line in lines:
                await ended(line.task)  # type: ignore[attr-defined]
        await found.clock.turn(5)

        await until(lambda: not sockets.alive)
        assert 0 < len(sockets.talks) <= 200


async def test_a_feeds_http_goes_through_quota_and_breaker():
    async with polled(Tape) as found:
        lane = found.lane("b")
        ask = GuardedHttp(found.core.pipeline, lane)
        found.serve(lambda _: reply({"n": 1}))

        async def fetch(http: Any) -> Row:
            return Row("x", (await http.get("/book")).value)

        assert (await ask(fetch, 5)).value == {"n": 1}
        (standing,) = lane.access.turnstile.counter.standing(found.clock.monotonic())  # type: ignore[union-attr]
        assert standing.remaining == 8

        found.serve(lambda _: reply({}, 503))
        for _ in range(10):
            with pytest.raises(UpstreamError):
                await ask(fetch)
            await found.clock.turn(2)
            if lane.shut:
                break
        sent = len(found.core.wire.requests)
        with pytest.raises(CircuitOpen):
            await ask(fetch)
        assert len(found.core.wire.requests) == sent


async def test_a_feeds_own_defect_over_http_is_malformed():
    async with polled(Tape) as found:

        async def broken(http: Any) -> Row:
            raise KeyError("x")

        with pytest.raises(UpstreamError, match="tape: its answer broke the feed"):
            await GuardedHttp(found.core.pipeline, found.lane("b"))(broken)


async def test_polling_tells_changes_alone_and_waits_for_the_window():
    async with polled(venue("plain", max_batch=2)) as found:
        line = found.listen("q", provider="plain")
        assert await line.wait(1) == ["1"]

        await found.clock.turn(2)
        found.serve(priced("2"), "plain")
        await found.clock.turn(2)

        assert await line.wait(2) == ["1", "2"]
        assert [event.snapshot for event in line.events] == [True, False]  # type: ignore[union-attr]
        assert len(found.core.wire.requests) == 3


async def test_an_older_answer_of_a_cache_before_the_provider_is_not_told():
    async with polled(venue("plain")) as found:
        found.serve(priced("1", NOON - timedelta(seconds=9)), "plain")
        line = found.listen("q", provider="plain")
        await line.wait(1)

        for price, seconds in (("2", 5), ("1", 9), ("3", 4)):
            found.serve(priced(price, NOON - timedelta(seconds=seconds)), "plain")
            await found.clock.turn(2)
            await until(lambda: len(found.core.wire.requests) > 1)

        assert await line.wait(3) == ["1", "2", "3"]


async def test_a_provider_that_answers_the_same_for_ever_is_stale_then_the_line_ends():
    async with polled(venue("plain")) as found:
        found.serve(priced("1", NOON - timedelta(seconds=2)), "plain")
        line = found.listen("q", provider="plain")
        await line.wait(1)

        await found.clock.turn(FLAT_S - 10)
        assert line.short == ["1"]
        await found.clock.turn(20)
        assert await line.wait(2) == ["1", "STALE"]
        assert line.events[1].message.endswith(" s, since 2026-11-20 11:59:58 UTC.")  # type: ignore[union-attr]
        await found.clock.turn(FLAT_S + 10)

        assert [each.partition(" for ")[0] for each in await line.wait(3)] == [
            "1", "STALE", "Stale: plain: nothing has changed",
        ]  # fmt: skip
        await until(lambda: line.over)


async def test_a_provider_that_moves_again_is_fresh_again():
    async with polled(venue("plain")) as found:
        found.serve(priced("1", NOON), "plain")
        line = found.listen("q", provider="plain")
        await line.wait(1)
        await found.clock.turn(FLAT_S + 10)
        await line.wait(2)

        found.serve(priced("1", NOON + timedelta(seconds=60)), "plain")
        await found.clock.turn(3)

        assert await line.wait(4) == ["1", "STALE", "FRESH_AGAIN", "1"]


@pytest.mark.parametrize("at", [None, NOON - timedelta(hours=3)])
async def test_of_values_without_a_stamp_and_of_those_that_seldom_change_nothing_is_said(at: datetime | None):
    async with polled(venue("plain")) as found:
        found.serve(priced("1", at), "plain")
        line = found.listen("q", provider="plain")
        await line.wait(1)

        await found.clock.turn(3 * FLAT_S)

        assert line.short == ["1"]


async def test_outside_of_the_session_nothing_has_to_move():
    async def never(instrument: InstrumentId) -> bool:
        return False

    async with polled(venue("plain")) as found:
        found.serve(priced("1", NOON), "plain")
        line = found.listen("q", provider="plain")
        await line.wait(1)
        (poller,) = found.lines.polling._pollers.values()
        poller.in_session = never

        await found.clock.turn(3 * FLAT_S)

        assert line.short == ["1"]


async def test_the_simulated_exchange_tells_another_quote_each_second():
    async with polled(Sandbox) as found:
        line = found.listen("q", provider="sandbox")
        await line.wait(1)

        for second in (1, 2, 3):
            await found.clock.turn(1)
            await line.wait(1 + second)

        assert [event.as_of for event in line.events] == [NOON + timedelta(seconds=n) for n in range(4)]  # type: ignore[union-attr]


async def test_lines_of_one_lane_are_asked_in_batches_and_a_new_one_at_once():
    async with polled(venue("plain", max_batch=2)) as found:
        first = [found.listen("q", parse_instrument(f"crypto:A{n}/USD"), "plain") for n in range(2)]
        for line in first:
            await line.wait(1)
        third = found.listen("q", parse_instrument("crypto:A2/USD"), "plain")
        await third.wait(1)
        await found.clock.turn(2)

        await until(lambda: len(found.core.wire.requests) == 4)
        assert found.core.wire.asked("plain") == [["A0-USD", "A1-USD"], ["A2-USD"], ["A0-USD", "A1-USD"], ["A2-USD"]]


async def test_the_pace_is_what_half_of_the_upstreams_limits_allow():
    async with polled(venue("slow", max_batch=1, limits=(per_minute(12),))) as found:
        lines = [found.listen("q", parse_instrument(f"crypto:A{n}/USD"), "slow") for n in range(3)]
        for line in lines:
            await line.wait(1)

        (poller,) = found.lines.polling._pollers.values()

        # Eleven of twelve are used at all, half of them by polling: three calls take 3 / 5.5 of a minute.
        assert found.lines.polling.interval(poller) == pytest.approx(3 / 5.5 * 60)
        found.processes = 3
        assert found.lines.polling.interval(poller) == pytest.approx(3 * 3 / 5.5 * 60)


async def test_failures_are_told_once_then_the_line_ends():
    async with polled(venue("plain")) as found:
        line = found.listen("q", provider="plain")
        await line.wait(1)
        found.serve(failing_then(3, priced("2")), "plain")
        for _ in range(30):
            await found.clock.turn(2)
            if len(line.events) >= 4:
                break

        assert await line.wait(4) == ["1", "STALE", "FRESH_AGAIN", "2"]


async def test_after_a_failure_the_same_value_is_told_again():
    async with polled(venue("plain")) as found:
        line = found.listen("q", provider="plain")
        await line.wait(1)
        found.serve(failing_then(1, priced("1")), "plain")
        for _ in range(30):
            await found.clock.turn(2)
            if len(line.events) >= 4:
                break

        assert await line.wait(4) == ["1", "STALE", "FRESH_AGAIN", "1"]
        assert line.events[3].snapshot  # type: ignore[union-attr]


def failing_then(count: int, then: Any) -> Callable[[Request], Any]:
    left = [count]

    def handler(request: Request) -> Any:
        left[0] -= 1
        return reply({}, 429, {"retry-after": "1"}) if left[0] >= 0 else then(request)

    return handler


async def test_an_unknown_instrument_ends_alone():
    async with polled(venue("plain")) as found:
        found.serve(priced("1", without=frozenset({"XX-USD"})), "plain")
        good, bad = found.listen("q", provider="plain"), found.listen("q", parse_instrument("crypto:XX/USD"), "plain")

        assert await good.wait(1) == ["1"]
        assert await bad.wait(1) == ["UnknownInstrument: plain: does not list crypto:XX/USD"]
        await until(lambda: bad.over)


async def test_a_closed_market_is_asked_once():
    async with polled(venue("plain")) as found:
        found.clock._start = datetime(2026, 11, 21, 12, tzinfo=UTC)  # a Saturday
        found.serve(priced("5"), "plain")
        line = found.listen("q", parse_instrument("fx:EUR/USD"), "plain")
        await line.wait(1)

        for _ in range(3):
            await found.clock.turn(2)

        assert await line.wait(2) == ["5", "MARKET_CLOSED"]
        assert len(found.core.wire.requests) == 1

        found.clock._start = datetime(2026, 11, 23, 12, tzinfo=UTC)
        found.serve(priced("6"), "plain")
        await found.clock.turn(2)

        assert await line.wait(4) == ["5", "MARKET_CLOSED", "FRESH_AGAIN", "6"]


async def test_an_inbox_keeps_the_newest_state_and_tells_what_it_lost_of_others():
    clock = HeldClock()
    states, others = Inbox(clock, states=True), Inbox(clock, states=False)

    for number in range(MOST_WAITING + 1):
        update = Update(values=(number,), as_of=None, snapshot=False, received=clock.now())
        states.put(update)
        others.put(update)

    assert (await states.get()).values == (MOST_WAITING,)  # type: ignore[union-attr]
    first = await others.get()
    assert isinstance(first, Trouble)
    assert first.code is NoticeCode.GAP
    assert (await others.get()).values == (MOST_WAITING // 2 + 1,)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("interval", "start", "end"),
    [
        (Interval.M1, "2026-03-01T11:59", "2026-03-01T12:01"),
        (Interval.D1, "2026-02-28T00:00", "2026-03-02T00:00"),
        (Interval.W1, "2026-02-16T00:00", "2026-03-02T00:00"),
        (Interval.MO1, "2026-02-01T00:00", "2026-04-01T00:00"),
    ],
)
def test_of_candles_the_running_one_and_the_one_before_are_polled(interval: Interval, start: str, end: str):
    ask = CandlesAsk(instrument=BTC, interval=interval, start=NOON, end=NOON)

    asked = asking(CANDLES, ask, datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC))

    assert (f"{asked.start:%Y-%m-%dT%H:%M}", f"{asked.end:%Y-%m-%dT%H:%M}") == (start, end)


async def test_polled_candles_are_rows_and_trades_are_told_once():
    async with polled(Tape, mode=DataMode.RECORDED) as found:
        bars, trades = found.listen("c"), found.listen("t")

        def serve(request: Request) -> Any:
            if request.path == "/candles":
                return reply([{"at": 1795176000 - 60, "p": 1}, {"at": 1795176000, "p": len(found.core.wire.requests)}])
            return reply([{"id": n, "at": 1795176000 + n, "p": 1} for n in range(len(found.core.wire.requests))])

        found.serve(serve)
        await until(lambda: bars.events and trades.events)
        await found.clock.turn(6)

        await until(lambda: len(bars.events) >= 2 and len(trades.events) >= 2)
        assert [event.snapshot for event in bars.events[:2]] == [True, False]  # type: ignore[union-attr]
        assert bars.short[0].startswith("11:59=1+12:00=")
        assert bars.short[0].endswith("…")
        assert sorted({name for told in trades.short for name in told.split("+")}) == sorted(
            name for told in trades.short for name in told.split("+")
        )
